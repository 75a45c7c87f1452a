//! What a pilot notices a few times a second, and what it makes of it. Comes in: its view. Goes out:
//! a mark, an errand, a dodge.

use super::{ArenaBrain, Errand, Mark, Own, between, ticks};
use crate::arena::rows::{self, PICKUP, Pickup, SHIP, SHOT, Ship, Shot};
use crate::arena::{Rules, tuning as t};
use crate::game::View;
use glam::Vec2;
use rand::RngExt;

/// An opponent farther away than this is left alone, u: little more than one sees.
const NOTICE: f32 = 900.0;
/// How much nearer a present mark counts, u, so that minds change seldom.
const LOYALTY: f32 = 150.0;
/// How much nearer a mark without health would count, u.
const WEAKNESS: f32 = 250.0;
/// Pickups farther away than this are left alone, u.
const FETCH: f32 = 520.0;
/// A shot that comes so near, u, within this time, s, is dodged, if it is noticed at all.
const DODGE_NEAR: f32 = 42.0;
const DODGE_TIME: f32 = 0.55;
const DODGE_HOLD: (f32, f32) = (0.15, 0.3);
/// Chance per look to circle the other way round.
const TURN_ROUND: f32 = 0.1;

impl ArenaBrain {
    pub(super) fn look(&mut self, rules: &Rules, view: &View<'_>, own: &Own) {
        self.mark = self.choose_mark(rules, view, own);
        self.errand = self.choose_errand(rules, view, own);
        // Sharper the longer the mark is watched; two draws make small errors the common ones.
        let looks = self.mark.map_or(0, |mark| mark.looks);
        let spread = self.nature.aim_error * (1.0 + 2.0 / (1 + looks) as f32);
        self.error_goal = spread
            * (between(&mut self.random, (-1.0, 1.0)) + between(&mut self.random, (-1.0, 1.0)));
        if self.random.random::<f32>() < TURN_ROUND {
            self.spin = -self.spin;
        }
        if self.random.random::<f32>() < 0.35 + 0.4 * self.nature.boldness {
            self.dodge(rules, view, own);
        }
    }

    fn choose_mark(&self, rules: &Rules, view: &View<'_>, own: &Own) -> Option<Mark> {
        let old = self.mark.map_or(u32::MAX, |mark| mark.id);
        let (_, id, ship) = view
            .rows
            .table(SHIP)
            .rows::<Ship>()
            .filter(|(_, ship)| ship.player != own.row.player && ship.protect == 0)
            .filter(|(_, ship)| ship.team == 0 || ship.team != own.row.team)
            .map(|(id, ship)| {
                let distance = ship.place().distance(own.at);
                let weak = 1.0 - ship.hp as f32 / t::HP as f32;
                let loyal = if id == old { LOYALTY } else { 0.0 };
                (distance - loyal - weak * WEAKNESS, id, ship)
            })
            .filter(|(cost, ..)| *cost < NOTICE)
            .min_by(|a, b| a.0.total_cmp(&b.0))?;
        let looks = self.mark.filter(|mark| mark.id == id).map_or(0, |mark| mark.looks + 1);
        let at = ship.place();
        let clear = rules.rocks.first_on_path(own.at, at, 2.0).is_none();
        Some(Mark { id, at, velocity: ship.velocity(), clear, looks })
    }

    fn choose_errand(&mut self, rules: &Rules, view: &View<'_>, own: &Own) -> Errand {
        let threat = self.mark.map(|mark| mark.at.distance(own.at)).filter(|&d| d < 650.0);
        let nerve = 15.0 + 40.0 * (1.0 - self.nature.boldness);
        let afraid = threat.is_some() && (own.row.hp as f32) < nerve;
        if let Some(at) = wanted_pickup(view, own) {
            return Errand::Fetch(at);
        }
        match self.errand {
            _ if afraid => Errand::Flee,
            _ if self.mark.is_some() => Errand::Fight,
            Errand::Roam(to) if to.distance(own.at) > 250.0 => Errand::Roam(to),
            // Towards the middle rather than the walls, so that pilots meet.
            _ => {
                let room = rules.half * 0.75;
                let mut one = || between(&mut self.random, (-room, room));
                Errand::Roam(Vec2::new(one(), one()))
            }
        }
    }

    /// Across the path of the shot that would hit first.
    fn dodge(&mut self, rules: &Rules, view: &View<'_>, own: &Own) {
        let soonest = view
            .rows
            .table(SHOT)
            .rows::<Shot>()
            .filter(|(_, shot)| shot.player != own.row.player)
            .filter_map(|(id, shot)| {
                let way = shot.velocity() - own.velocity;
                let from = shot.place() - own.at;
                let time = -from.dot(way) / way.length_squared().max(1.0);
                let miss = from + way * time;
                let near = miss.length_squared() < DODGE_NEAR * DODGE_NEAR;
                (near && (0.0..DODGE_TIME).contains(&time)).then_some((time, id, way, miss))
            })
            .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        if let Some((.., way, miss)) = soonest {
            // Away from the line on which it comes.
            let side = if way.perp_dot(miss) > 0.0 { -way.perp() } else { way.perp() };
            let hold = ticks(rules, between(&mut self.random, DODGE_HOLD));
            self.press(side, hold);
        }
    }
}

/// The nearest pickup that is worth a way; the more it is needed, the farther.
fn wanted_pickup(view: &View<'_>, own: &Own) -> Option<Vec2> {
    let need = |what: i32| match what {
        rows::REPAIR => 1.2 * (1.0 - own.row.hp as f32 / t::HP as f32),
        rows::CHARGE => 0.8 * (1.0 - own.row.energy as f32 / t::ENERGY as f32),
        _ => 0.6,
    };
    view.rows
        .table(PICKUP)
        .rows::<Pickup>()
        .map(|(id, pickup)| {
            let at = pickup.place();
            (at.distance(own.at) - FETCH * need(pickup.what), id, at)
        })
        .filter(|(cost, ..)| *cost < 0.0)
        .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))
        .map(|(_, _, at)| at)
}
