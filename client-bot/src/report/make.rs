//! From tallies to a report: means, percentiles, and what did not go well.

use super::{
    Behaving, Bots, Content, Generator, OnNetwork, PerPlayer, Percentiles, Reason, Report, Totals,
};
use crate::behaviour::Behaviour;
use crate::capacity::Capacity;
use crate::config::Config;
use crate::generator;
use crate::metrics::ServerFigures;
use crate::network::Preset;
use crate::over_time::Sample;
use crate::tally::{Mishap, Tallies, Tally};
use crate::window::{Counts, on_time_percent};
use shared::netcode::client::Stats;
use shared::netcode::frame::FrameBits;
use shared::wire::close::CloseCode;

/// What the fleet knows of a run beside what its bots brought back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    /// From the start until all bots were back.
    pub(crate) seconds: f64,
    /// The most bots that there were to be at once.
    pub(crate) asked_for: u32,
    pub(crate) set_out: u32,
    pub(crate) interrupted: bool,
    /// Whether a process ended before the bots in it were called back.
    pub(crate) part_lost: bool,
    /// Sessions by code.
    pub(crate) sessions: usize,
    /// Cores that the process kept busy.
    pub(crate) cores_used: Option<f64>,
    pub(crate) server: Option<ServerFigures>,
    pub(crate) capacity: Option<Capacity>,
    pub(crate) over_time: Vec<Sample>,
}

impl Report {
    pub(crate) fn new(game: &str, config: &Config, run: Run, tallies: &Tallies) -> Self {
        let tally = &tallies.all;
        let Tally { stats, latencies, .. } = tally;
        let player_seconds = tally.played_ms / 1000.0;
        let per_second = |sum: u64| share(sum as f64, player_seconds);
        let mut report = Self {
            ok: true,
            faults: Vec::new(),
            url: config.url.to_string(),
            game: game.to_owned(),
            seconds: run.seconds,
            interrupted: run.interrupted,
            tick_rate: stats.tick_rate,
            bots: Bots {
                asked_for: run.asked_for,
                set_out: run.set_out,
                connected: tally.connected,
                failed: tally.failed,
                failed_percent: percent(tally.failed.into(), run.set_out.into()),
                thrown_out: tally.thrown_out,
                thrown_out_percent: percent(tally.thrown_out.into(), tally.connected.into()),
                unfinished: tally.unfinished,
                still_away: tally.still_away,
                returns: tally.returns,
                lost_seats: tally.lost_seats,
            },
            reasons: reasons(tally),
            per_player: PerPlayer {
                frames_per_second: per_second(stats.frames),
                received_bytes_per_second: per_second(stats.bytes),
                inputs_per_second: per_second(stats.inputs),
                sent_bytes_per_second: per_second(tally.sent_bytes),
                corrections_per_second: per_second(stats.corrections),
            },
            contents: contents(stats, player_seconds),
            totals: Totals {
                player_seconds,
                frames: stats.frames,
                keyframes: stats.keyframes,
                keyframes_asked_for: stats.resyncs,
                received_bytes: stats.bytes,
                inputs: stats.inputs,
                late_inputs: stats.late_inputs,
                late_inputs_percent: percent(stats.late_inputs, stats.inputs),
                sent_bytes: tally.sent_bytes,
                corrections: stats.corrections,
                mismatches: stats.mismatches,
                unreadable: stats.refused,
            },
            round_trip_ms: Percentiles::of_counts(&latencies.round_trip),
            input_to_frame_ms: Percentiles::of_counts(&latencies.input_to_frame),
            frame_age_ms: Percentiles::of_counts(&latencies.frame_age),
            way_back_ms: Percentiles::of_counts(&latencies.way_back),
            frame_interval_ms: Percentiles::of_counts(&latencies.frame_interval),
            frames_on_time_percent: on_time_percent(&latencies.frame_interval, stats.tick_rate),
            networks: tallies.by_preset.iter().map(|(&p, tally)| OnNetwork::of(p, tally)).collect(),
            behaviours: tallies
                .by_behaviour
                .iter()
                .map(|(&b, tally)| Behaving::of(b, tally))
                .collect(),
            sessions: run.sessions,
            generator: Generator::of(&latencies.lateness, run.cores_used),
            server: run.server,
            requirements: Vec::new(),
            capacity: run.capacity,
            over_time: run.over_time,
        };
        // A search has to break what is required; it says itself where, unless it ended before its first step did.
        if report.capacity.as_ref().is_none_or(|capacity| capacity.steps.is_empty()) {
            let json = serde_json::to_value(&report).expect("a struct of numbers and texts");
            report.requirements = config.results.bounds().map(|bound| bound.judge(&json)).collect();
        }
        report.faults = report.find_faults();
        let missing = run.set_out.saturating_sub(tally.lives);
        if run.part_lost || missing > 0 {
            let of = run.set_out;
            let fault = format!("A process of the bots' ended early, with {missing} of {of} bots.");
            report.faults.insert(0, fault);
        }
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
        let searched = self.capacity.as_ref();
        let nothing = searched.is_some_and(|found| found.bots == 0 && !found.steps.is_empty());
        fault(nothing, "Not even the first step held.".into());
        let missed = self.requirements.iter().filter(|outcome| !outcome.met);
        missed.for_each(|outcome| fault(true, format!("{outcome}.")));
        let of = |n: u32| format!("{n} of {}", bots.set_out);
        fault(
            searched.is_none() && bots.failed > 0,
            format!("{} bots were not let in.", of(bots.failed)),
        );
        let thrown_out = searched.is_none() && bots.thrown_out > 0;
        fault(thrown_out, format!("{} bots were thrown out.", of(bots.thrown_out)));
        let away = searched.is_none() && bots.still_away > 0;
        fault(away, format!("{} bots were still away.", of(bots.still_away)));
        // Whoever presses Ctrl-C during the ramp knows that not all are there yet.
        if !self.interrupted && searched.is_none() {
            let late = bots.unfinished;
            fault(late > 0, format!("{} bots were still waiting to be let in.", of(late)));
            let rest = bots.asked_for.saturating_sub(bots.set_out);
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
            round_trip_ms: Percentiles::of_counts(&latencies.round_trip),
            frame_age_ms: Percentiles::of_counts(&latencies.frame_age),
            input_to_frame_ms: Percentiles::of_counts(&latencies.input_to_frame),
            frames: stats.frames,
            keyframes: stats.keyframes,
            inputs: stats.inputs,
            late_inputs: stats.late_inputs,
            mismatches: stats.mismatches,
        }
    }
}

impl Behaving {
    fn of(behaviour: Behaviour, tally: &Tally) -> Self {
        let Tally { stats, latencies, .. } = tally;
        let seconds = tally.played_ms / 1000.0;
        let per_second = |sum: u64| share(sum as f64, seconds);
        Self {
            behaviour,
            bots: tally.lives,
            joins: tally.joins,
            frame_age_ms: Percentiles::of_counts(&latencies.frame_age),
            input_to_frame_ms: Percentiles::of_counts(&latencies.input_to_frame),
            frames: stats.frames,
            received_bytes_per_second: per_second(stats.bytes),
            sent_bytes_per_second: per_second(tally.sent_bytes),
            mismatches: stats.mismatches,
        }
    }
}

impl Generator {
    fn of(lateness: &Counts, cores_used: Option<f64>) -> Self {
        let (tick_lateness_ms, cores) = (Percentiles::of_counts(lateness), generator::cores());
        Self {
            cores,
            cpu_percent: cores_used.map(|used| 100.0 * used / cores),
            tick_lateness_ms,
            bottleneck: generator::bottleneck(tick_lateness_ms.p99, cores_used, cores),
        }
    }
}

impl Percentiles {
    /// Of times by bucket.
    pub(crate) fn of_counts(counts: &Counts) -> Self {
        let at = |quantile| counts.quantile(quantile).unwrap_or(0.0);
        Self {
            count: counts.count(),
            p50: at(0.5),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            p99_9: at(0.999),
            max: at(1.0),
        }
    }
}

/// What share of `all` so many are; unknown of nothing, which is no measured 0.
fn share(some: f64, all: f64) -> Option<f64> {
    (all > 0.0).then(|| some / all)
}

/// The same in per cent.
pub(super) fn percent(some: u64, all: u64) -> Option<f64> {
    share(100.0 * some as f64, all as f64)
}

fn contents(stats: &Stats, player_seconds: f64) -> Vec<Content> {
    let FrameBits { head, drops, steering, changes, enters, checksum } = stats.frame_bits;
    let bits = [
        ("frames: head", head),
        ("frames: who leaves the view", drops),
        ("frames: inputs and corrections", steering),
        ("frames: other changes", changes),
        ("frames: who enters the view", enters),
        ("frames: checksums", checksum),
    ];
    let messages = stats.contents.all().map(|(what, bytes)| (what, bytes as f64));
    let bits = bits.map(|(what, bits)| (what, bits as f64 / 8.0));
    let content = |(what, bytes): (&str, f64)| Content {
        what: what.to_owned(),
        bytes_per_second: share(bytes, player_seconds).unwrap_or_default(),
        percent: 100.0 * bytes / (stats.bytes as f64).max(1.0),
    };
    messages.into_iter().chain(bits).filter(|&(_, bytes)| bytes > 0.0).map(content).collect()
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
