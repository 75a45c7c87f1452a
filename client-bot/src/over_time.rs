//! How a run goes second by second. Comes in: the board, and the server's metrics, once a second. Goes out: a sample for
//! each second.

use crate::generator::Cpu;
use crate::metrics::{Scrape, ServerFigures};
use crate::progress::{Board, Standing};
use crate::tally::Sort;
use crate::window::{Counts, Times, on_time_percent};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// Time between two samples.
pub(crate) const SAMPLE_EVERY: Duration = Duration::from_secs(1);
/// Samples that are kept; when there are more, every second one of them is left out: four hours are kept by the second.
const SAMPLES_MAX: usize = 14_400;

/// One second of a run. Rates are per second, over all bots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Sample {
    /// Its end, in seconds since the start.
    pub at_s: f64,
    /// Bots that play at its end.
    pub playing: u32,
    /// Bots that failed or were thrown out until then.
    pub fallen_out: u32,
    /// Frames.
    pub frames_per_second: f64,
    /// Bytes of messages received.
    pub received_bytes_per_second: f64,
    /// Inputs.
    pub inputs_per_second: f64,
    /// Corrections of predictions.
    pub corrections_per_second: f64,
    /// Checksums that differed until then.
    pub mismatches: u64,
    /// From a tick to decoding its frame.
    pub frame_age_ms: Brief,
    /// From an input to the frame that confirms it.
    pub input_to_frame_ms: Brief,
    /// From one frame to the next.
    pub frame_interval_ms: Brief,
    /// Frames that came within one and a half ticks of the one before, in per cent; nothing without any.
    pub frames_on_time_percent: Option<f64>,
    /// How late bots woke up.
    pub tick_lateness_ms: Brief,
    /// Processor time of the bots, in per cent of one core.
    pub generator_cpu_percent: Option<f64>,
    /// The server's own figures, where they can be read.
    pub server: Option<ServerFigures>,
}

/// A distribution within a second, in ms, right to one per cent; nothing without any times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Brief {
    /// Half of them took no longer.
    pub p50: Option<f64>,
    /// 99 per cent.
    pub p99: Option<f64>,
}

impl Brief {
    fn of(counts: &Counts) -> Self {
        Self { p50: counts.quantile(0.5), p99: counts.quantile(0.99) }
    }
}

/// Takes the samples.
#[derive(Debug)]
pub(crate) struct Sampler {
    at: f64,
    cpu: Cpu,
    standing: Standing,
    server: Option<Scrape>,
    samples: Vec<Sample>,
    /// All times of the run so far, by sort of bot.
    whole: BTreeMap<Sort, Times<Counts>>,
}

impl Sampler {
    pub(crate) fn new(server: Option<Scrape>) -> Self {
        let (samples, whole) = (Vec::new(), BTreeMap::new());
        Self { at: 0.0, cpu: Cpu::now(), standing: Standing::default(), server, samples, whole }
    }

    /// A second is over: `seconds` after the start the board stands so, and the server, if it answered.
    pub(crate) fn take(
        &mut self,
        seconds: f64,
        board: &Board,
        server: Option<Scrape>,
    ) -> Times<Counts> {
        let second = self.drain(board);
        let (before, now, cpu) = (self.standing, board.standing(), Cpu::now());
        let passed = (seconds - self.at).max(1e-3);
        let per_second = |before: u64, now: u64| (now - before) as f64 / passed;
        let sample = Sample {
            at_s: seconds,
            playing: now.playing,
            fallen_out: now.fallen_out(),
            frames_per_second: per_second(before.frames, now.frames),
            received_bytes_per_second: per_second(before.bytes, now.bytes),
            inputs_per_second: per_second(before.inputs, now.inputs),
            corrections_per_second: per_second(before.corrections, now.corrections),
            mismatches: now.mismatches,
            frame_age_ms: Brief::of(&second.frame_age),
            input_to_frame_ms: Brief::of(&second.input_to_frame),
            frame_interval_ms: Brief::of(&second.frame_interval),
            frames_on_time_percent: on_time_percent(&second.frame_interval, now.tick_rate),
            tick_lateness_ms: Brief::of(&second.lateness),
            generator_cpu_percent: cpu.cores_since(&self.cpu).map(|cores| 100.0 * cores),
            server: server
                .as_ref()
                .zip(self.server.as_ref())
                .and_then(|(now, before)| now.since(before)),
        };
        if self.samples.len() == SAMPLES_MAX {
            let mut number = 0;
            self.samples.retain(|_| {
                number += 1;
                number % 2 == 0
            });
        }
        self.samples.push(sample);
        (self.at, self.cpu, self.standing) = (seconds, cpu, now);
        if server.is_some() {
            self.server = server;
        }
        second
    }

    /// Takes the times of all bots off the board; their sum.
    fn drain(&mut self, board: &Board) -> Times<Counts> {
        let mut second = Times::default();
        for (sort, times) in board.drain() {
            second.add(&times);
            if !times.is_empty() {
                self.whole.entry(sort).or_default().add(&times);
            }
        }
        second
    }

    /// All times of the run, up to now.
    pub(crate) fn times(&mut self, board: &Board) -> &BTreeMap<Sort, Times<Counts>> {
        self.drain(board);
        &self.whole
    }

    pub(crate) fn into_samples(self) -> Vec<Sample> {
        self.samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::behaviour::Behaviour;
    use crate::network::Preset;

    const SORT: Sort = Sort { preset: Preset::Perfect, behaviour: Behaviour::Fight };

    #[test]
    fn rates_are_over_the_time_that_passed_and_long_runs_are_thinned() {
        let (board, mut sampler) = (Board::default(), Sampler::new(None));
        board.joined(30);
        board.heard(60, 0);
        board.windows(SORT).frame_age.record(20.0);
        [33.0, 34.0, 33.0, 80.0]
            .iter()
            .for_each(|&ms| board.windows(SORT).frame_interval.record(ms));
        let second = sampler.take(2.0, &board, None);
        assert_eq!(second.frame_age.count(), 1);
        for at in 0..SAMPLES_MAX {
            sampler.take(3.0 + at as f64, &board, None);
        }
        let first = Sample { playing: 1, ..Sample::default() };
        let samples = sampler.into_samples();
        assert_eq!(samples.len(), SAMPLES_MAX / 2 + 1);
        assert_eq!(samples[0].playing, first.playing);
        assert!(samples.is_sorted_by(|a, b| a.at_s < b.at_s));
        let mut sampler = Sampler::new(None);
        let board = Board::default();
        board.heard(60, 0);
        board.windows(SORT).frame_age.record(20.0);
        sampler.take(2.0, &board, None);
        let samples = sampler.into_samples();
        assert_eq!(samples[0].frames_per_second, 30.0);
        assert!((20.0..21.0).contains(&samples[0].frame_age_ms.p99.unwrap()));
    }
}
