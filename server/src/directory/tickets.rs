//! Tickets: what the API gives to somebody who is about to open a WebSocket. Each is random, good once and
//! for a short while, and until then a place in its session counts as taken.

use super::entry::Promise;
use crate::code::SessionCode;
use parking_lot::Mutex;
use shared::wire::TicketId;
use shared::wire::secret::SECRET_BYTES;
use std::collections::HashMap;
use tokio::time::{Duration, Instant};

/// Tickets that nobody has used yet; past it the API answers that it is busy.
pub const TICKETS_MAX: usize = 4096;

/// What a ticket is good for.
#[derive(Debug)]
pub struct Ticket {
    /// The session.
    pub code: SessionCode,
    /// Whether its holder comes to watch.
    pub watch: bool,
    /// The place; of who comes to watch there is none.
    pub promise: Option<Promise>,
}

/// All tickets that nobody has used yet.
#[derive(Debug)]
pub struct Tickets {
    life: Duration,
    /// By the bytes of their ids, and until when each is good.
    waiting: Mutex<HashMap<[u8; SECRET_BYTES], (Instant, Ticket)>>,
}

impl Tickets {
    /// Tickets that are good for `life`.
    pub(super) fn new(life: Duration) -> Self {
        Self { life, waiting: Mutex::default() }
    }

    /// Gives out a ticket; `None` when there are too many.
    pub fn give(&self, ticket: Ticket) -> Option<TicketId> {
        let now = Instant::now();
        let mut waiting = self.waiting.lock();
        waiting.retain(|_, (until, _)| *until > now);
        if waiting.len() >= TICKETS_MAX {
            return None;
        }
        let id = TicketId(rand::random());
        waiting.insert(id.0, (now + self.life, ticket));
        Some(id)
    }

    /// Takes a ticket from somebody who shows it; `None` when it is not, or no longer, good.
    pub fn take(&self, id: TicketId) -> Option<Ticket> {
        let (until, ticket) = self.waiting.lock().remove(&id.0)?;
        (until > Instant::now()).then_some(ticket)
    }

    /// Forgets those whose time is over, and so frees their places.
    pub(super) fn prune(&self) {
        let now = Instant::now();
        self.waiting.lock().retain(|_, (until, _)| *until > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket() -> Ticket {
        Ticket { code: SessionCode::random(), watch: false, promise: None }
    }

    #[tokio::test(start_paused = true)]
    async fn a_ticket_is_good_once_and_not_for_long() {
        let tickets = Tickets::new(Duration::from_secs(15));
        let (one, two) = (tickets.give(ticket()).unwrap(), tickets.give(ticket()).unwrap());
        assert_eq!(one.to_hex().parse(), Ok(one));
        assert!(tickets.take(one).is_some());
        assert!(tickets.take(one).is_none());
        tokio::time::advance(Duration::from_secs(15)).await;
        assert!(tickets.take(two).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn there_are_only_so_many_until_they_expire() {
        let tickets = Tickets::new(Duration::from_secs(15));
        for _ in 0..TICKETS_MAX {
            assert!(tickets.give(ticket()).is_some());
        }
        assert!(tickets.give(ticket()).is_none());
        tokio::time::advance(Duration::from_secs(15)).await;
        assert!(tickets.give(ticket()).is_some());
    }
}
