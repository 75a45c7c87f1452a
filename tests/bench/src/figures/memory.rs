//! The server's memory for each connection: what it has more with them than before they came.

use super::Wanted;
use super::measured::measure_world;
use super::quiet::{Kind, Quiet};
use super::stand::Stand;
use super::table::{Table, spread};
use crate::process::memory;
use anyhow::{Result, ensure};
use std::thread::sleep;
use std::time::Duration;

/// Connections of each kind.
const CONNECTIONS: u32 = 500;
/// For how long connections are open before memory is looked at. WebSockets without a hello are ended after five seconds,
/// counted from the first.
const SETTLE: Duration = Duration::from_millis(500);
/// Files that this process has open beside its connections.
const OTHER_FILES_MAX: u64 = 64;

pub(super) fn run(wanted: &Wanted) -> Result<Table> {
    let count = wanted.at_most(CONNECTIONS);
    let needed = u64::from(count) + OTHER_FILES_MAX;
    ensure!(rlimit::increase_nofile_limit(needed)? >= needed, "too few open files: ulimit -n");
    let sentence = format!(
        "{count} connections of one kind on a server that had none: its memory (VmRSS) with them less that before, for \
         each, in KiB; {} runs, a server of its own each. Those who play share one world, whose memory counts.",
        wanted.runs
    );
    let columns = ["", "median", "lowest to highest"];
    let mut table = Table::new("Memory", &sentence, &columns);
    for (name, kind) in [
        ("HTTP, answered and kept alive", Some(Kind::KeptAlive)),
        ("WebSocket, nothing said yet (to reach: 24)", Some(Kind::Unjoined)),
        ("playing (to reach: 64)", None),
    ] {
        for (carried, tls) in [("plain", false), ("TLS", true)] {
            let runs = (0..wanted.runs).map(|_| match kind {
                Some(kind) => quiet(kind, count, tls),
                None => playing(wanted, count, tls),
            });
            let kib = runs.collect::<Result<Vec<_>>>()?;
            eprintln!("{name}, {carried}: {kib:.1?} KiB");
            table.row(&spread(&format!("{name}, {carried}"), kib));
        }
    }
    Ok(table)
}

fn quiet(kind: Kind, count: u32, tls: bool) -> Result<f64> {
    let stand = Stand::with_world(tls, count)?;
    // The first connections bring in code and tables that all share.
    drop(Quiet::open(&stand, kind, 1)?);
    let before = memory(stand.process.id())?;
    let connections = Quiet::open(&stand, kind, count)?;
    sleep(SETTLE);
    let open = stand.look()?.sum("gamekeeper_connections");
    ensure!(open >= connections.count() as f64, "{open} connections are left of {count}");
    Ok(each(before, memory(stand.process.id())?, count))
}

fn playing(wanted: &Wanted, count: u32, tls: bool) -> Result<f64> {
    let stand = Stand::with_world(tls, count)?;
    drop(Quiet::open(&stand, Kind::Unjoined, 1)?);
    let before = memory(stand.process.id())?;
    let run = measure_world(&stand, count, wanted.window(), &wanted.load_flags())?;
    Ok(each(before, run.memory, count))
}

/// KiB for each of them.
fn each(before: u64, after: u64, count: u32) -> f64 {
    (after as f64 - before as f64) / 1024.0 / f64::from(count)
}
