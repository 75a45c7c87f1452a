//! The lobby's chat: the last lines, in memory.

use super::Api;
use super::body::JsonBody;
use super::problem::Problem;
use crate::http::sse::event;
use crate::net::Caller;
use crate::site::is_passed_on;
use crate::store::unix_ms;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use shared::wire::message::{CHAT_BYTES_MAX, NAME_CHARS_MAX, clean_chat, clean_name};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::broadcast;
use utoipa::ToSchema;

/// Lines that are kept for who comes later.
const LINES_MAX: usize = 50;
/// Lines that wait for one listener's line to take them; past it the oldest are left out for that one.
const WAITING_MAX: usize = 32;

/// Where the numbers of lines end: larger ones are not exact in JavaScript. Time comes there in 285,000 years.
const IDS_END: u64 = 1 << 53;

/// A line.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct ChatLine {
    /// No two lines have the same, and a later one has a larger one, also after a restart of the server. On a site it is
    /// the same on all servers that know each other by a secret.
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
    last_id: u64,
    lines: VecDeque<ChatLine>,
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

    fn lines(&self) -> Vec<ChatLine> {
        let said = self.said.lock();
        said.lines.iter().cloned().collect()
    }

    /// Says a line, under the number that another server gave it, if one did; which it has.
    fn say(&self, name: String, text: String, id: Option<u64>) -> u64 {
        let mut said = self.said.lock();
        // The time is what servers have in common, over restarts as well.
        let id = id.unwrap_or_else(|| unix_ms().max(said.last_id.saturating_add(1)));
        said.last_id = said.last_id.max(id);
        let line = ChatLine { id, name, text, at: unix_ms() };
        // Under the lock, so that everybody hears lines in their order. Nobody may listen.
        let _ = self.heard.send(event("chat", &line));
        if said.lines.len() == LINES_MAX {
            said.lines.pop_front();
        }
        said.lines.push_back(line);
        id
    }
}

/// Lines of chat.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Lines {
    /// Oldest first, at most 50.
    lines: Vec<ChatLine>,
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
    /// What another server of the site has numbered it; nobody else may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    id: Option<u64>,
}

/// Says something in the lobby.
#[utoipa::path(post, path = "/api/chat", tag = "lobby", request_body = Saying,
    responses((status = 204, description = "It was said.")))]
pub(super) async fn say(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    JsonBody(mut saying): JsonBody<Saying>,
) -> Result<StatusCode, Problem> {
    let name = clean_name(&saying.name).ok_or_else(|| {
        Problem::refused(format!("A name has 1 to {NAME_CHARS_MAX} letters that can be seen."))
    })?;
    let text = clean_chat(&saying.text).ok_or_else(|| {
        Problem::refused(format!(
            "A line has letters that can be seen, and at most {CHAT_BYTES_MAX} bytes."
        ))
    })?;
    if saying.id.is_some_and(|id| id >= IDS_END || !api.common.site.is_server(&headers)) {
        return Err(Problem::refused("id: lines are numbered here."));
    }
    api.common.address_limits.chat.take(caller.network)?;
    saying.id =
        Some(api.chat.say(name, text, saying.id)).filter(|_| api.common.site.knows_secret());
    if !is_passed_on(&headers) {
        api.common.site.tell_all("/api/chat", &saying, caller.address()).await;
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
        let before = unix_ms();
        let ids: Vec<_> = (1..=LINES_MAX + 10)
            .map(|n| chat.say("Ann".into(), format!("line {n}"), None))
            .collect();
        assert!(ids[0] >= before && ids.windows(2).all(|pair| pair[0] < pair[1]));
        let lines = chat.lines();
        let kept: Vec<_> = lines.iter().map(|line| line.id).collect();
        assert_eq!(kept, ids[10..]);
        // Who is slow misses the oldest, not the newest.
        assert!(matches!(heard.try_recv(), Err(broadcast::error::TryRecvError::Lagged(28))));
        let next = heard.try_recv().unwrap();
        assert!(
            next.ends_with(b"\n\n")
                && next.starts_with(format!("event: chat\ndata: {{\"id\":{},", ids[28]).as_bytes()),
            "{next:?}"
        );
        // What another server has numbered goes under that number, and what is said here next after it.
        let ahead = ids[LINES_MAX] + 60_000;
        assert_eq!(chat.say("Ben".into(), "from there".into(), Some(ahead)), ahead);
        assert_eq!(chat.say("Ann".into(), "from here".into(), None), ahead + 1);
    }
}
