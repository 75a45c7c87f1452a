//! A picture as flat arrays of numbers. Comes in: netcode's scene. Goes out: what `www/rows.js` reads,
//! in its order. Lengths in units, angles in radians from east towards south, times in seconds.

use shared::arena::compass;
use shared::arena::rows::{Controls, KINDS, PICKUP, PILOT, SHIP, SHOT};
use shared::arena::tuning;
use shared::game::PlayerId;
use shared::netcode::scene::Scene;

/// A ship: id, player, x, y, vx, vy, heading, aim, thrust (an angle, -1 for none), flags, hull (0 to
/// 1), energy (0 to 1), team (from 1, 0 for none). Flags add up: 1 own, 2 fires, 4 boosts, 8 overdriven, 16 protected, 32 stands
/// still for lack of news.
pub const SHIP_STRIDE: usize = 13;
/// A shot: id, player, x, y, vx, vy, seconds left, flags (1 own).
pub const SHOT_STRIDE: usize = 8;
/// A pickup: id, what (0 repair, 1 charge, 2 overdrive), x, y.
pub const PICKUP_STRIDE: usize = 4;
/// About oneself: alive (0 or 1), the camera's x and y, hull, energy, score, kills, deaths, streak,
/// hits and hurts (modulo 256), where the last hurt came from, seconds to the next ship, who shot the
/// last one down (-1 nobody), player.
pub const ME_LEN: usize = 15;

const OWN: i32 = 1;
const FIRES: i32 = 2;
const BOOSTS: i32 = 4;
const OVERDRIVEN: i32 = 8;
const PROTECTED: i32 = 16;
const WAITS: i32 = 32;

/// The numbers of one frame; the memory is used again for the next.
#[derive(Default)]
pub struct Picture {
    /// See [`SHIP_STRIDE`].
    pub ships: Vec<f32>,
    /// See [`SHOT_STRIDE`].
    pub shots: Vec<f32>,
    /// See [`PICKUP_STRIDE`].
    pub pickups: Vec<f32>,
    /// See [`ME_LEN`].
    pub me: [f32; ME_LEN],
}

impl Picture {
    /// Takes over what `scene` shows to `me`, at `rate` ticks per second.
    pub fn fill(&mut self, scene: &Scene, me: PlayerId, rate: f32) {
        self.fill_ships(scene);
        self.fill_shots(scene, rate);
        self.fill_pickups(scene);
        self.fill_me(scene, me, rate);
    }

    fn fill_ships(&mut self, scene: &Scene) {
        const PLAYER: usize = field(SHIP, "player");
        const X: usize = field(SHIP, "x");
        const Y: usize = field(SHIP, "y");
        const VX: usize = field(SHIP, "vx");
        const VY: usize = field(SHIP, "vy");
        const HEADING: usize = field(SHIP, "heading");
        const AIM: usize = field(SHIP, "aim");
        const CONTROLS: usize = field(SHIP, "controls");
        const HP: usize = field(SHIP, "hp");
        const ENERGY: usize = field(SHIP, "energy");
        const PROTECT: usize = field(SHIP, "protect");
        const OVERDRIVE: usize = field(SHIP, "overdrive");
        const TEAM: usize = field(SHIP, "team");
        self.ships.clear();
        for (id, row, own) in scene.table(SHIP).iter() {
            let controls = Controls { controls: row[CONTROLS] as i32, ..Controls::default() };
            let thrust = controls.thrust().map_or(-1.0, compass::to_radians);
            let flags = flag(own, OWN)
                | flag(controls.fire(), FIRES)
                | flag(controls.boost(), BOOSTS)
                | flag(row[OVERDRIVE] > 0.0, OVERDRIVEN)
                | flag(row[PROTECT] > 0.0, PROTECTED)
                | flag(scene.is_waiting() && !own, WAITS);
            let ship: [f32; SHIP_STRIDE] = [
                id as f32,
                row[PLAYER],
                row[X],
                row[Y],
                row[VX],
                row[VY],
                row[HEADING],
                row[AIM],
                thrust,
                flags as f32,
                row[HP] / tuning::HP as f32,
                row[ENERGY] / ENERGY_FULL,
                row[TEAM],
            ];
            self.ships.extend(ship);
        }
    }

    fn fill_shots(&mut self, scene: &Scene, rate: f32) {
        const PLAYER: usize = field(SHOT, "player");
        const X: usize = field(SHOT, "x");
        const Y: usize = field(SHOT, "y");
        const VX: usize = field(SHOT, "vx");
        const VY: usize = field(SHOT, "vy");
        const TTL: usize = field(SHOT, "ttl");
        self.shots.clear();
        for (id, row, own) in scene.table(SHOT).iter() {
            let flags = flag(own, OWN) as f32;
            let left = row[TTL] / rate;
            let shot: [f32; SHOT_STRIDE] =
                [id as f32, row[PLAYER], row[X], row[Y], row[VX], row[VY], left, flags];
            self.shots.extend(shot);
        }
    }

    fn fill_pickups(&mut self, scene: &Scene) {
        const WHAT: usize = field(PICKUP, "what");
        const X: usize = field(PICKUP, "x");
        const Y: usize = field(PICKUP, "y");
        self.pickups.clear();
        for (id, row, _) in scene.table(PICKUP).iter() {
            let pickup: [f32; PICKUP_STRIDE] = [id as f32, row[WHAT], row[X], row[Y]];
            self.pickups.extend(pickup);
        }
    }

    fn fill_me(&mut self, scene: &Scene, me: PlayerId, rate: f32) {
        const RESPAWN: usize = field(PILOT, "respawn");
        const SCORE: usize = field(PILOT, "score");
        const KILLS: usize = field(PILOT, "kills");
        const DEATHS: usize = field(PILOT, "deaths");
        const STREAK: usize = field(PILOT, "streak");
        const HITS: usize = field(PILOT, "hits");
        const HURTS: usize = field(PILOT, "hurts");
        const HURT_FROM: usize = field(PILOT, "hurt_from");
        const KILLER: usize = field(PILOT, "killer");
        const X: usize = field(PILOT, "x");
        const Y: usize = field(PILOT, "y");
        // The pilot comes with the keyframe that every player's view begins with; who watches has none.
        let Some((player, pilot, _)) = scene.table(PILOT).iter().next() else {
            self.me = [0.0; ME_LEN];
            (self.me[13], self.me[14]) = (-1.0, f32::from(me.0));
            return;
        };
        let own = self.ships.chunks_exact(SHIP_STRIDE).find(|ship| ship[9] as i32 & OWN != 0);
        let [alive, x, y, hp, energy] = match own {
            Some(ship) => [1.0, ship[2], ship[3], ship[10], ship[11]],
            None => [0.0, pilot[X], pilot[Y], 0.0, 0.0],
        };
        self.me = [
            alive,
            x,
            y,
            hp,
            energy,
            pilot[SCORE],
            pilot[KILLS],
            pilot[DEATHS],
            pilot[STREAK],
            pilot[HITS],
            pilot[HURTS],
            pilot[HURT_FROM],
            pilot[RESPAWN] / rate,
            pilot[KILLER] - 1.0,
            player as f32,
        ];
    }
}

/// A full store of energy in the row's unit, of which [`tuning::ENERGY`] counts the steps.
const ENERGY_FULL: f32 = tuning::ENERGY as f32 * KINDS[SHIP].fields[field(SHIP, "energy")].step;

fn flag(on: bool, bit: i32) -> i32 {
    if on { bit } else { 0 }
}

/// Where a kind's field stands. Asked while compiling: a field that is gone is an error then.
const fn field(kind: usize, name: &str) -> usize {
    let (fields, name) = (KINDS[kind].fields, name.as_bytes());
    let mut i = 0;
    while i < fields.len() {
        let other = fields[i].name.as_bytes();
        let mut same = 0;
        while same < name.len() && same < other.len() && name[same] == other[same] {
            same += 1;
        }
        if same == name.len() && same == other.len() {
            return i;
        }
        i += 1;
    }
    panic!("the kind has no such field")
}
