//! One WebSocket, from the handshake to the goodbye, in one task. Comes in: the peer's messages, and
//! what the session put into the outbox. Goes out: what the session is told, and bytes. It reads on
//! while a slow line holds up writing, as what the peer says is what opens the window again; when the
//! session's queue is full, it waits, and so does the peer. What messages mean is in `hearing`.

mod hearing;

use super::ending::{Ending, broken};
use super::limits::{Bucket, MESSAGES_BURST_SECONDS, MESSAGES_PER_TICK_MAX, REPLIES_MAX};
use super::outbox::{Outgoing, Outgoings};
use super::refusal::{Reason, Refusal};
use super::registry::{Slot, State};
use super::stream::Stream;
use super::way::Way;
use super::{Front, closing};
use crate::config::Config;
use crate::directory::Promise;
use crate::directory::SessionHandle;
use crate::session::door::ToSession;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use shared::wire::close::CloseCode;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

/// A WebSocket that is being served.
pub(super) struct Connection {
    front: Arc<Front>,
    /// The settings as they were when it began.
    config: Arc<Config>,
    slot: Arc<Slot>,
    session: SessionHandle,
    /// Whether a ticket said that this is somebody who watches.
    watch: bool,
    /// The place that was kept until the session has counted this one itself.
    promise: Option<Promise>,
    socket: WebSocketStream<Stream>,
    stage: Stage,
    messages: Bucket,
    /// Answers of our own, written before what the session says.
    replies: VecDeque<Message>,
    /// When the peer last answered a ping, or could first have done so.
    answered: Instant,
    next_ping: Instant,
    /// When the last ping was handed to the line, until its pong comes.
    pinged: Option<Instant>,
    /// Since when something waits that the kernel won't take.
    blocked: Option<Instant>,
    timer: Pin<Box<Sleep>>,
}

enum Stage {
    /// Nobody knows yet who this is.
    Unjoined { until: Instant },
    /// A session was told, and speaks through this.
    Joined(Outgoings),
}

/// What a connection's task wakes up for.
enum Event {
    Heard(Message),
    Timer,
    Ended(Ending),
}

impl Connection {
    /// A connection over `stream`, from which `early` was already read behind the handshake.
    pub(super) async fn new(
        mut stream: Stream,
        early: Vec<u8>,
        slot: Arc<Slot>,
        way: Way,
        front: Arc<Front>,
    ) -> Self {
        let Way { session, watch, promise } = way;
        stream.is_websocket();
        slot.is_now(State::Unjoined);
        let now = Instant::now();
        let config = front.live.get();
        let limits = &config.limits;
        let per_second = MESSAGES_PER_TICK_MAX * f64::from(session.tick_rate);
        let until = now + limits.hello_wait;
        let websocket = Some(limits.websocket());
        Self {
            socket: WebSocketStream::from_partially_read(stream, early, Role::Server, websocket)
                .await,
            stage: Stage::Unjoined { until },
            messages: Bucket::new(per_second, per_second * MESSAGES_BURST_SECONDS, now),
            replies: VecDeque::new(),
            answered: now,
            next_ping: now + limits.ping_every,
            pinged: None,
            blocked: None,
            timer: Box::pin(sleep_until(until.min(now + limits.ping_every))),
            front,
            config,
            slot,
            session,
            watch,
            promise,
        }
    }

    /// Serves the connection to its end.
    pub(super) async fn serve(mut self) {
        let ending = self.run().await;
        if matches!(self.stage, Stage::Joined(_)) {
            // Fails only when the session ended first.
            let (connection, keeps_seat) = (self.slot.id, ending.keeps_seat());
            let _ = self.tell(ToSession::Leave { connection, keeps_seat }).await;
        }
        self.finish(ending).await;
    }

    async fn run(&mut self) -> Ending {
        let stop = self.front.stop.clone();
        loop {
            // Who joined is told by the session when the server stops.
            let unjoined = matches!(self.stage, Stage::Unjoined { .. });
            let event = tokio::select! {
                biased;
                () = stop.cancelled(), if unjoined => return Ending::stopping(),
                event = poll_fn(|cx| self.poll_event(cx)) => event,
            };
            let done = match event {
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
        if let Poll::Ready(ending) = self.poll_write(cx) {
            return Poll::Ready(Event::Ended(ending));
        }
        match self.socket.poll_next_unpin(cx) {
            Poll::Ready(Some(Ok(message))) => return Poll::Ready(Event::Heard(message)),
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Event::Ended(broken(error))),
            Poll::Ready(None) => return Poll::Ready(Event::Ended(Ending::Gone)),
            Poll::Pending => {}
        }
        self.timer.as_mut().poll(cx).map(|()| Event::Timer)
    }

    /// Writes as much as the line takes of what waits; ready only when that ends the connection.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Ending> {
        loop {
            match self.socket.poll_ready_unpin(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(broken(error)),
                Poll::Pending => {
                    self.blocked.get_or_insert_with(Instant::now);
                    return Poll::Pending;
                }
            }
            let message = match self.poll_outgoing(cx) {
                Poll::Ready(Ok(message)) => message,
                Poll::Ready(Err(ending)) => return Poll::Ready(ending),
                Poll::Pending => break,
            };
            if let Err(error) = self.socket.start_send_unpin(message) {
                return Poll::Ready(broken(error));
            }
        }
        match self.socket.poll_flush_unpin(cx) {
            Poll::Ready(Ok(())) => self.blocked = None,
            Poll::Ready(Err(error)) => return Poll::Ready(broken(error)),
            Poll::Pending => {
                self.blocked.get_or_insert_with(Instant::now);
            }
        }
        Poll::Pending
    }

    fn poll_outgoing(&mut self, cx: &mut Context<'_>) -> Poll<Result<Message, Ending>> {
        if let Some(reply) = self.replies.pop_front() {
            if reply.is_ping() {
                self.pinged = Some(Instant::now());
            }
            self.front.metrics.network.replied.inc_by(reply.len() as u64);
            return Poll::Ready(Ok(reply));
        }
        let Stage::Joined(outgoings) = &mut self.stage else { return Poll::Pending };
        outgoings.poll_next(cx).map(|next| match next {
            Some(Outgoing::Message(bytes)) => {
                // Whoever is welcome has been counted.
                self.promise = None;
                Ok(Message::Binary(bytes))
            }
            Some(Outgoing::Close(code, reason)) => Err(Ending::Asked(code, reason)),
            None => Err(Ending::over(&self.session)),
        })
    }

    async fn hear(&mut self, message: Message) -> Result<(), Ending> {
        let now = Instant::now();
        if !message.is_close() && !self.messages.take(1.0, now) {
            let sentence = "Too many messages in too short a time.";
            return Err(Ending::refused(Reason::MessageRate, sentence));
        }
        match message {
            Message::Binary(bytes) => self.understand(&bytes, now).await,
            Message::Pong(_) => {
                self.answered = now;
                // Pongs that nobody asked for tell nothing.
                if let Some(pinged) = self.pinged.take() {
                    self.front.metrics.network.round_trip(now - pinged);
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
        let silent_until = self.answered + limits.pong_wait;
        let blocked_until = self.blocked.map(|since| since + limits.write_wait);
        let hello_until = match self.stage {
            Stage::Unjoined { until } => Some(until),
            Stage::Joined(_) => None,
        };
        if hello_until.is_some_and(|until| now >= until) {
            return Err(Ending::refused(Reason::HelloTimeout, "No hello came in time."));
        }
        if blocked_until.is_some_and(|until| now >= until) {
            let sentence = "Your line took nothing of what was sent for too long.";
            return Err(Ending::refused(Reason::Slow, sentence));
        }
        if now >= silent_until {
            return Err(Ending::refused(Reason::Dead, "Pings were not answered for too long."));
        }
        if now >= self.next_ping {
            self.next_ping = now + limits.ping_every;
            if self.replies.len() < REPLIES_MAX {
                self.replies.push_back(Message::Ping(Bytes::new()));
            }
        }
        let waits = [hello_until, blocked_until, Some(silent_until)].into_iter().flatten();
        let next = waits.fold(self.next_ping, Instant::min);
        self.timer.as_mut().reset(next);
        Ok(())
    }

    async fn finish(self, ending: Ending) {
        let (refusals, wait) = (&self.front.refusals, self.config.limits.close_wait);
        self.slot.is_now(State::Closing);
        let (code, by) = ending.told();
        self.front.metrics.network.closed(code, by);
        match ending {
            Ending::Refused(Refusal { reason, sentence }) => {
                refusals.note(self.slot.peer, reason, &sentence);
                let code = reason.close_code().unwrap_or(CloseCode::Internal);
                closing::close(self.socket, code, &sentence, wait).await;
            }
            Ending::Asked(code, sentence) => {
                // Who stops or comes back on another connection has done nothing wrong.
                if !matches!(code, CloseCode::GoingAway | CloseCode::Replaced) {
                    refusals.count_up(Reason::Expelled);
                }
                closing::close(self.socket, code, &sentence, wait).await;
            }
            Ending::ByPeer(_) => closing::answer(self.socket, wait).await,
            Ending::Gone => {}
        }
    }
}
