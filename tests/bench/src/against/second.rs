//! When messages came, second by second: what the columns *on time* and *interval p99* are made of, of this server by its
//! bots' report and of the others by their load.

use super::scene::RATE;
use serde::{Deserialize, Serialize};

/// A message is on time when it comes within so many ticks of the one before.
const ON_TIME_TICKS: f64 = 1.5;

/// One second, to all players; or the mean of several.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Second {
    /// Share of messages on time.
    pub(crate) on_time: f64,
    /// From a message to the next one, ms, at the 99th percentile.
    pub(crate) interval_p99_ms: f64,
}

impl Second {
    /// Of the intervals that ended in it, µs, which are sorted; nothing without any.
    pub(crate) fn of(intervals_us: &mut [u32]) -> Option<Self> {
        intervals_us.sort_unstable();
        let p99 = *intervals_us.get(intervals_us.len() * 99 / 100)?;
        let limit = (ON_TIME_TICKS * 1e6 / f64::from(RATE)) as u32;
        let on_time = intervals_us.partition_point(|&us| us <= limit);
        Some(Self {
            on_time: on_time as f64 / intervals_us.len() as f64,
            interval_p99_ms: f64::from(p99) / 1000.0,
        })
    }

    /// The mean of several; nothing without any.
    pub(crate) fn mean(seconds: &[Self]) -> Option<Self> {
        let mean =
            |of: fn(&Self) -> f64| seconds.iter().map(of).sum::<f64>() / seconds.len() as f64;
        (!seconds.is_empty()).then(|| Self {
            on_time: mean(|second| second.on_time),
            interval_p99_ms: mean(|second| second.interval_p99_ms),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bad second among good ones is a part of the mean, for whomever it is counted; over the whole time at once it
    /// would be the 99th percentile alone.
    #[test]
    fn each_second_counts_as_much_as_any_other() {
        let mut good: Vec<u32> = vec![33_000; 300];
        let mut bad: Vec<u32> = (0..300).map(|n| if n < 30 { 90_000 } else { 33_000 }).collect();
        let [good, bad] = [&mut good, &mut bad].map(|us| Second::of(us).expect("messages"));
        assert_eq!(good, Second { on_time: 1.0, interval_p99_ms: 33.0 });
        assert_eq!(bad, Second { on_time: 0.9, interval_p99_ms: 90.0 });
        let mean = Second::mean(&[good, good, bad]).expect("three");
        assert_eq!((mean.interval_p99_ms, (mean.on_time * 1000.0).round()), (52.0, 967.0));
        assert_eq!((Second::of(&mut []), Second::mean(&[])), (None, None));
    }
}
