//! How long ticks take, stage by stage, and how late they begin. A session has no clock: the loop hands it a
//! function to call at the end of each stage, and looks at the clock there.

use super::make::Maker;
use prometheus::Histogram;
use std::time::{Duration, Instant};

macro_rules! stages {
    ($($(#[$doc:meta])* $name:ident = $label:literal;)*) => {
        /// A part of a tick's work.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Stage { $($(#[$doc])* $name),* }

        impl Stage {
            /// All of them, in their order.
            pub const ALL: [Self; [$(Self::$name),*].len()] = [$(Self::$name),*];

            /// Their names in the metrics.
            pub const LABELS: [&'static str; Self::ALL.len()] = [$($label),*];
        }
    };
}

impl Stage {
    /// Its name in the metrics.
    pub fn label(self) -> &'static str {
        Self::LABELS[self as usize]
    }

    /// What comes behind it; behind the last one there is more that counts as [`Self::Seats`].
    pub(crate) fn next(self) -> Self {
        Self::ALL.get(self as usize + 1).copied().unwrap_or(Self::Seats)
    }
}

stages! {
    /// What came since the last tick goes from the queue into the session.
    Drain = "drain";
    /// Who comes and goes: lost seats, computer pilots, rounds, and who is dead.
    Seats = "seats";
    /// Everybody's input is taken, and computer pilots think.
    Inputs = "inputs";
    /// The game's step.
    Step = "step";
    /// The world becomes rows, and these are compared with the last tick's.
    Publish = "publish";
    /// The world is sorted for views.
    Interest = "interest";
    /// Chat, events, standings.
    Talk = "talk";
    /// A frame for everybody.
    Frames = "frames";
}

/// Upper bounds of buckets for one stage, in seconds. A tick of a small session takes tens of microseconds, one of
/// a thousand ships some milliseconds.
const STAGE_BUCKETS: [f64; 15] = [
    10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2e-3, 4e-3, 7.8e-3, 16e-3, 33e-3, 66e-3,
    0.15, 0.5,
];

/// Upper bounds of buckets for all of a tick's work, in seconds: at 30 Hz there are 33 ms for it, at 128 Hz 7.8. Narrow
/// where a percentile decides whether a machine can do more: between 2 and 33 ms.
const WORK_BUCKETS: [f64; 27] = [
    10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 1.5e-3, 2e-3, 2.5e-3, 3e-3, 4e-3, 5e-3,
    6e-3, 7.8e-3, 9e-3, 10e-3, 12e-3, 14e-3, 16e-3, 20e-3, 25e-3, 33e-3, 50e-3, 66e-3, 0.15, 0.5,
];

/// Upper bounds of buckets for lateness, in seconds. Narrow up to some milliseconds, by which ticks of many sessions are
/// late that are due together; a tick of 30 Hz that begins 33 ms late is two at once, one after 166 ms drops time.
const LATE_BUCKETS: [f64; 21] = [
    0.1e-3, 0.25e-3, 0.5e-3, 0.75e-3, 1e-3, 1.25e-3, 1.5e-3, 1.75e-3, 2e-3, 2.5e-3, 3e-3, 3.5e-3,
    4e-3, 5e-3, 7e-3, 10e-3, 20e-3, 33e-3, 66e-3, 0.166, 0.5,
];

/// Of so many ticks at most that were due at one wake-up the lateness is kept, the latest ones first: half a minute's at
/// 30 Hz. A process that was stopped for a day has not to work for it when it goes on.
const LATE_TICKS_MAX: u64 = 1000;

/// How long ticks take and how late they begin, over all sessions.
#[derive(Debug)]
pub struct TickTimes {
    stages: [Histogram; Stage::ALL.len()],
    work: Histogram,
    lateness: Histogram,
}

impl TickTimes {
    pub(super) fn new(make: &Maker) -> Self {
        Self {
            stages: make.spreads(
                "gamekeeper_tick_stage_seconds",
                "Time that one stage of a tick took.",
                &STAGE_BUCKETS,
                "stage",
                Stage::LABELS,
            ),
            work: make.spread(
                "gamekeeper_tick_work_seconds",
                "Time that all the work of a tick took.",
                &WORK_BUCKETS,
            ),
            lateness: make.spread(
                "gamekeeper_tick_start_jitter_seconds",
                "How much later than planned a session's loop woke up for a tick; of several that were due or dropped, for each.",
                &LATE_BUCKETS,
            ),
        }
    }

    /// A loop woke up this long after the first of so many ticks was due, with a tick between each two of them. Each
    /// counts by itself: were a second's standstill one late tick, a percentile would not show it.
    pub(crate) fn woke(&self, late: Duration, due: u64, tick: Duration) {
        for earlier in 0..due.min(LATE_TICKS_MAX) as u32 {
            self.lateness.observe(late.saturating_sub(tick * earlier).as_secs_f64());
        }
    }

    /// Of how many ticks the lateness was kept.
    #[cfg(test)]
    pub(crate) fn woken(&self) -> u64 {
        self.lateness.get_sample_count()
    }

    /// A tick begins.
    pub(crate) fn begin(&self) -> Laps {
        Laps { last: Instant::now(), spent: [Duration::ZERO; Stage::ALL.len()] }
    }

    /// A tick is done. What was drained, and what is not one stage's, belongs to the first of several ticks.
    pub(crate) fn end(&self, laps: &Laps) {
        for (histogram, spent) in self.stages.iter().zip(laps.spent) {
            histogram.observe(spent.as_secs_f64());
        }
        self.work.observe(laps.spent.iter().sum::<Duration>().as_secs_f64());
    }
}

/// The stages of one tick, as they pass.
#[derive(Debug)]
pub struct Laps {
    last: Instant,
    spent: [Duration; Stage::ALL.len()],
}

impl Laps {
    /// What was done since the last call was `stage`.
    pub(crate) fn lap(&mut self, stage: Stage) {
        let now = Instant::now();
        self.spent[stage as usize] += now - self.last;
        self.last = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    #[test]
    fn each_stage_has_its_time_and_the_whole_has_all() {
        let metrics = Metrics::default();
        let mut laps = metrics.ticks.begin();
        Stage::ALL.into_iter().for_each(|stage| laps.lap(stage));
        laps.lap(Stage::Seats);
        metrics.ticks.end(&laps);
        let stages = &metrics.ticks.stages;
        assert!(stages.iter().all(|stage| stage.get_sample_count() == 1));
        let sum: f64 = stages.iter().map(Histogram::get_sample_sum).sum();
        assert!((sum - metrics.ticks.work.get_sample_sum()).abs() < 1e-9);
        let labels = Stage::LABELS.map(str::len);
        assert!(labels.iter().all(|&letters| letters > 0));
    }

    #[test]
    fn every_tick_that_was_missed_is_late_by_its_own_time() {
        let ms = Duration::from_millis;
        let late = Metrics::default().ticks;
        // A second in which nothing happened, and nine in which every tick was in time.
        late.woke(ms(990), 30, ms(33));
        (0..270).for_each(|_| late.woke(Duration::ZERO, 1, ms(33)));
        let late = &late.lateness;
        assert_eq!(late.get_sample_count(), 300);
        let expected: f64 = (1..=30).map(|missed| 0.033 * f64::from(missed)).sum();
        assert!((late.get_sample_sum() - expected).abs() < 1e-9, "{}", late.get_sample_sum());

        let stopped = Metrics::default().ticks;
        stopped.woke(Duration::from_secs(86_400), u64::MAX, ms(33));
        stopped.woke(ms(1), 0, ms(33));
        assert_eq!(stopped.lateness.get_sample_count(), LATE_TICKS_MAX);
    }
}
