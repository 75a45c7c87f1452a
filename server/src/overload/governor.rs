//! How much is given up at a load, and when it is given back. Comes in: loads, each with the time that it stands for.
//! Goes out: a [`Restraint`]. It has no clock and knows neither a session nor a machine: a load is the share of what
//! there is, of a tick or of all cores.
//!
//! Above one share a step is taken at each look, several where the load is far above it; the last step, which
//! closes admission, only above a second, higher share. Well below them steps are given back one at a time, and after
//! each time that this was too much the next try waits twice as long ([`Ladder`]), until the load is gone.

use crate::session::restraint::Restraint;
use shared::netcode::ladder::{Ladder, Patience};

/// Loads are judged once they stand for so long together, in ms: five ticks at 30 Hz.
const LOOK_MS: f64 = 160.0;
/// Of so many loads or more the highest is left out: one tick in which much happened is no overload.
const SPIKE_LOADS: usize = 4;
/// Two steps at once where the load is so many times that at which the governor begins, and four where it is so many.
const STEEP: f64 = 1.4;
const VERY_STEEP: f64 = 2.0;
/// Below this share of the limit that a step was taken at it may be given back.
const CLEAR_SHARE: f64 = 0.75;
/// When steps are given back: later than they are taken, by far.
const PATIENCE: Patience = Patience { usual_ms: 2_000.0, most_ms: 60_000.0, trial_ms: 3_000.0 };

/// Below this share of the load at which the governor begins, the load is gone: no single step is worth so much that giving
/// it back would make the rest of it.
const GONE_SHARE: f64 = 1.0 / 3.0;
/// For so long it has to be gone, in ms, before what was too much is forgotten: a load that swings is back by then.
const GONE_MS: f64 = 10_000.0;

/// At which loads something is given up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shares {
    /// Where detail begins to go.
    pub begins: f64,
    /// Where nobody new is let in.
    pub closes: f64,
}

/// Judges the load of one loop, or of the machine.
#[derive(Debug)]
pub struct Governor {
    ladder: Ladder,
    /// Since the last look: how many loads, their sum, the highest, and ms.
    count: usize,
    sum: f64,
    highest: f64,
    passed_ms: f64,
    /// For how long the load has been gone.
    gone_ms: f64,
}

impl Default for Governor {
    fn default() -> Self {
        Self {
            ladder: Ladder::new(Restraint::PLACES, PATIENCE),
            count: 0,
            sum: 0.0,
            highest: 0.0,
            passed_ms: 0.0,
            gone_ms: 0.0,
        }
    }
}

impl Governor {
    /// For so many ms the load was this. What is given up from now on.
    pub fn note(&mut self, shares: Shares, load: f64, ms: f64) -> Restraint {
        self.count += 1;
        self.sum += load;
        self.highest = self.highest.max(load);
        self.passed_ms += ms;
        if self.passed_ms >= LOOK_MS {
            self.look(shares);
        }
        self.restraint()
    }

    /// The same under settings that may not want anything to be given up.
    pub(super) fn watch(&mut self, shares: Option<Shares>, load: f64, ms: f64) -> Restraint {
        match shares {
            Some(shares) => self.note(shares, load, ms),
            None => {
                *self = Self::default();
                Restraint::default()
            }
        }
    }

    /// What is given up.
    pub fn restraint(&self) -> Restraint {
        Restraint::at(self.ladder.step())
    }

    fn look(&mut self, Shares { begins, closes }: Shares) {
        let load = if self.count >= SPIKE_LOADS {
            (self.sum - self.highest) / (self.count - 1) as f64
        } else {
            self.sum / self.count as f64
        };
        let passed_ms = self.passed_ms;
        (self.count, self.sum, self.highest, self.passed_ms) = (0, 0.0, 0.0, 0.0);
        self.ladder.pass(passed_ms);
        self.gone_ms = if load < begins * GONE_SHARE { self.gone_ms + passed_ms } else { 0.0 };
        if self.gone_ms >= GONE_MS {
            self.ladder.forget();
        }
        let (step, last) = (self.ladder.step(), Restraint::MOST.place());
        // What the step that stands was taken at.
        let taken_at = if step == last { closes } else { begins };
        if load >= taken_at && step < last {
            let steps = match load / begins {
                over if over >= VERY_STEEP => 4,
                over if over >= STEEP => 2,
                _ => 1,
            };
            let end = if load >= closes { last } else { last - 1 };
            match steps.min(end - step) {
                0 => self.ladder.unclear(),
                steps => self.ladder.give_up(steps),
            }
        } else if load < taken_at * CLEAR_SHARE {
            self.ladder.clear(passed_ms);
        } else {
            self.ladder.unclear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::restraint::Kind;

    const SHARES: Shares = Shares { begins: 0.6, closes: 0.85 };
    const TICK_MS: f64 = 1000.0 / 30.0;

    /// Notes what `load` says of each tick, given its number and what is given up; the place after each.
    fn trace(
        governor: &mut Governor,
        ticks: usize,
        load: impl Fn(usize, Restraint) -> f64,
    ) -> Vec<usize> {
        let note = |tick| {
            let load = load(tick, governor.restraint());
            governor.note(SHARES, load, TICK_MS).place()
        };
        (0..ticks).map(note).collect()
    }

    fn changes(places: &[usize]) -> usize {
        places.windows(2).filter(|pair| pair[0] != pair[1]).count()
    }

    #[test]
    fn a_steady_load_below_the_share_costs_nothing() {
        let mut governor = Governor::default();
        assert!(trace(&mut governor, 3000, |_, _| 0.59).iter().all(|&place| place == 0));
    }

    #[test]
    fn one_tick_in_which_much_happened_is_no_overload() {
        let mut governor = Governor::default();
        let spikes = |tick, _| if tick % 90 == 0 { 8.0 } else { 0.4 };
        assert!(trace(&mut governor, 3000, spikes).iter().all(|&place| place == 0));
    }

    #[test]
    fn threefold_overload_closes_everything_within_a_second_and_is_left_behind_within_seconds() {
        let mut governor = Governor::default();
        let places = trace(&mut governor, 15, |_, _| 3.0);
        assert_eq!(places.last(), Some(&Restraint::MOST.place()));
        // Four seconds until admission opens at most, and in the reverse order.
        let places = trace(&mut governor, 30 * 30, |_, _| 0.2);
        let opened = places.iter().position(|&place| !Restraint::at(place).is_closed());
        assert!(opened.is_some_and(|tick| tick < 4 * 30), "{opened:?}");
        assert!(places.windows(2).all(|pair| pair[1] <= pair[0] && pair[0] - pair[1] <= 1));
        assert_eq!(places.last(), Some(&0));
    }

    #[test]
    fn slow_growth_costs_detail_first_and_admission_only_above_its_share() {
        let mut governor = Governor::default();
        // What is given up halves nothing here: every step is taken in its turn.
        let places = trace(&mut governor, 1200, |tick, _| 0.3 + tick as f64 * 0.0005);
        assert!(places.windows(2).all(|pair| pair[1] == pair[0] || pair[1] == pair[0] + 1));
        let at = |wanted: usize| places.iter().position(|&place| place >= wanted);
        let begins = at(1).map(|tick| 0.3 + tick as f64 * 0.0005);
        assert!(begins.is_some_and(|load| (0.6..0.62).contains(&load)), "{begins:?}");
        let closes = at(Restraint::MOST.place()).map(|tick| 0.3 + tick as f64 * 0.0005);
        assert!(closes.is_some_and(|load| (0.85..0.87).contains(&load)), "{closes:?}");
    }

    #[test]
    fn what_helps_is_kept_and_tries_become_rare() {
        let mut governor = Governor::default();
        // Everything costs 70 %, each step of the first three saves 10 %: two steps are needed, and one is too few.
        let load = |_, given: Restraint| 0.7 - 0.1 * given.place().min(3) as f64;
        let (first, later) = (trace(&mut governor, 1800, load), trace(&mut governor, 18_000, load));
        assert!(first.iter().chain(&later).all(|&place| place <= 4));
        assert!(later.iter().all(|&place| place >= 1));
        assert!(changes(&later) <= 40, "{}", changes(&later));
    }

    #[test]
    fn a_load_that_swings_is_not_followed_for_long() {
        let mut governor = Governor::default();
        // Four seconds up, four down, for ten minutes.
        let load = |tick: usize, _| if (tick / 120).is_multiple_of(2) { 0.7 } else { 0.1 };
        trace(&mut governor, 30 * 600, load);
        let later = trace(&mut governor, 30 * 600, load);
        let up_and_down = changes(&later);
        assert!(up_and_down < 400, "{up_and_down}");
        assert!(later.iter().all(|&place| !Restraint::at(place).is_closed()));
    }

    #[test]
    fn a_load_that_is_gone_makes_nobody_wait_for_what_was_too_much_before() {
        let mut governor = Governor::default();
        // Ten minutes in which six steps are too few, so that tries have become rare.
        let needed = |_, given: Restraint| if given.place() < 7 { 0.65 } else { 0.4 };
        let hard = trace(&mut governor, 30 * 600, needed);
        assert_eq!((hard.last(), changes(&hard[30 * 480..]) < 6), (Some(&7), true));
        let places = trace(&mut governor, 30 * 30, |_, _| 0.03);
        let all = places.iter().position(|&place| place == 0);
        assert!(all.is_some(), "{:?} steps are given up half a minute later", places.last());
        // Not at once: it might be back.
        assert!(places[..9 * 30].iter().all(|&place| place >= 6));
        assert!(places.windows(2).all(|pair| pair[1] <= pair[0] && pair[0] - pair[1] <= 1));
    }

    #[test]
    fn admission_opens_at_a_load_that_detail_is_still_given_up_at() {
        let mut governor = Governor::default();
        trace(&mut governor, 30, |_, _| 1.0);
        assert!(governor.restraint().is_closed());
        trace(&mut governor, 150, |_, _| 0.62);
        assert_eq!(governor.restraint().newest(), Some(Kind::Spectators));
        trace(&mut governor, 1500, |_, _| 0.62);
        assert_eq!(governor.restraint().newest(), Some(Kind::Spectators));
    }
}
