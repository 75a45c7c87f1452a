//! Distributions of the last second, over all bots at once. Comes in: times, from any thread. Goes out: counts, when
//! the fleet looks once a second. Nobody waits for anybody here.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Buckets per doubling: times are right to three per cent.
const STEPS: u64 = 32;
/// Doublings of `STEPS` microseconds that are told apart: up to 67 s, and longer times count as that.
const DOUBLINGS: u64 = 22;
const BUCKETS: usize = (STEPS * DOUBLINGS) as usize;

/// Times of all bots since the last look.
#[derive(Debug)]
pub(crate) struct Window(Box<[AtomicU32]>);

impl Default for Window {
    fn default() -> Self {
        Self((0..BUCKETS).map(|_| AtomicU32::new(0)).collect())
    }
}

impl Window {
    /// Takes a time down.
    pub(crate) fn record(&self, ms: f64) {
        // A cast of an f64 saturates, so whatever comes has a bucket.
        self.0[bucket((ms * 1000.0) as u64)].fetch_add(1, Relaxed);
    }

    /// What came since the last call.
    pub(crate) fn drain(&self) -> Counts {
        Counts(self.0.iter().map(|count| count.swap(0, Relaxed)).collect())
    }
}

fn bucket(us: u64) -> usize {
    if us < STEPS {
        return us as usize;
    }
    let doubling = u64::from(us.ilog2() - STEPS.ilog2());
    let step = (us >> doubling) - STEPS;
    ((doubling + 1) * STEPS + step).min(BUCKETS as u64 - 1) as usize
}

/// The longest time of a bucket, in ms.
fn longest_ms(bucket: usize) -> f64 {
    let (doubling, step) = (bucket as u64 / STEPS, bucket as u64 % STEPS);
    let us = match doubling {
        0 => step + 1,
        more => (STEPS + step + 1) << (more - 1),
    };
    us as f64 / 1000.0
}

/// Times by bucket.
#[derive(Clone, Debug)]
pub(crate) struct Counts(Vec<u32>);

impl Default for Counts {
    fn default() -> Self {
        Self(vec![0; BUCKETS])
    }
}

impl Counts {
    /// Adds another second's.
    pub(crate) fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(sum, more)| *sum = sum.saturating_add(*more));
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.0.iter().map(|&count| u64::from(count)).sum()
    }

    /// The time in ms that a share of `quantile` (0 to 1) did not exceed; `None` without any times.
    pub(crate) fn quantile(&self, quantile: f64) -> Option<f64> {
        let wanted = ((self.count() as f64 * quantile).ceil() as u64).max(1);
        let mut seen = 0;
        let found = self.0.iter().position(|&count| {
            seen += u64::from(count);
            seen >= wanted
        });
        found.map(longest_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_right_to_three_per_cent() {
        for us in (1..70_000u64).chain([1_000_000, 66_000_000]) {
            let window = Window::default();
            window.record(us as f64 / 1000.0);
            let told = window.drain().quantile(0.5).unwrap() * 1000.0;
            assert!(told >= us as f64 && told <= us as f64 * 1.04 + 1.0, "{us}: {told}");
        }
        let window = Window::default();
        [-1.0, 0.0, f64::NAN, f64::INFINITY, 1e12].iter().for_each(|&ms| window.record(ms));
        assert_eq!(window.drain().count(), 5);
    }

    #[test]
    fn a_look_takes_what_came_since_the_last_and_seconds_add_up() {
        let window = Window::default();
        (1..=100).for_each(|ms| window.record(f64::from(ms)));
        let mut sum = window.drain();
        assert_eq!((sum.count(), window.drain().count()), (100, 0));
        assert_eq!(window.drain().quantile(0.5), None);
        let p50 = sum.quantile(0.5).unwrap();
        assert!((50.0..52.0).contains(&p50), "{p50}");
        window.record(5_000.0);
        sum.add(&window.drain());
        assert!(sum.quantile(1.0).unwrap() >= 5_000.0);
    }
}
