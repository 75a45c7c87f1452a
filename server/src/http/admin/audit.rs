//! What the operator did, and who tried to be the operator. Comes in: deeds. Goes out: a line in the log, one in the
//! store, and an event to whoever has the page open.

use crate::http::sse::event;
use crate::store::{Deed, Store, WRONG_TOKEN, unix_ms};
use crate::throttle::Throttle;
use axum::body::Bytes;
use std::net::IpAddr;
use tokio::sync::broadcast;
use tokio::time::{Duration, Instant};

/// Lines about wrong tokens per minute; what is beyond is counted and told with the next one, so that whoever guesses
/// does not push everything else out of the log.
const WRONG_TOKENS_PER_MINUTE: u32 = 10;
/// Deeds that wait for one viewer's line to take them; past it the oldest are left out for that one.
const WAITING_MAX: usize = 32;
/// Letters of a target and of an outcome that are kept.
const TEXT_CHARS_MAX: usize = 300;

/// Remembers deeds.
#[derive(Debug)]
pub(super) struct Audit {
    store: Store,
    told: broadcast::Sender<Bytes>,
    wrong_tokens: Throttle,
}

impl Audit {
    pub(super) fn new(store: Store) -> Self {
        let wrong_tokens = Throttle::new(WRONG_TOKENS_PER_MINUTE, Duration::from_secs(60));
        Self { store, told: broadcast::Sender::new(WAITING_MAX), wrong_tokens }
    }

    /// Every deed from now on, as an event.
    pub(super) fn listen(&self) -> broadcast::Receiver<Bytes> {
        self.told.subscribe()
    }

    /// The operator did something, or could not. `logged` is the target as the log may have it.
    pub(super) fn note(
        &self,
        from: IpAddr,
        action: &str,
        target: &str,
        logged: &str,
        outcome: &str,
    ) {
        tracing::info!(target: "audit", %from, action, on = logged, outcome, "the operator acts");
        self.keep(from, action, target, outcome);
    }

    /// Somebody showed what is not the `token`, or something after too many of those.
    pub(super) fn wrong_token(&self, from: IpAddr, token: &str) {
        let Some(hidden) = self.wrong_tokens.pass(Instant::now()) else { return };
        let further = if hidden > 0 { format!(", and {hidden} before it") } else { String::new() };
        let hidden = (hidden > 0).then_some(hidden);
        tracing::warn!(target: "audit", %from, hidden, "somebody showed a wrong token {token}");
        self.keep(from, WRONG_TOKEN, token, &format!("refused{further}"));
    }

    fn keep(&self, from: IpAddr, action: &str, target: &str, outcome: &str) {
        let short = |text: &str| text.chars().take(TEXT_CHARS_MAX).collect();
        let (address, action) = (from.to_string(), action.to_owned());
        let deed =
            Deed { at: unix_ms(), address, action, target: short(target), outcome: short(outcome) };
        // Fails when nobody looks.
        let _ = self.told.send(event("audit", &deed));
        self.store.note(deed);
    }
}
