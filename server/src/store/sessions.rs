//! The sessions that are open, so that the next start opens them again. What goes on in them is not kept.

use crate::code::SessionCode;
use crate::session::settings::SessionSettings;
use rusqlite::{Connection, params};
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
    let settings = serde_json::to_string(&session.settings).expect("plain values");
    let host = session.host.map(|host| host.0);
    db.prepare_cached(sql)?.execute(params![session.code.to_string(), settings, host])?;
    Ok(())
}

/// It is over, and opens no more.
pub(super) fn forget(db: &Connection, code: SessionCode) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM open_sessions WHERE code = ?")?.execute([code.to_string()])?;
    Ok(())
}

/// All of them. What this version cannot read is left out and forgotten.
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
    Ok(sessions)
}
