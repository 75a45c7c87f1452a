//! A whole session with its clients in virtual time: the server's real session and the real client, with
//! a network in memory between them.

use crate::network::{MemoryOutbox, Pipe};
use crate::stopwatch::Stopwatch;
use bytes::Bytes;
use server::session::acts::{Act, ActError, HostAction, Order};
use server::session::door::{ConnectionId, Newcomer, ToSession};
use server::session::settings::PilotCount;
use server::session::{Session, SessionConfig};
use server::tick_loop::CATCH_UP_STEPS_MAX;
use shared::game::{Brain, Focus, Game, PlayerId, Setup, Tick};
use shared::netcode::client::{Client, News};
use shared::netcode::conditions::Conditions;
use shared::wire::message::{self, ClientMessage, Hello};
use shared::wire::{HostSecret, Kind, Protocol, Role, Rows, Said, SeatToken, Treatment};
use std::collections::VecDeque;
use std::net::IpAddr;

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
    /// Frames decoded and found true: every row is the session's row of that tick, to the bit.
    pub verified: u64,
    /// What was wrong with those that were not.
    pub wrong: Vec<String>,
    /// Entities that the client had although they were out of its view, or somebody else's business.
    pub leaked: Vec<String>,
    /// How far entities were drawn from where they had been drawn a frame before, at most, in units: the
    /// own, others that are steered, and what flies by rule.
    pub steps: Steps,
    last_drawn: Vec<Drawn>,
    /// Whether the brain plays; else the input stays as it was set.
    pub plays: bool,
    /// Whether it takes what it is sent; else everything stays on the line.
    pub reads: bool,
    /// Whether what it is sent is kept in `recorded`, and what it says in `said`.
    pub records: bool,
    /// What it was sent.
    pub recorded: Vec<Vec<u8>>,
    /// What it said.
    pub said: Vec<Vec<u8>>,
    /// Whether it has left, or lost its line.
    pub gone: bool,
    /// The token that the server drew for its last hello.
    pub seat: Option<SeatToken>,
    /// A token that it shows instead of its own.
    pub claims: Option<SeatToken>,
    /// From where it comes.
    pub network: Option<IpAddr>,
    brain: G::Brain,
    up: Pipe,
    down: Pipe,
    thought: Option<Tick>,
}

/// The largest steps between two pictures, in units.
#[derive(Clone, Copy, Debug, Default)]
pub struct Steps {
    /// The player's own steered entity.
    pub own: f32,
    /// Others'.
    pub others: f32,
    /// What flies by rule, the own included.
    pub flying: f32,
}

struct Drawn {
    kind: usize,
    id: u32,
    own: bool,
    at: (f32, f32),
}

/// What was so at a tick.
struct Truth {
    tick: Tick,
    rows: Rows,
    /// What spectators are shown.
    late: Rows,
    spectators: Vec<PlayerId>,
    focus: Vec<(PlayerId, Focus)>,
}

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
        let mut guest = Guest {
            client: Client::new(name),
            news: Vec::new(),
            connection: ConnectionId(0),
            outbox: MemoryOutbox::default(),
            verified: 0,
            wrong: Vec::new(),
            leaked: Vec::new(),
            steps: Steps::default(),
            last_drawn: Vec::new(),
            plays: true,
            reads: true,
            records: false,
            recorded: Vec::new(),
            said: Vec::new(),
            gone: false,
            seat: None,
            claims: None,
            network: None,
            brain: G::Brain::new(seed),
            up: Pipe::new(line, seed + 1),
            down: Pipe::new(line, seed + 2),
            thought: None,
        };
        self.next_connection += 1;
        guest.connection = ConnectionId(number);
        introduce(guest.client.introduction());
        guest.up.send(guest.client.hello(self.now).into(), self.now);
        self.guests.push(guest);
        self.guests.len() - 1
    }

    /// The host, who shows `secret`, wants something done; what came of it.
    pub fn act(&mut self, secret: HostSecret, action: HostAction) -> Result<(), ActError> {
        let (sender, answers) = std::sync::mpsc::channel();
        let answer = Box::new(move |done| sender.send(done).expect("somebody listens"));
        let act = ToSession::Act(Act { order: Order::Host(secret, action), answer });
        self.session.handle(act, f64::from(self.session.tick_now()));
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
        let guest = &mut self.guests[index];
        guest.gone = false;
        guest.connection = ConnectionId(number);
        guest.outbox = MemoryOutbox::default();
        (guest.up, guest.down) = (Pipe::new(line, seed + 1), Pipe::new(line, seed + 2));
        (guest.last_drawn, guest.thought) = (Vec::new(), None);
        guest.up.send(guest.client.hello(self.now).into(), self.now);
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

impl<G: Game> Guest<G> {
    /// What the server's connection task would make of a message.
    fn tells(
        &mut self,
        protocol: &Protocol,
        bytes: &Bytes,
        now: f64,
    ) -> Option<ToSession<MemoryOutbox>> {
        let connection = self.connection;
        let said = match Said::read(bytes, protocol).expect("an honest client's message") {
            Said::Input(message) => return Some(ToSession::Input { connection, message }),
            Said::Control(said) => said,
        };
        match said {
            ClientMessage::Hello(hello) => {
                assert_eq!(hello.protocol, protocol.hash);
                let name = message::clean_name(&hello.name).expect("a proper name");
                // Different for every connection, and the same in every run.
                let secret = |what: u128| (u128::from(connection.0) << 64 | what).to_le_bytes();
                let fresh = SeatToken(secret(0x5ea7));
                self.seat = Some(fresh);
                let outbox = self.outbox.clone();
                Some(ToSession::Join(Box::new(Newcomer {
                    connection,
                    network: self.network,
                    address: self.network,
                    name,
                    seat: self.claims.or(hello.seat),
                    visitor: hello.visitor,
                    host: hello.host,
                    watch: hello.watch,
                    fresh,
                    fresh_host: HostSecret(secret(0x4057)),
                    outbox,
                })))
            }
            ClientMessage::Chat { team, text } => Some(ToSession::Chat { connection, team, text }),
            ClientMessage::Emote(emote) => Some(ToSession::Emote { connection, emote }),
            ClientMessage::Look(look) => Some(ToSession::Look { connection, look }),
            ClientMessage::Watch(watch) => Some(ToSession::Watch { connection, watch }),
            ClientMessage::Team(team) => Some(ToSession::Team { connection, team }),
            ClientMessage::Resync { tick, mismatch } => {
                Some(ToSession::Resync { connection, tick, mismatch })
            }
            ClientMessage::Mismatch { tick, difference } => {
                Some(ToSession::Mismatch { connection, tick, difference })
            }
            ClientMessage::Ping { nonce } => {
                let pong =
                    message::encode_control(&message::ServerMessage::Pong { nonce, waited_us: 0 });
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
        self.look(now);
    }

    /// Compares what the client has with what was so, and with what it may know.
    fn verify(&mut self, truth: &VecDeque<Truth>) {
        let view = self.client.view().expect("a frame was read");
        let Some(truth) = truth.iter().find(|truth| truth.tick == view.tick) else {
            self.wrong.push(format!("tick {} never was", view.tick));
            return;
        };
        let before = self.wrong.len();
        let focus = truth.focus.iter().find(|(id, _)| *id == view.me).map(|(_, focus)| *focus);
        let watches = truth.spectators.contains(&view.me);
        let rows = if watches { &truth.late } else { &truth.rows };
        for (kind, (mine, all)) in view.rows.tables().iter().zip(rows.tables()).enumerate() {
            for (id, row) in mine.iter() {
                let name = G::KINDS[kind].name;
                if all.find(id).is_none_or(|i| all.row(i) != row) {
                    self.wrong.push(format!("tick {}: {name} {id} is {row:?}", view.tick));
                }
                if !may_know(&G::KINDS[kind], row, view.me, focus) {
                    self.leaked.push(format!("tick {}: {name} {id} at {row:?}", view.tick));
                }
            }
        }
        self.verified += u64::from(self.wrong.len() == before);
    }

    /// Draws, and measures how far things moved since the last picture.
    fn look(&mut self, now: f64) {
        let Some(scene) = self.client.draw(now) else { return };
        let mut drawn = Vec::new();
        for (kind, spec) in G::KINDS.iter().enumerate() {
            let Some((x, y)) = spec.field_with(Role::X).zip(spec.field_with(Role::Y)) else {
                continue;
            };
            let table = scene.table(kind).iter();
            drawn.extend(table.map(|(id, units, own)| Drawn {
                kind,
                id,
                own,
                at: (units[x], units[y]),
            }));
        }
        for now in &drawn {
            let before = self.last_drawn.iter().find(|d| (d.kind, d.id) == (now.kind, now.id));
            let Some(before) = before else { continue };
            let step = libm::hypotf(before.at.0 - now.at.0, before.at.1 - now.at.1);
            let most = match G::KINDS[now.kind].treatment {
                Treatment::Steered { .. } if now.own => &mut self.steps.own,
                Treatment::Steered { .. } => &mut self.steps.others,
                _ => &mut self.steps.flying,
            };
            *most = most.max(step);
        }
        self.last_drawn = drawn;
    }

    /// Both ways are like this from now on.
    pub fn set_conditions(&mut self, conditions: Conditions) {
        self.up.set_conditions(conditions);
        self.set_down(conditions);
    }

    /// The way from the server is like this from now on.
    pub fn set_down(&mut self, conditions: Conditions) {
        self.down.set_conditions(conditions);
    }

    /// Bytes that were sent to this guest so far, headers included.
    pub fn heard_bytes(&self) -> u64 {
        self.down.sent()
    }

    /// Bytes on their way to this guest.
    pub fn backlog(&self) -> usize {
        self.down.backlog()
    }
}

/// How far outside of its view a client may have an entity: what a visible entity spawned in this very
/// tick is not looked at until the next one.
const SPAWN_UNITS: f32 = 80.0;

fn may_know(kind: &Kind, row: &[i32], me: PlayerId, focus: Option<Focus>) -> bool {
    let field = |role| kind.field_with(role).map(|i| (kind.fields[i], row[i]));
    if kind.private {
        return field(Role::Owner).is_some_and(|(_, owner)| owner == i32::from(me.0));
    }
    let (Some((x_field, x)), Some((y_field, y)), Some(focus)) =
        (field(Role::X), field(Role::Y), focus)
    else {
        return true;
    };
    let reach = focus.margin + SPAWN_UNITS;
    (x_field.to_units(x) - focus.x).abs() <= focus.half_width + reach
        && (y_field.to_units(y) - focus.y).abs() <= focus.half_height + reach
}
