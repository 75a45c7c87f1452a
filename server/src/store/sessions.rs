//! The sessions that are open, so that the next start opens them again, and where they stand, so that they go on there.

use super::{json, recordings};
use crate::code::SessionCode;
use crate::session::settings::SessionSettings;
use rusqlite::{Connection, OptionalExtension, params};
use shared::wire::HostSecret;

/// A session as the next start opens it.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenSession {
    /// What names it.
    pub code: SessionCode,
    /// What it was opened with, or changed to.
    pub settings: SessionSettings,
    /// Who shows this is its host.
    pub host: Option<HostSecret>,
}

/// Keeps it, in the place of what was kept of it before.
pub(super) fn remember(db: &Connection, session: &OpenSession) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO open_sessions (code, settings, host) VALUES (?, ?, ?)";
    let settings = json::text(&session.settings);
    let host = session.host.map(|host| host.0);
    db.prepare_cached(sql)?.execute(params![session.code.to_string(), settings, host])?;
    Ok(())
}

/// Keeps where a session stands, in the place of where it stood before; `None` where there is nothing to go on with.
pub(super) fn keep_checkpoint(
    db: &Connection,
    code: SessionCode,
    at: u64,
    checkpoint: Option<&[u8]>,
) -> rusqlite::Result<()> {
    let code = code.to_string();
    match checkpoint {
        Some(state) => {
            let sql = "INSERT OR REPLACE INTO checkpoints (code, at, state) VALUES (?, ?, ?)";
            db.prepare_cached(sql)?.execute(params![code, at as i64, state])?;
        }
        None => {
            db.prepare_cached("DELETE FROM checkpoints WHERE code = ?")?.execute([code])?;
        }
    }
    Ok(())
}

/// Where a session stood at `since` or later, if that is kept.
pub(super) fn checkpoint(
    db: &Connection,
    code: SessionCode,
    since: u64,
) -> rusqlite::Result<Option<Vec<u8>>> {
    let sql = "SELECT state FROM checkpoints WHERE code = ? AND at >= ?";
    db.query_row(sql, params![code.to_string(), since as i64], |row| row.get(0)).optional()
}

/// It is over, and opens no more.
pub(super) fn forget(db: &Connection, code: SessionCode) -> rusqlite::Result<()> {
    keep_checkpoint(db, code, 0, None)?;
    recordings::forget_unfinished(db, code)?;
    db.prepare_cached("DELETE FROM open_sessions WHERE code = ?")?.execute([code.to_string()])?;
    Ok(())
}

/// All of them. What this version cannot read is left out and forgotten, with all that is kept of sessions that are none
/// of them.
pub(super) fn all(db: &Connection) -> rusqlite::Result<Vec<OpenSession>> {
    let mut statement =
        db.prepare("SELECT code, settings, host FROM open_sessions ORDER BY code")?;
    let rows = statement.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, Option<[u8; 16]>>(2)?))
    })?;
    let mut sessions = Vec::new();
    for row in rows {
        let (code, settings, host) = row?;
        let read = code.parse::<SessionCode>().ok().zip(serde_json::from_str(&settings).ok());
        match read {
            Some((code, settings)) => {
                sessions.push(OpenSession { code, settings, host: host.map(HostSecret) });
            }
            None => {
                tracing::warn!("a session that was open cannot be read by this version");
                db.execute("DELETE FROM open_sessions WHERE code = ?", [code])?;
            }
        }
    }
    for table in ["checkpoints WHERE", "recordings WHERE result IS NULL AND"] {
        db.execute(
            &format!("DELETE FROM {table} code NOT IN (SELECT code FROM open_sessions)"),
            [],
        )?;
    }
    Ok(sessions)
}
