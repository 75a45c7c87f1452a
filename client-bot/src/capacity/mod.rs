//! How many bots a server bears. Comes in: each second of a run. Goes out: what load comes next, which rises in steps, and
//! from the first that breaks on is halfway between what held and what broke; the most that held, and what broke
//! beyond.

mod measured;

use crate::config::Config;
use crate::metrics::Scrape;
use crate::over_time::SAMPLE_EVERY;
use crate::progress::Standing;
use crate::require::{Bound, Outcome, Requirement};
use crate::window::{Counts, Times};
use measured::{Measured, Moment};
use serde::Serialize;

/// What has to be met where `--require` says nothing.
const USUAL: &str = "input_to_frame.p99<150ms";
/// The share of a step that is left to settle before it counts.
pub(crate) const SETTLE_SHARE: f64 = 0.4;
/// Steps with the same load that break before it is believed: one may have met with something that was none of it.
const BREAKS: usize = 2;

/// A step goes on for so many samples at most while the server stands still at its end: then bots give it up.
const STALL_SAMPLES_MAX: u32 = 10;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Capacity {
    /// The most bots with which everything was met; 0 when there is none.
    pub bots: u32,
    /// Whether a load broke; else there may be room for more.
    pub found: bool,
    /// The fewest bots with which something was not.
    pub broke: Option<u32>,
    /// What was not met then; the knee's reason.
    pub reason: Option<String>,
    /// All steps, in order.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// Bots.
    pub bots: u32,
    /// Whether everything was met.
    pub met: bool,
    /// Each requirement.
    pub outcomes: Vec<Outcome>,
    /// Why the load generator is not to be believed at this step, if so.
    pub bottleneck: Option<String>,
}

impl Step {
    /// What was not met.
    fn reason(&self) -> String {
        let missed = self.outcomes.iter().filter(|outcome| !outcome.met);
        let missed = missed.map(ToString::to_string).collect::<Vec<_>>().join("; ");
        let ours = self.bottleneck.as_ref().map(|why| format!("; and the load generator: {why}"));
        missed + &ours.unwrap_or_default()
    }
}

impl Capacity {
    /// How many steps broke with so many bots.
    fn broken(&self, bots: u32) -> usize {
        self.steps.iter().filter(|step| step.bots == bots && !step.met).count()
    }

    /// The load that is to be tried once more, if the last step says that.
    fn doubtful(&self) -> Option<u32> {
        let last = self.steps.last().filter(|step| !step.met)?;
        (self.broken(last.bots) < BREAKS).then_some(last.bots)
    }

    /// What the steps come to; once there are no more, a load that could not be tried once more has broken too.
    fn conclude(&mut self, over: bool) {
        let doubtful = self.doubtful().filter(|_| over);
        let broke = self.steps.iter().rev().filter(|step| {
            !step.met && (self.broken(step.bots) >= BREAKS || doubtful == Some(step.bots))
        });
        let broke = broke.min_by_key(|step| step.bots);
        let (reason, broke) = (broke.map(Step::reason), broke.map(|step| step.bots));
        let held = self.steps.iter().filter(|step| step.met).map(|step| step.bots);
        self.bots = held.filter(|&bots| broke.is_none_or(|broke| bots < broke)).max().unwrap_or(0);
        (self.found, self.broke, self.reason) = (broke.is_some(), broke, reason);
    }
}

/// What load a search wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// As many as there are.
    Same,
    /// So many bots, from now on.
    Bots(u32),
    /// It is over.
    Nothing,
}

/// Judges steps as they go by.
#[derive(Debug)]
pub(crate) struct Search {
    bounds: Vec<Bound>,
    /// How many samples a step takes. Counted, as on a machine that stands still now and then the clock says little of
    /// what was seen.
    samples: u32,
    /// How many of them are left to settle.
    settling: u32,
    /// How many bots a step adds, and the most that are tried.
    step: u32,
    most: u32,
    /// How near it comes to the knee, as a share of what broke.
    precision: f64,
    /// How many bots there are to be in the step that goes on.
    wanted: u32,
    /// How many samples were taken of it since they were sent out, and how the board stood before it.
    taken: u32,
    before: Standing,
    /// What has settled of it.
    measured: Option<Measured>,
    /// The newest look at the server.
    server: Option<Scrape>,
    found: Capacity,
}

impl Search {
    /// `None` where none is asked for.
    pub(crate) fn new(config: &Config) -> Option<Self> {
        let mut bounds: Vec<_> = config.results.bounds().cloned().collect();
        if bounds.is_empty() {
            bounds.push(bound(USUAL));
        }
        let samples = config.search.step_time.as_secs_f64() / SAMPLE_EVERY.as_secs_f64();
        config.search.find_capacity.then(|| Self {
            bounds,
            samples: samples as u32,
            settling: (samples * SETTLE_SHARE) as u32,
            step: config.search.step,
            most: config.bots,
            precision: config.search.precision / 100.0,
            wanted: config.search.step.min(config.bots),
            taken: 0,
            before: Standing::default(),
            measured: None,
            server: None,
            found: Capacity::default(),
        })
    }

    /// A second is over, at whose end so many bots have been sent out. What comes next.
    pub(crate) fn take(
        &mut self,
        second: &Times<Counts>,
        bots: u32,
        standing: Standing,
        server: Option<Scrape>,
    ) -> Next {
        self.server = server.or_else(|| self.server.take());
        // Where many fell out it takes longer to have as many again.
        if bots != self.wanted {
            return Next::Same;
        }
        self.taken += 1;
        if self.taken < self.settling {
            return Next::Same;
        }
        let moment = Moment::now(standing, self.server.clone());
        match &mut self.measured {
            Some(measured) => measured.add(second, moment),
            none => *none = Some(Measured::from(moment)),
        }
        // What is late when a step is over would be counted in none: the next one settles first.
        let waits = self.measured.as_ref().is_some_and(Measured::stalls)
            && self.taken < self.samples + STALL_SAMPLES_MAX;
        if self.taken < self.samples || waits {
            return Next::Same;
        }
        self.end_step(bots, standing);
        let next = self.next();
        if let Next::Bots(bots) = next {
            self.wanted = bots;
        }
        next
    }

    /// All bots have fallen out, so many in the step that goes on, which broke then, whatever was measured of it. To be
    /// told when the run is over.
    pub(crate) fn nobody_left(&mut self, bots: u32, standing: Standing) {
        self.end_step(bots, Standing { playing: 0, present: 0, ..standing });
    }

    /// Judges the step that is over.
    fn end_step(&mut self, bots: u32, standing: Standing) {
        let measured = self.measured.take();
        let measured = measured.unwrap_or_else(|| Measured::from(Moment::now(standing, None)));
        let report = measured.report(bots, &self.before, &standing);
        // Whoever is not in, for whatever reason, is no load.
        let all_are_in = bound(&format!("connected>={bots}"));
        let bounds = self.bounds.iter().chain([&all_are_in]);
        let outcomes: Vec<_> = bounds.map(|bound| bound.judge(&report)).collect();
        let met = outcomes.iter().all(|outcome| outcome.met);
        let bottleneck = measured.bottleneck();
        self.found.steps.push(Step { bots, met, outcomes, bottleneck });
        self.found.conclude(false);
        (self.taken, self.before) = (0, standing);
    }

    fn next(&self) -> Next {
        let held = self.found.bots;
        if let Some(bots) = self.found.doubtful() {
            return Next::Bots(bots);
        }
        match self.found.broke {
            None if held >= self.most => Next::Nothing,
            None => Next::Bots((held + self.step).min(self.most)),
            Some(broke) => {
                let apart = broke.saturating_sub(held);
                let near = apart <= 1 || f64::from(apart) <= f64::from(broke) * self.precision;
                if near { Next::Nothing } else { Next::Bots(held + apart / 2) }
            }
        }
    }

    pub(crate) fn into_found(mut self) -> Capacity {
        self.found.conclude(true);
        self.found
    }
}

/// Refuses requirements that no step measures, `server` being whether the server tells its figures: every step would break.
/// Errors with a sentence.
pub(crate) fn check<'a>(
    bounds: impl Iterator<Item = &'a Bound>,
    server: bool,
) -> Result<(), String> {
    let sample = measured::sample(server);
    match bounds.into_iter().find(|bound| !bound.has_place_in(&sample)) {
        Some(bound) => {
            Err(format!("--find-capacity cannot keep to {bound}: no step measures that"))
        }
        None => Ok(()),
    }
}

/// A requirement of ours.
fn bound(text: &str) -> Bound {
    match text.parse() {
        Ok(Requirement::Bound(bound)) => bound,
        other => unreachable!("{text}: {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::Window;
    use clap::Parser;

    fn begun(flags: &[&str]) -> (Search, u32) {
        let flags = [&["client-bot", "--find-capacity", "--step-time", "10s"], flags].concat();
        let config = Config::parse_from(flags);
        (Search::new(&config).unwrap(), config.profile().most())
    }

    /// A second in which every input took so long.
    fn second(input_to_frame_ms: f64) -> Times<Counts> {
        let second = Times::<Window>::default();
        (0..10).for_each(|_| second.input_to_frame.record(input_to_frame_ms));
        second.drain()
    }

    fn standing(playing: u32) -> Standing {
        Standing { playing, present: playing, tick_rate: 30, ..Standing::default() }
    }

    /// A step in which that many are in at each second's end, and inputs take so long.
    fn step(search: &mut Search, bots: u32, in_ms: impl Fn(u32) -> (u32, f64)) -> Next {
        let mut next = Next::Same;
        for at in 1..=10 {
            assert_eq!(next, Next::Same, "a step takes ten seconds");
            let (playing, ms) = in_ms(at);
            next = search.take(&second(ms), bots, standing(playing), None);
        }
        next
    }

    /// Searches where so many bots have room; what was found, and the loads that were tried.
    fn search(room: u32, flags: &[&str]) -> (Capacity, Vec<u32>) {
        let (mut search, mut bots) = begun(flags);
        for _ in 0..1000 {
            match step(&mut search, bots, |_| (bots.min(room), 40.0)) {
                Next::Same => panic!("a step is over"),
                Next::Bots(more) => bots = more,
                Next::Nothing => {
                    let found = search.into_found();
                    let tried = found.steps.iter().map(|step| step.bots).collect();
                    return (found, tried);
                }
            }
        }
        panic!("it does not end");
    }

    #[test]
    fn it_comes_near_to_where_it_breaks() {
        let flags = ["--bots", "1000", "--step", "100", "--ramp", "1000"];
        let (found, tried) = search(437, &flags);
        assert!(found.found && found.bots <= 437, "{found:?}");
        assert!(tried.starts_with(&[100, 200, 300, 400, 500, 500, 450, 450, 425]), "{tried:?}");
        let broke = found.broke.unwrap();
        assert!(
            broke > 437 && f64::from(broke - found.bots) <= f64::from(broke) * 0.05,
            "{found:?}"
        );
        let reason = found.reason.unwrap();
        assert!(reason.contains(&format!("connected>={broke}: NOT MET, 437")), "{reason}");
    }

    #[test]
    fn the_nearest_is_one_bot_and_the_farthest_all_that_were_asked_for() {
        let flags = ["--bots", "40", "--step", "4", "--ramp", "100", "--precision", "0.1"];
        let (found, tried) = search(4, &flags);
        assert_eq!((found.bots, found.broke, &tried[..]), (4, Some(5), &[4, 8, 8, 6, 6, 5, 5][..]));
        let (found, tried) = search(99, &flags);
        assert_eq!((found.bots, found.found, found.broke, tried.len()), (40, false, None, 10));
        let (found, _) = search(0, &flags);
        assert_eq!((found.bots, found.broke), (0, Some(1)));
    }

    #[test]
    fn a_step_that_breaks_once_is_tried_once_more() {
        let (mut search, _) = begun(&["--bots", "30", "--step", "10", "--ramp", "100"]);
        assert_eq!(step(&mut search, 10, |_| (10, 500.0)), Next::Bots(10));
        assert_eq!(step(&mut search, 10, |_| (10, 40.0)), Next::Bots(20));
        assert_eq!(step(&mut search, 20, |_| (20, 500.0)), Next::Bots(20));
        assert_eq!(step(&mut search, 20, |_| (20, 500.0)), Next::Bots(15));
        let found = search.into_found();
        assert_eq!((found.bots, found.broke, found.steps.len()), (10, Some(20), 4));
    }

    /// The rest of a step is all that is not left to settle, its last second as well.
    #[test]
    fn a_step_is_judged_by_all_its_seconds_that_have_settled() {
        for (slow, holds) in [(4, true), (5, false), (9, false), (10, false)] {
            let (mut search, _) = begun(&["--bots", "20", "--step", "10", "--ramp", "100"]);
            let next = step(&mut search, 10, |at| (10, if at == slow { 500.0 } else { 40.0 }));
            assert_eq!(next == Next::Bots(20), holds, "slow in second {slow}: {next:?}");
        }
    }

    #[test]
    fn who_is_not_in_is_no_load() {
        let flags = ["--bots", "20", "--step", "10", "--ramp", "100"];
        // Seven wait for their tickets still, or have lost their lines in the last second.
        for missing_from in [1, 10] {
            let (mut search, _) = begun(&flags);
            let playing = |at| if at >= missing_from { 3 } else { 10 };
            assert_eq!(step(&mut search, 10, |at| (playing(at), 40.0)), Next::Bots(10));
        }
        // Who churns is present between its stays.
        let (mut search, _) = begun(&flags);
        let churning = Standing { playing: 6, ..standing(10) };
        let mut take = || search.take(&second(40.0), 10, churning, None);
        assert!((1..10).all(|_| take() == Next::Same));
        assert_eq!(take(), Next::Bots(20));
    }

    /// A step begins when as many as are wanted have been sent out.
    #[test]
    fn a_step_waits_for_its_bots_to_set_out() {
        let (mut search, _) = begun(&["--bots", "20", "--step", "10", "--ramp", "1"]);
        for sent_out in 1..10 {
            let next = search.take(&second(500.0), sent_out, standing(sent_out), None);
            assert_eq!(next, Next::Same);
        }
        assert_eq!(step(&mut search, 10, |_| (10, 40.0)), Next::Bots(20));
    }

    #[test]
    fn a_server_that_all_bots_fall_out_of_has_broken() {
        for crash_at in [2, 8] {
            let (mut search, _) = begun(&["--bots", "90", "--step", "10", "--ramp", "100"]);
            assert_eq!(step(&mut search, 10, |_| (10, 40.0)), Next::Bots(20));
            for _ in 0..crash_at {
                assert_eq!(search.take(&second(40.0), 20, standing(20), None), Next::Same);
            }
            search.nobody_left(20, Standing { thrown_out: 20, ..standing(20) });
            let found = search.into_found();
            assert_eq!((found.found, found.bots, found.broke), (true, 10, Some(20)));
            let reason = found.reason.unwrap();
            assert!(reason.contains("connected>=20: NOT MET, 0"), "{reason}");
        }
    }

    #[test]
    fn a_search_that_ends_early_believes_what_there_is() {
        let (mut search, _) = begun(&["--bots", "90", "--step", "10", "--ramp", "100"]);
        step(&mut search, 10, |_| (10, 40.0));
        step(&mut search, 20, |_| (20, 500.0));
        let found = search.into_found();
        assert_eq!((found.found, found.bots, found.broke), (true, 10, Some(20)));
        let (search, _) = begun(&[]);
        assert_eq!(search.into_found(), Capacity::default());
    }
}
