//! Figures of the server itself, as its `/metrics`, `/proc` and its bots tell them. Comes in: the release programs
//! beside this one. Goes out: a table in Markdown for each figure, on stdout; what goes on meanwhile, on stderr.
//!
//! `stand` starts the server on its core and opens a session with room in it for so many players, `look` reads what it
//! tells, `load` plays on the other core, and `measured` puts the three together for one run. Each of the others is
//! one figure. Nothing is given up while they are taken: the governor is off.

mod growth;
mod latency;
mod load;
mod look;
mod measured;
mod memory;
pub(crate) mod metronome;
mod most;
mod quiet;
mod sessions;
mod site;
mod stand;
mod table;
mod tls;
mod world;

use anyhow::Result;
use clap::{Args, ValueEnum};
use std::time::Duration;

/// Which figures, and how long each is looked at.
#[derive(Clone, Debug, Args)]
pub(crate) struct Wanted {
    /// Which; all of them when none is named.
    #[arg(value_name = "NAME")]
    names: Vec<Figure>,

    /// For how many minutes `world` plays.
    #[arg(long, value_name = "MINUTES", default_value_t = 10,
          value_parser = clap::value_parser!(u64).range(1..=1440))]
    minutes: u64,

    /// For how many seconds each run of all others is looked at, once it has settled.
    #[arg(long, value_name = "SECONDS", default_value_t = 20,
          value_parser = clap::value_parser!(u64).range(3..=3600))]
    seconds: u64,

    /// How many runs medians are of.
    #[arg(long, value_name = "COUNT", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    runs: u32,

    /// The most players that are tried for anything; fewer than a figure asks for make it a smaller one.
    #[arg(long, value_name = "COUNT", default_value_t = 4_000, value_parser = clap::value_parser!(u32).range(8..=10_000))]
    players: u32,

    /// Processes that the bots are spread over, all of them on the load's core.
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    processes: u32,
}

/// A figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Figure {
    /// 1,000 players in one world, for minutes.
    World,
    /// The most players in one world.
    Most,
    /// 250 sessions of eight.
    Sessions,
    /// From an input to the frame that confirms it, with 500 players.
    Latency,
    /// Memory per connection.
    Memory,
    /// What TLS costs.
    Tls,
    /// What it costs to come through another server of a site.
    Site,
    /// What a player costs as they become more.
    Growth,
}

impl Wanted {
    fn window(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// What the bots are told beside where and how many.
    fn load_flags(&self) -> Vec<String> {
        vec!["--processes".to_owned(), self.processes.to_string()]
    }

    /// As many as a figure asks for, or as many as there may be.
    fn at_most(&self, players: u32) -> u32 {
        players.min(self.players)
    }
}

/// Takes the figures, one after the other, and prints each when it is there.
pub(crate) fn run(wanted: &Wanted) -> Result<()> {
    let names = match &wanted.names[..] {
        [] => Figure::value_variants(),
        names => names,
    };
    for name in names {
        let text = match name {
            Figure::World => world::run(wanted),
            Figure::Most => most::run(wanted),
            Figure::Sessions => sessions::run(wanted),
            Figure::Latency => latency::run(wanted),
            Figure::Memory => memory::run(wanted),
            Figure::Tls => tls::run(wanted),
            Figure::Site => site::run(wanted),
            Figure::Growth => growth::run(wanted),
        }?;
        println!("{text}");
    }
    Ok(())
}
