//! Pages on the same port as the game. Comes in: requests that are no WebSocket. Goes out: the page and
//! its assets out of the binary itself, no file is ever read; what the [`api`] answers, and what is for the
//! [`admin`] alone.

pub mod admin;
pub mod api;
mod assets;
pub mod health;

use crate::config::BasePath;
use crate::net::Caller;
use crate::site::{self, Site, is_passed_on};
use admin::Operator;
use assets::Page;
pub use assets::{ARENA, Asset, Build};
use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri, header};
use axum::routing::get;
use std::sync::Arc;

/// What the page may do: run our scripts and module, show our pictures, talk to this server, and be
/// framed by nobody.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
     style-src 'self'; img-src 'self' data:; connect-src 'self'; manifest-src 'self'; \
     base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

/// Answers everything that is neither a WebSocket nor the API's, for browsers that find it below `base`; players open
/// the page of `game`.
pub(crate) fn router(
    game: &'static Build,
    base: &BasePath,
    operator: Arc<Operator>,
    site: Arc<Site>,
) -> Router {
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
        .with_state(Files { game, site })
        .fallback(|| async { assets::not_found() })
}

/// Where a page's files are looked for.
#[derive(Clone)]
struct Files {
    game: &'static Build,
    site: Arc<Site>,
}

/// A file of the game's page or the operator's; of another build where another server of the site has that: while they
/// are upgraded one after the other, a page may come from one and ask another for what belongs to it.
async fn asset(
    State(Files { game, site }): State<Files>,
    Extension(caller): Extension<Caller>,
    Path((build, path)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Response<Body> {
    if let Some(ours) = [game, &ARENA].into_iter().find(|ours| ours.name == build) {
        return ours.respond(&path, &headers);
    }
    if !is_passed_on(&headers)
        && let Some(found) = site.first_success(|| site::get(uri.path()), caller.address()).await
    {
        return found.map(Body::new);
    }
    assets::not_found()
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
