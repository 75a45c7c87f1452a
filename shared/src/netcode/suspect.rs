//! Rows that were found wrong. Comes in: what the receiver had when a checksum differed, the frames after
//! that, and at last a keyframe. Goes out: which fields were wrong, for a developer to find the cause.
//!
//! A checksum tells only that something differs. So the wrong rows are kept and taken on by the frames that
//! still come, beside the stream that waits for its keyframe; they stay wrong in what was wrong. Taken on
//! once more by the rules, to the keyframe's tick, they are laid beside what is right. What is named may
//! hold a field or two that were corrected in just that tick, but what was wrong is among it.

use super::frame::decode;
use super::going_on::GoingOn;
use crate::game::{Fate, Game, Tick};
use crate::wire::field::FIELDS_MAX;
use crate::wire::message::Difference;
use crate::wire::{Rows, WireError};

/// Differences that are told of one mismatch, at most.
pub const DIFFERENCES_MAX: usize = 4;

/// Rows that are wrong somewhere.
#[derive(Debug)]
pub(super) struct Suspect {
    pub(super) tick: Tick,
    pub(super) rows: Rows,
}

impl Suspect {
    /// Takes them on by the first frame of a message, if it follows on them.
    pub(super) fn go_on<G: Game>(&mut self, rules: &G::Rules, mut message: &[u8]) {
        let (mut going, mut rows) = (GoingOn::new(G::KINDS), Rows::new(G::KINDS));
        let (tick, before) = (Some(self.tick), &self.rows);
        let read = decode::<G>(rules, &mut going, before, tick, &mut message, &mut rows);
        // Wrong they are, so a checksum that differs is no news.
        if matches!(read, Ok(_) | Err(WireError::Checksum)) {
            self.rows = rows;
            self.tick = self.tick.wrapping_add(1);
        }
    }

    /// What differs from the rows of the next tick, at most [`DIFFERENCES_MAX`]; nothing when they are of
    /// another tick.
    pub(super) fn explain<G: Game>(
        &self,
        rules: &G::Rules,
        tick: Tick,
        truth: &Rows,
    ) -> Vec<Difference> {
        let mut found = Vec::new();
        if self.tick.wrapping_add(1) != tick {
            return found;
        }
        let mut spawned = Rows::new(G::KINDS);
        for (kind, spec) in G::KINDS.iter().enumerate() {
            for (id, is) in truth.table(kind).iter() {
                let mine = self.rows.table(kind);
                let Some(before) = mine.find(id).map(|index| mine.row(index)) else { continue };
                let mut had = [0; FIELDS_MAX];
                let had = &mut had[..is.len()];
                had.copy_from_slice(before);
                had[..spec.leads()].copy_from_slice(&is[..spec.leads()]);
                spawned.clear();
                if G::expect(rules, kind, id, before, had, &mut spawned) == Fate::Ends {
                    continue;
                }
                let fields = had.iter().zip(is).enumerate().filter(|(_, (had, is))| had != is);
                found.extend(fields.map(|(field, (&had, &is))| Difference {
                    kind: kind as u8,
                    id,
                    field: field as u8,
                    had,
                    is,
                }));
            }
        }
        found.truncate(DIFFERENCES_MAX);
        found
    }
}
