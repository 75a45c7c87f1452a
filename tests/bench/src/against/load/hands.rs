//! What a player presses: an aim that wanders, thrust that changes every half a second or so, and bursts of fire, as
//! often as the game's brain fires. It sees nothing and follows from a seed.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg32;

/// Bytes of an input: count of ticks, aim in turns as a float, keys, and nothing; little-endian.
pub(super) const INPUT_BYTES: usize = 16;
/// For how many ticks thrust stays as it is.
const THRUST_TICKS: core::ops::Range<u32> = 8..25;
/// Directions of thrust, and none.
const THRUSTS: core::ops::RangeInclusive<u32> = 0..=16;
/// For how many ticks fire is pressed, and for how many it is not: the brain's ships have as many shots in the air.
const FIRE_TICKS: core::ops::Range<u32> = 6..16;
const PAUSE_TICKS: core::ops::Range<u32> = 18..40;
/// The key for fire.
const FIRE: u32 = 32;
/// How far the aim wanders in a tick, in turns.
const AIM_STEP: f32 = 0.02;

/// One player's.
pub(super) struct Hands {
    random: Pcg32,
    tick: u32,
    aim: f32,
    drift: f32,
    thrust: u32,
    thrust_left: u32,
    fires: bool,
    fire_left: u32,
}

impl Hands {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Pcg32::seed_from_u64(seed);
        let aim = random.random();
        Self {
            random,
            tick: 0,
            aim,
            drift: 0.0,
            thrust: 0,
            thrust_left: 0,
            fires: false,
            fire_left: 0,
        }
    }

    /// The next tick's input.
    pub(super) fn next(&mut self) -> [u8; INPUT_BYTES] {
        self.tick += 1;
        if self.thrust_left == 0 {
            self.thrust = self.random.random_range(THRUSTS);
            self.thrust_left = self.random.random_range(THRUST_TICKS);
            self.drift = self.random.random_range(-AIM_STEP..AIM_STEP);
        }
        if self.fire_left == 0 {
            self.fires = !self.fires;
            let ticks = if self.fires { FIRE_TICKS } else { PAUSE_TICKS };
            self.fire_left = self.random.random_range(ticks);
        }
        self.thrust_left -= 1;
        self.fire_left -= 1;
        self.aim = (self.aim + self.drift).rem_euclid(1.0);
        let keys = self.thrust | if self.fires { FIRE } else { 0 };
        let mut bytes = [0; INPUT_BYTES];
        bytes[..4].copy_from_slice(&self.tick.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.aim.to_le_bytes());
        bytes[8..12].copy_from_slice(&keys.to_le_bytes());
        bytes
    }
}
