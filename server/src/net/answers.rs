//! Answers that turn somebody down: a status, a sentence, and the end of the connection.

use super::Front;
use super::peer::Peer;
use super::refusal::{Reason, Refusal};
use crate::http::api::problem::Problem;
use crate::site::NoNeighbour;
use axum::body::Body;
use axum::response::IntoResponse;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use std::borrow::Cow;
use tokio::time::Duration;

/// A request that is turned down.
#[derive(Debug, PartialEq, Eq)]
pub struct TurnedDown {
    pub(super) status: StatusCode,
    refusal: Refusal,
    /// What whoever asked should know to do better next time.
    hint: Option<(HeaderName, HeaderValue)>,
}

impl TurnedDown {
    pub(super) fn new(
        status: StatusCode,
        reason: Reason,
        sentence: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, refusal: Refusal::new(reason, sentence), hint: None }
    }

    pub(super) fn hinting(self, name: HeaderName, value: HeaderValue) -> Self {
        Self { hint: Some((name, value)), ..self }
    }

    /// Asks to come back after so long.
    pub(super) fn retry_after(self, after: Duration) -> Self {
        let seconds = after.as_secs_f64().ceil() as u64;
        self.hinting(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)))
    }

    /// A WebSocket for which there is no place.
    pub(super) fn too_many(reason: Reason) -> Self {
        let (status, sentence) = match reason {
            Reason::ServerFull => (StatusCode::SERVICE_UNAVAILABLE, "The server is full."),
            _ => {
                (StatusCode::TOO_MANY_REQUESTS, "There are too many connections from your address.")
            }
        };
        Self::new(status, reason, sentence)
    }

    /// The session is out of reach, or on its way.
    pub(super) fn no_neighbour() -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self::new(status, Reason::NoRoom, NoNeighbour::SENTENCE).retry_after(NoNeighbour::AFTER)
    }

    /// Counts and logs it.
    pub(super) fn note(self, peer: Peer, front: &Front) -> Self {
        front.common.refusals.note(peer, self.refusal.reason, &self.refusal.sentence);
        self
    }

    /// The connection's last answer, to somebody who reads.
    pub(super) fn into_words(self) -> Response<Body> {
        let words = (self.status, format!("{}\n", self.refusal.sentence)).into_response();
        self.close_with(words, "GET, HEAD")
    }

    /// The connection's last answer, as the API gives it.
    pub(super) fn into_problem(self) -> Response<Body> {
        let sentence = self.refusal.sentence.clone().into_owned();
        let problem = Problem::new(self.status, sentence).into_response();
        self.close_with(problem, "GET, HEAD, POST, OPTIONS")
    }

    /// Makes an answer the connection's last one, where these methods are `allowed`.
    fn close_with(self, mut answer: Response<Body>, allowed: &'static str) -> Response<Body> {
        let headers = answer.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
        }
        headers.extend(self.hint);
        answer
    }
}
