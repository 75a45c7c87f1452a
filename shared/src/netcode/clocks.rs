//! A client's two timelines side by side. Comes in: the first frame, then time. Goes out: for which ticks
//! inputs are to be made, and where others are drawn.

use super::pace::{Direction, Pace};
use crate::game::Tick;

/// How early all but a few inputs should reach the server, in ticks.
const INPUT_SLACK_TICKS: f64 = 0.6;
/// How far the newest rows should be ahead of what is drawn as they arrive, in ticks: the next ones are
/// due a tick later.
const PLAYBACK_SLACK_TICKS: f64 = 1.2;
/// Inputs made in one go at most. When the page slept for longer, the ticks between are left to the
/// server, which repeats the last input: a burst of late ones would help nobody.
const INPUT_BURST_MAX: u32 = 4;

/// The two timelines, from the first frame on.
pub(super) struct Clocks {
    pub(super) input: Pace,
    pub(super) playback: Pace,
    next_input: Tick,
}

impl Clocks {
    /// The first frame, that of `tick`, came at `now`. A first guess by the time that the welcome took; what
    /// the server says of the inputs and the arrivals of frames put it right.
    pub(super) fn new(tick: Tick, ping_ms: f64, rate: f64, now: f64) -> Self {
        let at = f64::from(tick);
        let ahead = at + ping_ms * rate / 1000.0 + 1.0 + INPUT_SLACK_TICKS;
        let behind = at - PLAYBACK_SLACK_TICKS;
        Self {
            input: Pace::new(Direction::Ahead, INPUT_SLACK_TICKS, rate, now, ahead),
            playback: Pace::new(Direction::Behind, PLAYBACK_SLACK_TICKS, rate, now, behind),
            next_input: ahead.ceil() as Tick,
        }
    }

    /// What both timelines follow is so many ticks later from now on: so are they. Gives the next tick whose input is to
    /// be made.
    pub(super) fn fall_back(&mut self, ticks: u32) -> Tick {
        self.playback.fall_back(ticks);
        self.input.fall_back(ticks);
        self.keep_near();
        self.next_input
    }

    /// The next input is that of the input clock's next tick, after a jump back, and that of one shortly before it, after
    /// one ahead. Gives the end of those that are due.
    fn keep_near(&mut self) -> Tick {
        let end = (self.input.position().floor() as Tick).wrapping_add(1);
        let due = end.wrapping_sub(self.next_input) as i32;
        let kept = due.clamp(0, INPUT_BURST_MAX as i32) as u32;
        self.next_input = end.wrapping_sub(kept);
        end
    }

    /// Time goes on: the ticks whose inputs are to be made now.
    pub(super) fn inputs_due(&mut self, now: f64) -> impl Iterator<Item = Tick> + use<> {
        self.playback.advance(now);
        self.input.advance(now);
        let end = self.keep_near();
        let first = core::mem::replace(&mut self.next_input, end);
        (0..end.wrapping_sub(first)).map(move |i| first.wrapping_add(i))
    }
}
