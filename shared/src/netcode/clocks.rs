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

    /// The server's ticks are so many ticks later from now on: so are both timelines.
    pub(super) fn stand_still(&mut self, ticks: u32) {
        self.playback.fall_back(ticks);
        self.input.fall_back(ticks);
        let end = (self.input.position().floor() as Tick).wrapping_add(1);
        if (self.next_input.wrapping_sub(end) as i32) > 0 {
            self.next_input = end;
        }
    }

    /// The next tick whose input is to be made.
    pub(super) fn next_input(&self) -> Tick {
        self.next_input
    }

    /// Time goes on: the ticks whose inputs are to be made now.
    pub(super) fn inputs_due(&mut self, now: f64) -> impl Iterator<Item = Tick> + use<> {
        self.playback.advance(now);
        self.input.advance(now);
        let end = (self.input.position().floor() as Tick).wrapping_add(1);
        let count = end.wrapping_sub(self.next_input) as i32;
        if count.unsigned_abs() > INPUT_BURST_MAX {
            self.next_input = end.wrapping_sub(INPUT_BURST_MAX);
        }
        let first = self.next_input;
        let count = (end.wrapping_sub(first) as i32).max(0) as u32;
        self.next_input = first.wrapping_add(count);
        (0..count).map(move |i| first.wrapping_add(i))
    }
}
