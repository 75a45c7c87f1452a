//! Connections: how they end, what travels over them, how long that takes.

use super::make::Maker;
use prometheus::{Histogram, IntCounter, IntCounterVec};
use shared::wire::close::CloseCode;
use std::time::Duration;

/// Upper bounds of buckets for round trips, in seconds: a machine's own, a home's network, a country, a
/// continent, an ocean, a bad line.
const ROUND_TRIP_BUCKETS: [f64; 11] =
    [0.5e-3, 2e-3, 5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.15, 0.25, 0.5, 2.0];

/// Who began to close a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseBy {
    /// The server.
    Server,
    /// The peer.
    Peer,
    /// Nobody: the line was cut.
    Nobody,
}

/// What a request was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// The page and its assets.
    Page,
    /// The HTTP API.
    Api,
    /// A WebSocket.
    Play,
    /// Something that was turned down by its head alone.
    TurnedDown,
    /// Something that is not below the base path.
    Outside,
    /// To be sent on to TLS.
    Redirect,
}

/// Connections.
#[derive(Debug)]
pub struct Network {
    closes: IntCounterVec,
    requests: IntCounterVec,
    round_trips: Histogram,
    /// Bytes that came over sockets, as HTTP and as WebSocket.
    pub(crate) came: [IntCounter; 2],
    /// The same of bytes that went.
    pub(crate) went: [IntCounter; 2],
    /// Bytes of inputs, and of all other messages.
    pub(crate) heard: [IntCounter; 2],
    /// Bytes of answers that connections give by themselves.
    pub(crate) replied: IntCounter,
}

impl Network {
    pub(super) fn new(make: &Maker) -> Self {
        let socket_bytes = make.counts_by(
            "gamekeeper_socket_bytes_total",
            "Bytes on connections, with all of TLS, HTTP and WebSocket around the contents.",
            &["direction", "protocol"],
        );
        let both = |way| {
            ["http", "websocket"].map(|protocol| socket_bytes.with_label_values(&[way, protocol]))
        };
        Self {
            closes: make.counts_by(
                "gamekeeper_closes_total",
                "WebSockets that ended, by the code of the close frame and by who began; none where the line was cut.",
                &["code", "by"],
            ),
            requests: make.counts_by(
                "gamekeeper_http_requests_total",
                "HTTP requests by what they were for and the status of the answer, those outside of base_path and those sent \
                 on to TLS included.",
                &["for", "status"],
            ),
            round_trips: make.spread(
                "gamekeeper_round_trip_seconds",
                "Time from a WebSocket's ping to its pong, measured every few seconds on every connection.",
                &ROUND_TRIP_BUCKETS,
            ),
            came: both("in"),
            went: both("out"),
            heard: make.counts(
                "gamekeeper_heard_bytes_total",
                "Bytes of clients' messages by content: inputs, and everything else.",
                "content",
                ["inputs", "other"],
            ),
            replied: make.count(
                "gamekeeper_reply_bytes_total",
                "Bytes of answers that connections gave by themselves, without their session.",
            ),
        }
    }

    /// A WebSocket ended.
    pub(crate) fn closed(&self, code: Option<u16>, by: CloseBy) {
        let number;
        let code = match code {
            None => "none",
            // Peers may make up codes: those that are none of ours count together.
            Some(code) if CloseCode::from_code(code).is_some() => {
                number = code.to_string();
                &number
            }
            Some(_) => "other",
        };
        let by = match by {
            CloseBy::Server => "server",
            CloseBy::Peer => "peer",
            CloseBy::Nobody => "nobody",
        };
        self.closes.with_label_values(&[code, by]).inc();
    }

    /// A request was answered.
    pub(crate) fn answered(&self, request: Request, status: u16) {
        let what = match request {
            Request::Page => "page",
            Request::Api => "api",
            Request::Play => "play",
            Request::TurnedDown => "turned_down",
            Request::Outside => "outside",
            Request::Redirect => "redirect",
        };
        self.requests.with_label_values(&[what, &status.to_string()]).inc();
    }

    /// A ping was answered after this time.
    pub(crate) fn round_trip(&self, time: Duration) {
        self.round_trips.observe(time.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use crate::metrics::{CloseBy, Metrics};

    #[test]
    fn codes_that_peers_make_up_count_together() {
        let network = Metrics::default().network;
        (1000..5000).for_each(|code| network.closed(Some(code), CloseBy::Peer));
        let of = |code| network.closes.with_label_values(&[code, "peer"]).get();
        let ours = shared::wire::close::CloseCode::ALL.len() as u64;
        assert_eq!((of("other"), of("1000")), (4000 - ours, 1));
    }
}
