//! The lobby's chat: the last lines, in memory.

use super::Api;
use super::body::Told;
use super::problem::Problem;
use crate::directory::event;
use crate::net::Caller;
use crate::site::is_passed_on;
use crate::store::unix_ms;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use shared::wire::message::{CHAT_BYTES_MAX, NAME_CHARS_MAX, clean_chat, clean_name};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::sync::broadcast;
use utoipa::ToSchema;

/// Lines that are kept for who comes later.
const LINES_MAX: usize = 50;
/// Lines that wait for one listener's line to take them; past it the oldest are left out for that one.
const WAITING_MAX: usize = 32;

/// A line.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Line {
    /// Counts up.
    id: u64,
    /// Who says it, by their own account.
    name: String,
    /// What.
    text: String,
    /// When, in ms since 1970 (UTC).
    at: u64,
}

/// The newest lines, and who wants to hear more.
#[derive(Debug)]
pub(super) struct Chat {
    said: Mutex<Said>,
    heard: broadcast::Sender<Bytes>,
}

#[derive(Debug, Default)]
struct Said {
    next_id: u64,
    lines: VecDeque<Line>,
}

impl Default for Chat {
    fn default() -> Self {
        Self { said: Mutex::default(), heard: broadcast::Sender::new(WAITING_MAX) }
    }
}

impl Chat {
    /// Every line from now on, as an event.
    pub(super) fn listen(&self) -> broadcast::Receiver<Bytes> {
        self.heard.subscribe()
    }

    fn lines(&self) -> Vec<Line> {
        let said = self.said.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        said.lines.iter().cloned().collect()
    }

    fn say(&self, name: String, text: String) {
        let mut said = self.said.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        said.next_id += 1;
        let line = Line { id: said.next_id, name, text, at: unix_ms() };
        // Under the lock, so that everybody hears lines in their order. Nobody may listen.
        let _ = self.heard.send(event("chat", &line));
        if said.lines.len() == LINES_MAX {
            said.lines.pop_front();
        }
        said.lines.push_back(line);
    }
}

/// Lines of chat.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Lines {
    /// Oldest first, at most 50.
    lines: Vec<Line>,
}

/// The last lines of the lobby's chat; further ones come through the event stream.
#[utoipa::path(get, path = "/api/chat", tag = "lobby",
    responses((status = 200, description = "The lines.", body = Lines)))]
pub(super) async fn lines(State(api): State<Arc<Api>>) -> Json<Lines> {
    Json(Lines { lines: api.chat.lines() })
}

/// A line to be said.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Saying {
    /// Who says it: 1 to 24 letters that can be seen.
    #[schema(min_length = 1)]
    name: String,
    /// What: letters that can be seen, at most 200 bytes of UTF-8.
    #[schema(min_length = 1, max_length = 200)]
    text: String,
}

/// Says something in the lobby.
#[utoipa::path(post, path = "/api/chat", tag = "lobby", request_body = Saying,
    responses((status = 204, description = "It was said.")))]
pub(super) async fn say(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Told(saying): Told<Saying>,
) -> Result<StatusCode, Problem> {
    let name = clean_name(&saying.name).ok_or_else(|| {
        Problem::refused(format!("A name has 1 to {NAME_CHARS_MAX} letters that can be seen."))
    })?;
    let text = clean_chat(&saying.text).ok_or_else(|| {
        Problem::refused(format!(
            "A line has letters that can be seen, and at most {CHAT_BYTES_MAX} bytes."
        ))
    })?;
    api.address_limits.chat.take(caller.network)?;
    api.chat.say(name, text);
    if !is_passed_on(&headers) {
        api.site.tell_all("/api/chat", &saying, caller.address()).await;
    }
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_lines_are_kept_and_heard_in_order() {
        let chat = Chat::default();
        let mut heard = chat.listen();
        for n in 1..=LINES_MAX + 10 {
            chat.say("Ann".into(), format!("line {n}"));
        }
        let lines = chat.lines();
        assert_eq!((lines.len(), lines[0].id, lines[LINES_MAX - 1].id), (50, 11, 60));
        // Who is slow misses the oldest, not the newest.
        assert!(matches!(heard.try_recv(), Err(broadcast::error::TryRecvError::Lagged(28))));
        let next = heard.try_recv().unwrap();
        assert!(next.starts_with(b"event: chat\ndata: {\"id\":29,"), "{next:?}");
    }
}
