//! What a bot hears: frames and messages from its line, or from what the made-up network holds back. Comes in: a wake-up.
//! Goes out: events, and times taken down.

use super::{Bot, Errand, Event, PING_EVERY_MS};
use crate::behaviour::{Behaviour, without_others};
use crate::ending::Ending;
use crate::line::Socket;
use crate::tally::Sort;
use futures_util::StreamExt;
use shared::game::{Brain, Game, View};
use shared::netcode::client::News;
use shared::wire::message::{self, ServerMessage};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

impl<G: Game> Bot<G> {
    /// Reads before it writes: when both fail, the server's last words are what tells why.
    pub(super) fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        loop {
            if let Poll::Ready(event) = self.poll_heard(cx) {
                return Poll::Ready(event);
            }
            let blocked = match self.poll_write(cx) {
                Ok(blocked) => blocked,
                // What is still to be heard tells why.
                Err(_) if self.ended => true,
                Err(error) => return Poll::Ready(Event::Ended(Ending::broken(error))),
            };
            let Some(held) = &self.held else {
                return self.timer.as_mut().poll(cx).map(|()| Event::Timer);
            };
            // What waits for the kernel is woken by the kernel.
            let next_ms = if blocked { held.heard.next_ms() } else { held.next_ms() };
            let next = next_ms.map_or(self.next_wake, |ms| self.around.at(ms));
            let wake = next.min(self.next_wake);
            if self.timer.deadline() != wake {
                self.timer.as_mut().reset(wake);
            }
            ready!(self.timer.as_mut().poll(cx));
            if Instant::now() >= self.next_wake {
                return Poll::Ready(Event::Timer);
            }
        }
    }

    /// What the bot hears next: what the line gives, or what the network has held back for long enough.
    fn poll_heard(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        let Some(held) = &mut self.held else { return poll_line(&mut self.line, cx) };
        let now_ms = self.around.now_ms();
        while !self.ended
            && !held.heard.is_full()
            && let Poll::Ready(event) = poll_line(&mut self.line, cx)
        {
            self.ended = matches!(event, Event::Ended(_) | Event::Heard(Message::Close(_)));
            let bytes = if let Event::Heard(message) = &event { message.len() } else { 0 };
            held.heard.put(now_ms, bytes, event);
        }
        held.heard.take(now_ms).map_or(Poll::Pending, Poll::Ready)
    }

    pub(super) fn hear(&mut self, bytes: &[u8]) {
        // What was due before this came is done first, at its time.
        self.keep_time();
        let now_ms = self.now_ms();
        self.heard_ms = now_ms;
        // The client counts what it cannot read, and asks for what it needs then.
        let read = self.client.receive(bytes, now_ms).is_ok();
        let mut frames = 0;
        if read && bytes[0] != message::TYPE {
            frames = self.saw_frame(now_ms);
        } else if self.joined_ms.is_none() && self.client.me().is_some() {
            self.joined(now_ms);
        }
        self.around.board.heard(frames, bytes.len());
        // A bot does not care who won, but what it knows of a world is of no use in the next one.
        while let Some(news) = self.client.news() {
            use ServerMessage::{Begin, Welcome};
            if matches!(news, News::Said(Welcome { .. } | Begin { .. })) {
                self.brain = G::Brain::new(u64::from(self.errand.number));
            }
        }
        self.go_on(now_ms);
    }

    fn joined(&mut self, now_ms: f64) {
        self.joined_ms = Some(now_ms);
        self.joined += 1;
        let seat = self.client.me();
        if let Some(lost) = self.lost_ms.take() {
            self.windows().way_back.record(now_ms - lost);
            self.lost_seats += u32::from(self.seat.is_some() && seat != self.seat);
        }
        self.seat = seat;
        // The first round trip includes the wait for the session's tick: not one to report.
        self.seen = self.client.stats();
        self.around.board.joined(self.seen.tick_rate);
        if !std::mem::replace(&mut self.present, true) {
            self.around.board.arrived();
        }
        self.period = Duration::from_secs(1) / u32::from(self.seen.tick_rate.max(1));
        self.chat_ms = now_ms;
        self.wake_at(Instant::now() + self.period.mul_f64(self.phase));
    }

    /// Takes down when each tick of a message was known: those that were held back and come together are as late as
    /// they are. Gives how many they are.
    fn saw_frame(&mut self, now_ms: f64) -> u32 {
        let last = self.frame_ms.replace(now_ms);
        let Errand { preset, behaviour, .. } = self.errand;
        let windows = self.around.board.windows(Sort { preset, behaviour });
        if let Some(last) = last {
            windows.frame_interval.record(now_ms - last);
        }
        let stats = self.client.stats();
        let tick_ms = self.period.as_secs_f64() * 1000.0;
        for behind in 0..stats.together.max(1) {
            let age = stats.frame_age_ms + f64::from(behind) * tick_ms;
            windows.frame_age.record(age);
        }
        while let Some(took) = self.client.confirmation() {
            windows.input_to_frame.record(took);
        }
        if self.errand.behaviour.thinks()
            && let Some((view, rules)) = self.client.view().zip(self.client.rules())
            && self.thought != Some(view.tick)
        {
            self.thought = Some(view.tick);
            let view = if self.errand.behaviour == Behaviour::Wander {
                without_others::<G>(view.me, view.rows, &mut self.own);
                View { rows: &self.own, ..view }
            } else {
                view
            };
            let input = self.brain.think(rules, &view);
            self.client.set_input(input);
        }
        stats.together
    }

    /// Takes down what should have come by now with what it has waited so far, as it will not be heard any more: else a
    /// server that falls silent would look better than one that is slow.
    pub(super) fn saw_nothing(&self, now_ms: f64) {
        let (overdue, windows) = (self.client.overdue(now_ms), self.windows());
        if let Some(last) = self.frame_ms.filter(|_| !overdue.frames_ms.is_empty()) {
            windows.frame_interval.record(now_ms - last);
        }
        overdue.frames_ms.iter().for_each(|&age| windows.frame_age.record(age));
        overdue.inputs_ms.iter().for_each(|&waited| windows.input_to_frame.record(waited));
        if let Some(waited) = overdue.ping_ms {
            windows.round_trip.record_expected(waited, PING_EVERY_MS);
        }
    }
}

/// The next message of the line, or its end.
fn poll_line(line: &mut Socket, cx: &mut Context<'_>) -> Poll<Event> {
    line.poll_next_unpin(cx).map(|next| match next {
        Some(Ok(message)) => Event::Heard(message),
        Some(Err(error)) => Event::Ended(Ending::broken(error)),
        None => Event::Ended(Ending::vanished()),
    })
}
