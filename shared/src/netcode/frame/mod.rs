//! Frames: one binary message with a view's changes. Comes in: the world's rows, tick by tick. Goes
//! out: bytes for one receiver, and from the bytes the receiver's rows again.
//!
//! What a frame says is what the receiver could not have known. Both ends hold the same rows of tick
//! T and run the same [`Game::expect`](crate::game::Game::expect) on them; the frame of T + 1 carries
//! the inputs that steer it (the leads), and corrections where the world did something else. The
//! transport is reliable and ordered, so what the receiver holds is whatever the frames committed to
//! its stream so far add up to, and the sender keeps no copy of it: the world's rows of the last tick
//! and the list of entities that the receiver has are enough.
//!
//! In the order of the flow: [`changes`] compares two ticks, once for everybody; [`encode`] writes one
//! receiver's frame from that; [`decode`] reads it; [`fragment`] is the part about one entity, both
//! ways.
//!
//! ```text
//! delta                                        keyframe
//! u8   2 | sections << 3                       u8   3 | sections << 3
//! u8   low byte of the tick                    u32  tick, little end first
//! i8   margin                                  i8   margin
//! [DROPS]    u8 set of kinds; for each:        ENTERS    (as in a delta; all that is in view)
//!            n, n × gap                        [CHECKSUM]
//! steering   for each steered kind with
//!            entities left in the list:
//!            a bit per entity, lowest first,
//!            then their fragments
//! [CHANGES]  u8 set of kinds; for each:
//!            n, n × (gap, fragment)
//! [ENTERS]   u8 set of kinds; for each:
//!            n, n × (id, record)
//! [CHECKSUM] u32, little end first
//! ```
//!
//! `n`, `gap` and `id` are varints; a gap is the distance from the index after the one before it, so
//! indices ascend. A record is the whole row, packed by `wire::bits`. The margin tells how early the
//! newest input came before its tick, in 1/8 tick, or [`NO_MARGIN`].
//!
//! The list that indices count in is a table per kind, and both ends change it alike: drops are
//! removed from the highest index down, the last entity moving into the gap; then every entity goes on
//! by its fragment or the expectation alone, in list order, steered kinds before all others; then those
//! that the expectation ended are removed like drops, those that it spawned are appended in the order
//! in which they were spawned, and at last the entering ones are appended.

use crate::wire::{Kind, Treatment};

pub mod changes;
pub mod decode;
pub mod encode;
pub mod fragment;

pub use changes::{Changes, SlotFate};
pub use decode::{Decoded, FrameBytes, decode};
pub use encode::{Sight, ViewList};

/// First byte's low three bits of a frame that builds on the one before.
pub const TYPE_DELTA: u8 = 2;
/// First byte's low three bits of a frame that needs no baseline.
pub const TYPE_KEYFRAME: u8 = 3;
/// The low bits of every message's first byte name its type.
pub const TYPE_MASK: u8 = 0b111;

/// Section bits of the first byte.
pub(crate) mod section {
    pub(crate) const DROPS: u8 = 1 << 3;
    pub(crate) const CHANGES: u8 = 1 << 4;
    pub(crate) const ENTERS: u8 = 1 << 5;
    pub(crate) const CHECKSUM: u8 = 1 << 6;
    pub(crate) const UNUSED: u8 = 1 << 7;
}

/// Every how many ticks frames carry a checksum of the view: about one a second, 4 bytes each.
pub const CHECKSUM_TICKS: u32 = 32;

/// The margin byte when no input arrived since the last frame.
pub const NO_MARGIN: i8 = i8::MIN;

/// Margin steps per tick.
pub const MARGIN_STEPS: f64 = 8.0;

/// The kinds in the order in which their entities go on: steered ones first, as their part of a frame
/// comes first.
pub(crate) fn going_order(kinds: &[Kind]) -> impl Iterator<Item = usize> {
    let steered = |k: usize| matches!(kinds[k].treatment, Treatment::Steered { .. });
    let all = 0..kinds.len();
    all.clone().filter(move |&k| steered(k)).chain(all.filter(move |&k| !steered(k)))
}

/// A margin in ticks as the byte that frames carry.
pub fn margin_to_byte(ticks: f64) -> i8 {
    (ticks * MARGIN_STEPS).clamp(-127.0, 127.0) as i8
}

/// The margin in ticks, if the frame carries one.
pub fn margin_from_byte(byte: i8) -> Option<f64> {
    (byte != NO_MARGIN).then(|| f64::from(byte) / MARGIN_STEPS)
}
