//! What every request to the API passes: how often an address asks, whose page asks, and what a browser may
//! do with the answer.
//!
//! Pages of this server, and programs, which say nothing of a page, may do everything. Pages of others may
//! change something only when the server's operator named them (`--origin`), and only those are told by CORS
//! that they may read answers. Nor can they use up what their visitors may do: what a browser says comes from another
//! site's page is refused before it counts, but for links that people follow.

use super::Api;
use super::problem::Problem;
use crate::http::is_of_another_site;
use crate::net::{Caller, upgrade};
use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use axum::middleware::Next;
use axum::response::IntoResponse;
use std::sync::Arc;

/// For how long a browser remembers what a page may do, in seconds.
const PREFLIGHT_SECONDS: &str = "600";
/// What a page may send that is no simple request.
const HEADERS: &str = "authorization, content-type";
/// What a page may do.
const METHODS: &str = "GET, POST";

pub(super) async fn guard(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let foreign = foreign_page(request.headers(), &api);
    let mut response = match check(&api, &caller, &request) {
        Err(problem) => problem.into_response(),
        Ok(()) if is_preflight(&request) => preflight(foreign.is_some()),
        Ok(()) => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Some(origin) = foreign {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        let readable = HeaderValue::from_static("retry-after");
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, readable);
    }
    response
}

fn check(api: &Api, caller: &Caller, request: &Request) -> Result<(), Problem> {
    // A server that hands over all that it has asks a lot at once.
    if api.common.site.is_server(request.headers()) {
        return Ok(());
    }
    if !is_welcome(api, request) {
        let sentence = "Pages from that origin may do nothing here; the server's operator allows some with --origin.";
        return Err(Problem::new(StatusCode::FORBIDDEN, sentence));
    }
    api.common.address_limits.requests.take(caller.network)?;
    Ok(())
}

/// Whether the page that asks may.
fn is_welcome(api: &Api, request: &Request) -> bool {
    let headers = request.headers();
    let is_welcome = upgrade::is_welcome(headers, &api.common.live.get().origin);
    let says_whose = headers.contains_key(header::ORIGIN);
    if is_of_another_site(headers) && !(says_whose && is_welcome) {
        return false;
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    is_welcome || (reads && !is_preflight(request))
}

/// The origin of a page that is not ours and that the server's operator named.
fn foreign_page(headers: &HeaderMap, api: &Api) -> Option<HeaderValue> {
    let origin = headers.get(header::ORIGIN)?;
    let named = &api.common.live.get().origin;
    let named = !named.is_empty() && upgrade::is_welcome(headers, named);
    named.then(|| origin.clone())
}

fn is_preflight(request: &Request) -> bool {
    *request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ORIGIN)
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight(foreign: bool) -> Response<Body> {
    if !foreign {
        // A page of our own need not ask.
        return StatusCode::NO_CONTENT.into_response();
    }
    let allowed = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
        (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS),
    ];
    (StatusCode::NO_CONTENT, allowed).into_response()
}
