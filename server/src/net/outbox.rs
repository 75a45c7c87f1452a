//! The session's end of a connection: frames go straight into the kernel, in the middle of the tick, without waking
//! anybody; what it refuses waits in the [`Line`], up to a bound. Neither end ever waits for the other.

use super::line::Line;
use super::plain;
use crate::session::door::Outbox;
use shared::wire::close::CloseCode;
use std::cell::RefCell;
use std::sync::Arc;

thread_local! {
    /// A message with the WebSocket's header in front of it: one for all connections of a thread.
    static FRAME: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// One connection's outbox.
#[derive(Debug)]
pub struct ConnectionOutbox {
    line: Arc<Line>,
    closed: bool,
}

impl ConnectionOutbox {
    pub(super) fn new(line: Arc<Line>) -> Self {
        Self { line, closed: false }
    }
}

impl Outbox for ConnectionOutbox {
    fn has_room(&self) -> bool {
        !self.closed && self.line.has_room()
    }

    fn push(&mut self, message: &[u8]) -> bool {
        self.has_room()
            && FRAME.with_borrow_mut(|frame| {
                plain::write(message, frame);
                self.line.say(frame)
            })
    }

    fn waiting(&self) -> usize {
        self.line.waiting()
    }

    fn close(&mut self, code: CloseCode, reason: &str) {
        if !self.closed {
            self.closed = true;
            self.line.end(code, reason);
        }
    }
}

impl Drop for ConnectionOutbox {
    fn drop(&mut self) {
        self.line.let_go();
    }
}
