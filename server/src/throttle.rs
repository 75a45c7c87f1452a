//! Keeps what a hostile or overloaded moment would write into the log down to a few lines.

use parking_lot::Mutex;
use tokio::time::{Duration, Instant};

/// Lets through a few lines a window and counts the rest.
#[derive(Debug)]
pub(crate) struct Throttle {
    lines: u32,
    window: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    window_began: Option<Instant>,
    shown: u32,
    hidden: u64,
}

impl Throttle {
    /// At most `lines` lines in each `window`.
    pub(crate) const fn new(lines: u32, window: Duration) -> Self {
        let state = State { window_began: None, shown: 0, hidden: 0 };
        Self { lines, window, state: Mutex::new(state) }
    }

    /// Whether a line may be written now, and if so how many before it were not.
    pub(crate) fn pass(&self, now: Instant) -> Option<u64> {
        let mut state = self.state.lock();
        if state.window_began.is_none_or(|began| now.duration_since(began) >= self.window) {
            state.window_began = Some(now);
            state.shown = 0;
        }
        if state.shown == self.lines {
            state.hidden += 1;
            return None;
        }
        state.shown += 1;
        Some(std::mem::take(&mut state.hidden))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_hidden_is_told_with_the_next_line() {
        let start = Instant::now();
        let throttle = Throttle::new(2, Duration::from_secs(1));
        let at = |ms| throttle.pass(start + Duration::from_millis(ms));
        assert_eq!((at(0), at(1), at(2), at(999)), (Some(0), Some(0), None, None));
        assert_eq!((at(1000), at(1001)), (Some(2), Some(0)));
    }
}
