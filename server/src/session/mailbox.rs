//! What one player is told beside frames. It waits here while the player's window is shut, up to a
//! bound; past it everything waiting is forgotten and the player gets a summary instead: all that a newcomer
//! is told but what was said, and how many messages are missing.

use bytes::Bytes;
use std::collections::VecDeque;

/// Messages that wait for one player. At a kill and a line of chat per second, two minutes' worth.
const MESSAGES_MAX: usize = 256;
/// Messages that may wait for one player when one more event is told to them alone. At more they are not told of it: a
/// game that has a hundred of them in each tick must not crowd out what a client cannot do without.
const BEFORE_EVENTS_MAX: usize = 128;

/// Messages waiting for one player, each shared with everybody else who gets it.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    waiting: VecDeque<Bytes>,
    forgotten: u32,
}

impl Mailbox {
    pub(super) fn push(&mut self, message: Bytes) {
        if self.waiting.len() == MESSAGES_MAX {
            self.forgotten += MESSAGES_MAX as u32;
            self.waiting.clear();
        }
        self.waiting.push_back(message);
    }

    /// Something happened to this player; false when too much waits already.
    pub(super) fn push_event(&mut self, message: &Bytes) -> bool {
        let fits = self.waiting.len() < BEFORE_EVENTS_MAX;
        if fits {
            self.push(message.clone());
        }
        fits
    }

    /// Whether a summary is due.
    pub(super) fn has_forgotten(&self) -> bool {
        self.forgotten > 0
    }

    /// How many messages were forgotten since the last call.
    pub(super) fn take_forgotten(&mut self) -> u32 {
        core::mem::take(&mut self.forgotten)
    }

    /// How many messages wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// What waits, oldest first.
    pub(super) fn messages(&self) -> impl Iterator<Item = &[u8]> {
        self.waiting.iter().map(|message| &message[..])
    }

    /// All of it was handed over; how many bytes that was.
    pub(super) fn sent(&mut self) -> u64 {
        self.waiting.drain(..).map(|message| message.len() as u64).sum()
    }
}
