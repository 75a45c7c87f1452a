//! The engine, with each game, over a network in memory.

use shared::game::Game;
use tests::buoys::Buoys;
use tests::network::Line;
use tests::world::World;

/// Frames are exact on any line, and prediction follows; over a clean one nobody asks for keyframes.
fn plays_exactly<G: Game>(seed: u64, line: Line) {
    let mut world = World::<G>::new(seed, 20);
    for n in 0..10 {
        world.join(&format!("guest {n}"), line);
    }
    world.run(20_000.0);
    for guest in &world.guests {
        let stats = guest.client.stats();
        assert!(guest.outbox.closed().is_none(), "{:?}", guest.outbox.closed());
        assert!(guest.verified > 400, "seed {seed}: {} frames, {stats:?}", guest.verified);
        assert_eq!((stats.mismatches, stats.refused), (0, 0), "seed {seed}: {stats:?}");
        println!("{stats:?}");
    }
    println!("{:?}", world.session.counts());
}

#[test]
fn buoys_over_a_clean_line() {
    plays_exactly::<Buoys>(1, Line::round_trip(30.0, 0.0));
}

#[test]
fn buoys_over_a_bad_line() {
    let line = Line { stall_every_ms: 3000.0, stall_ms: 400.0, ..Line::round_trip(150.0, 40.0) };
    plays_exactly::<Buoys>(2, line);
}
