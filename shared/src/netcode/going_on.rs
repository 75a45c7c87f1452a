//! Rows on their way from one tick to the next. Comes in: rows, and what is known about each of them.
//! Goes out: the same rows a tick later, less those that ended, and with those that came into being.
//! Reading a frame and predicting are both this; they differ in what is known.

use super::frame::going_order;
use crate::game::{Fate, Game};
use crate::wire::field::FIELDS_MAX;
use crate::wire::{Kind, Row, Rows};
use std::convert::Infallible;

/// One tick of a list of rows: begin, step or drop every row once, kind by kind with ascending indices,
/// then finish. It keeps its memory for the next tick.
#[derive(Debug)]
pub struct GoingOn {
    leaving: Vec<(usize, usize)>,
    /// What was spawned takes no step of its own in this tick.
    spawned: Rows,
    scratch: Rows,
}

impl GoingOn {
    /// For rows of these kinds.
    pub fn new(kinds: &[Kind]) -> Self {
        Self { leaving: Vec::new(), spawned: Rows::new(kinds), scratch: Rows::new(kinds) }
    }

    /// A new tick; what an unfinished one left is forgotten.
    pub(crate) fn begin(&mut self) {
        self.leaving.clear();
        self.spawned.clear();
    }

    /// A row is gone and takes no step.
    pub(crate) fn drop(&mut self, kind: usize, index: usize) {
        self.leaving.push((kind, index));
    }

    /// Takes the row at (kind, index) on by the rules. `steer` is called with the row to set its leads,
    /// `correct` with what the rules made of it; it says whether what they spawned is there as well.
    #[inline]
    pub(crate) fn step<G: Game, C, E>(
        &mut self,
        rules: &G::Rules,
        (kind, index): (usize, usize),
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
        let fate = G::expect(rules, kind, id, before, row, &mut self.scratch);
        let spawns = correct(context, row)?;
        if fate == Fate::Ends {
            self.leaving.push((kind, index));
        }
        if spawns && !self.scratch.is_empty() {
            self.spawned.append(&self.scratch);
        }
        Ok(())
    }

    /// A whole tick: rows that `steers` picks follow `input`, the others go on as they did.
    pub(crate) fn by_input<G: Game>(
        &mut self,
        rules: &G::Rules,
        rows: &mut Rows,
        input: &G::Input,
        steers: impl Fn(&Kind, &[i32]) -> bool,
    ) {
        self.begin();
        let mut leads = [0; FIELDS_MAX];
        let leads = &mut leads[..G::Input::FIELDS.len()];
        input.write(leads);
        for kind in going_order(G::KINDS) {
            let spec = &G::KINDS[kind];
            for index in 0..rows.table(kind).len() {
                let stepped: Result<(), Infallible> = self.step::<G, _, _>(
                    rules,
                    (kind, index),
                    rows,
                    &mut (),
                    |(), row| {
                        if spec.leads() > 0 && steers(spec, row) {
                            row[..spec.leads()].copy_from_slice(&leads[..spec.leads()]);
                        }
                        Ok(())
                    },
                    |(), _| Ok(true),
                );
                let Ok(()) = stepped;
            }
        }
        self.finish(rows);
    }

    /// Removes what is gone and puts in what was spawned; ready for the next tick.
    pub(crate) fn finish(&mut self, rows: &mut Rows) {
        for (kind, index) in self.leaving.drain(..).rev() {
            rows.table_mut(kind).remove(index);
        }
        for (kind, table) in self.spawned.tables().iter().enumerate() {
            table.iter().for_each(|(id, row)| rows.table_mut(kind).insert(id, row));
        }
        self.spawned.clear();
    }
}
