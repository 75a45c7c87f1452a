//! A server's machine that stands still for a while, as virtual machines, laptops and crowded hosts do, while its players
//! go on: what is late is dropped, and everybody's clocks are put back by as much, so that all is as before at once.

use shared::arena::Arena;
use shared::netcode::client::{Overdue, Stats};
use shared::netcode::conditions::Conditions;
use tests::world::World;

const ROUND_TRIP_MS: f64 = 80.0;
const LINE: Conditions = Conditions::round_trip(ROUND_TRIP_MS, 4.0);
const TICK_MS: f64 = 1000.0 / 30.0;

/// Somebody among pilots whose clocks have settled.
fn settled(seed: u64) -> World<Arena> {
    let mut world = World::<Arena>::new(seed, 12);
    world.join("guest", LINE);
    world.run(6_000.0);
    world
}

fn stats(world: &World<Arena>) -> Stats {
    world.guests[0].client.stats()
}

/// By how many ticks the guest's inputs are ahead of the session.
fn ahead(world: &World<Arena>) -> f64 {
    let (tick, _) = world.guests[0].client.predicted().expect("a ship");
    f64::from(tick) - f64::from(world.session.tick_now())
}

/// The times from input to frame since the last call, in ms.
fn confirmations(world: &mut World<Arena>) -> Vec<f64> {
    std::iter::from_fn(|| world.guests[0].client.confirmation()).collect()
}

#[test]
fn after_a_pause_all_is_as_before_at_once() {
    for seed in 1..=4 {
        let mut world = settled(seed);
        let (before, lead) = (stats(&world), ahead(&world));
        let usual = confirmations(&mut world).into_iter().fold(0.0, f64::max);

        world.stand_still(1_000.0);
        world.run(980.0);
        assert!(ahead(&world) > lead + 25.0, "the guest knows nothing of it yet");
        // The news take half a round trip, and what is done about them another half.
        world.run(20.0 + ROUND_TRIP_MS + 3.0 * TICK_MS);
        assert!((24..=26).contains(&world.dropped), "{}", world.dropped);
        confirmations(&mut world);
        world.run(500.0);

        let now = stats(&world);
        let alike = |what: &str, before: f64, now: f64| {
            assert!(
                (before - now).abs() < 1.5 * TICK_MS,
                "seed {seed}, {what}: {before} and {now} ms"
            );
        };
        alike("frame age", before.frame_age_ms, now.frame_age_ms);
        alike("input margin", before.input_margin_ms, now.input_margin_ms);
        alike("playback", before.playback_delay_ms, now.playback_delay_ms);
        assert!((ahead(&world) - lead).abs() < 2.0, "{lead} and {} ticks", ahead(&world));
        let took = confirmations(&mut world);
        assert!(took.len() >= 10, "{took:?}");
        let most = took.into_iter().fold(0.0, f64::max);
        assert!(most < usual + TICK_MS, "seed {seed}: {usual} and {most} ms from input to frame");
        assert_eq!((&world.guests[0].wrong, now.mismatches), (&Vec::new(), 0));
    }
}

/// Whoever stops listening to a server that stands still counts what has not come.
#[test]
fn what_does_not_come_is_overdue() {
    for seed in 1..=4 {
        let mut world = settled(seed);
        for _ in 0..60 {
            world.run(17.0);
            let overdue = world.guests[0].client.overdue(world.now);
            assert_eq!(overdue, Overdue::default(), "seed {seed}: all comes as usual");
        }
        world.stand_still(9_000.0);
        world.run(6_000.0);
        let overdue = world.guests[0].client.overdue(world.now);
        // What was under way came still.
        let missing = overdue.frames_ms.len();
        assert!((176..=181).contains(&missing), "seed {seed}: {missing} frames");
        assert!((5_900.0..=6_070.0).contains(&overdue.frames_ms[0]), "{overdue:?}");
        let inputs = overdue.inputs_ms.len();
        // Whose pings are not answered sends fewer inputs.
        assert!((60..=missing).contains(&inputs), "seed {seed}: {inputs} inputs");
        assert!(overdue.inputs_ms[0] > overdue.frames_ms[0] + ROUND_TRIP_MS / 2.0);
        for times in [&overdue.frames_ms, &overdue.inputs_ms] {
            assert!(times.is_sorted_by(|a, b| a > b), "seed {seed}: {times:?}");
        }
        let ping = overdue.ping_ms.expect("it was asked once a second");
        assert!((4_900.0..=6_100.0).contains(&ping), "seed {seed}: {ping} ms");
    }
}

/// A server that is too slow drops a little again and again: clocks follow, and the line is not blamed.
#[test]
fn clocks_follow_a_server_that_is_too_slow() {
    let mut world = settled(7);
    let (before, lead) = (stats(&world), ahead(&world));
    for _ in 0..20 {
        world.stand_still(300.0);
        world.run(600.0);
    }
    assert!(world.dropped >= 60, "{}", world.dropped);
    world.run(300.0);
    let now = stats(&world);
    assert!(now.frame_age_ms < before.frame_age_ms + 2.0 * TICK_MS, "{}", now.frame_age_ms);
    assert!((ahead(&world) - lead).abs() < 4.0, "{lead} and {} ticks", ahead(&world));
    assert_eq!((now.input_every, now.mismatches), (1, 0));
    assert!(world.guests[0].wrong.is_empty());
}
