//! A stand-in for the clock around a session: it charges made-up times for what a tick did, so that a server can be
//! overloaded in virtual time, on any machine and the same in every run. What it charges the real [`LoopWatch`] is told.

use crate::network::MemoryOutbox;
use server::config::Config;
use server::live::Live;
use server::overload::{LoopWatch, Overload};
use server::session::restraint::Restraint;
use server::session::{Counts, Session};
use shared::game::Game;
use std::sync::Arc;
use std::time::Duration;

/// Ticks between two looks at how many people there are.
const LOOK_TICKS: u64 = 15;

/// What a tick costs, in ms.
#[derive(Clone, Copy, Debug)]
pub struct Price {
    /// For everybody who is here, whatever they are sent: rules and inputs.
    pub person: f64,
    /// For each message of frames.
    pub message: f64,
    /// For each byte of frames.
    pub byte: f64,
}

/// Charges for ticks.
pub struct Stopwatch {
    /// What it charges.
    pub price: Price,
    /// Whether a tick's charge is told to the server; else it suffers without a remedy.
    pub tells: bool,
    /// About how many more people fit, as of the last look.
    pub room: Option<u32>,
    /// The newest charge for a tick, in ms.
    pub newest_ms: f64,
    watch: LoopWatch,
    counted: Counts,
    /// When the loop sleeps again, in ms.
    free_at: f64,
    spent_ms: f64,
    steps: u64,
    ticks: u64,
}

impl Stopwatch {
    /// Charges `price` for ticks of 30 Hz, under the usual settings.
    pub fn new(price: Price) -> Self {
        let overload = Arc::new(Overload::new(Arc::new(Live::new(Config::default())), 1));
        Self {
            price,
            tells: true,
            room: None,
            newest_ms: 0.0,
            watch: LoopWatch::new(overload, 0, 30),
            counted: Counts::default(),
            free_at: 0.0,
            spent_ms: 0.0,
            steps: 0,
            ticks: 0,
        }
    }

    /// Whether the ticks before are not done yet.
    pub(crate) fn is_busy(&self, now: f64) -> bool {
        now < self.free_at
    }

    /// So many ticks are made now.
    pub(crate) fn begin(&mut self, due: u64) {
        (self.steps, self.spent_ms) = (due, 0.0);
    }

    /// A tick was made.
    pub(crate) fn charge<G: Game>(&mut self, session: &Session<G, MemoryOutbox>) {
        let now = session.counts();
        let before = std::mem::replace(&mut self.counted, now);
        let Price { person, message, byte } = self.price;
        let people = (session.players() - session.away()) as f64 * person;
        let messages = (now.frames - before.frames) as f64 * message;
        // Keyframes are left out: everybody needs one on the way in, whatever is given up.
        let bytes = |counts: Counts| counts.frame_bytes - counts.keyframe_bytes;
        self.newest_ms = people + messages + (bytes(now) - bytes(before)) as f64 * byte;
        self.spent_ms += self.newest_ms;
        self.ticks += 1;
    }

    /// All that were due are made; what the session is to be told.
    pub(crate) fn end<G: Game>(
        &mut self,
        now: f64,
        session: &Session<G, MemoryOutbox>,
    ) -> Option<Restraint> {
        if self.steps == 0 {
            return None;
        }
        self.free_at = now + self.spent_ms;
        if !self.tells {
            return None;
        }
        let told = self.watch.worked(Duration::from_secs_f64(self.spent_ms / 1000.0), self.steps);
        if self.ticks >= LOOK_TICKS {
            self.ticks = 0;
            self.room = self.watch.room(session.players() as u32);
        }
        told
    }
}
