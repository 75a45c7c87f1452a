//! Requests of anybody: hyper reads them off a socket in memory as it does in the server, and the server
//! judges each by its head.

use super::seeds::Seed;
use hyper::header::{self, HeaderMap};
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Version};
use hyper_util::rt::TokioIo;
use server::net::http1::{Verdict, judge};
use server::net::limits::{BODY_BYTES_MAX, HEAD_BYTES_MAX, HEADERS_MAX};
use server::net::{API_PATH, PLAY_PATH};
use std::cell::Cell;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Polls that one connection may take; every request in an input asks for a few.
const POLLS_MAX: usize = 10_000;

/// Serves whatever `bytes` ask for, on one connection. Whether something was asked for and nothing turned
/// down.
pub fn requests(bytes: &[u8]) -> bool {
    let (taken, turned_down) = (Cell::new(0), Cell::new(0));
    let service = service_fn(|request| {
        let status = match judge(&request, &[]) {
            Ok(verdict) => {
                taken.set(taken.get() + 1);
                check(&request, &verdict)
            }
            Err(_) => {
                turned_down.set(turned_down.get() + 1);
                StatusCode::BAD_REQUEST
            }
        };
        let mut response = Response::new(String::new());
        *response.status_mut() = status;
        async { Ok::<_, Infallible>(response) }
    });
    let connection = Builder::new()
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(OpenLine(bytes)), service);
    let mut connection = pin!(connection);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    for polls in 0.. {
        assert!(polls < POLLS_MAX, "a connection that never rests");
        let ended = connection.as_mut().poll(&mut Context::from_waker(&waker));
        // All that there is to read was there from the start: who rests now would wait for more.
        if ended.is_ready() || !woken.0.swap(false, Relaxed) {
            break;
        }
    }
    taken.get() > 0 && turned_down.get() == 0
}

/// A peer that sends this, takes everything, and keeps the line open.
struct OpenLine<'a>(&'a [u8]);

impl AsyncRead for OpenLine<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.0.is_empty() {
            return Poll::Pending;
        }
        Pin::new(&mut self.0).poll_read(cx, into)
    }
}

impl AsyncWrite for OpenLine<'_> {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Whether somebody wants to be polled again.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

/// What holds of every request that was not turned down; the status it gets here.
fn check<B>(request: &Request<B>, verdict: &Verdict) -> StatusCode {
    let headers = request.headers();
    let path = request.uri().path();
    let below = |top: &str| path == top || path.starts_with(&format!("{top}/"));
    let asks = matches!(*request.method(), Method::GET | Method::HEAD);
    assert!(!headers.contains_key(header::TRANSFER_ENCODING));
    assert!(headers.get_all(header::HOST).iter().count() <= 1);
    for length in headers.get_all(header::CONTENT_LENGTH) {
        let length: usize = length.to_str().expect("digits").parse().expect("a number");
        assert!(length == 0 || (below(API_PATH) && !asks && length <= BODY_BYTES_MAX));
    }
    assert_eq!(matches!(verdict, Verdict::Api), below(API_PATH));
    assert!(asks || below(API_PATH));
    let Verdict::Play(answer) = verdict else { return StatusCode::OK };
    assert!(below(PLAY_PATH) && request.version() == Version::HTTP_11);
    if headers.contains_key(header::ORIGIN) {
        // No page of another host: the origin has to end in ours, but for a scheme's own port.
        let host = text(headers, header::HOST).expect("a host to compare with");
        let origin = text(headers, header::ORIGIN).expect("an origin that is text");
        let (scheme, from) = origin.split_once("://").expect("an origin with a scheme");
        let port = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
        let bare = |host: &str| {
            let host = host.to_ascii_lowercase();
            host.strip_suffix(port).map(str::to_owned).unwrap_or(host)
        };
        assert_eq!(bare(from), bare(&host), "a page of {origin} at {host}");
    }
    assert_eq!(text(headers, header::SEC_WEBSOCKET_KEY).map(|key| key.len()), Some(24));
    assert!(answer.contains_key(header::SEC_WEBSOCKET_ACCEPT));
    // Answering with 101 would need somebody to take the socket over.
    StatusCode::NO_CONTENT
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// Honest requests and some that are turned down.
pub fn seeds() -> Vec<Seed> {
    let upgrade = "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: gamekeeper.7\r\n";
    let play = format!("GET /play HTTP/1.1\r\nHost: game.test:8080\r\n{upgrade}");
    let texts = [
        ("page", "GET / HTTP/1.1\r\nHost: game.test\r\n\r\n".to_owned()),
        ("head_of_a_page", "HEAD /main.js HTTP/1.1\r\nHost: game.test\r\n\r\n".to_owned()),
        ("session", format!("{}\r\n", play.replace("/play", "/play/ABCDE-FGHJK"))),
        ("ticket", format!("{}\r\n", play.replace("/play", "/play?ticket=0123456789abcdef"))),
        ("api_list", "GET /api/sessions?after=1&wait=2 HTTP/1.1\r\nHost: a\r\n\r\n".to_owned()),
        (
            "api_create",
            "POST /api/sessions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
             Content-Length: 2\r\n\r\n{}"
                .to_owned(),
        ),
        (
            "api_chunked",
            "POST /api/sessions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                .to_owned(),
        ),
        (
            "api_too_much",
            "POST /api/chat HTTP/1.1\r\nHost: a\r\nContent-Length: 16385\r\n\r\n".to_owned(),
        ),
        ("old_version", "GET / HTTP/1.0\r\n\r\n".to_owned()),
        (
            "two_requests",
            "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /x HTTP/1.1\r\nHost: b\r\n\r\n".into(),
        ),
        ("bot", format!("{play}\r\n")),
        ("browser", format!("{play}Origin: http://game.test:8080\r\n\r\n")),
        ("other_origin", format!("{play}Origin: https://evil.test\r\n\r\n")),
        ("two_hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".to_owned()),
        ("proxy", "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n".to_owned()),
        ("body", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc".to_owned()),
        (
            "chunked",
            "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
        ),
    ];
    texts.into_iter().map(|(name, text)| (name.to_owned(), text.into_bytes())).collect()
}

/// Those of [`seeds`] that are turned down.
pub const TURNED_DOWN: [&str; 7] =
    ["other_origin", "two_hosts", "proxy", "body", "chunked", "api_chunked", "api_too_much"];
