//! What the operator asks for once: the same that the event stream tells, the past, bans, the audit log, the log.

use super::Operator;
use super::history::Past;
use crate::code::SessionCode;
use crate::http::api::body::{Asked, Code};
use crate::http::api::problem::Problem;
use crate::store::{Deed, KeptBan};
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Response, header};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::time::{Duration, timeout};

/// Lines of the audit log that are answered unless asked otherwise, and at most.
const AUDIT_LINES: u32 = 200;
const AUDIT_LINES_MAX: u32 = 2000;
/// For how long the first sample is awaited.
const FIRST_SAMPLE_WAIT: Duration = Duration::from_secs(5);

fn json(bytes: Bytes) -> Response<Body> {
    ([(header::CONTENT_TYPE, "application/json")], bytes).into_response()
}

/// How everything is doing.
pub(super) async fn overview(
    State(operator): State<Arc<Operator>>,
) -> Result<Response<Body>, Problem> {
    let mut overview = operator.history.overview();
    let first = timeout(FIRST_SAMPLE_WAIT, overview.wait_for(|json| !json.is_empty())).await;
    match first {
        Ok(Ok(found)) => Ok(json(found.clone())),
        _ => Err(not_sampled()),
    }
}

/// Whose past.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Whose {
    session: Option<String>,
}

/// The last ten minutes, of a session or of the whole server.
pub(super) async fn history(
    State(operator): State<Arc<Operator>>,
    Asked(whose): Asked<Whose>,
) -> Result<Json<Past>, Problem> {
    let Some(code) = whose.session else { return Ok(Json(operator.history.of_server())) };
    let code = code.parse::<SessionCode>().ok();
    let past = code.and_then(|code| operator.history.of_session(code));
    past.map(Json).ok_or_else(Problem::no_session)
}

/// What is in a session.
pub(super) async fn session(
    State(operator): State<Arc<Operator>>,
    Code(code): Code,
) -> Result<Response<Body>, Problem> {
    let entry = operator.find(&code)?;
    operator.people_of(&entry).await.map(json).ok_or_else(not_sampled)
}

fn not_sampled() -> Problem {
    Problem::busy("There is no answer yet; try again in a second.", Duration::from_secs(1))
}

/// Who is banned.
pub(super) async fn bans(State(operator): State<Arc<Operator>>) -> Json<Vec<KeptBan>> {
    Json(operator.common.bans.list())
}

/// How much of the audit log.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct HowMany {
    limit: Option<u32>,
}

/// What was done, newest first.
pub(super) async fn audit(
    State(operator): State<Arc<Operator>>,
    Asked(HowMany { limit }): Asked<HowMany>,
) -> Result<Json<Vec<Deed>>, Problem> {
    let limit = limit.unwrap_or(AUDIT_LINES).min(AUDIT_LINES_MAX);
    let deeds = operator.common.store.audit(limit).await;
    deeds.map(Json).map_err(|_| {
        Problem::busy(
            "The audit log cannot be read now; try again in a minute.",
            Duration::from_secs(60),
        )
    })
}

/// The newest lines of the log, oldest first, and what gets into it.
#[derive(Debug, Serialize)]
pub(super) struct Log {
    filter: String,
    lines: Vec<serde_json::Value>,
}

/// The log; empty where the process has none.
pub(super) async fn log(State(operator): State<Arc<Operator>>) -> Json<Log> {
    let Some(logs) = operator.logs.get() else {
        return Json(Log { filter: "off".into(), lines: Vec::new() });
    };
    let lines = logs.recent().iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    Json(Log { filter: logs.filter(), lines })
}
