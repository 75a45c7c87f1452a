//! How many inputs the way to the server bears. Comes in: how early inputs reach it, round trips, and how
//! late the other direction is. Goes out: whether this tick's input is sent.
//!
//! A way that is too slow for an input every tick has a queue that grows without end, and a browser does
//! not say so: what waits in the kernel is as good as sent to it. So the queue is measured: inputs come
//! later and later, and a round trip that is longer than the shortest one, less what frames are late, is
//! time that was spent in it. The server repeats an input that is missing for some ticks, so inputs in
//! between can be left out and prediction stays exact.

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
/// How many measurements have to find room, with no queue between them, before more is tried.
const PATIENCE: u32 = 10;
/// The same at most, after many tries that were too much.
const PATIENCE_MAX: u32 = 64;
/// A queue within so many measurements after a try means that the try was too much.
const TRIAL: u32 = 6;

/// One connection's way to the server.
#[derive(Clone, Debug)]
pub(super) struct Uplink {
    step: usize,
    shortest: Least,
    late: u32,
    queued: u32,
    free: u32,
    patience: u32,
    /// Measurements since the last try.
    tried: u32,
}

impl Uplink {
    /// `round_trip_ms`: what the first one took.
    pub(super) fn new(round_trip_ms: f64, now_ms: f64) -> Self {
        let mut shortest = Least::new(SHORTEST_MS);
        shortest.add(round_trip_ms, now_ms);
        Self { step: 0, shortest, late: 0, queued: 0, free: 0, patience: PATIENCE, tried: TRIAL }
    }

    /// The newest input came so many ticks early.
    pub(super) fn margin(&mut self, ticks: f64) {
        let trial = self.tried < TRIAL;
        let late = if trial { LATE_TICKS_TRIAL } else { LATE_TICKS };
        self.late = if ticks < -late { self.late + 1 } else { 0 };
        if self.late >= if trial { LATE_TIMES_TRIAL } else { LATE_TIMES } {
            self.late = 0;
            self.give_up(1);
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
        self.tried = self.tried.saturating_add(1);
        let queue = round_trip_ms - self.shortest.get() - frames_late_ms;
        // A lost packet delays what is behind it, now and then a measurement; a queue delays one after the
        // other.
        self.queued = if queue > QUEUE_MS { self.queued + 1 } else { 0 };
        if queue > LONG_QUEUE_MS {
            self.give_up(STEPS.len());
        } else if self.queued >= QUEUED_TIMES {
            self.give_up(1);
        } else if queue < FREE_MS {
            self.free += 1;
        }
        if self.free >= self.patience && self.step > 0 {
            self.step -= 1;
            self.free = 0;
            self.tried = 0;
        }
    }

    fn give_up(&mut self, steps: usize) {
        if self.tried < TRIAL {
            self.patience = (self.patience * 2).min(PATIENCE_MAX);
            self.tried = TRIAL;
        }
        self.step = (self.step + steps).min(STEPS.len() - 1);
        self.free = 0;
        self.queued = 0;
    }

    /// One input in so many ticks is sent.
    pub(super) fn every(&self) -> u32 {
        STEPS[self.step]
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
        (0..5 * PATIENCE).for_each(|_| uplink.measured(90.0, 0.0, 0.0));
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

    #[test]
    fn a_try_that_is_too_much_makes_the_next_one_wait_longer() {
        let mut uplink = Uplink::new(90.0, 0.0);
        let mut tries = Vec::new();
        uplink.measured(80.0, 0.0, 0.0);
        for second in 0..400 {
            let before = uplink.step;
            let queue = if before == 0 { 500.0 } else { 80.0 };
            (0..QUEUED_TIMES).for_each(|_| uplink.measured(queue, 0.0, 0.0));
            if uplink.step < before {
                tries.push(second);
            }
        }
        let pauses: Vec<i32> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(pauses.len() >= 4 && pauses.is_sorted(), "{pauses:?}");
        assert!(pauses.last() > Some(&20), "{pauses:?}");
    }
}
