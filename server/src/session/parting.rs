//! The end of a session because the server is about to stop. Comes in: for how long it may still go on. Goes out:
//! notices, nobody new, and an end at a good moment: after the round's result, if that comes in time.

use super::Session;
use super::door::Outbox;
use shared::game::{Game, Tick};
use shared::wire::close::CloseCode;
use shared::wire::message::Phase;

/// How players' connections end when the server stops.
pub const STOPPING: (CloseCode, &str) =
    (CloseCode::GoingAway, "The server has stopped; it may be back in a minute.");
/// How they end where the session goes on on another server of the site.
pub const MOVING: (CloseCode, &str) =
    (CloseCode::Moved, "The session moves to another server; it goes on in a moment.");
/// What is said to whoever comes while the last rounds go on.
pub(super) const NOBODY_NEW: &str = "The server is about to stop: nobody new is let in.";
/// For how long a session still goes on in which no round is to be finished, in seconds: long enough to read why.
pub(super) const NOTICE_SECONDS: u32 = 10;

/// How the end stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parting {
    /// It is over then, whatever goes on.
    by: Tick,
    /// When everybody is told once more.
    remind: Option<Tick>,
}

impl<G: Game, O: Outbox> Session<G, O> {
    /// From now on nobody new is let in, and within so many seconds it is over.
    pub(super) fn part_within(&mut self, seconds: u32) {
        if self.parting.is_some() {
            return;
        }
        let in_round = matches!(self.rounds.phase, Phase::Play | Phase::Results);
        let seconds = if in_round { seconds } else { seconds.min(NOTICE_SECONDS) };
        let by = self.tick.wrapping_add(self.config.ticks(seconds));
        let notice = self.config.ticks(NOTICE_SECONDS);
        let remind = (seconds > 2 * NOTICE_SECONDS).then(|| by.wrapping_sub(notice));
        self.parting = Some(Parting { by, remind });
        let when = if in_round { "when this round is over, at the latest " } else { "" };
        self.announce(&format!(
            "The server stops {when}in {seconds} seconds. If it comes back, so does this page by itself."
        ));
    }

    /// Ends when it is time.
    pub(super) fn part(&mut self) {
        let Some(parting) = &mut self.parting else { return };
        let reached = |tick: Tick| self.tick.wrapping_sub(tick) as i32 >= 0;
        // Whose session was interrupted just now is on the way back.
        let deserted = self.players.here() == 0 && !self.awaits_people;
        if reached(parting.by) || deserted {
            self.end_with_the_server();
        } else if parting.remind.is_some_and(reached) {
            parting.remind = None;
            self.announce(&format!("The server stops in {NOTICE_SECONDS} seconds."));
        }
    }

    /// Nothing of it is to go on elsewhere, but its players may come back.
    pub(super) fn end_with_the_server(&mut self) {
        self.ended.get_or_insert(STOPPING);
    }
}
