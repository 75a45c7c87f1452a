//! The kinds of entity, as rows of integers, and the way between rows and vectors. Comes in: rows.
//! Goes out: vectors in units and units per second, rounded rows. No rules.

use crate::wire::field::FIELDS_MAX;
use crate::wire::{Field, Kind, Row, Treatment};
use glam::Vec2;

/// Index of [`Ship`] among [`KINDS`].
pub const SHIP: usize = 0;
/// Index of [`Shot`] among [`KINDS`].
pub const SHOT: usize = 1;
/// Index of [`Pickup`] among [`KINDS`].
pub const PICKUP: usize = 2;
/// Index of [`Pilot`] among [`KINDS`].
pub const PILOT: usize = 3;

/// All kinds, in the order of frames.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "ship",
        fields: Ship::FIELDS,
        treatment: Treatment::Steered { leads: 3 },
        private: false,
    },
    Kind { name: "shot", fields: Shot::FIELDS, treatment: Treatment::Ballistic, private: false },
    Kind { name: "pickup", fields: Pickup::FIELDS, treatment: Treatment::Static, private: false },
    Kind { name: "pilot", fields: Pilot::FIELDS, treatment: Treatment::Plain, private: true },
];

/// Bits of a heading, and of every angle that rules compute with.
pub const ANGLE_BITS: u8 = 12;
/// Steps of a full turn of a heading, clockwise from east.
pub const ANGLE_STEPS: i32 = 1 << ANGLE_BITS;
/// Bits of an aim. It changes in most ticks, and this fits most changes into one byte; a step is a third
/// of a ship's radius at the far end of the view.
pub const AIM_BITS: u8 = 10;
/// Heading steps in a step of the aim.
const AIM_STEP: i32 = 1 << (ANGLE_BITS - AIM_BITS);
/// Bits of a lag: half a second at 128 ticks a second, in quarters of a tick.
const LAG_BITS: u8 = 9;
/// A shot's id is its ship's times this, plus the ship's count of shots, which wraps here. No ship
/// has as many shots in the air, and at every tick rate it fires as many in a whole number of ticks.
pub const SHOTS_PER_SHIP: u32 = 30;

const PLACE_STEP: f32 = 1.0 / 256.0;
const VELOCITY_STEP: f32 = 1.0 / 32.0;
const PLACE: Field = Field::x("place", 23, PLACE_STEP);
/// A shot is gone within two seconds, so coarser steps than a ship's do, and save bytes wherever a shot
/// comes into view.
const SHOT_PLACE_STEP: f32 = 1.0 / 16.0;
const SHOT_VELOCITY_STEP: f32 = 1.0 / 2.0;
const SHOT_PLACE: Field = Field::x("place", 19, SHOT_PLACE_STEP);
const SHIP_VELOCITY: Field = Field::signed("velocity", 16, VELOCITY_STEP);
const SHOT_VELOCITY: Field = Field::signed("velocity", 13, SHOT_VELOCITY_STEP);

crate::row! {
    /// A ship in flight. All of it is public: whoever sees a ship can compute how it goes on.
    pub struct Ship {
        /// Where the pilot points, applied in this tick.
        aim: angle(AIM_BITS),
        /// What the pilot presses, applied in this tick; see [`Controls::controls`].
        controls: count(7),
        /// How far in the past the pilot saw others, in quarters of a tick.
        lag: lag(LAG_BITS),
        /// Velocity to the east.
        vx: signed(16, VELOCITY_STEP),
        /// Velocity to the south.
        vy: signed(16, VELOCITY_STEP),
        /// Health, at most [`super::tuning::HP`].
        hp: count(7),
        /// Ticks until it gains the next health point.
        mend: rare(10),
        /// Place, east of the middle of the arena.
        x: x(23, PLACE_STEP),
        /// Place, south of the middle of the arena.
        y: y(23, PLACE_STEP),
        /// Energy, at most [`super::tuning::ENERGY`] steps.
        energy: amount(10, 0.1),
        /// Where the nose points and shots go.
        heading: angle(ANGLE_BITS),
        /// Ticks until it can fire again.
        cooldown: rare(6),
        /// Shots fired so far, modulo [`SHOTS_PER_SHIP`].
        shots: count(5),
        /// Ticks of protection left.
        protect: rare(10),
        /// Ticks of overdrive left.
        overdrive: rare(10),
        /// What is left of the flow of energy below a whole step, in steps divided by the tick rate.
        spark: count(7),
        /// Whose side it is on, from 1; 0 where there are no teams.
        team: rare(3),
        /// Whose ship.
        player: owner(),
    }
}

crate::row! {
    /// A shot in flight.
    pub struct Shot {
        /// Velocity to the east.
        vx: signed(13, SHOT_VELOCITY_STEP),
        /// Velocity to the south.
        vy: signed(13, SHOT_VELOCITY_STEP),
        /// Place, east of the middle of the arena.
        x: x(19, SHOT_PLACE_STEP),
        /// Place, south of the middle of the arena.
        y: y(19, SHOT_PLACE_STEP),
        /// Ticks until it is gone.
        ttl: mostly(8, 5),
        /// How far back others are taken when it is judged whom it hits, in quarters of a tick: where its
        /// shooter saw them.
        lag: mostly(LAG_BITS, 4),
        /// Who fired it.
        player: owner(),
    }
}

crate::row! {
    /// Something to fly over.
    pub struct Pickup {
        /// Place, east of the middle of the arena.
        x: x(23, PLACE_STEP),
        /// Place, south of the middle of the arena.
        y: y(23, PLACE_STEP),
        /// What it gives: [`REPAIR`], [`CHARGE`] or [`OVERDRIVE`].
        what: count(3),
    }
}

/// [`Pickup::what`]: health.
pub const REPAIR: i32 = 0;
/// [`Pickup::what`]: energy.
pub const CHARGE: i32 = 1;
/// [`Pickup::what`]: faster fire for a while.
pub const OVERDRIVE: i32 = 2;

crate::row! {
    /// What only the player may know; its id is the player's number.
    pub struct Pilot {
        /// Ticks until the next ship; 0 while flying.
        respawn: rare(9),
        /// Points.
        score: signed(24, 1.0),
        /// Ships shot down.
        kills: mostly(14, 6),
        /// Ships lost.
        deaths: mostly(14, 6),
        /// Kills since the last death.
        streak: mostly(10, 4),
        /// Shots that hurt somebody, modulo 256.
        hits: count(8),
        /// Shots that hurt this player, modulo 256.
        hurts: count(8),
        /// Direction from the ship to where the last of them came from.
        hurt_from: angle(8),
        /// Who shot the last ship down: the player's number plus 1, 0 when nobody did.
        killer: mostly(17, 9),
        /// Where the last ship was lost, which the player looks at until the next one. No place in
        /// the sense of [`crate::wire::field::Role::X`]: a pilot is nowhere to be found.
        x: signed(23, PLACE_STEP),
        /// The same, to the south.
        y: signed(23, PLACE_STEP),
        /// The player.
        player: owner(),
    }
}

crate::row! {
    /// What a player does in one tick; the default is to do nothing.
    pub struct Controls {
        /// Where to point the nose.
        aim: angle(AIM_BITS),
        /// Bits 0-4: thrust, 0 none, 1 to 16 the direction `(n - 1) * 22.5°` clockwise from east,
        /// more is none; bit 5: fire; bit 6: boost.
        controls: count(7),
        /// How far in the past the player saw others, in quarters of a tick.
        lag: lag(LAG_BITS),
    }
}

/// Directions of thrust.
pub const THRUSTS: i32 = 16;
const THRUST_MASK: i32 = 31;
const FIRE: i32 = 32;
const BOOST: i32 = 64;

impl Controls {
    /// `heading` in steps of a heading, wrapped and rounded to an aim; `thrust` a direction from 0 to 15 or
    /// none.
    pub fn new(heading: i32, thrust: Option<i32>, fire: bool, boost: bool) -> Self {
        let thrust = thrust.map_or(0, |n| n.rem_euclid(THRUSTS) + 1);
        let controls = thrust | if fire { FIRE } else { 0 } | if boost { BOOST } else { 0 };
        let aim = (heading + AIM_STEP / 2).rem_euclid(ANGLE_STEPS) / AIM_STEP;
        Self { aim, controls, lag: 0 }
    }

    /// Where the nose is to point, in steps of a heading.
    pub fn heading(&self) -> i32 {
        self.aim * AIM_STEP
    }

    /// The direction of thrust as an angle in steps, if there is thrust.
    pub fn thrust(&self) -> Option<i32> {
        let n = self.controls & THRUST_MASK;
        (1..=THRUSTS).contains(&n).then(|| (n - 1) * (ANGLE_STEPS / THRUSTS))
    }

    /// Whether the trigger is held.
    pub fn fire(&self) -> bool {
        self.controls & FIRE != 0
    }

    /// Whether the boost key is held.
    pub fn boost(&self) -> bool {
        self.controls & BOOST != 0
    }
}

/// `row` with every integer kept in its field's range: a count that is full stays full.
pub(super) fn in_range<R: Row>(row: &R) -> R {
    let mut cells = [0; FIELDS_MAX];
    let cells = &mut cells[..R::FIELDS.len()];
    row.write(cells);
    for (cell, field) in cells.iter_mut().zip(R::FIELDS) {
        *cell = (*cell).clamp(field.min(), field.max());
    }
    R::read(cells)
}

/// Two cells of a place to units.
pub fn place(x: i32, y: i32) -> Vec2 {
    Vec2::new(PLACE.to_units(x), PLACE.to_units(y))
}

/// Units to the two cells of a place, rounded and kept in range.
pub fn to_place(at: Vec2) -> (i32, i32) {
    (PLACE.from_units(at.x), PLACE.from_units(at.y))
}

impl Ship {
    /// Place, u from the middle of the arena.
    pub fn place(&self) -> Vec2 {
        place(self.x, self.y)
    }

    /// Velocity, u/s.
    pub fn velocity(&self) -> Vec2 {
        Vec2::new(SHIP_VELOCITY.to_units(self.vx), SHIP_VELOCITY.to_units(self.vy))
    }

    /// Rounds a place, u, into the row.
    pub fn set_place(&mut self, at: Vec2) {
        (self.x, self.y) = to_place(at);
    }

    /// Rounds a velocity, u/s, into the row.
    pub fn set_velocity(&mut self, velocity: Vec2) {
        self.vx = SHIP_VELOCITY.from_units(velocity.x);
        self.vy = SHIP_VELOCITY.from_units(velocity.y);
    }

    /// Lets the pilot do something else.
    pub fn set_input(&mut self, input: &Controls) {
        (self.aim, self.controls, self.lag) = (input.aim, input.controls, input.lag);
    }

    /// What its pilot does, as last applied.
    pub fn input(&self) -> Controls {
        Controls { aim: self.aim, controls: self.controls, lag: self.lag }
    }
}

impl Shot {
    /// Place, u from the middle of the arena.
    pub fn place(&self) -> Vec2 {
        Vec2::new(SHOT_PLACE.to_units(self.x), SHOT_PLACE.to_units(self.y))
    }

    /// Velocity, u/s.
    pub fn velocity(&self) -> Vec2 {
        Vec2::new(SHOT_VELOCITY.to_units(self.vx), SHOT_VELOCITY.to_units(self.vy))
    }

    /// Rounds a place, u, into the row.
    pub fn set_place(&mut self, at: Vec2) {
        (self.x, self.y) = (SHOT_PLACE.from_units(at.x), SHOT_PLACE.from_units(at.y));
    }

    /// Rounds a velocity, u/s, into the row.
    pub fn set_velocity(&mut self, velocity: Vec2) {
        self.vx = SHOT_VELOCITY.from_units(velocity.x);
        self.vy = SHOT_VELOCITY.from_units(velocity.y);
    }
}

impl Pickup {
    /// Place, u from the middle of the arena.
    pub fn place(&self) -> Vec2 {
        place(self.x, self.y)
    }
}

impl Pilot {
    /// Where the last ship was lost, u from the middle of the arena.
    pub fn place(&self) -> Vec2 {
        place(self.x, self.y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_say_what_they_were_told() {
        let c = Controls::new(-1, Some(15), true, false);
        assert_eq!((c.aim, c.thrust(), c.fire(), c.boost()), (0, Some(15 * 256), true, false));
        assert_eq!(Controls::new(-3, None, false, false).heading(), 4092);
        assert_eq!(Controls::default().thrust(), None);
        assert_eq!(Controls { controls: 17, ..Controls::default() }.thrust(), None);
        assert!(Controls::FIELDS[1].contains(Controls::new(0, Some(15), true, true).controls));
    }

    #[test]
    fn a_place_is_exact_to_the_step_at_the_far_wall() {
        let far = Vec2::new(15_000.0 - PLACE_STEP, -15_000.0 + PLACE_STEP);
        let (x, y) = to_place(far);
        assert_eq!((x, y), (15_000 * 256 - 1, -15_000 * 256 + 1));
        assert_eq!(place(x, y), far);
    }
}
