//! Whether the server is about to stop, and until when rounds may go on.

use parking_lot::Mutex;
use tokio::time::{Duration, Instant};

/// How the end of the server stands.
#[derive(Debug, Default)]
pub struct Stopping {
    until: Mutex<Option<Instant>>,
}

impl Stopping {
    /// From now on nobody new is let in, and whatever still goes on ends within `drain`. Only the first call counts.
    pub fn begin(&self, drain: Duration) {
        self.until.lock().get_or_insert(Instant::now() + drain);
    }

    /// Whatever still goes on has no more than this: what was to be handed over before is gone, or stays.
    pub fn ends_within(&self, drain: Duration) {
        *self.until.lock() = Some(Instant::now() + drain);
    }

    /// Whether nobody new is let in any more.
    pub fn is_draining(&self) -> bool {
        self.until.lock().is_some()
    }

    /// How long what goes on may still go on; `None` while nobody wants the server to stop.
    pub fn left(&self) -> Option<Duration> {
        let until = (*self.until.lock())?;
        Some(until.saturating_duration_since(Instant::now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn once_all_is_handed_over_what_is_left_has_its_own_time_alone() {
        let stopping = Stopping::default();
        assert_eq!((stopping.is_draining(), stopping.left()), (false, None));
        let [handing, drain] = [20, 60].map(Duration::from_secs);
        stopping.begin(drain + handing);
        assert_eq!(stopping.left(), Some(drain + handing));
        tokio::time::advance(Duration::from_secs(3)).await;
        stopping.ends_within(drain);
        stopping.begin(drain + handing);
        assert_eq!((stopping.is_draining(), stopping.left()), (true, Some(drain)));
    }
}
