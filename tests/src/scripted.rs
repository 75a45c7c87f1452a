//! A session that does what a story wants, and plays nothing.

use server::metrics::Stage;
use server::net::outbox::ConnectionOutbox;
use server::session::door::{Outbox, ToSession};
use server::session::recording::Recorded;
use server::session::result::RoundResult;
use server::session::status::Status;
use server::tick_loop::Ticked;
use shared::game::Tick;
use shared::wire::close::CloseCode;

/// A session in which one player seems to be.
#[derive(Default)]
pub struct Scripted {
    /// The newest tick.
    pub tick: Tick,
    /// What it says at its first look.
    pub results: Vec<RoundResult>,
    /// Whether it breaks as soon as somebody is in it.
    pub breaks: bool,
    /// What it has of a recording when it ends.
    pub recorded: Vec<Recorded>,
    /// How it is over from the beginning, if it is.
    pub over: Option<(CloseCode, &'static str)>,
    /// Of those who came.
    pub outboxes: Vec<ConnectionOutbox>,
}

impl Ticked<ConnectionOutbox> for Scripted {
    fn tick_rate(&self) -> u16 {
        30
    }

    fn tick_now(&self) -> Tick {
        self.tick
    }

    fn handle(&mut self, told: ToSession<ConnectionOutbox>, _: f64) {
        if let ToSession::Join(newcomer) = told {
            self.outboxes.push(newcomer.outbox);
        }
    }

    fn tick(&mut self, _: &mut dyn FnMut(Stage)) {
        self.tick += 1;
        assert!(!self.breaks || self.outboxes.is_empty(), "a test's own accident");
    }

    fn stop(&mut self, code: CloseCode, reason: &str) {
        self.outboxes.iter_mut().for_each(|outbox| outbox.close(code, reason));
    }

    fn status(&self) -> Status {
        Status { public: true, players: 1, max_players: 2, ..Status::default() }
    }

    fn take_results(&mut self) -> Vec<RoundResult> {
        std::mem::take(&mut self.results)
    }

    fn take_recorded(&mut self, all: bool) -> Vec<Recorded> {
        if all { std::mem::take(&mut self.recorded) } else { Vec::new() }
    }

    fn over(&self) -> Option<(CloseCode, &'static str)> {
        self.over
    }
}
