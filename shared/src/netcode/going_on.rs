//! Rows on their way from one tick to the next. Comes in: rows, and what is known about each of them.
//! Goes out: the same rows a tick later, less those that ended, and with those that came into being.
//! Reading a frame and predicting are both this; they differ in what is known.

use crate::game::{Fate, Game};
use crate::wire::Rows;
use crate::wire::field::FIELDS_MAX;

/// One tick of a list of rows. Step every row of every kind once, kind by kind with ascending indices,
/// then finish.
pub(crate) struct GoingOn<'a, G: Game> {
    rules: &'a G::Rules,
    ended: Vec<(usize, usize)>,
    /// In spawning order; what was spawned takes no step of its own in this tick.
    spawned: Rows,
    scratch: Rows,
}

impl<'a, G: Game> GoingOn<'a, G> {
    pub(crate) fn new(rules: &'a G::Rules) -> Self {
        let (spawned, scratch) = (Rows::new(G::KINDS), Rows::new(G::KINDS));
        Self { rules, ended: Vec::new(), spawned, scratch }
    }

    /// Takes a row on by the rules. `steer` is called with the row to set its leads, `correct` with what
    /// the rules made of it; it says whether what they spawned is there as well.
    pub(crate) fn step<C, E>(
        &mut self,
        kind: usize,
        index: usize,
        rows: &mut Rows,
        context: &mut C,
        steer: impl FnOnce(&mut C, &mut [i32]) -> Result<(), E>,
        correct: impl FnOnce(&mut C, &mut [i32]) -> Result<bool, E>,
    ) -> Result<(), E> {
        let id = rows.table(kind).ids()[index];
        let row = rows.table_mut(kind).row_mut(index);
        let mut before = [0; FIELDS_MAX];
        let before = &mut before[..row.len()];
        before.copy_from_slice(row);
        steer(context, row)?;
        self.scratch.clear();
        let fate = G::expect(self.rules, kind, id, before, row, &mut self.scratch);
        let spawns = correct(context, row)?;
        if fate == Fate::Ends {
            self.ended.push((kind, index));
        }
        if spawns && !self.scratch.is_empty() {
            self.spawned.append(&self.scratch);
        }
        Ok(())
    }

    /// Removes what ended and appends what was spawned; ready for the next tick.
    pub(crate) fn finish(&mut self, rows: &mut Rows) {
        self.ended
            .drain(..)
            .rev()
            .for_each(|(kind, index)| rows.table_mut(kind).swap_remove(index));
        rows.append(&self.spawned);
        self.spawned.clear();
    }
}
