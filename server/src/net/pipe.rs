//! A WebSocket's way in, and the stream that tungstenite stands on. Comes in: bytes. Goes out: plain messages, read where
//! they lie ([`super::plain`]); all else through tungstenite, which is given exactly the frame that is none of these, or
//! everything from then on where nobody can say what it is. What tungstenite writes goes through the connection's [`Line`].

use super::halves::Receiving;
use super::limits::{READ_BYTES_MAX, WRITE_BUFFER_BYTES_MAX};
use super::line::Line;
use super::plain::{self, Front};
use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

thread_local! {
    /// What a socket is read into: one for all connections of a thread, so that an idle one has no buffer.
    static CAME: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES_MAX]);
}

/// Both ways of a WebSocket.
#[derive(Debug)]
pub(super) struct Pipe {
    socket: Receiving,
    line: Arc<Line>,
    /// What came and nobody has read: it begins at a frame, unless tungstenite reads.
    inbox: Vec<u8>,
    /// Where that begins.
    start: usize,
    /// How many bytes of it are tungstenite's.
    given: usize,
    /// Whether everything is tungstenite's from now on.
    handed_over: bool,
    ended: bool,
}

/// What a pipe has for whoever asks.
#[derive(Debug)]
pub(super) enum Came<T> {
    /// A plain message, as the one who asked made of it.
    Message(T),
    /// Something for tungstenite.
    Else,
    /// The end.
    Nothing,
}

impl Pipe {
    /// A pipe over `socket`, of which `early` was read already.
    pub(super) fn new(socket: Receiving, line: Arc<Line>, early: &[u8]) -> io::Result<Self> {
        let mut inbox = early.to_vec();
        // TLS may have decrypted more than was asked of it.
        let open = !line.is_secure() || line.decrypt(&[], &mut inbox)?;
        Ok(Self { socket, line, inbox, start: 0, given: 0, handed_over: false, ended: !open })
    }

    /// The next thing that came; `make` is called with a plain message.
    pub(super) fn poll_came<T>(
        &mut self,
        cx: &mut Context<'_>,
        make: impl FnOnce(&[u8]) -> T,
    ) -> Poll<io::Result<Came<T>>> {
        while !self.handed_over {
            match plain::front(&self.inbox[self.start..]) {
                Front::Message { head, payload } => {
                    let masked = self.start + head;
                    let end = masked + plain::MASK_BYTES + payload;
                    let made = make(plain::unmask(&mut self.inbox[masked..end]));
                    self.read_until(end);
                    return Poll::Ready(Ok(Came::Message(made)));
                }
                Front::Control(bytes) => {
                    self.given = bytes;
                    return Poll::Ready(Ok(Came::Else));
                }
                Front::Other => self.hand_over(),
                Front::Part => {
                    ready!(self.poll_fill(cx))?;
                    if self.ended {
                        return Poll::Ready(Ok(Came::Nothing));
                    }
                }
            }
        }
        Poll::Ready(Ok(Came::Else))
    }

    /// From now on everything is tungstenite's.
    pub(super) fn hand_over(&mut self) {
        self.handed_over = true;
    }

    /// Whether everything is.
    pub(super) fn is_handed_over(&self) -> bool {
        self.handed_over
    }

    /// From now on what comes is not counted, as it is thrown away.
    pub(super) fn stop_counting(&mut self) {
        self.socket.stop_counting();
    }

    /// Adds what has come to the inbox, at least a byte, or finds the end.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let before = self.inbox.len();
        while self.inbox.len() == before && !self.ended {
            let filled = CAME.with_borrow_mut(|came| {
                let read = ready!(self.socket.poll_read(cx, came))?;
                self.ended = read == 0 || !self.line.decrypt(&came[..read], &mut self.inbox)?;
                Poll::Ready(io::Result::Ok(()))
            });
            ready!(filled)?;
        }
        Poll::Ready(Ok(()))
    }

    /// Everything before `end` has been read.
    fn read_until(&mut self, end: usize) {
        self.start = end;
        if end == self.inbox.len() {
            self.start = 0;
            self.inbox.clear();
            if self.inbox.capacity() > READ_BYTES_MAX {
                self.inbox = Vec::new();
            }
        }
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let pipe = self.get_mut();
        if !pipe.handed_over && pipe.given == 0 {
            // Whoever serves the connection asks for what comes next, and is woken for it.
            return Poll::Pending;
        }
        if pipe.start == pipe.inbox.len() {
            ready!(pipe.poll_fill(cx))?;
        }
        let waiting = &pipe.inbox[pipe.start..];
        let most = if pipe.handed_over { waiting.len() } else { pipe.given };
        let bytes = most.min(buf.remaining());
        buf.put_slice(&waiting[..bytes]);
        pipe.given = pipe.given.saturating_sub(bytes);
        pipe.read_until(pipe.start + bytes);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    /// Takes all or nothing, so that no other frame comes between the parts of one.
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.line.waiting_bytes() > WRITE_BUFFER_BYTES_MAX {
            ready!(self.line.poll_written(cx))?;
        }
        self.line.answer(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.line.poll_written(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.line.poll_shut_down(cx)
    }
}
