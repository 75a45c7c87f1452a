//! Results in, results out.

use super::{KeptResult, json, recordings};
use crate::code::SessionCode;
use crate::session::result::{Place, RoundResult};
use crate::session::settings::Mode;
use rusqlite::{Connection, Params, Transaction, params};
use shared::wire::Visitor;

/// Results of rounds that count (quick play's) that are kept; the oldest make room for newer ones.
pub const RESULTS_MAX: i64 = 20_000;
/// Results of public sessions that visitors opened, and of private ones, that are kept beside them, as many of each: nobody's
/// own rounds push out those of which leaderboards are made, and no private ones what everybody is shown.
pub const VISITORS_RESULTS_MAX: i64 = 5_000;
/// Lines of each result in a list of results. A result that is asked for by itself has all of them: of a session of a thousand
/// a list would be megabytes.
pub const LISTED_LINES: usize = 24;
/// Lines of a result of which computer pilots have some; below, only people have one. So what a result takes is bounded
/// by who was there.
const PILOT_LINES: usize = 64;
/// Visitors whose best round of all time is kept; the worst make room for better ones.
const BEST_MAX: i64 = 100_000;
/// Results after which it is seen to that there are no more than that.
const TIDY_EVERY: i64 = 64;

/// Keeps a result, all of it or nothing.
pub(super) fn keep(
    db: &mut Connection,
    code: SessionCode,
    kept: &KeptResult,
) -> rusqlite::Result<()> {
    let KeptResult { result, at, .. } = kept;
    let step = db.transaction()?;
    let sql = "INSERT INTO results (code, name, mode, public, counts, round, ended, seconds, teams) \
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    step.prepare_cached(sql)?.execute(params![
        code.to_string(),
        result.name,
        json::text(&result.mode),
        result.public,
        result.counts,
        result.round,
        *at as i64,
        result.seconds,
        json::text(&result.teams),
    ])?;
    let id = step.last_insert_rowid();
    let lines = result.places.iter().enumerate();
    for (line, place) in lines.filter(|(line, place)| *line < PILOT_LINES || !place.computer) {
        keep_place(&step, id, line as i64, place)?;
        if result.counts && !place.computer && place.score > 0 {
            keep_best(&step, place, *at)?;
        }
    }
    recordings::has_result(&step, code, id)?;
    if id % TIDY_EVERY == 0 {
        tidy(&step)?;
    }
    step.commit()
}

fn keep_place(db: &Transaction<'_>, id: i64, line: i64, place: &Place) -> rusqlite::Result<()> {
    let sql = "INSERT INTO places (result, line, place, player, name, visitor, computer, team, score, \
               figures) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let visitor = place.visitor.is_known().then_some(place.visitor.0);
    db.prepare_cached(sql)?.execute(params![
        id,
        line,
        place.place,
        place.player,
        place.name,
        visitor,
        place.computer,
        place.team,
        place.score,
        json::text(&place.figures),
    ])?;
    Ok(())
}

fn keep_best(db: &Transaction<'_>, place: &Place, at: u64) -> rusqlite::Result<()> {
    let sql = "INSERT INTO best (who, name, score, figures, ended) VALUES (?, ?, ?, ?, ?) \
               ON CONFLICT (who) DO UPDATE SET name = excluded.name, score = excluded.score, \
               figures = excluded.figures, ended = excluded.ended \
               WHERE excluded.score > score";
    db.prepare_cached(sql)?.execute(params![
        who(place),
        place.name,
        place.score,
        json::text(&place.figures),
        at as i64,
    ])?;
    Ok(())
}

/// Who is one and the same on the leaderboard: a visitor, or else a name. A name's bytes stand behind one
/// that makes them no visitor's, whose length is another.
fn who(place: &Place) -> Vec<u8> {
    if place.visitor.is_known() {
        return place.visitor.0.to_vec();
    }
    let mut who = vec![b'n'; place.visitor.0.len() + 1];
    who.extend(place.name.as_bytes());
    who
}

fn tidy(db: &Transaction<'_>) -> rusqlite::Result<()> {
    let classes = [
        (true, true, RESULTS_MAX),
        (true, false, VISITORS_RESULTS_MAX),
        (false, false, VISITORS_RESULTS_MAX),
    ];
    for (public, counts, most) in classes {
        let older = "DELETE FROM results WHERE public = ?1 AND counts = ?2 AND id <= \
                     (SELECT id FROM results WHERE public = ?1 AND counts = ?2 ORDER BY id DESC LIMIT 1 OFFSET ?3)";
        db.execute(older, params![public, counts, most])?;
    }
    let worse = "DELETE FROM best WHERE who IN \
                 (SELECT who FROM best ORDER BY score DESC, ended LIMIT -1 OFFSET ?)";
    db.execute(worse, [BEST_MAX])?;
    Ok(())
}

/// The newest results of public sessions, newest first, with their first lines.
pub(super) fn recent(db: &mut Connection, limit: u32) -> rusqlite::Result<Vec<KeptResult>> {
    let newest = "WHERE public ORDER BY ended DESC, results.id DESC LIMIT ?";
    read(db, newest, [limit], LISTED_LINES)
}

/// The newest results of one session with their first lines, newest first; or those of one of its rounds with all lines.
pub(super) fn of(
    db: &mut Connection,
    code: SessionCode,
    round: Option<u32>,
    limit: u32,
) -> rusqlite::Result<Vec<KeptResult>> {
    read(
        db,
        "WHERE results.code = ? AND round = ifnull(?, round) ORDER BY results.id DESC LIMIT ?",
        params![code.to_string(), round, limit],
        if round.is_some() { usize::MAX } else { LISTED_LINES },
    )
}

fn read(
    db: &Connection,
    which: &str,
    asked: impl Params,
    lines: usize,
) -> rusqlite::Result<Vec<KeptResult>> {
    let sql = format!(
        "SELECT results.id, name, mode, public, round, ended, seconds, teams, recordings.id, counts \
             FROM results LEFT JOIN recordings ON recordings.result = results.id {which}"
    );
    let mut ids = Vec::new();
    let mut results = Vec::new();
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query(asked)?;
    while let Some(row) = rows.next()? {
        ids.push(row.get::<_, i64>(0)?);
        let result = RoundResult {
            name: row.get(1)?,
            mode: json::read::<Mode>(row, 2)?,
            public: row.get(3)?,
            counts: row.get(9)?,
            round: row.get(4)?,
            seconds: row.get(6)?,
            teams: json::read(row, 7)?,
            places: Vec::new(),
        };
        let (at, recording) = (row.get::<_, i64>(5)? as u64, row.get(8)?);
        results.push(KeptResult { result, at, recording });
    }
    for (id, kept) in ids.into_iter().zip(&mut results) {
        kept.result.places = places(db, id, lines)?;
    }
    Ok(results)
}

fn places(db: &Connection, result: i64, lines: usize) -> rusqlite::Result<Vec<Place>> {
    let sql = "SELECT place, player, name, computer, team, score, figures FROM places \
               WHERE result = ? ORDER BY line LIMIT ?";
    let mut statement = db.prepare_cached(sql)?;
    let lines = i64::try_from(lines).unwrap_or(i64::MAX);
    let places = statement.query_map([result, lines], |row| {
        Ok(Place {
            place: row.get(0)?,
            player: row.get(1)?,
            name: row.get(2)?,
            computer: row.get(3)?,
            team: row.get(4)?,
            score: row.get(5)?,
            figures: json::read(row, 6)?,
            // By what somebody is known again is nobody else's business.
            visitor: Visitor::default(),
        })
    })?;
    places.collect()
}
