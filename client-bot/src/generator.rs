//! What the load generator itself takes, and whether it, and not the server, was what could do no more. Comes in: the
//! process's own figures. Goes out: shares of cores, and a sentence.

use parking_lot::Mutex;
use std::fs;
use std::thread::available_parallelism;
use tokio::time::Instant;

/// Processor ticks per second in `/proc`, the same on every Linux.
const CLOCK_TICKS: f64 = 100.0;
/// Bots that wake up later than this, in ms, one time in a hundred, measure themselves; past it the generator is said to
/// have been the bottleneck. Timers count milliseconds, so that two are usual.
pub(crate) const LATENESS_P99_MS_MAX: f64 = 15.0;
/// The share of all cores that bots may take, in per cent; past it the generator is said to have been the bottleneck.
pub(crate) const CPU_PERCENT_MAX: f64 = 90.0;

/// Other processes that bots are in.
static OTHERS: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// What these processes take counts too from now on; those of a run before do not.
pub(crate) fn counts_too(processes: impl Iterator<Item = u32>) {
    *OTHERS.lock() = processes.collect();
}

/// Processor time of this process and of others that bots are in, between two looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cpu {
    at: Instant,
    seconds: Option<f64>,
}

impl Cpu {
    /// As of now.
    pub(crate) fn now() -> Self {
        let of = |process: &str| {
            let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok();
            stat.as_deref().and_then(cpu_seconds)
        };
        let others = OTHERS.lock();
        let others: f64 = others.iter().filter_map(|process| of(&process.to_string())).sum();
        Self { at: Instant::now(), seconds: of("self").map(|own| own + others) }
    }

    /// How many cores were busy since then; `None` where the system does not tell.
    pub(crate) fn cores_since(&self, before: &Self) -> Option<f64> {
        let passed = (self.at - before.at).as_secs_f64();
        let used = self.seconds? - before.seconds?;
        (passed > 0.0).then(|| used / passed)
    }
}

/// Cores that this process may use.
pub(crate) fn cores() -> f64 {
    available_parallelism().map_or(1, usize::from) as f64
}

/// User and system time out of `/proc/self/stat`; the name before them may hold anything but its last bracket.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let [user, system] = [fields.next()?, fields.next()?].map(|field| field.parse::<f64>().ok());
    Some((user? + system?) / CLOCK_TICKS)
}

/// Why the generator is not to be believed, if so.
pub(crate) fn bottleneck(
    lateness_p99_ms: f64,
    cores_used: Option<f64>,
    cores: f64,
) -> Option<String> {
    let percent = cores_used.map(|used| 100.0 * used / cores);
    if let Some(percent) = percent.filter(|&percent| percent > CPU_PERCENT_MAX) {
        return Some(format!("it took {percent:.0} % of the {cores} cores that it has"));
    }
    (lateness_p99_ms > LATENESS_P99_MS_MAX).then(|| {
        format!(
            "one time in a hundred its bots woke up {lateness_p99_ms:.1} ms late or more, where \
             {LATENESS_P99_MS_MAX} ms are fine"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_behind_any_name() {
        let stat = "42 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 250 150 0 0 20 0";
        assert_eq!(cpu_seconds(stat), Some(4.0));
        assert_eq!(cpu_seconds("42 (name) S 1 2"), None);
    }

    #[test]
    fn a_generator_that_is_late_or_busy_says_so() {
        assert_eq!(bottleneck(2.0, Some(0.5), 2.0), None);
        assert_eq!(bottleneck(2.0, None, 2.0), None);
        assert!(bottleneck(2.0, Some(1.9), 2.0).unwrap().contains("95 % of the 2 cores"));
        assert!(bottleneck(40.0, Some(0.5), 2.0).unwrap().contains("40.0 ms late"));
    }
}
