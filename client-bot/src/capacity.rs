//! How many bots a server bears. Comes in: each second of a run whose load rises in steps. Goes out: the last step at
//! which everything was met, and what broke after it.

use crate::config::Config;
use crate::generator::{self, Cpu};
use crate::metrics::Look;
use crate::progress::Standing;
use crate::report::Percentiles;
use crate::require::{Bound, Outcome, Requirement};
use crate::window::{Counts, Times};
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
    /// Bots of the last step at which everything was met; 0 when there is none.
    pub bots: u32,
    /// Whether a step broke; else there may be room for more.
    pub found: bool,
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

/// Judges steps as they go by.
#[derive(Debug)]
pub(crate) struct Search {
    bounds: Vec<Bound>,
    every: f64,
    /// The step that goes on, from 0, and what has settled of it.
    step: u32,
    settled: Option<Settled>,
    /// The newest look at the server.
    server: Option<Look>,
    found: Capacity,
}

/// What has settled of a step, from its first second to its last: nothing of the next one, which begins before a sample
/// can be taken.
#[derive(Debug)]
struct Settled {
    cpu: [Cpu; 2],
    server: [Option<Look>; 2],
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
        let mut bounds: Vec<_> = config.bounds().cloned().collect();
        if bounds.is_empty() {
            bounds.push(asked(USUAL));
        }
        bounds.push(asked(NOBODY_LEFT_OUT));
        let every = config.step_time.as_secs_f64();
        config.find_capacity.then(|| Self {
            bounds,
            every,
            step: 0,
            settled: None,
            server: None,
            found: Capacity::default(),
        })
    }

    /// A second is over, at whose end there are to be so many bots. Whether the search is.
    pub(crate) fn take(
        &mut self,
        at: f64,
        second: &Times<Counts>,
        bots: u32,
        standing: Standing,
        server: Option<Look>,
    ) -> bool {
        self.server = server.or_else(|| self.server.take());
        let step = (at / self.every) as u32;
        if step > self.step {
            self.step = step;
            return self.end_step();
        }
        if at - f64::from(step) * self.every < self.every * SETTLE_SHARE {
            return false;
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
        false
    }

    /// Judges the step that is over; whether it broke. A step of which nothing has settled says nothing.
    pub(crate) fn end_step(&mut self) -> bool {
        let Some(settled) = self.settled.take().filter(|settled| settled.seconds > 0) else {
            return false;
        };
        let Settled { cpu: [before, after], server, bots, standing: now, sum, .. } = settled;
        let (used, cores) = (after.cores_since(&before), generator::cores());
        let server = match server {
            [Some(before), Some(now)] => Some(now.since(&before)),
            _ => None,
        };
        let lateness = Percentiles::of_counts(&sum.lateness);
        let report = json!({
            "frame_age_ms": Percentiles::of_counts(&sum.frame_age),
            "input_to_frame_ms": Percentiles::of_counts(&sum.input_to_frame),
            "frame_interval_ms": Percentiles::of_counts(&sum.frame_interval),
            "generator": {
                "tick_lateness_ms": lateness,
                "cpu_percent": used.map(|used| 100.0 * used / cores),
            },
            "server": server,
            "bots": { "connected": now.playing, "failed": now.fallen_out },
            "totals": { "mismatches": now.mismatches },
        });
        let outcomes: Vec<_> = self.bounds.iter().map(|bound| bound.judge(&report)).collect();
        let met = outcomes.iter().all(|outcome| outcome.met);
        if met {
            self.found.bots = bots;
        }
        self.found.found = !met;
        let bottleneck = generator::bottleneck(lateness.p99, used, cores);
        self.found.steps.push(Step { bots, met, outcomes, bottleneck });
        !met
    }

    pub(crate) fn into_found(self) -> Capacity {
        self.found
    }
}
