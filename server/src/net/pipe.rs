//! A WebSocket's way in, and the stream that tungstenite stands on. Comes in: bytes. Goes out: plain messages, read where
//! they lie ([`super::plain`]); all else through tungstenite, which is given exactly the frame that is none of these, or
//! everything from then on where nobody can say what it is. What tungstenite writes goes through the connection's [`Line`].

use super::halves::Receiving;
use super::limits::{Bucket, READ_BYTES_MAX, WRITE_BUFFER_BYTES_MAX};
use super::line::Line;
use super::metered::TooManyBytes;
use super::plain::{self, Front};
use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

thread_local! {
    /// What a socket is read into: one for all connections of a thread, so that an idle one has no buffer.
    static CAME: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES_MAX]);
}

/// Both ways of a WebSocket. What each message needs lies side by side: with thousands of connections most of the time
/// goes into fetching it from memory.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Pipe {
    socket: Receiving,
    /// How much the peer may send; `None` for what is read only to be thrown away.
    bytes: Option<Bucket>,
    /// The time, as of the last question for what came.
    now: Instant,
    line: Arc<Line>,
    /// Whether TLS lies over it.
    is_secure: bool,
    /// What came and nobody has read: it begins at a frame, unless tungstenite reads.
    inbox: Vec<u8>,
    /// Where that begins.
    start: u32,
    /// How many bytes of it are tungstenite's.
    given: u32,
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
    pub(super) fn new(
        socket: Receiving,
        bytes: Option<Bucket>,
        line: Arc<Line>,
        early: &[u8],
    ) -> io::Result<Self> {
        let mut inbox = early.to_vec();
        // TLS may have decrypted more than was asked of it.
        let is_secure = line.is_secure();
        let open = !is_secure || line.decrypt(&[], &mut inbox)?;
        Ok(Self {
            socket,
            bytes,
            now: Instant::now(),
            line,
            is_secure,
            inbox,
            start: 0,
            given: 0,
            handed_over: false,
            ended: !open,
        })
    }

    /// The next thing that came by `now`; `make` is called with a plain message.
    pub(super) fn poll_came<T>(
        &mut self,
        cx: &mut Context<'_>,
        now: Instant,
        make: impl FnOnce(&[u8]) -> T,
    ) -> Poll<io::Result<Came<T>>> {
        self.now = now;
        let mut make = Some(make);
        while !self.handed_over {
            match plain::front(&self.inbox[self.start as usize..]) {
                Front::Message { head, payload } => {
                    let masked = self.start as usize + head;
                    let end = masked + plain::MASK_BYTES + payload;
                    let payload = plain::unmask(&mut self.inbox[masked..end]);
                    let made = make.take().map(|make| make(payload));
                    self.read_until(end);
                    return Poll::Ready(Ok(made.map_or(Came::Else, Came::Message)));
                }
                Front::Control(bytes) => {
                    self.given = bytes as u32;
                    return Poll::Ready(Ok(Came::Else));
                }
                Front::Other => self.hand_over(),
                Front::Part => {
                    if let Some(made) = ready!(self.poll_fill(cx, &mut make))? {
                        return Poll::Ready(Ok(Came::Message(made)));
                    }
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

    /// Whether everything is tungstenite's.
    pub(super) fn is_handed_over(&self) -> bool {
        self.handed_over
    }

    /// From now on what comes is not counted, as it is thrown away.
    pub(super) fn stop_counting(&mut self) {
        self.bytes = None;
    }

    /// Takes what has come: makes something of it at once when that is one plain message, as it nearly always is; else it is
    /// in the inbox, at least a byte of it, unless this is the end.
    fn poll_fill<T>(
        &mut self,
        cx: &mut Context<'_>,
        make: &mut Option<impl FnOnce(&[u8]) -> T>,
    ) -> Poll<io::Result<Option<T>>> {
        let before = self.inbox.len();
        CAME.with_borrow_mut(|came| {
            while self.inbox.len() == before && !self.ended {
                let read = ready!(self.socket.poll_read(cx, came))?;
                self.line.came(read);
                if let Some(bytes) = &mut self.bytes
                    && !bytes.take(read as f64, self.now)
                {
                    return Poll::Ready(Err(io::Error::other(TooManyBytes)));
                }
                let came = &mut came[..read];
                self.ended = read == 0;
                if self.is_secure {
                    self.ended |= !self.line.decrypt(came, &mut self.inbox)?;
                } else if let Front::Message { head, payload } = plain::front(came)
                    && head + plain::MASK_BYTES + payload == read
                    && before == 0
                    && let Some(make) = make.take()
                {
                    return Poll::Ready(Ok(Some(make(plain::unmask(&mut came[head..])))));
                } else {
                    self.inbox.extend_from_slice(came);
                }
            }
            Poll::Ready(Ok(None))
        })
    }

    /// Everything before `end` has been read.
    fn read_until(&mut self, end: usize) {
        self.start = end as u32;
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
        pipe.now = Instant::now();
        if !pipe.handed_over && pipe.given == 0 {
            // Whoever serves the connection asks for what comes next, and is woken for it.
            return Poll::Pending;
        }
        if pipe.start as usize == pipe.inbox.len() {
            ready!(pipe.poll_fill(cx, &mut None::<fn(&[u8])>))?;
        }
        let start = pipe.start as usize;
        let waiting = &pipe.inbox[start..];
        let most = if pipe.handed_over { waiting.len() } else { pipe.given as usize };
        let bytes = most.min(buf.remaining());
        buf.put_slice(&waiting[..bytes]);
        pipe.given = pipe.given.saturating_sub(bytes as u32);
        pipe.read_until(start + bytes);
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
