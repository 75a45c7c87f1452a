//! How much somebody may say, and how often what costs something is done. Comes in: what somebody says or wants, and
//! when. Goes out: whether it is granted.

use shared::game::Tick;

/// Lines of chat and signs that a player may give at once; more come back with time.
const CHAT_LINES_BURST: u32 = 5;
/// Seconds until one more line is allowed.
const CHAT_SECONDS_PER_LINE: u32 = 2;
/// Lines beyond the allowance that are swallowed with a warning; the next one ends the connection.
const CHAT_LINES_SWALLOWED_MAX: u32 = 10;

/// How much a player may still say. It outlives a connection, so that coming back is no way round it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ChatAllowance {
    said: u32,
    swallowed: u32,
    since: Tick,
}

/// What becomes of one more line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is said.
    Granted,
    /// It is not; `first` for the first in a while.
    Swallowed {
        /// Whether it is time to say so.
        first: bool,
    },
    /// Somebody does not stop.
    TooMuch,
}

impl ChatAllowance {
    /// One more line at `tick`, of `rate` in a second; of who is muted none is granted.
    pub(super) fn take(&mut self, tick: Tick, rate: u32, muted: bool) -> Taken {
        let earned = tick.wrapping_sub(self.since) / (CHAT_SECONDS_PER_LINE * rate);
        if earned > 0 {
            self.said = self.said.saturating_sub(earned);
            self.since = tick;
            self.swallowed = 0;
        }
        if self.said < CHAT_LINES_BURST && !muted {
            self.said += 1;
            return Taken::Granted;
        }
        self.swallowed += 1;
        if self.swallowed > CHAT_LINES_SWALLOWED_MAX {
            return Taken::TooMuch;
        }
        Taken::Swallowed { first: self.swallowed == 1 }
    }
}

/// Keeps two of a kind apart: when the last one was, if there was any.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pause(Option<Tick>);

impl Pause {
    /// Whether the last one is at least so many ticks ago; if so `now` is the next.
    pub(super) fn take(&mut self, now: Tick, ticks: u32) -> bool {
        let is_over = self.0.is_none_or(|last| now.wrapping_sub(last) >= ticks);
        if is_over {
            self.0 = Some(now);
        }
        is_over
    }
}
