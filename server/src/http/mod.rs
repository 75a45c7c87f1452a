//! Pages on the same port as the game. Comes in: requests that are no WebSocket. Goes out: the page and
//! its assets out of the binary itself, no file is ever read; what the [`api`] answers, and what is for the
//! [`admin`] alone.

pub mod admin;
pub mod api;
mod asking;
mod assets;
pub mod health;
pub(crate) mod sse;

use crate::common::Common;
use crate::net::Caller;
use crate::net::address_limits::TooOften;
use crate::site::{self, is_passed_on};
use admin::Operator;
use assets::Page;
pub use assets::{ARENA, Asset, Build};
use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri, header};
use axum::response::IntoResponse;
use axum::routing::get;
use std::sync::Arc;

/// What the page may do: run our scripts and module, show our pictures, talk to this server, and be
/// framed by nobody.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
     style-src 'self'; img-src 'self' data:; connect-src 'self'; manifest-src 'self'; \
     base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

/// Answers everything that is neither a WebSocket nor the API's; players open the page of `game`.
pub(crate) fn router(game: &'static Build, common: Arc<Common>, operator: Arc<Operator>) -> Router {
    let base = &common.live.get().reach.base_path;
    let page = Page::game(game, base);
    let page = get(move |headers: HeaderMap| async move { page.respond(&headers) });
    let admin = Page::admin(base);
    // Where there is no operator there is no such page.
    let admin = get(move |headers: HeaderMap| async move {
        if operator.is_on() { admin.respond(&headers) } else { assets::not_found() }
    });
    Router::new()
        .route("/admin", admin)
        .route("/", page.clone())
        // A session's link. Whether there is such a session the page asks the API.
        .route("/s/{code}", page.clone())
        // A recording's, by its name, or by a session's code and a round's number.
        .route("/replay/{id}", page.clone())
        .route("/replay/{code}/{round}", page)
        .route("/assets/{build}/{*path}", get(asset))
        .with_state(Files { game, common })
        .fallback(|| async { assets::not_found() })
}

/// Where a page's files are looked for.
#[derive(Clone)]
struct Files {
    game: &'static Build,
    common: Arc<Common>,
}

/// A file of the game's page or the operator's; of another build where another server of the site has that: while they
/// are upgraded one after the other, a page may come from one and ask another for what belongs to it. Such a search counts as
/// a request to the API, as it is work for all servers; what can be no build's is not looked for.
async fn asset(
    State(Files { game, common }): State<Files>,
    Extension(caller): Extension<Caller>,
    Path((build, path)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Response<Body> {
    if let Some(ours) = [game, &ARENA].into_iter().find(|ours| ours.name == build) {
        return ours.respond(&path, &headers);
    }
    if is_passed_on(&headers) || !assets::is_build_name(&build) || is_of_another_site(&headers) {
        return assets::not_found();
    }
    if let Err(TooOften { after }) = common.address_limits.requests.take(caller.network) {
        let after = [(header::RETRY_AFTER, after.as_secs_f64().ceil() as u64)];
        let after = after.map(|(name, seconds)| (name, HeaderValue::from(seconds)));
        return (StatusCode::TOO_MANY_REQUESTS, after, "Too many requests.\n").into_response();
    }
    let found = common.site.first_success(|| site::get(uri.path()), caller.address()).await;
    found.map_or_else(assets::not_found, |found| found.map(Body::new))
}

/// Whether a browser says that a page of another site makes it ask, other than by a link that somebody follows. Such a page
/// should not be able to use up what its visitors may do here.
fn is_of_another_site(headers: &HeaderMap) -> bool {
    let says = |name: &str, what: &str| headers.get(name).is_some_and(|value| value == what);
    let follows_a_link = says("sec-fetch-mode", "navigate") && says("sec-fetch-dest", "document");
    says("sec-fetch-site", "cross-site") && !follows_a_link
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

/// What the one Authorization header shows, if it is of the kind `Bearer`.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).into_iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
