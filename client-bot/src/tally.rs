//! Adds up what bots saw. Comes in: one [`Life`] per bot. Goes out: sums and distributions, from which
//! [`crate::report`] is made.

use crate::behaviour::Behaviour;
use crate::bot::Errand;
use crate::ending::Ending;
use crate::network::Preset;
use hdrhistogram::Histogram;
use shared::netcode::client::Stats;
use std::collections::BTreeMap;

/// The longest time that is told apart, in microseconds; longer ones count as this.
const LONGEST_US: u64 = 60_000_000;
/// Digits that count: times are right to one per cent, and a histogram is 10 KB for each bot to fill
/// by itself, without locks.
const DIGITS: u8 = 2;

/// What a bot brought back.
#[derive(Debug)]
pub(crate) struct Life {
    pub(crate) errand: Errand,
    pub(crate) ending: Ending,
    /// From the welcome to the end, in ms; `None` when there was no welcome.
    pub(crate) played_ms: Option<f64>,
    /// How often it was let in.
    pub(crate) joins: u32,
    /// How often it lost its line and came back.
    pub(crate) returns: u32,
    pub(crate) stats: Stats,
    /// Bytes of all messages sent.
    pub(crate) sent_bytes: u64,
    pub(crate) latencies: Option<Latencies>,
}

impl Life {
    /// The life of a bot that never had a connection.
    pub(crate) fn without_a_line(errand: Errand, ending: Ending) -> Self {
        Self {
            errand,
            ending,
            played_ms: None,
            joins: 0,
            returns: 0,
            stats: Stats::default(),
            sent_bytes: 0,
            latencies: None,
        }
    }
}

/// How long things took.
#[derive(Clone, Debug)]
pub(crate) struct Latencies {
    /// From a ping to its pong.
    pub(crate) round_trip: Times,
    /// From sending an input to decoding the frame whose tick used it.
    pub(crate) input_to_frame: Times,
    /// From a frame's tick to decoding it, by the shortest delay that the bot has seen.
    pub(crate) frame_age: Times,
    /// From one decoded frame to the next.
    pub(crate) frame_interval: Times,
    /// From a lost line to the next welcome.
    pub(crate) way_back: Times,
    /// From when a bot was to look at its clock to when it did: what the load generator itself is late.
    pub(crate) lateness: Times,
}

impl Latencies {
    pub(crate) fn new() -> Self {
        let times = Times::new;
        Self {
            round_trip: times(),
            input_to_frame: times(),
            frame_age: times(),
            frame_interval: times(),
            way_back: times(),
            lateness: times(),
        }
    }

    fn add(&mut self, other: &Self) {
        self.round_trip.add(&other.round_trip);
        self.input_to_frame.add(&other.input_to_frame);
        self.frame_age.add(&other.frame_age);
        self.frame_interval.add(&other.frame_interval);
        self.way_back.add(&other.way_back);
        self.lateness.add(&other.lateness);
    }
}

/// A distribution of times.
#[derive(Clone, Debug)]
pub(crate) struct Times(Histogram<u32>);

impl Times {
    fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, LONGEST_US, DIGITS);
        Self(histogram.expect("bounds and digits that make sense"))
    }

    /// Takes a time down; one below a microsecond counts as that.
    pub(crate) fn record(&mut self, ms: f64) {
        // A cast of an f64 saturates, so whatever comes is within the bounds.
        self.0.saturating_record(((ms * 1000.0).round() as u64).max(1));
    }

    /// Takes a time down of something that was to be done every `every_ms` and had to wait for the last to be over:
    /// those that it kept from happening would have taken so much less each.
    pub(crate) fn record_expected(&mut self, ms: f64, every_ms: f64) {
        let mut left = ms;
        self.record(left);
        while left > every_ms {
            left -= every_ms;
            self.record(left);
        }
    }

    fn add(&mut self, other: &Self) {
        self.0.add(&other.0).expect("the same bounds");
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    /// The time in ms that a share of `quantile` (0 to 1) did not exceed; `None` without any times.
    pub(crate) fn quantile(&self, quantile: f64) -> Option<f64> {
        (self.count() > 0).then(|| self.0.value_at_quantile(quantile) as f64 / 1000.0)
    }
}

/// Adds the counts of a client; what is no count stays as it was, the tick rate is any client's.
pub(crate) fn add_stats(sum: &mut Stats, one: &Stats) {
    sum.corrections += one.corrections;
    sum.keyframes += one.keyframes;
    sum.mismatches += one.mismatches;
    sum.refused += one.refused;
    sum.resyncs += one.resyncs;
    sum.frames += one.frames;
    sum.bytes += one.bytes;
    sum.frame_bits.add(&one.frame_bits);
    sum.inputs += one.inputs;
    sum.late_inputs += one.late_inputs;
    sum.tick_rate = sum.tick_rate.max(one.tick_rate);
}

/// What went wrong for a bot, as far as bots have that in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mishap {
    /// Whether the bot had been let in before.
    pub(crate) thrown_out: bool,
    /// Close code, if the server gave one.
    pub(crate) code: Option<u16>,
    /// What was said.
    pub(crate) sentence: String,
}

/// The sum of all lives, and of those on each network.
#[derive(Clone, Debug)]
pub(crate) struct Tallies {
    pub(crate) all: Tally,
    pub(crate) by_preset: BTreeMap<Preset, Tally>,
    pub(crate) by_behaviour: BTreeMap<Behaviour, Tally>,
}

impl Tallies {
    pub(crate) fn new() -> Self {
        Self { all: Tally::new(), by_preset: BTreeMap::new(), by_behaviour: BTreeMap::new() }
    }

    /// Adds a bot's life.
    pub(crate) fn add(&mut self, life: &Life) {
        self.all.add(life);
        self.by_preset.entry(life.errand.preset).or_insert_with(Tally::new).add(life);
        self.by_behaviour.entry(life.errand.behaviour).or_insert_with(Tally::new).add(life);
    }
}

/// The sum of lives.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    /// All bots that are back.
    pub(crate) lives: u32,
    /// Bots that were let in.
    pub(crate) connected: u32,
    /// Bots that were never let in, though there was time.
    pub(crate) failed: u32,
    /// Bots that were let in and did not stay to the end.
    pub(crate) thrown_out: u32,
    /// Bots that were called back before they were let in.
    pub(crate) unfinished: u32,
    /// How often bots were let in.
    pub(crate) joins: u64,
    /// How often bots lost their lines and came back.
    pub(crate) returns: u64,
    /// How many bots met with what.
    pub(crate) mishaps: BTreeMap<Mishap, u32>,
    /// The time that all bots played, in ms.
    pub(crate) played_ms: f64,
    /// Bytes of all messages sent.
    pub(crate) sent_bytes: u64,
    /// The counts of all clients; what is no count stays 0, the tick rate is any client's.
    pub(crate) stats: Stats,
    pub(crate) latencies: Latencies,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            lives: 0,
            connected: 0,
            failed: 0,
            thrown_out: 0,
            unfinished: 0,
            joins: 0,
            returns: 0,
            mishaps: BTreeMap::new(),
            played_ms: 0.0,
            sent_bytes: 0,
            stats: Stats::default(),
            latencies: Latencies::new(),
        }
    }

    /// Adds a bot's life.
    pub(crate) fn add(&mut self, life: &Life) {
        let joined = life.played_ms.is_some();
        self.lives += 1;
        self.connected += u32::from(joined);
        self.played_ms += life.played_ms.unwrap_or(0.0);
        self.sent_bytes += life.sent_bytes;
        self.joins += u64::from(life.joins);
        self.returns += u64::from(life.returns);
        if let Some(latencies) = &life.latencies {
            self.latencies.add(latencies);
        }
        add_stats(&mut self.stats, &life.stats);
        let (code, sentence) = match &life.ending {
            Ending::CalledBack => {
                self.unfinished += u32::from(!joined);
                return;
            }
            Ending::NoLine(why) | Ending::Broken(why) => (None, why.clone()),
            Ending::NoWelcome => (None, "no welcome came after the hello".into()),
            Ending::Closed { code, reason } => (Some(*code), reason.clone()),
        };
        if joined {
            self.thrown_out += 1;
        } else {
            self.failed += 1;
        }
        *self.mishaps.entry(Mishap { thrown_out: joined, code, sentence }).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errand() -> Errand {
        Errand { number: 0, preset: Preset::Perfect, behaviour: Behaviour::Fight }
    }

    fn life(ending: Ending, played_ms: Option<f64>) -> Life {
        Life { ending, played_ms, ..Life::without_a_line(errand(), Ending::CalledBack) }
    }

    #[test]
    fn every_ending_is_counted_once() {
        let mut tally = Tally::new();
        let full = || Ending::Closed { code: 1013, reason: "full".into() };
        tally.add(&life(Ending::CalledBack, Some(1000.0)));
        tally.add(&life(Ending::CalledBack, None));
        tally.add(&life(full(), None));
        tally.add(&life(full(), None));
        tally.add(&life(full(), Some(500.0)));
        tally.add(&life(Ending::NoLine("nobody".into()), None));
        tally.add(&life(Ending::NoWelcome, None));
        tally.add(&life(Ending::Broken("gone".into()), Some(250.0)));
        let counts = (tally.connected, tally.failed, tally.thrown_out, tally.unfinished);
        assert_eq!(counts, (3, 4, 2, 1));
        assert_eq!(tally.played_ms, 1750.0);
        assert_eq!(tally.mishaps.values().sum::<u32>(), 6);
        let twice = Mishap { thrown_out: false, code: Some(1013), sentence: "full".into() };
        assert_eq!(tally.mishaps[&twice], 2);
    }

    #[test]
    fn counts_and_times_add_up() {
        let mut tally = Tally::new();
        for n in 1..=3u64 {
            let mut latencies = Latencies::new();
            (0..100).for_each(|i| latencies.round_trip.record((n * 100 + i) as f64));
            let stats = Stats { frames: n, late_inputs: 10 * n, tick_rate: 30, ..Stats::default() };
            let base = life(Ending::CalledBack, Some(1.0));
            tally.add(&Life { stats, latencies: Some(latencies), sent_bytes: n, ..base });
        }
        let stats = tally.stats;
        assert_eq!((stats.frames, stats.late_inputs, stats.tick_rate), (6, 60, 30));
        assert_eq!(tally.sent_bytes, 6);
        let round_trip = &tally.latencies.round_trip;
        assert_eq!(round_trip.count(), 300);
        let median = round_trip.quantile(0.5).unwrap();
        assert!((247.0..=253.0).contains(&median), "{median}");
        assert_eq!(tally.latencies.frame_interval.quantile(0.5), None);
    }

    #[test]
    fn a_long_wait_counts_for_all_that_it_kept_from_happening() {
        let mut times = Times::new();
        times.record_expected(900.0, 1000.0);
        times.record_expected(3_500.0, 1000.0);
        assert_eq!(times.count(), 5);
        assert!((480.0..520.0).contains(&times.quantile(0.2).unwrap()));
        assert!((2_450.0..2_550.0).contains(&times.quantile(0.8).unwrap()));
    }

    #[test]
    fn any_time_fits() {
        let mut times = Times::new();
        for ms in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e12, 0.4] {
            times.record(ms);
        }
        assert_eq!(times.count(), 6);
        assert!(times.quantile(1.0).unwrap() >= 60_000.0);
        assert_eq!(times.quantile(0.1), Some(0.001));
    }
}
