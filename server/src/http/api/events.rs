//! The event stream: the list of sessions whenever it changed, and every line of the lobby's chat.

use super::chat::Chat;
use super::problem::Problem;
use super::{Api, listen};
use crate::directory::ListEvent;
use crate::http::sse;
use crate::net::Caller;
use crate::net::places::Place;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::Response;
use futures_util::stream;
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, Interval, sleep_until};
use tokio_util::sync::CancellationToken;

/// After how many ms a browser opens a new stream when one ended.
const RETRY_MS: u32 = 2000;

/// News as they happen (Server-Sent Events). An event `sessions` has all public sessions, as in
/// `GET /api/sessions`; one comes at once, and then after changes, at most two a second. An event `chat` has a
/// line of the lobby's chat. The server ends the stream after two minutes at the latest; browsers open a new
/// one by themselves.
#[utoipa::path(get, path = "/api/sessions/events", tag = "sessions",
    responses((status = 200, description = "The stream.", content_type = "text/event-stream", body = String),
              (status = 503, description = "Too many listen.")))]
pub(super) async fn events(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response<Body>, Problem> {
    let listening = listen(&api.common.address_limits.listeners, &caller)?;
    let mut news = api.common.directory.news();
    news.mark_unchanged();
    let first = sse::event("sessions", &api.common.directory.list());
    let first = [format!("retry: {RETRY_MS}\n\n").as_bytes(), &first].concat();
    let ears = Ears {
        first: Some(first.into()),
        news,
        chat: Chat::listen(&api.chat),
        beat: sse::beat(api.common.live.get().limits.heartbeat),
        until: caller.until,
        stop: api.common.stop.clone(),
        _listening: listening,
    };
    let events = stream::unfold(ears, |mut ears| async { Some((ears.next().await?, ears)) });
    Ok(sse::as_answer(events))
}

/// One listener.
struct Ears {
    first: Option<Bytes>,
    news: watch::Receiver<ListEvent>,
    chat: broadcast::Receiver<Bytes>,
    beat: Interval,
    until: Instant,
    stop: CancellationToken,
    _listening: Place,
}

impl Ears {
    /// The next piece of the stream; `None` at its end.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return None,
                () = sleep_until(self.until) => return None,
                changed = self.news.changed() => {
                    changed.ok()?;
                    return Some(self.news.borrow_and_update().event.clone());
                }
                said = self.chat.recv() => match said {
                    Ok(line) => return Some(line),
                    // Who is too slow for the chat goes on with what is newest.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                },
                _ = self.beat.tick() => return Some(sse::heartbeat()),
            }
        }
    }
}
