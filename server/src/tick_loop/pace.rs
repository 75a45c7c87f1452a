//! Which of a loop's ticks are due. Comes in: the time. Goes out: how many steps are to be made now, when the next one is
//! due, and which tick a moment belongs to.

use super::CATCH_UP_STEPS_MAX;
use shared::game::Tick;
use tokio::time::{Duration, Instant};

/// Which step is due when. Every deadline is computed from the start, so errors never add up.
#[derive(Debug)]
pub(super) struct Pace {
    rate: u64,
    /// When the first tick's step was due, less a tick; later with every dropped tick.
    start: Instant,
    /// The tick before the first one: 0, unless the session goes on from a checkpoint.
    first: Tick,
    /// Steps made since, or about to be.
    done: u64,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) steps: u64,
    pub(super) dropped: u64,
}

impl Pace {
    pub(super) fn new(rate: u16, start: Instant, first: Tick) -> Self {
        Self { rate: u64::from(rate), start, first, done: 0 }
    }

    /// When the next step is due.
    pub(super) fn next_deadline(&self) -> Instant {
        self.start + self.span(self.done + 1)
    }

    /// The steps that are due at `now`, counted as done.
    pub(super) fn due(&mut self, now: Instant) -> Due {
        let nanos = now.saturating_duration_since(self.start).as_nanos();
        let passed = (nanos * u128::from(self.rate) / 1_000_000_000) as u64;
        // A deadline is rounded down to a nanosecond, so it may count as not quite reached.
        let passed = passed + u64::from(now >= self.start + self.span(passed + 1));
        let missing = passed.saturating_sub(self.done);
        let steps = missing.min(CATCH_UP_STEPS_MAX);
        let dropped = missing - steps;
        self.done += steps;
        self.start += self.span(dropped);
        Due { steps, dropped }
    }

    /// The time of `at` in ticks.
    pub(super) fn ticks_at(&self, at: Instant) -> f64 {
        let since = at.saturating_duration_since(self.start);
        f64::from(self.first) + since.as_secs_f64() * self.rate as f64
    }

    fn span(&self, ticks: u64) -> Duration {
        let nanos = u128::from(ticks) * 1_000_000_000 / u128::from(self.rate);
        Duration::from_nanos(nanos as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_goes_on_counts_on() {
        let start = Instant::now();
        let mut pace = Pace::new(100, start, 7000);
        let at = start + Duration::from_millis(10);
        assert_eq!((pace.next_deadline(), pace.ticks_at(at)), (at, 7001.0));
        assert_eq!(pace.due(at), Due { steps: 1, dropped: 0 });
    }

    #[test]
    fn a_delay_is_caught_up_and_a_long_one_partly_dropped() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut pace = Pace::new(100, start, 0);
        assert_eq!(pace.due(at(9)), Due { steps: 0, dropped: 0 });
        assert_eq!(pace.due(at(10)), Due { steps: 1, dropped: 0 });
        assert_eq!(pace.due(at(45)), Due { steps: 3, dropped: 0 });
        assert_eq!(pace.next_deadline(), at(50));
        assert_eq!(pace.due(at(250)), Due { steps: 5, dropped: 16 });
        // Nine ticks are done, and time goes on as if the sixteen had never been.
        assert_eq!(pace.next_deadline(), at(260));
        assert_eq!(pace.ticks_at(at(250)), 9.0);
        assert_eq!(pace.due(at(260)), Due { steps: 1, dropped: 0 });
    }

    #[test]
    fn every_deadline_makes_exactly_one_step_due() {
        for rate in 10..=128 {
            let mut pace = Pace::new(rate, Instant::now(), 0);
            for n in 0..1000 {
                let deadline = pace.next_deadline();
                let early = deadline - Duration::from_nanos(1);
                assert_eq!(pace.due(early), Due { steps: 0, dropped: 0 }, "{rate} {n}");
                assert_eq!(pace.due(deadline), Due { steps: 1, dropped: 0 }, "{rate} {n}");
            }
        }
    }
}
