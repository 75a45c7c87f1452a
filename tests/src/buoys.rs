//! A second, tiny game, so that the engine is tested with more than the arena. Boats throw rings at
//! buoys and at each other; it is no fun, but it has every treatment of a kind: a steered one that
//! makes others, a ballistic, a static, a private and one without a place. Integers only.

mod rows;
mod skipper;

pub use rows::*;
pub use skipper::Skipper;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg32;
use serde::{Deserialize, Serialize};
use shared::game::{Command, Fate, Focus, Game, PlayerId, Setup};
use shared::wire::{Kind, Row, Rows};
use std::collections::BTreeMap;

/// East, south, west, north: directions 1 to 4.
const WAYS: [(i32, i32); 4] = [(1, 0), (0, 1), (-1, 0), (0, -1)];
/// Nearer than this things touch, in steps along both axes.
const TOUCH: i32 = 20 * 16;
const RING_LIFE: i32 = 40;
const READY: i32 = 6;
const BUOYS: usize = 12;
/// Every so many ticks the wind turns and pushes every boat.
const GUST: u32 = 64;

/// Half of the pond's side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pond {
    /// Units, 100 to 8000.
    pub half: i32,
}

impl Default for Pond {
    fn default() -> Self {
        Self { half: 1000 }
    }
}

/// Somebody's boat was hit by a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sunk(pub PlayerId);

/// The game's whole state.
#[derive(Debug)]
pub struct Buoys {
    random: Pcg32,
    boats: BTreeMap<u32, Boat>,
    rings: BTreeMap<u32, Ring>,
    buoys: BTreeMap<u32, Buoy>,
    logs: BTreeMap<u32, Log>,
    wind: Wind,
    next: u32,
    ticks: u32,
}

impl Buoys {
    fn somewhere(&mut self, half: i32) -> (i32, i32) {
        (self.random.random_range(-half..=half), self.random.random_range(-half..=half))
    }

    fn launch(&mut self, half: i32, player: i32) {
        let (x, y) = self.somewhere(half);
        self.boats.insert(self.next, Boat { x, y, player, ..Boat::default() });
        self.next += 1;
    }

    fn anchor(&mut self, half: i32) {
        while self.buoys.len() < BUOYS {
            let (x, y) = self.somewhere(half);
            self.buoys.insert(self.next, Buoy { x, y });
            self.next += 1;
        }
    }

    fn point(&mut self, player: i32) {
        if let Some(log) = self.logs.get_mut(&(player as u32)) {
            log.points = (log.points + 1).min(65_535);
        }
    }
}

fn touch(a: (i32, i32), b: (i32, i32)) -> bool {
    (a.0 - b.0).abs() < TOUCH && (a.1 - b.1).abs() < TOUCH
}

fn sail(half: i32, id: u32, before: &Boat) -> (Boat, Option<(u32, Ring)>) {
    let mut boat = *before;
    let way = WAYS.get(((boat.keys & 7) - 1) as usize);
    let (px, py) = way.copied().unwrap_or_default();
    boat.vx = (boat.vx - boat.vx / 8 + px * 9).clamp(-255, 255);
    boat.vy = (boat.vy - boat.vy / 8 + py * 9).clamp(-255, 255);
    boat.x = (boat.x + boat.vx).clamp(-half, half);
    boat.y = (boat.y + boat.vy).clamp(-half, half);
    boat.ready = (boat.ready - 1).max(0);
    if boat.keys & THROW == 0 || boat.ready > 0 {
        return (boat, None);
    }
    boat.ready = READY;
    let ring_id = id.wrapping_mul(RINGS_PER_BOAT).wrapping_add(boat.thrown as u32);
    boat.thrown = (boat.thrown + 1) % RINGS_PER_BOAT as i32;
    let (vx, vy) = (boat.vx + px * 200, boat.vy + py * 200);
    let Boat { x, y, player, .. } = boat;
    (boat, Some((ring_id, Ring { vx, vy, x, y, ttl: RING_LIFE, player })))
}

fn roll(half: i32, before: &Ring) -> (Ring, Fate) {
    let mut ring = *before;
    ring.x = (ring.x + ring.vx).clamp(-half, half);
    ring.y = (ring.y + ring.vy).clamp(-half, half);
    ring.ttl = (ring.ttl - 1).max(0);
    (ring, if ring.ttl == 0 { Fate::Ends } else { Fate::Stays })
}

impl Game for Buoys {
    const NAME: &'static str = "buoys";
    const RULES_VERSION: u32 = 1;
    const KINDS: &'static [Kind] = KINDS;
    type Settings = Pond;
    /// Half of the pond's side, in steps.
    type Rules = i32;
    type Input = Keys;
    type Event = Sunk;
    type Brain = Skipper;

    fn rules(setup: &Setup<Pond>) -> Result<i32, String> {
        let half = setup.settings.half;
        let fits = (100..=8000).contains(&half);
        fits.then_some(half * 16).ok_or_else(|| format!("half a pond is 100 to 8000, not {half}"))
    }

    fn new(setup: &Setup<Pond>, &half: &i32) -> Self {
        let mut game = Self {
            random: Pcg32::seed_from_u64(setup.seed),
            boats: BTreeMap::new(),
            rings: BTreeMap::new(),
            buoys: BTreeMap::new(),
            logs: BTreeMap::new(),
            wind: Wind::default(),
            next: 1,
            ticks: 0,
        };
        game.anchor(half);
        game
    }

    fn join(&mut self, &half: &i32, player: PlayerId) {
        let owner = i32::from(player.0);
        self.logs.insert(u32::from(player.0), Log { player: owner, ..Log::default() });
        self.launch(half, owner);
    }

    fn leave(&mut self, _half: &i32, player: PlayerId) {
        self.logs.remove(&u32::from(player.0));
        self.boats.retain(|_, boat| boat.player != i32::from(player.0));
    }

    fn step(&mut self, &half: &i32, commands: &[Command<Keys>], events: &mut Vec<Sunk>) {
        let mut thrown = Vec::new();
        for (&id, boat) in &mut self.boats {
            let owner = PlayerId(boat.player as u16);
            if let Ok(index) = commands.binary_search_by_key(&owner, |c| c.player) {
                boat.keys = commands[index].input.keys;
            }
            let (next, ring) = sail(half, id, boat);
            *boat = next;
            thrown.extend(ring);
        }
        for (id, before) in core::mem::take(&mut self.rings) {
            let (ring, fate) = roll(half, &before);
            let at = (ring.x, ring.y);
            let boat =
                self.boats.iter().find(|(_, b)| b.player != ring.player && touch(at, (b.x, b.y)));
            let buoy = self.buoys.iter().find(|(_, b)| touch(at, (b.x, b.y)));
            if let Some((&id, &Boat { player, .. })) = boat {
                self.boats.remove(&id);
                if let Some(log) = self.logs.get_mut(&(player as u32)) {
                    log.lost = (log.lost + 1).min(65_535);
                }
                self.launch(half, player);
                self.point(ring.player);
                events.push(Sunk(PlayerId(player as u16)));
            } else if let Some((&id, _)) = buoy {
                self.buoys.remove(&id);
                self.point(ring.player);
            } else if fate == Fate::Stays {
                self.rings.insert(id, ring);
            }
        }
        self.rings.extend(thrown);
        self.anchor(half);
        self.ticks += 1;
        if self.ticks.is_multiple_of(GUST) {
            self.wind.towards = self.random.random_range(0..4);
            let (x, y) = WAYS[self.wind.towards as usize];
            for boat in self.boats.values_mut() {
                boat.vx = (boat.vx + x * 40).clamp(-255, 255);
                boat.vy = (boat.vy + y * 40).clamp(-255, 255);
            }
        }
    }

    fn publish(&self, rows: &mut Rows) {
        self.boats.iter().for_each(|(&id, row)| rows.table_mut(BOAT).push_row(id, row));
        self.rings.iter().for_each(|(&id, row)| rows.table_mut(RING).push_row(id, row));
        self.buoys.iter().for_each(|(&id, row)| rows.table_mut(BUOY).push_row(id, row));
        self.logs.iter().for_each(|(&id, row)| rows.table_mut(LOG).push_row(id, row));
        rows.table_mut(WIND).push_row(0, &self.wind);
    }

    fn view(&self, player: PlayerId) -> Focus {
        let boat = self.boats.values().find(|b| b.player == i32::from(player.0));
        let (x, y) = boat.map_or((0, 0), |b| (b.x, b.y));
        let (x, y) = (x as f32 * STEP, y as f32 * STEP);
        Focus { x, y, half_width: 400.0, half_height: 300.0, margin: 50.0 }
    }

    fn score(&self, player: PlayerId) -> i32 {
        self.logs.get(&u32::from(player.0)).map_or(0, |log| log.points)
    }

    fn expect(
        &half: &i32,
        kind: usize,
        id: u32,
        before: &[i32],
        after: &mut [i32],
        spawned: &mut Rows,
    ) -> Fate {
        match kind {
            BOAT => {
                let boat = Boat { keys: after[0], ..Boat::read(before) };
                let (next, ring) = sail(half, id, &boat);
                next.write(after);
                ring.iter().for_each(|(id, row)| spawned.table_mut(RING).push_row(*id, row));
                Fate::Stays
            }
            RING => {
                let (next, fate) = roll(half, &Ring::read(before));
                next.write(after);
                fate
            }
            _ => Fate::Stays,
        }
    }
}
