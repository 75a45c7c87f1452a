//! How the server stops.

use clap::Args;

/// How the server stops.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Stopping it")]
pub struct Stopping {
    /// For how many seconds, once it was asked to stop, rounds may go on to their end; 0 ends them at once.
    /// Whoever stops it has to wait as long: systemd's `TimeoutStopSec` and a container's stop period have to be longer.
    #[arg(long, env = "GAMEKEEPER_DRAIN_SECONDS", value_name = "SECONDS", default_value_t = Self::DRAIN_SECONDS,
          value_parser = clap::value_parser!(u32).range(..=3600))]
    pub drain_seconds: u32,
}

impl Stopping {
    /// Shorter than the 90 seconds after which systemd loses its patience.
    pub const DRAIN_SECONDS: u32 = 60;
}

impl Default for Stopping {
    fn default() -> Self {
        Self { drain_seconds: Self::DRAIN_SECONDS }
    }
}
