//! Whoever runs a session, and who watches it, with each game, over a network in memory.

use server::session::acts::{ActError, HostAction};
use server::session::settings::{PilotCount, SessionSettings};
use server::session::{SEAT_GRACE_SECONDS, SessionConfig};
use shared::game::{Game, PlayerId, Setup};
use shared::netcode::conditions::Conditions;
use shared::wire::close::CloseCode;
use shared::wire::message::{ClientMessage, Look, ServerMessage};
use shared::wire::{HostSecret, Visitor};
use tests::story::assert_honest;
use tests::with_every_game;
use tests::world::World;

with_every_game! {
    only_who_shows_the_secret_is_the_host,
    the_host_kicks_and_who_was_kicked_may_come_back,
    who_is_banned_stays_out_and_the_neighbours_do_not,
    a_locked_session_lets_nobody_new_in,
    who_is_muted_is_heard_by_nobody,
    when_the_host_is_gone_the_longest_present_takes_over,
    a_host_who_loses_the_line_with_everybody_else_is_the_host_again,
    when_the_host_leaves_those_who_are_away_the_first_to_come_back_takes_over,
    who_comes_back_before_the_host_ever_came_does_not_take_over,
    who_came_after_the_host_had_left_does_not_take_over,
    a_host_hands_over_and_has_no_power_left,
    settings_change_with_the_next_round,
    a_session_ends_when_the_host_says_so_or_when_nobody_comes,
    a_late_joiner_reads_what_was_said,
    a_team_is_heard_by_itself,
    spectators_see_what_they_look_at_and_play_when_they_want,
    what_spectators_see_is_late_when_the_session_wants_it,
}

const LINE: Conditions = Conditions::round_trip(60.0, 10.0);
const SECRET: HostSecret = HostSecret([0x11; 16]);

fn config<G: Game>(seed: u64) -> SessionConfig<G::Settings> {
    let setup = Setup::new(G::Settings::default(), seed, 30);
    let pilots = PilotCount::Always(3);
    SessionConfig { host: Some(SECRET), pilots, ..SessionConfig::new(setup) }
}

/// A session with a host and two more.
fn hosted<G: Game>(seed: u64) -> World<G> {
    let mut world = World::<G>::open(config::<G>(seed));
    world.join_as("host", LINE, |hello| hello.host = Some(SECRET));
    world.run(200.0);
    for n in 1..3 {
        let key = Visitor([n; 16]);
        world.join_as(&format!("guest {n}"), LINE, |hello| hello.visitor = key);
        world.run(200.0);
    }
    world.run(500.0);
    world
}

fn number<G: Game>(world: &World<G>, guest: usize) -> u16 {
    world.guests[guest].client.me().expect("let in").0
}

fn only_who_shows_the_secret_is_the_host<G: Game>() {
    let mut world = hosted::<G>(50);
    let hosts = |world: &World<G>| -> Vec<String> {
        let roster = world.guests[1].roster();
        roster.values().filter(|entry| entry.host).map(|entry| entry.name.clone()).collect()
    };
    assert_eq!(hosts(&world), ["host"]);
    assert_eq!(world.guests[0].host_secret(), Some(SECRET));
    assert_eq!((world.guests[1].host_secret(), world.guests[2].host_secret()), (None, None));
    let wrong = HostSecret([0x12; 16]);
    let rename = |name: &str| HostAction::Rename { name: name.into() };
    assert_eq!(world.act(wrong, rename("Mine")), Err(ActError::NotHost));
    assert_eq!(world.act(SECRET, rename("Ours")), Ok(()));
    assert!(matches!(world.act(SECRET, rename(" ")), Err(ActError::Refused(_))));
    assert_eq!(world.act(SECRET, HostAction::Kick { player: 999 }), Err(ActError::NobodyThere));
    world.run(500.0);
    let named = world.guests[2].said_to().filter_map(|said| match said {
        ServerMessage::About { name, .. } => Some(name.as_str()),
        _ => None,
    });
    assert_eq!(named.collect::<Vec<_>>(), ["Arena", "Ours"]);
    assert_eq!(world.session.status().name, "Ours");
    assert_eq!(world.session.status().host.as_deref(), Some("host"));
}

fn the_host_kicks_and_who_was_kicked_may_come_back<G: Game>() {
    let mut world = hosted::<G>(51);
    let player = number(&world, 1);
    assert_eq!(world.act(SECRET, HostAction::Kick { player }), Ok(()));
    world.run(500.0);
    let (code, _) = world.guests[1].outbox.closed().expect("shown out");
    assert_eq!((code, world.session.players()), (CloseCode::Kicked, 2));
    world.join_as("guest 1", LINE, |hello| hello.visitor = Visitor([1; 16]));
    world.run(500.0);
    assert_eq!(world.session.players(), 3);
    assert_honest(&world);
}

fn who_is_banned_stays_out_and_the_neighbours_do_not<G: Game>() {
    let mut world = World::<G>::open(config::<G>(52));
    let household = Some("203.0.113.7".parse().expect("an address"));
    let come = |world: &mut World<G>, name: &str, key: u8, host: Option<HostSecret>| {
        let index = world.join_as(name, LINE, |hello| {
            hello.visitor = Visitor([key; 16]);
            hello.host = host;
        });
        world.guests[index].network = household;
        world.run(500.0);
        index
    };
    let other = world.join_as("host", LINE, |hello| hello.host = Some(SECRET));
    let bad = come(&mut world, "bad", 1, None);
    let good = come(&mut world, "good", 2, None);
    let player = number(&world, bad);
    assert_eq!(world.act(SECRET, HostAction::Ban { player }), Ok(()));
    world.run(200.0);
    let closed = |world: &World<G>, guest: usize| world.guests[guest].outbox.closed().map(|c| c.0);
    assert_eq!(closed(&world, bad), Some(CloseCode::Banned));
    // The browser is known again; another one at the same address is let in, as somebody welcome is there.
    let again = come(&mut world, "bad again", 1, None);
    let neighbour = come(&mut world, "neighbour", 3, None);
    assert_eq!((closed(&world, again), closed(&world, neighbour)), (Some(CloseCode::Banned), None));
    // Once nobody else is there from that address, a new key does not help.
    world.leave(good);
    world.leave(neighbour);
    world.run(200.0);
    let fresh = come(&mut world, "fresh", 4, None);
    assert_eq!((closed(&world, fresh), closed(&world, other)), (Some(CloseCode::Banned), None));
}

fn a_locked_session_lets_nobody_new_in<G: Game>() {
    let mut world = hosted::<G>(53);
    assert_eq!(world.act(SECRET, HostAction::Lock { locked: true }), Ok(()));
    let late = world.join("late", LINE);
    world.run(500.0);
    let (code, _) = world.guests[late].outbox.closed().expect("turned away");
    assert_eq!((code, world.session.status().locked), (CloseCode::Locked, true));
    // Who lost the line has a seat, and comes back.
    world.drop_line(1);
    world.run(300.0);
    world.return_to_seat(1, LINE);
    world.run(1000.0);
    assert_eq!((world.session.players(), world.session.away()), (3, 0));
    assert_eq!(world.act(SECRET, HostAction::Lock { locked: false }), Ok(()));
    world.join("later", LINE);
    world.run(500.0);
    assert_eq!(world.session.players(), 4);
}

fn who_is_muted_is_heard_by_nobody<G: Game>() {
    let mut world = hosted::<G>(54);
    let player = number(&world, 1);
    assert_eq!(world.act(SECRET, HostAction::Mute { player, muted: true }), Ok(()));
    world.guests[1].client.chat("buy this", false);
    world.guests[1].client.say(&ClientMessage::Emote(3));
    world.run(500.0);
    let heard = |world: &World<G>| -> Vec<String> {
        let lines = world.guests[2].lines().into_iter();
        lines.filter(|(from, _)| from.is_some()).map(|(_, text)| text).collect()
    };
    assert_eq!(heard(&world), Vec::<String>::new());
    let emotes = |world: &World<G>| {
        let said = world.guests[2].said_to();
        said.filter(|said| matches!(said, ServerMessage::Emote { emote: 3, .. })).count()
    };
    assert_eq!(emotes(&world), 0);
    assert!(world.guests[1].lines().iter().any(|(_, text)| text.contains("muted")));
    assert!(world.guests[2].roster()[&PlayerId(player)].muted);
    assert_eq!(world.act(SECRET, HostAction::Mute { player, muted: false }), Ok(()));
    world.guests[1].client.chat("sorry", false);
    world.guests[1].client.say(&ClientMessage::Emote(3));
    world.run(500.0);
    assert_eq!((heard(&world), emotes(&world)), (vec!["sorry".to_owned()], 1));
}

fn when_the_host_is_gone_the_longest_present_takes_over<G: Game>() {
    let mut world = hosted::<G>(55);
    // A lost line is no farewell.
    world.drop_line(0);
    world.run(1000.0);
    assert_eq!(world.guests[1].host_secret(), None);
    world.return_to_seat(0, LINE);
    world.run(1000.0);
    world.leave(0);
    world.run(500.0);
    let heir = world.guests[1].host_secret().expect("the longest present is the host");
    assert!(world.guests[1].entry().host && !world.guests[2].entry().host);
    assert_ne!(heir, SECRET);
    assert_eq!(world.act(SECRET, HostAction::Lock { locked: true }), Err(ActError::NotHost));
    assert_eq!(world.act(heir, HostAction::Lock { locked: true }), Ok(()));
}

fn a_host_who_loses_the_line_with_everybody_else_is_the_host_again<G: Game>() {
    let mut world = hosted::<G>(64);
    assert_eq!(world.act(SECRET, HostAction::Lock { locked: true }), Ok(()));
    // After a visit of this length everybody's seat is kept equally long, so the host's is freed first.
    world.run(4000.0);
    (0..3).for_each(|n| world.drop_line(n));
    world.run(f64::from(SEAT_GRACE_SECONDS + 1) * 1000.0);
    assert_eq!((world.session.players(), world.session.host()), (0, Some(SECRET)));
    world.return_to_seat(0, LINE);
    world.run(500.0);
    assert_eq!(world.guests[0].outbox.closed(), None);
    assert!(world.guests[0].entry().host);
    assert_eq!(world.act(SECRET, HostAction::Lock { locked: false }), Ok(()));
    world.return_to_seat(1, LINE);
    world.run(500.0);
    assert!(world.session.players() == 2 && !world.guests[1].entry().host);
    assert_honest(&world);
}

fn when_the_host_leaves_those_who_are_away_the_first_to_come_back_takes_over<G: Game>() {
    let mut world = hosted::<G>(65);
    (1..3).for_each(|n| world.drop_line(n));
    world.leave(0);
    world.run(1000.0);
    // Nobody is there who could be told another one.
    assert_eq!((world.session.host(), world.session.status().host), (Some(SECRET), None));
    for n in [2, 1] {
        world.return_to_seat(n, LINE);
        world.run(500.0);
    }
    let heir = world.guests[2].host_secret().expect("the first to come back is the host");
    assert!(world.guests[2].entry().host && !world.guests[1].entry().host);
    assert_eq!(world.guests[1].host_secret(), None);
    assert_eq!(world.act(SECRET, HostAction::Lock { locked: true }), Err(ActError::NotHost));
    assert_eq!(world.act(heir, HostAction::Lock { locked: true }), Ok(()));
    assert_honest(&world);
}

fn who_comes_back_before_the_host_ever_came_does_not_take_over<G: Game>() {
    let mut world = World::<G>::open(config::<G>(66));
    let early = world.join("early", LINE);
    world.run(1000.0);
    world.drop_line(early);
    world.return_to_seat(early, LINE);
    world.run(500.0);
    assert_eq!((world.guests[early].host_secret(), world.session.host()), (None, Some(SECRET)));
    world.join_as("host", LINE, |hello| hello.host = Some(SECRET));
    world.run(500.0);
    assert_eq!(world.session.status().host.as_deref(), Some("host"));
}

fn who_came_after_the_host_had_left_does_not_take_over<G: Game>() {
    let mut world = hosted::<G>(67);
    world.leave(1);
    world.leave(2);
    world.leave(0);
    world.run(500.0);
    let stranger = world.join("stranger", LINE);
    world.run(1000.0);
    world.drop_line(stranger);
    world.return_to_seat(stranger, LINE);
    world.run(500.0);
    assert_eq!(world.guests[stranger].host_secret(), None);
    world.return_to_seat(0, LINE);
    world.run(500.0);
    assert!(world.guests[0].entry().host);
}

fn a_host_hands_over_and_has_no_power_left<G: Game>() {
    let mut world = hosted::<G>(56);
    let player = number(&world, 2);
    assert_eq!(world.act(SECRET, HostAction::HandOver { player }), Ok(()));
    world.run(500.0);
    let secret = world.guests[2].host_secret().expect("the new host has a secret");
    assert!(world.guests[2].entry().host && !world.guests[0].entry().host);
    assert_eq!(world.act(SECRET, HostAction::NextRound), Err(ActError::NotHost));
    assert_eq!(world.act(secret, HostAction::NextRound), Ok(()));
    world.run(1000.0);
    assert_honest(&world);
}

fn settings_change_with_the_next_round<G: Game>() {
    let settings =
        SessionSettings { round_s: 20, pilots: PilotCount::Always(3), ..Default::default() };
    let opened = settings.config::<G>(57).expect("sensible");
    let mut world = World::<G>::open(SessionConfig { host: Some(SECRET), ..opened });
    world.join_as("host", LINE, |hello| hello.host = Some(SECRET));
    world.run(10_000.0);
    let mode = server::session::settings::Mode::Teams;
    let change = |settings: SessionSettings| HostAction::Change { settings: Box::new(settings) };
    let wanted = SessionSettings { mode, name: "Sides".into(), ..settings.clone() };
    assert_eq!(world.act(SECRET, change(wanted.clone())), Ok(()));
    let refused = |world: &mut World<G>, settings| match world.act(SECRET, change(settings)) {
        Err(ActError::Refused(sentence)) => sentence,
        other => panic!("{other:?}"),
    };
    // A world takes time to make, even to be refused: not as fast as a host can ask.
    assert!(refused(&mut world, wanted.clone()).contains("One moment"));
    for (bad, word) in [
        (SessionSettings { tick_rate: 60, ..wanted.clone() }, "tick_rate"),
        (SessionSettings { teams: 9, ..wanted }, "teams"),
    ] {
        world.run(1100.0);
        assert!(refused(&mut world, bad).contains(word));
    }
    world.run(1000.0);
    assert_eq!(
        (world.session.status().mode, world.guests[0].entry().team),
        (Default::default(), 0)
    );
    assert_eq!(world.act(SECRET, HostAction::NextRound), Ok(()));
    world.run(1000.0);
    assert_eq!(world.session.status().mode, mode);
    let teams: Vec<_> = world.guests[0].roster().values().map(|entry| entry.team).collect();
    let of = |team| teams.iter().filter(|&&t| t == team).count();
    assert_eq!((of(1), of(2)), (2, 2));
    let player = number(&world, 0);
    let team = 3 - world.guests[0].entry().team;
    assert_eq!(world.act(SECRET, HostAction::Move { player, team }), Ok(()));
    assert!(matches!(
        world.act(SECRET, HostAction::Move { player, team: 3 }),
        Err(ActError::Refused(_))
    ));
    world.run(1000.0);
    assert_eq!(world.guests[0].entry().team, team);
    assert_honest(&world);
}

fn a_session_ends_when_the_host_says_so_or_when_nobody_comes<G: Game>() {
    let mut world = hosted::<G>(58);
    assert_eq!(world.session.over(), None);
    assert_eq!(world.act(SECRET, HostAction::End), Ok(()));
    assert!(world.session.over().is_some_and(|(_, why)| why.contains("host")));

    let mut world = World::<G>::open(SessionConfig { idle_s: 5, ..config::<G>(59) });
    world.run(3000.0);
    let guest = world.join("guest", LINE);
    world.run(10_000.0);
    assert_eq!(world.session.over(), None);
    world.leave(guest);
    world.run(4000.0);
    assert_eq!(world.session.over(), None);
    world.run(2000.0);
    assert!(world.session.over().is_some_and(|(_, why)| why.contains("Nobody")));
}

fn a_late_joiner_reads_what_was_said<G: Game>() {
    let mut world = hosted::<G>(60);
    world.guests[1].client.chat("<b>hello</b>", false);
    world.run(300.0);
    world.leave(1);
    let late = world.join("late", LINE);
    world.run(500.0);
    let history = world.guests[late].said_to().find_map(|said| match said {
        ServerMessage::History { lines } => Some(lines.clone()),
        _ => None,
    });
    assert_eq!(history, Some(vec![("guest 1".to_owned(), "<b>hello</b>".to_owned())]));
}

fn a_team_is_heard_by_itself<G: Game>() {
    let mut setup = Setup::new(G::Settings::default(), 61, 30);
    setup.teams = 2;
    let mut world = World::<G>::open(SessionConfig::new(setup));
    for n in 0..4 {
        world.join(&format!("guest {n}"), LINE);
    }
    world.join_as("watcher", LINE, |hello| hello.watch = true);
    world.run(1000.0);
    let team = world.guests[0].entry().team;
    world.guests[0].client.chat("psst", true);
    world.run(500.0);
    for guest in &world.guests {
        let heard = guest.lines().iter().any(|(_, text)| text == "psst");
        assert_eq!(heard, guest.entry().team == team, "{:?}", guest.entry());
    }
}

fn spectators_see_what_they_look_at_and_play_when_they_want<G: Game>() {
    let config = SessionConfig { spectators_max: 1, players_max: 2, ..config::<G>(62) };
    let mut world = World::<G>::open(config);
    let one = world.join("one", LINE);
    let eye = world.join_as("eye", LINE, |hello| hello.watch = true);
    world.run(300.0);
    let more = world.join_as("more", LINE, |hello| hello.watch = true);
    world.run(1000.0);
    let turned_away = world.guests[more].outbox.closed().map(|closed| closed.0);
    assert_eq!(turned_away, Some(CloseCode::SessionFull));
    assert!(world.guests[eye].entry().watching);
    assert_eq!((world.session.spectators(), world.session.status().players), (1, 1));
    let sees = |world: &World<G>, player: PlayerId| {
        let view = world.guests[eye].client.view().expect("a spectator sees");
        G::KINDS.iter().zip(view.rows.tables()).any(|(kind, table)| {
            let owner = kind.field_with(shared::wire::Role::Owner);
            kind.leads() > 0
                && table.iter().any(|(_, row)| row[owner.expect("owned")] == i32::from(player.0))
        })
    };
    let me = world.guests[one].client.me().expect("let in");
    let watch = |world: &mut World<G>, look| {
        world.guests[eye].client.say(&ClientMessage::Look(look));
        world.run(1000.0);
    };
    watch(&mut world, Look::Player(me));
    let alive = |world: &World<G>| world.guests[one].client.predicted().is_some();
    assert!(!alive(&world) || sees(&world, me), "whom they follow");
    // The far corner, where nobody is; nor is anything shown from elsewhere, see `assert_honest`.
    watch(&mut world, Look::Place { x: 1 << 20, y: 1 << 20 });
    assert!(!sees(&world, me));
    watch(&mut world, Look::Leader);
    // Who watches has nothing in the world, and nothing private of anybody's.
    let own = world.guests[eye].client.me().expect("let in");
    assert!(!sees(&world, own));
    world.guests[eye].client.say(&ClientMessage::Watch(false));
    world.run(1500.0);
    assert!(!world.guests[eye].entry().watching && sees(&world, own));
    // Now both seats are taken, and the place to watch is free.
    let third = world.join_as("third", LINE, |hello| hello.watch = true);
    world.run(500.0);
    world.guests[third].client.say(&ClientMessage::Watch(false));
    world.run(500.0);
    assert!(world.guests[third].entry().watching);
    assert!(world.guests[third].lines().iter().any(|(_, text)| text.contains("seats")));
    world.guests[one].client.say(&ClientMessage::Watch(true));
    world.run(500.0);
    assert!(!world.guests[one].entry().watching, "the only place is taken");
    world.leave(third);
    world.run(500.0);
    world.guests[one].client.say(&ClientMessage::Watch(true));
    world.run(1500.0);
    assert!(world.guests[one].entry().watching);
    assert_honest(&world);
}

fn what_spectators_see_is_late_when_the_session_wants_it<G: Game>() {
    const DELAY_S: u32 = 3;
    let config = SessionConfig { spectator_delay_s: DELAY_S, round_s: 20, ..config::<G>(63) };
    let mut world = World::<G>::open(config);
    world.join("one", LINE);
    let eye = world.join_as("eye", LINE, |hello| hello.watch = true);
    world.guests[eye].plays = false;
    // Through a warm-up, a round, its results and into the next one.
    let ticks: u32 = 30 * (8 + 20 + 12 + 8);
    let mut truth = std::collections::BTreeMap::new();
    while world.session.tick_now() < ticks {
        world.run(1000.0 / 30.0);
        let tick = world.session.tick_now();
        let mut rows = world.session.world().now().clone();
        for (kind, _) in G::KINDS.iter().enumerate().filter(|(_, spec)| spec.private) {
            rows.table_mut(kind).clear();
        }
        truth.insert(tick, rows);
        let Some(then) = tick.checked_sub(30 * DELAY_S).and_then(|then| truth.get(&then)) else {
            continue;
        };
        assert_eq!(world.session.shown_to_spectators().now(), then, "at tick {tick}");
    }
    assert_honest(&world);
    let stats = world.guests[eye].client.stats();
    assert_eq!((stats.mismatches, stats.refused), (0, 0));
    assert!(world.guests[eye].verified > u64::from(ticks) / 2, "{}", world.guests[eye].verified);
    // They are told as late as they see it.
    let end = |guest: usize| -> Vec<u32> {
        world.guests[guest].phases().iter().filter_map(|phase| phase.2).collect()
    };
    let (player, spectator) = (end(0), end(eye));
    let later: Vec<_> = player.iter().map(|end| end + 30 * DELAY_S).collect();
    let common = spectator.len().min(later.len());
    assert!(common >= 3, "{player:?} {spectator:?}");
    assert_eq!(spectator[spectator.len() - 3..], later[later.len() - 3..]);
}
