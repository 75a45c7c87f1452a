//! The engine, with each game, over a network in memory: the server's real session and the real client.

use server::session::SEAT_GRACE_SECONDS;
use shared::arena::Arena;
use shared::game::{Game, PlayerId};
use shared::netcode::client::News;
use shared::netcode::conditions::Conditions;
use shared::wire::Role;
use shared::wire::close::CloseCode;
use shared::wire::message::{self, ClientMessage};
use tests::Lonely;
use tests::buoys::Buoys;
use tests::world::{Steps, World};

/// Runs every story with every game.
macro_rules! with_every_game {
    ($($story:ident),* $(,)?) => {
        mod buoys { $(#[test] fn $story() { super::$story::<super::Buoys>(); })* }
        mod arena { $(#[test] fn $story() { super::$story::<super::Arena>(); })* }
    };
}

with_every_game! {
    frames_are_exact_on_a_clean_line,
    frames_are_exact_on_a_bad_line,
    frames_are_exact_while_people_come_and_go,
    a_flipped_bit_heals,
    who_reads_nothing_is_shut_out_and_nobody_else_notices,
    a_full_outbox_costs_frames_and_nothing_else,
    prediction_is_exact_without_outside_influence,
    nothing_is_drawn_with_a_jump,
    everybody_is_told_who_is_there,
    what_is_said_is_heard_and_floods_are_not,
    computer_pilots_make_room,
    a_short_visit_keeps_no_seat_for_long,
    a_late_joiner_is_turned_away_when_all_seats_are_taken,
    who_loses_the_line_comes_back_to_the_same_seat,
    who_is_away_keeps_everything_though_no_seat_is_free,
    a_kept_seat_is_taken_until_its_time_is_over,
    who_says_goodbye_frees_the_seat_at_once,
    the_same_seat_from_another_connection_ends_the_older_one,
    a_stolen_token_that_was_used_gets_a_new_seat,
}

fn awful() -> Conditions {
    Conditions { stall_every_ms: 3000.0, stall_ms: 400.0, ..Conditions::round_trip(150.0, 40.0) }
}

/// Everything that must hold for every guest in every story.
fn assert_honest<G: Game>(world: &World<G>) {
    for (n, guest) in world.guests.iter().enumerate() {
        assert_eq!(guest.wrong, Vec::<String>::new(), "guest {n}");
        assert_eq!(guest.leaked, Vec::<String>::new(), "guest {n}");
    }
}

fn crowd<G: Game>(seed: u64, line: Conditions, guests: usize, pilots: usize) -> World<G> {
    let mut world = World::<G>::new(seed, pilots);
    for n in 0..guests {
        world.join(&format!("guest {n}"), line);
    }
    world
}

fn frames_are_exact_on_a_clean_line<G: Game>() {
    let mut world = crowd::<G>(1, Conditions::round_trip(30.0, 0.0), 10, 20);
    world.run(20_000.0);
    assert_honest(&world);
    for guest in &world.guests {
        let stats = guest.client.stats();
        assert!(guest.verified > 590, "{} frames, {stats:?}", guest.verified);
        assert_eq!((stats.keyframes, stats.refused, stats.late_inputs), (1, 0, 0), "{stats:?}");
    }
}

fn frames_are_exact_on_a_bad_line<G: Game>() {
    let mut world = crowd::<G>(2, awful(), 10, 20);
    world.run(20_000.0);
    assert_honest(&world);
    for guest in &world.guests {
        let stats = guest.client.stats();
        assert!(guest.verified > 400, "{} frames, {stats:?}", guest.verified);
        assert_eq!((stats.mismatches, stats.refused), (0, 0), "{stats:?}");
        assert!(guest.outbox.closed().is_none());
    }
}

fn frames_are_exact_while_people_come_and_go<G: Game>() {
    let mut world = crowd::<G>(3, Conditions::round_trip(80.0, 10.0), 4, 12);
    for round in 0..30 {
        world.run(300.0);
        world.join(&format!("late {round}"), Conditions::round_trip(50.0, 20.0));
        if round % 2 == 0 {
            world.leave(round / 2);
        }
    }
    world.run(1000.0);
    assert_honest(&world);
    let verified: u64 = world.guests.iter().map(|g| g.verified).sum();
    assert!(verified > 2000, "{verified}");
}

fn a_flipped_bit_heals<G: Game>() {
    let mut world = crowd::<G>(4, Conditions::round_trip(60.0, 5.0), 2, 10);
    world.run(3000.0);
    world.guests[0].records = true;
    let mut flipped = (0, 0, 0);
    world.guests[0].client.corrupt(|rows| {
        // A field of the own steered entity that stays as it is unless somebody interferes.
        let kind = (0..G::KINDS.len()).find(|&k| G::KINDS[k].leads() > 0).expect("a ship");
        let field = G::KINDS[kind].fields.len() - 2;
        flipped = (kind as u8, rows.table(kind).ids()[0], field as u8);
        rows.table_mut(kind).row_mut(0)[field] ^= 1;
    });
    world.run(2500.0);
    let stats = world.guests[0].client.stats();
    assert_eq!((stats.mismatches, stats.resyncs, stats.keyframes), (1, 1, 2), "{stats:?}");
    assert_eq!(world.session.counts().mismatches, 1);
    let told = world.guests[0].said.iter().filter_map(|said| match message::decode(&said[1..]) {
        Ok(ClientMessage::Mismatch { difference: d, .. }) if said[0] == message::TYPE => {
            Some((d.kind, d.id, d.field))
        }
        _ => None,
    });
    let told: Vec<_> = told.collect();
    assert!(told.contains(&flipped), "{flipped:?} was wrong, and {told:?} was told");
    assert_eq!(world.session.counts().wrong_fields, told.len() as u64);
    world.guests[0].wrong.clear();
    let before = world.guests[0].verified;
    world.run(2000.0);
    assert_honest(&world);
    assert!(world.guests[0].verified > before + 50);
    assert!(world.guests[0].outbox.closed().is_none(), "it heals without a new connection");
}

fn who_reads_nothing_is_shut_out_and_nobody_else_notices<G: Game>() {
    let mut world = crowd::<G>(5, Conditions::round_trip(40.0, 0.0), 6, 6);
    world.run(2000.0);
    world.guests[0].reads = false;
    world.run(5000.0);
    let stuck = world.guests[0].backlog();
    world.run(4000.0);
    let piled = world.guests[0].backlog() - stuck;
    assert!(piled < 40, "only answers to its own pings pile up: {piled} bytes");
    assert!(world.guests[0].outbox.closed().is_none(), "patience");
    world.run(4000.0);
    let (code, _) = world.guests[0].outbox.closed().expect("shut out");
    assert_eq!(code, CloseCode::Unresponsive);
    assert_eq!(
        (world.session.players(), world.session.away()),
        (6, 1),
        "a dead line keeps the seat"
    );
    assert_honest(&world);
    for guest in &world.guests[1..] {
        assert_eq!(guest.client.stats().keyframes, 1);
        assert!(guest.verified > 440);
    }
}

fn a_full_outbox_costs_frames_and_nothing_else<G: Game>() {
    let mut world = crowd::<G>(6, Conditions::round_trip(40.0, 0.0), 2, 6);
    for _ in 0..10 {
        world.run(700.0);
        world.guests[0].outbox.set_full(true);
        world.run(300.0);
        world.guests[0].outbox.set_full(false);
    }
    world.run(1000.0);
    assert_honest(&world);
    let stats = world.guests[0].client.stats();
    assert_eq!((stats.mismatches, stats.refused, stats.resyncs), (0, 0, 0), "{stats:?}");
    assert_eq!(stats.keyframes, 1, "gaps of nine ticks are caught up on: {stats:?}");
    assert!(stats.frames > 325, "every tick came: {stats:?}");
}

fn prediction_is_exact_without_outside_influence<G: Lonely>() {
    let mut world = World::<G>::with_settings(7, 0, 1, G::lonely());
    world.join("hermit", Conditions::round_trip(150.0, 30.0));
    world.run(3000.0);
    let before = world.guests[0].client.stats();
    world.run(600_000.0);
    let after = world.guests[0].client.stats();
    assert_eq!(before.late_inputs, after.late_inputs, "the clock keeps inputs in time");
    assert_eq!(before.corrections, after.corrections, "{after:?}");
    assert!(after.frames > before.frames + 17_900);
    assert_honest(&world);
}

/// Between two pictures, at 120 a second, the own ship never moves further than this, in units; a correction
/// adds no more than half a ship's radius.
const OWN_STEP_UNITS_MAX: f32 = 9.0;
/// The same of others: on long lines more about them is guessed.
const OTHERS_STEP_UNITS_MAX: f32 = 16.0;

fn nothing_is_drawn_with_a_jump<G: Game>() {
    for (round_trip, jitter) in [(0.0, 0.0), (80.0, 10.0), (150.0, 30.0), (250.0, 60.0)] {
        let mut world = crowd::<G>(8, Conditions::round_trip(round_trip, jitter), 1, 20);
        world.run(4000.0);
        world.guests[0].steps = Steps::default();
        world.run(20_000.0);
        let steps = world.guests[0].steps;
        println!("{round_trip} ms: {steps:?}");
        // At full speed a ship moves five units between two pictures.
        assert!(steps.own < OWN_STEP_UNITS_MAX, "{round_trip} ms: {steps:?}");
        assert!(steps.others < OTHERS_STEP_UNITS_MAX, "{round_trip} ms: {steps:?}");
    }
}

fn everybody_is_told_who_is_there<G: Game>() {
    let mut world = crowd::<G>(9, Conditions::round_trip(20.0, 0.0), 3, 5);
    world.run(3000.0);
    world.leave(2);
    world.run(500.0);
    let (mut names, mut rank) = (std::collections::BTreeMap::new(), None);
    for news in &world.guests[0].news {
        match news {
            News::Roster { everybody, joined, left } => {
                if *everybody {
                    names.clear();
                }
                names.extend(joined.iter().map(|e| (e.player, (e.name.clone(), e.computer))));
                left.iter().for_each(|id| {
                    names.remove(id);
                });
            }
            News::Standings { rank: r, players, best, .. } => {
                rank = Some(*r);
                assert!(usize::from(*players) >= best.len());
                assert!(best.is_sorted_by(|a, b| a.1 >= b.1));
            }
            _ => {}
        }
    }
    let people: Vec<_> = names.values().filter(|n| !n.1).map(|n| n.0.as_str()).collect();
    assert_eq!(people, ["guest 0", "guest 1"]);
    assert_eq!(names.len(), 5, "pilots fill up: {names:?}");
    assert!(rank.is_some_and(|r| (1..=5).contains(&r)), "{rank:?}");
}

fn what_is_said_is_heard_and_floods_are_not<G: Game>() {
    let mut world = crowd::<G>(10, Conditions::round_trip(20.0, 0.0), 2, 0);
    world.run(500.0);
    for n in 0..9 {
        world.guests[0].client.chat(&format!("line {n}"));
    }
    world.run(500.0);
    let heard = |world: &World<G>, who: usize| -> Vec<String> {
        let lines = world.guests[who].news.iter().filter_map(|news| match news {
            News::Chat { text, .. } => Some(text.clone()),
            _ => None,
        });
        lines.collect()
    };
    assert_eq!(heard(&world, 1), ["line 0", "line 1", "line 2", "line 3", "line 4"]);
    assert!(heard(&world, 0).iter().any(|line| line.starts_with("Slow down")));
    for n in 0..20 {
        world.guests[0].client.chat(&format!("flood {n}"));
    }
    world.run(500.0);
    let (code, _) = world.guests[0].outbox.closed().expect("shown out");
    assert_eq!(code, CloseCode::Kicked);
}

fn computer_pilots_make_room<G: Game>() {
    let mut world = crowd::<G>(11, Conditions::round_trip(20.0, 0.0), 0, 4);
    world.run(200.0);
    assert_eq!((world.session.players(), world.session.pilots()), (0, 4));
    for n in 0..6 {
        world.join(&format!("guest {n}"), Conditions::default());
        world.run(200.0);
        assert_eq!(world.session.pilots(), 4usize.saturating_sub(n + 1));
    }
    (0..6).for_each(|n| world.leave(n));
    world.run(200.0);
    assert_eq!((world.session.players(), world.session.pilots()), (0, 4));
}

fn a_late_joiner_is_turned_away_when_all_seats_are_taken<G: Game>() {
    let mut world = World::<G>::with_seats(12, 0, 2);
    for n in 0..3 {
        world.join(&format!("guest {n}"), Conditions::default());
    }
    world.run(500.0);
    let (code, reason) = world.guests[2].outbox.closed().expect("turned away");
    assert_eq!(code, CloseCode::TryLater);
    assert!(reason.contains("2 seats"), "{reason}");
    assert_eq!(world.session.players(), 2);
}

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
        News::Welcome { player, name } => Some((*player, name.clone())),
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
        let News::Roster { left, .. } = news else { continue };
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
    assert_eq!(code, CloseCode::TryLater);
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
    assert_eq!(code, CloseCode::TryLater);
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
        world.guests[1].client.chat(&format!("flood {n}"));
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
