//! The engine, with each game, over a network in memory: the server's real session and the real client.

use server::session::interest::Interest;
use shared::game::{Game, PlayerId, Setup};
use shared::netcode::client::News;
use shared::netcode::conditions::Conditions;
use shared::netcode::frame::{Changes, PAST_TICKS, Step};
use shared::wire::close::CloseCode;
use shared::wire::message::{self, ClientMessage, ServerMessage};
use tests::guest::Steps;
use tests::story::{assert_honest, assert_truthful, crowd};
use tests::world::World;
use tests::{Lonely, with_every_game};

with_every_game! {
    frames_are_exact_on_a_clean_line,
    frames_are_exact_on_a_bad_line,
    frames_are_exact_while_people_come_and_go,
    a_flipped_bit_heals,
    who_reads_nothing_is_shut_out_and_nobody_else_notices,
    a_full_outbox_costs_frames_and_nothing_else,
    the_past_goes_back_as_far_as_somebody_lacks_it,
    prediction_is_exact_without_outside_influence,
    nothing_is_drawn_with_a_jump,
    everybody_is_told_who_is_there,
    what_is_said_is_heard_and_floods_are_not,
    computer_pilots_make_room,
    a_late_joiner_is_turned_away_when_all_seats_are_taken,
}

fn awful() -> Conditions {
    Conditions { stall_every_ms: 3000.0, stall_ms: 400.0, ..Conditions::round_trip(150.0, 40.0) }
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
        assert!(stats.frames > 560, "every tick comes, if late: {stats:?}");
        assert!(guest.verified > 200, "{} messages, {stats:?}", guest.verified);
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
    let (before, refused) = (world.guests[0].verified, stats.refused);
    world.run(2000.0);
    assert_truthful(&world);
    assert!(world.guests[0].verified > before + 50);
    let stats = world.guests[0].client.stats();
    assert!(stats.refused == refused && refused < 10, "until the keyframe came: {stats:?}");
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

fn the_past_goes_back_as_far_as_somebody_lacks_it<G: Game>() {
    let setup = Setup::new(G::Settings::default(), 5, 30);
    let rules = G::rules(&setup).expect("settings that make sense");
    let (mut game, mut changes) = (G::new(&setup, &rules, 5), Changes::new(G::KINDS));
    let mut interest = Interest::new(G::KINDS);
    game.join(&rules, PlayerId(0), 0);
    let (player, view) = (PlayerId(0), game.view(PlayerId(0)));
    // What a session may say: from one tick to the next somebody lacks one more at most.
    let lacking = (0..3).chain([0, 0, 1, 2, 1, 2, 3, 0]).chain(0..40).chain([3, 1, 0]);
    for (tick, lacking) in (1..).zip(lacking) {
        changes.advance::<G>((tick, lacking), &rules, |rows| game.publish(rows));
        interest.rebuild(&changes);
        assert_eq!((changes.tick(), changes.past_ticks()), (tick, lacking.min(PAST_TICKS)));
        for ago in 1..=changes.past_ticks() {
            assert_eq!(changes.step_ago(ago).map(Step::tick), Some(tick - ago as u32));
            interest.sight_ago(ago, player, view);
        }
        assert!(changes.step_ago(changes.past_ticks() + 1).is_none(), "no more than is lacking");
    }
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
        // Most of 2400 pictures have the ship, and somebody near: where nothing is drawn nothing jumps.
        assert!(steps.own_pictures > 1200 && steps.others_pictures > 1200, "{steps:?}");
        assert!(steps.own > 1.0 && steps.others > 1.0, "{round_trip} ms: {steps:?}");
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
            News::Said(ServerMessage::Roster { everybody, joined, left }) => {
                if *everybody {
                    names.clear();
                }
                names.extend(joined.iter().map(|e| (e.player, (e.name.clone(), e.computer))));
                left.iter().for_each(|id| {
                    names.remove(id);
                });
            }
            News::Said(ServerMessage::Standings { rank: r, players, best, .. }) => {
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
        world.guests[0].client.chat(&format!("line {n}"), false);
    }
    world.run(500.0);
    let heard = |world: &World<G>, who: usize| -> Vec<String> {
        let lines = world.guests[who].news.iter().filter_map(|news| match news {
            News::Said(ServerMessage::Chat { text, .. }) => Some(text.clone()),
            _ => None,
        });
        lines.collect()
    };
    assert_eq!(heard(&world, 1), ["line 0", "line 1", "line 2", "line 3", "line 4"]);
    assert!(heard(&world, 0).iter().any(|line| line.starts_with("Slow down")));
    for n in 0..20 {
        world.guests[0].client.chat(&format!("flood {n}"), false);
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
    assert_eq!(code, CloseCode::SessionFull);
    assert!(reason.contains("2 seats"), "{reason}");
    assert_eq!(world.session.players(), 2);
}
