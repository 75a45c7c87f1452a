//! A server's machine that stands still for a while, as virtual machines, laptops and crowded hosts do, while its players
//! go on: what is late is dropped, and everybody's clocks are put back by as much, so that all is as before at once.

use shared::arena::Arena;
use shared::netcode::client::Stats;
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
