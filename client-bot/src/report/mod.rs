//! What a run was like, for people and for scripts. Comes in: the tallies of all bots. Goes out: a text,
//! a JSON document, and whether it went well.
//!
//! Here is what a report has; `make` fills it in and judges, `text` writes it for people.

mod html;
mod make;
mod svg;
#[cfg(test)]
mod tests;
mod text;

use crate::behaviour::Behaviour;
use crate::capacity::Capacity;
use crate::metrics::ServerFigures;
use crate::network::Preset;
use crate::over_time::Sample;
use crate::require::Outcome;
pub(crate) use make::Run;
use serde::Serialize;
pub(crate) use text::Bytes;

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
    /// What was received, by what it is, as the bots' decoders know it; what could not be read is not in it.
    pub contents: Vec<Content>,
    /// Figures for all bots together.
    pub totals: Totals,
    /// From a ping to its pong, less what it waited at the server for a tick, once a second and bot; a ping that had to
    /// wait for the last one's pong counts.
    pub round_trip_ms: Percentiles,
    /// From when an input was due to decoding the frame whose tick used it.
    pub input_to_frame_ms: Percentiles,
    /// From a frame's tick to decoding it, by the shortest delay that a bot has seen; of each tick, also of those that
    /// came together in one message.
    pub frame_age_ms: Percentiles,
    /// From one decoded frame to the next.
    pub frame_interval_ms: Percentiles,
    /// Frames that came within one and a half ticks of the one before, in per cent; nothing without any.
    pub frames_on_time_percent: Option<f64>,
    /// From a lost line to the next welcome; of bots that were not back, to the end.
    pub way_back_ms: Percentiles,
    /// The same for the bots on each network, the best network first.
    pub networks: Vec<OnNetwork>,
    /// The same for the bots of each behaviour.
    pub behaviours: Vec<Behaving>,
    /// Sessions that bots were spread over by code; 0 is quick play.
    pub sessions: usize,
    /// What the load generator itself took.
    pub generator: Generator,
    /// The server's own figures over the whole run, where they could be read.
    pub server: Option<ServerFigures>,
    /// What became of each `--require`.
    pub requirements: Vec<Outcome>,
    /// What a search for the capacity found.
    pub capacity: Option<Capacity>,
    /// Second by second.
    pub over_time: Vec<Sample>,
}

/// Bytes of one kind of content.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Content {
    /// What it is: deltas, keyframes, rosters, standings, events, chat, others; "frames: " and what the bits of frames
    /// are for.
    pub what: String,
    /// Bytes per player and second.
    pub bytes_per_second: f64,
    /// These, in per cent of all received.
    pub percent: f64,
}

/// What the load generator itself took.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Generator {
    /// Cores that it may use.
    pub cores: f64,
    /// Its processor time, in per cent of all of them; nothing where the system does not tell.
    pub cpu_percent: Option<f64>,
    /// How much later than meant a bot woke up for its tick.
    pub tick_lateness_ms: Percentiles,
    /// Why it, and not the server, was what could do no more; nothing if all is well.
    pub bottleneck: Option<String>,
}

/// What became of the bots.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bots {
    /// As many were wanted.
    pub asked_for: u32,
    /// As many tried.
    pub set_out: u32,
    /// As many were let in.
    pub connected: u32,
    /// As many were never let in.
    pub failed: u32,
    /// These, in per cent of those that tried; nothing without any.
    pub failed_percent: Option<f64>,
    /// As many were let in and did not stay to the end.
    pub thrown_out: u32,
    /// These, in per cent of those that were let in; nothing without any.
    pub thrown_out_percent: Option<f64>,
    /// As many were still waiting to be let in at the end.
    pub unfinished: u32,
    /// As many had lost their lines at the end, and were not back.
    pub still_away: u32,
    /// How often bots lost their lines and came back.
    pub returns: u64,
    /// How often their seats were gone then, and they were somebody else.
    pub lost_seats: u64,
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

/// Figures for one player: sums divided by the time that bots played; nothing where nobody did.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PerPlayer {
    /// Frames decoded per second.
    pub frames_per_second: Option<f64>,
    /// Bytes of messages received per second, without what WebSocket and TCP add.
    pub received_bytes_per_second: Option<f64>,
    /// Inputs sent per second.
    pub inputs_per_second: Option<f64>,
    /// Bytes of messages sent per second, without what WebSocket and TCP add.
    pub sent_bytes_per_second: Option<f64>,
    /// Corrections of the prediction per second.
    pub corrections_per_second: Option<f64>,
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
    /// These, in per cent of all; nothing without any.
    pub late_inputs_percent: Option<f64>,
    /// Bytes of messages sent.
    pub sent_bytes: u64,
    /// How often the server's rows were not what was predicted.
    pub corrections: u64,
    /// Checksums that differed. Must be 0.
    pub mismatches: u64,
    /// Messages that could not be read. Must be 0.
    pub unreadable: u64,
}

/// Figures for the bots of one behaviour.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Behaving {
    /// Which.
    pub behaviour: Behaviour,
    /// Bots that had it, let in or not.
    pub bots: u32,
    /// How often they were let in.
    pub joins: u64,
    /// From a frame's tick to decoding it, by the shortest delay that a bot has seen.
    pub frame_age_ms: Percentiles,
    /// From when an input was due to decoding the frame whose tick used it.
    pub input_to_frame_ms: Percentiles,
    /// Frames decoded.
    pub frames: u64,
    /// Bytes of messages received per player and second; nothing where nobody played.
    pub received_bytes_per_second: Option<f64>,
    /// Bytes of messages sent per player and second; nothing where nobody played.
    pub sent_bytes_per_second: Option<f64>,
    /// Checksums that differed. Must be 0.
    pub mismatches: u64,
}

/// Figures for the bots on one network.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct OnNetwork {
    /// Which.
    pub network: Preset,
    /// Bots that had it, let in or not.
    pub bots: u32,
    /// As of all bots together: from a ping to its pong, less what it waited at the server for a tick.
    pub round_trip_ms: Percentiles,
    /// From a frame's tick to decoding it, by the shortest delay that a bot has seen.
    pub frame_age_ms: Percentiles,
    /// From when an input was due to decoding the frame whose tick used it.
    pub input_to_frame_ms: Percentiles,
    /// Frames decoded.
    pub frames: u64,
    /// Frames among them that needed no baseline; each bot's first is one.
    pub keyframes: u64,
    /// Inputs sent.
    pub inputs: u64,
    /// Inputs that came too late for their tick, as far as the server said so.
    pub late_inputs: u64,
    /// Checksums that differed. Must be 0.
    pub mismatches: u64,
}

impl Report {
    /// The report as JSON, for people too: indented, with a line's end.
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self);
        json.expect("a struct of numbers and texts") + "\n"
    }
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
    /// 95 per cent.
    pub p95: f64,
    /// 99 per cent.
    pub p99: f64,
    /// 99.9 per cent.
    pub p99_9: f64,
    /// The longest.
    pub max: f64,
}
