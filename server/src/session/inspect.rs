//! What the server's operator sees of a session. Comes in: what is asked for. Goes out: plain values, made between two
//! ticks and handed over; what is made of them is made elsewhere. Nobody else is told any of it.

use super::door::Outbox;
use super::players::Player;
use super::{Counts, Session};
use shared::game::{Game, PlayerId, Tick};
use shared::wire::message;
use shared::wire::{Field, Kind, Role, Rows, Treatment};
use std::net::IpAddr;

/// Entities that a map shows at most; how many more there are it says. At 20 bytes each that is 80 KB.
pub const MAP_ENTITIES_MAX: usize = 4000;

/// Something that the operator wants to see, and whom to hand it to.
pub struct Inspect {
    /// Whether to name everybody who is there.
    pub people: bool,
    /// Whether to draw the map.
    pub map: bool,
    /// Called once, from the tick loop: it must not wait.
    pub answer: Box<dyn FnOnce(Inspection) + Send>,
}

impl core::fmt::Debug for Inspect {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Inspect(people: {}, map: {})", self.people, self.map)
    }
}

/// A session from inside.
#[derive(Clone, Debug, Default)]
pub struct Inspection {
    /// As of which tick.
    pub tick: Tick,
    /// What happened so far.
    pub counts: Counts,
    /// Everybody, in order of their numbers, people before computer pilots; empty where nobody asked.
    pub people: Vec<Person>,
    /// The map, where somebody asked.
    pub map: Option<Map>,
}

/// Somebody in a session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Person {
    /// Their number.
    pub number: u16,
    /// What they are called.
    pub name: String,
    /// Whether the server flies for them.
    pub computer: bool,
    /// From 1; 0 for none.
    pub team: u8,
    /// Their points.
    pub score: i32,
    /// Whether they run the session.
    pub host: bool,
    /// Whether they watch rather than play.
    pub watching: bool,
    /// Whether nobody hears them.
    pub muted: bool,
    /// From which address, or of IPv6 from which /64 network.
    pub address: Option<IpAddr>,
    /// Their line; `None` for who is away, and for computer pilots.
    pub line: Option<LineFigures>,
    /// What went wrong with their rows so far.
    pub corrections: Corrections,
}

/// A player's line.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LineFigures {
    /// Which connection: a number that no other one has.
    pub connection: u64,
    /// The shortest time lately from sending a frame to its confirmation, in ms; `None` before the first.
    pub ping_ms: Option<f32>,
    /// From the newest frame confirmed to the newest one sent, in ms.
    pub age_ms: f32,
    /// What was handed to it since it came, in bytes.
    pub bytes: u64,
    /// Keyframes among it.
    pub keyframes: u32,
    /// How many steps of what a slow line does without it is at; 0 for one that is given everything.
    pub ease: u8,
}

/// What went wrong with a player's rows, since they came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Corrections {
    /// Rows that were not what the server had.
    pub mismatches: u32,
    /// Keyframes that their client asked for.
    pub resyncs: u32,
}

/// A session from above.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Map {
    /// The kinds of what is on it, by name, and whether somebody steers such a thing.
    pub kinds: Vec<(&'static str, bool)>,
    /// Five numbers for each entity: its kind, x and y in the game's units, its owner (-1 for none), where it is headed
    /// in degrees clockwise from east (-1 for nowhere).
    pub entities: Vec<i32>,
    /// Entities beyond [`MAP_ENTITIES_MAX`].
    pub left_out: usize,
    /// What the terrain follows from, as players are sent it.
    pub setup: Vec<u8>,
}

impl Map {
    /// Draws everything that has a place.
    fn of(kinds: &'static [Kind], rows: &Rows) -> Self {
        let steered = |kind: &Kind| matches!(kind.treatment, Treatment::Steered { .. });
        let mut map = Self {
            kinds: kinds.iter().map(|kind| (kind.name, steered(kind))).collect(),
            ..Self::default()
        };
        // What is steered comes first, so that of a crowded map the rest is left out.
        let mut order: Vec<usize> = (0..kinds.len()).collect();
        order.sort_by_key(|&index| !steered(&kinds[index]));
        for index in order {
            let (kind, table) = (&kinds[index], rows.table(index));
            let (Some(x), Some(y)) = (kind.field_with(Role::X), kind.field_with(Role::Y)) else {
                continue;
            };
            let (owner, angle) = (kind.field_with(Role::Owner), kind.field_with(Role::Angle));
            let room = MAP_ENTITIES_MAX - map.entities.len() / 5;
            map.left_out += table.len().saturating_sub(room);
            for (_, row) in table.iter().take(room) {
                let units = |field: usize| kind.fields[field].to_units(row[field]).round() as i32;
                let owner = owner
                    .map(|field| row[field])
                    .filter(|&owner| owner != i32::from(PlayerId::NOBODY.0));
                let heading = angle.map(|field| degrees(&kind.fields[field], row[field]));
                map.entities.extend([
                    index as i32,
                    units(x),
                    units(y),
                    owner.unwrap_or(-1),
                    heading.unwrap_or(-1),
                ]);
            }
        }
        map
    }
}

/// An angle in whole degrees, 0 to 359.
fn degrees(field: &Field, value: i32) -> i32 {
    (field.to_units(value).to_degrees().round() as i32).rem_euclid(360)
}

impl<G: Game, O: Outbox> Session<G, O> {
    /// Shows what the operator wants to see.
    pub(super) fn inspect(&self, what: Inspect) {
        let people = if what.people { self.people() } else { Vec::new() };
        let map = what.map.then(|| Map {
            setup: message::encode(&self.terms.setup),
            ..Map::of(G::KINDS, self.world.changes.now())
        });
        (what.answer)(Inspection { tick: self.tick, counts: self.counts, people, map });
    }

    fn people(&self) -> Vec<Person> {
        let people = self.players.iter().map(|player| self.person(player));
        let pilots = self.pilots.iter().map(|(id, name, team)| Person {
            number: id.0,
            name: name.to_owned(),
            computer: true,
            team,
            score: self.game.score(id),
            ..Person::default()
        });
        people.chain(pilots).collect()
    }

    fn person(&self, player: &Player<G::Input, O>) -> Person {
        let tick_ms = 1000.0 / f64::from(self.config.setup.tick_rate);
        let line = player.link.as_ref().map(|link| LineFigures {
            connection: link.connection.0,
            ping_ms: Some((link.flow.round_trip() * tick_ms) as f32).filter(|ms| ms.is_finite()),
            age_ms: (f64::from(link.flow.in_flight()) * tick_ms) as f32,
            bytes: link.bytes,
            keyframes: link.keyframes,
            ease: link.flow.ease().step(),
        });
        Person {
            number: player.id.0,
            name: player.name.clone(),
            computer: false,
            team: player.team,
            score: if player.watching.is_some() { 0 } else { self.game.score(player.id) },
            host: self.hosting.player == Some(player.id),
            watching: player.watching.is_some(),
            muted: player.muted,
            address: player.address,
            line,
            corrections: player.corrections,
        }
    }
}
