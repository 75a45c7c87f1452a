//! One receiver's frame. Comes in: what happened between two ticks, the list of entities that the receiver
//! has, and what it may see. Goes out: bytes, and the list as the receiver will have it.
//!
//! Call it only when the bytes go into the receiver's stream for certain: the list moves on with them.

use super::changes::Changes;
use super::step::{KindStep, SlotFate, Step};
use super::{
    CHECKSUM_TICKS, COUNT_ORDER, GAP_ORDER, ID_GAP_ORDER, ID_ORDER, NO_MARGIN, TICK_BITS,
    TYPE_BITS, TYPE_DELTA, TYPE_KEYFRAME, going_order, margin_to_byte,
};
use crate::game::Tick;
use crate::wire::bits::BitWriter;
use crate::wire::field::KINDS_MAX;
use crate::wire::{Kind, Treatment};

/// What one receiver may see of the world at a tick.
pub trait Sight {
    /// Whether an entity that the receiver has stays in view. The entity is there.
    fn keeps(&self, kind: usize, slot: u32) -> bool;

    /// Calls `visit` with every (kind, slot) that comes into view unless the receiver has it already.
    fn offer(&self, visit: &mut dyn FnMut(usize, u32));
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

/// What a receiver has after the last frame committed to its stream. There is one per receiver, so it is
/// small and in one piece: what a core has to fetch for it is much of what a frame takes.
#[derive(Clone, Debug, Default)]
pub struct ViewList {
    /// Of all kinds, one behind the other, each in the order of its table.
    slots: Vec<u16>,
    lens: [u16; KINDS_MAX],
    tick: Option<Tick>,
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
}

/// Writes frames. One serves all receivers, so that its memory stays warm.
#[derive(Debug, Default)]
pub struct Encoder {
    /// The list at hand, by kind.
    slots: [Vec<u32>; KINDS_MAX],
    /// What is in it, by kind. Marking them anew takes less than fetching a receiver's own marks from memory would.
    has: [Marks; KINDS_MAX],
    /// Of the kind at hand, by index in the list.
    dropped: Vec<u32>,
    changed: Vec<u32>,
    /// Those that the rules end, and those that are dropped.
    leaving: Vec<u32>,
    /// (kind, slot).
    coming: Vec<(usize, u32)>,
}

impl Encoder {
    /// An encoder.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends the receiver's next frame: a delta when the last one was of the tick before and no `fresh`
    /// start is asked for, else a keyframe. `margin`: how many ticks early the receiver's newest input
    /// came, if any came since the last frame.
    pub fn frame(
        &mut self,
        list: &mut ViewList,
        changes: &mut Changes,
        sight: &impl Sight,
        fresh: bool,
        margin: Option<f64>,
        out: &mut Vec<u8>,
    ) {
        let tick = changes.tick();
        let mut writer = BitWriter::new(out);
        if !fresh && list.tick == Some(tick.wrapping_sub(1)) {
            self.unpack(list, changes.step());
            self.put_delta(changes.kinds(), changes.step(), sight, margin, &mut writer);
        } else {
            writer.put(u64::from(TYPE_KEYFRAME), TYPE_BITS + TICK_BITS);
            writer.put(u64::from(tick), 32);
            writer.put(margin_bits(margin), 8);
            self.unpack(&ViewList::new(), changes.step());
        }
        self.put_enters(changes, sight, &mut writer);
        let checked = tick.is_multiple_of(CHECKSUM_TICKS);
        writer.flag(checked);
        if checked {
            writer.put(u64::from(self.checksum(changes)), 32);
        }
        writer.finish();
        self.pack(list, tick);
    }

    /// Appends a frame of a tick that the receiver missed, which has to be the one after its last: what it
    /// has goes on, nothing comes into view. Several, in order, and then [`Self::frame`] catch up on a
    /// short gap.
    pub fn catch_up(
        &mut self,
        list: &mut ViewList,
        kinds: &[Kind],
        step: &Step,
        sight: &impl Sight,
        out: &mut Vec<u8>,
    ) {
        debug_assert_eq!(list.tick, Some(step.tick.wrapping_sub(1)), "frames follow on each other");
        let mut writer = BitWriter::new(out);
        self.unpack(list, step);
        self.put_delta(kinds, step, sight, None, &mut writer);
        // Nothing enters, and no checksum.
        writer.put(0, 2);
        writer.finish();
        self.pack(list, step.tick);
    }

    /// Takes a list at hand, whose slots are those of this step.
    fn unpack(&mut self, list: &ViewList, step: &Step) {
        let mut rest = &list.slots[..];
        for (kind, &len) in list.lens.iter().enumerate().take(step.kinds.len()) {
            let (mine, others) = rest.split_at(usize::from(len));
            let slots = &mut self.slots[kind];
            slots.clear();
            slots.extend(mine.iter().map(|&slot| u32::from(slot)));
            self.has[kind].begin(step.kinds[kind].briefs.len(), slots);
            rest = others;
        }
    }

    fn pack(&self, list: &mut ViewList, tick: Tick) {
        list.slots.clear();
        for (slots, len) in self.slots.iter().zip(&mut list.lens) {
            list.slots.extend(slots.iter().map(|&slot| slot as u16));
            *len = slots.len() as u16;
        }
        list.tick = Some(tick);
    }

    fn checksum(&self, changes: &Changes) -> u32 {
        self.slots.iter().enumerate().fold(0u32, |sum, (kind, slots)| {
            slots.iter().fold(sum, |sum, &slot| sum.wrapping_add(changes.hash(kind, slot)))
        })
    }

    fn put_delta(
        &mut self,
        kinds: &[Kind],
        step: &Step,
        sight: &impl Sight,
        margin: Option<f64>,
        writer: &mut BitWriter<'_>,
    ) {
        writer.put(u64::from(TYPE_DELTA), TYPE_BITS);
        writer.put(u64::from(step.tick) & ((1 << TICK_BITS) - 1), TICK_BITS);
        writer.put(margin_bits(margin), 8);
        self.coming.clear();
        for kind in going_order(kinds) {
            if !self.slots[kind].is_empty() {
                self.put_kind(kind, kinds[kind].treatment, step, sight, writer);
            }
        }
        for &(kind, slot) in &self.coming {
            if self.has[kind].insert(slot) {
                self.slots[kind].push(slot);
            }
        }
    }

    /// One kind goes on: which are dropped, and what the others are told.
    fn put_kind(
        &mut self,
        kind: usize,
        treatment: Treatment,
        step: &Step,
        sight: &impl Sight,
        writer: &mut BitWriter<'_>,
    ) {
        let slots = &mut self.slots[kind];
        let KindStep { quiet, briefs } = &step.kinds[kind];
        self.dropped.clear();
        self.changed.clear();
        self.leaving.clear();
        for (index, &slot) in (0..).zip(&*slots) {
            if quiet[slot as usize] && sight.keeps(kind, slot) {
                continue;
            }
            let brief = &briefs[slot as usize];
            match brief.fate {
                SlotFate::Stays if sight.keeps(kind, slot) => {
                    if brief.told {
                        self.changed.push(index);
                    }
                }
                SlotFate::Stays | SlotFate::Dropped => {
                    self.dropped.push(index);
                    self.leaving.push(index);
                    continue;
                }
                SlotFate::Ended => self.leaving.push(index),
                fate => unreachable!("slot {slot} of a kept list is {fate:?}"),
            }
            let spawned = step.spawned(brief);
            self.coming.extend(spawned.iter().map(|s| (s.kind as usize, s.slot)));
        }
        put_indices(writer, &self.dropped, |_, _| {});
        match treatment {
            Treatment::Static => {}
            Treatment::Steered { .. } if self.dropped.is_empty() => {
                slots.iter().for_each(|&slot| step.put(&briefs[slot as usize], writer));
            }
            Treatment::Steered { .. } => {
                let mut dropped = self.dropped.iter().copied().peekable();
                for (index, &slot) in (0..).zip(&*slots) {
                    if dropped.next_if_eq(&index).is_none() {
                        step.put(&briefs[slot as usize], writer);
                    }
                }
            }
            Treatment::Ballistic | Treatment::Plain => {
                put_indices(writer, &self.changed, |writer, index| {
                    step.put(&briefs[slots[index as usize] as usize], writer);
                });
            }
        }
        // The last one moves into each gap.
        for &index in self.leaving.iter().rev() {
            self.has[kind].remove(slots.swap_remove(index as usize));
        }
    }

    fn put_enters(
        &mut self,
        changes: &mut Changes,
        sight: &impl Sight,
        writer: &mut BitWriter<'_>,
    ) {
        let (coming, has) = (&mut self.coming, &mut self.has);
        coming.clear();
        sight.offer(&mut |kind, slot| {
            if has[kind].insert(slot) {
                coming.push((kind, slot));
            }
        });
        writer.flag(!coming.is_empty());
        if coming.is_empty() {
            return;
        }
        for (kind, slots) in self.slots.iter_mut().enumerate().take(changes.kinds().len()) {
            let first = slots.len();
            slots.extend(coming.iter().filter(|&&(k, _)| k == kind).map(|&(_, slot)| slot));
            let entering = &mut slots[first..];
            entering.sort_unstable_by_key(|&slot| changes.id(kind, slot));
            writer.golomb(COUNT_ORDER, entering.len() as u32);
            let (mut last, mut near) = (None, slots[..first].first().copied());
            for &slot in &slots[first..] {
                put_id(writer, last, changes.id(kind, slot));
                last = Some(changes.id(kind, slot));
                changes.put_record(kind, slot, near, writer);
                near = near.or(Some(slot));
            }
        }
    }
}

/// An id that is larger than the last one.
fn put_id(writer: &mut BitWriter<'_>, last: Option<u32>, id: u32) {
    match last {
        None => writer.golomb(ID_ORDER, id),
        Some(last) => writer.golomb(ID_GAP_ORDER, id - last - 1),
    }
}

fn margin_bits(margin: Option<f64>) -> u64 {
    u64::from(margin.map_or(NO_MARGIN, margin_to_byte) as u8)
}

/// How many, and for each, ascending, the distance from the one before and what `more` adds.
fn put_indices<'a>(
    writer: &mut BitWriter<'a>,
    indices: &[u32],
    more: impl Fn(&mut BitWriter<'a>, u32),
) {
    writer.golomb(COUNT_ORDER, indices.len() as u32);
    let mut next = 0;
    for &index in indices {
        writer.golomb(GAP_ORDER, index - next);
        more(writer, index);
        next = index + 1;
    }
}
