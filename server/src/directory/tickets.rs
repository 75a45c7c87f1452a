//! Tickets: what the API gives to somebody who is about to open a WebSocket. Each is random, good once and
//! for a short while, and until then a place in its session counts as taken.

use super::entry::Promise;
use crate::code::SessionCode;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::str::FromStr;
use tokio::time::{Duration, Instant};

/// Tickets that nobody has used yet; past it the API answers that it is busy.
pub const TICKETS_MAX: usize = 4096;

/// Names a ticket: 128 random bits, as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TicketId(u128);

impl TicketId {
    /// As text. Not `Display`, which logs use.
    pub fn to_hex(self) -> String {
        format!("{:032x}", self.0)
    }
}

impl core::fmt::Debug for TicketId {
    /// Whoever has the number has the ticket.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("TicketId(..)")
    }
}

impl FromStr for TicketId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u128::from_str_radix(text, 16).ok().filter(|_| digits);
        number.map(Self).ok_or(())
    }
}

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
    waiting: Mutex<HashMap<TicketId, (Instant, Ticket)>>,
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
        waiting.insert(id, (now + self.life, ticket));
        Some(id)
    }

    /// Takes a ticket from somebody who shows it; `None` when it is not, or no longer, good.
    pub fn take(&self, id: TicketId) -> Option<Ticket> {
        let (until, ticket) = self.waiting.lock().remove(&id)?;
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

    #[test]
    fn only_32_digits_are_a_ticket() {
        for bad in ["", "0", "+123456789abcdef0123456789abcdef", &"0".repeat(33), &"g".repeat(32)] {
            assert!(bad.parse::<TicketId>().is_err(), "{bad}");
        }
    }
}
