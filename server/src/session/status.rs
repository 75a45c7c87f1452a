//! What a session shows of itself to those who are not in it: lists, look-ups, the log. Comes in: the
//! session. Goes out: plain values, made anew a few times a second.

use super::settings::Mode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a session is in its rounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PhaseName {
    /// There are no rounds: the game goes on and on.
    #[default]
    Endless,
    /// Nothing counts yet.
    WarmUp,
    /// The round is on.
    Play,
    /// The round is over; its result is shown until the next one begins.
    Results,
}

/// A session as seen from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// What it is called.
    pub name: String,
    /// Who fights whom.
    pub mode: Mode,
    /// Whether it is in the list.
    pub public: bool,
    /// Whether nobody new is let in.
    pub locked: bool,
    /// People who play, those included who lost their line a moment ago.
    pub players: u16,
    /// The most people who play at once.
    pub max_players: u16,
    /// Computer pilots.
    pub pilots: u16,
    /// People who watch.
    pub spectators: u16,
    /// The most people who watch at once.
    pub max_spectators: u16,
    /// Ticks per second.
    pub tick_rate: u16,
    /// The round's number, from 1; 0 before the first.
    pub round: u32,
    /// Where the session is in its rounds.
    pub phase: PhaseName,
    /// Seconds until the phase is over, as of the last change of it; absent where it has no end.
    pub phase_left_s: Option<u32>,
    /// What the host is called; absent where nobody is.
    pub host: Option<String>,
}

impl Status {
    /// Everybody who is in it, to play or to watch.
    pub(crate) fn people(&self) -> u32 {
        u32::from(self.players) + u32::from(self.spectators)
    }
}
