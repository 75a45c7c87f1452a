//! Who and what comes into the arena, and where. Comes in: the world at the end of a tick, the
//! generator. Goes out: new ships and pickups, which begin to move in the next tick.

use super::compass::angle_of;
use super::rows::{self, Controls, Pickup, Ship};
use super::rules::Rules;
use super::tuning as t;
use super::world::{Arena, Entity, absorb};
use glam::Vec2;
use rand::RngExt;

/// A free place is looked for so often; if there is none, whatever wanted it waits a tick.
const FREE_TRIES: usize = 8;

impl Arena {
    /// Gives ships to the players whose time has come, at most [`t::SPAWNS_PER_TICK_MAX`] of them.
    pub(super) fn spawn_ships(&mut self, rules: &Rules) {
        let mut spawned = 0;
        for index in 0..self.players.len() {
            let player = &mut self.players[index];
            if player.ship.is_some() {
                continue;
            }
            if player.pilot.respawn > 1 {
                player.pilot.respawn -= 1;
            } else if spawned < t::SPAWNS_PER_TICK_MAX {
                if spawned == 0 {
                    self.fill_birth_grid();
                }
                spawned += 1;
                self.spawn_ship(rules, index);
            }
        }
        self.scratch.born_ships.sort_unstable_by_key(|ship| ship.id);
        absorb(&mut self.ships, &mut self.scratch.born_ships);
    }

    fn fill_birth_grid(&mut self) {
        self.scratch.birth_grid.begin(self.ships.len());
        for ship in &self.ships {
            self.scratch.birth_grid.push(ship.row.place());
        }
    }

    fn spawn_ship(&mut self, rules: &Rules, index: usize) {
        let Some(at) = self.quiet_place(rules) else { return };
        let id = self.free_ship_id();
        let player = &mut self.players[index];
        player.ship = Some(id);
        player.pilot.respawn = 0;
        // Looking at the middle of the arena, where the others are.
        let inwards = Controls::new(angle_of(-at), None, false, false);
        let mut row = Ship {
            aim: inwards.aim,
            heading: inwards.heading(),
            hp: t::HP,
            energy: t::ENERGY,
            protect: rules.protect,
            team: i32::from(player.team),
            player: player.pilot.player,
            ..Ship::default()
        };
        row.set_place(at);
        self.scratch.birth_grid.push(at);
        self.scratch.born_ships.push(Entity { id, row });
    }

    /// The id that has rested longest, if it has long enough, else one that no ship has had.
    fn free_ship_id(&mut self) -> u32 {
        let rested = |&(_, until): &(u32, u32)| self.now.wrapping_sub(until) as i32 >= 0;
        if self.resting_ids.front().is_some_and(rested) {
            return self.resting_ids.pop_front().expect("there is a first").0;
        }
        self.next_ship += 1;
        self.next_ship - 1
    }

    /// The first place found with nobody near, or else the one with the most room.
    fn quiet_place(&mut self, rules: &Rules) -> Option<Vec2> {
        let mut best: Option<(f32, Vec2)> = None;
        for _ in 0..t::SPAWN_TRIES {
            let Some(at) = self.free_place(rules, t::SHIP_RADIUS * 2.0) else { continue };
            let Some(nearest) = self.nearest_ship_squared(at) else { return Some(at) };
            if best.is_none_or(|(most, _)| nearest > most) {
                best = Some((nearest, at));
            }
        }
        best.map(|(_, at)| at)
    }

    /// The squared distance to the nearest ship within [`t::SPAWN_CLEAR`], those included that came
    /// in this very tick.
    fn nearest_ship_squared(&self, at: Vec2) -> Option<f32> {
        let reach = Vec2::splat(t::SPAWN_CLEAR);
        self.scratch
            .birth_grid
            .around(at - reach, at + reach)
            .map(|index| {
                let born = || &self.scratch.born_ships[index - self.ships.len()];
                let ship = self.ships.get(index).unwrap_or_else(born);
                ship.row.place().distance_squared(at)
            })
            .filter(|&squared| squared < t::SPAWN_CLEAR * t::SPAWN_CLEAR)
            .min_by(f32::total_cmp)
    }

    /// Lets some of the missing pickups return; how many is left to chance.
    pub(super) fn spawn_pickups(&mut self, rules: &Rules) {
        let missing = rules.pickups.saturating_sub(self.pickups.len());
        let due = missing as f32 * rules.pickup_return + self.random.random::<f32>();
        for _ in 0..due as usize {
            self.place_pickup(rules);
        }
    }

    pub(super) fn place_pickup(&mut self, rules: &Rules) {
        let Some(at) = self.free_place(rules, t::PICKUP_CLEAR) else { return };
        let what = match self.random.random_range(0..10u32) {
            0..5 => rows::REPAIR,
            5..8 => rows::CHARGE,
            _ => rows::OVERDRIVE,
        };
        let (x, y) = rows::to_place(at);
        self.pickups.push(Entity { id: self.next_pickup, row: Pickup { x, y, what } });
        self.next_pickup = self.next_pickup.wrapping_add(1);
    }

    fn free_place(&mut self, rules: &Rules, clear: f32) -> Option<Vec2> {
        let room = rules.half - clear;
        for _ in 0..FREE_TRIES {
            let mut one = || (self.random.random::<f32>() * 2.0 - 1.0) * room;
            let at = Vec2::new(one(), one());
            if rules.rocks.free(at, clear) {
                return Some(at);
            }
        }
        None
    }
}
