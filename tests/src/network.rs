//! A network in memory: reliable and ordered like a WebSocket, over lines in any condition, all from a seed.

use bytes::Bytes;
use server::session::door::Outbox;
use shared::netcode::conditions::{Arrivals, Conditions};
use shared::wire::close::CloseCode;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// One direction of one connection.
pub struct Pipe {
    conditions: Conditions,
    arrivals: Arrivals,
    /// (arrival, message), in order.
    under_way: VecDeque<(f64, Bytes)>,
}

impl Pipe {
    /// An empty pipe.
    pub fn new(conditions: Conditions, seed: u64) -> Self {
        Self { conditions, arrivals: Arrivals::new(seed), under_way: VecDeque::new() }
    }

    /// Sends at `now`.
    pub fn send(&mut self, message: Bytes, now: f64) {
        let at = self.arrivals.arrival(&self.conditions, message.len(), now);
        self.under_way.push_back((at, message));
    }

    /// The next message that has arrived by `now`.
    pub fn receive(&mut self, now: f64) -> Option<Bytes> {
        if self.under_way.front()?.0 > now {
            return None;
        }
        self.under_way.pop_front().map(|(_, message)| message)
    }

    /// Bytes that were sent and have not arrived.
    pub fn backlog(&self) -> usize {
        self.under_way.iter().map(|(_, message)| message.len()).sum()
    }
}

#[derive(Default)]
struct Tray {
    messages: Vec<Bytes>,
    closed: Option<(CloseCode, String)>,
    full: bool,
}

/// An outbox that keeps what it is given until the test takes it.
#[derive(Clone, Default)]
pub struct MemoryOutbox(Arc<Mutex<Tray>>);

impl MemoryOutbox {
    /// Everything taken since the last call.
    pub fn drain(&self) -> Vec<Bytes> {
        core::mem::take(&mut self.tray().messages)
    }

    /// Why the session closed the connection, if it did.
    pub fn closed(&self) -> Option<(CloseCode, String)> {
        self.tray().closed.clone()
    }

    /// Whether it refuses everything from now on.
    pub fn set_full(&self, full: bool) {
        self.tray().full = full;
    }

    fn tray(&self) -> std::sync::MutexGuard<'_, Tray> {
        self.0.lock().expect("no test panicked holding it")
    }
}

impl Outbox for MemoryOutbox {
    fn has_room(&self) -> bool {
        !self.tray().full
    }

    fn push(&mut self, message: Bytes) -> bool {
        let mut tray = self.tray();
        if !tray.full {
            tray.messages.push(message);
        }
        !tray.full
    }

    fn close(&mut self, code: CloseCode, reason: &str) {
        self.tray().closed.get_or_insert_with(|| (code, reason.to_owned()));
    }
}
