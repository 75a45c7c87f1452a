//! The kinds of entity and their field tables.

use shared::wire::{Field, Kind, Row, Treatment};

/// Index of [`Boat`] among the kinds.
pub const BOAT: usize = 0;
/// Index of [`Ring`] among the kinds.
pub const RING: usize = 1;
/// Index of [`Buoy`] among the kinds.
pub const BUOY: usize = 2;
/// Index of [`Log`] among the kinds.
pub const LOG: usize = 3;
/// Index of [`Wind`] among the kinds.
pub const WIND: usize = 4;

/// One step of a place, in units.
pub(super) const STEP: f32 = 1.0 / 16.0;
/// Bit of [`Boat::keys`] that throws a ring; the bits below are a direction, 0 for none.
pub const THROW: i32 = 8;
/// A ring's id is its boat's times this, plus the boat's count of rings.
pub(super) const RINGS_PER_BOAT: u32 = 16;

/// All kinds, in the order of frames.
pub(super) const KINDS: &[Kind] = &[
    kind("boat", Boat::FIELDS, Treatment::Steered { leads: 1 }, false),
    kind("ring", Ring::FIELDS, Treatment::Ballistic, false),
    kind("buoy", Buoy::FIELDS, Treatment::Static, false),
    kind("log", Log::FIELDS, Treatment::Plain, true),
    kind("wind", Wind::FIELDS, Treatment::Plain, false),
];

const fn kind(
    name: &'static str,
    fields: &'static [Field],
    treatment: Treatment,
    private: bool,
) -> Kind {
    Kind { name, fields, treatment, private }
}

shared::row! {
    /// A boat: steered.
    pub struct Boat {
        /// Direction and [`THROW`], applied in this tick.
        keys: count(4),
        /// Speed to the east, steps per tick.
        vx: signed(9, STEP),
        /// Speed to the south, steps per tick.
        vy: signed(9, STEP),
        /// Place.
        x: x(18, STEP),
        /// Place.
        y: y(18, STEP),
        /// Ticks until it can throw again.
        ready: count(3),
        /// Rings thrown, modulo [`RINGS_PER_BOAT`].
        thrown: count(4),
        /// Whose.
        player: owner(),
    }
}
shared::row! {
    /// A ring on its way: ballistic.
    pub struct Ring {
        /// Speed to the east, steps per tick.
        vx: signed(10, STEP),
        /// Speed to the south, steps per tick.
        vy: signed(10, STEP),
        /// Place.
        x: x(18, STEP),
        /// Place.
        y: y(18, STEP),
        /// Ticks until it sinks.
        ttl: count(6),
        /// Who threw it.
        player: owner(),
    }
}
shared::row! {
    /// A buoy: static.
    pub struct Buoy {
        /// Place.
        x: x(18, STEP),
        /// Place.
        y: y(18, STEP),
    }
}
shared::row! {
    /// A player's log: private; its id is the player's number.
    pub struct Log {
        /// Points.
        points: count(16),
        /// Boats lost.
        lost: count(16),
        /// Whose.
        player: owner(),
    }
}
shared::row! {
    /// The wind: everywhere, so without a place.
    pub struct Wind {
        /// Index of its direction.
        towards: count(2),
    }
}
shared::row! {
    /// What a player does.
    pub struct Keys {
        /// As [`Boat::keys`].
        keys: count(4),
    }
}
