//! The world as it was some seconds ago, for spectators whose session does not let them pass on what they
//! see. Comes in: the world, tick by tick, and what everybody is told of it. Goes out: the same, later.
//!
//! What waits is a stream of frames with all of the world in view, as a client would get them: a few
//! hundred bytes per tick. It is numbered anew when it is shown, so that to its watchers the past is simply
//! a world of its own.

use super::Terms;
use super::interest::Interest;
use bytes::Bytes;
use shared::game::{Game, Tick};
use shared::netcode::frame::{Changes, Encoder, Part, Sight, ViewList};
use shared::netcode::history::History;
use shared::wire::Rows;
use std::collections::VecDeque;
use std::sync::Arc;

/// One tick that waits.
struct DelayedTick<G: Game> {
    frame: Vec<u8>,
    told: Vec<Bytes>,
    /// Set when the world began anew with this tick.
    begins: Option<Arc<Terms<G>>>,
}

/// The world of some ticks ago.
pub(super) struct Past<G: Game> {
    /// By how many ticks it is delayed.
    delay: usize,
    waiting: VecDeque<DelayedTick<G>>,
    encoder: Encoder,
    list: ViewList,
    everything: Everything,
    next_begins: Option<Arc<Terms<G>>>,
    history: History,
    /// Setup and rules of the world that is shown.
    pub(super) terms: Arc<Terms<G>>,
    pub(super) changes: Changes,
    pub(super) interest: Interest,
    sorted: Vec<usize>,
}

/// What watchers have to be told with the tick that is shown.
pub(super) struct Shown {
    pub(super) told: Vec<Bytes>,
    /// Whether the world that they see begins anew with it.
    pub(super) begins: bool,
}

/// All that is nobody's private matter is in view.
#[derive(Default)]
struct Everything(Vec<Vec<u32>>);

impl Everything {
    fn look(&mut self, changes: &Changes) {
        self.0.resize_with(changes.kinds().len(), Vec::new);
        for (kind, slots) in self.0.iter_mut().enumerate() {
            slots.clear();
            if !changes.kinds()[kind].private {
                slots.extend_from_slice(changes.slots(kind));
            }
        }
    }
}

impl Sight for Everything {
    fn keeps(&self, _kind: usize, _slot: u32) -> bool {
        true
    }

    fn offer(&self, which: Part, mut visit: impl FnMut(usize, u32)) {
        if which == Part::Public {
            for (kind, slots) in self.0.iter().enumerate() {
                slots.iter().for_each(|&slot| visit(kind, slot));
            }
        }
    }
}

impl<G: Game> Past<G> {
    /// Shows an empty world of these terms until `delay` ticks have passed.
    pub(super) fn new(delay: Tick, terms: Arc<Terms<G>>) -> Self {
        Self {
            delay: delay as usize,
            waiting: VecDeque::new(),
            encoder: Encoder::new(),
            list: ViewList::new(),
            everything: Everything::default(),
            next_begins: None,
            history: History::new(G::KINDS),
            terms,
            changes: Changes::new(G::KINDS),
            interest: Interest::new(G::KINDS),
            sorted: Vec::new(),
        }
    }

    /// By how many ticks it is delayed.
    pub(super) fn delay(&self) -> Tick {
        self.delay as Tick
    }

    /// From the next tick on there is another world.
    pub(super) fn begins(&mut self, terms: Arc<Terms<G>>) {
        self.list = ViewList::new();
        self.next_begins = Some(terms);
    }

    /// Keeps this tick and what was told with it, and shows the one whose time has come, to watchers who lack
    /// at most `lacking` ticks.
    pub(super) fn advance(
        &mut self,
        present: &mut Changes,
        told: Vec<Bytes>,
        lacking: usize,
    ) -> Shown {
        let mut frame = Vec::new();
        self.everything.look(present);
        let list = &mut self.list;
        self.encoder.frame(list, present, &self.everything, false, None, &mut frame);
        let begins = self.next_begins.take();
        self.waiting.push_back(DelayedTick { frame, told, begins });
        let due = self.waiting.len() > self.delay;
        let moment = if due { self.waiting.pop_front() } else { None };
        let at = (present.tick(), lacking);
        let Some(DelayedTick { frame, told, begins }) = moment else {
            self.changes.advance::<G>(at, &self.terms.rules, |_| {});
            self.interest.rebuild(&self.changes);
            return Shown { told: Vec::new(), begins: false };
        };
        let anew = begins.is_some();
        if let Some(terms) = begins {
            self.terms = terms;
            self.history = History::new(G::KINDS);
            self.changes = Changes::new(G::KINDS);
            self.interest = Interest::new(G::KINDS);
        }
        let taken = self.history.take::<G>(&self.terms.rules, &frame);
        taken.expect("frames of our own, in order");
        let (_, rows) = self.history.newest().expect("just taken");
        let sorted = &mut self.sorted;
        self.changes.advance::<G>(at, &self.terms.rules, |out| copy_sorted(rows, out, sorted));
        self.interest.rebuild(&self.changes);
        Shown { told, begins: anew }
    }
}

/// A client's rows are in no order; the world's ascend.
fn copy_sorted(rows: &Rows, out: &mut Rows, order: &mut Vec<usize>) {
    for (kind, table) in rows.tables().iter().enumerate() {
        order.clear();
        order.extend(0..table.len());
        order.sort_unstable_by_key(|&index| table.ids()[index]);
        for &index in order.iter() {
            out.table_mut(kind).push(table.ids()[index], table.row(index));
        }
    }
}
