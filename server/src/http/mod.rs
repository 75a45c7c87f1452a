//! Pages on the same port as the game. Comes in: requests that are no WebSocket. Goes out: the page and
//! its assets out of the binary itself, no file is ever read; what the [`api`] answers, and what is for the
//! [`admin`] alone.

pub mod admin;
pub mod api;
mod assets;
pub mod health;

use admin::Operator;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use std::sync::Arc;

/// What the page may do: run our scripts and module, show our pictures, talk to this server, and be
/// framed by nobody.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
     style-src 'self'; img-src 'self' data:; connect-src 'self'; manifest-src 'self'; \
     base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

/// Answers everything that is neither a WebSocket nor the API's.
pub(crate) fn router(operator: Arc<Operator>) -> Router {
    Router::new()
        .route("/admin", get(admin_page))
        .with_state(operator)
        .route("/", get(page))
        // A session's link. Whether there is such a session the page asks the API.
        .route("/s/{code}", get(page))
        .route("/assets/{build}/{*path}", get(asset))
        .fallback(|| async { assets::not_found() })
}

async fn page(headers: HeaderMap) -> impl IntoResponse {
    assets::page(&headers)
}

/// The operator's page, where there is an operator.
async fn admin_page(State(operator): State<Arc<Operator>>, headers: HeaderMap) -> Response<Body> {
    if operator.is_on() { assets::admin_page(&headers) } else { assets::not_found() }
}

async fn asset(
    Path((build, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> impl IntoResponse {
    assets::asset(&build, &path, &headers)
}

/// Sets the headers that every answer has.
pub(crate) fn harden<B>(response: &mut Response<B>) {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return;
    }
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    for (name, value) in [
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
}
