//! How a ship or a shot goes on when nobody else touches it. Comes in: a row and the rules. Goes
//! out: the next row. The world's step and [`crate::game::Game::expect`] both call this and nothing
//! else, which is what makes prediction exact. It depends on nothing but its arguments.

use super::compass::turn;
use super::rocks::meeting;
use super::rows::{ANGLE_STEPS, SHOTS_PER_SHIP, Ship, Shot};
use super::rules::Rules;
use super::tuning as t;
use crate::game::Fate;
use glam::Vec2;

/// One tick of a ship whose aim and controls are already those of the tick. A pressed trigger may
/// give a shot, as it stands at the end of the tick: it begins to move in the next one.
pub(super) fn fly(rules: &Rules, id: u32, before: &Ship) -> (Ship, Option<(u32, Shot)>) {
    let mut ship = *before;
    count_down(rules, &mut ship);
    point(rules, &mut ship);
    let boosting = spend(rules, &mut ship);
    drift(rules, &mut ship, boosting);
    let shot = pull_trigger(rules, id, &mut ship);
    (ship, shot)
}

fn count_down(rules: &Rules, ship: &mut Ship) {
    ship.cooldown = (ship.cooldown - 1).max(0);
    ship.protect = (ship.protect - 1).max(0);
    ship.overdrive = (ship.overdrive - 1).max(0);
    ship.mend = (ship.mend - 1).max(0);
    if ship.mend == 0 && ship.hp < t::HP {
        ship.mend = rules.mend_pace.pause(ship.hp);
        ship.hp += 1;
    }
}

fn point(rules: &Rules, ship: &mut Ship) {
    let step = turn(ship.heading, ship.input().heading()).clamp(-rules.turn, rules.turn);
    ship.heading = (ship.heading + step) & (ANGLE_STEPS - 1);
}

/// Lets energy flow and says whether the ship boosts. While the key is held nothing flows in: a
/// pilot with an empty store has to let go, instead of getting half a boost for ever.
fn spend(rules: &Rules, ship: &mut Ship) -> bool {
    let rate = i32::from(rules.tick_rate);
    let wanted = ship.input().boost() && ship.input().thrust().is_some();
    let boosting = wanted && ship.energy * rate >= t::BOOST_COST;
    let flow = match (wanted, boosting) {
        (_, true) => -t::BOOST_COST,
        (true, false) => 0,
        (false, false) => t::ENERGY_GAIN,
    };
    // What is less than a step in this tick is kept for the next, so that no tick rate gains.
    let sum = ship.energy * rate + ship.spark + flow;
    ship.energy = sum.div_euclid(rate).clamp(0, t::ENERGY);
    ship.spark = sum.rem_euclid(rate);
    boosting
}

fn drift(rules: &Rules, ship: &mut Ship, boosting: bool) {
    let (mut at, mut velocity) = (ship.place(), ship.velocity());
    let thrust = ship.input().thrust();
    let top = match thrust {
        Some(angle) => {
            let push = if boosting { t::THRUST * t::BOOST } else { t::THRUST };
            rules.compass.towards(angle) * (push / t::DRAG)
        }
        None => Vec2::ZERO,
    };
    let glide = rules.glide;
    for _ in 0..rules.parts {
        let excess = velocity - top;
        at += top * glide.seconds + excess * glide.reach;
        velocity = top + excess * glide.fade;
        bounce_off_rocks(rules, &mut at, &mut velocity);
        bounce_off_walls(rules, &mut at, &mut velocity);
    }
    if thrust.is_none() && velocity.length_squared() < t::SPEED_REST * t::SPEED_REST {
        velocity = Vec2::ZERO;
    }
    ship.set_place(at);
    ship.set_velocity(velocity.clamp_length_max(t::SPEED_MAX));
}

fn bounce_off_rocks(rules: &Rules, at: &mut Vec2, velocity: &mut Vec2) {
    for rock in rules.rocks.around(*at) {
        let touch = rock.radius + t::SHIP_RADIUS;
        let away = *at - rock.at;
        let distance_squared = away.length_squared();
        if distance_squared >= touch * touch {
            continue;
        }
        let distance = distance_squared.sqrt();
        // In the very middle any way out is as good as another.
        let normal = if distance > 0.0 { away / distance } else { Vec2::X };
        *at = rock.at + normal * touch;
        bounce(velocity, normal);
    }
}

fn bounce_off_walls(rules: &Rules, at: &mut Vec2, velocity: &mut Vec2) {
    let room = rules.half - t::SHIP_RADIUS;
    for (axis, v) in [(Vec2::X, at.x), (Vec2::Y, at.y)] {
        if v.abs() > room {
            bounce(velocity, axis * -v.signum());
        }
    }
    *at = at.clamp(Vec2::splat(-room), Vec2::splat(room));
}

/// Turns the speed into an obstacle round; `normal` points out of the obstacle.
fn bounce(velocity: &mut Vec2, normal: Vec2) {
    let into = -velocity.dot(normal);
    if into > 0.0 {
        let back = if into < t::BOUNCE_SPEED_MIN { 0.0 } else { into * t::BOUNCE };
        *velocity += normal * (into + back);
    }
}

fn pull_trigger(rules: &Rules, id: u32, ship: &mut Ship) -> Option<(u32, Shot)> {
    let (pace, cost) = match ship.overdrive {
        0 => (rules.shot_pace, t::SHOT_COST),
        _ => (rules.overdrive_shot_pace, t::OVERDRIVE_SHOT_COST),
    };
    if !ship.input().fire() || ship.cooldown > 0 || ship.energy < cost {
        return None;
    }
    ship.cooldown = pace.pause(ship.shots);
    ship.energy -= cost;
    ship.protect = 0;
    let shot_id = shot_id(id, ship.shots);
    ship.shots = (ship.shots + 1) % SHOTS_PER_SHIP as i32;
    let nose = rules.compass.towards(ship.heading);
    let mut shot =
        Shot { ttl: rules.shot_life, lag: ship.lag, player: ship.player, ..Shot::default() };
    shot.set_place(ship.place() + nose * t::MUZZLE);
    shot.set_velocity(ship.velocity() + nose * t::SHOT_SPEED);
    Some((shot_id, shot))
}

/// The id of the `count`-th shot of a ship.
pub(super) fn shot_id(ship: u32, count: i32) -> u32 {
    ship.wrapping_mul(SHOTS_PER_SHIP).wrapping_add(count as u32)
}

/// One tick of a shot. One that ends stands where it ended.
pub(super) fn travel(rules: &Rules, before: &Shot) -> (Shot, Fate) {
    let from = before.place();
    let to = from + before.velocity() * rules.dt;
    let rock = rules.rocks.first_on_path(from, to, 0.0).map(|(share, _)| share);
    let wall = wall_on_path(rules.half, from, to);
    let end = match (rock, wall) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    let mut shot = Shot { ttl: (before.ttl - 1).max(0), ..*before };
    shot.set_place(end.map_or(to, |share| from + (to - from) * share));
    (shot, if shot.ttl == 0 || end.is_some() { Fate::Ends } else { Fate::Stays })
}

/// Where a point leaves the square of half side `half`, as a share of the way.
fn wall_on_path(half: f32, from: Vec2, to: Vec2) -> Option<f32> {
    let axis = |from: f32, to: f32| {
        let over = to.abs() - half;
        // A muzzle may already be beyond the wall: then the way ends where it begins.
        (over > 0.0).then(|| 1.0 - over / (to - from).abs().max(over))
    };
    match (axis(from.x, to.x), axis(from.y, to.y)) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// Where on its way a shot first touches a ship that travels in the same tick, as a share of the
/// tick.
pub(super) fn strike(shot: (Vec2, Vec2), ship: (Vec2, Vec2)) -> Option<f32> {
    let way = (shot.1 - shot.0) - (ship.1 - ship.0);
    meeting(shot.0 - ship.0, way, t::SHIP_RADIUS + t::SHOT_RADIUS)
}
