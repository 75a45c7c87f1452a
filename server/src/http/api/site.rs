//! What servers of a site ask each other and nobody else may, so it is not in the API's document: which sessions one
//! has and how busy it is, to take a session over, what is kept of one that moved, and who is banned. To whoever cannot
//! show the site's secret nothing of it is there.

use super::Api;
use super::body::{Asked, Code, JsonBody};
use super::problem::Problem;
use super::results::{OfRound, Results};
use crate::directory::SessionInfo;
use crate::overload::LoadReport;
use crate::site::Taking;
use crate::store::KeptBan;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, http::HeaderMap};
use serde::Serialize;
use std::sync::Arc;
use tokio::time::Duration;

/// Routes below the path of the site.
pub(super) fn router(api: Arc<Api>) -> Router<Arc<Api>> {
    Router::new()
        .route("/sessions", get(sessions))
        .route("/sessions/{session}", get(has))
        // Not called a code, as the session with this code is not asked for.
        .route("/leaving/{session}", get(leaving))
        .route("/take", post(take))
        .route("/results/{session}", get(results))
        .route("/bans", get(bans))
        .route_layer(middleware::from_fn_with_state(api, gate))
}

async fn gate(
    State(api): State<Arc<Api>>,
    uri: Uri,
    headers: HeaderMap,
    request: Request,
    next: Next,
) -> Response<Body> {
    if api.common.site.is_server(&headers) {
        next.run(request).await
    } else {
        Problem::nothing_at(uri.path()).into_response()
    }
}

/// Sessions of this server.
#[derive(Serialize)]
struct Ours {
    /// The public ones, the fullest first.
    sessions: Vec<SessionInfo>,
    /// Codes of those that were on another server before, private ones too.
    taken: Vec<String>,
    /// Codes of the public ones that let nobody new in, as there is too much to do.
    closed: Vec<String>,
    /// The version of its bans: whoever knows another one asks for them.
    bans: u64,
    /// How busy it is.
    report: LoadReport,
}

async fn sessions(State(api): State<Arc<Api>>) -> Json<Ours> {
    Json(Ours {
        sessions: api.common.directory.own_list().sessions,
        taken: api.common.directory.taken(),
        closed: api.common.directory.closed(),
        bans: api.common.bans.version(),
        report: api.common.directory.load_report(),
    })
}

/// Whether a session is here. Visitors' way to ask counts misses, and refuses who has too many: a server that has to know
/// whether a match goes on would take that for a no.
async fn has(State(api): State<Arc<Api>>, Code(code): Code) -> Result<StatusCode, Problem> {
    let here = code.parse().ok().and_then(|code| api.common.directory.get(code));
    here.map(|_| StatusCode::NO_CONTENT).ok_or_else(Problem::no_session)
}

async fn bans(State(api): State<Arc<Api>>) -> Json<Vec<KeptBan>> {
    Json(api.common.bans.known())
}

async fn leaving(State(api): State<Arc<Api>>, Code(code): Code) -> Result<Bytes, Problem> {
    let leaving = code.parse().ok().and_then(|code| api.common.site.leaving(code));
    leaving.ok_or_else(Problem::no_session)
}

/// What our store has of a session that is on another server now, or was.
async fn results(
    State(api): State<Arc<Api>>,
    Code(code): Code,
    Asked(of): Asked<OfRound>,
) -> Result<Json<Results>, Problem> {
    let code = code.parse().map_err(|_| Problem::no_session())?;
    Ok(Json(Results { results: of.kept_by(&api.common.store, code).await? }))
}

async fn take(
    State(api): State<Arc<Api>>,
    JsonBody(Taking { code, from }): JsonBody<Taking>,
) -> Result<StatusCode, Problem> {
    let (Ok(code), Ok(from)) = (code.parse(), from.parse()) else {
        return Err(Problem::refused("That is no session's code, or no server's letter."));
    };
    let fetched = api.common.site.fetch(code, from).await;
    let (session, checkpoint) = fetched.ok_or_else(|| {
        Problem::busy("The session cannot be had from there.", Duration::from_secs(1))
    })?;
    api.common.directory.take(session, &checkpoint)?;
    Ok(StatusCode::NO_CONTENT)
}
