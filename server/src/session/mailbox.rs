//! What one player is told beside frames. It waits here while the player's window is shut, up to a
//! bound; past it everything waiting is forgotten and the player gets a summary instead: the whole
//! roster, and how many messages are missing.

use super::door::Outbox;
use bytes::Bytes;
use std::collections::VecDeque;

/// Messages that wait for one player. At a kill and a line of chat per second, two minutes' worth.
const MESSAGES_MAX: usize = 256;

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

    /// Hands over as much as the outbox takes; how many bytes that was.
    pub(super) fn flush(&mut self, outbox: &mut impl Outbox) -> u64 {
        let mut bytes = 0;
        while let Some(message) = self.waiting.front() {
            if !outbox.push(message) {
                break;
            }
            bytes += message.len() as u64;
            self.waiting.pop_front();
        }
        bytes
    }
}
