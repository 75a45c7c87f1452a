//! Tickets: the way into a session, through a WebSocket that is about to be opened.

use super::Api;
use super::body::JsonBody;
use super::elsewhere::{instead, no_neighbour, pass_on};
use super::problem::Problem;
use crate::code::SessionCode;
use crate::directory::Ticket;
use crate::net::{Caller, PLAY_PATH};
use crate::site::{self, SessionPlace, is_passed_on};
use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::time::Duration;
use utoipa::ToSchema;

/// Where tickets are asked for.
const PATH: &str = "/api/tickets";

/// Where somebody wants to go.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Wish {
    /// The session's code; without one it is quick play: the fullest public session with room, or a new one.
    code: Option<String>,
    /// Whether to watch rather than to play.
    watch: bool,
    /// Codes of sessions to which quick play is not to lead, at most 16: those that do not let somebody in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 16)]
    not: Vec<String>,
}

/// The most sessions to which somebody may not want to be led; more are refused.
const NOT_MAX: usize = 16;

/// A way into a session.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Admission {
    /// Good once, for 15 s: 32 hexadecimal digits.
    ticket: String,
    /// The session's code.
    code: String,
    /// Where to open the WebSocket: the path and query as they are.
    play: String,
}

/// A ticket for a session. Until it is used or its time is over a place counts as taken. It is no promise:
/// a session that is locked or full says so itself, as somebody may come back to a seat in it.
#[utoipa::path(post, path = "/api/tickets", tag = "sessions", request_body = Wish,
    responses((status = 201, description = "Open a WebSocket with it.", body = Admission),
              (status = 404, description = "There is no session with this code."),
              (status = 503, description = "There is room in no session, and all that fit are open; or the server has no time for anybody new; or the session stands still.")))]
pub(super) async fn create(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    JsonBody(wish): JsonBody<Wish>,
) -> Result<Response<Body>, Problem> {
    api.common.address_limits.tickets.take(caller.network)?;
    if wish.not.len() > NOT_MAX {
        let detail = format!("not has {} codes, but at most {NOT_MAX} are taken.", wish.not.len());
        return Err(Problem::refused(detail));
    }
    // What is no code is no session either.
    let not: Vec<SessionCode> = wish.not.iter().filter_map(|code| code.parse().ok()).collect();
    if let Some(admission) = elsewhere(&api, &caller, &headers, &wish, &not).await {
        return Ok(admission);
    }
    let Wish { code, watch, not: unwanted } = wish;
    let (entry, promise) = match code {
        Some(code) => {
            let entry = api.find(&caller, &code)?;
            entry.lets_in()?;
            let promise = entry.promise();
            (entry, promise)
        }
        None => match api.common.directory.quick(&not) {
            Ok(there) => there,
            Err(why) => {
                return instead(
                    &api,
                    &caller,
                    &headers,
                    PATH,
                    &Wish { code, watch, not: unwanted },
                    why,
                )
                .await;
            }
        },
    };
    let promise = (!watch).then_some(promise);
    let ticket = Ticket { code: entry.code, watch, promise };
    let Some(ticket) = api.common.directory.tickets.give(ticket) else {
        let wait = api.common.live.get().limits.ticket_life.max(Duration::from_secs(1));
        return Err(Problem::busy("Too many are on their way in; try again soon.", wait));
    };
    let ticket = ticket.to_hex();
    let base = &api.common.live.get().reach.base_path;
    let server = api.common.site.own_letter().map(|letter| format!("&server={letter}"));
    let play =
        format!("{}{PLAY_PATH}?ticket={ticket}{}", base.as_str(), server.unwrap_or_default());
    let code = entry.code.to_string();
    Ok((StatusCode::CREATED, Json(Admission { ticket, code, play })).into_response())
}

/// What another server of the site says to the wish, where it has the session that is meant: by its code, or, where
/// quick play would find nobody here, the fullest one.
async fn elsewhere(
    api: &Api,
    caller: &Caller,
    headers: &HeaderMap,
    wish: &Wish,
    not: &[SessionCode],
) -> Option<Response<Body>> {
    let is_quick = wish.code.is_none();
    let (neighbour, code) = match &wish.code {
        Some(code) => match api.place(code.parse().ok()?, headers) {
            SessionPlace::There(neighbour) => (neighbour, code.clone()),
            SessionPlace::Unknown => return None,
            SessionPlace::Moving => return Some(no_neighbour().into_response()),
        },
        None if is_passed_on(headers) || api.common.directory.has_company(not) => return None,
        None => api.common.site.fullest_open(&wish.not)?,
    };
    let wish = Wish { code: Some(code), watch: wish.watch, not: Vec::new() };
    let response = pass_on(api, neighbour, site::post(PATH, &wish), caller).await;
    // Who did not care where they play can play here.
    (!is_quick || response.status().is_success()).then_some(response)
}
