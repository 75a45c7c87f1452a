//! A network in memory: reliable and ordered like a WebSocket, with delay, jitter, stalls and a rate
//! limit, all from a seed.

use bytes::Bytes;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use server::session::door::Outbox;
use shared::wire::close::CloseCode;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// How bad a line is, one way. Times in ms.
#[derive(Clone, Copy, Debug, Default)]
pub struct Line {
    /// What every message takes.
    pub delay_ms: f64,
    /// What a message takes longer at random, from 0 to this.
    pub jitter_ms: f64,
    /// A stall begins after every so many ms; 0 for never.
    pub stall_every_ms: f64,
    /// How long nothing arrives then.
    pub stall_ms: f64,
    /// Bytes a second; 0 for no limit.
    pub bytes_per_second: f64,
}

impl Line {
    /// A line with half of the round trip `ms` each way and this much jitter.
    pub fn round_trip(ms: f64, jitter_ms: f64) -> Self {
        Self { delay_ms: ms / 2.0, jitter_ms, ..Self::default() }
    }
}

/// One direction of one connection.
pub struct Pipe {
    line: Line,
    dice: Pcg64Mcg,
    /// (arrival, message), in order.
    under_way: VecDeque<(f64, Bytes)>,
    last_arrival: f64,
    free_at: f64,
}

impl Pipe {
    /// An empty pipe.
    pub fn new(line: Line, seed: u64) -> Self {
        let dice = Pcg64Mcg::seed_from_u64(seed);
        Self { line, dice, under_way: VecDeque::new(), last_arrival: 0.0, free_at: 0.0 }
    }

    /// Sends at `now`.
    pub fn send(&mut self, message: Bytes, now: f64) {
        let line = self.line;
        let mut at = now;
        if line.bytes_per_second > 0.0 {
            self.free_at =
                self.free_at.max(now) + message.len() as f64 * 1000.0 / line.bytes_per_second;
            at = self.free_at;
        }
        at += line.delay_ms + line.jitter_ms * self.dice.random::<f64>();
        if line.stall_every_ms > 0.0 && at % line.stall_every_ms < line.stall_ms {
            at += line.stall_ms - at % line.stall_every_ms;
        }
        // Nothing overtakes on an ordered stream.
        self.last_arrival = self.last_arrival.max(at);
        self.under_way.push_back((self.last_arrival, message));
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
