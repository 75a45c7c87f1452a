//! In steady state a tick asks for no memory for a player: what a session allocates is counted while it does
//! again what it did in a lively game.

use allocation_counter::{AllocationInfo, measure};
use tests::hot_path::{Replay, Script};

/// Ticks until every list has the size that it keeps.
const WARM_UP_TICKS: u32 = 120;
/// Ticks that are measured.
const TICKS: u32 = 120;

fn allocations(ships: u16) {
    let script = Script::record(ships, WARM_UP_TICKS + TICKS);
    let mut replay = Replay::new(&script);
    let (mut ticks, mut inputs) = (AllocationInfo::default(), AllocationInfo::default());
    let mut most = 0;
    for tick in 1..=WARM_UP_TICKS + TICKS {
        let of_tick = measure(|| replay.tick());
        let of_inputs = measure(|| replay.hear());
        if tick > WARM_UP_TICKS {
            ticks += of_tick;
            inputs += of_inputs;
            most = most.max(of_tick.count_total);
        }
    }
    println!("{ships} {} {} {} {:?}", ticks.count_total, most, inputs.count_total, ticks);
    let (frames, bytes) = script.frames();
    println!("{frames} {bytes} {:?}", replay.counts());
}

#[test]
fn a_tick_allocates_nothing_per_player() {
    allocations(50);
    allocations(200);
}
