//! One program for all figures that need whole processes: servers pinned to one core, load to the other, everything
//! over loopback, bounded in time. What it prints is what `docs/benchmarks.md` says; Linux only, as it reads `/proc`.

mod against;
mod process;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(about, version)]
struct Cli {
    #[command(subcommand)]
    what: What,
}

/// What to measure; further down, what the measurements start as processes of their own.
#[derive(Debug, Subcommand)]
enum What {
    /// This server beside other ways to do the same work.
    Against(against::Against),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().what {
        What::Against(against) => against.run(),
    }
}
