//! How much all sessions together have to do. Comes in: twice a second how long process and lanes were at work, and what
//! sessions show of themselves. Goes out: a sample for [`crate::overload`], which knows no session, and for the lanes, by
//! which the next session finds its own. At each look the watchdog has its turn.

use super::watchdog::Watchdog;
use super::{Directory, Look};
use crate::overload::{Sample, Work};
use crate::session::restraint::Restraint;
use std::sync::Arc;
use std::thread::available_parallelism;
use tokio::time::{Duration, Instant, MissedTickBehavior, interval_at};

/// How often it is looked at. Linux counts processor time in hundredths of a second.
const SAMPLE_EVERY: Duration = Duration::from_millis(500);

impl Directory {
    /// Looks for as long as the server runs.
    pub(crate) async fn watch_loads(self: Arc<Self>) {
        let cores = available_parallelism().map_or(1, usize::from) as f64;
        // What a moment took says nothing.
        let mut beat = interval_at(Instant::now() + SAMPLE_EVERY, SAMPLE_EVERY);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut watchdog = Watchdog::new(SAMPLE_EVERY, self.live.get().limits.tick_wait);
        let mut before = self.work();
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return,
                _ = beat.tick() => {}
            }
            let now = self.work();
            let (mut people, mut at_ease) = (0, true);
            let entries = self.entries();
            self.watch_over_ticks(&mut watchdog, &entries);
            for entry in &entries {
                let Look { status, measure, .. } = entry.look();
                people += status.people();
                at_ease &= measure.restraint == Restraint::default();
            }
            let sample = Sample {
                passed: now.at - before.at,
                load: now.share_since(&before, cores),
                lanes: now.lane_shares_since(&before),
                people,
                at_ease,
                seats: self.seats_left(),
            };
            self.lanes.were_busy(&sample.lanes, people);
            self.overload.note(&sample);
            before = now;
        }
    }

    fn work(&self) -> Work {
        Work::until_now(&self.ticks, self.lanes.busy())
    }
}
