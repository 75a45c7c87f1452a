//! Angles in steps to directions and back, the same to the bit on every platform. Comes in: steps or
//! vectors. Goes out: vectors or steps. All trigonometry of the arena is here, and all of it is
//! libm's: what std calls differs from machine to machine.

use super::rows::{ANGLE_BITS, ANGLE_STEPS};
use crate::wire::Field;
use glam::Vec2;
use std::sync::LazyLock;

const ANGLE: Field = Field::angle("angle", ANGLE_BITS);

/// One sine and cosine per step, 32 kB. All games share it: one for each would push the others' out of the caches.
static TABLE: LazyLock<Vec<Vec2>> =
    LazyLock::new(|| (0..ANGLE_STEPS).map(|step| direction(ANGLE.to_units(step))).collect());

/// A unit vector for every step of a turn.
#[derive(Clone, Copy, Debug)]
pub struct Compass(&'static [Vec2]);

impl Compass {
    /// The compass; the first one computes the table.
    pub fn new() -> Self {
        Self(&TABLE)
    }

    /// The unit vector of an angle in steps, which wraps.
    #[inline]
    pub fn towards(&self, angle: i32) -> Vec2 {
        self.0[(angle & (ANGLE_STEPS - 1)) as usize]
    }
}

impl Default for Compass {
    fn default() -> Self {
        Self::new()
    }
}

/// The unit vector of an angle in radians, clockwise from east (y goes south).
pub fn direction(radians: f32) -> Vec2 {
    Vec2::new(libm::cosf(radians), libm::sinf(radians))
}

/// The angle of a vector in steps, 0 for one without length.
pub fn angle_of(v: Vec2) -> i32 {
    ANGLE.from_units(libm::atan2f(v.y, v.x))
}

/// Radians to the nearest step, wrapped.
pub fn to_steps(radians: f32) -> i32 {
    ANGLE.from_units(radians)
}

/// Steps to radians.
pub fn to_radians(steps: i32) -> f32 {
    ANGLE.to_units(steps)
}

/// How far to turn from one angle to another, in steps, the shorter way: -2048 to 2047.
pub fn turn(from: i32, to: i32) -> i32 {
    ANGLE.difference(from, to)
}

/// What remains after `seconds` of something that fades by `rate` per second.
pub fn fade(rate: f32, seconds: f32) -> f32 {
    libm::expf(-rate * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_finds_back() {
        let compass = Compass::new();
        for step in 0..ANGLE_STEPS {
            assert_eq!(angle_of(compass.towards(step) * 300.0), step);
        }
        assert_eq!(angle_of(Vec2::ZERO), 0);
        assert_eq!(turn(4000, 100), 196);
    }
}
