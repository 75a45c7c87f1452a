//! From an input to the frame that confirms it, over loopback.

use super::Wanted;
use super::measured::{Measured, measure_at};
use super::stand::Stand;
use super::table::{Table, spread};
use anyhow::Result;

const PLAYERS: u32 = 500;
/// Bots per second: they all are there at once, as the bots' report is of the whole run.
const RAMP: u32 = 500;

pub(super) fn run(wanted: &Wanted) -> Result<Table> {
    let players = wanted.at_most(PLAYERS);
    let mut runs = Vec::new();
    for _ in 0..wanted.runs {
        let stand = Stand::with_world(false, players)?;
        runs.push(measure_at(&stand, players, RAMP, wanted.window(), &wanted.load_flags())?);
    }
    let sentence = format!(
        "{players} bots in one world made for as many; medians over the seconds of a run, of {} runs of {} s; a tick is \
         33.3 ms.",
        wanted.runs, wanted.seconds
    );
    let columns = ["", "median", "lowest to highest"];
    let mut table = Table::new("Input to frame", &sentence, &columns);
    let mut row = |name: &str, of: &dyn Fn(&Measured) -> f64| {
        table.row(&spread(name, runs.iter().map(of).collect()));
    };
    row("input to the frame that confirms it, p50, ms (to reach: 36.3)", &|run| {
        run.over_time("/input_to_frame_ms/p50")
    });
    row("p99, ms (to reach: 66.7)", &|run| run.over_time("/input_to_frame_ms/p99"));
    row("age of frames, p50, ms", &|run| run.over_time("/frame_age_ms/p50"));
    row("p99, ms", &|run| run.over_time("/frame_age_ms/p99"));
    row("bots wake up late by, p99, ms", &|run| run.over_time("/tick_lateness_ms/p99"));
    row("server, of its core, %", &|run| 100.0 * run.server_share);
    row("bots, of theirs, %", &|run| 100.0 * run.load_share);
    Ok(table.note(&super::measured::remarks(&runs)))
}
