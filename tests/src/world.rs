//! A whole session with its clients in virtual time: the server's real session and the real client, with
//! a network in memory between them.

use crate::guest::{Guest, Truth};
use crate::network::MemoryOutbox;
use crate::stopwatch::Stopwatch;
use server::session::acts::{Act, ActError, HostAction, Order};
use server::session::door::{ConnectionId, ToSession};
use server::session::inspect::{Inspect, Inspection, Person};
use server::session::settings::PilotCount;
use server::session::{Session, SessionConfig};
use server::tick_loop::CATCH_UP_STEPS_MAX;
use shared::game::{Game, PlayerId, Setup};
use shared::netcode::conditions::Conditions;
use shared::wire::message::{self, Hello};
use shared::wire::{HostSecret, Protocol};
use std::collections::VecDeque;

/// Ticks whose truth is remembered for comparison.
const TRUTH_TICKS: usize = 256;
/// The clients' frame time.
const DRAW_MS: f64 = 1000.0 / 120.0;

/// A session and its guests.
pub struct World<G: Game> {
    /// The real session.
    pub session: Session<G, MemoryOutbox>,
    /// Who plays.
    pub guests: Vec<Guest<G>>,
    /// Virtual time in ms.
    pub now: f64,
    /// What ticks cost, where a story is about that; else nothing.
    pub stopwatch: Option<Stopwatch>,
    /// Ticks' worth of time that was dropped, as too many were due at once.
    pub dropped: u64,
    /// Until when the server's machine stands still.
    stands_until: f64,
    protocol: Protocol,
    truth: VecDeque<Truth>,
    next_connection: u64,
    seed: u64,
    rate: f64,
}

impl<G: Game> World<G> {
    /// A session of default settings with `pilots` computer pilots.
    pub fn new(seed: u64, pilots: usize) -> Self {
        Self::with_seats(seed, pilots, 1000)
    }

    /// The same with so many seats.
    pub fn with_seats(seed: u64, pilots: usize, seats: usize) -> Self {
        Self::with_settings(seed, pilots, seats, G::Settings::default())
    }

    /// The same with these settings.
    pub fn with_settings(seed: u64, pilots: usize, seats: usize, settings: G::Settings) -> Self {
        let setup = Setup::new(settings, seed, 30);
        let pilots = PilotCount::FillUpTo(pilots as u16);
        Self::open(SessionConfig { players_max: seats, pilots, ..SessionConfig::new(setup) })
    }

    /// A session of any kind.
    pub fn open(config: SessionConfig<G::Settings>) -> Self {
        let Setup { seed, tick_rate, .. } = config.setup;
        let rate = f64::from(tick_rate);
        Self {
            session: Session::new(config).expect("settings that make sense"),
            guests: Vec::new(),
            now: 0.0,
            stopwatch: None,
            dropped: 0,
            stands_until: 0.0,
            protocol: Protocol::of::<G>(),
            truth: VecDeque::new(),
            next_connection: 1,
            seed,
            rate,
        }
    }

    /// Somebody connects over such a line; returns the guest's index.
    pub fn join(&mut self, name: &str, line: Conditions) -> usize {
        self.join_as(name, line, |_| {})
    }

    /// The same, who says what `introduce` adds.
    pub fn join_as(
        &mut self,
        name: &str,
        line: Conditions,
        introduce: impl FnOnce(&mut Hello),
    ) -> usize {
        let number = self.next_connection;
        let seed = self.seed.wrapping_mul(1000) + number * 3;
        let mut guest = Guest::new(name, ConnectionId(number), line, seed);
        self.next_connection += 1;
        introduce(guest.client.introduction());
        guest.connect(self.now);
        self.guests.push(guest);
        self.guests.len() - 1
    }

    /// The host, who shows `secret`, wants something done; what came of it.
    pub fn act(&mut self, secret: HostSecret, action: HostAction) -> Result<(), ActError> {
        self.order(Order::Host(secret, action))
    }

    /// The host or the operator wants something done; what came of it.
    pub fn order(&mut self, order: Order) -> Result<(), ActError> {
        let (sender, answers) = std::sync::mpsc::channel();
        let answer = Box::new(move |done| sender.send(done).expect("somebody listens"));
        let act = ToSession::Act(Act { order, answer });
        self.session.handle(act, f64::from(self.session.tick_now()));
        answers.try_recv().expect("it is answered at once")
    }

    /// Everybody, as the operator sees them.
    pub fn people(&mut self) -> Vec<Person> {
        let (sender, answers) = std::sync::mpsc::channel();
        let answer =
            Box::new(move |seen: Inspection| sender.send(seen.people).expect("somebody listens"));
        let inspect = ToSession::Inspect(Inspect { people: true, map: false, answer });
        self.session.handle(inspect, f64::from(self.session.tick_now()));
        answers.try_recv().expect("it is answered at once")
    }

    /// A guest says goodbye.
    pub fn leave(&mut self, index: usize) {
        self.guests[index].gone = true;
        self.end(self.guests[index].connection, false);
    }

    /// A guest's line breaks, with all that is on it.
    pub fn drop_line(&mut self, index: usize) {
        self.guests[index].gone = true;
        self.end(self.guests[index].connection, true);
    }

    /// The session hears that a connection is no more.
    pub fn end(&mut self, connection: ConnectionId, keeps_seat: bool) {
        let told = ToSession::Leave { connection, keeps_seat };
        let at = self.at();
        self.session.handle(told, at);
    }

    /// The same client connects once more, over another line.
    pub fn return_to_seat(&mut self, index: usize, line: Conditions) {
        let number = self.next_connection;
        self.next_connection += 1;
        let seed = self.seed.wrapping_mul(1000) + number * 3;
        self.guests[index].reconnect(ConnectionId(number), line, seed, self.now);
    }

    /// Runs so many ms; everything is delivered, stepped and drawn in its order.
    pub fn run(&mut self, ms: f64) {
        let end = self.now + ms;
        while self.now < end {
            self.now += DRAW_MS;
            if self.now >= self.stands_until {
                let due = self.due();
                self.deliver_up(self.at());
                self.step(due);
                self.deliver_down();
            }
            for guest in self.guests.iter_mut().filter(|g| !g.gone) {
                guest.play(self.now);
            }
        }
    }

    /// The server's machine stands still for so many ms from now on, while its guests go on.
    pub fn stand_still(&mut self, ms: f64) {
        self.stands_until = self.now + ms;
    }

    /// The time in ticks, without those that were dropped.
    fn at(&self) -> f64 {
        self.now * self.rate / 1000.0 - self.dropped as f64
    }

    /// The ticks that are to be made now, as the tick loop reckons: what is too much is dropped.
    fn due(&mut self) -> u64 {
        let missing = (self.at().floor() - f64::from(self.session.tick_now())).max(0.0) as u64;
        if self.stopwatch.as_ref().is_some_and(|stopwatch| stopwatch.is_busy(self.now)) {
            return 0;
        }
        let due = missing.min(CATCH_UP_STEPS_MAX);
        if missing > due {
            self.dropped += missing - due;
            let ticks = (missing - due) as u32;
            let at = f64::from(self.session.tick_now());
            self.session.handle(ToSession::Dropped { ticks }, at);
        }
        due
    }

    fn step(&mut self, due: u64) {
        let Some(mut stopwatch) = self.stopwatch.take() else {
            (0..due).for_each(|_| self.tick());
            return;
        };
        stopwatch.begin(due);
        for _ in 0..due {
            self.tick();
            stopwatch.charge(&self.session);
        }
        if let Some(restraint) = stopwatch.end(self.now, &self.session) {
            self.session.handle(ToSession::Restrain(restraint), self.at());
        }
        self.stopwatch = Some(stopwatch);
    }

    fn tick(&mut self) {
        self.session.tick();
        self.remember();
    }

    fn remember(&mut self) {
        if self.truth.len() == TRUTH_TICKS {
            self.truth.pop_front();
        }
        let players = self.guests.iter().filter_map(|g| g.client.me());
        let watches = |&id: &PlayerId| self.session.is_watching(id);
        self.truth.push_back(Truth {
            tick: self.session.tick_now(),
            rows: self.session.world().now().clone(),
            late: self.session.shown_to_spectators().now().clone(),
            spectators: players.clone().filter(watches).collect(),
            focus: players.map(|id| (id, self.session.focus(id))).collect(),
        });
    }

    fn deliver_up(&mut self, at: f64) {
        for guest in self.guests.iter_mut().filter(|g| !g.gone) {
            while let Some(bytes) = guest.up.receive(self.now) {
                if guest.records {
                    guest.said.push(bytes.to_vec());
                }
                if let Some(told) = guest.tells(&self.protocol, &bytes, self.now) {
                    self.session.handle(told, at);
                }
            }
        }
    }

    fn deliver_down(&mut self) {
        for guest in self.guests.iter_mut().filter(|g| !g.gone) {
            for message in guest.outbox.drain() {
                guest.down.send(message, self.now);
            }
            while guest.reads
                && let Some(bytes) = guest.down.receive(self.now)
            {
                if guest.records {
                    guest.recorded.push(bytes.to_vec());
                }
                let read = guest.client.receive(&bytes, self.now);
                if read.is_ok() && bytes[0] != message::TYPE {
                    guest.verify(&self.truth);
                }
            }
        }
    }
}
