//! Adds up what bots saw. Comes in: one [`Life`] per bot, and the times that bots took down. Goes out: sums, from which
//! [`crate::report`] is made.

use crate::behaviour::Behaviour;
use crate::bot::Errand;
use crate::ending::Ending;
use crate::network::Preset;
use crate::window::{Counts, Times};
use serde::{Deserialize, Serialize};
use shared::netcode::client::Stats;
use std::collections::BTreeMap;

/// What a bot brought back.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Life {
    pub(crate) errand: Errand,
    pub(crate) ending: Ending,
    /// From the welcome to the end, in ms; `None` when there was no welcome.
    pub(crate) played_ms: Option<f64>,
    /// How often it was let in.
    pub(crate) joins: u32,
    /// How often it lost its line and came back.
    pub(crate) returns: u32,
    /// How often its seat was gone then.
    pub(crate) lost_seats: u32,
    /// Whether it had lost its line at the end, and was not back.
    pub(crate) away: bool,
    pub(crate) stats: Stats,
    /// Bytes of all messages sent.
    pub(crate) sent_bytes: u64,
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
            lost_seats: 0,
            away: false,
            stats: Stats::default(),
            sent_bytes: 0,
        }
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
    sum.contents.add(&one.contents);
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

    /// Adds times that bots of a sort took down.
    pub(crate) fn add_times(&mut self, sort: Sort, times: &Times<Counts>) {
        self.all.latencies.add(times);
        self.by_preset.entry(sort.preset).or_insert_with(Tally::new).latencies.add(times);
        self.by_behaviour.entry(sort.behaviour).or_insert_with(Tally::new).latencies.add(times);
    }
}

/// What a bot is, as far as bots have that in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Sort {
    pub(crate) preset: Preset,
    pub(crate) behaviour: Behaviour,
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
    /// Bots that were called back when they had lost their lines and were not back.
    pub(crate) still_away: u32,
    /// How often bots were let in.
    pub(crate) joins: u64,
    /// How often bots lost their lines and came back.
    pub(crate) returns: u64,
    /// How often their seats were gone then.
    pub(crate) lost_seats: u64,
    /// How many bots met with what.
    pub(crate) mishaps: BTreeMap<Mishap, u32>,
    /// The time that all bots played, in ms.
    pub(crate) played_ms: f64,
    /// Bytes of all messages sent.
    pub(crate) sent_bytes: u64,
    /// The counts of all clients; what is no count stays 0, the tick rate is any client's.
    pub(crate) stats: Stats,
    pub(crate) latencies: Times<Counts>,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            lives: 0,
            connected: 0,
            failed: 0,
            thrown_out: 0,
            unfinished: 0,
            still_away: 0,
            joins: 0,
            returns: 0,
            lost_seats: 0,
            mishaps: BTreeMap::new(),
            played_ms: 0.0,
            sent_bytes: 0,
            stats: Stats::default(),
            latencies: Times::default(),
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
        self.lost_seats += u64::from(life.lost_seats);
        add_stats(&mut self.stats, &life.stats);
        let (code, sentence) = match &life.ending {
            Ending::CalledBack => {
                self.unfinished += u32::from(!joined);
                self.still_away += u32::from(life.away);
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
    use crate::window::Window;

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
        tally.add(&Life { away: true, ..life(Ending::CalledBack, Some(250.0)) });
        let counts = (tally.connected, tally.failed, tally.thrown_out, tally.unfinished);
        assert_eq!((counts, tally.still_away), ((4, 4, 2, 1), 1));
        assert_eq!(tally.played_ms, 2000.0);
        assert_eq!(tally.mishaps.values().sum::<u32>(), 6);
        let twice = Mishap { thrown_out: false, code: Some(1013), sentence: "full".into() };
        assert_eq!(tally.mishaps[&twice], 2);
    }

    #[test]
    fn counts_and_times_add_up() {
        let mut tallies = Tallies::new();
        for n in 1..=3u64 {
            let window = Window::default();
            (0..100).for_each(|i| window.record((n * 100 + i) as f64));
            let stats = Stats { frames: n, late_inputs: 10 * n, tick_rate: 30, ..Stats::default() };
            let base = life(Ending::CalledBack, Some(1.0));
            tallies.add(&Life { stats, sent_bytes: n, ..base });
            let sort = Sort { preset: Preset::Perfect, behaviour: Behaviour::Fight };
            let times = Times { round_trip: window.drain(), ..Times::default() };
            tallies.add_times(sort, &times);
        }
        let tally = &tallies.by_behaviour[&Behaviour::Fight];
        let stats = tally.stats;
        assert_eq!((stats.frames, stats.late_inputs, stats.tick_rate), (6, 60, 30));
        assert_eq!(tally.sent_bytes, 6);
        let round_trip = &tally.latencies.round_trip;
        assert_eq!(round_trip.count(), 300);
        assert_eq!(tallies.all.latencies.round_trip.count(), 300);
        let median = round_trip.quantile(0.5).unwrap();
        assert!((247.0..=253.0).contains(&median), "{median}");
        assert_eq!(tally.latencies.frame_interval.quantile(0.5), None);
    }
}
