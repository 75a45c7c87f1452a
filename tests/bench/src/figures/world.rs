//! 1,000 players in one world, for minutes.

use super::Wanted;
use super::look::{JITTER, WORK};
use super::measured::measure_world;
use super::stand::Stand;
use super::table::{Table, ms};
use anyhow::Result;
use std::time::Duration;

const PLAYERS: u32 = 1_000;

pub(super) fn run(wanted: &Wanted) -> Result<Table> {
    let players = wanted.at_most(PLAYERS);
    let stand = Stand::with_world(false, players)?;
    let window = Duration::from_secs(60 * wanted.minutes);
    let run = measure_world(&stand, players, window, &wanted.load_flags())?;
    let sentence = format!(
        "{players} bots that play by the game's brain in one world made for as many, {} minutes, one run.",
        wanted.minutes
    );
    let mut table = Table::new("One world", &sentence, &["", "measured"]);
    table.pair("work of a tick, p50", format!("{} ms", ms(run.work(0.5))));
    table.pair("p99 (to reach: 10 ms)", format!("{} ms", ms(run.work(0.99))));
    table.pair("p99.9", format!("{} ms", ms(run.work(0.999))));
    table.pair("longest, no more than", format!("{} ms", ms(run.told.longest(WORK))));
    table.pair("ticks", run.told.grew("gamekeeper_ticks_total"));
    table.pair("that began so late that more than one was due", run.late());
    table.pair("dropped (to reach: 0)", run.dropped());
    table.pair("a tick begins late by, p99", format!("{} ms", ms(run.jitter(0.99))));
    table.pair("p99.9", format!("{} ms", ms(run.jitter(0.999))));
    table.pair("longest, no more than", format!("{} ms", ms(run.told.longest(JITTER))));
    table
        .pair("server, of its core (to reach: 60 %)", format!("{:.1} %", 100.0 * run.server_share));
    table.pair("bots, of theirs", format!("{:.1} %", 100.0 * run.load_share));
    table.pair("server's memory", format!("{:.1} MB", run.memory as f64 / 1e6));
    let received = run.of_bots("/per_player/received_bytes_per_second");
    table.pair("received per player and second", format!("{received:.0} B"));
    table.pair("checksums that differed", run.of_bots("/totals/mismatches"));
    Ok(table.note(&run.remark()))
}
