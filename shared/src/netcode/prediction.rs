//! The own entities, ahead of the server. Comes in: own inputs as they are given, and the server's rows
//! as they arrive. Goes out: the inputs that are still under way, whether the server ever disagreed with
//! what they were to do, and by how much the picture still has to move to agree again.
//!
//! The rules and the rows are the server's own, so without outside influence both agree to the bit. The picture is
//! not drawn from what is computed here: `scene` runs the same inputs over the newest rows, with what flies beside the own
//! entities, and to a part of a tick.

use super::going_on::GoingOn;
use super::smoothing::{OWN_KEPT, Offset};
use crate::game::{Game, PlayerId, Tick};
use crate::wire::{Kind, Role, Row, Rows, Treatment};
use std::collections::VecDeque;

/// How far ahead of the newest rows the own entities are shown, in ticks. With a longer stall they wait.
pub const PREDICT_TICKS_MAX: u32 = 40;
/// Inputs that are remembered, in ticks.
const INPUTS_KEPT: usize = 128;

/// Which rows go on by the player's own inputs.
pub(crate) fn is_own(kind: &Kind, row: &[i32], me: PlayerId) -> bool {
    me != PlayerId::NOBODY
        && kind.field_with(Role::Owner).is_some_and(|owner| row[owner] == i32::from(me.0))
}

/// Copies those rows of `from` that `wanted` picks.
pub(crate) fn pick(
    kinds: &[Kind],
    from: &Rows,
    to: &mut Rows,
    wanted: impl Fn(&Kind, &[i32]) -> bool,
) {
    to.clear();
    for (kind, spec) in kinds.iter().enumerate() {
        for (id, row) in from.table(kind).iter().filter(|(_, row)| wanted(spec, row)) {
            to.table_mut(kind).push(id, row);
        }
    }
}

/// What the player did, by tick.
#[derive(Clone, Debug)]
pub struct InputLog<I> {
    inputs: VecDeque<(Tick, I)>,
}

impl<I: Row> InputLog<I> {
    fn new() -> Self {
        Self { inputs: VecDeque::with_capacity(INPUTS_KEPT) }
    }

    fn forget_from(&mut self, tick: Tick) {
        while self.inputs.pop_back_if(|(t, _)| (t.wrapping_sub(tick) as i32) >= 0).is_some() {}
    }

    fn push(&mut self, tick: Tick, input: I) {
        if self.inputs.len() == INPUTS_KEPT {
            self.inputs.pop_front();
        }
        self.inputs.push_back((tick, input));
    }

    /// The input of `tick`, or the last one before it, as the server would repeat it.
    pub fn at(&self, tick: Tick) -> I {
        let after = self.inputs.partition_point(|(t, _)| *t <= tick);
        after.checked_sub(1).map_or_else(I::default, |i| self.inputs[i].1)
    }
}

/// The own entities' future.
pub struct Prediction<G: Game> {
    me: PlayerId,
    inputs: InputLog<G::Input>,
    /// Own steered rows from `base` on, a tick each; the first are the server's.
    ahead: VecDeque<Rows>,
    /// Memory of ticks that are past, to be used again.
    spare: Vec<Rows>,
    base: Tick,
    offset: Offset,
    corrections: u64,
    going: GoingOn,
}

impl<G: Game> Prediction<G> {
    /// Nothing known yet.
    pub fn new(me: PlayerId) -> Self {
        Self {
            me,
            inputs: InputLog::new(),
            ahead: VecDeque::new(),
            spare: Vec::new(),
            base: 0,
            offset: Offset::default(),
            corrections: 0,
            going: GoingOn::new(G::KINDS),
        }
    }

    /// Another world begins. The player's inputs for its first ticks are under way already.
    pub fn begin(&mut self) {
        let inputs = core::mem::replace(&mut self.inputs, InputLog::new());
        *self = Self { inputs, ..Self::new(self.me) };
    }

    /// What the player did.
    pub fn inputs(&self) -> &InputLog<G::Input> {
        &self.inputs
    }

    /// How often the server's rows were not what was predicted.
    pub fn corrections(&self) -> u64 {
        self.corrections
    }

    /// By how many units the own entities are shown beside their place, fading.
    pub fn offset(&self) -> Offset {
        self.offset
    }

    /// The newest tick that is predicted.
    pub fn tick(&self) -> Tick {
        self.base.wrapping_add((self.ahead.len() as u32).saturating_sub(1))
    }

    /// The own rows at the newest predicted tick.
    pub fn newest(&self) -> Option<&Rows> {
        self.ahead.back()
    }

    /// What the player did from `tick` on did not count: it is done anew when its ticks come.
    pub fn forget_from(&mut self, tick: Tick) {
        self.inputs.forget_from(tick);
        let kept = (tick.wrapping_sub(self.base) as i32).max(1) as usize;
        if kept < self.ahead.len() {
            let shown = self.ahead.back().and_then(|rows| place_of::<G>(rows));
            self.spare.extend(self.ahead.drain(kept..));
            if let Some((x, y, id)) = shown {
                self.shift_from(x, y, id);
            }
        }
    }

    /// The input of `tick`; the prediction goes on by it. One for that tick or a later one counts no more.
    pub fn input(&mut self, rules: &G::Rules, tick: Tick, input: G::Input) {
        self.forget_from(tick);
        self.inputs.push(tick, input);
        self.catch_up(rules, tick);
    }

    /// The server's rows at `tick`.
    pub fn correct(&mut self, rules: &G::Rules, tick: Tick, rows: &Rows) {
        let (to, me) = (self.tick(), self.me);
        let mut own = self.spare.pop().unwrap_or_else(|| Rows::new(G::KINDS));
        pick(G::KINDS, rows, &mut own, |kind, row| kind.leads() > 0 && is_own(kind, row, me));
        let known = tick.wrapping_sub(self.base) as usize;
        let wrong = self.ahead.get(known).is_some_and(|guess| differs(guess, &own));
        self.corrections += u64::from(wrong);
        if !wrong && known < self.ahead.len() && self.ahead[known] == own {
            self.spare.push(own);
            self.spare.extend(self.ahead.drain(..known));
            self.base = tick;
            return;
        }
        let shown = self.ahead.back().map(|rows| place_of::<G>(rows));
        self.spare.extend(self.ahead.drain(..));
        self.ahead.push_back(own);
        self.base = tick;
        self.catch_up(rules, to);
        if wrong && let Some(Some((x, y, id))) = shown {
            self.shift_from(x, y, id);
        }
    }

    /// Time passes, in ticks of 1/30 s: offsets fade.
    pub fn fade(&mut self, thirtieths: f32) {
        self.offset.fade(OWN_KEPT, thirtieths);
    }

    fn catch_up(&mut self, rules: &G::Rules, to: Tick) {
        let me = self.me;
        while (to.wrapping_sub(self.tick()) as i32) > 0
            && (self.ahead.len() as u32) <= PREDICT_TICKS_MAX
        {
            let Some(last) = self.ahead.back() else { return };
            let mut rows = self.spare.pop().unwrap_or_default();
            rows.clone_from(last);
            let input = self.inputs.at(self.tick().wrapping_add(1));
            self.going.by_input::<G>(rules, &mut rows, &input, |_, _| true);
            // Shots and the like that these inputs spawn are the scene's to show.
            for (kind, spec) in G::KINDS.iter().enumerate() {
                if !matches!(spec.treatment, Treatment::Steered { .. }) {
                    rows.table_mut(kind).clear();
                }
            }
            debug_assert!(G::KINDS.iter().enumerate().all(|(kind, spec)| {
                rows.table(kind).iter().all(|(_, row)| is_own(spec, row, me))
            }));
            self.ahead.push_back(rows);
        }
    }

    /// The picture stays where it was and moves over by and by.
    fn shift_from(&mut self, x: f32, y: f32, id: u32) {
        let Some((now_x, now_y, _)) =
            self.ahead.back().and_then(|rows| place_of::<G>(rows)).filter(|place| place.2 == id)
        else {
            return;
        };
        self.offset.absorb(x - now_x, y - now_y);
    }

    /// As if the server had just said that the own entities are elsewhere.
    #[cfg(test)]
    pub(super) fn shift(&mut self, x: f32, y: f32) {
        self.offset.absorb(x, y);
    }
}

/// Whether an entity that both have is not the same in both.
fn differs(guess: &Rows, truth: &Rows) -> bool {
    guess.tables().iter().zip(truth.tables()).any(|(guess, truth)| {
        guess.iter().any(|(id, row)| truth.find(id).is_some_and(|i| truth.row(i) != row))
    })
}

/// Place and id of the first entity that has a place.
fn place_of<G: Game>(rows: &Rows) -> Option<(f32, f32, u32)> {
    G::KINDS.iter().enumerate().find_map(|(kind, spec)| {
        let (x, y) = spec.field_with(Role::X).zip(spec.field_with(Role::Y))?;
        let (id, row) = rows.table(kind).iter().next()?;
        Some((spec.fields[x].to_units(row[x]), spec.fields[y].to_units(row[y]), id))
    })
}
