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
//! In the order of the flow: [`changes`] compares two ticks, once for everybody, into a [`step`];
//! [`encode`] writes one receiver's frame from that and from its [`list`], or copies what is [`shared`]; [`mod@decode`] reads
//! it; [`fragment`] is the part about one entity, both ways.
//!
//! ```text
//! delta                                     keyframe
//! 3   2                                     3   3
//! 5   low bits of the tick                  5   0
//! 8   margin, signed                        32  tick
//! GOES ON, ENTERS   (public kinds)          8   margin, signed
//! GOES ON, ENTERS   (private kinds)         ENTERS    (public kinds)
//! 1   a checksum follows                    ENTERS    (private kinds)
//! [32 checksum]                             1   a checksum follows
//!                                           [32 checksum]
//!
//! GOES ON                                   ENTERS
//! for each kind with entities in the        1   something enters
//! list, steered ones first:                 [for each kind: n0, n × (id, record),
//!     n0, n × g3 gap      dropped           by ascending id: the first as g12, each
//!     steered: a fragment for each          further one as g5 of the ids between]
//!         entity left
//!     ballistic and plain:
//!         n0, n × (g3 gap, fragment)
//! ```
//!
//! Numbers stand for bits, from the lowest of the first byte on; gN is an exponential Golomb code of order N
//! ([`BitWriter::golomb`](crate::wire::bits::BitWriter::golomb)) and n0 one of order 0 for a number of
//! things. A gap is the distance from the index after the one before it, so indices ascend. A record is
//! the whole row, as in [`crate::wire::record`]: all but the place, then the place, by the distance from the
//! entity that is first in the kind's list by then, if there is one. The margin tells how early the newest input came before
//! its tick, in 1/8 tick, or [`NO_MARGIN`]. A frame ends with zero bits up to a whole byte; a message is a
//! frame, or several one behind the other after a short pause.
//!
//! The list that indices count in is a table per kind, ascending by id, and both ends change it alike: every entity that
//! is not dropped goes on by its fragment or the expectation alone, in list order; then those that are dropped and those
//! that the expectation ended are removed; those that it spawned are put in, and at last the entering ones.
//!
//! What is public comes first and by itself: for all who have the same entities and see the same it is the same bits, and
//! is made once. A game without private kinds has no second part.

use crate::wire::field::KINDS_MAX;
use crate::wire::{Kind, Treatment};

pub mod changes;
pub mod decode;
pub mod encode;
pub mod fragment;
pub mod list;
pub mod shared;
pub mod step;

pub use changes::{Changes, PAST_TICKS};
pub use decode::{Decoded, FrameBits, decode};
pub use encode::{Encoder, Sight};
pub use list::ViewList;
pub use step::{SlotFate, Step};

/// First byte's low three bits of a frame that builds on the one before.
pub const TYPE_DELTA: u8 = 2;
/// First byte's low three bits of a frame that needs no baseline.
pub const TYPE_KEYFRAME: u8 = 3;
/// The low bits of every message's first byte name its type.
pub const TYPE_MASK: u8 = 0b111;

/// Bits of the type.
pub(crate) const TYPE_BITS: u32 = 3;
/// Bits of the tick in a delta: enough to tell a frame that does not follow on the last one.
pub(crate) const TICK_BITS: u32 = 5;
/// Numbers of things are mostly 0 or 1.
pub(crate) const COUNT_ORDER: u32 = 0;
/// Distances between the indices of what is told, in lists of some dozen.
pub(crate) const GAP_ORDER: u32 = 3;
/// Ids of some thousand, where one comes alone.
pub(crate) const ID_ORDER: u32 = 12;
/// Distances between ids that come together.
pub(crate) const ID_GAP_ORDER: u32 = 5;

/// Every how many ticks frames carry a checksum of the view: about one a second, 4 bytes each.
pub const CHECKSUM_TICKS: u32 = 32;

/// The margin byte when no input arrived since the last frame.
pub const NO_MARGIN: i8 = i8::MIN;

/// Margin steps per tick.
pub const MARGIN_STEPS: f64 = 8.0;

/// The kinds in the order in which their entities go on: steered ones first, as their part of a frame
/// comes first.
pub fn going_order(kinds: &[Kind]) -> impl Iterator<Item = usize> {
    let steered = |k: usize| matches!(kinds[k].treatment, Treatment::Steered { .. });
    let all = 0..kinds.len();
    all.clone().filter(move |&k| steered(k)).chain(all.filter(move |&k| !steered(k)))
}

/// The two parts of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Kinds that are shown to everybody who looks there.
    Public,
    /// Kinds that are shown to their owners only.
    Private,
}

impl Part {
    /// Whether a kind belongs to it.
    pub fn has(self, kind: &Kind) -> bool {
        kind.private == (self == Self::Private)
    }
}

/// The kinds of each part, in the order in which their entities go on.
#[derive(Clone, Copy, Debug)]
pub struct Parts {
    order: [u8; KINDS_MAX],
    /// So many of them are public, and so many there are.
    public: usize,
    all: usize,
}

impl Parts {
    /// Those of a game.
    pub fn of(kinds: &[Kind]) -> Self {
        let mut parts = Self { order: [0; KINDS_MAX], public: 0, all: 0 };
        for which in [Part::Public, Part::Private] {
            for kind in going_order(kinds).filter(|&kind| which.has(&kinds[kind])) {
                parts.order[parts.all] = kind as u8;
                parts.all += 1;
                parts.public += usize::from(which == Part::Public);
            }
        }
        parts
    }

    /// The parts of a frame, in their order; a game without private kinds has but one.
    pub fn all(&self) -> impl Iterator<Item = Part> + use<> {
        [Part::Public].into_iter().chain(self.has_private().then_some(Part::Private))
    }

    /// Whether there is a private one.
    pub fn has_private(&self) -> bool {
        self.public < self.all
    }

    /// The kinds of one.
    #[inline]
    pub fn kinds(&self, which: Part) -> impl Iterator<Item = usize> + use<> {
        let range = match which {
            Part::Public => 0..self.public,
            Part::Private => self.public..self.all,
        };
        let order = self.order;
        range.map(move |at| usize::from(order[at]))
    }
}

/// A margin in ticks as the byte that frames carry.
pub fn margin_to_byte(ticks: f64) -> i8 {
    (ticks * MARGIN_STEPS).clamp(-127.0, 127.0) as i8
}

/// The margin in ticks, if the frame carries one.
pub fn margin_from_byte(byte: i8) -> Option<f64> {
    (byte != NO_MARGIN).then(|| f64::from(byte) / MARGIN_STEPS)
}
