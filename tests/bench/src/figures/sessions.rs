//! 250 sessions of eight players each.

use super::Wanted;
use super::measured::{Measured, measure};
use super::metronome::{self, Late};
use super::stand::Stand;
use super::table::{Table, ms};
use anyhow::Result;

const SESSIONS: u32 = 250;
const PLAYERS_EACH: u32 = 8;
/// Ticks per second of each.
const TICK_RATE: u32 = 30;

pub(super) fn run(wanted: &Wanted) -> Result<Table> {
    let sessions = wanted.at_most(SESSIONS * PLAYERS_EACH) / PLAYERS_EACH;
    let (mut runs, mut beats) = (Vec::new(), Vec::new());
    for _ in 0..wanted.runs {
        let run = one(wanted, sessions)?;
        // In turns, as what else the machine has to do comes and goes.
        let (ticks, seconds) = (sessions * TICK_RATE, run.seconds as u32);
        let shares = (run.server_share, run.load_share);
        beats.push(metronome::listen_to(ticks, shares, seconds)?);
        runs.push(run);
    }
    let sentence = format!(
        "{sessions} sessions, each with a loop of its own and {PLAYERS_EACH} bots that play by the game's brain; {} \
         runs of {} s.",
        wanted.runs, wanted.seconds
    );
    let columns = ["", "median", "lowest to highest"];
    let mut table = Table::new("Many sessions", &sentence, &columns);
    let mut row = |name: &str, of: &dyn Fn(&Measured) -> f64| {
        table.row(&super::table::spread(name, runs.iter().map(of).collect()));
    };
    row("sessions", &|run| run.told.after.sum("gamekeeper_sessions"));
    row("server, of its core, % (to reach: 60)", &|run| 100.0 * run.server_share);
    row("bots, of theirs, %", &|run| 100.0 * run.load_share);
    row("a tick begins late by, p50, ms", &|run| 1e3 * run.jitter(0.5).unwrap_or(f64::NAN));
    row("p99, ms", &|run| 1e3 * run.jitter(0.99).unwrap_or(f64::NAN));
    row("p99.9, ms (to reach: 2)", &|run| 1e3 * run.jitter(0.999).unwrap_or(f64::NAN));
    row("ticks that began so late that more than one was due", &Measured::late);
    row("ticks dropped", &Measured::dropped);
    row("server's memory, MB", &|run| run.memory as f64 / 1e6);
    let mut beat = |name: &str, of: fn(&Late) -> f64| {
        table.row(&super::table::spread(name, beats.iter().map(|late| 1e3 * of(late)).collect()));
    };
    beat("with no server, both cores as busy: p50, ms", |late| late.p50);
    beat("p99, ms", |late| late.p99);
    beat("p99.9, ms", |late| late.p999);
    Ok(table.note(&super::measured::remarks(&runs)))
}

fn one(wanted: &Wanted, sessions: u32) -> Result<Measured> {
    let stand = Stand::start(false, &["--max-players", &PLAYERS_EACH.to_string()])?;
    let run = measure(&stand, sessions * PLAYERS_EACH, wanted.window(), &wanted.load_flags())?;
    eprintln!("work of a tick of one session: p99 {} ms", ms(run.work(0.99)));
    Ok(run)
}
