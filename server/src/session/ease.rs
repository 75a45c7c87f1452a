//! What a player on a slow line does without, so that the rest arrives young. First several ticks share a
//! message, as most of a small message are headers; then less of the surroundings is shown. What is shown
//! stays exact.
//!
//! The line is slow when frames take longer to be confirmed than the quickest did, all of them, for a third of a
//! second: then they queue up somewhere. A lost packet or a stall delays some and not others, and is left to
//! pass. When the line has been clear for a while, more is tried, and after each time that was too much
//! the next try waits longer.

use shared::game::Tick;

/// From one step to the next, what is given: ticks per message, and the share of the view's width and
/// height. A third of both is a ninth of the area.
const STEPS: [(u32, f32); 10] = [
    (1, 1.0),
    (2, 1.0),
    (3, 1.0),
    (4, 0.8),
    (4, 0.64),
    (4, 0.5),
    (4, 0.41),
    (4, 0.33),
    (6, 0.33),
    (8, 0.33),
];
/// Confirmations later by more than this, in ms, all of them, are a queue.
const QUEUE_MS: f64 = 75.0;
/// The same right after more was tried, when it is likely that it was too much.
const QUEUE_TRIAL_MS: f64 = 50.0;
/// The queue below which the line is clear, in ms.
const CLEAR_MS: f64 = 50.0;
/// What a message of several ticks may take longer on a line that bears it, as a share of these ticks.
const SPENT_SHARE: f64 = 0.5;
/// A frame that is later than this, in ms, is reason enough: on a slow line much came into view at once.
const LATE_MS: f64 = 150.0;
/// Looks at the queue in a second.
const LOOKS_PER_SECOND: u32 = 3;
/// Ticks with confirmations that a look needs: those that come all at once after a stall are one.
const CONFIRMATIONS_MIN: u32 = 3;
/// Looks after something was given up until the queue is judged again: it has to drain first.
const DRAIN_LOOKS: u32 = 2;
/// Looks at a clear line before more is tried.
const PATIENCE_LOOKS: u32 = 18;
/// The same at most, after many tries that were too much: a minute.
const PATIENCE_LOOKS_MAX: u32 = 180;
/// A queue within so many looks after a try means that the try was too much.
const TRIAL_LOOKS: u32 = 6;

/// What one line is given.
#[derive(Clone, Debug)]
pub(super) struct Ease {
    step: usize,
    /// The shortest queue since the last look, in ms.
    queue_ms: f64,
    /// Ticks with a confirmation since then, and the last of them.
    confirmations: u32,
    confirmed: Tick,
    looked: Tick,
    clear: u32,
    patience: u32,
    /// Looks since the last try, and since something was given up.
    tried: u32,
    gave_up: u32,
}

impl Ease {
    pub(super) fn new(first: Tick) -> Self {
        Self {
            step: 0,
            queue_ms: f64::INFINITY,
            confirmations: 0,
            confirmed: first,
            looked: first,
            clear: 0,
            patience: PATIENCE_LOOKS,
            tried: TRIAL_LOOKS,
            gave_up: DRAIN_LOOKS,
        }
    }

    /// Ticks that share a message.
    pub(super) fn ticks_per_message(&self) -> u32 {
        STEPS[self.step].0
    }

    /// Whether the line has been found slow, or was just now.
    pub(super) fn is_easing(&self) -> bool {
        self.step > 0 || self.tried < TRIAL_LOOKS
    }

    /// Share of the view's width and height that is shown.
    pub(super) fn reach(&self) -> f32 {
        STEPS[self.step].1
    }

    /// A frame was confirmed at `now`, so much later, in ms, than the quickest was.
    pub(super) fn confirmed(&mut self, queue_ms: f64, now: Tick) {
        self.queue_ms = self.queue_ms.min(queue_ms);
        self.confirmations += u32::from(now != self.confirmed);
        self.confirmed = now;
    }

    /// Once a tick; the oldest frame under way is so late, in ms, against the quickest.
    pub(super) fn tick(&mut self, now: Tick, rate: u16, late_ms: f64) {
        let is_trial = self.tried < TRIAL_LOOKS;
        if late_ms > LATE_MS && (is_trial || self.gave_up > DRAIN_LOOKS) {
            self.give_up();
        }
        let early = now.wrapping_sub(self.looked) < u32::from(rate) / LOOKS_PER_SECOND;
        if early || self.confirmations < CONFIRMATIONS_MIN {
            return;
        }
        self.looked = now;
        self.confirmations = 0;
        self.tried = self.tried.saturating_add(1);
        self.gave_up = self.gave_up.saturating_add(1);
        let tick_ms = 1000.0 / f64::from(rate);
        let spent_ms = f64::from(self.ticks_per_message() - 1) * tick_ms * SPENT_SHARE;
        let queue_ms = core::mem::replace(&mut self.queue_ms, f64::INFINITY) - spent_ms;
        if queue_ms > if is_trial { QUEUE_TRIAL_MS } else { QUEUE_MS } && self.gave_up > DRAIN_LOOKS
        {
            self.give_up();
        } else if queue_ms < CLEAR_MS {
            self.clear += 1;
        } else {
            self.clear = 0;
        }
        if self.clear >= self.patience && self.step > 0 {
            self.step -= 1;
            self.clear = 0;
            self.tried = 0;
        }
        if self.step == 0 && self.tried > PATIENCE_LOOKS_MAX {
            self.patience = PATIENCE_LOOKS;
        }
    }

    fn give_up(&mut self) {
        if self.tried < TRIAL_LOOKS {
            self.patience = (self.patience * 2).min(PATIENCE_LOOKS_MAX);
            self.tried = TRIAL_LOOKS;
        }
        self.step = (self.step + 1).min(STEPS.len() - 1);
        self.clear = 0;
        self.gave_up = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs so many looks in which every frame is confirmed so late.
    fn run(ease: &mut Ease, now: &mut Tick, looks: u32, queue_ms: impl Fn(u32) -> f64) {
        for tick in 0..looks * 10 {
            *now += 1;
            ease.confirmed(queue_ms(tick), *now);
            ease.tick(*now, 30, 0.0);
        }
    }

    #[test]
    fn a_queue_costs_headers_first_and_then_the_view() {
        let (mut ease, mut now) = (Ease::new(0), 0);
        run(&mut ease, &mut now, 1, |_| 150.0);
        assert_eq!((ease.ticks_per_message(), ease.reach()), (2, 1.0));
        run(&mut ease, &mut now, 60, |_| 250.0);
        assert_eq!((ease.ticks_per_message(), ease.reach()), (8, 0.33));
        run(&mut ease, &mut now, 400, |_| 10.0);
        assert_eq!((ease.ticks_per_message(), ease.reach()), (1, 1.0));
    }

    #[test]
    fn stalls_cost_nothing() {
        let (mut ease, mut now) = (Ease::new(0), 0);
        run(&mut ease, &mut now, 120, |tick| if tick % 10 < 8 { 400.0 } else { 5.0 });
        assert_eq!(ease.ticks_per_message(), 1);
    }

    #[test]
    fn a_try_that_is_too_much_makes_the_next_one_wait_longer() {
        let (mut ease, mut now) = (Ease::new(0), 0);
        let mut tries = Vec::new();
        for look in 0..600 {
            let before = ease.step;
            // The line bears the second step, no more.
            let queue = if ease.step < 2 { 200.0 } else { 0.0 };
            run(&mut ease, &mut now, 1, |_| queue);
            if ease.step < before {
                tries.push(look);
            }
        }
        let pauses: Vec<i32> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(pauses.len() >= 3 && pauses.is_sorted(), "{pauses:?}");
        assert!(pauses.last() > Some(&60), "{pauses:?}");
    }
}
