//! What a bot says, and when: inputs by the clock, whatever else its behaviour wants. Comes in: the time. Goes out:
//! messages on the line.

use super::{Bot, LOOK_MS, PING_EVERY_MS, SILENCE_MAX_MS, WRITE_WAIT_MS};
use crate::behaviour::{Behaviour, CHAT_EVERY_MS};
use crate::ending::Ending;
use bytes::Bytes;
use futures_util::SinkExt;
use shared::game::Game;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::{self, Message};

/// The most that a bot makes up for when it was kept from waking: what lies farther back is left out, as the server
/// takes no more than two seconds' worth of inputs at once.
const BEHIND_MAX: Duration = Duration::from_secs(1);

impl<G: Game> Bot<G> {
    /// Writes as much as the line takes of what the client has to say; whether the kernel has to take
    /// some of it before there can be more.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<bool, tungstenite::Error> {
        let mut blocked = false;
        if let Some(held) = &mut self.held {
            let now_ms = self.around.now_ms();
            while !held.said.is_full()
                && let Some(message) = self.client.outgoing()
            {
                held.said.put(now_ms, message.len(), message);
            }
        }
        loop {
            match self.line.poll_ready_unpin(cx)? {
                Poll::Ready(()) => {}
                Poll::Pending => {
                    blocked = true;
                    break;
                }
            }
            let Some(message) = self.outgoing() else { break };
            self.write(message)?;
        }
        blocked |= self.line.poll_flush_unpin(cx)?.is_pending();
        if !blocked {
            self.blocked_ms = None;
        } else if self.blocked_ms.is_none() {
            self.blocked_ms = Some(self.now_ms());
        }
        Ok(blocked)
    }

    /// What is to be written next.
    fn outgoing(&mut self) -> Option<Vec<u8>> {
        match &mut self.held {
            Some(held) => held.said.take(self.around.now_ms()),
            None => self.client.outgoing(),
        }
    }

    /// Says something: over the made-up network, if there is one.
    pub(super) fn say(&mut self, message: Vec<u8>) -> Result<(), tungstenite::Error> {
        match &mut self.held {
            Some(held) => {
                held.said.put(self.around.now_ms(), message.len(), message);
                Ok(())
            }
            None => self.write(message),
        }
    }

    fn write(&mut self, message: Vec<u8>) -> Result<(), tungstenite::Error> {
        self.sent_bytes += message.len() as u64;
        self.line.start_send_unpin(Message::Binary(Bytes::from(message)))
    }

    pub(super) fn go_on(&mut self, now_ms: f64) {
        self.client.advance(now_ms);
        if now_ms - self.look_ms >= LOOK_MS {
            self.look(now_ms);
        }
        if self.errand.behaviour == Behaviour::Chat
            && self.joined_ms.is_some()
            && now_ms - self.chat_ms >= CHAT_EVERY_MS
        {
            self.chat_ms = now_ms;
            self.client.chat("All is well on my side.", false);
        }
    }

    /// Looks at the client's figures: tells the board what is new, and takes a new round trip down.
    pub(super) fn look(&mut self, now_ms: f64) {
        self.look_ms = now_ms;
        let stats = self.client.stats();
        if self.joined_ms.is_some() && stats.ping_ms != self.seen.ping_ms {
            self.windows().round_trip.record_expected(stats.ping_ms, PING_EVERY_MS);
        }
        self.around.board.saw(&self.seen, &stats);
        self.seen = stats;
    }

    /// Does what was due at each look at the clock that is past, with the times at which it was due: a bot that woke late
    /// must not measure as if its inputs had been meant to be later.
    pub(super) fn keep_time(&mut self) {
        let now = Instant::now();
        if self.next_wake > now {
            return;
        }
        if self.joined_ms.is_some() {
            let oldest = now.checked_sub(BEHIND_MAX).unwrap_or(self.next_wake);
            self.note_lateness(now, self.next_wake);
            if self.next_wake < oldest {
                self.next_wake = oldest;
            }
            while self.next_wake <= now {
                self.client.advance(self.around.ms(self.next_wake));
                self.next_wake += self.period;
                if self.next_wake <= now {
                    self.note_lateness(now, self.next_wake);
                }
            }
        }
        let next = if self.next_wake > now { self.next_wake } else { now + self.period };
        self.wake_at(next);
    }

    fn note_lateness(&mut self, now: Instant, due: Instant) {
        let late_ms = (now - due).as_secs_f64() * 1000.0;
        self.windows().lateness.record(late_ms);
    }

    pub(super) fn wake_at(&mut self, at: Instant) {
        self.next_wake = at;
        self.timer.as_mut().reset(at);
    }

    /// Whether the server takes too long over something.
    pub(super) fn too_long(&self, now_ms: f64) -> Option<Ending> {
        let (since, ending) = match self.joined_ms {
            Some(_) => (self.heard_ms, Ending::Broken("the server fell silent".into())),
            None => (self.hello_ms, Ending::NoWelcome),
        };
        if now_ms - since >= SILENCE_MAX_MS {
            return Some(ending);
        }
        let stuck = self.blocked_ms.is_some_and(|since| now_ms - since >= WRITE_WAIT_MS);
        stuck.then(|| Ending::Broken("the server took nothing of what was sent".into()))
    }
}
