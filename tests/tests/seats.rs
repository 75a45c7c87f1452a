//! Seats that outlive connections, with each game, over a network in memory.

use server::session::acts::{HostAction, OperatorAction, Order};
use server::session::{Provided, SEAT_GRACE_SECONDS, SessionConfig};
use shared::game::{Game, PlayerId, Setup};
use shared::netcode::client::News;
use shared::netcode::conditions::Conditions;
use shared::wire::close::CloseCode;
use shared::wire::message::{ClientMessage, ServerMessage};
use shared::wire::{HostSecret, Role};
use std::net::{IpAddr, Ipv4Addr};
use tests::story::{assert_honest, crowd};
use tests::world::World;
use tests::{Lonely, with_every_game};

with_every_game! {
    a_short_visit_keeps_no_seat_for_long,
    who_loses_the_line_comes_back_to_the_same_seat,
    who_is_away_keeps_everything_though_no_seat_is_free,
    a_kept_seat_is_taken_until_its_time_is_over,
    who_says_goodbye_frees_the_seat_at_once,
    the_same_seat_from_another_connection_ends_the_older_one,
    a_stolen_token_that_was_used_gets_a_new_seat,
    a_welcome_that_is_lost_costs_no_seat,
    who_comes_back_from_elsewhere_is_shown_out_there,
    who_comes_back_from_elsewhere_is_banned_there,
    who_does_nothing_for_long_is_warned_and_watches,
    who_does_nothing_plays_on_where_there_is_no_place_to_watch,
    a_session_of_forgotten_tabs_ends,
}

const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));
const TRAIN: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 9));

/// What belongs to a player in the world's own rows: kinds and ids.
fn belongings<G: Game>(world: &World<G>, player: PlayerId) -> Vec<(&'static str, u32)> {
    let mut found = Vec::new();
    for (kind, table) in G::KINDS.iter().zip(world.session.world().now().tables()) {
        let Some(owner) = kind.field_with(Role::Owner) else { continue };
        // Shots and the like come and go by themselves.
        if kind.leads() > 0 || kind.private {
            let own = table.iter().filter(|(_, row)| row[owner] == i32::from(player.0));
            found.extend(own.map(|(id, _)| (kind.name, id)));
        }
    }
    found
}

/// The welcomes that a guest got: as whom, and by what name.
fn welcomes<G: Game>(world: &World<G>, guest: usize) -> Vec<(PlayerId, String)> {
    let welcomes = world.guests[guest].news.iter().filter_map(|news| match news {
        News::Said(ServerMessage::Welcome { player, name, .. }) => Some((*player, name.clone())),
        _ => None,
    });
    welcomes.collect()
}

/// Joining and hanging up in a loop holds no seats.
fn a_short_visit_keeps_no_seat_for_long<G: Lonely>() {
    let mut world = crowd::<G>(26, Conditions::default(), 4, 0);
    world.run(200.0);
    (0..4).for_each(|n| world.drop_line(n));
    assert_eq!(world.session.players(), 4);
    world.run(2500.0);
    assert_eq!(world.session.players(), 0);
}

fn grace_ms() -> f64 {
    f64::from(SEAT_GRACE_SECONDS) * 1000.0
}

fn who_loses_the_line_comes_back_to_the_same_seat<G: Game>() {
    let mut world = crowd::<G>(13, Conditions::round_trip(60.0, 10.0), 3, 8);
    world.run(10_000.0);
    let me = world.guests[0].client.me().expect("let in");
    let lost = world.guests[0].client.stats();
    world.drop_line(0);
    let counts = world.session.counts();
    world.run(grace_ms() - 1000.0);
    assert_eq!((world.session.players(), world.session.away()), (3, 1));
    let written = world.session.counts().frames - counts.frames;
    assert!(written <= 2 * 29 * 30 + 2, "nobody writes frames for who is away: {written}");
    // An idle ship may have been shot meanwhile, so what counts is what there is now.
    let owned = belongings(&world, me);
    let (score, verified) = (world.session.score(me), world.guests[0].verified);
    world.return_to_seat(0, Conditions::round_trip(100.0, 20.0));
    world.run(200.0);
    let news = welcomes(&world, 0);
    assert_eq!(news, [(me, "guest 0".into()), (me, "guest 0".into())]);
    assert_eq!((world.session.players(), world.session.away()), (3, 0));
    assert_eq!(belongings(&world, me), owned, "the same entities");
    assert_eq!(world.session.score(me), score);
    world.run(9800.0);
    assert_honest(&world);
    let stats = world.guests[0].client.stats();
    assert_eq!((stats.mismatches, stats.refused, stats.resyncs), (0, 0, 0), "{stats:?}");
    assert_eq!(stats.keyframes, lost.keyframes + 1);
    assert!(stats.inputs > lost.inputs + 250 && stats.frames > lost.frames + 250, "{stats:?}");
    assert!(world.guests[0].verified > verified + 250);
    for news in &world.guests[1].news {
        let News::Said(ServerMessage::Roster { left, .. }) = news else { continue };
        assert!(!left.contains(&me), "for the others the player never left");
    }
}

fn who_is_away_keeps_everything_though_no_seat_is_free<G: Lonely>() {
    let line = Conditions::round_trip(80.0, 10.0);
    let mut world = World::<G>::with_settings(18, 0, 1, G::lonely());
    world.join("hermit", line);
    world.run(10_000.0);
    let me = world.guests[0].client.me().expect("let in");
    let (owned, score) = (belongings(&world, me), world.session.score(me));
    assert!(!owned.is_empty());
    for _ in 0..3 {
        world.drop_line(0);
        world.run(grace_ms() - 1000.0);
        assert_eq!((world.session.players(), world.session.away()), (1, 1));
        assert_eq!((belongings(&world, me), world.session.score(me)), (owned.clone(), score));
        world.return_to_seat(0, line);
        world.run(500.0);
        assert_eq!(world.guests[0].client.me(), Some(me));
        assert_eq!((belongings(&world, me), world.session.score(me)), (owned.clone(), score));
        world.guests[0].plays = false;
    }
    assert_honest(&world);
}

fn a_kept_seat_is_taken_until_its_time_is_over<G: Game>() {
    let mut world = World::<G>::with_seats(14, 3, 2);
    let line = Conditions::default();
    for n in 0..2 {
        world.join(&format!("guest {n}"), line);
    }
    world.run(4000.0);
    let me = world.guests[0].client.me().expect("let in");
    world.drop_line(0);
    world.run(grace_ms() - 2000.0);
    assert_eq!((world.session.players(), world.session.pilots()), (2, 1));
    let late = world.join("late", line);
    world.run(500.0);
    let (code, _) = world.guests[late].outbox.closed().expect("turned away");
    assert_eq!(code, CloseCode::SessionFull);
    assert!(!belongings(&world, me).is_empty());
    world.run(2000.0);
    assert_eq!((world.session.players(), world.session.pilots()), (1, 2));
    assert_eq!(belongings(&world, me), []);
    world.return_to_seat(0, line);
    world.run(1000.0);
    let new = world.guests[0].client.me().expect("let in");
    assert_ne!(new, me);
    // The next time the seat is somebody else's by then.
    world.drop_line(0);
    world.run(grace_ms() + 100.0);
    world.join("next", line);
    world.run(200.0);
    world.return_to_seat(0, line);
    world.run(200.0);
    let (code, _) = world.guests[0].outbox.closed().expect("turned away");
    assert_eq!(code, CloseCode::SessionFull);
    assert_honest(&world);
}

fn who_says_goodbye_frees_the_seat_at_once<G: Game>() {
    let mut world = crowd::<G>(15, Conditions::default(), 2, 0);
    world.run(1000.0);
    let me = world.guests[0].client.me().expect("let in");
    world.leave(0);
    assert_eq!((world.session.players(), world.session.away()), (1, 0));
    world.run(100.0);
    assert_eq!(belongings(&world, me), []);
    world.return_to_seat(0, Conditions::default());
    world.run(500.0);
    assert!(world.guests[0].client.me().is_some_and(|new| new != me));
    // Nor does a seat outlive being shown out.
    for n in 0..30 {
        world.guests[1].client.chat(&format!("flood {n}"), false);
    }
    world.run(200.0);
    assert_eq!(world.guests[1].outbox.closed().map(|c| c.0), Some(CloseCode::Kicked));
    assert_eq!((world.session.players(), world.session.away()), (1, 0));
    assert_honest(&world);
}

fn the_same_seat_from_another_connection_ends_the_older_one<G: Game>() {
    let mut world = crowd::<G>(16, Conditions::round_trip(40.0, 0.0), 2, 4);
    world.run(3000.0);
    let me = world.guests[0].client.me().expect("let in");
    let (older, outbox) = (world.guests[0].connection, world.guests[0].outbox.clone());
    world.return_to_seat(0, Conditions::round_trip(40.0, 0.0));
    world.run(500.0);
    assert_eq!(outbox.closed().map(|c| c.0), Some(CloseCode::Replaced));
    outbox.drain();
    // However the older one ends, the seat is no longer its to give up.
    world.end(older, false);
    world.run(3000.0);
    assert_eq!(world.guests[0].client.me(), Some(me));
    assert_eq!((world.session.players(), world.session.away()), (2, 0));
    assert_eq!(outbox.drain().len(), 0, "it is sent nothing any more");
    assert!(world.guests[0].outbox.closed().is_none());
    assert_eq!(world.guests[0].client.stats().keyframes, 2);
    assert_honest(&world);
}

fn a_stolen_token_that_was_used_gets_a_new_seat<G: Game>() {
    let line = Conditions::round_trip(40.0, 0.0);
    let mut world = crowd::<G>(17, line, 1, 4);
    world.run(1000.0);
    let me = world.guests[0].client.me().expect("let in");
    let stolen = world.guests[0].seat;
    world.drop_line(0);
    world.return_to_seat(0, line);
    world.run(1000.0);
    assert_eq!(world.guests[0].client.me(), Some(me));
    let thief = world.join("thief", line);
    world.guests[thief].claims = stolen;
    world.run(1000.0);
    assert!(world.guests[thief].client.me().is_some_and(|id| id != me));
    assert!(world.guests[0].outbox.closed().is_none(), "the owner notices nothing");
    assert_eq!(world.session.players(), 2);
    assert_honest(&world);
}

fn a_welcome_that_is_lost_costs_no_seat<G: Game>() {
    let line = Conditions::round_trip(60.0, 0.0);
    let mut world = crowd::<G>(18, line, 1, 4);
    world.run(5000.0);
    let me = world.guests[0].client.me().expect("let in");
    world.drop_line(0);
    // Three times the line holds long enough for the hello and not for the answer.
    for _ in 0..3 {
        world.return_to_seat(0, line);
        world.run(50.0);
        world.drop_line(0);
        world.run(500.0);
    }
    world.return_to_seat(0, line);
    world.run(1000.0);
    assert_eq!(world.guests[0].client.me(), Some(me));
    assert_eq!(world.session.players(), 1);
    assert_honest(&world);
}

/// Two guests of whom the first sat down at home and is on a train by now, and that one's number.
fn on_a_train<G: Game>(seed: u64) -> (World<G>, u16) {
    let line = Conditions::round_trip(40.0, 0.0);
    let mut world = crowd::<G>(seed, line, 2, 0);
    world.guests[0].network = Some(HOME);
    world.run(1000.0);
    let me = world.guests[0].client.me().expect("let in");
    world.drop_line(0);
    world.guests[0].network = Some(TRAIN);
    world.return_to_seat(0, line);
    world.run(500.0);
    assert_eq!(world.guests[0].client.me(), Some(me));
    (world, me.0)
}

fn who_comes_back_from_elsewhere_is_shown_out_there<G: Game>() {
    let (mut world, me) = on_a_train::<G>(29);
    let seen = world.people().into_iter().find(|person| person.number == me).expect("is there");
    assert_eq!(seen.address, Some(TRAIN));
    for (address, code) in [(HOME, None), (TRAIN, Some(CloseCode::Banned))] {
        let show_out = OperatorAction::ShowOut { address, reason: "Enough.".into() };
        assert_eq!(world.order(Order::Operator(show_out)), Ok(()));
        assert_eq!(world.guests[0].outbox.closed().map(|c| c.0), code, "{address}");
    }
    assert_eq!(world.session.players(), 1);
}

fn who_comes_back_from_elsewhere_is_banned_there<G: Game>() {
    let (mut world, player) = on_a_train::<G>(30);
    let ban = OperatorAction::AsHost(HostAction::Ban { player });
    assert_eq!(world.order(Order::Operator(ban)), Ok(()));
    // Nobody says by what they could be known again, so only where they come from counts.
    for (network, code) in [(TRAIN, Some(CloseCode::Banned)), (HOME, None)] {
        let next = world.join("next", Conditions::default());
        world.guests[next].network = Some(network);
        world.run(200.0);
        assert_eq!(world.guests[next].outbox.closed().map(|c| c.0), code, "{network}");
    }
}

/// A tab that was forgotten frees its seat and stays in the session. Whoever does anything keeps it.
fn who_does_nothing_for_long_is_warned_and_watches<G: Game>() {
    const SECRET: HostSecret = HostSecret([7; 16]);
    let config = SessionConfig {
        provided: Provided { inactive_s: 60, host: Some(SECRET), ..Provided::default() },
        ..SessionConfig::new(Setup::new(G::Settings::default(), 27, 30))
    };
    let mut world = World::<G>::open(config);
    let line = Conditions::round_trip(40.0, 0.0);
    let host = world.join_as("host", line, |hello| hello.host = Some(SECRET));
    let [idle, talks, plays] = ["idle", "talks", "plays"].map(|name| world.join(name, line));
    let all = [host, idle, talks, plays];
    for guest in [host, idle, talks] {
        world.guests[guest].plays = false;
    }
    let told = |world: &World<G>, what: &str| {
        all.map(|n| world.guests[n].lines().iter().any(|(_, line)| line.contains(what)))
    };
    let watch = |world: &World<G>| {
        all.map(|n| world.session.is_watching(world.guests[n].client.me().expect("here")))
    };
    world.run(39_000.0);
    assert_eq!(told(&world, "Are you there?"), [false; 4]);
    world.run(3000.0);
    assert_eq!(told(&world, "Are you there?"), [true, true, true, false]);
    // A line that breaks is none of their doing.
    world.drop_line(idle);
    world.run(1000.0);
    world.return_to_seat(idle, line);
    world.guests[talks].client.chat("yes", false);
    assert_eq!(world.act(SECRET, HostAction::Lock { locked: true }), Ok(()));
    world.run(20_000.0);
    assert_eq!((watch(&world), world.session.players()), ([false, true, false, false], 4));
    assert_eq!(told(&world, "did nothing for 60 seconds"), [false, true, false, false]);
    // Nobody new is let in, and who watches plays on when they like.
    world.guests[idle].client.say(&ClientMessage::Watch(false));
    world.run(1000.0);
    assert_eq!(watch(&world), [false; 4]);
    world.run(45_000.0);
    assert_eq!(watch(&world), [true, false, true, false]);
    assert_honest(&world);
}

fn who_does_nothing_plays_on_where_there_is_no_place_to_watch<G: Game>() {
    let config = SessionConfig {
        provided: Provided { inactive_s: 60, ..Provided::default() },
        spectators_max: 0,
        ..SessionConfig::new(Setup::new(G::Settings::default(), 28, 30))
    };
    let mut world = World::<G>::open(config);
    let idle = world.join("idle", Conditions::round_trip(40.0, 0.0));
    world.guests[idle].plays = false;
    world.run(90_000.0);
    assert!(!world.session.is_watching(world.guests[idle].client.me().expect("here")));
    assert!(!world.guests[idle].lines().iter().any(|(_, line)| line.contains("Are you there?")));
}

/// They stay for an hour, as somebody may be on the way to them.
fn a_session_of_forgotten_tabs_ends<G: Game>() {
    let config = SessionConfig {
        provided: Provided { inactive_s: 60, idle_s: 5, ..Provided::default() },
        ..SessionConfig::new(Setup::new(G::Settings::default(), 29, 10))
    };
    let mut world = World::<G>::open(config);
    let forgotten = world.join("forgotten", Conditions::round_trip(40.0, 0.0));
    world.guests[forgotten].plays = false;
    world.run(3_500_000.0);
    assert_eq!((world.session.over(), world.session.players()), (None, 1));
    world.run(120_000.0);
    assert!(world.session.over().is_some_and(|(_, why)| why.contains("Nobody")));
}
