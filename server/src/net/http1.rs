//! HTTP/1.1 on an accepted socket, until the peer is done or asks for a WebSocket. What hyper lets
//! through and we don't is refused here, for every page alike.

use super::connection::Connection;
use super::limits::{HEAD_BYTES_MAX, HEADERS_MAX};
use super::metered::{Metered, TooManyBytes};
use super::refusal::Reason;
use super::registry::Slot;
use super::upgrade::{self, AllowedOrigin, TurnedDown};
use super::{Front, MAIN_SESSION, PLAY_PATH, closing};
use crate::http::harden;
use axum::body::Body;
use axum::response::IntoResponse;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Version};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower::ServiceExt;

/// Speaks HTTP with one peer. Returns when that is over; a WebSocket that came of it has a task of its
/// own by then.
pub(super) async fn serve(tcp: TcpStream, slot: Slot, front: Arc<Front>) {
    let (peer, limits, slot) = (slot.peer, &front.limits, Arc::new(slot));
    let answered = AtomicBool::new(false);
    let service = service_fn(|request| {
        answered.store(true, Ordering::Relaxed);
        answer(request, Arc::clone(&slot), Arc::clone(&front))
    });
    // Without a timer hyper keeps no deadline at all.
    let mut connection = Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_wait)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(Metered::new(tcp)), service)
        .with_upgrades();

    let talk = timeout(limits.http_wait, &mut connection);
    let ended = tokio::select! {
        ended = talk => Some(ended),
        () = front.stop.cancelled() => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            Pin::new(&mut connection).graceful_shutdown();
            timeout(limits.close_wait, &mut connection).await
        }
    };
    match ended {
        Ok(Ok(())) => {}
        // A browser keeps its connections for the next request, which need not come.
        Ok(Err(error)) if error.is_timeout() && answered.load(Ordering::Relaxed) => {}
        Ok(Err(error)) => note(&error, peer, &front),
        Err(_) if front.stop.is_cancelled() => {}
        Err(_) => front.refusals.note(peer, Reason::HttpTimeout, "spoke HTTP for too long"),
    }
    if let Some(parts) = connection.into_parts() {
        closing::linger(parts.io.into_inner().unmetered(), limits.close_wait).await;
    }
}

/// Counts what hyper refused; a peer that merely went away is no refusal.
fn note(error: &hyper::Error, peer: SocketAddr, front: &Front) {
    let cause = error.source().and_then(|source| source.downcast_ref::<std::io::Error>());
    if cause.is_some_and(TooManyBytes::is_in) {
        front.refusals.note(peer, Reason::ByteRate, "too many bytes in too short a time");
    } else if error.is_timeout() {
        front.refusals.note(peer, Reason::HeadTimeout, "no request in time");
    } else if error.is_parse() {
        front.refusals.note(peer, Reason::BadRequest, &error.to_string());
    }
}

/// What a request gets that is not turned down.
#[derive(Debug)]
pub enum Verdict {
    /// What the pages answer.
    Page,
    /// A WebSocket; these headers accept it.
    Play(HeaderMap),
}

/// What becomes of a request, by its head alone; `origins` are whose pages may play beside our own.
pub fn judge<B>(request: &Request<B>, origins: &[AllowedOrigin]) -> Result<Verdict, TurnedDown> {
    screen(request)?;
    if request.uri().path() != PLAY_PATH {
        return Ok(Verdict::Page);
    }
    upgrade::check(request, origins).map(Verdict::Play)
}

async fn answer(
    request: Request<Incoming>,
    slot: Arc<Slot>,
    front: Arc<Front>,
) -> Result<Response<Body>, Infallible> {
    let mut response = match judge(&request, &front.origins) {
        Ok(Verdict::Page) => {
            let Ok(response) = front.pages.clone().oneshot(request).await;
            response
        }
        Ok(Verdict::Play(headers)) => play(request, headers, slot, front),
        Err(turned_down) => {
            let refusal = &turned_down.refusal;
            front.refusals.note(slot.peer, refusal.reason, &refusal.sentence);
            let mut response = refuse(turned_down.status, &refusal.sentence);
            response.headers_mut().extend(turned_down.hints());
            response
        }
    };
    harden(&mut response);
    Ok(response)
}

/// What no request may look like, wherever it goes.
fn screen<B>(request: &Request<B>) -> Result<(), TurnedDown> {
    let headers = request.headers();
    let no = |status, reason, sentence| Err(TurnedDown::new(status, reason, sentence));
    let bad = |sentence| no(StatusCode::BAD_REQUEST, Reason::BadRequest, sentence);
    let with_length = headers.get_all(header::CONTENT_LENGTH).iter().any(|length| length != "0");
    let hosts = headers.get_all(header::HOST).iter().count();
    // hyper drops the length of a chunked request, so that a second one behind a proxy that believes in
    // the length can no longer be told from an honest one: both go.
    if headers.contains_key(header::TRANSFER_ENCODING) {
        let sentence = "Nothing here takes a chunked body.";
        return no(StatusCode::BAD_REQUEST, Reason::Smuggling, sentence);
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let sentence = "Only GET and HEAD are served here.";
        return no(StatusCode::METHOD_NOT_ALLOWED, Reason::BadRequest, sentence);
    }
    if with_length {
        return bad("Nothing here takes a body.");
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
    headers: HeaderMap,
    slot: Arc<Slot>,
    front: Arc<Front>,
) -> Response<Body> {
    let Some(session) = front.sessions.get(MAIN_SESSION).map(|session| session.clone()) else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "No game is running; try again soon.");
    };
    let upgraded = hyper::upgrade::on(&mut request);
    let tasks = front.tasks.clone();
    tasks.spawn(async move {
        // An error is a peer that went away before it had its answer.
        let Ok(upgraded) = upgraded.await else { return };
        let parts = upgraded.downcast::<TokioIo<Metered>>().expect("it was ours before");
        let early = parts.read_buf.to_vec();
        Connection::new(parts.io.into_inner(), early, slot, session, front).await.serve().await;
    });
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

/// A sentence and the end of the connection.
fn refuse(status: StatusCode, sentence: &str) -> Response<Body> {
    let mut response = (status, format!("{sentence}\n")).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}
