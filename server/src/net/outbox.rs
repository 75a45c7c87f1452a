//! What waits to be written to one connection: the session puts in, the connection's task takes out.
//! Neither ever waits for the other.

use super::limits::{OUTBOX_BYTES_MAX, OUTBOX_MESSAGES_MAX};
use crate::session::door::Outbox;
use bytes::Bytes;
use shared::wire::close::CloseCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// One connection's outbox, the session's end.
#[derive(Debug)]
pub struct ConnectionOutbox {
    /// One place more than messages may take, so that the goodbye always fits.
    queue: mpsc::Sender<Outgoing>,
    waiting_bytes: Arc<AtomicUsize>,
    closed: bool,
}

/// What comes out at the connection's end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outgoing {
    /// A whole message.
    Message(Bytes),
    /// Nothing more comes; close with this.
    Close(CloseCode, String),
}

/// One connection's outbox, the connection's end.
#[derive(Debug)]
pub(super) struct Outgoings {
    queue: mpsc::Receiver<Outgoing>,
    waiting_bytes: Arc<AtomicUsize>,
}

/// Both ends of an empty outbox.
pub(super) fn outbox() -> (ConnectionOutbox, Outgoings) {
    let (sender, receiver) = mpsc::channel(OUTBOX_MESSAGES_MAX + 1);
    let waiting_bytes = Arc::new(AtomicUsize::new(0));
    (
        ConnectionOutbox {
            queue: sender,
            waiting_bytes: Arc::clone(&waiting_bytes),
            closed: false,
        },
        Outgoings { queue: receiver, waiting_bytes },
    )
}

impl Outbox for ConnectionOutbox {
    fn has_room(&self) -> bool {
        !self.closed
            && self.queue.capacity() > 1
            && self.waiting_bytes.load(Ordering::Relaxed) < OUTBOX_BYTES_MAX
            && !self.queue.is_closed()
    }

    fn push(&mut self, message: Bytes) -> bool {
        if !self.has_room() {
            return false;
        }
        let size = message.len();
        self.waiting_bytes.fetch_add(size, Ordering::Relaxed);
        let taken = self.queue.try_send(Outgoing::Message(message)).is_ok();
        if !taken {
            self.waiting_bytes.fetch_sub(size, Ordering::Relaxed);
        }
        taken
    }

    fn waiting(&self) -> usize {
        // The place for the goodbye is one of them.
        self.queue.max_capacity() - self.queue.capacity()
    }

    fn close(&mut self, code: CloseCode, reason: &str) {
        if !self.closed {
            self.closed = true;
            // Fails only when the connection is gone, which is what was wanted.
            let _ = self.queue.try_send(Outgoing::Close(code, reason.to_owned()));
        }
    }
}

impl Outgoings {
    /// The next thing to write; `None` when the session let go of its end without a goodbye.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Outgoing>> {
        let next = self.queue.poll_recv(cx);
        if let Poll::Ready(Some(Outgoing::Message(message))) = &next {
            self.waiting_bytes.fetch_sub(message.len(), Ordering::Relaxed);
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn next(outgoings: &mut Outgoings) -> Option<Outgoing> {
        std::future::poll_fn(|cx| outgoings.poll_next(cx)).now_or_never().flatten()
    }

    #[test]
    fn a_full_outbox_takes_the_goodbye_and_nothing_else() {
        let (mut outbox, mut outgoings) = outbox();
        let taken = (0..1000).take_while(|_| outbox.push(Bytes::from_static(b"frame"))).count();
        assert_eq!(taken, OUTBOX_MESSAGES_MAX);
        assert!(!outbox.has_room());
        outbox.close(CloseCode::GoingAway, "first");
        outbox.close(CloseCode::Internal, "second");
        assert!(!outbox.push(Bytes::new()));
        for _ in 0..taken {
            assert_eq!(next(&mut outgoings), Some(Outgoing::Message(Bytes::from_static(b"frame"))));
        }
        let goodbye = Outgoing::Close(CloseCode::GoingAway, "first".into());
        assert_eq!(next(&mut outgoings), Some(goodbye));
    }

    #[test]
    fn bytes_are_bounded_too_and_room_comes_back() {
        let (mut outbox, mut outgoings) = outbox();
        let large = Bytes::from(vec![0; OUTBOX_BYTES_MAX]);
        assert!(outbox.push(large.clone()));
        assert!(!outbox.push(Bytes::from_static(b"x")));
        assert_eq!(next(&mut outgoings), Some(Outgoing::Message(large)));
        assert!(outbox.has_room());
    }

    #[test]
    fn a_gone_connection_takes_nothing() {
        let (mut outbox, outgoings) = outbox();
        drop(outgoings);
        assert!(!outbox.has_room());
        assert!(!outbox.push(Bytes::from_static(b"x")));
        outbox.close(CloseCode::Normal, "");
    }
}
