//! One WebSocket, from the handshake to the goodbye, in one task on its session's lane. Comes in: the peer's messages, but
//! for inputs, which the `ear` tells the session without it once that knows of the connection. Goes out: what the session
//! is told, and answers of its own; what the session says goes out without it (`outbox`), unless the line is too slow. It
//! reads on while that holds up writing, as what the peer says is what opens the window again; when the session's queue
//! is full, it waits, and so does the peer. What messages mean is in `hearing`.

mod hearing;

use super::ending::{Ending, broken};
use super::line::{End, Line, LineEvents};
use super::pipe::{Came, Pipe};
use super::refusal::{Reason, Refusal};
use super::registry::{Slot, State};
use super::stream::Stream;
use super::way::Way;
use super::{Front, closing, plain, socket};
use crate::config::Config;
use crate::directory::Promise;
use crate::directory::SessionHandle;
use crate::lanes::Moment;
use crate::session::door::{ConnectionId, ToSession};
use futures_util::StreamExt;
use shared::wire::close::CloseCode;
use shared::wire::{Said, WireError};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;
use tracing::{Instrument, Span};

/// A WebSocket that is being served.
pub(super) struct Connection {
    id: ConnectionId,
    session: Arc<SessionHandle>,
    line: Arc<Line>,
    socket: WebSocketStream<Pipe>,
    front: Arc<Front>,
    /// The settings as they were when it began.
    config: Arc<Config>,
    slot: Arc<Slot>,
    /// Whether a session was told of it, and speaks for itself.
    joined: bool,
    /// Whether a ticket said that this is somebody who watches.
    watch: bool,
    /// The place that was kept until the session has counted this one itself.
    promise: Option<Promise>,
    /// When the task last woke up.
    woke: Moment,
    /// Until when a hello has to have come.
    hello_until: Instant,
    /// How many times it was time for a ping since the peer last answered one.
    unanswered: u32,
    next_ping: Instant,
    /// When the last ping was handed to the line, until its pong comes.
    pinged: Option<Instant>,
    timer: Pin<Box<Sleep>>,
    /// What its lines are logged in. It is entered where there is something to log, and not at every wake-up.
    span: Span,
}

/// What a connection's task wakes up for.
enum Event {
    /// A plain message of so many bytes that is no input.
    Said(Result<Said, WireError>, usize),
    /// Whatever else tungstenite makes of what came.
    Heard(Message),
    Timer,
    Ended(Ending),
}

impl Connection {
    /// A connection over `stream`, from which `early` was already read behind the handshake. Called where it is to be
    /// served. Errors when the peer is gone.
    pub(super) async fn new(
        stream: Stream,
        early: &[u8],
        slot: Arc<Slot>,
        way: Way,
        front: Arc<Front>,
        span: Span,
    ) -> io::Result<Self> {
        let Way { session, watch, promise, .. } = way;
        slot.is_now(State::Unjoined);
        let now = Instant::now();
        let config = front.common.live.get();
        let limits = &config.limits;
        let until = now + limits.hello_wait;
        let (sockets, metrics) = (&session.sockets, Arc::clone(front.metrics()));
        let (line, pipe) = Pipe::new(socket::take_apart(stream)?, early, sockets, metrics)?;
        let websocket = Some(limits.websocket());
        Ok(Self {
            id: slot.id,
            session,
            line,
            socket: WebSocketStream::from_raw_socket(pipe, Role::Server, websocket).await,
            joined: false,
            woke: Moment::now(),
            hello_until: until,
            unanswered: 0,
            next_ping: now + limits.ping_every,
            pinged: None,
            timer: Box::pin(sleep_until(until.min(now + limits.ping_every))),
            span,
            front,
            config,
            slot,
            watch,
            promise,
        })
    }

    /// Serves the connection to its end.
    pub(super) async fn serve(mut self) {
        let ending = self.run().await;
        self.line.is_unserved();
        if self.joined {
            // Fails only when the session ended first.
            let (connection, keeps_seat) = (self.id, ending.keeps_seat());
            let _ = self.tell(ToSession::Leave { connection, keeps_seat }).await;
        }
        let span = self.span.clone();
        self.finish(ending).instrument(span).await;
    }

    /// Says that this is another version, before anything was said.
    pub(super) async fn turn_away(self) {
        self.line.is_unserved();
        let span = self.span.clone();
        self.finish(Ending::outdated()).instrument(span).await;
    }

    async fn run(&mut self) -> Ending {
        let stop = self.front.common.stop.clone();
        loop {
            let joined = self.joined;
            let event = poll_fn(|cx| self.poll_event(cx));
            let event = match joined {
                // Who joined is told by the session when the server stops.
                true => event.await,
                false => tokio::select! {
                    biased;
                    () = stop.cancelled() => return Ending::stopping(),
                    event = event => event,
                },
            };
            let done = match event {
                Event::Said(said, bytes) => match self.is_within_rate() {
                    Ok(()) => self.understand(said, bytes).await,
                    Err(ending) => Err(ending),
                },
                Event::Heard(message) => self.hear(message).await,
                Event::Timer => self.look_at_the_clock(),
                Event::Ended(ending) => return ending,
            };
            if let Err(ending) = done {
                return ending;
            }
        }
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        self.woke = Moment::now();
        let look = self.line.look(cx);
        if let Some(ending) = self.take_in(look) {
            return Poll::Ready(Event::Ended(ending));
        }
        loop {
            let protocol = &self.session.protocol;
            let read = |bytes: &[u8]| (Said::read(bytes, protocol), bytes.len());
            match self.socket.get_mut().poll_came(cx, self.woke, read) {
                Poll::Ready(Ok(Came::Message((said, bytes)))) => {
                    return Poll::Ready(Event::Said(said, bytes));
                }
                Poll::Ready(Ok(Came::Else)) => {}
                Poll::Ready(Ok(Came::Nothing)) => return Poll::Ready(Event::Ended(Ending::Gone)),
                Poll::Ready(Err(error)) => {
                    return Poll::Ready(Event::Ended(broken(error.into())));
                }
                Poll::Pending => break,
            }
            match self.socket.poll_next_unpin(cx) {
                Poll::Ready(Some(Ok(message))) => return Poll::Ready(Event::Heard(message)),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Event::Ended(broken(error))),
                Poll::Ready(None) => return Poll::Ready(Event::Ended(Ending::Gone)),
                // It took what was its, and the rest may be plain again.
                Poll::Pending if self.socket.get_ref().is_plain_again() => {}
                Poll::Pending => break,
            }
        }
        self.line.listen(cx);
        self.timer.as_mut().poll(cx).map(|()| Event::Timer)
    }

    /// Takes in how the line stands; what ends the connection, if something does.
    fn take_in(&mut self, look: LineEvents) -> Option<Ending> {
        if look.spoken {
            // Whoever is welcome has been counted.
            self.promise = None;
        }
        let until = look.blocked.map(|since| since + self.config.limits.write_wait);
        if let Some(until) = until.filter(|&until| until < self.timer.deadline()) {
            self.timer.as_mut().reset(until);
        }
        match look.end? {
            End::Goodbye(code, reason) => Some(Ending::Asked(code, reason)),
            End::LetGo => Some(Ending::over(&self.session)),
            End::Broken => Some(Ending::Gone),
        }
    }

    /// When what it was last told came.
    fn came(&self) -> Instant {
        self.socket.get_ref().came()
    }

    fn is_within_rate(&mut self) -> Result<(), Ending> {
        if self.line.lock().ear.take_message(self.session.tick_rate, self.woke.now) {
            return Ok(());
        }
        let sentence = "Too many messages in too short a time.";
        Err(Ending::refused(Reason::MessageRate, sentence))
    }

    async fn hear(&mut self, message: Message) -> Result<(), Ending> {
        if !message.is_close() {
            self.is_within_rate()?;
        }
        match message {
            Message::Binary(bytes) => {
                let said = Said::read(&bytes, &self.session.protocol);
                self.understand(said, bytes.len()).await
            }
            Message::Pong(_) => {
                self.unanswered = 0;
                // Pongs that nobody asked for tell nothing.
                if let Some(pinged) = self.pinged.take() {
                    let took = self.came().saturating_duration_since(pinged);
                    self.front.metrics().network.round_trip(took);
                }
                Ok(())
            }
            Message::Text(_) => {
                let sentence = "This protocol is binary; text means nothing in it.";
                Err(Ending::refused(Reason::Unsupported, sentence))
            }
            Message::Close(frame) => Err(Ending::ByPeer(frame.map(|frame| frame.code.into()))),
            // tungstenite answers pings by itself, and hands out frames to nobody who does not ask.
            Message::Ping(_) | Message::Frame(_) => Ok(()),
        }
    }

    /// Ends what took too long, pings when it is time, and sets the timer anew.
    fn look_at_the_clock(&mut self) -> Result<(), Ending> {
        let (now, limits) = (Instant::now(), &self.config.limits);
        let blocked_until = self.line.blocked().map(|since| since + limits.write_wait);
        let hello_until = (!self.joined).then_some(self.hello_until);
        if hello_until.is_some_and(|until| now >= until) {
            return Err(Ending::refused(Reason::HelloTimeout, "No hello came in time."));
        }
        if blocked_until.is_some_and(|until| now >= until) {
            let sentence = "Your line took nothing of what was sent for too long.";
            return Err(Ending::refused(Reason::Slow, sentence));
        }
        if now >= self.next_ping {
            // Counted, as a machine that stood still meanwhile has not let the peer answer, however long it was.
            if limits.ping_every * self.unanswered >= limits.pong_wait {
                return Err(Ending::refused(Reason::Dead, "Pings were not answered for too long."));
            }
            self.next_ping = now + limits.ping_every;
            self.unanswered += 1;
            if self.line.has_room() {
                self.pinged = Some(now);
                self.line.answer(&plain::PING);
            }
        }
        let waits = [hello_until, blocked_until].into_iter().flatten();
        let next = waits.fold(self.next_ping, Instant::min);
        self.timer.as_mut().reset(next);
        Ok(())
    }

    async fn finish(self, ending: Ending) {
        let (refusals, wait) = (&self.front.common.refusals, self.config.limits.close_wait);
        self.slot.is_now(State::Closing);
        let (code, by) = ending.told();
        self.front.metrics().network.closed(code, by);
        match ending {
            Ending::Refused(Refusal { reason, sentence }) => {
                refusals.note(self.slot.peer, reason, &sentence);
                let code = reason.close_code().unwrap_or(CloseCode::Internal);
                closing::close(self.socket, code, &sentence, wait).await;
            }
            Ending::Asked(code, sentence) => {
                if let Some(reason) = Reason::of_goodbye(code) {
                    refusals.count_up(reason);
                }
                closing::close(self.socket, code, &sentence, wait).await;
            }
            Ending::ByPeer(_) => closing::answer(self.socket, wait).await,
            Ending::Gone => {}
        }
    }
}
