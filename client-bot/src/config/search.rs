//! How the capacity is looked for.

use super::{BOTS_MAX, parse_duration};
use crate::capacity::SETTLE_SHARE;
use crate::profile::Profile;
use clap::Args;
use std::time::Duration;

/// The shortest step of a search: a second to settle, and three that count.
const STEP_TIME_MIN: Duration = Duration::from_secs(4);

/// The search for the capacity, instead of a run.
#[derive(Args, Clone, Debug)]
pub struct Search {
    /// Raises the load by steps, up to --bots, until a requirement breaks, comes nearer to where it does (--precision),
    /// and reports the most bots that held and what broke beyond.
    #[arg(long, conflicts_with_all = ["profile", "duration"])]
    pub find_capacity: bool,

    /// How many bots a step of --find-capacity adds.
    #[arg(long, value_name = "COUNT", default_value_t = Self::STEP,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(BOTS_MAX)))]
    pub step: u32,

    /// How long a step of --find-capacity takes; the first two fifths of it are left to settle.
    #[arg(long, value_name = "TIME", default_value = Self::STEP_TIME, value_parser = parse_duration)]
    pub step_time: Duration,

    /// How near --find-capacity comes to the knee: once a load broke twice, it tries the middle between what held and what broke
    /// until they are no farther apart than this share of what broke, in per cent.
    #[arg(long, value_name = "PER_CENT", default_value_t = Self::PRECISION, value_parser = parse_precision)]
    pub precision: f64,
}

impl Search {
    /// Bots that a step of a search adds.
    pub const STEP: u32 = 50;
    /// Near enough to say what a machine bears: two runs differ by more.
    pub const PRECISION: f64 = 5.0;
    /// Long enough for percentiles of a step to mean something.
    pub const STEP_TIME: &str = "10s";

    /// Checks what single flags cannot know, for up to `bots` that join at `ramp` per second. Errors with a sentence.
    pub(super) fn check(&self, bots: u32, ramp: f64) -> Result<(), String> {
        if !self.find_capacity {
            return Ok(());
        }
        let takes = f64::from(self.step.min(bots)) / ramp;
        let settling = self.step_time.as_secs_f64() * SETTLE_SHARE;
        // A sample a second: the percentiles of less than three of them say nothing.
        if self.step_time < STEP_TIME_MIN {
            return Err(format!(
                "--step-time is {} at least",
                humantime::format_duration(STEP_TIME_MIN)
            ));
        }
        if takes >= settling {
            return Err(format!(
                "a step takes {takes:.1} s to join at {ramp} per second, and only {settling:.1} s of it are there to \
                 settle; raise --ramp or --step-time"
            ));
        }
        Ok(())
    }

    /// How many bots at what time in the first step; what comes next depends on what was found.
    pub(super) fn profile(&self, bots: u32, ramp: f64) -> Profile {
        Profile::ramp(self.step.min(bots), ramp)
    }

    /// How long it takes where every step holds.
    pub(super) fn lasts(&self, bots: u32) -> Duration {
        self.step_time * bots.div_ceil(self.step)
    }
}

fn parse_precision(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches('%').trim_end();
    match number.parse::<f64>() {
        Ok(percent) if (0.1..=100.0).contains(&percent) => Ok(percent),
        _ => Err("a share from 0.1 to 100 per cent is needed".into()),
    }
}
