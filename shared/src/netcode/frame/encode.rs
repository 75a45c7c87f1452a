//! One receiver's frame. Comes in: what happened between two ticks, the list of entities that the receiver
//! has, and what it may see. Goes out: bytes, and the list as the receiver will have it.
//!
//! Call it only when the bytes go into the receiver's stream for certain: the list moves on with them.

use super::changes::Changes;
use super::list::{OpenList, ViewList};
use super::shared::Terms;
use super::step::{KindStep, SlotFate, Step};
use super::{
    CHECKSUM_TICKS, COUNT_ORDER, GAP_ORDER, ID_GAP_ORDER, ID_ORDER, NO_MARGIN, Part, Parts,
    TICK_BITS, TYPE_BITS, TYPE_DELTA, TYPE_KEYFRAME, margin_to_byte,
};
use crate::game::{Focus, Tick};
use crate::wire::bits::BitWriter;
use crate::wire::{Kind, Treatment};

/// What one receiver may see of the world at a tick.
pub trait Sight {
    /// Whether an entity that the receiver has stays in view. The entity is there.
    fn keeps(&self, kind: usize, slot: u32) -> bool;

    /// Calls `visit` with every (kind, slot) of a part that comes into view unless the receiver has it already.
    fn offer(&self, which: Part, visit: impl FnMut(usize, u32));

    /// Set where others are likely to see just the same of the public part: all for whom this is the same do.
    fn shared(&self) -> Option<Focus> {
        None
    }
}

/// Writes frames. One serves all receivers, so that its memory stays warm.
#[derive(Debug, Default)]
pub struct Encoder {
    list: OpenList,
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
    /// came, if any came since the last frame. Whether somebody else was sent the same, so that it was copied.
    pub fn frame(
        &mut self,
        list: &mut ViewList,
        changes: &mut Changes,
        sight: &impl Sight,
        fresh: bool,
        margin: Option<f64>,
        out: &mut Vec<u8>,
    ) -> bool {
        let (tick, parts) = (changes.tick(), changes.parts());
        let keyframe = fresh || list.tick != Some(tick.wrapping_sub(1));
        let mut writer = BitWriter::new(out);
        if keyframe {
            list.clear();
            writer.put(u64::from(TYPE_KEYFRAME), TYPE_BITS + TICK_BITS);
            writer.put(u64::from(tick), 32);
            writer.put(margin_bits(margin), 8);
        } else {
            put_delta_head(tick, margin, &mut writer);
        }
        // The public part replaces all of the list.
        if parts.has_private() {
            self.list.take(list, &parts, Part::Private, changes.step());
        }
        let (mut checksum, copied) = match sight.shared() {
            Some(focus) => {
                let terms = Terms { keyframe, focus };
                self.put_shared(list, terms, changes, sight, &mut writer)
            }
            None => (self.put_public(list, keyframe, changes, sight, &mut writer), false),
        };
        if parts.has_private() {
            self.put_part(Part::Private, keyframe, changes, sight, &mut writer);
            self.list.give(list, &parts, Part::Private);
            checksum = checksum.wrapping_add(self.checksum(Part::Private, changes));
        }
        list.tick = Some(tick);
        writer.flag(is_checked(tick));
        if is_checked(tick) {
            writer.put(u64::from(checksum), 32);
        }
        writer.finish();
        copied
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
        put_delta_head(step.tick, None, &mut writer);
        let parts = Parts::of(kinds);
        self.list.take(list, &parts, Part::Public, step);
        self.list.take(list, &parts, Part::Private, step);
        for which in parts.all() {
            self.put_going((&parts, which), kinds, step, sight, &mut writer);
            self.list.give(list, &parts, which);
            // Nothing enters.
            writer.flag(false);
        }
        // No checksum.
        writer.flag(false);
        writer.finish();
        list.tick = Some(step.tick);
    }

    /// The public part, copied if somebody else was sent the same; its checksum, if the tick has one, and whether it was.
    fn put_shared(
        &mut self,
        list: &mut ViewList,
        terms: Terms,
        changes: &mut Changes,
        sight: &impl Sight,
        writer: &mut BitWriter<'_>,
    ) -> (u32, bool) {
        if let Some(made) = changes.shared.find(terms, list, &changes.parts()) {
            made.copy(list, writer);
            return (made.checksum, true);
        }
        let Some(mut made) = changes.shared.room() else {
            return (self.put_public(list, terms.keyframe, changes, sight, writer), false);
        };
        made.begin(terms, list);
        let mut own = BitWriter::new(&mut made.bytes);
        let checksum = self.put_public(list, terms.keyframe, changes, sight, &mut own);
        made.bits = own.finish_words(0);
        made.checksum = checksum;
        made.end(list);
        made.put(writer);
        changes.shared.keep(made);
        (checksum, false)
    }

    /// The public part for one receiver; its checksum, if the tick has one.
    fn put_public(
        &mut self,
        list: &mut ViewList,
        keyframe: bool,
        changes: &mut Changes,
        sight: &impl Sight,
        writer: &mut BitWriter<'_>,
    ) -> u32 {
        self.list.take(list, &changes.parts(), Part::Public, changes.step());
        self.put_part(Part::Public, keyframe, changes, sight, writer);
        self.list.give(list, &changes.parts(), Part::Public);
        self.checksum(Part::Public, changes)
    }

    /// The sum over what is at hand, 0 in a tick that has none.
    fn checksum(&self, which: Part, changes: &Changes) -> u32 {
        if !is_checked(changes.tick()) {
            return 0;
        }
        changes.parts().kinds(which).fold(0u32, |sum, kind| {
            let slots = self.list.of(kind).iter();
            slots.fold(sum, |sum, &slot| sum.wrapping_add(changes.hash(kind, slot)))
        })
    }

    /// A part of the list at hand: what is there goes on, unless all begins anew, and what comes into view enters.
    fn put_part(
        &mut self,
        which: Part,
        keyframe: bool,
        changes: &mut Changes,
        sight: &impl Sight,
        writer: &mut BitWriter<'_>,
    ) {
        if !keyframe {
            let (kinds, step) = (changes.kinds(), changes.step());
            self.put_going((&changes.parts(), which), kinds, step, sight, writer);
        }
        self.put_enters(which, changes, sight, writer);
    }

    fn put_going(
        &mut self,
        (parts, which): (&Parts, Part),
        kinds: &[Kind],
        step: &Step,
        sight: &impl Sight,
        writer: &mut BitWriter<'_>,
    ) {
        self.coming.clear();
        for kind in parts.kinds(which) {
            if !self.list.of(kind).is_empty() {
                self.put_kind(kind, kinds[kind].treatment, step, sight, writer);
            }
        }
        for &(kind, slot) in &self.coming {
            if self.list.claim(kind, slot) {
                self.list.put(kind, slot, step);
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
        let slots = self.list.of(kind);
        let KindStep { quiet, briefs, .. } = &step.kinds[kind];
        self.dropped.clear();
        self.changed.clear();
        self.leaving.clear();
        for (index, &slot) in (0..).zip(slots) {
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
                for (index, &slot) in (0..).zip(slots) {
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
        self.list.remove(kind, &self.leaving);
    }

    fn put_enters(
        &mut self,
        which: Part,
        changes: &mut Changes,
        sight: &impl Sight,
        writer: &mut BitWriter<'_>,
    ) {
        let (kinds, coming, list) = (changes.kinds(), &mut self.coming, &mut self.list);
        coming.clear();
        sight.offer(which, |kind, slot| {
            if list.claim(kind, slot) {
                coming.push((kind, slot));
            }
        });
        writer.flag(!coming.is_empty());
        if coming.is_empty() {
            return;
        }
        coming.sort_unstable_by_key(|&(kind, slot)| (kind, changes.id(kind, slot)));
        for kind in (0..kinds.len()).filter(|&kind| which.has(&kinds[kind])) {
            let of_kind = coming.partition_point(|&(k, _)| k < kind)
                ..coming.partition_point(|&(k, _)| k <= kind);
            writer.golomb(COUNT_ORDER, of_kind.len() as u32);
            let mut last = None;
            for &(_, slot) in &coming[of_kind] {
                let id = changes.id(kind, slot);
                put_id(writer, last, id);
                last = Some(id);
                changes.put_record(kind, slot, list.of(kind).first().copied(), writer);
                list.put(kind, slot, changes.step());
            }
        }
    }
}

/// Whether frames of a tick carry a checksum.
fn is_checked(tick: Tick) -> bool {
    tick.is_multiple_of(CHECKSUM_TICKS)
}

fn put_delta_head(tick: Tick, margin: Option<f64>, writer: &mut BitWriter<'_>) {
    writer.put(u64::from(TYPE_DELTA), TYPE_BITS);
    writer.put(u64::from(tick) & ((1 << TICK_BITS) - 1), TICK_BITS);
    writer.put(margin_bits(margin), 8);
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
