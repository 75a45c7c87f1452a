//! How far something is given up where a line is too slow for it. Comes in: that there is a queue, or that
//! there is none, and time. Goes out: on which step one stands.
//!
//! Where there is a queue it goes a step down. When the line has been clear for a while a step up is tried,
//! and after each time that was too much the next try waits twice as long.

/// When steps are tried and given up. Times in ms.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For how long a line has to be clear before more is tried.
    pub usual_ms: f64,
    /// The same at most, after many tries that were too much.
    pub most_ms: f64,
    /// Who has to give up so soon after a try had tried too much.
    pub trial_ms: f64,
}

/// A place on a ladder whose first step is 0, where everything is given.
#[derive(Clone, Debug)]
pub struct Ladder {
    patience: Patience,
    last: usize,
    step: usize,
    clear_ms: f64,
    wait_ms: f64,
    tried_ms: f64,
}

impl Ladder {
    /// On the first of so many steps.
    pub fn new(steps: usize, patience: Patience) -> Self {
        Self {
            patience,
            last: steps - 1,
            step: 0,
            clear_ms: 0.0,
            wait_ms: patience.usual_ms,
            tried_ms: patience.trial_ms,
        }
    }

    /// The step.
    pub fn step(&self) -> usize {
        self.step
    }

    /// Whether more was tried just now.
    pub fn is_trial(&self) -> bool {
        self.tried_ms < self.patience.trial_ms
    }

    /// Time passes.
    pub fn pass(&mut self, ms: f64) {
        self.tried_ms += ms;
        if self.step == 0 && self.tried_ms > self.patience.most_ms {
            self.wait_ms = self.patience.usual_ms;
        }
    }

    /// What was too much before tells nothing any more: the next try waits as long as the first one did.
    pub fn forget(&mut self) {
        self.wait_ms = self.patience.usual_ms;
    }

    /// The line was clear for so long.
    pub fn clear(&mut self, ms: f64) {
        self.clear_ms += ms;
        if self.clear_ms >= self.wait_ms && self.step > 0 {
            self.step -= 1;
            self.clear_ms = 0.0;
            self.tried_ms = 0.0;
        }
    }

    /// The line was not clear.
    pub fn unclear(&mut self) {
        self.clear_ms = 0.0;
    }

    /// There is a queue: so many steps down.
    pub fn give_up(&mut self, steps: usize) {
        if self.is_trial() {
            self.wait_ms = (self.wait_ms * 2.0).min(self.patience.most_ms);
            self.tried_ms = self.patience.trial_ms;
        }
        self.step = (self.step + steps).min(self.last);
        self.clear_ms = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_try_that_is_too_much_makes_the_next_one_wait_longer() {
        let patience = Patience { usual_ms: 6_000.0, most_ms: 60_000.0, trial_ms: 2_000.0 };
        let mut ladder = Ladder::new(5, patience);
        let mut tries = Vec::new();
        for second in 0..400 {
            let before = ladder.step();
            ladder.pass(1000.0);
            // The line bears the second step, no more.
            if before < 2 {
                ladder.give_up(1)
            } else {
                ladder.clear(1000.0)
            }
            if ladder.step() < before {
                tries.push(second);
            }
        }
        let pauses: Vec<i32> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(pauses.len() >= 5 && pauses.is_sorted() && pauses[0] >= 12, "{pauses:?}");
        assert!(pauses.last() >= Some(&60), "{pauses:?}");
        // A line that has become good is given all again.
        (0..400).for_each(|_| {
            ladder.pass(1000.0);
            ladder.clear(1000.0);
        });
        assert_eq!(ladder.step(), 0);
    }

    #[test]
    fn nothing_is_given_up_below_the_last_step() {
        let patience = Patience { usual_ms: 1.0, most_ms: 1.0, trial_ms: 1.0 };
        let mut ladder = Ladder::new(3, patience);
        ladder.give_up(9);
        assert_eq!(ladder.step(), 2);
    }

    #[test]
    fn who_forgets_what_was_too_much_tries_as_soon_as_at_first() {
        let patience = Patience { usual_ms: 2_000.0, most_ms: 60_000.0, trial_ms: 3_000.0 };
        let mut ladder = Ladder::new(5, patience);
        ladder.give_up(4);
        // A dozen tries that are too much, and the line is good from then on.
        for _ in 0..12 {
            while ladder.step() == 4 {
                ladder.clear(1000.0);
            }
            ladder.give_up(1);
        }
        ladder.clear(10_000.0);
        assert_eq!(ladder.step(), 4, "it waits for long");
        ladder.forget();
        (0..8).for_each(|_| ladder.clear(1000.0));
        assert_eq!(ladder.step(), 0);
    }
}
