//! What ships, shots and pickups do to each other. Comes in: rows that have moved alone, and the grid
//! of ships. Goes out: changed rows, points and events. All that cannot be foreseen from one row is
//! here, and so is all that a frame has to correct.

use super::ArenaEvent;
use super::compass::angle_of;
use super::motion;
use super::rows::{self, ANGLE_BITS, Ship, Shot};
use super::rules::Rules;
use super::tuning as t;
use super::world::{Arena, Entity, Player};
use crate::game::{LAG_STEPS, PlayerId};
use glam::Vec2;

/// From an angle of a ship to the coarser one of [`Pilot::hurt_from`].
const HURT_FROM_SHIFT: u8 = ANGLE_BITS - 8;

impl Arena {
    /// Whether a shot hits a ship on its way from `before` to `after`; if so the ship bears it. Ships are
    /// where the shooter saw them, see [`Shot::lag`]: whom a shot met on the shooter's screen it meets here,
    /// as long as that ship still flies. Protected ships swallow shots unharmed; nobody is hit by their own.
    pub(super) fn strike(
        &mut self,
        rules: &Rules,
        before: &Shot,
        after: &Shot,
        events: &mut Vec<ArenaEvent>,
    ) -> bool {
        let path = (before.place(), after.place());
        let reach = Vec2::splat(t::SHIP_RADIUS + t::SHOT_RADIUS + 2.0 * t::SPEED_MAX * rules.dt);
        let mut first: Option<(f32, usize)> = None;
        // What is kept of the past is the bound.
        let lag = (before.lag as usize).min((self.past.len() - 1) * LAG_STEPS);
        let share = (lag % LAG_STEPS) as f32 / LAG_STEPS as f32;
        let seen = &self.past[lag / LAG_STEPS];
        for place in seen.grid.around(path.0.min(path.1) - reach, path.0.max(path.1) + reach) {
            let (id, start, end) = seen.ways[place];
            // Between two ticks a ship goes straight.
            let earlier = (end - start) * share;
            let way = (start - earlier, end - earlier);
            // First, as most are missed: who flew there is looked for by id.
            let Some(met) = motion::strike(path, way) else { continue };
            let Some(index) = self.ship_index(id) else { continue };
            let ship = &self.ships[index].row;
            if ship.hp == 0 || ship.player == before.player || self.spares(rules, before, ship) {
                continue;
            }
            // Who is met at the same moment is settled by the order of ships, not of the grid.
            if first.is_none_or(|best| (met, index) < best) {
                first = Some((met, index));
            }
        }
        if let Some((_, index)) = first {
            self.hit(rules, index, before, events);
        }
        first.is_some()
    }

    /// Whether a shot flies through a ship, as it is of the shooter's team. Who has left has none.
    fn spares(&self, rules: &Rules, shot: &Shot, ship: &Ship) -> bool {
        let shooter = || self.player_index(PlayerId(shot.player as u16));
        !rules.friendly_fire
            && ship.team > 0
            && shooter().is_some_and(|index| i32::from(self.players[index].team) == ship.team)
    }

    fn hit(&mut self, rules: &Rules, index: usize, shot: &Shot, events: &mut Vec<ArenaEvent>) {
        let ship = &mut self.ships[index].row;
        if ship.protect > 0 {
            return;
        }
        let flight = shot.velocity();
        ship.hp = (ship.hp - t::SHOT_DAMAGE).max(0);
        ship.mend = rules.mend_delay;
        push(ship, flight.normalize_or_zero() * t::KNOCK);
        let ship = *ship;
        if let Some(index) = self.player_index(PlayerId(ship.player as u16)) {
            let Player { pilot, hurt, .. } = &mut self.players[index];
            pilot.hurts = (pilot.hurts + 1) & 255;
            pilot.hurt_from = angle_of(-flight) >> HURT_FROM_SHIFT;
            *hurt = Some((PlayerId(shot.player as u16), self.now));
        }
        let friend = ship.team > 0 && self.team(shot.player) == ship.team;
        if let Some(index) = self.player_index(PlayerId(shot.player as u16)) {
            let Player { pilot, record, .. } = &mut self.players[index];
            pilot.hits = (pilot.hits + 1) & 255;
            if !friend {
                record.hits += 1;
                pilot.score += t::HIT_POINTS;
            }
            *pilot = rows::in_range(pilot);
        }
        if ship.hp == 0 {
            events.push(self.kill(rules, &ship, shot.player));
        }
    }

    /// Points and counts of a kill; the wreck itself goes in [`Arena::bury`].
    pub(super) fn kill(&mut self, rules: &Rules, ship: &Ship, killer: i32) -> ArenaEvent {
        let mut ended = 0;
        if let Some(index) = self.player_index(PlayerId(ship.player as u16)) {
            let Player { pilot, hurt, .. } = &mut self.players[index];
            *hurt = None;
            ended = core::mem::take(&mut pilot.streak);
            pilot.deaths += 1;
            pilot.respawn = rules.respawn;
            pilot.killer = killer + 1;
            (pilot.x, pilot.y) = rows::to_place(ship.place());
            *pilot = rows::in_range(pilot);
        }
        let mut streak = None;
        let friend = ship.team > 0 && self.team(killer) == ship.team;
        if let Some(index) = self.player_index(PlayerId(killer as u16)) {
            let Player { pilot, record, .. } = &mut self.players[index];
            if friend {
                pilot.score -= t::KILL_POINTS;
            } else {
                let bonus = t::STREAK_POINTS * ended.min(t::STREAK_COUNTED_MAX);
                pilot.score += t::KILL_POINTS + bonus;
                pilot.kills += 1;
                pilot.streak += 1;
            }
            *pilot = rows::in_range(pilot);
            record.best_streak = record.best_streak.max(pilot.streak);
            streak = Some(pilot.streak as u16);
        }
        ArenaEvent::Kill {
            killer: streak.map(|_| PlayerId(killer as u16)),
            victim: PlayerId(ship.player as u16),
            streak: streak.unwrap_or(0),
        }
    }

    /// The team of a player, 0 for none and for who has left.
    fn team(&self, player: i32) -> i32 {
        let index = self.player_index(PlayerId(player as u16));
        index.map_or(0, |index| i32::from(self.players[index].team))
    }

    /// Ships that overlap are set apart and bounce, as equal masses do.
    pub(super) fn collide(&mut self, rules: &Rules) {
        // What a ship is pushed in this tick does not move it in the grid: the slack covers it.
        let reach = Vec2::splat(3.0 * t::SHIP_RADIUS);
        for index in 0..self.ships.len() {
            let at = self.ships[index].row.place();
            for other in self.past[0].grid.around(at - reach, at + reach) {
                if other > index
                    && let Ok([a, b]) = self.ships.get_disjoint_mut([index, other])
                    && a.row.hp > 0
                    && b.row.hp > 0
                {
                    part(rules, &mut a.row, &mut b.row);
                }
            }
        }
    }

    /// Ships take the pickups they touch, unless they would gain nothing.
    pub(super) fn pick_up(&mut self, rules: &Rules) {
        let reach = Vec2::splat(t::PICKUP_REACH + t::SHIP_RADIUS);
        let (ships, grid) = (&mut self.ships, &self.past[0].grid);
        self.pickups.retain(|pickup| {
            let at = pickup.row.place();
            let taker = grid
                .around(at - reach, at + reach)
                .filter(|&i| {
                    let ship = &ships[i].row;
                    let near = t::PICKUP_REACH * t::PICKUP_REACH;
                    ship.hp > 0
                        && ship.place().distance_squared(at) < near
                        && gains(ship, pickup.row.what)
                })
                .min();
            if let Some(index) = taker {
                take(rules, &mut ships[index].row, pickup.row.what);
            }
            taker.is_none()
        });
    }

    /// Removes the ships that were shot down.
    pub(super) fn bury(&mut self, rules: &Rules) {
        for index in 0..self.ships.len() {
            let Entity { id, row: ship } = self.ships[index];
            if ship.hp > 0 {
                continue;
            }
            self.rest_id(rules, id);
            if let Some(player) = self.player_index(PlayerId(ship.player as u16)) {
                self.players[player].ship = None;
            }
        }
        self.ships.retain(|ship| ship.row.hp > 0);
    }
}

fn push(ship: &mut Ship, change: Vec2) {
    ship.set_velocity((ship.velocity() + change).clamp_length_max(t::SPEED_MAX));
}

fn part(rules: &Rules, a: &mut Ship, b: &mut Ship) {
    let between = b.place() - a.place();
    let distance_squared = between.length_squared();
    let touch = 2.0 * t::SHIP_RADIUS;
    if distance_squared >= touch * touch {
        return;
    }
    let distance = distance_squared.sqrt();
    // Exactly on top of each other any direction is as good as another.
    let normal = if distance > 0.0 { between / distance } else { Vec2::X };
    let apart = normal * ((touch - distance) * 0.5);
    let room = Vec2::splat(rules.half - t::SHIP_RADIUS);
    a.set_place((a.place() - apart).clamp(-room, room));
    b.set_place((b.place() + apart).clamp(-room, room));
    let closing = (a.velocity() - b.velocity()).dot(normal);
    if closing > 0.0 {
        let impulse = normal * (closing * (1.0 + t::SHIP_BOUNCE) * 0.5);
        push(a, -impulse);
        push(b, impulse);
    }
}

fn gains(ship: &Ship, what: i32) -> bool {
    match what {
        rows::REPAIR => ship.hp < t::HP,
        rows::CHARGE => ship.energy < t::ENERGY,
        _ => true,
    }
}

fn take(rules: &Rules, ship: &mut Ship, what: i32) {
    match what {
        rows::REPAIR => ship.hp = (ship.hp + t::REPAIR).min(t::HP),
        rows::CHARGE => ship.energy = (ship.energy + t::CHARGE).min(t::ENERGY),
        _ => ship.overdrive = rules.overdrive,
    }
}
