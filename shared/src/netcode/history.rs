//! The rows of the last ticks, as a client decoded them.

use crate::game::{Game, Tick};
use crate::wire::message::Difference;
use crate::wire::{Kind, Rows, WireError};

use super::frame::{Decoded, TYPE_DELTA, TYPE_MASK, decode};
use super::going_on::GoingOn;
use super::suspect::Suspect;

/// How many ticks a client keeps. Playback is some ticks behind, at most this many.
pub const HISTORY_TICKS: usize = 32;

/// Decoded ticks, oldest first.
#[derive(Debug)]
pub struct History {
    kinds: &'static [Kind],
    /// How many ticks are kept.
    kept: usize,
    ticks: Vec<(Tick, Rows)>,
    /// Memory of forgotten ticks, to be used again.
    spare: Vec<Rows>,
    going: GoingOn,
    /// What was wrong when a checksum differed, until the keyframe.
    suspect: Option<Suspect>,
    explained: Vec<Difference>,
}

impl History {
    /// Nothing decoded yet; [`HISTORY_TICKS`] will be kept.
    pub fn new(kinds: &'static [Kind]) -> Self {
        Self::keeping(kinds, HISTORY_TICKS)
    }

    /// Nothing decoded yet; the newest tick alone will be kept, as for whoever draws nothing of the past.
    pub fn of_newest(kinds: &'static [Kind]) -> Self {
        Self::keeping(kinds, 1)
    }

    fn keeping(kinds: &'static [Kind], kept: usize) -> Self {
        Self {
            kinds,
            kept,
            ticks: Vec::new(),
            spare: Vec::new(),
            going: GoingOn::new(kinds),
            suspect: None,
            explained: Vec::new(),
        }
    }

    /// The newest tick and its rows.
    pub fn newest(&self) -> Option<(Tick, &Rows)> {
        self.ticks.last().map(|(tick, rows)| (*tick, rows))
    }

    /// Reads a message of one frame or more and keeps what each leads to; what it tells is the newest
    /// frame's, but for its bits, which are all frames'. After an error, what was read before it is kept.
    pub fn take<G: Game>(
        &mut self,
        rules: &G::Rules,
        message: &[u8],
    ) -> Result<Decoded, WireError> {
        self.take_each::<G>(rules, message, |_, _| ())
    }

    /// The same, and `each` is told each tick and its rows, also where the newest alone is kept.
    pub fn take_each<G: Game>(
        &mut self,
        rules: &G::Rules,
        mut message: &[u8],
        mut each: impl FnMut(Tick, &Rows),
    ) -> Result<Decoded, WireError> {
        let mut all = self.take_frame::<G>(rules, &mut message)?;
        loop {
            if let Some((tick, rows)) = self.newest() {
                each(tick, rows);
            }
            if message.is_empty() {
                return Ok(all);
            }
            let next = self.take_frame::<G>(rules, &mut message)?;
            all = next.after(&all);
        }
    }

    fn take_frame<G: Game>(
        &mut self,
        rules: &G::Rules,
        message: &mut &[u8],
    ) -> Result<Decoded, WireError> {
        let mut rows = self.spare.pop().unwrap_or_else(|| Rows::new(self.kinds));
        let nothing = Rows::default();
        let newest = self.ticks.last();
        let (tick, before) = newest.map_or((None, &nothing), |(t, r)| (Some(*t), r));
        let whole = *message;
        let read = decode::<G>(rules, &mut self.going, before, tick, message, &mut rows);
        let decoded = match read {
            Ok(decoded) => decoded,
            Err(error) => {
                if let Some(suspect) = &mut self.suspect {
                    suspect.go_on::<G>(rules, whole);
                } else if let (WireError::Checksum, Some(tick)) = (error, tick)
                    && whole[0] & TYPE_MASK == TYPE_DELTA
                {
                    self.suspect = Some(Suspect { tick: tick.wrapping_add(1), rows });
                    return Err(error);
                }
                self.spare.push(rows);
                return Err(error);
            }
        };
        if let Some(suspect) = self.suspect.take() {
            self.explained = suspect.explain::<G>(rules, decoded.tick, &rows);
        }
        if tick.is_some_and(|t| decoded.tick.wrapping_sub(t) as i32 <= 0) {
            // A keyframe of an older or the same tick: what came before is no history of it.
            self.spare.extend(self.ticks.drain(..).map(|(_, rows)| rows));
        }
        if self.ticks.len() == self.kept {
            self.spare.push(self.ticks.remove(0).1);
        }
        self.ticks.push((decoded.tick, rows));
        Ok(decoded)
    }

    /// What was wrong in the rows that the last keyframe replaced, as far as that can be said; once.
    pub fn take_explained(&mut self) -> Vec<Difference> {
        core::mem::take(&mut self.explained)
    }

    /// The ticks around `position`, and how far between them it lies (0 to 1). Both are the newest or the
    /// oldest when it lies beyond.
    pub fn around(&self, position: f64) -> Option<(&Rows, &Rows, f32)> {
        let after = self.ticks.partition_point(|(tick, _)| f64::from(*tick) <= position);
        let before = after.saturating_sub(1);
        let (t0, rows0) = self.ticks.get(before)?;
        let (t1, rows1) = self.ticks.get(after).unwrap_or(&self.ticks[before]);
        let share = if t1 == t0 { 0.0 } else { (position - f64::from(*t0)) / f64::from(t1 - t0) };
        Some((rows0, rows1, share.clamp(0.0, 1.0) as f32))
    }

    /// Changes the newest rows, to see in tests that the checksum finds out.
    pub fn newest_mut(&mut self) -> Option<&mut Rows> {
        self.ticks.last_mut().map(|(_, rows)| rows)
    }
}
