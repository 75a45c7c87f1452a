//! One program for all figures that need whole processes: servers pinned to one core, load to the other, everything
//! over loopback, bounded in time. What it prints is what `docs/benchmarks.md` says; Linux only, as it reads `/proc`.

mod against;
mod figures;
mod process;
mod transport;

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
    /// This server beside other ways to do the same work.
    Against(against::Against),
    /// The server's cost per delivered message, as a ratio to a floor of raw sockets.
    Transport(transport::Flags),
    /// The floor: raw sockets, one thread, one pass per tick.
    Floor(transport::floor::Flags),
    /// This server with a session that sends everybody the same bytes each tick.
    Echo(transport::echo::Flags),
    /// A core as busy as a server keeps it, with no server: how late is that?
    Metronome(figures::metronome::Flags),
    /// Connections to either that send inputs and count what they are sent.
    Lines(transport::lines::Flags),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().what {
        What::Figures(wanted) => figures::run(&wanted),
        What::Against(against) => against.run(),
        What::Transport(flags) => transport::compare(&flags),
        What::Floor(flags) => transport::floor::serve(&flags),
        What::Echo(flags) => transport::echo::serve(&flags),
        What::Metronome(flags) => figures::metronome::keep(&flags),
        What::Lines(flags) => transport::lines::run(&flags),
    }
}
