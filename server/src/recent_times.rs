//! How long a loop's steps took, for whoever looks once a second. Comes in: durations, from the tick loop, which waits for
//! nobody. Goes out: the middle one and the longest since the last look.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Buckets in each doubling of the time: their middle is wrong by a twelfth at most.
const PER_OCTAVE: u32 = 4;
/// Times below 2 to the power of this, in ns, are one bucket: 1 µs.
const LEAST_EXPONENT: u32 = 10;
/// Buckets: the last one begins at some 17 s.
const BUCKETS: usize = 97;

/// Times since the last [`RecentTimes::take`].
#[derive(Debug)]
pub struct RecentTimes {
    buckets: [AtomicU32; BUCKETS],
    longest_ns: AtomicU64,
}

/// What [`RecentTimes::take`] finds, in ns; zeros when there was no step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// How long half of the steps took at most, to a twelfth.
    pub median_ns: u64,
    /// How long the longest took.
    pub longest_ns: u64,
}

impl Default for RecentTimes {
    fn default() -> Self {
        Self { buckets: [const { AtomicU32::new(0) }; BUCKETS], longest_ns: AtomicU64::new(0) }
    }
}

impl RecentTimes {
    /// `steps` took `ns` together.
    pub fn note(&self, ns: u64, steps: u64) {
        if steps == 0 {
            return;
        }
        let each = ns / steps;
        self.buckets[bucket(each)].fetch_add(steps as u32, Ordering::Relaxed);
        self.longest_ns.fetch_max(each, Ordering::Relaxed);
    }

    /// What was noted since the last call. One looker at a time sees everything.
    pub fn take(&self) -> Taken {
        let counts: [u32; BUCKETS] =
            std::array::from_fn(|index| self.buckets[index].swap(0, Ordering::Relaxed));
        let longest_ns = self.longest_ns.swap(0, Ordering::Relaxed);
        let half = counts.iter().sum::<u32>().div_ceil(2);
        if half == 0 {
            return Taken::default();
        }
        let mut passed = 0;
        let median = counts.iter().position(|count| {
            passed += count;
            passed >= half
        });
        Taken { median_ns: middle(median.expect("half are somewhere")).min(longest_ns), longest_ns }
    }
}

fn bucket(ns: u64) -> usize {
    let exponent = ns.max(1).ilog2();
    if exponent < LEAST_EXPONENT {
        return 0;
    }
    let part = (ns >> (exponent - PER_OCTAVE.ilog2())) as u32 % PER_OCTAVE;
    (((exponent - LEAST_EXPONENT) * PER_OCTAVE + part + 1) as usize).min(BUCKETS - 1)
}

/// The middle of a bucket, in ns.
fn middle(bucket: usize) -> u64 {
    let Some(index) = bucket.checked_sub(1) else { return 1 << (LEAST_EXPONENT - 1) };
    let (octave, part) = (index as u32 / PER_OCTAVE, index as u64 % u64::from(PER_OCTAVE));
    let quarter = 1_u64 << (octave + LEAST_EXPONENT - PER_OCTAVE.ilog2());
    quarter * (u64::from(PER_OCTAVE) + part) + quarter / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_one_is_found_to_a_twelfth_and_the_longest_exactly() {
        let times = RecentTimes::default();
        assert_eq!(times.take(), Taken::default());
        for ns in [5_000, 77_777, 1_234_567, 33_000_000, 900_000_000] {
            (0..5).for_each(|_| times.note(ns, 1));
            times.note(3 * ns, 1);
            times.note(ns / 5, 2);
            let Taken { median_ns, longest_ns } = times.take();
            assert_eq!(longest_ns, 3 * ns);
            assert!(median_ns.abs_diff(ns) * 12 <= ns * 13 / 12, "{ns}: {median_ns}");
            assert_eq!(times.take(), Taken::default(), "what was taken is gone");
        }
        times.note(u64::MAX, 1);
        times.note(0, 1);
        assert_eq!(times.take().longest_ns, u64::MAX);
    }
}
