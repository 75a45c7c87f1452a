//! What a run was like, for people and for scripts. Comes in: the tally of all bots. Goes out: a text, a
//! JSON document, and whether it went well.

use crate::config::Config;
use crate::tally::{Mishap, Tally, Times};
use serde::Serialize;
use shared::wire::close::CloseCode;
use std::fmt;

/// Reasons that the text lists; the JSON has them all.
const REASONS_SHOWN_MAX: usize = 10;

/// The report. Serialised field by field as it stands: scripts read it, so names and units stay.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Whether all went well: there are no faults.
    pub ok: bool,
    /// What did not go well, a sentence each.
    pub faults: Vec<String>,
    /// Where the bots played.
    pub url: String,
    /// What they played.
    pub game: String,
    /// From the first bot's connection until all were back, in seconds.
    pub seconds: f64,
    /// Whether the user ended it before its time.
    pub interrupted: bool,
    /// Ticks per second of the session; 0 when nobody was let in.
    pub tick_rate: u16,
    /// What became of the bots.
    pub bots: Bots,
    /// Why bots failed or were thrown out, the most frequent first.
    pub reasons: Vec<Reason>,
    /// Figures for one player, over the time that all bots played.
    pub per_player: PerPlayer,
    /// Figures for all bots together.
    pub totals: Totals,
    /// From a ping to its pong, once a second and bot.
    pub round_trip_ms: Percentiles,
    /// From sending an input to decoding the frame whose tick used it.
    pub input_to_frame_ms: Percentiles,
    /// From one decoded frame to the next.
    pub frame_interval_ms: Percentiles,
}

/// What became of the bots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Bots {
    /// As many were wanted.
    pub asked_for: u32,
    /// As many tried.
    pub set_out: u32,
    /// As many were let in.
    pub connected: u32,
    /// As many were never let in.
    pub failed: u32,
    /// As many were let in and did not stay to the end.
    pub thrown_out: u32,
    /// As many were still waiting to be let in at the end.
    pub unfinished: u32,
}

/// What happened to some bots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// "failed" or "thrown_out".
    pub what: &'static str,
    /// How many bots it happened to.
    pub bots: u32,
    /// The close code, if the server gave one.
    pub code: Option<u16>,
    /// The close code's name in the server's log, if it is one of ours.
    pub label: Option<&'static str>,
    /// The server's sentence, or what the bot makes of it.
    pub sentence: String,
}

/// Figures for one player: sums divided by the time that bots played.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PerPlayer {
    /// Frames decoded per second.
    pub frames_per_second: f64,
    /// Bytes of messages received per second, without what WebSocket and TCP add.
    pub received_bytes_per_second: f64,
    /// Inputs sent per second.
    pub inputs_per_second: f64,
    /// Bytes of messages sent per second, without what WebSocket and TCP add.
    pub sent_bytes_per_second: f64,
    /// Corrections of the prediction per second.
    pub corrections_per_second: f64,
}

/// Figures for all bots together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Totals {
    /// The time that all bots played, in seconds.
    pub player_seconds: f64,
    /// Frames decoded.
    pub frames: u64,
    /// Frames among them that needed no baseline; each bot's first is one.
    pub keyframes: u64,
    /// Keyframes that bots asked for.
    pub keyframes_asked_for: u64,
    /// Bytes of messages received.
    pub received_bytes: u64,
    /// Inputs sent.
    pub inputs: u64,
    /// Inputs that came too late for their tick, as far as the server said so.
    pub late_inputs: u64,
    /// Bytes of messages sent.
    pub sent_bytes: u64,
    /// How often the server's rows were not what was predicted.
    pub corrections: u64,
    /// Checksums that differed. Must be 0.
    pub mismatches: u64,
    /// Messages that could not be read. Must be 0.
    pub unreadable: u64,
}

/// A distribution of times in ms, right to one per cent; all 0 when there is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Percentiles {
    /// How many times were taken.
    pub count: u64,
    /// Half of them took no longer.
    pub p50: f64,
    /// 90 per cent.
    pub p90: f64,
    /// 99 per cent.
    pub p99: f64,
    /// 99.9 per cent.
    pub p99_9: f64,
    /// The longest.
    pub max: f64,
}

/// What the fleet knows of a run beside what its bots brought back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) seconds: f64,
    pub(crate) set_out: u32,
    pub(crate) interrupted: bool,
}

impl Report {
    pub(crate) fn new(game: &str, config: &Config, run: Run, tally: &Tally) -> Self {
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
            frame_interval_ms: Percentiles::of(&latencies.frame_interval),
        };
        report.faults = report.find_faults();
        report.ok = report.faults.is_empty();
        report
    }

    /// The report as JSON, for people too: indented, with a line's end.
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self);
        json.expect("a struct of numbers and texts") + "\n"
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

impl Percentiles {
    fn of(times: &Times) -> Self {
        let at = |quantile| times.quantile(quantile).unwrap_or(0.0);
        Self {
            count: times.count(),
            p50: at(0.5),
            p90: at(0.9),
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

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bots, totals, per_player: each, .. } = self;
        let ended = if self.interrupted { ", interrupted" } else { "" };
        writeln!(f, "{} at {}, {:.1} s{ended}", self.game, self.url, self.seconds)?;
        writeln!(f)?;
        write!(f, "bots         {} connected of {}", bots.connected, bots.asked_for)?;
        write!(f, ", {} failed, {} thrown out", bots.failed, bots.thrown_out)?;
        if bots.unfinished > 0 {
            write!(f, ", {} still waiting", bots.unfinished)?;
        }
        writeln!(f)?;
        for reason in self.reasons.iter().take(REASONS_SHOWN_MAX) {
            writeln!(f, "             {reason}")?;
        }
        if let Some(more @ 1..) = self.reasons.len().checked_sub(REASONS_SHOWN_MAX) {
            writeln!(f, "             and {more} reasons more")?;
        }
        let received = Bytes(totals.received_bytes as f64);
        let sent = Bytes(totals.sent_bytes as f64);
        writeln!(f, "session      {} ticks/s", self.tick_rate)?;
        writeln!(
            f,
            "received     {:.1} frames/s and {}/s per player; {received} in all",
            each.frames_per_second,
            Bytes(each.received_bytes_per_second)
        )?;
        writeln!(
            f,
            "sent         {:.1} inputs/s and {}/s per player; {sent} in all",
            each.inputs_per_second,
            Bytes(each.sent_bytes_per_second)
        )?;
        writeln!(f)?;
        write!(f, "ms             ")?;
        writeln!(
            f,
            "{:>9}{:>9}{:>9}{:>9}{:>9}{:>11}",
            "p50", "p90", "p99", "p99.9", "max", "times"
        )?;
        writeln!(f, "round trip     {}", self.round_trip_ms)?;
        writeln!(f, "input to frame {}", self.input_to_frame_ms)?;
        writeln!(f, "frame interval {}", self.frame_interval_ms)?;
        writeln!(f)?;
        let late = 100.0 * totals.late_inputs as f64 / totals.inputs.max(1) as f64;
        writeln!(
            f,
            "corrections  {} of predictions, {:.2} per player and second",
            totals.corrections, each.corrections_per_second
        )?;
        writeln!(
            f,
            "keyframes    {} received, {} asked for",
            totals.keyframes, totals.keyframes_asked_for
        )?;
        writeln!(f, "late inputs  {} of {} ({late:.2} %)", totals.late_inputs, totals.inputs)?;
        writeln!(f, "mismatches   {} checksums", totals.mismatches)?;
        writeln!(f, "unreadable   {} messages", totals.unreadable)?;
        writeln!(f)?;
        match &self.faults[..] {
            [] => writeln!(f, "All went well."),
            faults => writeln!(f, "It did not go well: {}", faults.join(" ")),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.what == "failed" { "failed" } else { "thrown out" };
        write!(f, "{} {what}", self.bots)?;
        if let Some(code) = self.code {
            write!(f, ", close code {code}")?;
        }
        if let Some(label) = self.label {
            write!(f, " ({label})")?;
        }
        if self.sentence.is_empty() { Ok(()) } else { write!(f, ": {}", self.sentence) }
    }
}

impl fmt::Display for Percentiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for time in [self.p50, self.p90, self.p99, self.p99_9, self.max] {
            if self.count == 0 {
                write!(f, "{:>9}", "-")?;
            } else {
                write!(f, "{time:>9.1}")?;
            }
        }
        write!(f, "{:>11}", self.count)
    }
}

/// Bytes as people read them, with decimal prefixes.
pub(crate) struct Bytes(pub(crate) f64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes < 1e3 => write!(f, "{bytes:.0} B"),
            bytes if bytes < 1e6 => write!(f, "{:.1} kB", bytes / 1e3),
            bytes if bytes < 1e9 => write!(f, "{:.1} MB", bytes / 1e6),
            bytes => write!(f, "{:.1} GB", bytes / 1e9),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::{Ending, Latencies, Life};
    use clap::Parser;
    use shared::netcode::client::Stats;

    fn config(bots: u32) -> Config {
        Config::try_parse_from(["client-bot", "--bots", &bots.to_string()]).unwrap()
    }

    /// A bot that played for ten seconds at 30 Hz without trouble.
    fn good_life() -> Life {
        let mut latencies = Latencies::new();
        (0..299).for_each(|_| latencies.frame_interval.record(33.3));
        let stats = Stats {
            frames: 300,
            keyframes: 1,
            bytes: 12_000,
            inputs: 310,
            late_inputs: 31,
            corrections: 5,
            tick_rate: 30,
            ..Stats::default()
        };
        Life {
            ending: Ending::CalledBack,
            played_ms: Some(10_000.0),
            stats,
            sent_bytes: 2_000,
            latencies: Some(latencies),
        }
    }

    fn report(asked_for: u32, interrupted: bool, lives: &[Life]) -> Report {
        let mut tally = Tally::new();
        lives.iter().for_each(|life| tally.add(life));
        let run = Run { seconds: 10.0, set_out: lives.len() as u32, interrupted };
        Report::new("buoys", &config(asked_for), run, &tally)
    }

    #[test]
    fn figures_per_player_are_means_over_the_time_played() {
        let half = Life { played_ms: Some(5_000.0), ..good_life() };
        let report = report(2, false, &[good_life(), half]);
        assert!(report.ok, "{:?}", report.faults);
        assert_eq!(report.totals.player_seconds, 15.0);
        assert_eq!(report.per_player.frames_per_second, 40.0);
        assert_eq!(report.per_player.received_bytes_per_second, 1600.0);
        assert_eq!(report.per_player.sent_bytes_per_second, 4000.0 / 15.0);
        assert_eq!(report.frame_interval_ms.count, 598);
        assert!((33.0..34.0).contains(&report.frame_interval_ms.p99));
        assert_eq!(report.round_trip_ms, Percentiles::default());
    }

    #[test]
    fn each_thing_that_goes_wrong_is_a_fault() {
        let with = |change: fn(&mut Life)| {
            let mut life = good_life();
            change(&mut life);
            report(2, false, &[good_life(), life]).faults
        };
        assert_eq!(with(|_| {}), [""; 0]);
        let thrown = with(|l| l.ending = Ending::Broken("gone".into()));
        assert_eq!(thrown, ["1 of 2 bots were thrown out."]);
        let failed = with(|l| (l.ending, l.played_ms) = (Ending::NoWelcome, None));
        assert_eq!(failed, ["1 of 2 bots were not let in."]);
        let waiting = with(|l| l.played_ms = None);
        assert_eq!(waiting, ["1 of 2 bots were still waiting to be let in."]);
        let differed = with(|l| l.stats.mismatches = 3);
        assert_eq!(differed, ["3 checksums differed from the server's."]);
        let unreadable = with(|l| l.stats.refused = 1);
        assert_eq!(unreadable, ["1 messages could not be read."]);
        let silent = report(1, false, &[Life { stats: Stats::default(), ..good_life() }]);
        assert_eq!(silent.faults, ["Not one frame came."]);
        let missing = report(3, false, &[good_life()]);
        assert_eq!(missing.faults, ["2 of 3 bots never set out."]);
    }

    #[test]
    fn an_interrupted_ramp_is_no_fault() {
        let waiting = Life::without_a_line(Ending::CalledBack);
        let report = report(100, true, &[good_life(), waiting]);
        assert!(report.ok, "{:?}", report.faults);
        assert!(report.to_string().contains("interrupted"));
    }

    #[test]
    fn reasons_are_grouped_and_the_most_frequent_comes_first() {
        let full = || {
            let reason = "The session is full.".to_owned();
            Life::without_a_line(Ending::Closed { code: 1013, reason })
        };
        let nobody = Life::without_a_line(Ending::NoLine("nobody listens there".into()));
        let report = report(4, false, &[nobody, full(), good_life(), full()]);
        assert_eq!(report.reasons.len(), 2);
        assert_eq!((report.reasons[0].bots, report.reasons[0].code), (2, Some(1013)));
        assert_eq!(report.reasons[0].label, Some("try_later"));
        let text = report.to_string();
        let line = "2 failed, close code 1013 (try_later): The session is full.";
        assert!(text.contains(line), "{text}");
        assert!(text.contains("1 failed: nobody listens there"), "{text}");
    }

    #[test]
    fn the_text_lists_ten_reasons_at_most() {
        let lives: Vec<_> =
            (0..25).map(|n| Life::without_a_line(Ending::NoLine(format!("reason {n}")))).collect();
        let report = report(25, false, &lives);
        assert_eq!(report.reasons.len(), 25);
        assert_eq!(report.to_string().matches("reason ").count(), REASONS_SHOWN_MAX);
        assert!(report.to_string().contains("and 15 reasons more"));
    }

    #[test]
    fn scripts_find_in_the_json_what_they_look_for() {
        let report = report(1, false, &[good_life()]);
        let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
        assert_eq!(json["ok"], true);
        assert_eq!(json["faults"], serde_json::json!([]));
        assert_eq!(json["url"], "ws://127.0.0.1:8080/play");
        assert_eq!(json["game"], "buoys");
        assert_eq!(json["tick_rate"], 30);
        let bots = serde_json::json!({
            "asked_for": 1, "set_out": 1, "connected": 1, "failed": 0, "thrown_out": 0, "unfinished": 0
        });
        assert_eq!(json["bots"], bots);
        assert_eq!(json["per_player"]["frames_per_second"], 30.0);
        assert_eq!(json["totals"]["late_inputs"], 31);
        assert_eq!(json["totals"]["mismatches"], 0);
        assert_eq!(json["totals"]["keyframes_asked_for"], 0);
        for distribution in ["round_trip_ms", "input_to_frame_ms", "frame_interval_ms"] {
            for figure in ["count", "p50", "p90", "p99", "p99_9", "max"] {
                assert!(json[distribution][figure].is_number(), "{distribution}.{figure}");
            }
        }
    }

    #[test]
    fn bytes_have_the_prefix_that_people_expect() {
        let texts = [0.0, 999.0, 1000.0, 12_345_678.0, 5e9].map(|n| Bytes(n).to_string());
        assert_eq!(texts, ["0 B", "999 B", "1.0 kB", "12.3 MB", "5.0 GB"]);
    }
}
