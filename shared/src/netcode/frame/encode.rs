//! One receiver's frame. Comes in: the comparison of two ticks, the list of entities that the receiver
//! has, and what it may see. Goes out: bytes, and the list as the receiver will have it.
//!
//! Call it only when the bytes go into the receiver's stream for certain: the list moves on with them.

use super::changes::{Changes, SlotFate};
use super::{
    CHECKSUM_TICKS, NO_MARGIN, TYPE_DELTA, TYPE_KEYFRAME, going_order, margin_to_byte, section,
};
use crate::game::Tick;
use crate::wire::{Treatment, varint};

/// What one receiver may see of the world at a tick.
pub trait Sight {
    /// Whether an entity that the receiver has stays in view. The entity is there.
    fn keeps(&self, changes: &Changes, kind: usize, slot: u32) -> bool;

    /// Calls `visit` with every (kind, slot) that comes into view unless the receiver has it already.
    fn offer(&self, changes: &Changes, visit: &mut dyn FnMut(usize, u32));
}

/// A set of slots.
#[derive(Debug, Default, Clone)]
struct Marks(Vec<u64>);

impl Marks {
    fn fit(&mut self, slots: usize) {
        if self.0.len() * 64 < slots {
            self.0.resize(slots.div_ceil(64), 0);
        }
    }

    /// True when it was not there yet.
    #[inline]
    fn insert(&mut self, slot: u32) -> bool {
        let word = &mut self.0[slot as usize / 64];
        let bit = 1 << (slot % 64);
        let fresh = *word & bit == 0;
        *word |= bit;
        fresh
    }

    #[inline]
    fn remove(&mut self, slot: u32) {
        self.0[slot as usize / 64] &= !(1 << (slot % 64));
    }
}

/// The entities of one kind that a receiver has, in the order of its list.
#[derive(Debug, Default, Clone)]
struct KindList {
    slots: Vec<u32>,
    has: Marks,
}

impl KindList {
    /// Removes the entities at `indices`, which ascend.
    fn remove_all(&mut self, indices: &[u32]) {
        for &index in indices.iter().rev() {
            let slot = self.slots.swap_remove(index as usize);
            self.has.remove(slot);
        }
    }
}

/// What a receiver has after the last frame committed to its stream.
#[derive(Clone, Debug)]
pub struct ViewList {
    kinds: Vec<KindList>,
    tick: Option<Tick>,
    indices: Vec<u32>,
    spawned: Vec<(usize, u32)>,
    ended: Vec<(usize, u32)>,
}

impl ViewList {
    /// A receiver that has nothing yet.
    pub fn new(kinds: usize) -> Self {
        Self {
            kinds: vec![KindList::default(); kinds],
            tick: None,
            indices: Vec::new(),
            spawned: Vec::new(),
            ended: Vec::new(),
        }
    }

    /// The tick of the last frame, if there was one.
    pub fn tick(&self) -> Option<Tick> {
        self.tick
    }

    /// How many entities the receiver has.
    pub fn len(&self) -> usize {
        self.kinds.iter().map(|k| k.slots.len()).sum()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The next frame: a delta when the last one was of the tick before and no `fresh` start is asked
    /// for, else a keyframe. `margin`: how many ticks early the receiver's newest input came, if any
    /// came since the last frame.
    pub fn encode(
        &mut self,
        changes: &mut Changes,
        sight: &impl Sight,
        fresh: bool,
        margin: Option<f64>,
        out: &mut Vec<u8>,
    ) {
        let tick = changes.tick();
        let margin = margin.map_or(NO_MARGIN, margin_to_byte);
        for (kind, list) in self.kinds.iter_mut().enumerate() {
            list.has.fit(changes.slot_count(kind));
        }
        let head = out.len();
        if !fresh && self.tick == Some(tick.wrapping_sub(1)) {
            out.extend([TYPE_DELTA, tick as u8, margin as u8]);
            out[head] |= self.put_drops(changes, sight, out);
            self.put_steering(changes, out);
            out[head] |= self.put_changes(changes, out);
            self.go_on(changes);
        } else {
            out.push(TYPE_KEYFRAME);
            out.extend(tick.to_le_bytes());
            out.push(margin as u8);
            for list in &mut self.kinds {
                list.slots.clear();
                list.has.0.fill(0);
            }
        }
        out[head] |= self.put_enters(changes, sight, out);
        if tick.is_multiple_of(CHECKSUM_TICKS) {
            out[head] |= section::CHECKSUM;
            out.extend(self.checksum(changes).to_le_bytes());
        }
        self.tick = Some(tick);
    }

    fn put_drops(&mut self, changes: &Changes, sight: &impl Sight, out: &mut Vec<u8>) -> u8 {
        let set = out.len();
        for (kind, list) in self.kinds.iter_mut().enumerate() {
            self.indices.clear();
            for (index, &slot) in list.slots.iter().enumerate() {
                let drop = match changes.fate(kind, slot) {
                    SlotFate::Dropped => true,
                    SlotFate::Ended => false,
                    SlotFate::Stays => !sight.keeps(changes, kind, slot),
                    fate => unreachable!("slot {slot} of a kept list is {fate:?}"),
                };
                if drop {
                    self.indices.push(index as u32);
                }
            }
            if self.indices.is_empty() {
                continue;
            }
            begin_kind(out, set, kind);
            varint::put(out, self.indices.len() as u32);
            put_gaps(out, &self.indices);
            list.remove_all(&self.indices);
        }
        if out.len() > set { section::DROPS } else { 0 }
    }

    fn put_steering(&self, changes: &Changes, out: &mut Vec<u8>) {
        for (kind, list) in self.kinds.iter().enumerate() {
            if !matches!(changes.kinds()[kind].treatment, Treatment::Steered { .. }) {
                continue;
            }
            let mask = out.len();
            out.resize(mask + list.slots.len().div_ceil(8), 0);
            for (index, &slot) in list.slots.iter().enumerate() {
                let fragment = changes.fragment(kind, slot);
                if !fragment.is_empty() {
                    out[mask + index / 8] |= 1 << (index % 8);
                    out.extend_from_slice(fragment);
                }
            }
        }
    }

    fn put_changes(&self, changes: &Changes, out: &mut Vec<u8>) -> u8 {
        let set = out.len();
        for (kind, list) in self.kinds.iter().enumerate() {
            if matches!(
                changes.kinds()[kind].treatment,
                Treatment::Steered { .. } | Treatment::Static
            ) {
                continue;
            }
            let changed = |slot: &u32| !changes.fragment(kind, *slot).is_empty();
            let count = list.slots.iter().filter(|slot| changed(slot)).count();
            if count == 0 {
                continue;
            }
            begin_kind(out, set, kind);
            varint::put(out, count as u32);
            let mut next = 0;
            for (index, &slot) in list.slots.iter().enumerate() {
                if changed(&slot) {
                    varint::put(out, (index - next) as u32);
                    out.extend_from_slice(changes.fragment(kind, slot));
                    next = index + 1;
                }
            }
        }
        if out.len() > set { section::CHANGES } else { 0 }
    }

    /// What the receiver does by itself once it has read the changes.
    fn go_on(&mut self, changes: &Changes) {
        self.spawned.clear();
        self.ended.clear();
        for kind in going_order(changes.kinds()) {
            for (index, &slot) in self.kinds[kind].slots.iter().enumerate() {
                let spawned = changes.spawned(kind, slot);
                self.spawned.extend(spawned.iter().map(|s| (s.kind as usize, s.slot)));
                if changes.fate(kind, slot) == SlotFate::Ended {
                    self.ended.push((kind, index as u32));
                }
            }
        }
        for &(kind, index) in self.ended.iter().rev() {
            self.kinds[kind].remove_all(&[index]);
        }
        for &(kind, slot) in &self.spawned {
            if self.kinds[kind].has.insert(slot) {
                self.kinds[kind].slots.push(slot);
            }
        }
    }

    fn put_enters(&mut self, changes: &mut Changes, sight: &impl Sight, out: &mut Vec<u8>) -> u8 {
        let set = out.len();
        self.spawned.clear();
        let (kinds, entering) = (&mut self.kinds, &mut self.spawned);
        sight.offer(changes, &mut |kind, slot| {
            if kinds[kind].has.insert(slot) {
                entering.push((kind, slot));
            }
        });
        for kind in 0..self.kinds.len() {
            let count = self.spawned.iter().filter(|&&(k, _)| k == kind).count();
            if count == 0 {
                continue;
            }
            begin_kind(out, set, kind);
            varint::put(out, count as u32);
            for &(_, slot) in self.spawned.iter().filter(|&&(k, _)| k == kind) {
                changes.put_record(kind, slot, out);
                self.kinds[kind].slots.push(slot);
            }
        }
        if out.len() > set { section::ENTERS } else { 0 }
    }

    fn checksum(&self, changes: &Changes) -> u32 {
        self.kinds.iter().enumerate().fold(0u32, |sum, (kind, list)| {
            list.slots.iter().fold(sum, |sum, &slot| sum.wrapping_add(changes.hash(kind, slot)))
        })
    }
}

/// Starts a section with the first kind that has something to say, and names every further one.
fn begin_kind(out: &mut Vec<u8>, set: usize, kind: usize) {
    if out.len() == set {
        out.push(0);
    }
    out[set] |= 1 << kind;
}

fn put_gaps(out: &mut Vec<u8>, indices: &[u32]) {
    let mut next = 0;
    for &index in indices {
        varint::put(out, index - next);
        next = index + 1;
    }
}
