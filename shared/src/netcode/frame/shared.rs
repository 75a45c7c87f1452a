//! What several receivers are sent alike: the public part of a tick's frames, made for the first of those who have the
//! same entities and see the same, and copied for the others. Everybody in a room that fits one view is such a receiver,
//! and whoever watches the same player. They are kept with the world that they tell of ([`super::changes`]): of another
//! one, as that of some seconds ago, the same slots mean something else.

use super::list::ViewList;
use super::{Part, Parts};
use crate::game::Focus;
use crate::wire::bits::BitWriter;
use crate::wire::field::KINDS_MAX;

/// Different public parts that are kept in one tick. With more of them, those that come late are made for each receiver.
const KEPT_MAX: usize = 8;

/// What a public part follows from, together with what the receiver has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Terms {
    pub(super) keyframe: bool,
    pub(super) focus: Focus,
}

/// The public part of a frame.
#[derive(Debug, Default)]
pub(super) struct Made {
    terms: Option<Terms>,
    /// What the receiver had, and what it has then.
    before: Vec<u16>,
    lens_before: [u16; KINDS_MAX],
    after: Vec<u16>,
    lens_after: [u16; KINDS_MAX],
    /// Whole words, and how many bits of them.
    pub(super) bytes: Vec<u8>,
    pub(super) bits: u32,
    /// The checksum of what the receiver has then, if this tick has one.
    pub(super) checksum: u32,
}

impl Made {
    /// It is made from these terms, for a receiver who has this.
    pub(super) fn begin(&mut self, terms: Terms, list: &ViewList) {
        self.terms = Some(terms);
        self.before.clear();
        self.before.extend_from_slice(list.public());
        self.lens_before = list.lens();
        self.bytes.clear();
    }

    /// The receiver has this now.
    pub(super) fn end(&mut self, list: &ViewList) {
        self.after.clear();
        self.after.extend_from_slice(list.public());
        self.lens_after = list.lens();
    }

    /// Appends the bits.
    pub(super) fn put(&self, writer: &mut BitWriter<'_>) {
        writer.append(&self.bytes, self.bits);
    }

    /// Another receiver is sent the same.
    pub(super) fn copy(&self, list: &mut ViewList, writer: &mut BitWriter<'_>) {
        self.put(writer);
        list.become_public(&self.after, self.lens_after);
    }

    /// Whether it was made from these terms for somebody who had the same. Slots alone do not say so: those of two kinds
    /// have the same numbers.
    fn fits(&self, terms: Terms, list: &ViewList, parts: &Parts) -> bool {
        let (mine, others) = (self.lens_before, list.lens());
        self.terms == Some(terms)
            && self.before == list.public()
            && parts.kinds(Part::Public).all(|kind| mine[kind] == others[kind])
    }
}

/// The public parts of a tick that may serve again.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// The first [`Self::len`] count; the others are memory.
    made: Vec<Made>,
    len: usize,
}

impl Shared {
    /// A new tick: nothing has been made yet.
    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    /// The one that was made from these terms for somebody who had the same.
    pub(super) fn find(&self, terms: Terms, list: &ViewList, parts: &Parts) -> Option<&Made> {
        self.made[..self.len].iter().find(|made| made.fits(terms, list, parts))
    }

    /// One that is to be made and kept, if there is room.
    pub(super) fn room(&mut self) -> Option<Made> {
        if self.len == KEPT_MAX {
            return None;
        }
        self.made.resize_with(self.made.len().max(self.len + 1), Made::default);
        Some(core::mem::take(&mut self.made[self.len]))
    }

    /// Keeps what there was room for.
    pub(super) fn keep(&mut self, made: Made) {
        self.made[self.len] = made;
        self.len += 1;
    }
}
