//! The HTTP API under `/api`: sessions, tickets, host actions, results, the lobby's chat. Comes in: JSON
//! within limits. Goes out: JSON, and for whatever goes wrong a [`Problem`]. It is described by the document
//! that it serves itself, at `/api/openapi.json`.
//!
//! In the order of the flow: `guard` is what every request passes, `elsewhere` takes those away that another
//! server of the site is to answer, `body` reads what one says, then one
//! file for each thing to ask for, and `openapi` describes them all.

mod about;
mod actions;
pub(super) mod body;
mod chat;
mod elsewhere;
mod events;
mod guard;
mod openapi;
pub mod problem;
mod results;
mod sessions;
mod site;
mod tickets;

use super::admin::{ADMIN_API_PATH, Operator};
use crate::code::SessionCode;
use crate::common::Common;
use crate::directory::Entry;
use crate::net::Caller;
use crate::net::address_limits::NotFound;
use crate::net::places::{NoPlace, Place, Places};
use crate::site::SITE_API;
use crate::store::KeptResult;
use axum::Router;
use axum::body::Bytes;
use axum::http::{StatusCode, Uri};
use axum::middleware;
use chat::Chat;
use problem::Problem;
use results::{Boards, Reading};
use std::sync::{Arc, OnceLock};
use tokio::time::Duration;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What all requests share.
#[derive(Debug)]
pub struct Api {
    common: Arc<Common>,
    chat: Chat,
    /// Of this server, and of the whole site.
    own_boards: Boards,
    boards: Boards,
    own_results: Reading<KeptResult>,
    results: Reading<KeptResult>,
    document: OnceLock<Bytes>,
}

impl Api {
    /// An API over these.
    pub fn new(common: Arc<Common>) -> Self {
        Self {
            common,
            chat: Chat::default(),
            own_boards: Boards::default(),
            boards: Boards::default(),
            own_results: Reading::default(),
            results: Reading::default(),
            document: OnceLock::new(),
        }
    }

    /// The session that somebody gave a code of. What is no code at all is a guess like any other.
    fn find(&self, caller: &Caller, code: &str) -> Result<Arc<Entry>, Problem> {
        let find = || self.common.directory.get(code.parse::<SessionCode>().ok()?);
        self.common.address_limits.guesses.look_up(caller.network, find).map_err(Problem::from)
    }
}

/// A place among those who listen.
pub(super) fn listen(listeners: &Arc<Places>, caller: &Caller) -> Result<Place, Problem> {
    let listening = listeners.take(caller.network);
    let listening = listening.map_err(|why| match why {
        NoPlace::Full => Problem::busy(
            "Too many listen for news; ask now and then instead.",
            Duration::from_secs(30),
        ),
        NoPlace::AddressFull => Problem {
            retry_after: Some(Duration::from_secs(30)),
            ..Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "Too many from your address listen for news; close a few of those pages.",
            )
        },
    })?;
    caller.is_listening();
    Ok(listening)
}

impl From<NotFound> for Problem {
    fn from(why: NotFound) -> Self {
        match why {
            NotFound::Unknown => Self::no_session(),
            NotFound::TooOften(often) => often.into(),
        }
    }
}

/// Answers everything under `/api`, the operator's part included.
pub(crate) fn router(api: Arc<Api>, operator: &Arc<Operator>) -> Router {
    let frame = openapi::frame(&api.common.live.get().reach.base_path);
    let (router, document) = OpenApiRouter::with_openapi(frame)
        .routes(routes!(sessions::list, sessions::create))
        .routes(routes!(sessions::offer))
        .routes(routes!(events::events))
        .routes(routes!(sessions::look_up))
        .routes(routes!(actions::act))
        .routes(routes!(results::of_session))
        .routes(routes!(results::recent))
        .routes(routes!(results::recording))
        .routes(routes!(results::leaderboard))
        .routes(routes!(tickets::create))
        .routes(routes!(chat::lines, chat::say))
        .routes(routes!(about::protocol))
        .routes(routes!(openapi::document))
        .split_for_parts();
    let document = serde_json::to_vec(&openapi::complete(document)).expect("plain values");
    api.document.set(document.into()).expect("one router for one API");
    router
        .nest(SITE_API, site::router(Arc::clone(&api)))
        .nest_service(ADMIN_API_PATH, super::admin::router(operator))
        .fallback(not_found)
        .method_not_allowed_fallback(not_allowed)
        .layer(middleware::from_fn_with_state(Arc::clone(&api), elsewhere::elsewhere))
        .layer(middleware::from_fn_with_state(Arc::clone(&api), guard::guard))
        .with_state(api)
}

async fn not_found(uri: Uri) -> Problem {
    Problem::nothing_at(uri.path())
}

async fn not_allowed() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "That cannot be done here; the Allow header says what can, and /api/openapi.json how.",
    )
}
