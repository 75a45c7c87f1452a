//! 250 sessions of eight players each.

use super::Wanted;
use super::measured::{Measured, measure};
use super::stand::Stand;
use super::table::{Table, ms};
use anyhow::Result;

const SESSIONS: u32 = 250;
const PLAYERS_EACH: u32 = 8;

pub(super) fn run(wanted: &Wanted) -> Result<Table> {
    let sessions = wanted.at_most(SESSIONS * PLAYERS_EACH) / PLAYERS_EACH;
    let runs = (0..wanted.runs).map(|_| one(wanted, sessions)).collect::<Result<Vec<_>>>()?;
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
    row("the machine below, of the server's core, %", &|run| 100.0 * run.stolen_share);
    row("bots, of theirs, %", &|run| 100.0 * run.load_share);
    row("a tick begins late by, p50, ms", &|run| 1e3 * run.jitter(0.5).unwrap_or(f64::NAN));
    row("p99, ms", &|run| 1e3 * run.jitter(0.99).unwrap_or(f64::NAN));
    row("p99.9, ms (to reach: 2)", &|run| 1e3 * run.jitter(0.999).unwrap_or(f64::NAN));
    row("ticks that began so late that more than one was due", &Measured::late);
    row("ticks dropped", &Measured::dropped);
    row("server's memory, MB", &|run| run.memory as f64 / 1e6);
    Ok(table.note(&super::measured::remarks(&runs)))
}

fn one(wanted: &Wanted, sessions: u32) -> Result<Measured> {
    let stand = Stand::start(false, &["--max-players", &PLAYERS_EACH.to_string()])?;
    let run = measure(&stand, sessions * PLAYERS_EACH, wanted.window(), &wanted.load_flags())?;
    eprintln!("work of a tick of one session: p99 {} ms", ms(run.work(0.99)));
    Ok(run)
}
