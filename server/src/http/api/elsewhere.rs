//! What another server of the site is to answer. Comes in: a request with the code of a session that is there, or one
//! for which there is no room here. Goes out: that server's answer.

use super::Api;
use super::problem::Problem;
use crate::code::SessionCode;
use crate::directory::NoSession;
use crate::net::Caller;
use crate::site::{self, Neighbour, NoNeighbour, SessionPlace, is_passed_on};
use axum::body::Body;
use axum::extract::{Extension, RawPathParams, Request, State};
use axum::http::{HeaderMap, Response};
use axum::middleware::Next;
use axum::response::IntoResponse;
use serde::Serialize;
use std::sync::Arc;

pub(super) async fn elsewhere(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    params: RawPathParams,
    request: Request,
    next: Next,
) -> Response<Body> {
    let code = params.iter().find(|(name, _)| *name == "code");
    let code = code.and_then(|(_, code)| code.parse().ok());
    let place = code.map_or(SessionPlace::Unknown, |code| api.place(code, request.headers()));
    match place {
        SessionPlace::Unknown => next.run(request).await,
        SessionPlace::There(neighbour) => pass_on(&api, neighbour, request, &caller).await,
        SessionPlace::Moving => no_neighbour().into_response(),
    }
}

impl Api {
    /// Where the session with this code is; what is here, too, is none of the site's.
    pub(super) fn place(&self, code: SessionCode, headers: &HeaderMap) -> SessionPlace<'_> {
        match self.common.directory.get(code) {
            Some(_) => SessionPlace::Unknown,
            None => self.common.site.place(code, headers),
        }
    }
}

/// The session is out of reach, or on its way.
pub(super) fn no_neighbour() -> Problem {
    Problem::busy(NoNeighbour::SENTENCE, NoNeighbour::AFTER)
}

/// What `neighbour` answers.
pub(super) async fn pass_on(
    api: &Api,
    neighbour: &Neighbour,
    request: Request,
    caller: &Caller,
) -> Response<Body> {
    match api.common.site.pass_on(neighbour, request, caller.address()).await {
        Ok(response) => response.map(Body::new),
        Err(NoNeighbour) => no_neighbour().into_response(),
    }
}

/// What the first of the other servers answers that has room for whom this one has none; without one, why this one has
/// none.
pub(super) async fn instead(
    api: &Api,
    caller: &Caller,
    headers: &HeaderMap,
    path: &str,
    said: &impl Serialize,
    why: NoSession,
) -> Result<Response<Body>, Problem> {
    let is_asked_here = !is_passed_on(headers);
    let done = match why {
        NoSession::Refused(_) => None,
        _ if is_asked_here => {
            api.common.site.first_success(|| site::post(path, said), caller.address()).await
        }
        _ => None,
    };
    // Whoever another server asks for is that one's to count.
    if done.is_none() && is_asked_here && matches!(why, NoSession::Overloaded) {
        api.common.directory.overload.refuse(1);
    }
    done.map(|response| response.map(Body::new)).ok_or_else(|| why.into())
}
