//! How late ticks begin where no server is: programs that do nothing but keep the cores as busy as a server and its load do, in
//! as many equal pieces. What they measure is the machine's own part of a server's lateness: virtual ones pause when all of
//! their cores are busy. A piece is so much to do, not so much time: what a pause takes has to be caught up with, as by a
//! server.

use crate::process::{LOAD_CORE, Process, SERVER_CORE, on_core};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::hint::black_box;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The least time between two pieces that are begun by a wake-up, as lanes have it.
const REST: Duration = Duration::from_micros(100);
/// How much is done to find out how long it takes, and how often; the quickest counts.
const TRIAL_ROUNDS: u64 = 100_000;
const TRIALS: u32 = 200;

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

/// Something to do.
fn work(rounds: u64) {
    black_box((0..rounds).fold(1u64, |sum, round| black_box(sum.wrapping_mul(3) ^ round)));
}

/// How many rounds of [`work`] this core does in a second that nothing disturbs.
fn rounds_per_second() -> f64 {
    let trial = || {
        let begun = Instant::now();
        work(TRIAL_ROUNDS);
        begun.elapsed().as_secs_f64()
    };
    let quickest = (0..TRIALS).map(|_| trial()).fold(f64::INFINITY, f64::min);
    TRIAL_ROUNDS as f64 / quickest
}

/// Keeps the beat and prints how late it was.
pub(crate) fn keep(flags: &Flags) -> Result<()> {
    let piece = (flags.share / f64::from(flags.per_second) * rounds_per_second()) as u64;
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
        work(piece);
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
