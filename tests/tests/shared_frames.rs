//! Frames that are made once and sent to several: the real session and the real clients, who compare every frame with the
//! world.

use server::session::SessionConfig;
use shared::arena::Arena;
use shared::game::Setup;
use shared::netcode::conditions::Conditions;
use tests::buoys::{Buoys, Oars, Waters};
use tests::story::assert_honest;
use tests::world::World;

/// A line on which windows shut now and then.
fn bad() -> Conditions {
    Conditions { stall_every_ms: 3000.0, stall_ms: 400.0, ..Conditions::round_trip(150.0, 40.0) }
}

fn waters(in_full_view: bool) -> World<Buoys> {
    World::with_settings(21, 12, 1000, Waters { in_full_view, ..Waters::default() })
}

#[test]
fn whoever_sees_everything_is_sent_the_same_whenever_they_came() {
    let mut world = waters(true);
    for round in 0..12 {
        world.join(&format!("guest {round}"), Conditions::round_trip(40.0, 5.0));
        world.run(500.0);
        if round % 4 == 3 {
            world.leave(round / 2);
        }
    }
    let before = world.session.counts();
    world.run(10_000.0);
    let after = world.session.counts();
    assert_honest(&world);
    // The first of nine makes it.
    let (frames, copied) =
        (after.frames - before.frames, after.frames_copied - before.frames_copied);
    assert!(frames > 2600 && copied == frames / 9 * 8, "{copied} of {frames}");
    for guest in world.guests.iter().filter(|guest| !guest.gone) {
        let stats = guest.client.stats();
        assert_eq!((stats.keyframes, stats.mismatches, stats.refused), (1, 0, 0), "{stats:?}");
    }
}

#[test]
fn on_bad_lines_frames_are_shared_among_those_who_are_as_far() {
    let mut world = waters(true);
    for guest in 0..8 {
        let line = if guest % 2 == 0 { bad() } else { Conditions::round_trip(30.0, 0.0) };
        world.join(&format!("guest {guest}"), line);
    }
    world.run(20_000.0);
    assert_honest(&world);
    let counts = world.session.counts();
    assert!(counts.catch_ups > 10, "{counts:?}");
    assert!(counts.frames_copied * 4 > counts.frames * 3, "{counts:?}");
    assert!(world.guests.iter().all(|guest| guest.client.stats().mismatches == 0));
}

#[test]
fn where_everybody_sees_something_else_nothing_is_shared() {
    let mut world = waters(false);
    for guest in 0..8 {
        world.join(&format!("guest {guest}"), Conditions::round_trip(30.0, 0.0));
    }
    world.run(5_000.0);
    assert_honest(&world);
    assert_eq!(world.session.counts().frames_copied, 0);
}

#[test]
fn those_who_watch_the_same_player_are_sent_the_same() {
    let setup = Setup::new(Default::default(), 5, 30);
    let mut world = World::<Arena>::open(SessionConfig::new(setup));
    let line = Conditions::round_trip(40.0, 0.0);
    for guest in 0..4 {
        world.join(&format!("player {guest}"), line);
    }
    for guest in 0..12 {
        world.join_as(&format!("eye {guest}"), line, |hello| hello.watch = true);
    }
    world.run(20_000.0);
    assert_honest(&world);
    let counts = world.session.counts();
    // Of sixteen frames a tick eleven are copies, once spectators are shown something.
    assert!(counts.frames_copied * 16 > counts.frames * 10, "{counts:?}");
}

#[test]
fn who_watches_the_past_is_not_sent_the_present_nor_the_other_way_round() {
    let setup = Setup::new(Waters { in_full_view: true, ..Waters::default() }, 5, 30);
    let config = SessionConfig { spectator_delay_s: 1, ..SessionConfig::new(setup) };
    let mut world = World::<Buoys>::open(config);
    // In turns, so that of either world some are served before any of the other.
    for guest in 0..8 {
        let (watches, line) = (guest % 2 == 0, Conditions::round_trip(40.0, 0.0));
        world.join_as(&format!("guest {guest}"), line, |hello| hello.watch = watches);
        world.guests[guest].plays = false;
    }
    // They only row, each time another way: who is there stays the same, so that both worlds have the same slots.
    for turn in 0..60_i32 {
        for (guest, number) in world.guests.iter_mut().zip(0..) {
            guest.client.set_input(Oars { helm: (turn * 37 + number * 61) % 256, pull: 1 });
        }
        world.run(250.0);
    }
    assert_honest(&world);
    let counts = world.session.counts();
    // Of the four who watch three are sent a copy, and never the fourth. Of those who play all are: what is kept to be seen
    // later is all of the world, which is just what they see.
    let share = counts.frames_copied as f64 / counts.frames as f64;
    assert!((0.8..=0.875).contains(&share), "{counts:?}");
    for guest in &world.guests {
        let stats = guest.client.stats();
        assert_eq!((stats.mismatches, stats.refused), (0, 0), "{stats:?}");
    }
}
