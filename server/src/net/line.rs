//! A WebSocket's way out, and the one owner of its bytes. Comes in: whole frames, from the session's loop in the middle of a
//! tick and from the connection's own task. Goes out: bytes, at once where the kernel takes them. What it refuses waits here,
//! and everything else behind it, so that no frame ever lands inside another; the task writes it when the kernel takes more.
//!
//! Nobody waits for the lock: both ends are on one thread, the session's lane.

use super::halves::Sending;
use super::limits::{OUTBOX_BYTES_MAX, OUTBOX_MESSAGES_MAX};
use super::metered::WEBSOCKET;
use crate::metrics::Metrics;
use bytes::{Buf, Bytes};
use futures_util::task::AtomicWaker;
use shared::wire::close::CloseCode;
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::time::Instant;
use tokio_rustls::rustls::ServerConnection;

/// What both ends of a connection write through. What each message needs comes first; see [`super::pipe::Pipe`].
#[repr(C, align(64))]
pub(super) struct Line {
    /// Whether an outbox would take nothing now.
    crowded: AtomicBool,
    /// Whether there is something for the task to look at.
    news: AtomicBool,
    socket: Sending,
    metrics: Arc<Metrics>,
    state: Mutex<State>,
    task: AtomicWaker,
}

#[derive(Default)]
#[repr(C)]
struct State {
    broken: bool,
    /// Whether the session has said something.
    spoken: bool,
    /// Whether the session let go of its end.
    let_go: bool,
    /// Whether the connection's task serves it no more.
    unserved: bool,
    tls: Option<Box<ServerConnection>>,
    /// Since when something waits.
    blocked: Option<Instant>,
    waiting_bytes: usize,
    /// Frames that the kernel did not take, the first one perhaps in part.
    waiting: VecDeque<Bytes>,
    /// What the session wants the connection to end with, once all of the above is written.
    goodbye: Option<(CloseCode, String)>,
}

/// What a look shows to the connection's task.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// Since when something waits that the kernel does not take.
    pub(super) blocked: Option<Instant>,
    /// Whether the session has said something, ever.
    pub(super) spoken: bool,
    /// How the session ends it, if it does and all that it said before is written.
    pub(super) end: Option<End>,
}

/// How a session ends a connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With this goodbye.
    Goodbye(CloseCode, String),
    /// Without a word: the session is no more.
    LetGo,
    /// It could not: the stream is broken.
    Broken,
}

impl Line {
    pub(super) fn new(
        socket: Sending,
        tls: Option<Box<ServerConnection>>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            socket,
            metrics,
            crowded: AtomicBool::new(false),
            // The handshake may have left something to be written.
            news: AtomicBool::new(true),
            task: AtomicWaker::new(),
            state: Mutex::new(State { tls, ..State::default() }),
        }
    }

    /// So many bytes came on its other way.
    pub(super) fn came(&self, bytes: usize) {
        self.metrics.network.came[WEBSOCKET].inc_by(bytes as u64);
    }

    // The session's end.

    /// Whether a further message would be taken.
    pub(super) fn has_room(&self) -> bool {
        !self.crowded.load(Ordering::Relaxed)
    }

    /// How many frames wait, the one that is partly written included.
    pub(super) fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Writes a frame of the session's. False when the stream is broken.
    pub(super) fn say(&self, frame: &[u8]) -> bool {
        let mut state = self.lock();
        let first = !state.spoken;
        state.spoken = true;
        self.put(&mut state, frame);
        if first {
            self.tell_task();
        }
        !state.broken
    }

    /// Ends the connection with this when everything before is written.
    pub(super) fn end(&self, code: CloseCode, reason: &str) {
        let mut state = self.lock();
        state.goodbye.get_or_insert_with(|| (code, reason.to_owned()));
        self.tell_task();
    }

    /// The session's end is gone.
    pub(super) fn let_go(&self) {
        self.lock().let_go = true;
        self.tell_task();
    }

    // The task's end.

    /// Writes a whole frame of the connection's own.
    pub(super) fn answer(&self, frame: &[u8]) {
        self.put(&mut self.lock(), frame);
    }

    /// Writes what waits, as far as the kernel takes it, and shows how things stand. `None` when nothing is new, or what
    /// there is has to wait; the task is woken when that changes.
    pub(super) fn look(&self, cx: &mut Context<'_>) -> Option<Look> {
        if !self.news.load(Ordering::Acquire) {
            return None;
        }
        // Whoever has news wakes this waker once; so it has to be there again before the news are taken.
        self.task.register(cx.waker());
        self.news.swap(false, Ordering::AcqRel);
        let mut state = self.lock();
        let drained = self.poll_drain(&mut state, cx);
        let end = match drained {
            Poll::Pending => {
                // So that the next wake-up, which is the socket's, looks here again.
                self.news.store(true, Ordering::Relaxed);
                None
            }
            Poll::Ready(Err(_)) => Some(End::Broken),
            Poll::Ready(Ok(())) => match state.goodbye.take() {
                Some((code, reason)) => Some(End::Goodbye(code, reason)),
                None => state.let_go.then_some(End::LetGo),
            },
        };
        Some(Look { blocked: state.blocked, spoken: state.spoken, end })
    }

    /// Since when something waits that the kernel does not take.
    pub(super) fn blocked(&self) -> Option<Instant> {
        self.lock().blocked
    }

    /// How many bytes wait.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.lock().waiting_bytes
    }

    /// Done when everything is written.
    pub(super) fn poll_written(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_drain(&mut self.lock(), cx)
    }

    /// Says that nothing more comes, and ends our half of the connection when all is written.
    pub(super) fn poll_shut_down(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.lock();
        if let Some(tls) = &mut state.tls {
            tls.send_close_notify();
        }
        match self.poll_drain(&mut state, cx) {
            Poll::Ready(Ok(())) => Poll::Ready(self.socket.shut_down()),
            other => other,
        }
    }

    /// Nobody serves the connection any more.
    pub(super) fn is_unserved(&self) {
        let mut state = self.lock();
        state.unserved = true;
        self.count(&mut state);
    }

    /// Takes TLS off bytes that came, and adds what they mean to `plain`. False when TLS says that nothing more comes.
    pub(super) fn decrypt(&self, mut came: &[u8], plain: &mut Vec<u8>) -> io::Result<bool> {
        let mut state = self.lock();
        let Some(tls) = &mut state.tls else { return Ok(true) };
        let mut open = true;
        loop {
            let took = if came.is_empty() { 0 } else { tls.read_tls(&mut came)? };
            let seen = tls.process_new_packets();
            let seen = seen.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
            let from = plain.len();
            plain.resize(from + seen.plaintext_bytes_to_read(), 0);
            io::Read::read_exact(&mut tls.reader(), &mut plain[from..])?;
            open &= !seen.peer_has_closed();
            if took == 0 {
                break;
            }
        }
        if tls.wants_write() {
            // An answer of TLS itself. The task is running, and comes by.
            self.news.store(true, Ordering::Relaxed);
        }
        Ok(open)
    }

    /// Whether TLS lies over it.
    pub(super) fn is_secure(&self) -> bool {
        self.lock().tls.is_some()
    }

    fn put(&self, state: &mut State, frame: &[u8]) {
        let mut written = 0;
        if state.waiting.is_empty() && !state.is_tls_full() {
            written = match state.write(&self.socket, &self.metrics, frame) {
                Ok(written) => written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
                Err(_) => return self.breaks(state),
            };
        }
        if written < frame.len() {
            let rest = Bytes::copy_from_slice(&frame[written..]);
            state.waiting_bytes += rest.len();
            state.waiting.push_back(rest);
        }
        if !state.is_clear() && state.blocked.is_none() {
            state.blocked = Some(Instant::now());
            self.tell_task();
        }
        self.count(state);
    }

    fn poll_drain(&self, state: &mut State, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if state.broken {
            return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
        }
        while !state.is_clear() {
            match state.write_on(&self.socket, &self.metrics) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let Poll::Ready(ready) = self.socket.poll_ready(cx) else {
                        state.blocked.get_or_insert_with(Instant::now);
                        self.count(state);
                        return Poll::Pending;
                    };
                    ready.inspect_err(|_| self.breaks(state))?;
                }
                Err(error) => {
                    self.breaks(state);
                    return Poll::Ready(Err(error));
                }
            }
        }
        state.blocked = None;
        self.count(state);
        Poll::Ready(Ok(()))
    }

    /// Nothing more gets through.
    fn breaks(&self, state: &mut State) {
        state.broken = true;
        state.waiting.clear();
        state.waiting_bytes = 0;
        self.count(state);
        self.tell_task();
    }

    /// Keeps up what an outbox asks for without a lock.
    fn count(&self, state: &mut State) {
        let crowded = state.broken
            || state.unserved
            || state.waiting.len() >= OUTBOX_MESSAGES_MAX
            || state.waiting_bytes >= OUTBOX_BYTES_MAX;
        self.crowded.store(crowded, Ordering::Relaxed);
    }

    fn tell_task(&self) {
        self.news.store(true, Ordering::Release);
        self.task.wake();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic while it was held leaves at worst a frame half written, on a connection that ends with it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether all that was said is written.
    fn is_clear(&self) -> bool {
        self.waiting.is_empty() && !self.is_tls_full()
    }

    /// Whether TLS holds bytes that the kernel did not take.
    fn is_tls_full(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }

    /// Writes on where the kernel last refused.
    fn write_on(&mut self, socket: &Sending, metrics: &Metrics) -> io::Result<()> {
        if let Some(tls) = &mut self.tls
            && tls.wants_write()
        {
            return push_out(tls, socket, metrics);
        }
        let Some(mut front) = self.waiting.pop_front() else { return Ok(()) };
        let written = self.write(socket, metrics, &front);
        let bytes = *written.as_ref().unwrap_or(&0);
        self.waiting_bytes -= bytes;
        front.advance(bytes);
        if !front.is_empty() {
            self.waiting.push_front(front);
        }
        written.map(drop)
    }

    /// Writes the beginning of something; how much of it.
    fn write(&mut self, socket: &Sending, metrics: &Metrics, bytes: &[u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else {
            let written = socket.try_write(bytes)?;
            metrics.network.went[WEBSOCKET].inc_by(written as u64);
            return Ok(written);
        };
        let taken = tls.writer().write(bytes)?;
        match push_out(tls, socket, metrics) {
            // What TLS has taken it keeps.
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            Ok(()) | Err(_) => Ok(taken),
        }
    }
}

/// Writes what TLS has made.
fn push_out(tls: &mut ServerConnection, socket: &Sending, metrics: &Metrics) -> io::Result<()> {
    struct Out<'a>(&'a Sending);
    impl Write for Out<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.try_write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    while tls.wants_write() {
        let written = tls.write_tls(&mut Out(socket))?;
        metrics.network.went[WEBSOCKET].inc_by(written as u64);
    }
    Ok(())
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("socket", &self.socket).finish_non_exhaustive()
    }
}
