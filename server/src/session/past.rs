//! The world as it was some seconds ago, for spectators whose session does not let them pass on what they
//! see. Comes in: the world, tick by tick, and what everybody is told of it. Goes out: the same, later. Where a new
//! world is to be seen with another delay, all that waits is shown before it.
//!
//! What waits is a stream of frames with all of the world in view, as a client would get them: a few
//! hundred bytes per tick. It is numbered anew when it is shown, so that to its watchers the past is simply
//! a world of its own.

use super::Terms;
use super::frames::FrameWriter;
use super::world::World;
use bytes::Bytes;
use shared::game::{Game, PlayerId, Tick};
use shared::netcode::frame::ViewList;
use shared::netcode::history::History;
use std::collections::VecDeque;
use std::sync::Arc;

/// What spectators are told of a tick once they see it.
#[derive(Debug, Default)]
pub(super) struct ToldLater {
    /// What happened, phases and results among it.
    pub(super) messages: Vec<Bytes>,
    /// How everybody stands, where that was reckoned in this tick.
    pub(super) standings: Option<LateStandings>,
    /// Where the rounds are, if that is new.
    pub(super) phase: Option<LatePhase>,
}

/// How everybody stands, as spectators are told.
#[derive(Debug, Default)]
pub(super) struct LateStandings {
    /// The whole message; empty before the first.
    pub(super) message: Bytes,
    pub(super) leader: Option<PlayerId>,
}

/// Where the rounds are, for who comes to see it in the middle.
#[derive(Clone, Debug)]
pub(super) struct LatePhase {
    pub(super) phase: Bytes,
    /// How the round ended, while that is shown.
    pub(super) results: Option<Bytes>,
}

/// One tick that waits.
struct DelayedTick<G: Game> {
    tick: Tick,
    frame: Vec<u8>,
    told: ToldLater,
    /// Set when the world began anew with this tick.
    begins: Option<Arc<Terms<G>>>,
}

/// What is shown after a past.
enum Next<G: Game> {
    /// It goes on.
    Same,
    /// Once all that waits is shown, the present.
    Present,
    /// Or a past with another delay, which goes on meanwhile unseen.
    Past(Box<Past<G>>),
}

/// The world of some ticks ago.
pub(super) struct Past<G: Game> {
    /// By how many ticks it is delayed.
    delay: Tick,
    next: Next<G>,
    waiting: VecDeque<DelayedTick<G>>,
    list: ViewList,
    next_begins: Option<Arc<Terms<G>>>,
    history: History,
    /// Setup and rules of the world that is shown.
    pub(super) terms: Arc<Terms<G>>,
    pub(super) world: World,
    /// Of the tick that is shown.
    pub(super) standings: LateStandings,
    /// The same; `None` before the first that is known.
    pub(super) phase: Option<LatePhase>,
}

/// What watchers have to be told with the tick that is shown.
pub(super) struct Shown {
    pub(super) told: Vec<Bytes>,
    /// How everybody stands in it; empty where nothing is shown yet.
    pub(super) standings: Bytes,
    /// Whether the world that they see begins anew with it.
    pub(super) begins: bool,
}

impl<G: Game> Past<G> {
    /// Shows an empty world of these terms until `delay` ticks have passed.
    pub(super) fn new(delay: Tick, terms: Arc<Terms<G>>) -> Self {
        Self {
            delay,
            next: Next::Same,
            waiting: VecDeque::new(),
            list: ViewList::new(),
            next_begins: Some(Arc::clone(&terms)),
            history: History::new(G::KINDS),
            terms,
            world: World::new(G::KINDS),
            standings: LateStandings::default(),
            phase: None,
        }
    }

    /// By how many ticks it is delayed.
    pub(super) fn delay(&self) -> Tick {
        self.delay
    }

    /// From the next tick on there is another world, to be seen with this delay.
    pub(super) fn begins(&mut self, delay: Tick, terms: Arc<Terms<G>>) {
        match &mut self.next {
            Next::Same if self.delay == delay => {
                self.list = ViewList::new();
                self.next_begins = Some(terms);
            }
            Next::Past(next) if next.delay == delay => next.begins(delay, terms),
            next if delay == 0 => *next = Next::Present,
            next => *next = Next::Past(Box::new(Self::new(delay, terms))),
        }
    }

    /// Whether all of it was shown and nothing is added.
    pub(super) fn is_over(&self) -> bool {
        self.waiting.is_empty() && !matches!(self.next, Next::Same)
    }

    /// What is shown when it is over; `None` is the present.
    pub(super) fn next(self) -> Option<Self> {
        match self.next {
            Next::Past(next) => Some(*next),
            Next::Same | Next::Present => None,
        }
    }

    /// Keeps this tick and what was told with it, and shows the one whose time has come, to watchers who lack
    /// at most `lacking` ticks.
    pub(super) fn advance(
        &mut self,
        present: &mut World,
        frames: &mut FrameWriter,
        told: ToldLater,
        lacking: usize,
    ) -> Shown {
        match &mut self.next {
            Next::Same => self.keep(present, frames, told),
            Next::Present => {}
            Next::Past(next) => drop(next.advance(present, frames, told, lacking)),
        }
        self.show((present.changes.tick(), lacking))
    }

    fn keep(&mut self, present: &mut World, frames: &mut FrameWriter, told: ToldLater) {
        let mut frame = Vec::new();
        frames.of_everything(&mut self.list, present, &mut frame);
        let (tick, begins) = (present.changes.tick(), self.next_begins.take());
        self.waiting.push_back(DelayedTick { tick, frame, told, begins });
    }

    fn show(&mut self, at: (Tick, usize)) -> Shown {
        let due = |waiting: &mut DelayedTick<G>| at.0.wrapping_sub(waiting.tick) >= self.delay;
        let Some(DelayedTick { frame, told, begins, .. }) = self.waiting.pop_front_if(due) else {
            self.world.publish::<G>(at, &self.terms.rules, |_| {});
            self.world.sort();
            let standings = self.standings.message.clone();
            return Shown { told: Vec::new(), standings, begins: false };
        };
        let anew = begins.is_some();
        if let Some(terms) = begins {
            self.terms = terms;
            self.history = History::new(G::KINDS);
            self.world = World::new(G::KINDS);
        }
        let taken = self.history.take::<G>(&self.terms.rules, &frame);
        taken.expect("frames of our own, in order");
        let (_, rows) = self.history.newest().expect("just taken");
        self.world.publish::<G>(at, &self.terms.rules, |out| out.append(rows));
        self.world.sort();
        if let Some(standings) = told.standings {
            self.standings = standings;
        }
        if told.phase.is_some() {
            self.phase = told.phase;
        }
        let standings = self.standings.message.clone();
        Shown { told: told.messages, standings, begins: anew }
    }
}
