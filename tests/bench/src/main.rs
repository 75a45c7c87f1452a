//! One program for all figures that need whole processes: servers pinned to one core, load to the other, everything
//! over loopback, bounded in time. What it prints is what `docs/benchmarks.md` says; Linux only, as it reads `/proc`.

mod figures;
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
    /// What this server needs and how late it is, on pinned cores, as tables in Markdown.
    Figures(figures::Wanted),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().what {
        What::Figures(wanted) => figures::run(&wanted),
    }
}
