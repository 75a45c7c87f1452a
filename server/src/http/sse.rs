//! Server-Sent Events, as all streams of the server have them. Comes in: a name and JSON, which has no line breaks. Goes
//! out: an event of two lines, and the answer that such events follow in.

use axum::body::{Body, Bytes};
use axum::http::{Response, header};
use axum::response::IntoResponse;
use futures_util::{Stream, StreamExt};
use serde::Serialize;
use std::convert::Infallible;
use tokio::time::{Duration, Instant, Interval, MissedTickBehavior, interval_at};

/// How much earlier than its connection's time is over a stream ends by itself.
pub(crate) const END_EARLY: Duration = Duration::from_secs(5);

/// What keeps a stream alive on which nothing happens, for those between that would take it for dead.
const HEARTBEAT: &[u8] = b": still here\n\n";

/// An event.
pub(crate) fn event(name: &str, data: &impl Serialize) -> Bytes {
    event_of_json(name, &serde_json::to_vec(data).expect("plain values"))
}

/// An event whose data is JSON already.
pub(super) fn event_of_json(name: &str, json: &[u8]) -> Bytes {
    [b"event: ", name.as_bytes(), b"\ndata: ", json, b"\n\n"].concat().into()
}

/// A heartbeat.
pub(super) fn heartbeat() -> Bytes {
    Bytes::from_static(HEARTBEAT)
}

/// When heartbeats are due, the first one after `every`.
pub(super) fn beat(every: Duration) -> Interval {
    let mut beat = interval_at(Instant::now() + every, every);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beat
}

/// A stream of events as an answer.
pub(super) fn as_answer(events: impl Stream<Item = Bytes> + Send + 'static) -> Response<Body> {
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        // The connection's time is over with the stream's; see `Caller::until`.
        (header::CONNECTION, "close"),
    ];
    (headers, Body::from_stream(events.map(Ok::<_, Infallible>))).into_response()
}
