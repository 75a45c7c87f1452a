//! What a client tells of itself: news for the player, and figures of the connection.

use super::frame::FrameBits;
use crate::game::Tick;
use crate::wire::message::ServerMessage;
use serde::{Deserialize, Serialize};

/// Something to tell the player.
#[derive(Clone, Debug, PartialEq)]
pub enum News<E> {
    /// What the server said, but for what is the client's own business.
    Said(ServerMessage),
    /// An event of the game's.
    Event {
        /// When.
        tick: Tick,
        /// What.
        event: E,
    },
}

/// Bytes of messages received, by what they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Frames that build on others.
    pub deltas: u64,
    /// Keyframes.
    pub keyframes: u64,
    /// Who is there: newcomers' rosters, who came and went.
    pub rosters: u64,
    /// Everybody's score.
    pub standings: u64,
    /// What happened, such as kills.
    pub events: u64,
    /// Lines of chat, and those from before.
    pub chat: u64,
    /// Everything else that could be read: welcomes, answers to pings, phases.
    pub others: u64,
}

impl Contents {
    /// Where bytes of such a message count.
    pub(crate) fn of(&mut self, message: &ServerMessage) -> &mut u64 {
        match message {
            ServerMessage::Roster { .. } => &mut self.rosters,
            ServerMessage::Standings { .. } => &mut self.standings,
            ServerMessage::Event { .. } => &mut self.events,
            ServerMessage::Chat { .. } | ServerMessage::History { .. } => &mut self.chat,
            _ => &mut self.others,
        }
    }

    /// Adds another client's.
    pub fn add(&mut self, other: &Self) {
        self.deltas += other.deltas;
        self.keyframes += other.keyframes;
        self.rosters += other.rosters;
        self.standings += other.standings;
        self.events += other.events;
        self.chat += other.chat;
        self.others += other.others;
    }

    /// Names and bytes.
    pub fn all(&self) -> [(&'static str, u64); 7] {
        [
            ("deltas", self.deltas),
            ("keyframes", self.keyframes),
            ("rosters", self.rosters),
            ("standings", self.standings),
            ("events", self.events),
            ("chat", self.chat),
            ("others", self.others),
        ]
    }
}

/// What a client knows of its connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// The last round trip, in ms, without what the ping waited at the server for a tick.
    pub ping_ms: f64,
    /// How much arrivals vary: the tenth slowest per cent against the middle, in ms.
    pub jitter_ms: f64,
    /// How old the newest rows are, in ms, by the shortest delay seen so far.
    pub frame_age_ms: f64,
    /// How early inputs reach the server, in ms.
    pub input_margin_ms: f64,
    /// How far behind the newest rows others are drawn, in ms; negative where they are drawn ahead.
    pub playback_delay_ms: f64,
    /// How often the server's rows were not what was predicted.
    pub corrections: u64,
    /// Frames that needed no baseline.
    pub keyframes: u64,
    /// Checksums that differed.
    pub mismatches: u64,
    /// Messages that could not be read.
    pub refused: u64,
    /// Keyframes asked for.
    pub resyncs: u64,
    /// Frames read.
    pub frames: u64,
    /// Bytes of all messages received.
    pub bytes: u64,
    /// Bits of the frames among them, by what they are for.
    pub frame_bits: FrameBits,
    /// The same bytes by what they are.
    pub contents: Contents,
    /// Inputs sent.
    pub inputs: u64,
    /// Ticks that the last message of frames had: 1, or more on a slow line and after a pause.
    pub together: u32,
    /// An input is sent in every so many ticks: 1, or more on a slow line; 0 before the welcome.
    pub input_every: u32,
    /// Inputs that the server said came too late.
    pub late_inputs: u64,
    /// Ticks per second of the session; 0 before the welcome.
    pub tick_rate: u16,
}

/// What should have come to a client and has not; times in ms.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overdue {
    /// How old the ticks are whose frames are missing, the oldest first.
    pub frames_ms: Vec<f64>,
    /// For how long inputs for these ticks have waited since they were due, the oldest first.
    pub inputs_ms: Vec<f64>,
    /// For how long a ping has waited for its pong, what it waits at the server for a tick included.
    pub ping_ms: Option<f64>,
}
