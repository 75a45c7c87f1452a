//! How many bots a server bears. Comes in: each second of a run. Goes out: what load comes next, which rises in steps, and
//! from the first that breaks on is halfway between what held and what broke; the most that held, and what broke
//! beyond.

use crate::config::Config;
use crate::generator::{self, Cpu};
use crate::metrics::Scrape;
use crate::over_time::SAMPLE_EVERY;
use crate::progress::Standing;
use crate::report::Percentiles;
use crate::require::{Bound, Outcome, Requirement};
use crate::window::{Counts, Times, on_time_percent};
use serde::Serialize;
use serde_json::json;

/// What has to be met where `--require` says nothing.
const USUAL: &str = "input_to_frame.p99<150ms";
/// What has to be met always: that all bots of a step play.
const NOBODY_LEFT_OUT: &str = "failed=0";
/// The share of a step that is left to settle before it counts.
pub(crate) const SETTLE_SHARE: f64 = 0.4;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Capacity {
    /// The most bots with which everything was met; 0 when there is none.
    pub bots: u32,
    /// Whether a step broke; else there may be room for more.
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
    /// How many samples were taken of the step that goes on, and how many bots had fallen out before it.
    taken: u32,
    fallen_out: u32,
    /// What has settled of it.
    settled: Option<Settled>,
    /// The newest look at the server.
    server: Option<Scrape>,
    found: Capacity,
}

/// What has settled of a step, from its first second to its last: nothing of the next one, which begins before a sample
/// can be taken.
#[derive(Debug)]
struct Settled {
    cpu: [Cpu; 2],
    server: [Option<Scrape>; 2],
    bots: u32,
    standing: Standing,
    seconds: u32,
    sum: Times<Counts>,
}

impl Search {
    /// `None` where none is asked for.
    pub(crate) fn new(config: &Config) -> Option<Self> {
        let asked = |text: &str| match text.parse() {
            Ok(Requirement::Bound(bound)) => bound,
            other => unreachable!("{text}: {other:?}"),
        };
        let mut bounds: Vec<_> = config.results.bounds().cloned().collect();
        if bounds.is_empty() {
            bounds.push(asked(USUAL));
        }
        bounds.push(asked(NOBODY_LEFT_OUT));
        let samples = config.search.step_time.as_secs_f64() / SAMPLE_EVERY.as_secs_f64();
        config.search.find_capacity.then(|| Self {
            bounds,
            samples: samples as u32,
            settling: (samples * SETTLE_SHARE) as u32,
            step: config.search.step,
            most: config.bots,
            precision: config.search.precision / 100.0,
            taken: 0,
            fallen_out: 0,
            settled: None,
            server: None,
            found: Capacity::default(),
        })
    }

    /// A second is over, at whose end there are to be so many bots. What comes next.
    pub(crate) fn take(
        &mut self,
        second: &Times<Counts>,
        bots: u32,
        standing: Standing,
        server: Option<Scrape>,
    ) -> Next {
        self.server = server.or_else(|| self.server.take());
        self.taken += 1;
        if self.taken >= self.samples {
            let next = self.end_step();
            (self.taken, self.fallen_out) = (0, standing.fallen_out);
            return next;
        }
        if self.taken <= self.settling {
            return Next::Same;
        }
        let (cpu, server) = (Cpu::now(), &self.server);
        match &mut self.settled {
            Some(settled) => {
                settled.sum.add(second);
                settled.seconds += 1;
                (settled.cpu[1], settled.server[1]) = (cpu, server.clone());
                (settled.bots, settled.standing) = (bots, standing);
            }
            none => {
                let (cpu, server) = ([cpu; 2], [server.clone(), server.clone()]);
                let sum = Times::default();
                *none = Some(Settled { cpu, server, bots, standing, seconds: 0, sum });
            }
        }
        Next::Same
    }

    /// Judges the step that is over; what comes next. A step of which nothing has settled says nothing.
    pub(crate) fn end_step(&mut self) -> Next {
        let Some(settled) = self.settled.take().filter(|settled| settled.seconds > 0) else {
            return Next::Same;
        };
        let Settled { cpu: [before, after], server, bots, standing: now, sum, .. } = settled;
        let (used, cores) = (after.cores_since(&before), generator::cores());
        let server = match server {
            [Some(before), Some(now)] => now.since(&before),
            _ => None,
        };
        let failed = now.fallen_out - self.fallen_out;
        let lateness = Percentiles::of_counts(&sum.lateness);
        let report = json!({
            "frame_age_ms": Percentiles::of_counts(&sum.frame_age),
            "input_to_frame_ms": Percentiles::of_counts(&sum.input_to_frame),
            "frame_interval_ms": Percentiles::of_counts(&sum.frame_interval),
            "frames_on_time_percent": on_time_percent(&sum.frame_interval, now.tick_rate),
            "generator": {
                "tick_lateness_ms": lateness,
                "cpu_percent": used.map(|used| 100.0 * used / cores),
            },
            "server": server,
            "bots": { "connected": now.playing, "failed": failed,
                      "failed_percent": 100.0 * f64::from(failed) / f64::from(bots.max(1)) },
            "totals": { "mismatches": now.mismatches },
        });
        let outcomes: Vec<_> = self.bounds.iter().map(|bound| bound.judge(&report)).collect();
        let met = outcomes.iter().all(|outcome| outcome.met);
        let bottleneck = generator::bottleneck(lateness.p99, used, cores);
        if met {
            self.found.bots = self.found.bots.max(bots);
        } else if self.found.broke.is_none_or(|broke| bots < broke) {
            let missed = outcomes.iter().filter(|outcome| !outcome.met);
            let missed = missed.map(ToString::to_string).collect::<Vec<_>>().join("; ");
            let ours = bottleneck.as_ref().map(|why| format!("; and the load generator: {why}"));
            self.found.broke = Some(bots);
            self.found.reason = Some(missed + &ours.unwrap_or_default());
        }
        self.found.found = self.found.broke.is_some();
        self.found.steps.push(Step { bots, met, outcomes, bottleneck });
        self.next()
    }

    fn next(&self) -> Next {
        let held = self.found.bots;
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

    pub(crate) fn into_found(self) -> Capacity {
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    /// Searches where so many bots have room; what was found, and the loads that were tried.
    fn search(room: u32, flags: &[&str]) -> (Capacity, Vec<u32>) {
        let flags = [&["client-bot", "--find-capacity", "--step-time", "10s"], flags].concat();
        let config = Config::parse_from(flags);
        let mut search = Search::new(&config).unwrap();
        let (mut bots, mut fallen_out) = (config.profile().most(), 0);
        for at in 1..10_000 {
            let playing = bots.min(room);
            // Whoever finds no room falls out, each time anew.
            let late = at % 10 == 2;
            fallen_out += if late { bots - playing } else { 0 };
            let second = Times::<crate::window::Window>::default();
            (0..10).for_each(|_| second.input_to_frame.record(40.0));
            let standing = Standing { playing, fallen_out, ..Standing::default() };
            match search.take(&second.drain(), bots, standing, None) {
                Next::Same => {}
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
        assert!(tried.starts_with(&[100, 200, 300, 400, 500, 450, 425]), "{tried:?}");
        let broke = found.broke.unwrap();
        assert!(
            broke > 437 && f64::from(broke - found.bots) <= f64::from(broke) * 0.05,
            "{found:?}"
        );
        assert!(found.reason.unwrap().contains("failed=0: NOT MET"), "the knee has its reason");
    }

    #[test]
    fn the_nearest_is_one_bot_and_the_farthest_all_that_were_asked_for() {
        let flags = ["--bots", "40", "--step", "4", "--ramp", "100", "--precision", "0.1"];
        let (found, tried) = search(4, &flags);
        assert_eq!((found.bots, found.broke, &tried[..]), (4, Some(5), &[4, 8, 6, 5][..]));
        let (found, tried) = search(99, &flags);
        assert_eq!((found.bots, found.found, found.broke, tried.len()), (40, false, None, 10));
        let (found, _) = search(0, &flags);
        assert_eq!((found.bots, found.broke), (0, Some(1)));
    }
}
