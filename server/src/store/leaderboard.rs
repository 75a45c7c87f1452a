//! The best rounds of people: of the last day, of the last week, of all time. Only sessions count that quick play opened:
//! in one of somebody's own, public or private, friends could hand each other points, or pilots theirs for an hour.

use super::json;
use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The most rows of a leaderboard.
pub const LEADERBOARD_MAX: u32 = 100;
/// A day, in ms.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// Of which time a leaderboard is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// The last 24 hours.
    #[default]
    Day,
    /// The last seven days, as far back as results are kept.
    Week,
    /// Ever.
    All,
}

/// Somebody's best round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeaderboardRow {
    /// From 1; equal points share a place.
    pub place: u32,
    /// What they were called.
    pub name: String,
    /// Points in that round.
    pub score: i32,
    /// What else the game counted in it, by name, such as kills.
    #[serde(default)]
    pub figures: BTreeMap<String, i32>,
    /// When the round ended, in ms since 1970 (UTC).
    pub at: u64,
}

/// The best rounds of `period`, which ends at `now`.
pub(super) fn best(
    db: &mut Connection,
    period: Period,
    limit: u32,
    now: u64,
) -> rusqlite::Result<Vec<LeaderboardRow>> {
    let limit = limit.min(LEADERBOARD_MAX);
    let since = match period {
        Period::Day => now.saturating_sub(DAY_MS),
        Period::Week => now.saturating_sub(7 * DAY_MS),
        Period::All => {
            let sql = "SELECT rank() OVER (ORDER BY score DESC), name, score, figures, ended \
                       FROM best ORDER BY score DESC, ended LIMIT ?";
            return db.prepare_cached(sql)?.query_map([limit], row)?.collect();
        }
    };
    // With max() the other columns are those of the row that has it. A visitor and a name are never the same:
    // one is a blob and the other text.
    let sql = "
        WITH own AS (
            SELECT p.name, max(p.score) AS score, p.figures, r.ended
            FROM results r JOIN places p ON p.result = r.id
            WHERE r.counts AND r.ended >= ? AND NOT p.computer AND p.score > 0
            GROUP BY coalesce(p.visitor, p.name)
        )
        SELECT rank() OVER (ORDER BY score DESC), name, score, figures, ended
        FROM own ORDER BY score DESC, ended LIMIT ?";
    db.prepare_cached(sql)?.query_map(params![since as i64, limit], row)?.collect()
}

fn row(row: &Row<'_>) -> rusqlite::Result<LeaderboardRow> {
    Ok(LeaderboardRow {
        place: row.get(0)?,
        name: row.get(1)?,
        score: row.get(2)?,
        figures: json::read(row, 3)?,
        at: row.get::<_, i64>(4)? as u64,
    })
}
