//! How far a loop is, for whoever watches from another thread. Comes in: each stage that begins, from the loop, at the
//! price of a store that nobody waits for. Goes out: what is being done, and whether that is still the same as before.

use crate::metrics::Stage;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bits of the word that say what is being done; the others count.
const DOING_BITS: u32 = 8;

/// How far a loop is; the default sleeps.
#[derive(Debug, Default)]
pub struct Progress(AtomicU64);

/// A loop at work, as somebody saw it. Two that are the same are of one and the same stage of one tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtWork(u64);

impl Progress {
    /// The loop sleeps until its next tick.
    pub(crate) fn sleeps(&self) {
        self.set(0);
    }

    /// This stage begins.
    pub(crate) fn begins(&self, stage: Stage) {
        self.set(1 + stage as u64);
    }

    /// What follows a tick begins, or the end: looks, checkpoints, results, goodbyes.
    pub(crate) fn publishes(&self) {
        self.set(1 + Stage::ALL.len() as u64);
    }

    /// What the loop does; `None` while it sleeps.
    pub fn at_work(&self) -> Option<AtWork> {
        let word = self.0.load(Ordering::Relaxed);
        (doing(word) > 0).then_some(AtWork(word))
    }

    /// The loop alone writes, so nothing gets lost between the two.
    fn set(&self, doing: u64) {
        let count = (self.0.load(Ordering::Relaxed) >> DOING_BITS).wrapping_add(1);
        self.0.store(count << DOING_BITS | doing, Ordering::Relaxed);
    }
}

impl AtWork {
    /// The stage's name in the metrics, or `publishing` for what follows a tick.
    pub fn label(self) -> &'static str {
        let stage = Stage::ALL.get(doing(self.0) as usize - 1);
        stage.map_or("publishing", |stage| stage.label())
    }
}

fn doing(word: u64) -> u64 {
    word & ((1 << DOING_BITS) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_has_a_name_and_is_another_thing_each_time() {
        let progress = Progress::default();
        assert_eq!(progress.at_work(), None);
        let label = || progress.at_work().map(AtWork::label);
        for stage in Stage::ALL {
            progress.begins(stage);
            assert_eq!(label(), Some(stage.label()));
        }
        progress.publishes();
        assert_eq!(label(), Some("publishing"));
        progress.sleeps();
        assert_eq!(label(), None);
        progress.begins(Stage::Step);
        let before = progress.at_work();
        assert_eq!(progress.at_work(), before);
        progress.begins(Stage::Step);
        assert_ne!(progress.at_work(), before, "that is another tick");
    }
}
