//! How the server stops.

use clap::Args;

/// How the server stops.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Stopping it")]
pub struct StoppingConfig {
    /// For how many seconds, once it was asked to stop, rounds may go on to their end; 0 ends them at once. Unless it is
    /// set that is 60, and 0 where matches are kept (`data`), as those go on after the next start.
    /// Whoever stops it has to wait as long: systemd's `TimeoutStopSec` and a container's stop period have to be longer.
    #[arg(long, env = "GAMEKEEPER_DRAIN_SECONDS", value_name = "SECONDS",
          value_parser = clap::value_parser!(u32).range(..=3600))]
    pub drain_seconds: Option<u32>,
}

impl StoppingConfig {
    /// For how many seconds rounds may go on that would be lost, unless it is set: shorter than the 90 seconds after
    /// which systemd loses its patience.
    pub const DRAIN_SECONDS: u32 = 60;

    /// For how many seconds rounds may go on; `kept` where they do so after the next start, too.
    pub fn drain_seconds(&self, kept: bool) -> u32 {
        self.drain_seconds.unwrap_or(if kept { 0 } else { Self::DRAIN_SECONDS })
    }
}
