//! A WebSocket on its session's lane: the one owner of its socket and of the bytes that go through it. Comes in: whole frames,
//! from the session's loop in the middle of a tick and from the connection's own task; and its turn to read and write,
//! before each tick. Goes out: bytes, at once where the kernel takes them. What it refuses waits here, and everything
//! else behind it, so that no frame ever lands inside another, until the kernel takes more. What comes
//! is the [`Ear`]'s.
//!
//! Nobody waits for the lock: all of its ends are on one thread, the session's lane.

use super::ear::{Ear, Hearer, Inlet};
use super::limits::{Level, OUTBOX_BYTES_MAX, OUTBOX_MESSAGES_MAX};
use super::metered::WEBSOCKET;
use super::plain;
use super::socket::Socket;
use crate::lanes::{Moment, Watched};
use crate::metrics::Metrics;
use bytes::{Buf, Bytes};
use parking_lot::{Mutex, MutexGuard};
use shared::wire::close::CloseCode;
use shared::wire::message;
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use tokio::time::Instant;
use tokio_rustls::rustls::ServerConnection;

/// What all ends of a connection share. What each message needs comes first, in as few cache lines as may be: with thousands
/// of connections most of the time goes into fetching them from memory, where two that lie side by side come together.
#[repr(C, align(128))]
pub(super) struct Line {
    /// Whether an outbox would take nothing now.
    crowded: AtomicBool,
    state: Mutex<State>,
}

#[repr(C)]
pub(super) struct State {
    broken: bool,
    /// Whether the session has said something.
    spoken: bool,
    /// Whether the session let go of its end.
    let_go: bool,
    /// Whether the connection's task serves it no more.
    unserved: bool,
    socket: Socket,
    metrics: Arc<Metrics>,
    tls: Option<Box<ServerConnection>>,
    /// Frames that the kernel did not take, the first one perhaps in part.
    waiting: VecDeque<Bytes>,
    pub(super) ear: Ear,
    waiting_bytes: usize,
    /// Since when something waits.
    blocked: Option<Instant>,
    /// What the session wants the connection to end with, once all of the above is written.
    goodbye: Option<(CloseCode, String)>,
    /// Who waits for something to read, or for news of the session's end.
    reader: Option<Waker>,
    /// Who waits for room to write.
    writer: Option<Waker>,
}

/// What a look shows to the connection's task.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct LineEvents {
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

impl Watched for Line {
    fn turn(&self, moment: Moment) -> bool {
        let state = &mut *self.lock();
        if state.ear.asked.is_some() {
            // Nothing was said since the turn before.
            let mut answer = Vec::new();
            state.add_answer(&mut answer);
            if self.has_room() {
                self.put(state, &answer);
            }
        }
        let (ear, inlet) = state.inlet();
        let heard = ear.hear(inlet, moment);
        let written = !state.broken && !state.is_clear() && self.drain(state).is_ready();
        if heard || written {
            state.tell_task();
        }
        if written {
            wake(&mut state.writer);
        }
        heard || written
    }
}

impl Line {
    /// A line through `socket`, of whose bytes `early` have been read already, and whose peer may send so many more.
    pub(super) fn new(
        socket: Socket,
        tls: Option<Box<ServerConnection>>,
        (early, bytes): (&[u8], Level),
        metrics: Arc<Metrics>,
    ) -> Self {
        let state = State {
            broken: false,
            spoken: false,
            let_go: false,
            unserved: false,
            socket,
            metrics,
            tls,
            waiting: VecDeque::new(),
            ear: Ear::new(bytes, early),
            waiting_bytes: 0,
            blocked: None,
            goodbye: None,
            reader: None,
            writer: None,
        };
        Self { crowded: AtomicBool::new(false), state: Mutex::new(state) }
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

    /// Writes frames of the session's, and with them what the ear has to answer. False when the stream is broken.
    pub(super) fn say(&self, frames: &mut Vec<u8>) -> bool {
        let state = &mut *self.lock();
        state.add_answer(frames);
        self.put(state, frames);
        if !state.spoken {
            state.spoken = true;
            state.tell_task();
        }
        !state.broken
    }

    /// Ends the connection with this when everything before is written.
    pub(super) fn end(&self, code: CloseCode, reason: &str) {
        let mut state = self.lock();
        state.goodbye.get_or_insert_with(|| (code, reason.to_owned()));
        state.tell_task();
    }

    /// The session's end is gone.
    pub(super) fn let_go(&self) {
        let mut state = self.lock();
        state.let_go = true;
        state.tell_task();
    }

    // The task's end.

    /// Writes a whole frame of the connection's own.
    pub(super) fn answer(&self, frame: &[u8]) {
        self.put(&mut self.lock(), frame);
    }

    /// Writes what waits, as far as the kernel takes it, and shows how things stand. The task is woken when that changes.
    /// Until it [listens](Self::listen) it also reads by itself.
    pub(super) fn look(&self, cx: &mut Context<'_>) -> LineEvents {
        let state = &mut *self.lock();
        state.ear.stop_listening();
        state.waits_to_read(cx);
        let end = match self.poll_drain(state, cx) {
            Poll::Pending => None,
            Poll::Ready(Err(_)) => Some(End::Broken),
            Poll::Ready(Ok(())) => match state.goodbye.take() {
                Some((code, reason)) => Some(End::Goodbye(code, reason)),
                None => state.let_go.then_some(End::LetGo),
            },
        };
        LineEvents { blocked: state.blocked, spoken: state.spoken, end }
    }

    /// The task has read all that there was, and is woken for what is no input.
    pub(super) fn listen(&self, cx: &mut Context<'_>) {
        let state = &mut *self.lock();
        state.waits_to_read(cx);
        // What TLS has to answer. Whether that comes to an end is found by the next look.
        let _ = self.poll_drain(state, cx);
        state.ear.listen();
    }

    /// The session knows of the connection: inputs go to it without the task.
    pub(super) fn is_for(&self, hearer: Hearer) {
        self.lock().ear.is_for(Some(hearer));
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
        let state = &mut *self.lock();
        if let Some(tls) = &mut state.tls {
            tls.send_close_notify();
        }
        match self.poll_drain(state, cx) {
            Poll::Ready(Ok(())) => Poll::Ready(state.socket.shut_down()),
            other => other,
        }
    }

    /// Nobody serves the connection any more: nothing more is told to the session.
    pub(super) fn is_unserved(&self) {
        let state = &mut *self.lock();
        state.unserved = true;
        state.ear.is_for(None);
        self.count(state);
    }

    fn put(&self, state: &mut State, frame: &[u8]) {
        let mut written = 0;
        if state.is_clear() {
            written = match state.write(frame) {
                Ok(written) => written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
                Err(_) => return self.breaks(state),
            };
            if written == frame.len() && state.is_clear() {
                return;
            }
        }
        if written < frame.len() {
            let rest = Bytes::copy_from_slice(&frame[written..]);
            state.waiting_bytes += rest.len();
            state.waiting.push_back(rest);
        }
        if state.blocked.is_none() {
            state.blocked = Some(Instant::now());
            state.tell_task();
        }
        self.count(state);
    }

    fn poll_drain(&self, state: &mut State, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let drained = self.drain(state);
        if drained.is_pending() {
            state.writer = Some(cx.waker().clone());
        }
        drained
    }

    /// Writes what waits; pending when the kernel does not take it all.
    fn drain(&self, state: &mut State) -> Poll<io::Result<()>> {
        if state.broken {
            return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
        }
        while !state.is_clear() {
            match state.write_on() {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    state.blocked.get_or_insert_with(Instant::now);
                    self.count(state);
                    return Poll::Pending;
                }
                Err(error) => {
                    self.breaks(state);
                    return Poll::Ready(Err(error));
                }
            }
        }
        if state.blocked.take().is_some() {
            self.count(state);
        }
        Poll::Ready(Ok(()))
    }

    /// Nothing more gets through.
    fn breaks(&self, state: &mut State) {
        state.broken = true;
        state.waiting.clear();
        state.waiting_bytes = 0;
        self.count(state);
        state.tell_task();
    }

    /// Keeps up what an outbox asks for without a lock.
    fn count(&self, state: &mut State) {
        let crowded = state.broken
            || state.unserved
            || state.waiting.len() >= OUTBOX_MESSAGES_MAX
            || state.waiting_bytes >= OUTBOX_BYTES_MAX;
        self.crowded.store(crowded, Ordering::Relaxed);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

fn wake(waiting: &mut Option<Waker>) {
    if let Some(waker) = waiting.take() {
        waker.wake();
    }
}

impl State {
    /// The ear, and what it hears through.
    pub(super) fn inlet(&mut self) -> (&mut Ear, Inlet<'_>) {
        let Self { ear, socket, tls, metrics, .. } = self;
        (ear, Inlet { socket, tls, metrics })
    }

    /// Adds the answer that the ear owes, if it owes one.
    fn add_answer(&mut self, frames: &mut Vec<u8>) {
        if let Some(asked) = self.ear.asked.take() {
            let pong = message::encode_control(&asked.answer());
            self.metrics.network.replied.inc_by(pong.len() as u64);
            plain::write(&pong, frames);
        }
    }

    /// The next thing to read wakes whom `cx` says, and so does the session's end.
    pub(super) fn waits_to_read(&mut self, cx: &mut Context<'_>) {
        match &mut self.reader {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
    }

    fn tell_task(&mut self) {
        self.ear.stop_listening();
        wake(&mut self.reader);
    }

    /// Whether all that was said is written.
    fn is_clear(&self) -> bool {
        self.waiting.is_empty() && !self.is_tls_full()
    }

    /// Whether TLS holds bytes that the kernel did not take.
    fn is_tls_full(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }

    /// Writes on where the kernel last refused.
    fn write_on(&mut self) -> io::Result<()> {
        if self.is_tls_full() {
            return self.push_out();
        }
        let Some(mut front) = self.waiting.pop_front() else { return Ok(()) };
        let written = self.write(&front);
        let bytes = *written.as_ref().unwrap_or(&0);
        self.waiting_bytes -= bytes;
        front.advance(bytes);
        if !front.is_empty() {
            self.waiting.push_front(front);
        }
        written.map(drop)
    }

    /// Writes the beginning of something; how much of it.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else {
            let written = self.socket.write(bytes)?;
            self.metrics.network.went[WEBSOCKET].inc_by(written as u64);
            return Ok(written);
        };
        let taken = tls.writer().write(bytes)?;
        match self.push_out() {
            // What TLS has taken it keeps.
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            Ok(()) | Err(_) => Ok(taken),
        }
    }

    /// Writes what TLS has made.
    fn push_out(&mut self) -> io::Result<()> {
        struct Out<'a>(&'a Socket);
        impl Write for Out<'_> {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.write(bytes)
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let Some(tls) = &mut self.tls else { return Ok(()) };
        while tls.wants_write() {
            let written = tls.write_tls(&mut Out(&self.socket))?;
            self.metrics.network.went[WEBSOCKET].inc_by(written as u64);
        }
        Ok(())
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("socket", &self.lock().socket).finish_non_exhaustive()
    }
}
