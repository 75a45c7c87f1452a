//! A timeline that keeps its distance. Comes in: local time, and samples of how much slack there was.
//! Goes out: a position in ticks that runs at the session's rate, a few per cent faster or slower while
//! the slack is not what it should be, and never jumps in play.
//!
//! A client has two of them. The **input clock** runs ahead of the server: its slack is how early inputs
//! arrive there, and running further ahead means more of it. The **playback clock** runs behind: its
//! slack is how far the newest rows are ahead of what is drawn, and running further ahead means less.
//!
//! What counts is a low percentile of the slack over the last seconds: it covers the ordinary jitter of
//! a line, and a lost TCP segment now and then does not move it (covering these would cost a round trip
//! of delay all the time).

use std::collections::VecDeque;

/// The share of samples that may have less slack than aimed at.
const PERCENTILE: f64 = 0.1;
/// For how long a sample counts, in seconds.
const MEMORY_SECONDS: f64 = 3.0;
/// How much faster or slower the timeline runs while it corrects itself.
const DRIFT: f64 = 0.02;
/// The same while the slack is negative: things come too late.
const DRIFT_STARVING: f64 = 0.05;
/// The same in the first seconds, when nobody has seen the clock run yet.
const DRIFT_SETTLING: f64 = 0.2;
/// Samples until the timeline counts as settled; a second and a half at 30 Hz.
const SETTLING_SAMPLES: u32 = 45;
/// An error in ticks that no drift mends in time: the line has changed or the computer slept. The only
/// case in which the position jumps.
const JUMP_TICKS: f64 = 6.0;
/// An error in ticks that is left alone.
const DEAD_ZONE_TICKS: f64 = 0.05;

/// Whether running further ahead gives more slack or less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// More: the input clock.
    Ahead,
    /// Less: the playback clock.
    Behind,
}

/// A steered timeline; times in milliseconds, positions and slacks in ticks.
#[derive(Clone, Debug)]
pub struct Pace {
    direction: Direction,
    target: f64,
    ticks_per_ms: f64,
    offset: f64,
    now_ms: f64,
    /// (arrival, slack as it would have been with an offset of 0).
    samples: VecDeque<(f64, f64)>,
    /// The same slacks, the least first: kept so, as a client looks at them at each frame.
    sorted: Vec<f64>,
    /// The percentile of the samples, without the offset.
    low: Option<f64>,
    seen: u32,
}

impl Pace {
    /// A timeline at `position` now, aiming at `target` ticks of slack.
    pub fn new(direction: Direction, target: f64, rate: f64, now_ms: f64, position: f64) -> Self {
        let ticks_per_ms = rate / 1000.0;
        Self {
            direction,
            target,
            ticks_per_ms,
            offset: position - now_ms * ticks_per_ms,
            now_ms,
            samples: VecDeque::new(),
            sorted: Vec::new(),
            low: None,
            seen: 0,
        }
    }

    /// Where the timeline is, in ticks.
    pub fn position(&self) -> f64 {
        self.now_ms * self.ticks_per_ms + self.offset
    }

    /// The slack that all but a few arrivals have with the present offset, in ticks.
    pub fn slack(&self) -> Option<f64> {
        self.low.map(|low| low + self.signed(self.offset))
    }

    /// How much the slack varies: between the low percentile and the median, in ticks.
    pub fn jitter(&self) -> f64 {
        let median = self.sorted.get(self.sorted.len() / 2).copied().unwrap_or(0.0);
        median - self.low.unwrap_or(median)
    }

    /// Something arrived with this much slack.
    pub fn sample(&mut self, slack: f64) {
        let bare = slack - self.signed(self.offset);
        self.samples.push_back((self.now_ms, bare));
        let place = self.sorted.partition_point(|other| other.total_cmp(&bare).is_lt());
        self.sorted.insert(place, bare);
        self.seen = self.seen.saturating_add(1);
        let oldest = self.now_ms - MEMORY_SECONDS * 1000.0;
        while let Some((_, gone)) = self.samples.pop_front_if(|sample| sample.0 < oldest) {
            let place = self.sorted.partition_point(|other| other.total_cmp(&gone).is_lt());
            self.sorted.remove(place);
        }
        let place = (self.sorted.len() as f64 * PERCENTILE) as usize;
        self.low = Some(self.sorted[place]);
    }

    /// What the timeline follows is so many ticks later from now on: so is the timeline, and the slack is what it was.
    pub fn fall_back(&mut self, ticks: u32) {
        let ticks = f64::from(ticks);
        let bare = self.signed(ticks);
        self.offset -= ticks;
        self.samples.iter_mut().for_each(|(_, sample)| *sample += bare);
        self.sorted.iter_mut().for_each(|sample| *sample += bare);
        self.low = self.low.map(|low| low + bare);
    }

    /// Time goes on. True when the position had to jump.
    pub fn advance(&mut self, now_ms: f64) -> bool {
        let passed = ((now_ms - self.now_ms) * self.ticks_per_ms).max(0.0);
        self.now_ms = self.now_ms.max(now_ms);
        let Some(slack) = self.slack() else { return false };
        let error = self.target - slack;
        let settled = self.seen >= SETTLING_SAMPLES;
        if error.abs() > JUMP_TICKS && self.seen > 3 {
            self.offset += self.signed(error);
            return true;
        }
        if error.abs() < DEAD_ZONE_TICKS {
            return false;
        }
        let drift = match settled {
            false => DRIFT_SETTLING,
            true if slack < 0.0 => DRIFT_STARVING,
            true => DRIFT,
        };
        self.offset += self.signed(error.clamp(-drift * passed, drift * passed));
        false
    }

    fn signed(&self, ticks: f64) -> f64 {
        match self.direction {
            Direction::Ahead => ticks,
            Direction::Behind => -ticks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a clock whose slack depends on its position, and returns its last slack.
    fn run(mut pace: Pace, seconds: u32, slack: impl Fn(f64, f64) -> f64) -> (f64, f64) {
        let mut fastest = 0f64;
        for i in 1..=seconds * 60 {
            let now = f64::from(i) * 1000.0 / 60.0;
            let before = pace.position();
            assert!(!pace.advance(now), "no jump in play");
            if i > 60 * 3 {
                fastest = fastest.max((pace.position() - before - 0.5).abs() / 0.5);
            }
            if i % 2 == 0 {
                let slack = slack(pace.position(), now);
                pace.sample(slack);
            }
        }
        (pace.slack().expect("sampled"), fastest)
    }

    #[test]
    fn both_directions_settle_at_the_target() {
        let server = |now: f64| now * 0.03;
        let ahead = Pace::new(Direction::Ahead, 0.6, 30.0, 0.0, 4.0);
        let (slack, fastest) = run(ahead, 10, |at, now| at - server(now) - 1.5);
        assert!((slack - 0.6).abs() < 0.1, "{slack}");
        assert!(fastest < 0.021, "{fastest}");
        let behind = Pace::new(Direction::Behind, 1.2, 30.0, 0.0, -4.0);
        let (slack, fastest) = run(behind, 10, |at, now| server(now) - 1.5 - at);
        assert!((slack - 1.2).abs() < 0.1, "{slack}");
        assert!(fastest < 0.021, "{fastest}");
    }

    #[test]
    fn a_stall_now_and_then_moves_nothing() {
        let pace = Pace::new(Direction::Ahead, 0.6, 30.0, 0.0, 2.1);
        let (slack, _) = run(pace, 20, |at, now| {
            let stalled = (now as u64 / 100).is_multiple_of(30);
            at - now * 0.03 - 1.5 - if stalled { 4.0 } else { 0.0 }
        });
        assert!((slack - 0.6).abs() < 0.2, "{slack}");
    }

    #[test]
    fn falling_back_leaves_the_slack_as_it_is() {
        for direction in [Direction::Ahead, Direction::Behind] {
            let mut pace = Pace::new(direction, 1.0, 30.0, 0.0, 40.0);
            for (now, slack) in [(30.0, 1.5), (60.0, 0.5), (90.0, 1.0)] {
                pace.advance(now);
                pace.sample(slack);
            }
            let (at, slack, jitter) = (pace.position(), pace.slack().unwrap(), pace.jitter());
            pace.fall_back(25);
            assert!((pace.position() - (at - 25.0)).abs() < 1e-9);
            assert!((pace.slack().unwrap() - slack).abs() < 1e-9, "{direction:?}");
            assert!((pace.jitter() - jitter).abs() < 1e-9);
            assert!(!pace.advance(91.0), "nothing to jump to");
        }
    }

    #[test]
    fn a_changed_line_is_jumped_to() {
        let mut pace = Pace::new(Direction::Ahead, 0.6, 30.0, 0.0, 0.0);
        for i in 1..10 {
            pace.advance(f64::from(i));
            pace.sample(pace.position() - 20.0);
        }
        assert!(pace.slack().expect("sampled") > 0.0);
    }
}
