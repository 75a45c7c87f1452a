//! What a receiver has: the entities that indices in its frames count in, a table per kind, ascending by id. So two
//! receivers who have the same entities have the same list, whatever they had before, and may be sent the same bytes.

use super::step::Step;
use super::{Part, Parts};
use crate::game::Tick;
use crate::wire::field::KINDS_MAX;

/// What a receiver has after the last frame committed to its stream. There is one per receiver, so it is
/// small and in one piece: what a core has to fetch for it is much of what a frame takes.
#[derive(Clone, Debug, Default)]
pub struct ViewList {
    /// Those of the public part and then of the private one, kind by kind in the order of [`Parts`].
    slots: Vec<u16>,
    lens: [u16; KINDS_MAX],
    /// How many of them are public.
    public: u32,
    pub(super) tick: Option<Tick>,
}

impl ViewList {
    /// A receiver that has nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The tick of the last frame, if there was one.
    pub fn tick(&self) -> Option<Tick> {
        self.tick
    }

    /// How many entities the receiver has.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// From now on it has nothing.
    pub(super) fn clear(&mut self) {
        self.slots.clear();
        self.lens = [0; KINDS_MAX];
        self.public = 0;
    }

    /// The public part.
    pub(super) fn public(&self) -> &[u16] {
        &self.slots[..self.public as usize]
    }

    /// How many of each kind there are.
    pub(super) fn lens(&self) -> [u16; KINDS_MAX] {
        self.lens
    }

    /// Becomes a list of these public entities, so many of each kind, and of nothing else.
    pub(super) fn become_public(&mut self, slots: &[u16], lens: [u16; KINDS_MAX]) {
        self.slots.clear();
        self.slots.extend_from_slice(slots);
        self.lens = lens;
        self.public = slots.len() as u32;
    }
}

/// A set of slots.
#[derive(Debug, Default)]
struct Marks(Vec<u64>);

impl Marks {
    /// Becomes the set of these, of so many slots.
    fn begin(&mut self, of: usize, slots: &[u32]) {
        self.0.clear();
        self.0.resize(of.div_ceil(64), 0);
        slots.iter().for_each(|&slot| self.0[slot as usize / 64] |= 1 << (slot % 64));
    }

    /// True when it was not there yet.
    #[inline]
    fn insert(&mut self, slot: u32) -> bool {
        let (word, bit) = (&mut self.0[slot as usize / 64], 1 << (slot % 64));
        let fresh = *word & bit == 0;
        *word |= bit;
        fresh
    }

    #[inline]
    fn remove(&mut self, slot: u32) {
        self.0[slot as usize / 64] &= !(1 << (slot % 64));
    }
}

/// A list taken out to be worked on, with marks of what is in it. Marking them anew takes less than fetching a
/// receiver's own marks from memory would.
#[derive(Debug, Default)]
pub(super) struct OpenList {
    slots: [Vec<u32>; KINDS_MAX],
    has: [Marks; KINDS_MAX],
}

impl OpenList {
    /// Takes a part of a list, whose slots are those of this step.
    #[inline]
    pub(super) fn take(&mut self, list: &ViewList, parts: &Parts, which: Part, step: &Step) {
        let mut rest = match which {
            Part::Public => list.public(),
            Part::Private => &list.slots[list.public as usize..],
        };
        for kind in parts.kinds(which) {
            let (mine, others) = rest.split_at(usize::from(list.lens[kind]));
            let slots = &mut self.slots[kind];
            slots.clear();
            slots.extend(mine.iter().map(|&slot| u32::from(slot)));
            self.has[kind].begin(step.kinds[kind].ids.len(), slots);
            rest = others;
        }
    }

    /// Gives a part back. The public one replaces all of the list, the private one is added to that.
    #[inline]
    pub(super) fn give(&self, list: &mut ViewList, parts: &Parts, which: Part) {
        if which == Part::Public {
            list.clear();
        }
        for kind in parts.kinds(which) {
            list.slots.extend(self.slots[kind].iter().map(|&slot| slot as u16));
            list.lens[kind] = self.slots[kind].len() as u16;
        }
        if which == Part::Public {
            list.public = list.slots.len() as u32;
        }
    }

    /// Those of a kind, in the list's order.
    #[inline]
    pub(super) fn of(&self, kind: usize) -> &[u32] {
        &self.slots[kind]
    }

    /// Marks one as being in the list, where [`Self::put`] has to put it. False when it is there already.
    #[inline]
    pub(super) fn claim(&mut self, kind: usize, slot: u32) -> bool {
        self.has[kind].insert(slot)
    }

    /// Puts one where its id belongs.
    #[inline]
    pub(super) fn put(&mut self, kind: usize, slot: u32, step: &Step) {
        let (slots, ids) = (&mut self.slots[kind], &step.kinds[kind].ids);
        let id = ids[slot as usize];
        // Most are new to everybody, and ids mostly grow.
        let at = match slots.last() {
            Some(&last) if ids[last as usize] > id => {
                slots.partition_point(|&slot| ids[slot as usize] < id)
            }
            _ => slots.len(),
        };
        slots.insert(at, slot);
    }

    /// Those at these indices, which ascend, are gone.
    #[inline]
    pub(super) fn remove(&mut self, kind: usize, indices: &[u32]) {
        for &index in indices.iter().rev() {
            self.has[kind].remove(self.slots[kind].remove(index as usize));
        }
    }
}
