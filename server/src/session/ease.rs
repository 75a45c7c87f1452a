//! What a player on a slow line does without, so that the rest arrives young. First several ticks share a
//! message, as most of a small message are headers; then less of the surroundings is shown. What is shown
//! stays exact.
//!
//! The line is slow when frames take longer to be confirmed than the quickest did, all of them, for a third of a
//! second: then they queue up somewhere. A lost packet or a stall delays some and not others, and is left to
//! pass. How and when more is tried again is [`Ladder`]'s.

use shared::game::Tick;
use shared::netcode::ladder::{Ladder, Patience};

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
/// A frame that is later than this, in ms, is reason for three steps at once.
const VERY_LATE_MS: f64 = 500.0;
/// The queue is looked at no more often than this, in ms.
const LOOK_MS: f64 = 333.0;
/// Ticks with confirmations that a look needs: those that come all at once after a stall are one.
const CONFIRMATIONS_MIN: u32 = 3;
/// For so long after something was given up the queue is not judged, in ms: it has to drain first.
const DRAIN_MS: f64 = 700.0;
/// When more is tried.
const PATIENCE: Patience = Patience { usual_ms: 6_000.0, most_ms: 60_000.0, trial_ms: 2_000.0 };

/// What one line is given.
#[derive(Clone, Debug)]
pub(super) struct Ease {
    ladder: Ladder,
    /// The shortest queue since the last look, in ms.
    queue_ms: f64,
    /// Ticks with a confirmation since then, and the last of them.
    confirmations: u32,
    confirmed: Tick,
    /// Milliseconds since the last look, and since something was given up.
    looked_ms: f64,
    gave_up_ms: f64,
    /// Ticks per message at least, and the largest reach, where the server is overloaded.
    held: (u32, f32),
}

impl Ease {
    pub(super) fn new(first: Tick) -> Self {
        Self {
            ladder: Ladder::new(STEPS.len(), PATIENCE),
            queue_ms: f64::INFINITY,
            confirmations: 0,
            confirmed: first,
            looked_ms: 0.0,
            gave_up_ms: DRAIN_MS,
            held: (1, 1.0),
        }
    }

    /// Ticks that share a message.
    pub(super) fn ticks_per_message(&self) -> u32 {
        STEPS[self.ladder.step()].0.max(self.held.0)
    }

    /// Whether more ticks share a message than the line is a reason for.
    pub(super) fn is_held(&self) -> bool {
        self.held.0 > STEPS[self.ladder.step()].0
    }

    /// From now on at least so many ticks share a message, and no more than this share of the view is shown, however
    /// good the line is.
    pub(super) fn hold(&mut self, ticks_per_message: u32, reach: f32) {
        self.held = (ticks_per_message, reach);
    }

    /// Whether the line has been found slow, or was just now.
    pub(super) fn is_easing(&self) -> bool {
        self.ladder.step() > 0 || self.ladder.is_trial()
    }

    /// How many steps of it are given up.
    pub(super) fn step(&self) -> u8 {
        self.ladder.step() as u8
    }

    /// Share of the view's width and height that is shown.
    pub(super) fn reach(&self) -> f32 {
        STEPS[self.ladder.step()].1.min(self.held.1)
    }

    /// A frame was confirmed at `now`, so much later, in ms, than the quickest was.
    pub(super) fn confirmed(&mut self, queue_ms: f64, now: Tick) {
        self.queue_ms = self.queue_ms.min(queue_ms);
        self.confirmations += u32::from(now != self.confirmed);
        self.confirmed = now;
    }

    /// Once a tick of so many ms; the oldest frame under way is so late, in ms, against the quickest.
    pub(super) fn tick(&mut self, tick_ms: f64, late_ms: f64) {
        self.ladder.pass(tick_ms);
        self.looked_ms += tick_ms;
        self.gave_up_ms += tick_ms;
        let drained = self.gave_up_ms >= DRAIN_MS;
        if late_ms > LATE_MS && (self.ladder.is_trial() || drained) {
            self.give_up(if late_ms > VERY_LATE_MS { 3 } else { 1 });
        } else if self.looked_ms >= LOOK_MS && self.confirmations >= CONFIRMATIONS_MIN {
            self.look(tick_ms, drained);
        }
    }

    fn look(&mut self, tick_ms: f64, drained: bool) {
        let spent_ms = f64::from(self.ticks_per_message() - 1) * tick_ms * SPENT_SHARE;
        let queue_ms = core::mem::replace(&mut self.queue_ms, f64::INFINITY) - spent_ms;
        let looked_ms = core::mem::take(&mut self.looked_ms);
        self.confirmations = 0;
        let most = if self.ladder.is_trial() { QUEUE_TRIAL_MS } else { QUEUE_MS };
        if queue_ms > most && drained {
            self.give_up(1);
        } else if queue_ms < CLEAR_MS {
            self.ladder.clear(looked_ms);
        } else {
            self.ladder.unclear();
        }
    }

    fn give_up(&mut self, steps: usize) {
        self.ladder.give_up(steps);
        self.gave_up_ms = 0.0;
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
            ease.tick(1000.0 / 30.0, 0.0);
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
    fn an_overloaded_server_is_a_floor_under_it() {
        let (mut ease, mut now) = (Ease::new(0), 0);
        ease.hold(3, 0.64);
        assert_eq!((ease.ticks_per_message(), ease.reach(), ease.is_held()), (3, 0.64, true));
        assert!(!ease.is_easing(), "the line is as good as it was");
        run(&mut ease, &mut now, 60, |_| 250.0);
        assert_eq!((ease.ticks_per_message(), ease.reach(), ease.is_held()), (8, 0.33, false));
        run(&mut ease, &mut now, 400, |_| 10.0);
        assert_eq!((ease.ticks_per_message(), ease.reach(), ease.is_held()), (3, 0.64, true));
        ease.hold(1, 1.0);
        assert_eq!((ease.ticks_per_message(), ease.reach(), ease.is_held()), (1, 1.0, false));
    }

    #[test]
    fn stalls_cost_nothing() {
        let (mut ease, mut now) = (Ease::new(0), 0);
        run(&mut ease, &mut now, 120, |tick| if tick % 10 < 8 { 400.0 } else { 5.0 });
        assert_eq!(ease.ticks_per_message(), 1);
    }
}
