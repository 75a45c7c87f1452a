//! A network in memory: reliable and ordered like a WebSocket, over lines in any condition, all from a seed.

use bytes::Bytes;
use server::session::door::Outbox;
use shared::netcode::conditions::{Arrivals, Conditions};
use shared::wire::close::CloseCode;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// What a small message takes beside itself, in bytes, in a WebSocket.
const FRAME_BYTES: usize = 2;
/// What a packet takes beside its messages, in bytes: TCP over IPv4 with timestamps.
const PACKET_BYTES: usize = 52;

/// One direction of one connection.
pub struct Pipe {
    conditions: Conditions,
    arrivals: Arrivals,
    /// (arrival, message), in order.
    under_way: VecDeque<(f64, Bytes)>,
    bytes: u64,
    sent_at: f64,
}

impl Pipe {
    /// An empty pipe.
    pub fn new(conditions: Conditions, seed: u64) -> Self {
        Self {
            conditions,
            arrivals: Arrivals::new(seed),
            under_way: VecDeque::new(),
            bytes: 0,
            sent_at: -1.0,
        }
    }

    /// The line is like this from now on.
    pub fn set_conditions(&mut self, conditions: Conditions) {
        self.conditions = conditions;
    }

    /// Sends at `now`.
    pub fn send(&mut self, message: Bytes, now: f64) {
        // What is sent at the same moment shares a packet.
        let headers = if self.sent_at == now { FRAME_BYTES } else { PACKET_BYTES + FRAME_BYTES };
        let size = message.len() + headers;
        self.sent_at = now;
        self.bytes += size as u64;
        let at = self.arrivals.arrival(&self.conditions, size, now);
        self.under_way.push_back((at, message));
    }

    /// The next message that has arrived by `now`.
    pub fn receive(&mut self, now: f64) -> Option<Bytes> {
        if self.under_way.front()?.0 > now {
            return None;
        }
        self.under_way.pop_front().map(|(_, message)| message)
    }

    /// Bytes that were sent so far, headers included.
    pub fn sent(&self) -> u64 {
        self.bytes
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

    fn push<'a>(&mut self, messages: impl Iterator<Item = &'a [u8]>) -> bool {
        let mut tray = self.tray();
        if !tray.full {
            tray.messages.extend(messages.map(Bytes::copy_from_slice));
        }
        !tray.full
    }

    fn waiting(&self) -> usize {
        self.tray().messages.len()
    }

    fn close(&mut self, code: CloseCode, reason: &str) {
        self.tray().closed.get_or_insert_with(|| (code, reason.to_owned()));
    }
}
