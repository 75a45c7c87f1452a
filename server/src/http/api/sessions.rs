//! Sessions: the list, one of them, a new one.

#![expect(unused_qualifications, reason = "utoipa's macros write paths out in full")]

use super::body::{Asked, Code, JsonBody, meant};
use super::elsewhere::instead;
use super::problem::Problem;
use super::{Api, listen};
use crate::directory::{Most, SessionInfo, SessionList};
use crate::net::{Caller, telling_network};
use crate::session::settings::SessionSettings;
use crate::site::is_passed_on;
use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use shared::wire::HostSecret;
use std::sync::Arc;
use tokio::time::{Duration, Instant, timeout_at};
use utoipa::{IntoParams, ToSchema};

/// Where sessions are created.
const PATH: &str = "/api/sessions";
/// The longest wait for a change of the list, in seconds.
const WAIT_S_MAX: u8 = 25;

/// How to wait for a change of the list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct Wait {
    /// The version that the asker has: the answer comes when there is another one.
    #[param(minimum = 0)]
    after: Option<u64>,
    /// For how many seconds to wait for that at most; then the list comes as it is.
    #[param(minimum = 0, maximum = 25)]
    wait: u8,
}

/// All public sessions, the fullest first. With `after` and `wait` the answer comes once the list has changed
/// (long polling), for those for whom the event stream does not work.
#[utoipa::path(get, path = "/api/sessions", tag = "sessions", params(Wait),
    responses((status = 200, description = "The list.", body = SessionList),
              (status = 400, description = "The query makes no sense."),
              (status = 503, description = "Too many wait.")))]
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Asked(Wait { after, wait }): Asked<Wait>,
) -> Result<Response<Body>, Problem> {
    if wait > WAIT_S_MAX {
        let detail = format!("wait is {wait}, but goes from 0 to {WAIT_S_MAX} seconds.");
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    }
    let mut news = api.common.directory.news();
    let mut close = None;
    if let Some(after) = after.filter(|_| wait > 0) {
        let _listening = listen(&api.common.address_limits.listeners, &caller)?;
        let until = Instant::now() + Duration::from_secs(wait.into());
        let changed = news.wait_for(|news| news.version != after);
        tokio::select! {
            () = api.common.stop.cancelled() => {}
            // Changed or not, the list comes as it is then.
            _ = timeout_at(until.min(caller.until), changed) => {}
        }
        // The next poll has a connection with all of its time before it; see `Caller::until`.
        close = Some([(header::CONNECTION, "close")]);
    }
    // Another server of the site asks for ours alone.
    let list = match is_passed_on(&headers) {
        true => api.common.directory.own_list(),
        false => api.common.directory.list(),
    };
    let list = Json(list);
    Ok(match close {
        Some(close) => (close, list).into_response(),
        None => list.into_response(),
    })
}

/// A session that was created.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Created {
    /// What invites are made of: `/s/` and this.
    code: String,
    /// Who shows this is the host: 32 hexadecimal digits. It is told nobody else, and not again.
    host_secret: String,
    /// What is shown of it.
    session: SessionInfo,
}

/// What a session has of which nobody says anything else.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Offer {
    /// Settings that are left out are these.
    usual: SessionSettings,
    /// More of this is refused.
    most: Most,
}

/// What whoever opens a session need not say, and how much they may ask for.
#[utoipa::path(get, path = "/api/settings", tag = "sessions",
    responses((status = 200, description = "The settings.", body = Offer)))]
pub(super) async fn offer(State(api): State<Arc<Api>>) -> Json<Offer> {
    let (usual, most) = api.common.directory.offer();
    Json(Offer { usual, most })
}

/// Opens a session. What the settings leave out is as `GET /api/settings` says. A private session's code is a secret: whoever has
/// it may join.
#[utoipa::path(post, path = "/api/sessions", tag = "sessions", request_body = SessionSettings,
    responses((status = 201, description = "It is open.", body = Created),
              (status = 403, description = "Visitors open no sessions on this server."),
              (status = 429, description = "Too many from this address, or too often."),
              (status = 503, description = "All sessions that fit are taken, or the server has no time for anybody new.")))]
pub(super) async fn create(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    JsonBody(said): JsonBody<Map<String, Value>>,
) -> Result<Response<Body>, Problem> {
    if !api.common.live.get().open_sessions {
        let detail = "Visitors open no sessions on this server; join one of those in the list.";
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    // Of the game's settings those are kept that somebody chose: the rest is for the rules of the day to say.
    let usual = SessionSettings { game: Map::new(), ..api.common.directory.offer().0 };
    let settings: SessionSettings = meant(over(&usual, said))?;
    api.common.directory.check(&settings).map_err(Problem::refused)?;
    api.common.address_limits.creations.take(caller.network)?;
    // This machine's own are whoever looks after it, bots, or a proxy that speaks for everybody.
    let own = telling_network(caller.network).map(|network| {
        api.common.address_limits.sessions.take(network).map_err(|_| {
            let detail =
                "Your address has opened as many sessions as it may have at once; end one of them.";
            Problem::new(StatusCode::TOO_MANY_REQUESTS, detail)
        })
    });
    let own = own.transpose()?;
    let secret = HostSecret(rand::random());
    let entry = match api.common.directory.create(settings.clone(), secret) {
        Ok(entry) => entry,
        Err(why) => return instead(&api, &caller, &headers, PATH, &settings, why).await,
    };
    own.into_iter().for_each(|place| entry.takes(place));
    let session = entry.info();
    let code = session.code.clone();
    let created = Created { code, host_secret: secret.to_hex(), session };
    Ok((StatusCode::CREATED, Json(created)).into_response())
}

/// The settings that somebody said, over those that they said nothing of.
pub(super) fn over(others: &SessionSettings, said: Map<String, Value>) -> Value {
    let mut all = serde_json::to_value(others).expect("plain values");
    all.as_object_mut().expect("settings have names").extend(said);
    all
}

/// A session, and what it was opened with.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LookedUp {
    /// What is shown of it.
    session: SessionInfo,
    /// What it was opened with, or what its host changed that to for the next round.
    settings: SessionSettings,
}

/// One session, public or private, for who has its code.
#[utoipa::path(get, path = "/api/sessions/{code}", tag = "sessions",
    params(("code" = String, Path, description = "As people write it: small letters, spaces and hyphens do not matter.")),
    responses((status = 200, description = "The session.", body = LookedUp),
              (status = 404, description = "There is none with this code.")))]
pub(super) async fn look_up(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Code(code): Code,
) -> Result<Json<LookedUp>, Problem> {
    let entry = api.find(&caller, &code)?;
    Ok(Json(LookedUp { session: entry.info(), settings: entry.settings() }))
}
