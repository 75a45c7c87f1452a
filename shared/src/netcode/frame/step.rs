//! What happened between two ticks, as receivers are told: for every entity that was there, by its slot,
//! the bits that take it on. Made by [`Changes`](super::Changes), read by the [`Encoder`](super::Encoder)
//! once per receiver and entity, so what is always needed lies close together.

use crate::game::Tick;
use crate::wire::bits::BitWriter;

const NONE: u32 = u32::MAX;

/// What happened to an entity between the last tick and this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotFate {
    /// No entity has this slot.
    Absent,
    /// It was not there in the last tick.
    New,
    /// It goes on, by its fragment or as expected.
    Stays,
    /// It is gone, and the rules alone say so: receivers need not be told. (Should the world hold an
    /// entity of the same id all the same, receivers lose the old one and are shown the other.)
    Ended,
    /// It is gone, and nobody could have known.
    Dropped,
}

/// An entity that the rules spawn from another, as expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spawned {
    /// Index of its kind.
    pub kind: u32,
    /// Its slot.
    pub slot: u32,
}

/// A run of something that is kept in one list for all.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) len: u32,
}

impl Span {
    pub(super) fn of<'a, T>(&self, all: &'a [T]) -> &'a [T] {
        &all[self.start as usize..(self.start + self.len) as usize]
    }
}

/// What few entities have.
#[derive(Clone, Copy, Debug, Default)]
struct Extra {
    /// The fragment, when it is longer than a word: bytes, and how many bits of them.
    long: Span,
    bits: u32,
    spawned: Span,
}

/// One slot's part in a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Brief {
    /// The fragment, when it fits.
    bits: u64,
    /// Index of what else there is to know, or [`NONE`].
    extra: u32,
    /// Bits of a fragment that fits.
    len: u8,
    pub(super) told: bool,
    pub(super) fate: SlotFate,
}

impl Brief {
    pub(super) const ABSENT: Self = Self::of(SlotFate::Absent);
    pub(super) const NEW: Self = Self::of(SlotFate::New);

    const fn of(fate: SlotFate) -> Self {
        Self { bits: 0, extra: NONE, len: 0, told: false, fate }
    }
}

/// One kind's part in a step, by slot.
#[derive(Debug, Default, Clone)]
pub(super) struct KindStep {
    /// Whether it is there as before, nothing sprang from it, and no index has to name it. Most are, and
    /// by themselves these fit a core's nearest memory.
    pub(super) quiet: Vec<bool>,
    pub(super) briefs: Vec<Brief>,
    /// What puts lists in order.
    pub(super) ids: Vec<u32>,
}

impl KindStep {
    /// There are so many slots.
    pub(super) fn fit(&mut self, slots: usize) {
        self.quiet.resize(slots, false);
        self.briefs.resize(slots, Brief::ABSENT);
        self.ids.resize(slots, 0);
    }

    fn clear(&mut self) {
        self.quiet.clear();
        self.briefs.clear();
        self.ids.clear();
    }
}

/// All that happened between two ticks.
#[derive(Debug, Default)]
pub struct Step {
    pub(super) tick: Tick,
    pub(super) kinds: Vec<KindStep>,
    extras: Vec<Extra>,
    /// Fragments longer than a word, each a multiple of 8 bytes.
    long: Vec<u8>,
    pub(super) spawned: Vec<Spawned>,
}

impl Step {
    pub(super) fn new(kinds: usize) -> Self {
        Self { kinds: vec![KindStep::default(); kinds], ..Self::default() }
    }

    /// An empty step towards `tick`, with the memory of this one.
    pub(super) fn begin(&mut self, tick: Tick) {
        self.tick = tick;
        self.kinds.iter_mut().for_each(KindStep::clear);
        self.extras.clear();
        self.long.clear();
        self.spawned.clear();
    }

    /// An entity appears.
    pub(super) fn appear(&mut self, kind: usize, slot: u32, id: u32) {
        let kind = &mut self.kinds[kind];
        kind.briefs[slot as usize] = Brief::NEW;
        kind.ids[slot as usize] = id;
    }

    /// Sets what happened to an entity. `fragment`: whole words, of which so many bits count, and whether it
    /// has to be named by an index.
    pub(super) fn set(
        &mut self,
        kind: usize,
        (slot, id): (u32, u32),
        fate: SlotFate,
        fragment: (&[u8], u32, bool),
        spawned: Span,
    ) {
        let (bytes, bits, told) = fragment;
        let quiet = fate == SlotFate::Stays && !told && spawned.len == 0;
        let mut brief = Brief { told, ..Brief::of(fate) };
        let mut extra = Extra { spawned, ..Extra::default() };
        if bits <= 64 {
            brief.bits = bytes.first_chunk().map_or(0, |word| u64::from_le_bytes(*word));
            brief.len = bits as u8;
        } else {
            extra.long = Span { start: self.long.len() as u32, len: bytes.len() as u32 };
            extra.bits = bits;
            self.long.extend_from_slice(bytes);
        }
        if bits > 64 || spawned.len > 0 {
            brief.extra = self.extras.len() as u32;
            self.extras.push(extra);
        }
        let kind = &mut self.kinds[kind];
        kind.briefs[slot as usize] = brief;
        kind.quiet[slot as usize] = quiet;
        kind.ids[slot as usize] = id;
    }

    /// The tick that this leads to.
    pub fn tick(&self) -> Tick {
        self.tick
    }

    /// Appends the entity's fragment.
    #[inline]
    pub(super) fn put(&self, brief: &Brief, writer: &mut BitWriter<'_>) {
        if brief.len > 0 || brief.extra == NONE {
            writer.put(brief.bits, u32::from(brief.len));
        } else {
            let extra = &self.extras[brief.extra as usize];
            writer.append(extra.long.of(&self.long), extra.bits);
        }
    }

    /// What the entity spawned just as expected.
    #[inline]
    pub(super) fn spawned(&self, brief: &Brief) -> &[Spawned] {
        match self.extras.get(brief.extra as usize) {
            Some(extra) => extra.spawned.of(&self.spawned),
            None => &[],
        }
    }
}
