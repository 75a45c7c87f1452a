//! In steady state a tick asks for no memory for a player: what a session allocates is counted while it does
//! again what it did in a lively game.

use allocation_counter::{AllocationInfo, measure};
use tests::hot_path::{Replay, Script};

/// Ticks until every list has about the size that it keeps.
const WARM_UP_TICKS: u32 = 360;
/// Ticks that are measured.
const TICKS: u32 = 120;
const PLAYERS: u16 = 200;
/// Allocations per tick, for all players together: chunks of 4 KiB that messages are cut from,
/// and now and then a list that is longer than ever before. It was some fifty when
/// standings were made anew for each player.
const PER_TICK_MAX: u64 = 1;

#[test]
fn a_tick_allocates_nothing_per_player() {
    let script = Script::record(PLAYERS, WARM_UP_TICKS + TICKS);
    let mut replay = Replay::new(&script);
    let (mut ticks, mut inputs) = (AllocationInfo::default(), AllocationInfo::default());
    let mut before = replay.counts();
    while replay.goes_on() {
        let of_tick = measure(|| replay.tick());
        let of_inputs = measure(|| replay.hear());
        if replay.now() == WARM_UP_TICKS {
            before = replay.counts();
        } else if replay.now() > WARM_UP_TICKS {
            ticks += of_tick;
            inputs += of_inputs;
        }
    }
    let counts = replay.counts();
    let all = u64::from(TICKS) * u64::from(PLAYERS);
    assert_eq!(counts.frames - before.frames, all, "everybody had a frame in every tick");
    assert_eq!(counts.inputs_used - before.inputs_used, all, "and an input");
    assert!(counts.told_bytes > before.told_bytes, "people were told something");
    assert_eq!((counts.frames, counts.frame_bytes), script.frames(), "as it was recorded");
    assert_eq!(inputs.count_total, 0, "an input is taken without memory of its own");
    let each = ticks.count_total as f64 / f64::from(TICKS);
    println!("{each:.2} allocations per tick of {PLAYERS} players");
    assert!(ticks.count_total <= PER_TICK_MAX * u64::from(TICKS), "{each} allocations per tick");
}
