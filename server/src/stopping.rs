//! Whether the server is about to stop, and until when rounds may go on.

use std::sync::OnceLock;
use tokio::time::{Duration, Instant};

/// How the end of the server stands.
#[derive(Debug, Default)]
pub struct Stopping {
    until: OnceLock<Instant>,
}

impl Stopping {
    /// From now on nobody new is let in, and whatever still goes on ends within `drain`. Only the first call counts.
    pub fn begin(&self, drain: Duration) {
        let _ = self.until.set(Instant::now() + drain);
    }

    /// Whether nobody new is let in any more.
    pub fn is_draining(&self) -> bool {
        self.until.get().is_some()
    }

    /// How long what goes on may still go on; `None` while nobody wants the server to stop.
    pub fn left(&self) -> Option<Duration> {
        let until = self.until.get()?;
        Some(until.saturating_duration_since(Instant::now()))
    }
}
