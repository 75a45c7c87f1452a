//! How busy the whole machine is with this process: once in a while the processor's time that it took, all tick loops,
//! connections and everything else together, against that of all cores; and how busy each lane was, as sessions that
//! share a thread may have too much to do together, though each has little and most cores sleep.

use super::Overload;
use crate::directory::{Directory, Look};
use crate::metrics::process::usage;
use crate::session::restraint::Restraint;
use crate::tick_loop::TickCounts;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::available_parallelism;
use tokio::time::{Duration, Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

/// How often it is looked at. Linux counts processor time in hundredths of a second.
const SAMPLE_EVERY: Duration = Duration::from_millis(500);

/// Seconds of work since the start.
struct Work {
    at: Instant,
    processor_s: f64,
    loops_s: f64,
}

impl Work {
    fn until_now(ticks: &TickCounts) -> Self {
        Self {
            at: Instant::now(),
            processor_s: usage().cpu_ms.map_or(0.0, |ms| ms as f64 / 1000.0),
            loops_s: ticks.busy_ns.load(Ordering::Relaxed) as f64 / 1e9,
        }
    }

    /// Which share of so many cores was at work since `before`. Where the system does not tell, the loops do.
    fn share_since(&self, before: &Self, cores: f64) -> f64 {
        let passed = (self.at - before.at).as_secs_f64().max(1e-3);
        let processor = self.processor_s - before.processor_s;
        let loops = self.loops_s - before.loops_s;
        processor.max(loops) / passed / cores
    }
}

/// Looks for as long as the server runs.
pub(crate) async fn watch(directory: Arc<Directory>, stop: CancellationToken) {
    let overload: &Overload = &directory.overload;
    let cores = available_parallelism().map_or(1, usize::from) as f64;
    // What a moment took says nothing.
    let mut beat = interval_at(Instant::now() + SAMPLE_EVERY, SAMPLE_EVERY);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = Work::until_now(&directory.ticks);
    let mut lanes_before: Vec<Duration> = directory.lanes.busy().collect();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = beat.tick() => {}
        }
        let now = Work::until_now(&directory.ticks);
        let (mut people, mut at_ease) = (0, true);
        for entry in directory.entries() {
            let Look { status, measure, .. } = entry.look();
            people += status.people();
            at_ease &= measure.restraint == Restraint::default();
        }
        let (load, passed) = (now.share_since(&before, cores), now.at - before.at);
        let lanes: Vec<Duration> = directory.lanes.busy().collect();
        let share = |(now, before): (&Duration, &Duration)| {
            (*now - *before).as_secs_f64() / passed.as_secs_f64().max(1e-3)
        };
        let loads: Vec<f64> = lanes.iter().zip(&lanes_before).map(share).collect();
        let mean = loads.iter().sum::<f64>() / loads.len() as f64;
        directory.lanes.were_busy(&loads, people);
        overload.note_lanes(&loads, passed);
        overload.note(load, mean, passed, people, at_ease, directory.seats_left());
        (before, lanes_before) = (now, lanes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_of_all_cores_and_of_whatever_took_more() {
        let at = Instant::now();
        let work = |ms, processor_s, loops_s| Work {
            at: at + Duration::from_millis(ms),
            processor_s,
            loops_s,
        };
        let (before, after) = (work(0, 10.0, 3.0), work(500, 10.5, 3.2));
        assert!((after.share_since(&before, 2.0) - 0.5).abs() < 1e-9);
        let untold = work(500, 10.0, 3.25);
        assert!((untold.share_since(&before, 2.0) - 0.25).abs() < 1e-9);
    }
}
