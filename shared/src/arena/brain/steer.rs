//! Where a pilot wants to fly and which key that is. Comes in: mark, errand and own ship. Goes out:
//! a direction of thrust, held for a while, and whether to boost.

use super::{ArenaBrain, ENERGY_SPARE, Errand, HOLD, Own, between, ticks};
use crate::arena::compass::angle_of;
use crate::arena::rows::{ANGLE_STEPS, THRUSTS};
use crate::arena::{Rules, tuning as t};
use glam::Vec2;

/// How far ahead in time a pilot watches for rocks, s.
const WATCH: f32 = 0.55;
/// How much room it leaves beside a rock, u.
const RELIEF: f32 = 14.0;
/// Nearer to a wall than this it turns away, u.
const WALL_ROOM: f32 = 130.0;

impl ArenaBrain {
    /// Keeps holding the key, or chooses another: when its time is over, or a rock comes near.
    pub(super) fn steer(&mut self, rules: &Rules, own: &Own) {
        self.hold -= 1;
        if own.row.energy < ENERGY_SPARE {
            self.boost = false;
        }
        let blocked =
            if self.hold <= 0 || self.hold % 3 == 0 { obstacle(rules, own) } else { None };
        if self.hold > 0 && blocked.is_none() {
            return;
        }
        let wish = self.wish(own);
        let way = match blocked {
            Some(normal) => around(normal, wish),
            // Thrust changes the velocity: some of it goes into what is flown wrongly now.
            None => wish - own.velocity / (t::THRUST / t::DRAG) * 0.6,
        };
        let hold = ticks(rules, between(&mut self.random, HOLD));
        self.press(away_from_walls(rules, own, way), hold);
        self.boost = blocked.is_none() && self.wants_boost(own);
    }

    /// Holds the key nearest to a direction; none for a vector that hardly has one.
    pub(super) fn press(&mut self, way: Vec2, hold: i32) {
        const STEP: i32 = ANGLE_STEPS / THRUSTS;
        let key = (angle_of(way) + STEP / 2) / STEP % THRUSTS;
        self.thrust = (way.length_squared() > 0.05).then_some(key);
        self.hold = hold;
    }

    /// The direction that the errand asks for, of length 1 or less.
    fn wish(&self, own: &Own) -> Vec2 {
        let to_mark = self.mark.map_or(Vec2::ZERO, |mark| mark.at - own.at);
        match self.errand {
            Errand::Roam(to) | Errand::Fetch(to) => (to - own.at).normalize_or_zero(),
            Errand::Flee => -to_mark.normalize_or_zero(),
            Errand::Fight => {
                let ahead = to_mark.normalize_or_zero();
                // 1 far outside the liked distance, -1 far inside, and round it goes between.
                let off = (to_mark.length() / self.nature.range - 1.0).clamp(-1.0, 1.0);
                (ahead * off + ahead.perp() * (self.spin * (1.0 - off.abs()))).normalize_or_zero()
            }
        }
    }

    fn wants_boost(&self, own: &Own) -> bool {
        let far = self.mark.map_or(0.0, |mark| mark.at.distance(own.at) / self.nature.range);
        match self.errand {
            Errand::Flee => own.row.energy > 2 * ENERGY_SPARE,
            Errand::Fetch(_) => own.row.energy > 600,
            Errand::Fight => far > 1.7 && own.row.energy > 550,
            Errand::Roam(_) => own.row.energy > 850,
        }
    }
}

/// The way out from a rock that will soon be hit.
fn obstacle(rules: &Rules, own: &Own) -> Option<Vec2> {
    let ahead = own.at + own.velocity * WATCH;
    let radius = t::SHIP_RADIUS + RELIEF;
    let (_, rock) = rules.rocks.first_on_path(own.at, ahead, radius)?;
    Some((own.at - rock.at).normalize_or_zero())
}

/// Past a rock on the side that is nearer to the wish.
fn around(normal: Vec2, wish: Vec2) -> Vec2 {
    let side = if normal.perp().dot(wish) >= 0.0 { normal.perp() } else { -normal.perp() };
    side + normal * 0.7
}

fn away_from_walls(rules: &Rules, own: &Own, way: Vec2) -> Vec2 {
    let room = rules.half - WALL_ROOM;
    let turn = |at: f32, velocity: f32, way: f32| match at + velocity * 0.4 {
        soon if soon > room => -1.0,
        soon if soon < -room => 1.0,
        _ => way,
    };
    Vec2::new(turn(own.at.x, own.velocity.x, way.x), turn(own.at.y, own.velocity.y, way.y))
}
