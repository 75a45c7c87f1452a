//! From tallies to a report: means, percentiles, and what did not go well.

use super::{Bots, OnNetwork, PerPlayer, Percentiles, Reason, Report, Totals};
use crate::config::Config;
use crate::network::Preset;
use crate::tally::{Mishap, Tallies, Tally, Times};
use shared::wire::close::CloseCode;

/// What the fleet knows of a run beside what its bots brought back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) seconds: f64,
    pub(crate) set_out: u32,
    pub(crate) interrupted: bool,
}

impl Report {
    pub(crate) fn new(game: &str, config: &Config, run: Run, tallies: &Tallies) -> Self {
        let tally = &tallies.all;
        let Tally { stats, latencies, .. } = tally;
        let player_seconds = tally.played_ms / 1000.0;
        let per_second = |sum: u64| {
            if player_seconds > 0.0 { sum as f64 / player_seconds } else { 0.0 }
        };
        let mut report = Self {
            ok: true,
            faults: Vec::new(),
            url: config.url.to_string(),
            game: game.to_owned(),
            seconds: run.seconds,
            interrupted: run.interrupted,
            tick_rate: stats.tick_rate,
            bots: Bots {
                asked_for: config.bots,
                set_out: run.set_out,
                connected: tally.connected,
                failed: tally.failed,
                thrown_out: tally.thrown_out,
                unfinished: tally.unfinished,
                returns: tally.returns,
            },
            reasons: reasons(tally),
            per_player: PerPlayer {
                frames_per_second: per_second(stats.frames),
                received_bytes_per_second: per_second(stats.bytes),
                inputs_per_second: per_second(stats.inputs),
                sent_bytes_per_second: per_second(tally.sent_bytes),
                corrections_per_second: per_second(stats.corrections),
            },
            totals: Totals {
                player_seconds,
                frames: stats.frames,
                keyframes: stats.keyframes,
                keyframes_asked_for: stats.resyncs,
                received_bytes: stats.bytes,
                inputs: stats.inputs,
                late_inputs: stats.late_inputs,
                sent_bytes: tally.sent_bytes,
                corrections: stats.corrections,
                mismatches: stats.mismatches,
                unreadable: stats.refused,
            },
            round_trip_ms: Percentiles::of(&latencies.round_trip),
            input_to_frame_ms: Percentiles::of(&latencies.input_to_frame),
            frame_age_ms: Percentiles::of(&latencies.frame_age),
            way_back_ms: Percentiles::of(&latencies.way_back),
            frame_interval_ms: Percentiles::of(&latencies.frame_interval),
            networks: tallies.by_preset.iter().map(|(&p, tally)| OnNetwork::of(p, tally)).collect(),
        };
        report.faults = report.find_faults();
        report.ok = report.faults.is_empty();
        report
    }

    fn find_faults(&self) -> Vec<String> {
        let Self { bots, totals, .. } = self;
        let mut faults = Vec::new();
        let mut fault = |bad: bool, sentence: String| {
            if bad {
                faults.push(sentence);
            }
        };
        let of = |n: u32| format!("{n} of {}", bots.set_out);
        fault(bots.failed > 0, format!("{} bots were not let in.", of(bots.failed)));
        fault(bots.thrown_out > 0, format!("{} bots were thrown out.", of(bots.thrown_out)));
        // Whoever presses Ctrl-C during the ramp knows that not all are there yet.
        if !self.interrupted {
            let late = bots.unfinished;
            fault(late > 0, format!("{} bots were still waiting to be let in.", of(late)));
            let rest = bots.asked_for - bots.set_out;
            fault(rest > 0, format!("{rest} of {} bots never set out.", bots.asked_for));
        }
        let silent = bots.connected > 0 && totals.frames == 0;
        fault(silent, "Not one frame came.".into());
        let differed = totals.mismatches;
        fault(differed > 0, format!("{differed} checksums differed from the server's."));
        let unreadable = totals.unreadable;
        fault(unreadable > 0, format!("{unreadable} messages could not be read."));
        faults
    }
}

impl OnNetwork {
    fn of(network: Preset, tally: &Tally) -> Self {
        let Tally { stats, latencies, .. } = tally;
        Self {
            network,
            bots: tally.lives,
            round_trip_ms: Percentiles::of(&latencies.round_trip),
            frame_age_ms: Percentiles::of(&latencies.frame_age),
            input_to_frame_ms: Percentiles::of(&latencies.input_to_frame),
            frames: stats.frames,
            keyframes: stats.keyframes,
            inputs: stats.inputs,
            late_inputs: stats.late_inputs,
            mismatches: stats.mismatches,
        }
    }
}

impl Percentiles {
    fn of(times: &Times) -> Self {
        let at = |quantile| times.quantile(quantile).unwrap_or(0.0);
        Self {
            count: times.count(),
            p50: at(0.5),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            p99_9: at(0.999),
            max: at(1.0),
        }
    }
}

fn reasons(tally: &Tally) -> Vec<Reason> {
    let reason = |(mishap, &bots): (&Mishap, &u32)| Reason {
        what: if mishap.thrown_out { "thrown_out" } else { "failed" },
        bots,
        code: mishap.code,
        label: mishap.code.and_then(CloseCode::from_code).map(CloseCode::label),
        sentence: mishap.sentence.clone(),
    };
    let mut reasons: Vec<_> = tally.mishaps.iter().map(reason).collect();
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.bots));
    reasons
}
