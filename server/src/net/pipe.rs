//! A WebSocket's way in, and the stream that tungstenite stands on. Comes in: bytes. Goes out: plain messages, read where
//! they lie ([`super::plain`]); all else through tungstenite, which is given exactly the frame that is none of these, or
//! everything from then on where nobody can say what it is. What tungstenite writes goes through the connection's [`Line`].

use super::halves::Receiving;
use super::limits::{Bucket, READ_BYTES_MAX, WRITE_BUFFER_BYTES_MAX};
use super::line::Line;
use super::metered;
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

    /// Whether tungstenite took what was its, and what follows may be plain again.
    pub(super) fn is_plain_again(&self) -> bool {
        !self.handed_over && self.given == 0
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
                metered::take(&mut self.bytes, read, self.now)?;
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::metrics::Metrics;
    use crate::net::halves::{Receiving, Sending};
    use crate::net::limits::Limits;
    use futures_util::StreamExt;
    use futures_util::future::poll_fn;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};
    use shared::wire::message::CLIENT_MESSAGE_BYTES_MAX;
    use std::io::{Cursor, Read, Write};
    use tokio::io::AsyncWriteExt;
    use tokio::net::UnixStream;
    use tokio_tungstenite::WebSocketStream;
    use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket};
    use tokio_tungstenite::tungstenite::{Error, Message};

    /// What somebody who reads finds.
    #[derive(Debug, PartialEq)]
    enum Found {
        Message(Message),
        /// The stream is over, or the peer said so.
        End,
        /// It is no WebSocket's.
        Broken,
    }

    /// Some frames: whole messages, control frames, messages in parts, all well masked; what they are follows from the
    /// numbers.
    fn frames(luck: &mut StdRng) -> Vec<u8> {
        let mut bytes = Vec::new();
        for _ in 0..luck.random_range(1..12) {
            let first = match luck.random_range(0..10) {
                0..6 => 0x82,
                6 => 0x89,
                7 => 0x8a,
                8 => *[0x81, 0x02, 0x80, 0x88].get(luck.random_range(0..4)).unwrap_or(&0),
                _ => luck.random(),
            };
            let most = *[20, 125, 300, CLIENT_MESSAGE_BYTES_MAX + 2]
                .get(luck.random_range(0..4))
                .unwrap_or(&0);
            let most = if first & 8 != 0 { most.min(125) } else { most };
            let payload: Vec<u8> =
                (0..luck.random_range(0..=most)).map(|_| luck.random()).collect();
            let from = bytes.len();
            plain::write(&payload, &mut bytes);
            bytes[from] = first;
            bytes[from + 1] |= 0x80;
            let masked = bytes.len() - payload.len();
            let mask: [u8; 4] = luck.random();
            bytes[masked..].iter_mut().zip(mask.iter().cycle()).for_each(|(b, m)| *b ^= m);
            bytes.splice(masked..masked, mask);
        }
        // A third of the streams is damaged somewhere.
        if luck.random_range(0..3) == 0 {
            let at = luck.random_range(0..bytes.len());
            bytes[at] ^= 1 << luck.random_range(0..8);
        }
        bytes
    }

    /// Reads from memory and forgets what is written.
    struct Memory(Cursor<Vec<u8>>);

    impl Read for Memory {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer)
        }
    }

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn found(read: Result<Message, Error>) -> Found {
        match read {
            Ok(Message::Close(_)) => Found::End,
            Ok(message) => Found::Message(message),
            Err(Error::ConnectionClosed | Error::AlreadyClosed | Error::Io(_)) => Found::End,
            Err(Error::Protocol(
                tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
            )) => Found::End,
            Err(_) => Found::Broken,
        }
    }

    /// What tungstenite alone makes of it.
    fn by_tungstenite(bytes: &[u8]) -> Vec<Found> {
        let (memory, config) = (Memory(Cursor::new(bytes.to_vec())), Limits::default().websocket());
        let mut socket = WebSocket::from_raw_socket(memory, Role::Server, Some(config));
        let mut all = Vec::new();
        while !matches!(all.last(), Some(Found::End | Found::Broken)) {
            all.push(found(socket.read()));
        }
        all
    }

    /// What comes out of a pipe, when the bytes come in pieces.
    async fn by_pipe(bytes: &[u8], luck: &mut StdRng) -> Vec<Found> {
        let (ours, mut peer) = UnixStream::pair().unwrap();
        let (read, write) = ours.into_split();
        let line = Arc::new(Line::new(Sending::Unix(write), None, Arc::<Metrics>::default()));
        let early = luck.random_range(0..=bytes.len().min(40));
        let (early, mut rest) = bytes.split_at(early);
        let pipe = Pipe::new(Receiving::Unix(read), None, line, early).unwrap();
        let config = Some(Limits::default().websocket());
        let mut socket = WebSocketStream::from_raw_socket(pipe, Role::Server, config).await;
        let mut all = Vec::new();
        let read_on = async {
            while !matches!(all.last(), Some(Found::End | Found::Broken)) {
                all.push(poll_fn(|cx| next(&mut socket, cx)).await);
            }
        };
        let send = async {
            while !rest.is_empty() {
                let (piece, others) = rest.split_at(luck.random_range(1..=rest.len().min(700)));
                // Whoever has found the end does not take it.
                let _ = peer.write_all(piece).await;
                tokio::task::yield_now().await;
                rest = others;
            }
            let _ = peer.shutdown().await;
            // It lives on, so that answers find somebody.
            peer
        };
        let _peer = tokio::join!(send, read_on);
        all
    }

    /// As a connection reads.
    fn next(socket: &mut WebSocketStream<Pipe>, cx: &mut Context<'_>) -> Poll<Found> {
        loop {
            let came = socket.get_mut().poll_came(cx, Instant::now(), <[u8]>::to_vec);
            match ready!(came) {
                Ok(Came::Message(bytes)) => {
                    return Poll::Ready(Found::Message(Message::Binary(bytes.into())));
                }
                Ok(Came::Nothing) | Err(_) => return Poll::Ready(Found::End),
                Ok(Came::Else) => {}
            }
            match socket.poll_next_unpin(cx) {
                Poll::Ready(Some(read)) => return Poll::Ready(found(read)),
                Poll::Ready(None) => return Poll::Ready(Found::End),
                Poll::Pending if socket.get_ref().is_plain_again() => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    #[tokio::test]
    async fn whatever_comes_is_read_as_tungstenite_reads_it() {
        let mut luck = StdRng::seed_from_u64(18);
        let (mut messages, mut broken) = (0, 0);
        for case in 0..1500 {
            let bytes = frames(&mut luck);
            let expected = by_tungstenite(&bytes);
            let got = by_pipe(&bytes, &mut luck).await;
            assert_eq!(got, expected, "case {case}: {bytes:02x?}");
            messages += expected.len() - 1;
            broken += usize::from(expected.last() == Some(&Found::Broken));
        }
        assert!(messages > 2500 && broken > 250, "{messages} messages, {broken} broken");
    }
}
