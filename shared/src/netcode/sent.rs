//! Inputs that were sent and whose frames have not come yet. Comes in: each input with the time at which it was due, and
//! each decoded tick. Goes out: how long inputs took until a frame showed them.

use super::prediction::is_own;
use crate::game::{Game, PlayerId, Tick};
use crate::wire::field::FIELDS_MAX;
use crate::wire::{Row, Rows};
use std::collections::VecDeque;
use std::ops::RangeInclusive;

/// Inputs that are kept at most; then the oldest goes uncounted. Eight seconds at 128 Hz: nobody waits longer for a
/// server that has fallen silent.
const SENT_MAX: usize = 1024;

/// (tick, when it was due in ms, what), the newest last.
pub(super) struct Sent<G: Game>(VecDeque<(Tick, f64, G::Input)>);

impl<G: Game> Sent<G> {
    pub(super) fn new() -> Self {
        Self(VecDeque::new())
    }

    /// The input of `tick` is sent, and was due at `now`.
    pub(super) fn push(&mut self, tick: Tick, now: f64, input: G::Input) {
        self.forget_from(tick);
        if self.0.len() == SENT_MAX {
            self.0.pop_front();
        }
        self.0.push_back((tick, now, input));
    }

    /// The last one.
    pub(super) fn newest(&self) -> Option<G::Input> {
        self.0.back().map(|&(_, _, input)| input)
    }

    /// Inputs from `tick` on are made anew.
    pub(super) fn forget_from(&mut self, tick: Tick) {
        while self.0.pop_back_if(|sent| (sent.0.wrapping_sub(tick) as i32) >= 0).is_some() {}
    }

    /// How long ago, in ms, the input of `tick` was due, if the rows of that tick show that `me` was steered by it.
    pub(super) fn confirmed(
        &mut self,
        me: PlayerId,
        tick: Tick,
        rows: &Rows,
        now: f64,
    ) -> Option<f64> {
        while self.0.pop_front_if(|sent| (tick.wrapping_sub(sent.0) as i32) > 0).is_some() {}
        let &(_, at, input) = self.0.front().filter(|sent| sent.0 == tick)?;
        let mut leads = [0; FIELDS_MAX];
        input.write(&mut leads[..G::Input::FIELDS.len()]);
        let used = G::KINDS.iter().enumerate().any(|(kind, spec)| {
            let mut own = rows.table(kind).iter().filter(|(_, row)| is_own(spec, row, me));
            spec.leads() > 0 && own.any(|(_, row)| row[..spec.leads()] == leads[..spec.leads()])
        });
        used.then_some(now - at)
    }

    /// For how long, in ms, those of these ticks have waited, the oldest first.
    pub(super) fn waits(&self, ticks: RangeInclusive<Tick>, now: f64) -> impl Iterator<Item = f64> {
        let those = self.0.iter().filter(move |sent| ticks.contains(&sent.0));
        those.map(move |&(_, at, _)| now - at)
    }
}
