//! Somebody in a session in virtual time: the real client with a brain for hands, over a line in memory. What it is sent is
//! held against what was so, and what it draws against what it drew before.

use crate::network::{MemoryOutbox, Pipe};
use bytes::Bytes;
use server::session::door::{ConnectionId, Newcomer, ToSession};
use shared::game::{Brain, Focus, Game, PlayerId, Tick};
use shared::netcode::client::{Client, News};
use shared::netcode::conditions::Conditions;
use shared::wire::message::{self, ClientMessage};
use shared::wire::{HostSecret, Kind, Protocol, Role, Rows, Said, SeatToken, Treatment};
use std::collections::VecDeque;
use std::net::IpAddr;

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
    /// The ways to the server and back.
    pub(crate) up: Pipe,
    pub(crate) down: Pipe,
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
    /// Pictures of the own steered entity that were compared with the one before.
    pub own_pictures: u32,
    /// And of at least one of the others.
    pub others_pictures: u32,
}

struct Drawn {
    kind: usize,
    id: u32,
    own: bool,
    at: (f32, f32),
}

/// What was so at a tick.
pub(crate) struct Truth {
    pub(crate) tick: Tick,
    pub(crate) rows: Rows,
    /// What spectators are shown.
    pub(crate) late: Rows,
    pub(crate) spectators: Vec<PlayerId>,
    pub(crate) focus: Vec<(PlayerId, Focus)>,
}

impl<G: Game> Guest<G> {
    /// Somebody who is about to connect over such a line; what they do follows from `seed`.
    pub(crate) fn new(name: &str, connection: ConnectionId, line: Conditions, seed: u64) -> Self {
        Self {
            client: Client::new(name),
            news: Vec::new(),
            connection,
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
        }
    }

    /// Says hello on the line that there is.
    pub(crate) fn connect(&mut self, now: f64) {
        self.up.send(self.client.hello(now).into(), now);
    }

    /// Connects once more, over another line.
    pub(crate) fn reconnect(
        &mut self,
        connection: ConnectionId,
        line: Conditions,
        seed: u64,
        now: f64,
    ) {
        self.gone = false;
        self.connection = connection;
        self.outbox = MemoryOutbox::default();
        (self.up, self.down) = (Pipe::new(line, seed + 1), Pipe::new(line, seed + 2));
        (self.last_drawn, self.thought) = (Vec::new(), None);
        self.connect(now);
    }

    /// What the server's connection task would make of a message.
    pub(crate) fn tells(
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

    /// Draws a frame: hears, thinks, speaks.
    pub(crate) fn play(&mut self, now: f64) {
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
    pub(crate) fn verify(&mut self, truth: &VecDeque<Truth>) {
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
        let (mut own, mut others) = (false, false);
        for now in &drawn {
            let before = self.last_drawn.iter().find(|d| (d.kind, d.id) == (now.kind, now.id));
            let Some(before) = before else { continue };
            let step = libm::hypotf(before.at.0 - now.at.0, before.at.1 - now.at.1);
            let most = match G::KINDS[now.kind].treatment {
                Treatment::Steered { .. } if now.own => {
                    own = true;
                    &mut self.steps.own
                }
                Treatment::Steered { .. } => {
                    others = true;
                    &mut self.steps.others
                }
                _ => &mut self.steps.flying,
            };
            *most = most.max(step);
        }
        self.steps.own_pictures += u32::from(own);
        self.steps.others_pictures += u32::from(others);
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
