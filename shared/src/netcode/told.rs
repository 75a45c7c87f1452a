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

/// What a client knows of its connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// The last round trip, in ms.
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
