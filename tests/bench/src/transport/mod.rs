//! What a delivered message costs: this server, connections, queue and tick loop as they are, with a session that does
//! nothing but send; against a floor that does nothing but receive and send the same bytes on raw sockets; and
//! uWebSockets, the fastest peer that is known, beside it. Rounds of all take turns on the same core, with the same load
//! on the other.

pub(crate) mod echo;
pub(crate) mod floor;
pub(crate) mod lines;

use crate::process::{self, LOAD_CORE, Process, SERVER_CORE, installed, median, on_core};
use anyhow::{Context, Result};
use lines::Counted;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

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

/// Who is measured.
#[derive(Clone, Copy)]
enum Contender {
    /// Raw sockets.
    Floor,
    /// This server.
    Ours,
    /// uWebSockets, in C++.
    Uws,
}

impl Contender {
    /// Its program, which listens on `address`.
    fn program(self, address: SocketAddr) -> Result<Command> {
        let own = |part| -> Result<Command> {
            let mut command = on_core(SERVER_CORE, std::env::current_exe()?);
            command.args([part, "--bind", &address.to_string()]);
            Ok(command)
        };
        match self {
            Self::Floor => own("floor"),
            Self::Ours => own("echo"),
            Self::Uws => {
                let mut command = on_core(SERVER_CORE, installed("uwebsockets/server")?);
                command.args([address.ip().to_string(), address.port().to_string()]);
                Ok(command)
            }
        }
    }
}

/// Measures and prints a table.
pub(crate) fn compare(flags: &Flags) -> Result<()> {
    println!(
        "| connections | floor, µs | this server, µs | × floor | uWebSockets, µs | × floor | delivered | late sends | \
         KiB per connection, this server / uWebSockets |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for &connections in &flags.connections {
        let measure = |contender| round(contender, connections, flags.seconds);
        let (mut floors, mut ours, mut uws) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..flags.rounds {
            floors.push(measure(Contender::Floor)?);
            ours.push(measure(Contender::Ours)?);
            uws.push(measure(Contender::Uws)?);
        }
        let middle =
            |rounds: &[Counted], of: fn(&Counted) -> f64| median(rounds.iter().map(of).collect());
        let cost = Counted::cost_us;
        let ratio = |rounds: &[Counted]| {
            median(floors.iter().zip(rounds).map(|(floor, own)| cost(own) / cost(floor)).collect())
        };
        let memory = |rounds: &[Counted]| {
            middle(rounds, |c| c.memory as f64) / f64::from(connections) / 1024.0
        };
        println!(
            "| {connections} | {:.2} | {:.2} | **{:.2}** | {:.2} | {:.2} | {:.1}, {:.1} % | {:.1}, {:.1} % | {:.1} / {:.1} |",
            middle(&floors, cost),
            middle(&ours, cost),
            ratio(&ours),
            middle(&uws, cost),
            ratio(&uws),
            100.0 * middle(&ours, |c| c.delivered_share),
            100.0 * middle(&uws, |c| c.delivered_share),
            100.0 * middle(&ours, |c| c.late_share),
            100.0 * middle(&uws, |c| c.late_share),
            memory(&ours),
            memory(&uws),
        );
    }
    Ok(())
}

/// One server, and load on it.
fn round(contender: Contender, connections: u32, seconds: u32) -> Result<Counted> {
    let address = process::free_address()?;
    let mut serving = Process::start(contender.program(address)?.stdout(Stdio::null()))?;
    serving.listens_on(address)?;
    let mut load = on_core(LOAD_CORE, std::env::current_exe()?);
    load.args(["lines", "--address", &address.to_string()]);
    load.args(["--connections", &connections.to_string(), "--seconds", &seconds.to_string()]);
    load.args(["--server", &serving.id().to_string()]);
    if matches!(contender, Contender::Floor) {
        load.arg("--raw");
    }
    let output = load.stderr(Stdio::inherit()).output()?;
    serving.end()?;
    serde_json::from_slice(&output.stdout).context("the load ended early")
}
