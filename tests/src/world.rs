//! A whole session with its clients in virtual time: the server's real session and the real client, with
//! a network in memory between them.

use crate::network::{Line, MemoryOutbox, Pipe};
use bytes::Bytes;
use server::session::door::{ConnectionId, ToSession};
use server::session::{Session, SessionConfig};
use shared::game::{Brain, Game, Setup, Tick};
use shared::netcode::client::{Client, News};
use shared::wire::message::{self, ClientMessage};
use shared::wire::{Protocol, Rows, input};
use std::collections::VecDeque;

/// Ticks whose truth is remembered for comparison.
const TRUTH_TICKS: usize = 256;
/// The clients' frame time.
const DRAW_MS: f64 = 1000.0 / 120.0;

/// One player with a brain for hands.
pub struct Guest<G: Game> {
    /// The real client.
    pub client: Client<G>,
    /// All it was told.
    pub news: Vec<News<G::Event>>,
    /// How it is connected, as the session sees it.
    pub connection: ConnectionId,
    /// Where the session puts what it is sent.
    pub outbox: MemoryOutbox,
    /// Frames decoded and found true.
    pub verified: u64,
    /// Whether the brain plays; else the input stays as it was set.
    pub plays: bool,
    /// Whether it has left.
    pub gone: bool,
    brain: G::Brain,
    up: Pipe,
    down: Pipe,
    thought: Option<Tick>,
}

/// A session and its guests.
pub struct World<G: Game> {
    /// The real session.
    pub session: Session<G, MemoryOutbox>,
    /// Who plays.
    pub guests: Vec<Guest<G>>,
    /// Virtual time in ms.
    pub now: f64,
    protocol: Protocol,
    truth: VecDeque<(Tick, Rows)>,
    next_connection: u64,
    seed: u64,
    rate: f64,
}

impl<G: Game> World<G> {
    /// A session of default settings with `pilots` computer pilots.
    pub fn new(seed: u64, pilots: usize) -> Self {
        let setup = Setup { settings: G::Settings::default(), seed, tick_rate: 30 };
        Self::with_setup(setup, pilots)
    }

    /// A session of these settings.
    pub fn with_setup(setup: Setup<G::Settings>, pilots: usize) -> Self {
        let (seed, rate) = (setup.seed, f64::from(setup.tick_rate));
        let config = SessionConfig { setup, players_max: 1000, pilots_fill_to: pilots };
        Self {
            session: Session::new(config).expect("settings that make sense"),
            guests: Vec::new(),
            now: 0.0,
            protocol: Protocol::of::<G>(),
            truth: VecDeque::new(),
            next_connection: 1,
            seed,
            rate,
        }
    }

    /// Somebody connects over such a line; returns the guest's index.
    pub fn join(&mut self, name: &str, line: Line) -> usize {
        let number = self.next_connection;
        let seed = self.seed.wrapping_mul(1000) + number * 3;
        let mut guest = Guest {
            client: Client::new(name),
            news: Vec::new(),
            connection: ConnectionId(0),
            outbox: MemoryOutbox::default(),
            verified: 0,
            plays: true,
            gone: false,
            brain: G::Brain::new(seed),
            up: Pipe::new(line, seed + 1),
            down: Pipe::new(line, seed + 2),
            thought: None,
        };
        self.next_connection += 1;
        guest.connection = ConnectionId(number);
        guest.up.send(guest.client.hello(self.now).into(), self.now);
        self.guests.push(guest);
        self.guests.len() - 1
    }

    /// Closes a guest's connection.
    pub fn leave(&mut self, index: usize) {
        let guest = &mut self.guests[index];
        guest.gone = true;
        let connection = guest.connection;
        self.session.handle(ToSession::Leave { connection }, self.now * self.rate / 1000.0);
    }

    /// Runs so many ms; everything is delivered, stepped and drawn in its order. Panics when a client's
    /// rows are not the session's.
    pub fn run(&mut self, ms: f64) {
        let end = self.now + ms;
        while self.now < end {
            self.now += DRAW_MS;
            let at = self.now * self.rate / 1000.0;
            self.deliver_up(at);
            while f64::from(self.session.tick_now()) < at.floor() {
                self.session.tick();
                self.remember();
            }
            self.deliver_down();
            for guest in self.guests.iter_mut().filter(|g| !g.gone) {
                guest.play(self.now);
            }
        }
    }

    fn remember(&mut self) {
        if self.truth.len() == TRUTH_TICKS {
            self.truth.pop_front();
        }
        self.truth.push_back((self.session.tick_now(), self.session.world().now().clone()));
    }

    fn deliver_up(&mut self, at: f64) {
        for guest in self.guests.iter_mut().filter(|g| !g.gone) {
            while let Some(bytes) = guest.up.receive(self.now) {
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
            while let Some(bytes) = guest.down.receive(self.now) {
                let read = guest.client.receive(&bytes, self.now);
                if read.is_ok() && bytes[0] != message::TYPE {
                    guest.verify(&self.truth);
                }
            }
        }
    }
}

impl<G: Game> Guest<G> {
    /// What the server's connection task would make of a message.
    fn tells(
        &mut self,
        protocol: &Protocol,
        bytes: &Bytes,
        now: f64,
    ) -> Option<ToSession<MemoryOutbox>> {
        let connection = self.connection;
        if bytes[0] == input::TYPE {
            let message = input::InputMessage::decode(&bytes[1..], protocol.input);
            let message = message.expect("an honest client's input");
            return Some(ToSession::Input { connection, message });
        }
        match message::decode(&bytes[1..]).expect("an honest client's message") {
            ClientMessage::Hello { protocol: hash, name } => {
                assert_eq!(hash, protocol.hash);
                let name = message::clean_name(&name).expect("a proper name");
                Some(ToSession::Join { connection, name, outbox: self.outbox.clone() })
            }
            ClientMessage::Chat { text } => Some(ToSession::Chat { connection, text }),
            ClientMessage::Resync { tick, mismatch } => {
                Some(ToSession::Resync { connection, tick, mismatch })
            }
            ClientMessage::Ping { nonce } => {
                let pong = message::encode_control(&message::ServerMessage::Pong { nonce });
                self.down.send(pong.into(), now);
                None
            }
        }
    }

    fn play(&mut self, now: f64) {
        while let Some(news) = self.client.news() {
            self.news.push(news);
        }
        if self.plays
            && let Some((view, rules)) = self.client.view().zip(self.client.rules())
            && self.thought != Some(view.tick)
        {
            self.thought = Some(view.tick);
            let input = self.brain.think(rules, &view);
            self.client.set_input(input);
        }
        self.client.advance(now);
        while let Some(message) = self.client.outgoing() {
            self.up.send(message.into(), now);
        }
    }

    /// Every row that the client has is the session's row of that tick, to the bit.
    fn verify(&mut self, truth: &VecDeque<(Tick, Rows)>) {
        let view = self.client.view().expect("a frame was read");
        let Some((_, rows)) = truth.iter().find(|(tick, _)| *tick == view.tick) else {
            panic!("tick {} is not remembered", view.tick)
        };
        for (kind, (mine, all)) in view.rows.tables().iter().zip(rows.tables()).enumerate() {
            for (id, row) in mine.iter() {
                let index = all.find_sorted(id);
                let index =
                    index.unwrap_or_else(|| panic!("tick {}: {kind}/{id} is gone", view.tick));
                assert_eq!(row, all.row(index), "tick {}: {kind}/{id}", view.tick);
            }
        }
        self.verified += 1;
    }

    /// Bytes on their way to this guest.
    pub fn backlog(&self) -> usize {
        self.down.backlog()
    }
}
