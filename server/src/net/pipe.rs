//! A WebSocket's way in as its task takes it, and the stream that tungstenite stands on. Comes in: what the
//! [`Ear`](super::ear::Ear) left. Goes out: plain messages, read where they lie ([`super::plain`]); all else through
//! tungstenite, which is given exactly the frame that is none of these, or everything from then on where nobody can say
//! what it is. What tungstenite writes goes through the connection's [`Line`].

use super::ear::{self, Ear};
use super::limits::WRITE_BUFFER_BYTES_MAX;
use super::line::{Line, State};
use super::plain::{self, Beginning};
use super::socket::Parts;
use crate::lanes::{Moment, Sockets, Watch};
use crate::metrics::Metrics;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// The task's end of a line.
#[derive(Debug)]
pub(super) struct Pipe {
    line: Arc<Line>,
    /// The socket has no more turns when the task is gone.
    _watch: Watch,
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
    /// A line and its pipe over what a stream was made of, of which `early` was read already. Errors when TLS
    /// has read nonsense.
    pub(super) fn new(
        parts: Parts,
        early: &[u8],
        sockets: &Arc<Sockets>,
        metrics: Arc<Metrics>,
    ) -> io::Result<(Arc<Line>, Self)> {
        let Parts { socket, stamped, tls, bytes } = parts;
        let line = Arc::new(Line::new(socket, tls, (early, bytes), metrics));
        let watch = sockets.watch(Arc::clone(&line) as _, stamped);
        {
            let mut state = line.lock();
            let (ear, inlet) = state.inlet();
            // TLS may have decrypted more than was asked of it.
            if let Some(tls) = inlet.tls {
                ear.ended = !ear::decrypt(tls, &[], &mut ear.inbox)?;
            }
        }
        Ok((Arc::clone(&line), Self { line, _watch: watch }))
    }

    /// The next thing that came by then; `make` is called with a plain message.
    pub(super) fn poll_came<T>(
        &mut self,
        cx: &mut Context<'_>,
        moment: Moment,
        make: impl FnOnce(&[u8]) -> T,
    ) -> Poll<io::Result<Came<T>>> {
        let mut state = self.line.lock();
        while !state.ear.handed_over {
            let Ear { inbox, start, given, .. } = &mut state.ear;
            let start = *start as usize;
            match plain::front(&inbox[start..]) {
                Beginning::Message { head, payload } => {
                    let masked = start + head;
                    let end = masked + plain::MASK_BYTES + payload;
                    let made = make(plain::unmask(&mut inbox[masked..end]));
                    state.ear.read_until(end);
                    return Poll::Ready(Ok(Came::Message(made)));
                }
                Beginning::Control(bytes) => {
                    *given = bytes as u32;
                    return Poll::Ready(Ok(Came::Else));
                }
                Beginning::Other => state.ear.handed_over = true,
                Beginning::Part if state.ear.ended => return Poll::Ready(Ok(Came::Nothing)),
                Beginning::Part => ready!(state.poll_fill(cx, moment))?,
            }
        }
        Poll::Ready(Ok(Came::Else))
    }

    /// When the newest of what has been read came.
    pub(super) fn came(&self) -> Instant {
        self.line.lock().ear.came
    }

    /// From now on everything is tungstenite's.
    pub(super) fn hand_over(&mut self) {
        self.line.lock().ear.handed_over = true;
    }

    /// Whether tungstenite took what was its, and what follows may be plain again.
    pub(super) fn is_plain_again(&self) -> bool {
        self.line.lock().ear.is_plain()
    }

    /// From now on what comes is not counted, as it is thrown away.
    pub(super) fn stop_counting(&mut self) {
        self.line.lock().ear.stop_counting();
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = self.line.lock();
        if state.ear.is_plain() {
            // Whoever serves the connection asks for what comes next, and is woken for it.
            return Poll::Pending;
        }
        if state.ear.start as usize == state.ear.inbox.len() {
            ready!(state.poll_fill(cx, Moment::now()))?;
        }
        let ear = &mut state.ear;
        let start = ear.start as usize;
        let waiting = &ear.inbox[start..];
        let most = if ear.handed_over { waiting.len() } else { ear.given as usize };
        let bytes = most.min(buf.remaining());
        buf.put_slice(&waiting[..bytes]);
        ear.given = ear.given.saturating_sub(bytes as u32);
        ear.read_until(start + bytes);
        Poll::Ready(Ok(()))
    }
}

impl State {
    /// Takes what has come: at least a byte is in the inbox then, unless this is the end.
    fn poll_fill(&mut self, cx: &mut Context<'_>, moment: Moment) -> Poll<io::Result<()>> {
        let (ear, inlet) = self.inlet();
        match ear.fill(inlet, moment) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.waits_to_read(cx);
                Poll::Pending
            }
            filled => Poll::Ready(filled),
        }
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
    use crate::lanes::looked_at;
    use crate::net::ear::tests::{INPUT, PROTOCOL, hearer};
    use crate::net::limits::{Level, Limits, READ_BYTES_MAX};
    use crate::net::socket::Socket;
    use crate::session::door::ToSession;
    use futures_util::StreamExt;
    use futures_util::future::poll_fn;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};
    use shared::wire::Said;
    use shared::wire::input::InputMessage;
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

    /// What a player says in a tick.
    fn input(luck: &mut StdRng) -> Vec<u8> {
        let fields: Vec<i32> = INPUT.iter().map(|_| luck.random_range(0..16)).collect();
        Said::Input(InputMessage::new(luck.random(), luck.random(), &fields)).write(&PROTOCOL)
    }

    /// Some frames: whole messages, control frames, messages in parts, all well masked; what they are follows from the
    /// numbers.
    fn frames(luck: &mut StdRng) -> Vec<u8> {
        let mut bytes = Vec::new();
        for _ in 0..luck.random_range(1..12) {
            let first = match luck.random_range(0..20) {
                0..14 => 0x82,
                14 | 15 => 0x89,
                16 | 17 => 0x8a,
                18 => *[0x81, 0x02, 0x80, 0x88].get(luck.random_range(0..4)).unwrap_or(&0),
                _ => luck.random(),
            };
            let most = *[20, 125, 300, CLIENT_MESSAGE_BYTES_MAX + 2]
                .get(luck.random_range(0..4))
                .unwrap_or(&0);
            let most = if first & 8 != 0 { most.min(125) } else { most };
            let payload: Vec<u8> = match luck.random_range(0..3) {
                0 => (0..luck.random_range(0..=most)).map(|_| luck.random()).collect(),
                _ => input(luck),
            };
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

    /// What comes out of a pipe, when the bytes come in pieces; of some connections inputs go to a session without it.
    async fn by_pipe(
        bytes: &[u8],
        sockets: &Arc<Sockets>,
        luck: &mut StdRng,
    ) -> (Vec<Found>, usize) {
        let (ours, mut peer) = UnixStream::pair().unwrap();
        let ours = ours.into_std().unwrap();
        let (mut pieces, mut left) = (Vec::new(), bytes);
        while !left.is_empty() {
            // Most pieces are a frame each, as long as frames can be told.
            let cut = match plain::front(left) {
                Beginning::Message { head, payload } if luck.random_range(0..8) > 0 => {
                    head + plain::MASK_BYTES + payload
                }
                _ => luck.random_range(1..=left.len().min(90)),
            };
            let (piece, others) = left.split_at(cut);
            pieces.push(piece.to_vec());
            left = others;
        }
        let early = if luck.random() { pieces.remove(0) } else { Vec::new() };
        let parts =
            Parts { socket: Socket::Unix(ours), stamped: false, tls: None, bytes: Level::FULL };
        let (line, pipe) = Pipe::new(parts, &early, sockets, Arc::default()).unwrap();
        let (hearer, mut queue) = hearer();
        if luck.random() {
            line.is_for(hearer);
        }
        let config = Some(Limits::default().websocket());
        let mut socket = WebSocketStream::from_raw_socket(pipe, Role::Server, config).await;
        let (mut all, mut heard) = (Vec::new(), 0);
        let read_on = async {
            while !matches!(all.last(), Some(Found::End | Found::Broken)) {
                let found = poll_fn(|cx| next(&mut socket, &line, cx)).await;
                // What the session was told meanwhile came before.
                while let Ok((_, told)) = queue.try_recv() {
                    let ToSession::Input { message, .. } = told else { panic!("{told:?}") };
                    let bytes = Said::Input(message).write(&PROTOCOL);
                    all.push(Found::Message(Message::Binary(bytes.into())));
                    heard += 1;
                }
                all.push(found);
            }
        };
        let sending = tokio::spawn(async move {
            for piece in pieces {
                // Whoever has found the end does not take it.
                let _ = peer.write_all(&piece).await;
                tokio::task::yield_now().await;
            }
            let _ = peer.shutdown().await;
            // It lives on, so that answers find somebody.
            peer
        });
        read_on.await;
        drop(sending.await);
        (all, heard)
    }

    /// As a connection reads.
    fn next(socket: &mut WebSocketStream<Pipe>, line: &Line, cx: &mut Context<'_>) -> Poll<Found> {
        line.look(cx);
        loop {
            let came = socket.get_mut().poll_came(cx, Moment::now(), <[u8]>::to_vec);
            match came {
                Poll::Ready(Ok(Came::Message(bytes))) => {
                    return Poll::Ready(Found::Message(Message::Binary(bytes.into())));
                }
                Poll::Ready(Ok(Came::Nothing) | Err(_)) => return Poll::Ready(Found::End),
                Poll::Ready(Ok(Came::Else)) => {}
                Poll::Pending => break,
            }
            match socket.poll_next_unpin(cx) {
                Poll::Ready(Some(read)) => return Poll::Ready(found(read)),
                Poll::Ready(None) => return Poll::Ready(Found::End),
                Poll::Pending if socket.get_ref().is_plain_again() => {}
                Poll::Pending => break,
            }
        }
        line.listen(cx);
        Poll::Pending
    }

    #[tokio::test]
    async fn whatever_comes_is_read_as_tungstenite_reads_it() {
        let (mut luck, sockets) = (StdRng::seed_from_u64(18), looked_at());
        let (mut messages, mut broken, mut without_task) = (0, 0, 0);
        for case in 0..1500 {
            let bytes = frames(&mut luck);
            let expected = by_tungstenite(&bytes);
            let (got, heard) = by_pipe(&bytes, &sockets, &mut luck).await;
            assert_eq!(got, expected, "case {case}: {bytes:02x?}");
            without_task += heard;
            messages += expected.len() - 1;
            broken += usize::from(expected.last() == Some(&Found::Broken));
        }
        let counts =
            format!("{messages} messages, {broken} broken, {without_task} without the task");
        assert!(messages > 2500 && broken > 250 && without_task > 500, "{counts}");
    }

    #[tokio::test]
    async fn frames_that_are_never_finished_take_no_more_room_than_one_read() {
        let (ours, mut peer) = UnixStream::pair().unwrap();
        let ours = ours.into_std().unwrap();
        let parts =
            Parts { socket: Socket::Unix(ours), stamped: false, tls: None, bytes: Level::FULL };
        let (line, mut pipe) = Pipe::new(parts, &[], &looked_at(), Arc::default()).unwrap();
        line.lock().ear.stop_counting();
        // A frame of 100 bytes, always sent from the middle of one to the middle of the next.
        let frame = [&[0x82, 0x80 | 94, 0, 0, 0, 0][..], &[7; 94]].concat();
        peer.write_all(&frame[..50]).await.unwrap();
        for _ in 0..1000 {
            peer.write_all(&frame[50..]).await.unwrap();
            peer.write_all(&frame[..50]).await.unwrap();
            let came = poll_fn(|cx| pipe.poll_came(cx, Moment::now(), <[u8]>::len)).await;
            assert!(matches!(came, Ok(Came::Message(94))));
            assert!(line.lock().ear.inbox.capacity() <= 2 * READ_BYTES_MAX);
        }
    }
}
