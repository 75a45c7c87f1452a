//! Every function of the rules that is more than `+ - * / sqrt`, hashed by itself: an end-to-end hash
//! may hide a last bit that differs, as rows round it away.

use super::Hash;
use glam::Vec2;
use rand::RngExt;
use rand_pcg::Pcg32;
use shared::arena::compass::{Compass, angle_of, direction, fade};
use shared::arena::rows::ANGLE_STEPS;
use shared::wire::Field;

const RANDOM_INPUTS: usize = 300_000;

/// Sine, cosine, arc tangent, exponential and rounding at random inputs, small and large.
pub fn functions_hash() -> u64 {
    let mut random = Pcg32::new(11, 11);
    let field = Field::signed("any", 24, 1.0 / 256.0);
    let mut hash = Hash::default();
    for _ in 0..RANDOM_INPUTS {
        let mut number = |scale: f32| (random.random::<f32>() * 2.0 - 1.0) * scale;
        for radians in [number(7.0), number(2000.0)] {
            let v = direction(radians);
            hash.add_f32(v.x);
            hash.add_f32(v.y);
        }
        for scale in [0.01, 1.0, 30_000.0] {
            let v = Vec2::new(number(scale), number(scale));
            hash.add(angle_of(v) as u32);
            hash.add_f32(v.length());
            hash.add_f32(v.normalize_or_zero().x);
            hash.add(field.from_units(v.y) as u32);
        }
        hash.add_f32(fade(number(6.0), number(4.0)));
    }
    hash.value()
}

/// The direction of every angle a row can hold, and the way back.
pub fn table_hash() -> u64 {
    let compass = Compass::new();
    let mut hash = Hash::default();
    for angle in 0..ANGLE_STEPS {
        let v = compass.towards(angle);
        hash.add_f32(v.x);
        hash.add_f32(v.y);
        hash.add(angle_of(v) as u32);
    }
    hash.value()
}
