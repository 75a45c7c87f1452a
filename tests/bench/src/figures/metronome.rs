//! How late ticks begin where no server is: programs that do nothing but keep the cores as busy as a server and its load do, in
//! as many equal pieces. What they measure is the machine's own part of a server's lateness: virtual ones pause when all of
//! their cores are busy.

use crate::process::{LOAD_CORE, Process, SERVER_CORE, on_core};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The least time between two pieces that are begun by a wake-up, as lanes have it.
const REST: Duration = Duration::from_millis(1);

#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// How many pieces of work are due per second, at even distances.
    #[arg(long)]
    per_second: u32,
    /// The share of the core that they need together.
    #[arg(long)]
    share: f64,
    #[arg(long)]
    seconds: u32,
}

/// How late pieces began, in seconds.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Late {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
}

/// Keeps the beat and prints how late it was.
pub(crate) fn keep(flags: &Flags) -> Result<()> {
    let piece = Duration::from_secs_f64(flags.share / f64::from(flags.per_second));
    let pieces = flags.per_second * flags.seconds;
    let mut late = Vec::with_capacity(pieces as usize);
    let start = Instant::now();
    let mut woke = start;
    for number in 0..pieces {
        let due = start + Duration::from_secs(1) * number / flags.per_second;
        if Instant::now() < due {
            let next = due.max(woke + REST);
            sleep(next.saturating_duration_since(Instant::now()));
            woke = Instant::now();
        }
        let begun = Instant::now();
        late.push(begun.saturating_duration_since(due));
        while begun.elapsed() < piece {}
    }
    late.sort_unstable();
    let of = |share: f64| late[((late.len() - 1) as f64 * share) as usize].as_secs_f64();
    println!("{}", serde_json::to_string(&Late { p50: of(0.5), p99: of(0.99), p999: of(0.999) })?);
    Ok(())
}

/// Lets one keep the beat on the server's core, beside another one on the load's, each with its share of its core.
pub(super) fn listen_to(per_second: u32, shares: (f64, f64), seconds: u32) -> Result<Late> {
    let on = |core, share: f64, seconds: u32| -> Result<Command> {
        let mut command = on_core(core, std::env::current_exe()?);
        command.args(["metronome", "--per-second", &per_second.to_string()]);
        command.args(["--share", &share.to_string(), "--seconds", &seconds.to_string()]);
        Ok(command)
    };
    // Ended when dropped.
    let _load = Process::start(on(LOAD_CORE, shares.1, seconds + 1)?.stdout(Stdio::null()))?;
    let output = on(SERVER_CORE, shares.0, seconds)?.stderr(Stdio::inherit()).output()?;
    serde_json::from_slice(&output.stdout).context("the metronome stopped early")
}
