//! This server beside other ways to do the same work: the same number of players, rate, arena, moving entities in view
//! and inputs, on one core, with the load on another one. Prints tables in Markdown.
//!
//! [`scene`] says what is played and [`contender`] who is compared; [`run`] is one run, [`table`] what comes of all, of
//! its times [`second`] by second.
//! The contenders that are written in Rust are [`ours`], [`obvious`] and the floor of [`crate::transport`]; those for
//! Node.js are in `tests/bench/others`. [`load`] plays against all but ours, which has its own bots.

mod contender;
mod load;
mod obvious;
mod ours;
mod run;
mod scene;
mod second;
mod sights;
mod table;

use crate::process::installed;
use anyhow::{Context, Result};
use clap::{Args, Subcommand, ValueEnum};
use contender::Contender;
use load::Talk;
use run::Outcome;
use scene::{RATE, Scene};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

/// A message's size for the floor where this server was not measured, in bytes.
const MESSAGE_BYTES: usize = 300;

/// Flags of the comparison.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Against {
    #[command(subcommand)]
    part: Option<Part>,

    /// How often everybody is measured, in turns; tables show medians.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// For how many seconds each time.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(2..))]
    seconds: u32,

    /// Which scenes; all when absent.
    #[arg(long = "scene")]
    scenes: Vec<Scene>,

    /// Who; all when absent.
    #[arg(long = "contender")]
    contenders: Vec<Contender>,
}

/// What a comparison starts as processes of their own.
#[derive(Debug, Subcommand)]
enum Part {
    /// This server in a scene.
    Ours(Server),
    /// The obvious implementation.
    Obvious(Server),
    /// The load for everybody else.
    Load {
        #[command(flatten)]
        server: Server,
        /// How to talk.
        #[arg(long)]
        talk: Talk,
        /// For how many seconds to count.
        #[arg(long)]
        seconds: u32,
        /// Bytes of a message, where these are of a fixed size.
        #[arg(long, default_value_t = MESSAGE_BYTES)]
        message_bytes: usize,
    },
}

#[derive(Debug, Args)]
struct Server {
    /// What is played.
    #[arg(long)]
    scene: Scene,
    /// Where the server listens.
    #[arg(long)]
    address: SocketAddr,
}

impl Against {
    /// Compares, or is a part of a comparison.
    pub(crate) fn run(self) -> Result<()> {
        match self.part {
            Some(Part::Ours(server)) => ours::serve(server.scene, server.address),
            Some(Part::Obvious(server)) => obvious::serve(server.scene, server.address),
            Some(Part::Load { server, talk, seconds, message_bytes }) => {
                load::run(talk, server.scene, server.address, seconds, message_bytes)
            }
            None => self.compare(),
        }
    }

    fn compare(&self) -> Result<()> {
        println!("{}\n", about(self.rounds, self.seconds)?);
        let or_all = |chosen: &[Scene]| match chosen {
            [] => Scene::value_variants().to_vec(),
            chosen => chosen.to_vec(),
        };
        let who = |contender: &Contender| {
            self.contenders.is_empty() || self.contenders.contains(contender)
        };
        for scene in or_all(&self.scenes) {
            let contenders = Contender::ALL.into_iter().filter(who);
            let mut outcomes: Vec<(Contender, Vec<Outcome>)> =
                contenders.map(|contender| (contender, Vec::new())).collect();
            let mut message = MESSAGE_BYTES;
            for round in 1..=self.rounds {
                for (contender, outcomes) in &mut outcomes {
                    let outcome = run::run(*contender, scene, self.seconds, message)?;
                    eprintln!(
                        "{}, round {round}, {}: {:.0} µs, {:.0} B, {:.1} ticks/s; server {:.0} %, something else {:.0} %, load {:.0} %",
                        scene.title(),
                        contender.title(),
                        outcome.cpu_us,
                        outcome.payload,
                        outcome.messages,
                        100.0 * outcome.cpu_share,
                        100.0 * outcome.disturbed,
                        100.0 * outcome.load_share
                    );
                    if *contender == Contender::Ours {
                        // The same bytes per second, in one message per tick.
                        message = (outcome.wire / f64::from(RATE)).round() as usize;
                    }
                    outcomes.push(outcome);
                }
            }
            println!("{}", table::table(scene, &outcomes));
        }
        Ok(())
    }
}

/// When, where and with what.
fn about(rounds: u32, seconds: u32) -> Result<String> {
    let others = installed("others")?;
    let said = |program: &Path, flag: &str| -> Result<String> {
        let out = Command::new(program).arg(flag).output();
        let out = out.with_context(|| format!("cannot run {}", program.display()))?;
        Ok(String::from_utf8_lossy(&out.stdout).trim().to_owned())
    };
    let package = |name: &str| -> Result<String> {
        let file = others.join("node_modules").join(name).join("package.json");
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let package: serde_json::Value = serde_json::from_str(&text)?;
        Ok(format!("{name} {}", package["version"].as_str().unwrap_or("?")))
    };
    let packages = ["@colyseus/core", "@colyseus/schema", "@colyseus/ws-transport", "ws"];
    let packages: Result<Vec<_>> = packages.into_iter().map(package).collect();
    let info = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let cores = info.lines().filter(|line| line.starts_with("processor")).count();
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease")?;
    Ok(format!(
        "{}, `tests/bench/run against --rounds {rounds} --seconds {seconds}`: {cores} cores ({}), Linux {}, {}, Node.js {}, {}. \
         Server on one core, load on another, {RATE} Hz, medians of {rounds} interleaved rounds of {seconds} s each.",
        said(Path::new("date"), "+%F")?,
        model.map_or("of a kind it does not tell", |(_, model)| model.trim()),
        kernel.trim(),
        said(Path::new("rustc"), "--version")?,
        said(&others.join("node"), "--version")?,
        packages?.join(", "),
    ))
}
