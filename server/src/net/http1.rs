//! HTTP/1.1 on an accepted socket, until the peer is done or asks for a WebSocket. What hyper lets
//! through and we don't is refused here, for every page alike.

use super::answers::TurnedDown;
use super::bans::BANNED;
use super::caller::Counted;
use super::connection::Connection;
use super::limits::{BODY_BYTES_MAX, HEAD_BYTES_MAX, HEADERS_MAX, Limits};
use super::listeners::Purpose;
use super::peer::Peer;
use super::refusal::Reason;
use super::registry::{Slot, State};
use super::stream::Stream;
use super::upgrade::{self, AllowedOrigin};
use super::{API_PATH, Caller, Front, PLAY_PATH, base_path, closing, redirect, tunnel, way};
use crate::config::Config;
use crate::http::sse::END_EARLY;
use crate::http::{harden, health};
use crate::metrics::Request as Asked;
use crate::site::SessionPlace;
use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Version};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::time::{Duration, Instant, sleep_until, timeout};
use tower::ServiceExt;
use tracing::Instrument;

/// One connection, as long as it speaks HTTP.
struct Talk {
    slot: Arc<Slot>,
    purpose: Purpose,
    /// Whether over TLS.
    is_secure: bool,
    /// When it has spoken HTTP for long enough.
    until: Mutex<Instant>,
    answered: AtomicBool,
    front: Arc<Front>,
}

/// Speaks HTTP with one peer. Returns when that is over; a WebSocket that came of it has a task of its
/// own by then.
pub(super) async fn serve(stream: Stream, slot: Slot, purpose: Purpose, front: Arc<Front>) {
    let config = front.common.live.get();
    let limits = &config.limits;
    let peer = slot.peer;
    let talk = Arc::new(Talk {
        slot: Arc::new(slot),
        purpose,
        is_secure: stream.is_secure(),
        until: Mutex::new(Instant::now() + limits.http_wait),
        answered: AtomicBool::new(false),
        front: Arc::clone(&front),
    });
    let service = service_fn(|request| answer(request, Arc::clone(&talk)));
    // Without a timer hyper keeps no deadline at all.
    let mut connection = Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_wait)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();

    let ended = tokio::select! {
        ended = &mut connection => Some(Some(ended)),
        () = talk.too_long() => Some(None),
        () = front.common.stop.cancelled() => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            Pin::new(&mut connection).graceful_shutdown();
            timeout(limits.close_wait, &mut connection).await.ok()
        }
    };
    let parts = connection.into_parts();
    // hyper takes an error between two requests for the peer's end.
    let is_over = parts.as_ref().is_some_and(|parts| parts.io.inner().is_over());
    match ended {
        _ if is_over => {
            front.common.refusals.note(
                peer,
                Reason::ByteRate,
                "too many bytes in too short a time",
            );
        }
        Some(Ok(())) => {}
        // A browser keeps its connections for the next request, which need not come.
        Some(Err(error)) if error.is_timeout() && talk.answered.load(Ordering::Relaxed) => {}
        Some(Err(error)) => note(&error, peer, &front),
        None if front.common.stop.is_cancelled() => {}
        None => front.common.refusals.note(peer, Reason::HttpTimeout, "spoke HTTP for too long"),
    }
    if let Some(parts) = parts {
        talk.slot.is_now(State::Closing);
        closing::linger(&mut parts.io.into_inner(), limits.close_wait).await;
    }
}

impl Talk {
    /// Until when an answer may take. A proxy keeps its connection for many clients, each of which has its time.
    fn until(&self, http_wait: Duration) -> Instant {
        let mut until = self.until.lock();
        if self.slot.is_proxy() {
            *until = Instant::now() + http_wait;
        }
        until.checked_sub(END_EARLY).unwrap_or(*until)
    }

    /// Done when it has spoken HTTP for long enough.
    async fn too_long(&self) {
        loop {
            let until = *self.until.lock();
            if until <= Instant::now() {
                return;
            }
            sleep_until(until).await;
        }
    }
}

/// Counts what hyper refused; a peer that merely went away is no refusal.
fn note(error: &hyper::Error, peer: Peer, front: &Front) {
    if error.is_timeout() {
        front.common.refusals.note(peer, Reason::HeadTimeout, "no request in time");
    } else if error.is_parse() {
        front.common.refusals.note(peer, Reason::BadRequest, &error.to_string());
    }
}

/// What a request gets that is not turned down.
#[derive(Debug)]
pub enum Verdict {
    /// How the server is.
    Health(health::Ask),
    /// What the pages answer.
    Page,
    /// What the API answers.
    Api,
    /// A WebSocket, if there is a session for it; these headers accept it.
    Play(HeaderMap),
}

/// What becomes of a request, by its head alone; `origins` are whose pages may play beside our own.
pub fn judge<B>(request: &Request<B>, origins: &[AllowedOrigin]) -> Result<Verdict, TurnedDown> {
    screen(request)?;
    let path = request.uri().path();
    if is_below(path, API_PATH) {
        return Ok(Verdict::Api);
    }
    if !is_below(path, PLAY_PATH) {
        return Ok(health::Ask::of(path).map_or(Verdict::Page, Verdict::Health));
    }
    upgrade::check(request, origins).map(Verdict::Play)
}

/// Whether `path` is `top`, or in the folder of that name.
fn is_below(path: &str, top: &str) -> bool {
    path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

async fn answer(
    mut request: Request<Incoming>,
    talk: Arc<Talk>,
) -> Result<Response<Body>, Infallible> {
    talk.answered.store(true, Ordering::Relaxed);
    let front = &talk.front;
    let config = front.common.live.get();
    let until = talk.until(config.limits.http_wait);
    let caller = Caller::new(request.headers(), &talk.slot, until, front);
    let mut response = match &talk.purpose {
        Purpose::Redirect(port) => {
            let response = redirect::answer(&request, *port, &config.reach);
            front.metrics().network.answered(Asked::Redirect, response.status().as_u16());
            response
        }
        _ if !base_path::take_off(request.uri_mut(), &config.reach.base_path) => {
            let response = outside(&request, caller.peer, front);
            front.metrics().network.answered(Asked::Outside, response.status().as_u16());
            response
        }
        _ => serve_page_or_game(request, caller, front, &config).await,
    };
    harden(&mut response);
    if talk.is_secure && config.reach.hsts_seconds > 0 {
        let value = format!("max-age={}", config.reach.hsts_seconds);
        let value = HeaderValue::try_from(value).expect("digits fit into a header");
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    Ok(response)
}

async fn serve_page_or_game(
    request: Request<Incoming>,
    mut caller: Caller,
    front: &Arc<Front>,
    config: &Config,
) -> Response<Body> {
    let is_api = is_below(request.uri().path(), API_PATH);
    let mut what = Asked::Page;
    let verdict = match judge(&request, &config.origin) {
        Ok(Verdict::Health(ask)) => Ok(Verdict::Health(ask)),
        _ if caller.is_nobody => {
            let sentence = "The proxy in front does not say readably whose request this is.";
            Err(TurnedDown::new(StatusCode::BAD_REQUEST, Reason::BadRequest, sentence))
        }
        // A proxy on this machine would bring anybody.
        _ if caller.is_extra() => {
            let sentence = "The server has as many connections as it takes.";
            Err(TurnedDown::new(StatusCode::SERVICE_UNAVAILABLE, Reason::ServerFull, sentence))
        }
        // Who was here before the ban, comes through a proxy or is on this machine was not turned away at the door. Servers
        // of the site can tell each other in any case that a ban of their own addresses was lifted.
        _ if front.common.bans.bars(caller.network).is_some()
            && !front.common.site.is_server(request.headers()) =>
        {
            Err(TurnedDown::new(StatusCode::FORBIDDEN, Reason::Banned, BANNED))
        }
        Ok(ours @ (Verdict::Page | Verdict::Api)) => {
            caller.count(front).map(|()| ours).map_err(TurnedDown::too_many)
        }
        verdict => verdict,
    };
    let response = match verdict {
        Ok(Verdict::Health(ask)) => health::answer(ask, &request, &caller, front).await,
        Ok(Verdict::Page) => routed(&front.pages, request, caller).await,
        Ok(Verdict::Api) => {
            what = Asked::Api;
            routed(&front.api, request, caller).await
        }
        Ok(Verdict::Play(headers)) => {
            what = Asked::Play;
            match front.place(request.uri(), request.headers()) {
                SessionPlace::Unknown => play(request, headers, caller, front, &config.limits),
                SessionPlace::There(neighbour) => {
                    tunnel::open(request, caller, front, neighbour).await
                }
                SessionPlace::Moving => {
                    TurnedDown::no_neighbour().note(caller.peer, front).into_words()
                }
            }
        }
        Err(turned_down) => {
            what = Asked::TurnedDown;
            let turned_down = turned_down.note(caller.peer, front);
            if is_api { turned_down.into_problem() } else { turned_down.into_words() }
        }
    };
    front.metrics().network.answered(what, response.status().as_u16());
    response
}

/// What one of our own routers answers. What its client holds through a proxy counts until the last byte of that is taken.
async fn routed(router: &Router, mut request: Request<Incoming>, caller: Caller) -> Response<Body> {
    let place = caller.place();
    request.extensions_mut().insert(caller);
    let Ok(response) = router.clone().oneshot(request).await;
    match place {
        Some(place) => response.map(|body| Body::new(Counted { body, _place: place })),
        None => response,
    }
}

/// What is not below the base path is not here, if it is a proper request at all.
fn outside(request: &Request<Incoming>, peer: Peer, front: &Front) -> Response<Body> {
    match screen(request) {
        Ok(()) => (StatusCode::NOT_FOUND, "There is nothing here.\n").into_response(),
        Err(turned_down) => turned_down.note(peer, front).into_words(),
    }
}

/// What no request may look like, wherever it goes. A body comes to the API alone, with its length said
/// before; what a request may do there the API says itself.
pub(super) fn screen<B>(request: &Request<B>) -> Result<(), TurnedDown> {
    let is_api = is_below(request.uri().path(), API_PATH);
    let headers = request.headers();
    let no = |status, reason, sentence| Err(TurnedDown::new(status, reason, sentence));
    let bad = |sentence| no(StatusCode::BAD_REQUEST, Reason::BadRequest, sentence);
    let lengths = headers.get_all(header::CONTENT_LENGTH);
    let hosts = headers.get_all(header::HOST).iter().count();
    // hyper drops the length of a chunked request, so that a second one behind a proxy that believes in
    // the length can no longer be told from an honest one: both go.
    if headers.contains_key(header::TRANSFER_ENCODING) {
        let sentence = "Nothing here takes a chunked body; say its length before.";
        return no(StatusCode::BAD_REQUEST, Reason::Smuggling, sentence);
    }
    let with_body = match *request.method() {
        Method::GET | Method::HEAD => false,
        Method::OPTIONS if is_api => false,
        // All but the first are none of the API's, and are told so by its routes.
        Method::POST | Method::PUT | Method::PATCH | Method::DELETE if is_api => true,
        _ => {
            let sentence = "Only GET and HEAD are served here.";
            return no(StatusCode::METHOD_NOT_ALLOWED, Reason::BadRequest, sentence);
        }
    };
    if !with_body && lengths.iter().any(|length| length != "0") {
        return bad("Nothing here takes a body.");
    }
    // hyper has seen to it that there is but one length, and that it is a number.
    let length = |value: &HeaderValue| value.to_str().ok()?.parse::<u64>().ok();
    if lengths.iter().any(|value| length(value).is_none_or(|length| length > BODY_BYTES_MAX as u64))
    {
        let sentence = "That body is too big; 16 KiB are enough for everything here.";
        return no(StatusCode::PAYLOAD_TOO_LARGE, Reason::BadRequest, sentence);
    }
    if hosts > 1 || (hosts == 0 && request.version() == Version::HTTP_11) {
        return bad("A request names one host.");
    }
    if request.uri().authority().is_some() {
        return bad("This is no proxy.");
    }
    Ok(())
}

/// Accepts a WebSocket's handshake with these headers, and starts its task.
fn play(
    mut request: Request<Incoming>,
    mut headers: HeaderMap,
    caller: Caller,
    front: &Arc<Front>,
    limits: &Limits,
) -> Response<Body> {
    let peer = caller.peer;
    let way = match way::find(request.uri(), &caller, front) {
        Ok(way) => way,
        Err(turned_down) => return turned_down.note(peer, front).into_words(),
    };
    let slot = match caller.into_slot(limits) {
        Ok(slot) => slot,
        Err(reason) => return TurnedDown::too_many(reason).note(peer, front).into_words(),
    };
    headers.extend([way.session()]);
    let outdated = upgrade::is_outdated(&headers);
    let upgraded = hyper::upgrade::on(&mut request);
    let span = tracing::Span::current();
    let front = Arc::clone(front);
    let tasks = front.tasks.clone();
    let moving = async move {
        // An error is a peer that went away before it had its answer.
        let Ok(upgraded) = upgraded.await else { return };
        let parts = upgraded.downcast::<TokioIo<Stream>>().expect("it was ours before");
        let lane = Arc::clone(&way.session.lane);
        let tasks = front.tasks.clone();
        let serving = async move {
            let stream = parts.io.into_inner();
            let early = parts.read_buf;
            let connection = Connection::new(stream, &early, slot, way, front, span).await;
            // It may hold on to all that was read of the request.
            drop(early);
            // An error is a peer that has gone since.
            match connection {
                Ok(connection) if outdated => connection.turn_away().await,
                Ok(connection) => connection.serve().await,
                Err(_) => {}
            }
        };
        tasks.spawn_on(serving, lane.runtime());
    };
    tasks.spawn(moving.in_current_span());
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}
