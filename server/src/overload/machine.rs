//! How busy the whole machine is with this process: once in a while the processor's time that it took, all tick loops,
//! connections and everything else together, against that of all cores; and how busy each lane was, as sessions that
//! share a thread may have too much to do together, though each has little and most cores sleep.

use crate::metrics::process::usage;
use crate::tick_loop::TickCounts;
use std::sync::atomic::Ordering;
use tokio::time::{Duration, Instant};

/// Seconds of work since the start.
pub(crate) struct Work {
    /// Until when.
    pub(crate) at: Instant,
    processor_s: f64,
    loops_s: f64,
    /// Of each lane.
    lanes_s: Vec<f64>,
}

impl Work {
    /// Of loops that count so, and lanes that were busy for so long.
    pub(crate) fn until_now(ticks: &TickCounts, lanes: impl Iterator<Item = Duration>) -> Self {
        Self {
            at: Instant::now(),
            processor_s: usage().cpu_ms.map_or(0.0, |ms| ms as f64 / 1000.0),
            loops_s: ticks.busy_ns.load(Ordering::Relaxed) as f64 / 1e9,
            lanes_s: lanes.map(|busy| busy.as_secs_f64()).collect(),
        }
    }

    /// Which share of so many cores was at work since `before`. Where the system does not tell, the loops do.
    pub(crate) fn share_since(&self, before: &Self, cores: f64) -> f64 {
        let processor = self.processor_s - before.processor_s;
        let loops = self.loops_s - before.loops_s;
        processor.max(loops) / self.passed_since(before) / cores
    }

    /// Which share of its time each lane was at work since `before`.
    pub(crate) fn lane_shares_since(&self, before: &Self) -> Vec<f64> {
        let passed = self.passed_since(before);
        let lanes = self.lanes_s.iter().zip(&before.lanes_s);
        lanes.map(|(now, before)| (now - before) / passed).collect()
    }

    /// In seconds; never none, as shares are of it.
    fn passed_since(&self, before: &Self) -> f64 {
        (self.at - before.at).as_secs_f64().max(1e-3)
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
            lanes_s: vec![loops_s, 2.0 * loops_s],
        };
        let (before, after) = (work(0, 10.0, 3.0), work(500, 10.5, 3.2));
        assert!((after.share_since(&before, 2.0) - 0.5).abs() < 1e-9);
        let lanes = after.lane_shares_since(&before);
        assert!((lanes[0] - 0.4).abs() < 1e-9 && (lanes[1] - 0.8).abs() < 1e-9, "{lanes:?}");
        let untold = work(500, 10.0, 3.25);
        assert!((untold.share_since(&before, 2.0) - 0.25).abs() < 1e-9);
    }
}
