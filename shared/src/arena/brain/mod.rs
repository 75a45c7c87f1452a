//! A computer pilot. Comes in: a view, the very rows that a player in its place would get. Goes out:
//! an input. It never looks at the world, and is meant to be beaten: it looks around only a few times
//! a second, holds its keys as long as people do, and aims with an error of its own.
//!
//! `look` is what it notices and makes up its mind about, `steer` where it wants to fly; this file is
//! its nature and its hands.

mod look;
mod steer;

use super::compass::{angle_of, turn};
use super::rows::{ANGLE_STEPS, Controls, PILOT, Pilot, SHIP, Ship};
use super::tuning as t;
use super::{Arena, Rules};
use crate::game::{Brain, View};
use crate::wire::Row;
use glam::Vec2;
use rand::RngExt;
use rand_pcg::Pcg32;

/// Time between two looks around, s: how long it takes to notice something.
const LOOK: (f32, f32) = (0.16, 0.32);
/// How far off the usual aim is, in turns.
const AIM_ERROR: (f32, f32) = (0.014, 0.042);
/// How near a pilot likes its opponent, u.
const RANGE: (f32, f32) = (220.0, 420.0);
/// How long a key of thrust is held, s.
const HOLD: (f32, f32) = (0.15, 0.6);
/// How long the trigger is held, s, and released again.
const BURST: (f32, f32) = (0.2, 0.7);
const PAUSE: (f32, f32) = (0.3, 1.0);
/// Farther than this it does not fire, as a share of a shot's reach.
const FIRE_REACH: f32 = 0.8;
/// With less energy than this it saves, in tenths.
const ENERGY_SPARE: i32 = 120;
/// A hand leaves the aim where it is while it is off by no more than this, in turns: a degree.
const HAND_REST: f32 = 1.0 / 360.0;
/// How much of the way to a new error of the aim a hand moves in a second: fast, not at once.
const HAND: f32 = 6.0;

/// What one pilot is like, from its seed.
#[derive(Clone, Copy, Debug)]
struct Nature {
    /// Mean time between looks, s.
    look: f32,
    /// Usual error of the aim, in steps.
    aim_error: f32,
    /// From 0, who flees early, to 1, who never gives up.
    boldness: f32,
    /// Liked distance of the opponent, u.
    range: f32,
}

/// The opponent, as last looked at.
#[derive(Clone, Copy, Debug)]
struct Mark {
    id: u32,
    at: Vec2,
    velocity: Vec2,
    /// Whether no rock stood between.
    clear: bool,
    /// For how many looks it has been the opponent: attention sharpens the aim.
    looks: u32,
}

/// What a pilot is about.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Errand {
    /// Off to some place, u.
    Roam(Vec2),
    /// After a pickup, u.
    Fetch(Vec2),
    /// Around its mark.
    Fight,
    /// Away from its mark.
    Flee,
}

/// Its own ship, in units.
#[derive(Clone, Copy, Debug)]
struct Own {
    row: Ship,
    at: Vec2,
    velocity: Vec2,
}

/// A computer pilot's mind.
#[derive(Clone, Debug)]
pub struct ArenaBrain {
    random: Pcg32,
    nature: Nature,
    /// Ticks until the next look.
    look_in: i32,
    mark: Option<Mark>,
    errand: Errand,
    /// Which way round it circles: 1 or -1.
    spin: f32,
    /// Direction of thrust, 0 to 15, and for how many ticks it is held.
    thrust: Option<i32>,
    hold: i32,
    boost: bool,
    /// Ticks that the trigger is held still, or when negative, released still.
    trigger: i32,
    aim: i32,
    /// How far off the aim is, in steps, and where that error is drifting to.
    error: f32,
    error_goal: f32,
}

impl Brain<Arena> for ArenaBrain {
    fn new(seed: u64) -> Self {
        let mut random = Pcg32::new(seed, 3);
        let nature = Nature {
            look: between(&mut random, LOOK),
            aim_error: between(&mut random, AIM_ERROR) * ANGLE_STEPS as f32,
            boldness: random.random(),
            range: between(&mut random, RANGE),
        };
        Self {
            random,
            nature,
            look_in: 0,
            mark: None,
            errand: Errand::Roam(Vec2::ZERO),
            spin: 1.0,
            thrust: None,
            hold: 0,
            boost: false,
            trigger: 0,
            aim: 0,
            error: 0.0,
            error_goal: 0.0,
        }
    }

    fn think(&mut self, rules: &Rules, view: &View<'_>) -> Controls {
        let Some(own) = own_ship(view) else {
            self.forget(view);
            return Controls::new(self.aim, None, false, false);
        };
        self.look_in -= 1;
        if self.look_in <= 0 {
            let pause = self.nature.look * between(&mut self.random, (0.8, 1.2));
            self.look_in = ticks(rules, pause);
            self.look(rules, view, &own);
        } else if let Some(mark) = &mut self.mark {
            mark.at += mark.velocity * rules.dt;
        }
        self.steer(rules, &own);
        self.point(rules, &own);
        let fire = self.fire(rules, &own);
        Controls::new(self.aim, self.thrust, fire, self.boost)
    }
}

impl ArenaBrain {
    /// Waits for the next ship with an empty mind.
    fn forget(&mut self, view: &View<'_>) {
        self.mark = None;
        self.thrust = None;
        (self.look_in, self.hold, self.trigger) = (0, 0, 0);
        if let Some((_, pilot)) = view.rows.table(PILOT).rows::<Pilot>().next() {
            self.errand = Errand::Roam(-pilot.place());
        }
    }

    /// Points the nose where a shot would meet the mark, not quite; without one, where it flies.
    fn point(&mut self, rules: &Rules, own: &Own) {
        self.error += (self.error_goal - self.error) * (HAND * rules.dt).min(1.0);
        let goal = match &self.mark {
            Some(mark) if self.errand != Errand::Flee || mark.clear => {
                angle_of(lead(mark.at - own.at, mark.velocity - own.velocity))
            }
            _ if own.velocity.length_squared() > 50.0 * 50.0 => angle_of(own.velocity),
            _ => self.aim,
        };
        let wanted = goal + self.error as i32;
        if turn(self.aim, wanted).abs() as f32 > HAND_REST * ANGLE_STEPS as f32 {
            self.aim = wanted;
        }
    }

    fn fire(&mut self, rules: &Rules, own: &Own) -> bool {
        if self.trigger < 0 {
            self.trigger += 1;
        } else if self.trigger > 0 {
            self.trigger -= 1;
            if self.trigger == 0 {
                let pause = between(&mut self.random, PAUSE) * (1.3 - 0.6 * self.nature.boldness);
                self.trigger = -ticks(rules, pause);
            }
        } else if self.has_shot(own) {
            self.trigger = ticks(rules, between(&mut self.random, BURST));
        }
        self.trigger > 0
    }

    fn has_shot(&self, own: &Own) -> bool {
        let Some(mark) = self.mark.filter(|mark| mark.clear) else { return false };
        let distance = (mark.at - own.at).length();
        // As wide as the mark looks from here, and a little more.
        let width = 2.0 * t::SHIP_RADIUS / distance.max(1.0) / core::f32::consts::TAU + 0.012;
        distance < t::SHOT_SPEED * t::SHOT_LIFE * FIRE_REACH
            && turn(own.row.heading, self.aim).abs() < (width * ANGLE_STEPS as f32) as i32
            && own.row.energy > ENERGY_SPARE
    }
}

fn own_ship(view: &View<'_>) -> Option<Own> {
    let me = i32::from(view.me.0);
    let ships = view.rows.table(SHIP);
    let owner = Ship::FIELDS.len() - 1;
    let (_, cells) = ships.iter().find(|(_, cells)| cells[owner] == me)?;
    let row = Ship::read(cells);
    Some(Own { row, at: row.place(), velocity: row.velocity() })
}

/// Where to point at so that a shot meets what is at `from` and moves with `velocity`, both relative
/// to the shooter: two steps of the fixed point, which is as well as people do it.
fn lead(from: Vec2, velocity: Vec2) -> Vec2 {
    let first = from + velocity * (from.length() / t::SHOT_SPEED);
    from + velocity * (first.length() / t::SHOT_SPEED)
}

fn between(random: &mut Pcg32, (low, high): (f32, f32)) -> f32 {
    low + (high - low) * random.random::<f32>()
}

fn ticks(rules: &Rules, seconds: f32) -> i32 {
    ((seconds / rules.dt) as i32).max(1)
}
