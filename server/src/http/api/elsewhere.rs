//! What another server of the site is to answer. Comes in: a request with the code of a session that is there, or one
//! for which there is no room here. Goes out: that server's answer.

use super::Api;
use super::problem::Problem;
use crate::code::SessionCode;
use crate::directory::NoSession;
use crate::net::Caller;
use crate::site::{self, Neighbour, NoNeighbour, is_passed_on};
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
    match code.and_then(|code| api.neighbour(code, request.headers())) {
        None => next.run(request).await,
        Some(neighbour) => pass_on(&api, neighbour, request, &caller).await,
    }
}

impl Api {
    /// The other server that has the session with this code, if none here has it.
    pub(super) fn neighbour(&self, code: SessionCode, headers: &HeaderMap) -> Option<&Neighbour> {
        let neighbour = self.site.neighbour(code.letter(), headers)?;
        self.directory.get(code).is_none().then_some(neighbour)
    }
}

/// What `neighbour` answers.
pub(super) async fn pass_on(
    api: &Api,
    neighbour: &Neighbour,
    request: Request,
    caller: &Caller,
) -> Response<Body> {
    match api.site.pass_on(neighbour, request, caller.address()).await {
        Ok(response) => response.map(Body::new),
        Err(NoNeighbour) => {
            Problem::busy(NoNeighbour::SENTENCE, NoNeighbour::AFTER).into_response()
        }
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
    let done = match why {
        NoSession::Refused(_) => None,
        _ if is_passed_on(headers) => None,
        _ => api.site.first_success(|| site::post(path, said), caller.address()).await,
    };
    done.map(|response| response.map(Body::new)).ok_or_else(|| why.into())
}
