//! What rounds looked like, chapter by chapter. Comes in: chapters of a session's round, before and after its result. Goes
//! out: the same, under a name that nobody guesses, once there is a result: whoever plays sees no more of a round than
//! their part of it.

use crate::code::SessionCode;
use crate::session::recording::Recorded;
use core::fmt;
use core::str::FromStr;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};

/// What names a recording: whoever knows it may look at it, also where the session was not public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct RecordingId(u64);

/// A text that names none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sixteen hexadecimal digits name a recording")]
pub struct NoRecordingId;

impl fmt::Display for RecordingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for RecordingId {
    type Err = NoRecordingId;

    fn from_str(text: &str) -> Result<Self, NoRecordingId> {
        let is_hex = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let id = u64::from_str_radix(text, 16).ok().filter(|_| is_hex);
        id.map(Self).ok_or(NoRecordingId)
    }
}

impl From<RecordingId> for String {
    fn from(id: RecordingId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for RecordingId {
    type Error = NoRecordingId;

    fn try_from(text: String) -> Result<Self, NoRecordingId> {
        text.parse()
    }
}

impl ToSql for RecordingId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.to_string().into())
    }
}

impl FromSql for RecordingId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map_err(FromSqlError::other)
    }
}

/// Keeps what was recorded of a session's round; the oldest recordings go where all together take more than `most` bytes.
pub(super) fn keep(
    db: &mut Connection,
    code: SessionCode,
    recorded: &Recorded,
    now: u64,
    most: u64,
) -> rusqlite::Result<()> {
    let step = db.transaction()?;
    match recorded {
        Recorded::Begins(chapter) => {
            forget_unfinished(&step, code)?;
            let recording = begin(&step, code, now)?;
            add(&step, recording, chapter)?;
        }
        Recorded::GoesOn(chapter) => {
            let unfinished = find(&step, code, "AND result IS NULL")?;
            // Of what another process began there may be nothing, or no more room for it.
            let recording = unfinished.map_or_else(|| begin(&step, code, now), Ok)?;
            add(&step, recording, chapter)?;
        }
        Recorded::Afterwards(chapter) => {
            // Nothing of the round may be there; then these are not the end of the round before.
            let newest = "AND result = (SELECT max(id) FROM results WHERE code = recordings.code)";
            if let Some(recording) = find(&step, code, newest)? {
                add(&step, recording, chapter)?;
            }
        }
        Recorded::Abandoned => forget_unfinished(&step, code)?,
    }
    make_room(&step, most)?;
    step.commit()
}

/// The round that is being recorded has this result.
pub(super) fn has_result(
    db: &Transaction<'_>,
    code: SessionCode,
    result: i64,
) -> rusqlite::Result<()> {
    let sql = "UPDATE recordings SET result = ? WHERE code = ? AND result IS NULL";
    db.prepare_cached(sql)?.execute(params![result, code.to_string()])?;
    Ok(())
}

/// Rounds of a session that nobody will keep a result of.
pub(super) fn forget_unfinished(db: &Connection, code: SessionCode) -> rusqlite::Result<()> {
    let sql = "DELETE FROM recordings WHERE code = ? AND result IS NULL";
    db.prepare_cached(sql)?.execute([code.to_string()])?;
    Ok(())
}

/// A chapter, from 0, of a recording whose round has a result.
pub(super) fn chapter(
    db: &Connection,
    id: RecordingId,
    number: u32,
) -> rusqlite::Result<Option<Vec<u8>>> {
    let sql = "SELECT chapter FROM chapters JOIN recordings ON recordings.id = recording \
               WHERE recording = ? AND number = ? AND result IS NOT NULL";
    let mut statement = db.prepare_cached(sql)?;
    statement.query_row(params![id, number], |row| row.get(0)).optional()
}

/// The newest of a session among `those`.
fn find(db: &Connection, code: SessionCode, those: &str) -> rusqlite::Result<Option<RecordingId>> {
    let sql =
        format!("SELECT id FROM recordings WHERE code = ? {those} ORDER BY began DESC LIMIT 1");
    let mut statement = db.prepare_cached(&sql)?;
    statement.query_row([code.to_string()], |row| row.get(0)).optional()
}

fn begin(db: &Connection, code: SessionCode, now: u64) -> rusqlite::Result<RecordingId> {
    let id = RecordingId(rand::random());
    let sql = "INSERT INTO recordings (id, code, began, bytes) VALUES (?, ?, ?, 0)";
    db.prepare_cached(sql)?.execute(params![id, code.to_string(), now as i64])?;
    Ok(id)
}

fn add(db: &Connection, recording: RecordingId, chapter: &[u8]) -> rusqlite::Result<()> {
    let sql = "INSERT INTO chapters (recording, number, chapter) \
               SELECT ?1, count(*), ?2 FROM chapters WHERE recording = ?1";
    db.prepare_cached(sql)?.execute(params![recording, chapter])?;
    let sql = "UPDATE recordings SET bytes = bytes + ? WHERE id = ?";
    db.prepare_cached(sql)?.execute(params![chapter.len() as i64, recording])?;
    Ok(())
}

fn make_room(db: &Connection, most: u64) -> rusqlite::Result<()> {
    loop {
        let all = db
            .prepare_cached("SELECT coalesce(sum(bytes), 0) FROM recordings")?
            .query_row([], |row| row.get::<_, i64>(0))?;
        if all as u64 <= most {
            return Ok(());
        }
        let oldest = "DELETE FROM recordings WHERE id = \
                      (SELECT id FROM recordings ORDER BY began, id LIMIT 1)";
        if db.prepare_cached(oldest)?.execute([])? == 0 {
            return Ok(());
        }
    }
}
