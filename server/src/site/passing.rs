//! Takes requests to the server that they are for. Comes in: a request, and whose it is. Goes out: the other
//! server's answer. Each request has a connection of its own, which is closed after it: there are few, as what is
//! many, the messages of games, comes over a WebSocket.

use super::{FROM, Neighbour, Site};
use crate::config::ProxyHeader;
use axum::body::Body;
use futures_util::future::join_all;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::uri::PathAndQuery;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::net::IpAddr;
use tokio::time::{Duration, timeout};

/// For how long a connection to another server may take; then it is not there.
const CONNECT_WAIT: Duration = Duration::from_secs(2);
/// For how long the beginning of an answer to somebody's request may take; then they are told that it is not there.
pub(super) const ANSWER_WAIT: Duration = Duration::from_secs(10);
/// For how long a whole answer to a question of our own may take; what comes later is left out.
const ASK_WAIT: Duration = Duration::from_secs(2);
/// After so long without a word, or with words that nobody confirms, a server is gone, and what went through it with it.
const SILENCE_MAX: Duration = Duration::from_secs(15);
/// The most bytes of an answer to a question of our own; a longer one is none. A thousand sessions are a third of it.
const ANSWER_BYTES_MAX: usize = 1 << 20;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Headers that are about one connection (RFC 9110, 7.6.1), or about who came before us.
const LEFT_OUT: [HeaderName; 9] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::FORWARDED,
    X_FORWARDED_FOR,
];

/// Another server did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoNeighbour;

impl NoNeighbour {
    /// What whoever asked is told.
    pub const SENTENCE: &str =
        "The server that has this session does not answer; try again in a moment.";
    /// When to ask again.
    pub const AFTER: Duration = Duration::from_secs(5);
}

pub(super) fn client() -> Client<HttpConnector, Body> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(CONNECT_WAIT));
    connector.set_keepalive(Some(SILENCE_MAX / 3));
    connector.set_keepalive_interval(Some(SILENCE_MAX / 3));
    connector.set_keepalive_retries(Some(2));
    #[cfg(target_os = "linux")]
    connector.set_tcp_user_timeout(Some(SILENCE_MAX));
    Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector)
}

/// A question.
pub(crate) fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).expect("a path that was one before")
}

/// Something to be done, in JSON.
pub(crate) fn post(path: &str, said: &impl Serialize) -> Request<Body> {
    let body = serde_json::to_vec(said).expect("plain values");
    let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
    request.body(body.into()).expect("a path that was one before")
}

impl Site {
    /// The answer of `neighbour` to what somebody at `client` asked. A WebSocket's handshake is passed on as one: where the
    /// answer is 101, both ends are to be joined.
    pub(crate) async fn pass_on(
        &self,
        neighbour: &Neighbour,
        mut request: Request<Body>,
        client: IpAddr,
    ) -> Result<Response<Incoming>, NoNeighbour> {
        let headers = request.headers_mut();
        let upgrade = headers.remove(header::UPGRADE);
        leave_out(headers);
        if let Some(upgrade) = upgrade {
            headers.insert(header::UPGRADE, upgrade);
            headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        }
        self.send(neighbour, request, Some(client), ANSWER_WAIT).await
    }

    /// What `neighbour` answers to a question of our own; `None` where that is nothing that we understand, or comes too
    /// late.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        neighbour: &Neighbour,
        request: Request<Body>,
        client: Option<IpAddr>,
    ) -> Option<T> {
        let request = self.prove(request);
        let whole = async {
            let response = self.send(neighbour, request, client, ASK_WAIT).await.ok()?;
            let body = response.status().is_success().then(|| response.into_body())?;
            Limited::new(body, ANSWER_BYTES_MAX).collect().await.ok()
        };
        let body = timeout(ASK_WAIT, whole).await.ok()??.to_bytes();
        serde_json::from_slice(&body).ok()
    }

    /// What the others answer to the same question, of our own or on behalf of `client`, in no order; who does not answer
    /// is left out.
    pub(crate) async fn ask_all<T: DeserializeOwned>(
        &self,
        path: &str,
        client: Option<IpAddr>,
    ) -> Vec<T> {
        let asked = self.present().map(|neighbour| self.ask(neighbour, get(path), client));
        join_all(asked).await.into_iter().flatten().collect()
    }

    /// The first success among the others' answers to the same request on behalf of `client`, who are asked one after the
    /// other, those with most room first.
    pub(crate) async fn first_success(
        &self,
        request: impl Fn() -> Request<Body>,
        client: IpAddr,
    ) -> Option<Response<Incoming>> {
        let _search = self.searches.try_acquire().ok()?;
        for neighbour in self.by_room() {
            let answer = self.send(neighbour, request(), Some(client), ANSWER_WAIT).await;
            if let Ok(response) = answer
                && response.status().is_success()
            {
                return Some(response);
            }
        }
        None
    }

    /// Says the same to all others on behalf of `client`; whoever does not hear it has missed it.
    pub(crate) async fn tell_all(&self, path: &str, said: &impl Serialize, client: IpAddr) {
        let told = self
            .present()
            .map(|one| self.send(one, self.prove(post(path, said)), Some(client), ASK_WAIT));
        join_all(told).await;
    }

    /// Sends a request, whose path is below the base path, and waits for the head of the answer.
    pub(super) async fn send(
        &self,
        neighbour: &Neighbour,
        mut request: Request<Body>,
        client: Option<IpAddr>,
        wait: Duration,
    ) -> Result<Response<Incoming>, NoNeighbour> {
        let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
        *request.uri_mut() = self.uri(neighbour, path);
        self.sign(request.headers_mut(), client);
        match timeout(wait, self.client.request(request)).await {
            Ok(Ok(mut response)) => {
                if response.status() != StatusCode::SWITCHING_PROTOCOLS {
                    leave_out(response.headers_mut());
                }
                Ok(response)
            }
            silent => {
                tracing::debug!(server = %neighbour.server, "does not answer: {silent:?}");
                Err(NoNeighbour)
            }
        }
    }

    /// Where `neighbour` has `path`, which has no base path.
    fn uri(&self, neighbour: &Neighbour, path: &str) -> Uri {
        let base = &self.live.get().reach.base_path;
        Uri::builder()
            .scheme("http")
            .authority(neighbour.server.authority.clone())
            .path_and_query(format!("{}{path}", base.as_str()))
            .build()
            .expect("all of its parts were parsed before")
    }

    /// Says who passes it on, and for whom.
    fn sign(&self, headers: &mut HeaderMap, client: Option<IpAddr>) {
        let letter = self.letter.expect("who has neighbours has a letter").to_string();
        headers.insert(FROM, HeaderValue::try_from(letter).expect("a letter"));
        let Some(client) = client else { return };
        let (name, value) = match (self.live.get().reach.proxy_header, client) {
            (ProxyHeader::XForwardedFor, client) => (X_FORWARDED_FOR, client.to_string()),
            (ProxyHeader::Forwarded, IpAddr::V4(client)) => {
                (header::FORWARDED, format!("for={client}"))
            }
            (ProxyHeader::Forwarded, IpAddr::V6(client)) => {
                (header::FORWARDED, format!("for=\"[{client}]\""))
            }
        };
        headers.insert(name, HeaderValue::try_from(value).expect("an address fits into a header"));
    }
}

fn leave_out(headers: &mut HeaderMap) {
    for name in LEFT_OUT {
        headers.remove(name);
    }
}
