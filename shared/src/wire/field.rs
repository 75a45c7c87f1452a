//! Field tables: what the engine knows about a game's integers. Comes in: nothing but constants.
//! Goes out: ranges, distances and units for every reader, writer, grid and interpolation.

/// The most kinds of entity a game may have: frames name sets of kinds in one byte.
pub const KINDS_MAX: usize = 8;
/// The most fields of one kind: a correction names sets of fields in a 31-bit mask, less one bit.
pub const FIELDS_MAX: usize = 30;
/// The most fields of an input: it is handed from task to task for every player and tick, and so has to be small.
pub const INPUT_FIELDS_MAX: usize = 12;
/// The most bits of a field, so that twice the difference of two values fits 31.
pub const BITS_MAX: u8 = 30;
/// By how many bits a place is usually shorter: most worlds are far smaller than the widest.
const NEAR_BITS: u8 = 3;

/// What a field means to the engine, beyond being an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Nothing: carried, compared, hashed.
    Plain,
    /// Place along x; with [`Role::Y`] it puts the entity into the interest grid.
    X,
    /// Place along y.
    Y,
    /// An angle; 2^bits steps are one full turn, and differences go the shorter way round.
    Angle,
    /// The player whose entity this is (a [`crate::game::PlayerId`]).
    Owner,
    /// Of an input, and of the lead that it becomes: how far in the past the player saw others when giving
    /// it, in quarters of a tick. The client fills it in and the session bounds it; rules judge by it what was aimed at.
    Lag,
}

/// One integer of a row: its range on the wire and its meaning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    /// For logs and the protocol's hash.
    pub name: &'static str,
    /// Width of the absolute value on the wire, 1 to [`BITS_MAX`].
    pub bits: u8,
    /// Two's complement when true: `-2^(bits-1) ..= 2^(bits-1) - 1`; else `0 ..= 2^bits - 1`.
    pub signed: bool,
    /// How many of the game's units one integer step is; for an angle, radians.
    pub step: f32,
    /// What it means to the engine.
    pub role: Role,
    /// Bits that most values have (one that is signed with its sign), less than `bits`: a record then has
    /// these and one more, and for larger values a few more. 0 is for what is 0 most of the time.
    pub usual: Option<u8>,
}

impl Field {
    /// A whole number from 0 to `2^bits - 1`: a count, a timer in ticks, a set of flags.
    pub const fn count(name: &'static str, bits: u8) -> Self {
        Self { name, bits, signed: false, step: 1.0, role: Role::Plain, usual: None }
    }

    /// A count that is 0 most of the time: a timer that seldom runs.
    pub const fn rare(name: &'static str, bits: u8) -> Self {
        Self::count(name, bits).with_usual(0)
    }

    /// The same field with a usual size. Panics when that is not less than its width.
    pub const fn with_usual(self, bits: u8) -> Self {
        assert!(bits < self.bits, "what is usual is shorter");
        Self { usual: Some(bits), ..self }
    }

    /// A count that mostly fits so many bits.
    pub const fn mostly(name: &'static str, bits: u8, usual: u8) -> Self {
        Self::count(name, bits).with_usual(usual)
    }

    /// A quantity that may be negative, in steps of `step` units.
    pub const fn signed(name: &'static str, bits: u8, step: f32) -> Self {
        Self { name, bits, signed: true, step, role: Role::Plain, usual: None }
    }

    /// A quantity from 0, in steps of `step` units.
    pub const fn amount(name: &'static str, bits: u8, step: f32) -> Self {
        Self { name, bits, signed: false, step, role: Role::Plain, usual: None }
    }

    /// A place along x, 4 bits or more, in steps of `step` units.
    pub const fn x(name: &'static str, bits: u8, step: f32) -> Self {
        Self { role: Role::X, ..Self::signed(name, bits, step) }.with_usual(bits - NEAR_BITS)
    }

    /// A place along y, 4 bits or more, in steps of `step` units.
    pub const fn y(name: &'static str, bits: u8, step: f32) -> Self {
        Self { role: Role::Y, ..Self::signed(name, bits, step) }.with_usual(bits - NEAR_BITS)
    }

    /// An angle with `2^bits` steps to the full turn.
    pub const fn angle(name: &'static str, bits: u8) -> Self {
        let step = core::f32::consts::TAU / (1u32 << bits) as f32;
        Self { name, bits, signed: false, step, role: Role::Angle, usual: None }
    }

    /// Quarters of a tick in the past, 5 bits or more, see [`Role::Lag`]; four ticks are of a usual size.
    pub const fn lag(name: &'static str, bits: u8) -> Self {
        Self { role: Role::Lag, ..Self::count(name, bits) }.with_usual(4)
    }

    /// The owning player's number.
    pub const fn owner(name: &'static str) -> Self {
        let plain = Self::count(name, 16);
        Self { role: Role::Owner, ..plain }.with_usual(8)
    }

    /// The smallest legal value.
    pub const fn min(&self) -> i32 {
        if self.signed { -(1 << (self.bits - 1)) } else { 0 }
    }

    /// The largest legal value.
    pub const fn max(&self) -> i32 {
        if self.signed { (1 << (self.bits - 1)) - 1 } else { ((1u32 << self.bits) - 1) as i32 }
    }

    /// Whether `value` may stand in this field.
    pub const fn contains(&self, value: i32) -> bool {
        value >= self.min() && value <= self.max()
    }

    /// What has to be added to `from` to get `to`; for an angle the shorter way round.
    #[inline]
    pub const fn difference(&self, from: i32, to: i32) -> i32 {
        let plain = to.wrapping_sub(from);
        match self.role {
            Role::Angle => {
                let shift = 32 - self.bits as u32;
                plain.wrapping_shl(shift).wrapping_shr(shift)
            }
            _ => plain,
        }
    }

    /// `from` with a [`Field::difference`] added; an angle wraps round. The result may lie outside
    /// the range when the difference came from a peer: check with [`Field::contains`].
    #[inline]
    pub const fn sum(&self, from: i32, difference: i32) -> i32 {
        let plain = from.wrapping_add(difference);
        match self.role {
            Role::Angle => plain & self.max(),
            _ => plain,
        }
    }

    /// The value in the game's units.
    #[inline]
    pub fn to_units(&self, value: i32) -> f32 {
        value as f32 * self.step
    }

    /// Units to the nearest step, kept inside the range; an angle wraps; NaN becomes 0.
    #[inline]
    pub fn from_units(&self, units: f32) -> i32 {
        let steps = libm::roundf(units / self.step) as i32;
        match self.role {
            Role::Angle => steps & self.max(),
            _ => steps.clamp(self.min(), self.max()),
        }
    }
}

/// How entities of a kind go on from tick to tick, and so how frames carry them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// Never changes while it exists. A changed row is a broken promise of the game's.
    Static,
    /// Goes on by rule alone; a change against the rule is rare and named by index.
    Ballistic,
    /// Goes on by rule, given its first `leads` fields: the inputs that the server applied to it.
    /// These travel first, the rest follows from [`crate::game::Game::expect`].
    Steered {
        /// How many leading fields are inputs, at least 1.
        leads: u8,
    },
    /// Stays as it is until told otherwise; changes are named by index.
    Plain,
}

/// One kind of entity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kind {
    /// For logs and the protocol's hash.
    pub name: &'static str,
    /// The row's integers, in order: leads first, then the likeliest to be corrected.
    pub fields: &'static [Field],
    /// How it goes on.
    pub treatment: Treatment,
    /// Shown to its owner only; needs a field with [`Role::Owner`].
    pub private: bool,
}

impl Kind {
    /// How many leading fields travel before the expectation is computed.
    pub const fn leads(&self) -> usize {
        match self.treatment {
            Treatment::Steered { leads } => leads as usize,
            _ => 0,
        }
    }

    /// The index of the one field with `role`, if the kind has it.
    pub fn field_with(&self, role: Role) -> Option<usize> {
        self.fields.iter().position(|f| f.role == role)
    }

    /// Whether every field of `row` is in range.
    pub fn contains(&self, row: &[i32]) -> bool {
        row.len() == self.fields.len() && self.fields.iter().zip(row).all(|(f, &v)| f.contains(v))
    }

    /// Panics with kind, entity, field and value where one is out of its range.
    pub fn check_row(&self, id: u32, row: &[i32]) {
        self.fields.iter().zip(row).for_each(|(field, &value)| self.check(id, field, value));
    }

    /// The same for one field of a row.
    #[inline]
    pub fn check(&self, id: u32, field: &Field, value: i32) {
        let (kind, name, range) = (self.name, field.name, field.min()..=field.max());
        assert!(range.contains(&value), "{kind} {id}: {name} is {value}, out of {range:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_angle_goes_the_shorter_way() {
        let f = Field::angle("a", 8);
        assert_eq!(f.difference(250, 5), 11);
        assert_eq!(f.difference(5, 250), -11);
        assert_eq!(f.sum(250, 11), 5);
        assert_eq!(f.from_units(-core::f32::consts::FRAC_PI_2), 192);
    }

    #[test]
    fn units_stay_in_range() {
        let f = Field::x("x", 8, 0.5);
        assert_eq!((f.min(), f.max()), (-128, 127));
        assert_eq!(f.from_units(1e9), 127);
        assert_eq!(f.from_units(f32::NEG_INFINITY), -128);
        assert_eq!(f.from_units(f32::NAN), 0);
    }

    proptest! {
        #[test]
        fn a_difference_leads_back(bits in 1u8..=24, a: i32, b: i32, angle: bool) {
            let f = if angle { Field::angle("f", bits) } else { Field::count("f", bits) };
            let (a, b) = (a & f.max(), b & f.max());
            prop_assert_eq!(f.sum(a, f.difference(a, b)), b);
        }
    }
}
