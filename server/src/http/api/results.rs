//! Results of rounds, and who was best.

#![expect(unused_qualifications, reason = "utoipa's macros write paths out in full")]

use super::Api;
use super::body::{Asked, Code};
use super::problem::Problem;
use crate::code::SessionCode;
use crate::directory::RESULTS_KEPT;
use crate::net::Caller;
use crate::net::address_limits::NotFound;
use crate::site::{self, SITE_API, is_passed_on};
use crate::store::{KeptResult, LISTED_LINES, Store, unix_ms};
use crate::store::{LEADERBOARD_MAX, LeaderboardRow, NoAnswer, Period, RecordingId};
use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::response::IntoResponse;
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::time::{Duration, Instant};
use utoipa::{IntoParams, ToSchema};

/// Results of rounds.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(super) struct Results {
    /// Newest first, at most 20. Each with its 24 best lines, but that of a round asked for by its number with all of them.
    pub(super) results: Vec<KeptResult>,
}

/// The newest results of public sessions.
#[utoipa::path(get, path = "/api/results", tag = "results",
    responses((status = 200, description = "The results.", body = Results),
              (status = 503, description = "They cannot be read now.")))]
pub(super) async fn recent(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
) -> Result<Json<Results>, Problem> {
    let own = api.own_results.get(api.common.store.recent(RESULTS_KEPT as u32));
    let results = match is_passed_on(&headers) {
        true => own.await?,
        false => {
            let all = async {
                Ok(newest(own.await?, api.common.site.ask_all("/api/results", None).await))
            };
            api.results.get(all).await?
        }
    };
    Ok(Json(Results { results }))
}

/// The newest of our own and the others'.
fn newest(mut results: Vec<KeptResult>, others: Vec<Results>) -> Vec<KeptResult> {
    results.extend(others.into_iter().flat_map(|others| others.results));
    results.sort_by_key(|kept| Reverse(kept.at));
    results.truncate(RESULTS_KEPT);
    results
}

/// Which results.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct OfRound {
    /// Only the round of this number, with all its lines.
    round: Option<u32>,
}

impl OfRound {
    /// Those of a session that are in this server's store.
    pub(super) async fn kept_by(
        &self,
        store: &Store,
        code: SessionCode,
    ) -> Result<Vec<KeptResult>, NoAnswer> {
        store.of(code, self.round, RESULTS_KEPT as u32).await
    }

    /// Where another server is asked for the same below `path`.
    fn at(&self, path: &str) -> String {
        let round = self.round.map(|round| format!("?round={round}"));
        format!("{path}{}", round.unwrap_or_default())
    }
}

/// The newest results of one session, for who has its code. Those of a session that is over are there for as
/// long as they are kept; asking for them counts as asking for an unknown code.
#[utoipa::path(get, path = "/api/sessions/{code}/results", tag = "results",
    params(("code" = String, Path, description = "The session's code."), OfRound),
    responses((status = 200, description = "The results.", body = Results),
              (status = 400, description = "The query makes no sense."),
              (status = 404, description = "There is no session with this code, and none is remembered."),
              (status = 503, description = "They cannot be read now.")))]
pub(super) async fn of_session(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Code(code): Code,
    Asked(of): Asked<OfRound>,
) -> Result<Json<Results>, Problem> {
    let code = code.parse::<SessionCode>().ok();
    let find = || api.common.directory.get(code?);
    match (api.common.address_limits.guesses.look_up(caller.network, find), code) {
        (Ok(entry), _) => {
            let mut results = of.kept_by(&api.common.store, entry.code).await.unwrap_or_default();
            if results.is_empty() {
                // What it has itself is there also when the store is not.
                results = entry.results();
                match of.round {
                    Some(round) => results.retain(|kept| kept.result.round == round),
                    None => results.iter_mut().for_each(|k| k.result.places.truncate(LISTED_LINES)),
                }
            }
            if api.common.directory.has_been_elsewhere(&entry) {
                let path = of.at(&format!("{SITE_API}/results/{}", entry.code));
                results = newest(results, api.common.site.ask_all(&path, None).await);
            }
            Ok(Json(Results { results }))
        }
        (Err(NotFound::Unknown), Some(code)) => {
            let mut results = of.kept_by(&api.common.store, code).await?;
            if api.common.site.is_to_ask_about(code, &headers) {
                let path = of.at(&format!("/api/sessions/{code}/results"));
                let others = api.common.site.ask_all(&path, Some(caller.address())).await;
                results = newest(results, others);
            }
            match (results.is_empty(), of.round) {
                (false, _) => Ok(Json(Results { results })),
                (true, None) => Err(Problem::no_session()),
                (true, Some(_)) => {
                    Err(Problem::new(StatusCode::NOT_FOUND, "Nothing is kept of this round."))
                }
            }
        }
        (Err(why), _) => Err(why.into()),
    }
}

/// What a round looked like, for who has its recording's name from a result: the bytes that a spectator of everything would
/// have been sent, as `shared/src/netcode/recording.rs` describes them.
#[utoipa::path(get, path = "/api/recordings/{id}", tag = "results",
    params(("id" = String, Path, description = "The recording's name.")),
    responses((status = 200, description = "The recording.", content_type = "application/octet-stream", body = Vec<u8>),
              (status = 404, description = "There is no such recording, or no more."),
              (status = 503, description = "It cannot be read now.")))]
pub(super) async fn recording(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response<Body>, Problem> {
    let Ok(id) = id.parse::<RecordingId>() else { return Err(Problem::no_recording()) };
    let Some(first) = api.common.store.chapter(id, 0).await? else {
        // Its name does not say which server of the site has it.
        let path = format!("/api/recordings/{id}");
        let found = match is_passed_on(&headers) {
            true => None,
            false => api.common.site.first_success(|| site::get(&path), caller.address()).await,
        };
        return found.map(|found| found.map(Body::new)).ok_or_else(Problem::no_recording);
    };
    // Chapter by chapter, as each reader takes them: a whole one would be in memory for as long as the slowest reads.
    let store = api.common.store.clone();
    let rest = stream::try_unfold(1, move |number| {
        let store = store.clone();
        async move { Ok(store.chapter(id, number).await?.map(|chapter| (chapter, number + 1))) }
    });
    let body = Body::from_stream(stream::once(async { Ok::<_, NoAnswer>(first) }).chain(rest));
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], body).into_response())
}

/// Which leaderboard.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Of which time.
    period: Period,
    /// How many rows at most.
    #[param(minimum = 1, maximum = 100)]
    limit: u32,
}

impl Default for Which {
    fn default() -> Self {
        Self { period: Period::Day, limit: LEADERBOARD_MAX }
    }
}

/// Who was best.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(super) struct Leaderboard {
    /// Of which time.
    period: Period,
    /// Best first.
    rows: Vec<LeaderboardRow>,
}

/// The best round of everybody: of the last 24 hours, the last 7 days, or ever. Only rounds of quick play
/// count, as in a session of their own friends could hand each other points; computer pilots do not. Who
/// plays with the same browser is one and the same, and else who has the same name.
#[utoipa::path(get, path = "/api/leaderboard", tag = "results", params(Which),
    responses((status = 200, description = "The leaderboard.", body = Leaderboard),
              (status = 400, description = "The query makes no sense."),
              (status = 503, description = "It cannot be read now.")))]
pub(super) async fn leaderboard(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Asked(Which { period, limit }): Asked<Which>,
) -> Result<Json<Leaderboard>, Problem> {
    if !(1..=LEADERBOARD_MAX).contains(&limit) {
        let detail = format!("limit is {limit}, but goes from 1 to {LEADERBOARD_MAX}.");
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    }
    let own = api.own_boards.of(period).get(api.common.store.leaderboard(
        period,
        LEADERBOARD_MAX,
        unix_ms(),
    ));
    let mut rows = match is_passed_on(&headers) {
        true => own.await?,
        false => {
            let all = async { Ok(merged(own.await?, &api, period).await) };
            api.boards.of(period).get(all).await?
        }
    };
    rows.truncate(limit as usize);
    Ok(Json(Leaderboard { period, rows }))
}

/// For how long what was read is shown again before it is read anew: many ask, and a leaderboard means going through all
/// results of a week.
const READING_LIFE: Duration = Duration::from_secs(2);

/// What was read last, and when.
#[derive(Debug)]
pub(super) struct Reading<T>(Mutex<Option<(Instant, Vec<T>)>>);

impl<T> Default for Reading<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Reading<T> {
    /// All of it, at most so old. Whoever asks meanwhile waits for the same reading.
    async fn get(
        &self,
        read: impl Future<Output = Result<Vec<T>, NoAnswer>>,
    ) -> Result<Vec<T>, NoAnswer> {
        let mut last = self.0.lock().await;
        if let Some((read, rows)) = &*last
            && read.elapsed() < READING_LIFE
        {
            return Ok(rows.clone());
        }
        let rows = read.await?;
        *last = Some((Instant::now(), rows.clone()));
        Ok(rows)
    }
}

/// The leaderboards that were read last.
#[derive(Debug, Default)]
pub(super) struct Boards {
    day: Reading<LeaderboardRow>,
    week: Reading<LeaderboardRow>,
    all: Reading<LeaderboardRow>,
}

impl Boards {
    fn of(&self, period: Period) -> &Reading<LeaderboardRow> {
        match period {
            Period::Day => &self.day,
            Period::Week => &self.week,
            Period::All => &self.all,
        }
    }
}

/// With the rows of the site's other servers.
async fn merged(own: Vec<LeaderboardRow>, api: &Api, period: Period) -> Vec<LeaderboardRow> {
    let period = match period {
        Period::Day => "day",
        Period::Week => "week",
        Period::All => "all",
    };
    let path = format!("/api/leaderboard?period={period}");
    let others = api.common.site.ask_all::<Leaderboard>(&path, None).await;
    if others.is_empty() {
        return own;
    }
    merge(others.into_iter().map(|board| board.rows).chain([own]))
}

/// One leaderboard of several servers'. Who is called the same on two of them is taken for one, as servers do not tell
/// each other by what they know browsers again.
fn merge(boards: impl Iterator<Item = Vec<LeaderboardRow>>) -> Vec<LeaderboardRow> {
    let of_server =
        |(server, board): (usize, Vec<_>)| board.into_iter().map(move |row| (server, row));
    let mut rows: Vec<(usize, LeaderboardRow)> = boards.enumerate().flat_map(of_server).collect();
    rows.sort_by_key(|(_, row)| (Reverse(row.score), row.at));
    let mut best_at = HashMap::new();
    rows.retain(|(server, row)| *best_at.entry(row.name.clone()).or_insert(*server) == *server);
    rows.truncate(LEADERBOARD_MAX as usize);
    let mut before = None;
    let placed = rows.into_iter().zip(1..).map(|((_, row), number)| {
        let place = match before {
            Some((score, place)) if score == row.score => place,
            _ => number,
        };
        before = Some((row.score, place));
        LeaderboardRow { place, ..row }
    });
    placed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_servers_everybody_has_their_best_round_once() {
        let row = |name: &str, score, at| LeaderboardRow {
            place: 9,
            name: name.into(),
            score,
            figures: [("kills".to_owned(), score / 10)].into(),
            at,
        };
        let one = vec![row("Ada", 50, 1), row("Ben", 40, 2), row("Ben", 30, 3)];
        let two = vec![row("Cid", 50, 0), row("Ada", 45, 4), row("Ben", 41, 5)];
        let merged = merge([one, two].into_iter());
        let told: Vec<_> = merged.iter().map(|row| (row.place, &*row.name, row.score)).collect();
        assert_eq!(told, [(1, "Cid", 50), (1, "Ada", 50), (3, "Ben", 41)]);
    }
}
