//! A player's inputs on the server, by tick. Comes in: inputs as they arrive, early, late, twice or not
//! at all. Goes out: exactly one input for every tick.
//!
//! One input a tick is all a player gets, whatever the sender does: faster, slower or out of order
//! gains nothing.

use crate::game::Tick;
use crate::wire::Row;

/// How many ticks ahead inputs are kept; earlier ones are dropped and counted. At 30 Hz two seconds,
/// far more than an honest clock runs ahead.
pub const AHEAD_TICKS_MAX: u32 = 64;
/// For how many ticks a missing input repeats the last one; after that the player does nothing. A third
/// of a second at 30 Hz: longer than a lost TCP segment stalls the stream.
pub const REPEAT_TICKS_MAX: u32 = 10;
/// How far playback may be behind the newest frame that a client confirms, in ticks; a player who claims
/// to see others further in the past than that is not believed.
pub const PLAYBACK_TICKS_MAX: u32 = 6;

/// How far from the session's tick an input may claim to be, either way. Past it the sender's clock is
/// not late but absurd, and the connection ends. At 30 Hz two minutes, which a laptop may sleep.
pub const ABSURD_TICKS: u32 = 3600;

/// What became of an input that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// It will be used at its tick.
    Kept,
    /// So it will, in the place of one that there was for that tick.
    Replaced,
    /// Its tick has been stepped already.
    Late,
    /// Its tick is more than [`AHEAD_TICKS_MAX`] away.
    Early,
    /// More than [`ABSURD_TICKS`] away.
    Absurd,
}

/// Where a tick's input came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The player sent it.
    Sent,
    /// The last one, once more.
    Repeated,
    /// Nothing was heard for too long.
    Idle,
}

/// One player's inputs.
#[derive(Clone, Debug)]
pub struct InputBuffer<I> {
    /// Those that wait for their tick, in order: few, so that they stay in the caches.
    waiting: Vec<(Tick, I)>,
    next: Tick,
    last: I,
    missing: u32,
    margin: Option<f64>,
}

impl<I: Row> InputBuffer<I> {
    /// An empty one whose first tick to be stepped is `next`.
    pub fn new(next: Tick) -> Self {
        Self {
            waiting: Vec::new(),
            next,
            last: I::default(),
            missing: REPEAT_TICKS_MAX,
            margin: None,
        }
    }

    /// Takes what arrived `at` (in ticks, fractional; the step of tick N is at N).
    pub fn offer(&mut self, tick: Tick, input: I, at: f64) -> Offer {
        let ahead = tick.wrapping_sub(self.next) as i32;
        if ahead.unsigned_abs() > ABSURD_TICKS {
            return Offer::Absurd;
        }
        // The newest arrival counts: of a burst after a stall the earlier ones say nothing new.
        self.margin = Some(f64::from(ahead) + (f64::from(self.next) - at));
        if ahead < 0 {
            return Offer::Late;
        }
        if ahead as u32 >= AHEAD_TICKS_MAX {
            return Offer::Early;
        }
        // From the back, as nearly all come in order.
        let is_earlier = |&(held, _): &(Tick, I)| (held.wrapping_sub(tick) as i32) < 0;
        let place = self.waiting.iter().rposition(is_earlier).map_or(0, |last| last + 1);
        match self.waiting.get_mut(place) {
            // Whoever's clock was put back does anew what did not count yet.
            Some((held, before)) if *held == tick => {
                *before = input;
                Offer::Replaced
            }
            _ => {
                self.waiting.insert(place, (tick, input));
                Offer::Kept
            }
        }
    }

    /// The input of the next tick.
    pub fn take(&mut self) -> (I, Source) {
        let tick = self.next;
        self.next = self.next.wrapping_add(1);
        if self.waiting.first().is_some_and(|&(held, _)| held == tick) {
            let (_, input) = self.waiting.remove(0);
            self.last = input;
            self.missing = 0;
            return (input, Source::Sent);
        }
        if self.missing < REPEAT_TICKS_MAX {
            self.missing += 1;
            return (self.last, Source::Repeated);
        }
        (I::default(), Source::Idle)
    }

    /// How many ticks early the newest input came, if one came since the last call.
    pub fn take_margin(&mut self) -> Option<f64> {
        self.margin.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::row! {
        struct Keys {
            /// Pressed.
            keys: count(8),
        }
    }

    fn keys(keys: i32) -> Keys {
        Keys { keys }
    }

    #[test]
    fn each_tick_gets_its_own_input_however_they_arrive() {
        let mut buffer = InputBuffer::new(100);
        assert_eq!(buffer.offer(102, keys(2), 99.5), Offer::Kept);
        assert_eq!(buffer.offer(100, keys(1), 99.6), Offer::Kept);
        assert_eq!(buffer.offer(100, keys(9), 99.7), Offer::Replaced);
        assert_eq!(buffer.take(), (keys(9), Source::Sent));
        assert_eq!(buffer.take(), (keys(9), Source::Repeated));
        assert_eq!(buffer.offer(101, keys(7), 101.2), Offer::Late);
        assert_eq!(buffer.take(), (keys(2), Source::Sent));
    }

    #[test]
    fn sending_faster_gains_nothing() {
        let mut buffer = InputBuffer::new(0);
        for i in 0..1000 {
            buffer.offer(i % 80, keys(i as i32 & 0xff), 0.0);
        }
        let taken = (0..AHEAD_TICKS_MAX).map(|_| buffer.take().0.keys).collect::<Vec<_>>();
        // One for each tick, the newest of many.
        let newest = |tick: u32| (0..1000).rev().find(|i| i % 80 == tick).expect("many");
        let newest = (0..AHEAD_TICKS_MAX).map(|tick| newest(tick) as i32 & 0xff);
        assert_eq!(taken, newest.collect::<Vec<_>>());
    }

    #[test]
    fn the_last_one_is_repeated_for_a_while() {
        let mut buffer = InputBuffer::new(5);
        assert_eq!(buffer.take(), (keys(0), Source::Idle));
        buffer.offer(6, keys(3), 5.5);
        assert_eq!(buffer.take(), (keys(3), Source::Sent));
        for _ in 0..REPEAT_TICKS_MAX {
            assert_eq!(buffer.take(), (keys(3), Source::Repeated));
        }
        assert_eq!(buffer.take(), (keys(0), Source::Idle));
    }

    #[test]
    fn absurd_ticks_are_told_apart() {
        let mut buffer = InputBuffer::new(10_000);
        assert_eq!(buffer.offer(10_000 + AHEAD_TICKS_MAX, keys(1), 9_999.0), Offer::Early);
        assert_eq!(buffer.offer(9_000, keys(1), 9_999.0), Offer::Late);
        assert_eq!(buffer.offer(0, keys(1), 9_999.0), Offer::Absurd);
        assert_eq!(buffer.offer(u32::MAX, keys(1), 9_999.0), Offer::Absurd);
    }

    #[test]
    fn the_margin_is_that_of_the_newest_arrival() {
        let mut buffer = InputBuffer::new(50);
        buffer.offer(50, keys(1), 49.75);
        buffer.offer(51, keys(1), 49.5);
        assert_eq!(buffer.take_margin(), Some(1.5));
        assert_eq!(buffer.take_margin(), None);
        buffer.offer(40, keys(1), 49.5);
        assert_eq!(buffer.take_margin(), Some(-9.5));
    }
}
