//! How many inputs the way to the server bears. Comes in: how early inputs reach it, round trips, and how
//! late the other direction is. Goes out: whether this tick's input is sent.
//!
//! A way that is too slow for an input every tick has a queue that grows without end, and a browser does
//! not say so: what waits in the kernel is as good as sent to it. So the queue is measured: inputs come
//! later and later, and a round trip that is longer than the shortest one, less what frames are late, is
//! time that was spent in it. The server repeats an input that is missing for some ticks, so inputs in
//! between can be left out and prediction stays exact. How and when more are tried again is [`Ladder`]'s.

use super::ladder::{Ladder, Patience};
use super::least::Least;
use crate::game::Tick;

/// One input in so many ticks, from one step to the next. The last is less than the server repeats.
const STEPS: [u32; 6] = [1, 2, 3, 4, 6, 8];
/// The queue that makes inputs fewer, in ms.
const QUEUE_MS: f64 = 180.0;
/// So many times in a row.
const QUEUED_TIMES: u32 = 3;
/// The queue that makes them as few as can be, in ms: it takes long to drain.
const LONG_QUEUE_MS: f64 = 700.0;
/// The queue below which there is room for more, in ms.
const FREE_MS: f64 = 80.0;
/// Inputs later than this, in ticks, so many times in a row are a queue as well; a stall ends sooner.
const LATE_TICKS: f64 = 3.0;
/// See [`LATE_TICKS`].
const LATE_TIMES: u32 = 8;
/// The same right after a try, when it is likely that it was too much.
const LATE_TICKS_TRIAL: f64 = 1.0;
/// See [`LATE_TICKS_TRIAL`].
const LATE_TIMES_TRIAL: u32 = 3;
/// For how long at least the shortest round trip is remembered, in ms. A line that has become longer is
/// believed after twice that at most.
const SHORTEST_MS: f64 = 20_000.0;
/// Between two measurements, in ms, about.
const MEASURED_MS: f64 = 1_000.0;
/// When more is tried.
const PATIENCE: Patience = Patience { usual_ms: 10_000.0, most_ms: 64_000.0, trial_ms: 6_000.0 };

/// One connection's way to the server.
#[derive(Clone, Debug)]
pub(super) struct Uplink {
    ladder: Ladder,
    shortest: Least,
    late: u32,
    queued: u32,
}

impl Uplink {
    /// `round_trip_ms`: what the first one took.
    pub(super) fn new(round_trip_ms: f64, now_ms: f64) -> Self {
        let mut shortest = Least::new(SHORTEST_MS);
        shortest.add(round_trip_ms, now_ms);
        Self { ladder: Ladder::new(STEPS.len(), PATIENCE), shortest, late: 0, queued: 0 }
    }

    /// The newest input came so many ticks early.
    pub(super) fn margin(&mut self, ticks: f64) {
        let trial = self.ladder.is_trial();
        let late = if trial { LATE_TICKS_TRIAL } else { LATE_TICKS };
        self.late = if ticks < -late { self.late + 1 } else { 0 };
        if self.late >= if trial { LATE_TIMES_TRIAL } else { LATE_TIMES } {
            self.late = 0;
            self.ladder.give_up(1);
        }
    }

    /// A round trip took so long; frames are so late, ms, against the quickest.
    pub(super) fn measured(&mut self, round_trip_ms: f64, frames_late_ms: f64, now_ms: f64) {
        self.shortest.add(round_trip_ms, now_ms);
        self.judge(round_trip_ms, frames_late_ms);
    }

    /// A round trip has taken so long and is not over.
    pub(super) fn waiting(&mut self, round_trip_ms: f64, frames_late_ms: f64) {
        self.judge(round_trip_ms, frames_late_ms);
    }

    /// About once a second.
    fn judge(&mut self, round_trip_ms: f64, frames_late_ms: f64) {
        self.ladder.pass(MEASURED_MS);
        let queue = round_trip_ms - self.shortest.get() - frames_late_ms;
        // A lost packet delays what is behind it, now and then a measurement; a queue delays one after the
        // other.
        self.queued = if queue > QUEUE_MS { self.queued + 1 } else { 0 };
        if queue > LONG_QUEUE_MS {
            self.ladder.give_up(STEPS.len());
        } else if self.queued >= QUEUED_TIMES {
            self.queued = 0;
            self.ladder.give_up(1);
        } else if queue < FREE_MS {
            self.ladder.clear(MEASURED_MS);
        }
    }

    /// One input in so many ticks is sent.
    pub(super) fn every(&self) -> u32 {
        STEPS[self.ladder.step()]
    }

    /// Whether the input of this tick is sent.
    pub(super) fn sends(&self, tick: Tick) -> bool {
        tick.is_multiple_of(self.every())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(uplink: &Uplink) -> usize {
        (0..24).filter(|&tick| uplink.sends(tick)).count()
    }

    #[test]
    fn a_queue_makes_inputs_fewer_and_room_makes_them_more() {
        let mut uplink = Uplink::new(90.0, 0.0);
        uplink.measured(80.0, 0.0, 0.0);
        assert_eq!(sent(&uplink), 24);
        (0..2 * QUEUED_TIMES).for_each(|_| uplink.measured(400.0, 10.0, 0.0));
        assert_eq!(sent(&uplink), 8);
        (0..LATE_TIMES).for_each(|_| uplink.margin(-5.0));
        assert_eq!(sent(&uplink), 6);
        uplink.measured(1000.0, 10.0, 0.0);
        assert_eq!(sent(&uplink), 3);
        (0..60).for_each(|_| uplink.measured(90.0, 0.0, 0.0));
        assert_eq!(sent(&uplink), 24);
    }

    #[test]
    fn lost_packets_are_no_queue() {
        let mut uplink = Uplink::new(90.0, 0.0);
        for n in 0..1000 {
            uplink.measured(if n % 4 == 0 || n % 5 == 0 { 350.0 } else { 90.0 }, 0.0, 0.0);
        }
        assert_eq!(sent(&uplink), 24);
    }

    #[test]
    fn late_frames_and_a_late_input_are_no_queue() {
        let mut uplink = Uplink::new(90.0, 0.0);
        uplink.measured(80.0, 0.0, 0.0);
        (0..10).for_each(|_| uplink.measured(600.0, 500.0, 0.0));
        (0..100).for_each(|n| uplink.margin(if n % 5 == 0 { 0.5 } else { -9.0 }));
        assert_eq!(sent(&uplink), 24);
    }
}
