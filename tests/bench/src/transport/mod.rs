//! What a delivered message costs: this server, connections, queue and tick loop as they are, with a session that does
//! nothing but send; against a floor that does nothing but receive and send the same bytes on raw sockets. Rounds of
//! both take turns on the same core, with the same load on the other.

pub(crate) mod echo;
pub(crate) mod floor;
pub(crate) mod lines;

use crate::process::{self, LOAD_CORE, Process, SERVER_CORE, median, on_core};
use anyhow::{Context, Result};
use lines::Counted;
use std::process::Stdio;

/// Ticks per second.
const RATE: u32 = 30;
/// Payload of a message to a player, in bytes.
const MESSAGE_BYTES: usize = 300;
/// What a WebSocket puts in front of it.
const HEADER_BYTES: usize = 4;
/// Payload of an input, in bytes.
const INPUT_BYTES: usize = 16;

/// What to compare.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// How many connections there are.
    #[arg(long, value_delimiter = ',', default_values_t = [1000, 2000, 4000])]
    connections: Vec<u32>,
    /// How often everything is measured.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// For how long each time, in seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u32,
}

/// Measures and prints a table.
pub(crate) fn compare(flags: &Flags) -> Result<()> {
    println!(
        "| connections | floor, µs | this server, µs | ratio | delivered | late sends | KiB per connection |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for &connections in &flags.connections {
        let (mut floors, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..flags.rounds {
            floors.push(round("floor", connections, flags.seconds)?);
            ours.push(round("echo", connections, flags.seconds)?);
        }
        let middle =
            |rounds: &[Counted], of: fn(&Counted) -> f64| median(rounds.iter().map(of).collect());
        let cost = Counted::cost_us;
        let ratios = floors.iter().zip(&ours).map(|(floor, ours)| cost(ours) / cost(floor));
        println!(
            "| {connections} | {:.2} | {:.2} | **{:.2}** | {:.1} % | {:.1} % | {:.1} |",
            middle(&floors, cost),
            middle(&ours, cost),
            median(ratios.collect()),
            100.0 * middle(&ours, |c| c.delivered_share),
            100.0 * middle(&ours, |c| c.late_share),
            middle(&ours, |c| c.memory as f64) / f64::from(connections) / 1024.0,
        );
    }
    Ok(())
}

/// One server, and load on it.
fn round(server: &str, connections: u32, seconds: u32) -> Result<Counted> {
    let own = std::env::current_exe()?;
    let address = process::free_address()?;
    let mut serving = on_core(SERVER_CORE, &own);
    serving.args([server, "--bind", &address.to_string()]).stdout(Stdio::null());
    let mut serving = Process::start(&mut serving)?;
    serving.listens_on(address)?;
    let mut load = on_core(LOAD_CORE, &own);
    load.args(["lines", "--address", &address.to_string()]);
    load.args(["--connections", &connections.to_string(), "--seconds", &seconds.to_string()]);
    load.args(["--server", &serving.id().to_string()]);
    if server == "floor" {
        load.arg("--raw");
    }
    let output = load.stderr(Stdio::inherit()).output()?;
    serving.end()?;
    serde_json::from_slice(&output.stdout).context("the load ended early")
}
