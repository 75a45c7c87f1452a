//! Lines that carry less than the stream, or nothing for a while: how old what the player has gets, what
//! waits on the way, and how soon all is well again. With `--nocapture` they tell their figures.

use shared::arena::{Arena, Settings};
use shared::netcode::conditions::Conditions;
use tests::world::World;

const PILOTS: usize = 40;
const ROUND_TRIP_MS: f64 = 80.0;
const LINE: Conditions = Conditions::round_trip(ROUND_TRIP_MS, 5.0);
/// The time between two looks at the guest, in ms.
const LOOK_MS: f64 = 1000.0 / 60.0;

/// One guest among pilots in a small arena.
fn busy(seed: u64, conditions: Conditions) -> World<Arena> {
    let settings = Settings { size: 2500, ..Settings::default() };
    let mut world = World::<Arena>::with_settings(seed, PILOTS, 100, settings);
    world.join("guest", conditions);
    world
}

/// How old the newest tick is that the guest has, in ms.
fn age(world: &World<Arena>) -> f64 {
    let newest = world.guests[0].client.view().map_or(0, |view| view.tick);
    world.now - f64::from(newest) * 1000.0 / 30.0
}

/// What was seen of a guest for a while.
struct Seen {
    ages: Vec<f64>,
    /// The most bytes on their way to the guest, headers included.
    backlog: usize,
}

impl Seen {
    fn watch(world: &mut World<Arena>, ms: f64) -> Self {
        let end = world.now + ms;
        let mut seen = Self { ages: Vec::new(), backlog: 0 };
        while world.now < end {
            world.run(LOOK_MS);
            seen.ages.push(age(world));
            seen.backlog = seen.backlog.max(world.guests[0].backlog());
        }
        seen.ages.sort_by(f64::total_cmp);
        seen
    }

    fn percentile(&self, share: f64) -> f64 {
        self.ages[((self.ages.len() - 1) as f64 * share) as usize]
    }
}

/// Bytes a second that the stream needs where nothing holds it back, headers included.
fn needed(seed: u64) -> f64 {
    let mut world = busy(seed, LINE);
    world.run(5_000.0);
    let before = world.guests[0].heard_bytes();
    world.run(20_000.0);
    (world.guests[0].heard_bytes() - before) as f64 / 20.0
}

fn assert_exact(world: &World<Arena>) {
    let guest = &world.guests[0];
    assert_eq!((&guest.wrong, &guest.leaked), (&Vec::new(), &Vec::new()));
    assert!(guest.outbox.closed().is_none());
    assert_eq!(guest.client.stats().mismatches, 0);
}

#[test]
fn half_of_the_rate_keeps_the_state_young() {
    let (mut down, mut both_ways) = (Vec::new(), Vec::new());
    for seed in 1..=8 {
        let needed = needed(seed);
        let half = Conditions { bytes_per_second: needed / 2.0, ..LINE };
        for (ways, up, all) in [("down", LINE, &mut down), ("both ways", half, &mut both_ways)] {
            let mut world = busy(seed, up);
            world.guests[0].set_down(half);
            world.run(10_000.0);
            let first = Seen::watch(&mut world, 20_000.0);
            let seen = Seen::watch(&mut world, 40_000.0);
            let given = world.session.given(world.guests[0].client.me().expect("in"));
            println!(
                "half of {needed:.0} B/s {ways}: age p50 {:.0} p99 {:.0} max {:.0} ms, at most {} B under way; {given:?}",
                seen.percentile(0.5),
                seen.percentile(0.99),
                seen.percentile(1.0),
                seen.backlog,
            );
            assert!(seen.backlog < first.backlog + 500, "{} {}", seen.backlog, first.backlog);
            assert!(seen.backlog < 1500, "{}", seen.backlog);
            assert_exact(&world);
            all.extend(seen.ages);
        }
    }
    for (ways, mut ages) in [("down", down), ("both ways", both_ways)] {
        ages.sort_by(f64::total_cmp);
        let all = Seen { ages, backlog: 0 };
        let p99 = all.percentile(0.99);
        println!("all {ways}: age p50 {:.0} p99 {p99:.0} ms", all.percentile(0.5));
        assert!(p99 < 500.0, "{ways}: {p99}");
    }
}

/// Ticks that share a message show an input each, and the oldest of them has waited the longest.
#[test]
fn inputs_of_ticks_that_come_together_count_each() {
    let mut world = busy(1, LINE);
    world.guests[0].set_down(Conditions { bytes_per_second: needed(1) / 2.0, ..LINE });
    world.run(30_000.0);
    while world.guests[0].client.confirmation().is_some() {}
    let before = world.guests[0].client.stats();
    world.run(20_000.0);
    let now = world.guests[0].client.stats();
    let counted = std::iter::from_fn(|| world.guests[0].client.confirmation()).count() as u64;
    assert!(now.together > 1 && now.input_every == 1, "{now:?}");
    let frames = now.frames - before.frames;
    // But for the time that the guest is no ship. The newest of each message would be a quarter.
    assert!(counted > frames / 2, "{counted} inputs in {frames} frames");
}

#[test]
fn a_quarter_of_the_rate_is_borne_and_left_behind() {
    let quarter = Conditions { bytes_per_second: needed(4) / 4.0, ..LINE };
    let mut world = busy(4, LINE);
    world.run(10_000.0);
    world.guests[0].set_down(quarter);
    world.run(20_000.0);
    let seen = Seen::watch(&mut world, 60_000.0);
    println!("a quarter: age p50 {:.0} p99 {:.0} ms", seen.percentile(0.5), seen.percentile(0.99));
    assert!(seen.percentile(0.99) < 1500.0, "{}", seen.percentile(0.99));
    world.guests[0].set_down(LINE);
    world.run(2_000.0);
    assert!(Seen::watch(&mut world, 10_000.0).percentile(0.99) < 500.0);
    let me = world.guests[0].client.me().expect("in");
    let better = world.now;
    while world.session.given(me) != Some((1, 1.0)) {
        world.run(1_000.0);
        assert!(world.now - better < 300_000.0, "all is given again");
    }
    println!("all is given again after {:.0} s", (world.now - better) / 1000.0);
    assert!(Seen::watch(&mut world, 5_000.0).percentile(0.99) < 120.0);
    assert_exact(&world);
}

#[test]
fn after_a_stall_of_two_seconds_the_player_is_current_within_a_round_trip() {
    let mut world = busy(5, LINE);
    world.run(10_000.0);
    let usual = Seen::watch(&mut world, 5_000.0).percentile(0.99);
    for stall in 0..5 {
        let keyframes = world.guests[0].client.stats().keyframes;
        let begins = world.now;
        // Nothing that is sent from now on arrives before the two seconds are over.
        let stalled =
            Conditions { stall_every_ms: begins + 1e9, stall_ms: begins + 2000.0, ..LINE };
        world.guests[0].set_conditions(stalled);
        let over = begins + 2000.0;
        while world.now < over - LOOK_MS {
            world.run(1000.0 / 120.0);
        }
        assert!(age(&world) > 1800.0, "{}", age(&world));
        world.guests[0].set_conditions(LINE);
        while age(&world) > usual + 1.0 {
            world.run(1000.0 / 120.0);
        }
        let took = world.now - over;
        println!("stall {stall}: current after {took:.0} ms");
        assert!(took <= ROUND_TRIP_MS + 100.0, "{took}");
        assert_eq!(world.guests[0].client.stats().keyframes, keyframes + 1);
        world.run(7_000.0 + f64::from(stall) * 10.0);
    }
    assert_exact(&world);
}

#[test]
fn a_short_pause_is_caught_up_on_without_a_keyframe() {
    let mut world = busy(6, LINE);
    world.run(5_000.0);
    for pause in 1..=16 {
        world.guests[0].outbox.set_full(true);
        world.run(f64::from(pause) * 1000.0 / 30.0 - 5.0);
        world.guests[0].outbox.set_full(false);
        world.run(1_500.0);
        assert!(age(&world) < 150.0, "{}", age(&world));
    }
    let stats = world.guests[0].client.stats();
    assert_eq!((stats.keyframes, stats.resyncs, stats.refused), (1, 0, 0), "{stats:?}");
    assert!(world.session.counts().catch_ups >= 16);
    assert_exact(&world);
}

#[test]
fn a_line_that_becomes_long_is_believed() {
    let mut world = busy(7, Conditions::round_trip(5.0, 0.0));
    world.run(10_000.0);
    world.guests[0].set_conditions(Conditions::round_trip(240.0, 20.0));
    world.run(180_000.0);
    let me = world.guests[0].client.me().expect("in");
    assert_eq!(world.session.given(me), Some((1, 1.0)), "no queue is seen where there is none");
    let stats = world.guests[0].client.stats();
    assert!(stats.keyframes < 5 && stats.input_every == 1, "{stats:?}");
    assert_exact(&world);
}
