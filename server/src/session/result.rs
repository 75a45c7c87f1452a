//! How a round ended.

use super::settings::Mode;
use serde::{Deserialize, Serialize};
use shared::wire::Visitor;
use utoipa::ToSchema;

/// How a round ended, for whoever keeps results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RoundResult {
    /// What the session was called.
    pub name: String,
    /// Who fought whom.
    pub mode: Mode,
    /// Whether the session was in the list.
    pub public: bool,
    /// Whether it counts for the leaderboard: only those sessions' rounds do that quick play opened, as in others whoever
    /// made them can arrange what they like.
    #[serde(default)]
    pub counts: bool,
    /// The round's number, from 1.
    pub round: u32,
    /// How long it took, in seconds.
    pub seconds: u32,
    /// Points of the teams, the first team's first; empty where there are none.
    pub teams: Vec<i32>,
    /// Everybody who was there at the end, best first. Of a result that was written to the disk computer pilots below line
    /// 64 are left out.
    pub places: Vec<Place>,
}

/// One player's line in a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Place {
    /// From 1; equal points share a place.
    pub place: u16,
    /// The player's number in the session.
    pub player: u16,
    /// What they were called.
    pub name: String,
    /// Whether the server's own pilot flew.
    pub computer: bool,
    /// Their team, from 1; 0 where there are none.
    pub team: u8,
    /// Their points.
    pub score: i32,
    /// What else the game counts, by name, such as kills.
    pub figures: std::collections::BTreeMap<String, i32>,
    /// By what their browser is known again; never shown to anybody.
    #[serde(skip)]
    pub visitor: Visitor,
}
