//! Answers that turn somebody down: a status, a sentence, and the end of the connection.

use super::Front;
use super::peer::Peer;
use super::refusal::Reason;
use crate::http::api::problem::Problem;
use crate::site::NoNeighbour;
use axum::body::Body;
use axum::response::IntoResponse;
use hyper::header::{self, HeaderValue};
use hyper::{Response, StatusCode};

/// What a WebSocket gets for which there is no place.
pub(super) fn too_many(reason: Reason, peer: Peer, front: &Front) -> Response<Body> {
    let (status, sentence) = match reason {
        Reason::ServerFull => (StatusCode::SERVICE_UNAVAILABLE, "The server is full."),
        _ => (StatusCode::TOO_MANY_REQUESTS, "There are too many connections from your address."),
    };
    front.refusals.note(peer, reason, sentence);
    refuse(status, sentence)
}

/// A sentence and the end of the connection, under the API.
pub(super) fn closing_problem(status: StatusCode, sentence: &str) -> Response<Body> {
    let response = Problem::new(status, sentence.to_owned()).into_response();
    closing(response, "GET, HEAD, POST, OPTIONS")
}

/// A sentence and the end of the connection.
pub(super) fn refuse(status: StatusCode, sentence: &str) -> Response<Body> {
    closing((status, format!("{sentence}\n")).into_response(), "GET, HEAD")
}

/// The last answer of a connection, where these methods are `allowed`.
fn closing(mut response: Response<Body>, allowed: &'static str) -> Response<Body> {
    let status = response.status();
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
    }
    response
}

/// The session is out of reach, or on its way.
pub(super) fn no_neighbour(peer: Peer, front: &Front) -> Response<Body> {
    front.refusals.note(peer, Reason::NoRoom, NoNeighbour::SENTENCE);
    let mut response = refuse(StatusCode::SERVICE_UNAVAILABLE, NoNeighbour::SENTENCE);
    let after = HeaderValue::from(NoNeighbour::AFTER.as_secs());
    response.headers_mut().insert(header::RETRY_AFTER, after);
    response
}
