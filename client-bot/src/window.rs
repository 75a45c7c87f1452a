//! Distributions of times over all bots at once. Comes in: times, from any thread. Goes out: counts, when the fleet looks
//! once a second. Nobody waits for anybody here, and no bot has a distribution of its own: for thousands of them these
//! would be in nobody's cache.

use serde::{Deserialize, Serialize};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Buckets per doubling: times are right to one per cent.
const STEPS: u64 = 128;
/// Doublings of `STEPS` microseconds that are told apart: up to 268 s, and longer times count as that. Bots try for 120 s
/// to come back.
const DOUBLINGS: u64 = 22;
/// A frame is on time when it comes within so many ticks of the one before.
const ON_TIME_TICKS: f64 = 1.5;
const BUCKETS: usize = (STEPS * DOUBLINGS) as usize;

/// Times of many bots since the last look; 11 KB from the first time on.
#[derive(Debug, Default)]
pub(crate) struct Window(OnceLock<Box<[AtomicU32]>>);

impl Window {
    /// Takes a time down.
    pub(crate) fn record(&self, ms: f64) {
        // A cast of an f64 saturates, so whatever comes has a bucket.
        self.counts()[bucket((ms * 1000.0) as u64)].fetch_add(1, Relaxed);
    }

    fn counts(&self) -> &[AtomicU32] {
        self.0.get_or_init(|| (0..BUCKETS).map(|_| AtomicU32::new(0)).collect())
    }

    /// Adds times that were taken down elsewhere.
    fn take_in(&self, others: &Counts) {
        if !others.0.is_empty() {
            for (count, &more) in self.counts().iter().zip(&others.0) {
                count.fetch_add(more as u32, Relaxed);
            }
        }
    }

    /// Takes a time down of something that was to be done every `every_ms` and had to wait for the last to be over:
    /// those that it kept from happening would have taken so much less each.
    pub(crate) fn record_expected(&self, ms: f64, every_ms: f64) {
        let mut left = ms;
        self.record(left);
        while left > every_ms {
            left -= every_ms;
            self.record(left);
        }
    }

    /// What came since the last call.
    pub(crate) fn drain(&self) -> Counts {
        let counts = self.0.get().into_iter().flatten();
        let counts: Vec<_> = counts.map(|count| u64::from(count.swap(0, Relaxed))).collect();
        Counts(if counts.iter().all(|&count| count == 0) { Vec::new() } else { counts })
    }
}

/// One of something for each kind of time that bots measure.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Times<T> {
    /// From a ping to its pong, less what it waited at the server for a tick.
    pub(crate) round_trip: T,
    /// From when an input was due to decoding the frame whose tick used it.
    pub(crate) input_to_frame: T,
    /// From a frame's tick to decoding it, by the shortest delay that the bot has seen.
    pub(crate) frame_age: T,
    /// From one decoded frame to the next.
    pub(crate) frame_interval: T,
    /// From a lost line to the next welcome.
    pub(crate) way_back: T,
    /// From when a bot was to look at its clock to when it did: what the load generator itself is late.
    pub(crate) lateness: T,
}

impl Times<Window> {
    /// Adds times that were taken down elsewhere.
    pub(crate) fn take_in(&self, others: &Times<Counts>) {
        self.round_trip.take_in(&others.round_trip);
        self.input_to_frame.take_in(&others.input_to_frame);
        self.frame_age.take_in(&others.frame_age);
        self.frame_interval.take_in(&others.frame_interval);
        self.way_back.take_in(&others.way_back);
        self.lateness.take_in(&others.lateness);
    }

    /// What came since the last call.
    pub(crate) fn drain(&self) -> Times<Counts> {
        Times {
            round_trip: self.round_trip.drain(),
            input_to_frame: self.input_to_frame.drain(),
            frame_age: self.frame_age.drain(),
            frame_interval: self.frame_interval.drain(),
            way_back: self.way_back.drain(),
            lateness: self.lateness.drain(),
        }
    }
}

impl Times<Counts> {
    /// Whether there is not one.
    pub(crate) fn is_empty(&self) -> bool {
        let Self { round_trip, input_to_frame, frame_age, frame_interval, way_back, lateness } =
            self;
        let all = [round_trip, input_to_frame, frame_age, frame_interval, way_back, lateness];
        all.into_iter().all(|counts| counts.0.is_empty())
    }

    /// Adds others.
    pub(crate) fn add(&mut self, other: &Self) {
        self.round_trip.add(&other.round_trip);
        self.input_to_frame.add(&other.input_to_frame);
        self.frame_age.add(&other.frame_age);
        self.frame_interval.add(&other.frame_interval);
        self.way_back.add(&other.way_back);
        self.lateness.add(&other.lateness);
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

/// Times by bucket; empty where there is none.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Counts(Vec<u64>);

impl Counts {
    /// Adds others.
    pub(crate) fn add(&mut self, other: &Self) {
        self.0.resize(self.0.len().max(other.0.len()), 0);
        self.0.iter_mut().zip(&other.0).for_each(|(sum, more)| *sum += more);
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The time in ms that a share of `quantile` (0 to 1) did not exceed; `None` without any times.
    pub(crate) fn quantile(&self, quantile: f64) -> Option<f64> {
        let wanted = ((self.count() as f64 * quantile).ceil() as u64).max(1);
        let mut seen = 0;
        let found = self.0.iter().position(|&count| {
            seen += count;
            seen >= wanted
        });
        found.map(longest_ms)
    }

    /// The share, 0 to 1, that took no longer than `ms`; `None` without any times.
    fn share_within(&self, ms: f64) -> Option<f64> {
        let all = self.count();
        let within = self.0.iter().enumerate().take_while(|&(bucket, _)| longest_ms(bucket) <= ms);
        (all > 0).then(|| within.map(|(_, count)| count).sum::<u64>() as f64 / all as f64)
    }
}

/// The share of intervals between frames that were on time, in per cent: no longer than [`ON_TIME_TICKS`], right to one
/// per cent of that time. Nothing without any, or where nobody knows the tick rate.
pub(crate) fn on_time_percent(intervals: &Counts, tick_rate: u16) -> Option<f64> {
    let tick_ms = 1000.0 / f64::from(tick_rate);
    (tick_rate > 0)
        .then(|| intervals.share_within(ON_TIME_TICKS * tick_ms))?
        .map(|share| 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_right_to_one_per_cent() {
        for us in (1..70_000u64).chain([1_000_000, 66_000_000, 120_000_000]) {
            let window = Window::default();
            window.record(us as f64 / 1000.0);
            let told = window.drain().quantile(0.5).unwrap() * 1000.0;
            assert!(told >= us as f64 && told <= us as f64 * 1.008 + 1.0, "{us}: {told}");
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

    #[test]
    fn a_frame_is_on_time_within_a_tick_and_a_half() {
        let window = Window::default();
        [1.0, 33.3, 49.0, 51.0, 66.7, 500.0, 33.4, 33.2].iter().for_each(|&ms| window.record(ms));
        let intervals = window.drain();
        assert_eq!(on_time_percent(&intervals, 30), Some(62.5));
        assert_eq!(on_time_percent(&intervals, 20), Some(87.5));
        assert_eq!(on_time_percent(&intervals, 0), None);
        assert_eq!(on_time_percent(&Counts::default(), 30), None);
    }

    #[test]
    fn a_long_wait_counts_for_all_that_it_kept_from_happening() {
        let window = Window::default();
        window.record_expected(900.0, 1000.0);
        window.record_expected(3_500.0, 1000.0);
        let times = window.drain();
        assert_eq!(times.count(), 5);
        assert!((480.0..520.0).contains(&times.quantile(0.2).unwrap()));
        assert!((2_450.0..2_550.0).contains(&times.quantile(0.8).unwrap()));
    }
}
