//! What is measured of one step. Comes in: its seconds, from the first that has settled to the last. Goes out: a report
//! like a whole run's, for figures to be found in.

use crate::generator::{self, Cpu};
use crate::metrics::{Scrape, ServerFigures};
use crate::progress::Standing;
use crate::report::Percentiles;
use crate::window::{Counts, Times, on_time_percent};
use serde_json::{Value, json};
use tokio::time::Instant;

/// A second with less than this share of the frames that usually come in one is one in which the server stood still.
const STALLED_SHARE: f64 = 0.5;

/// How it was at the end of a second.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    at: Instant,
    cpu: Cpu,
    server: Option<Scrape>,
    standing: Standing,
}

impl Moment {
    /// Now the board stands so, and that is the newest look at the server.
    pub(super) fn now(standing: Standing, server: Option<Scrape>) -> Self {
        Self { at: Instant::now(), cpu: Cpu::now(), server, standing }
    }
}

/// What has settled of a step. The load of the next one begins after the last second was taken.
#[derive(Debug)]
pub(super) struct Measured {
    begin: Moment,
    end: Moment,
    /// The time that all bots played, in seconds.
    player_s: f64,
    sum: Times<Counts>,
    /// Whether most of what was due in the last second did not come.
    stalls: bool,
}

impl Measured {
    /// From then on.
    pub(super) fn from(begin: Moment) -> Self {
        Self { end: begin.clone(), begin, player_s: 0.0, sum: Times::default(), stalls: false }
    }

    /// A second more.
    pub(super) fn add(&mut self, second: &Times<Counts>, end: Moment) {
        self.sum.add(second);
        let seconds = (end.at - self.end.at).as_secs_f64();
        self.player_s += f64::from(end.standing.playing) * seconds;
        let rate = |from: &Moment, to: &Moment| {
            let frames = to.standing.frames - from.standing.frames;
            frames as f64 / (to.at - from.at).as_secs_f64()
        };
        // Before the first second there is no usual rate, and nothing is less than that.
        self.stalls = rate(&self.end, &end) < STALLED_SHARE * rate(&self.begin, &self.end);
        self.end = end;
    }

    /// Whether frames are on their way which, whenever they come, are this step's.
    pub(super) fn stalls(&self) -> bool {
        self.stalls
    }

    /// Why the load generator is not to be believed, if so.
    pub(super) fn bottleneck(&self) -> Option<String> {
        let lateness = Percentiles::of_counts(&self.sum.lateness);
        generator::bottleneck(lateness.p99, self.cores_used(), generator::cores())
    }

    fn cores_used(&self) -> Option<f64> {
        self.end.cpu.cores_since(&self.begin.cpu)
    }

    /// As a report has it, of the step with so many bots at whose start the board stood like `before` and now stands so.
    /// Every figure that steps measure has its place here; nothing else has.
    pub(super) fn report(&self, bots: u32, before: &Standing, now: &Standing) -> Value {
        let server = match (&self.begin.server, &self.end.server) {
            (Some(before), Some(now)) => now.since(before),
            _ => None,
        };
        let (from, to) = (&self.begin.standing, &self.end.standing);
        let each = |count: fn(&Standing) -> u64| {
            (self.player_s > 0.0).then(|| (count(to) - count(from)) as f64 / self.player_s)
        };
        let inputs = to.inputs - from.inputs;
        let late = (to.late_inputs - from.late_inputs) as f64;
        let failed = now.failed - before.failed;
        let thrown_out = now.thrown_out - before.thrown_out;
        let percent = |some: u32| 100.0 * f64::from(some) / f64::from(bots.max(1));
        json!({
            "frame_age_ms": Percentiles::of_counts(&self.sum.frame_age),
            "input_to_frame_ms": Percentiles::of_counts(&self.sum.input_to_frame),
            "frame_interval_ms": Percentiles::of_counts(&self.sum.frame_interval),
            "round_trip_ms": Percentiles::of_counts(&self.sum.round_trip),
            "frames_on_time_percent": on_time_percent(&self.sum.frame_interval, now.tick_rate),
            "generator": {
                "tick_lateness_ms": Percentiles::of_counts(&self.sum.lateness),
                "cpu_percent": self.cores_used().map(|used| 100.0 * used / generator::cores()),
            },
            "server": server,
            "bots": {
                "connected": now.present,
                "failed": failed, "failed_percent": percent(failed),
                "thrown_out": thrown_out, "thrown_out_percent": percent(thrown_out),
            },
            "per_player": {
                "frames_per_second": each(|standing| standing.frames),
                "received_bytes_per_second": each(|standing| standing.bytes),
                "corrections_per_second": each(|standing| standing.corrections),
            },
            "totals": {
                "mismatches": now.mismatches - before.mismatches,
                "unreadable": now.refused - before.refused,
                "late_inputs_percent": (inputs > 0).then(|| 100.0 * late / inputs as f64),
            },
        })
    }
}

/// A report of a step of nothing, to see what steps measure; with the server's figures or without.
pub(super) fn sample(server: bool) -> Value {
    let nothing = Standing::default();
    let mut report = Measured::from(Moment::now(nothing, None)).report(0, &nothing, &nothing);
    if server {
        report["server"] = json!(ServerFigures::default());
    }
    report
}
