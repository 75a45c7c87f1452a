//! The world as frames have it: the present, or for delayed spectators that of some seconds ago. Comes in: rows, once a
//! tick. Goes out: what changed since the tick before, and who may see what of it.

use super::interest::Interest;
use shared::game::{Game, Tick};
use shared::netcode::frame::Changes;
use shared::wire::{Kind, Rows};

/// A world as frames have it.
pub(super) struct World {
    /// What is there, and what is not as it was or was expected.
    pub(super) changes: Changes,
    /// The same by place and by owner.
    pub(super) interest: Interest,
}

impl World {
    /// An empty world before its first tick.
    pub(super) fn new(kinds: &'static [Kind]) -> Self {
        Self { changes: Changes::new(kinds), interest: Interest::new(kinds) }
    }

    /// Half of a tick: takes its rows from `publish`, see [`Changes::advance`].
    pub(super) fn publish<G: Game>(
        &mut self,
        at: (Tick, usize),
        rules: &G::Rules,
        publish: impl FnOnce(&mut Rows),
    ) {
        self.changes.advance::<G>(at, rules, publish);
    }

    /// The other half, before anybody looks: sorts what is there.
    pub(super) fn sort(&mut self) {
        self.interest.rebuild(&self.changes);
    }
}
