//! What the process takes of its machine, under the names that Prometheus' own libraries use. Where there is no
//! `/proc` none of it is told.

use super::make::Maker;
use prometheus::{Counter, IntGauge};
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

/// In which Linux tells times of processes, per second: a constant of its interface, whatever its clock.
const CLOCK_TICKS_PER_SECOND: f64 = 100.0;
/// Bytes of what `/proc/self/status` calls kB.
const KIB: i64 = 1024;

/// What the process takes.
#[derive(Debug)]
pub(super) struct Process {
    cpu: Counter,
    resident: IntGauge,
    virtual_memory: IntGauge,
    open_descriptors: IntGauge,
    most_descriptors: IntGauge,
    threads: IntGauge,
}

impl Process {
    pub(super) fn new(make: &Maker) -> Self {
        // Whoever measures the process from within started it a moment ago.
        let started =
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        let start = make.level_seconds(
            "process_start_time_seconds",
            "When the server started, in seconds since 1970 (UTC).",
        );
        start.set(started);
        Self {
            cpu: make.count_seconds("process_cpu_seconds_total", "Processor time that was used."),
            resident: make.level("process_resident_memory_bytes", "Memory in use."),
            virtual_memory: make.level("process_virtual_memory_bytes", "Addresses in use."),
            open_descriptors: make.level("process_open_fds", "Open files and sockets."),
            most_descriptors: make
                .level("process_max_fds", "The most files and sockets that may be open."),
            threads: make.level("process_threads", "Threads."),
        }
    }

    pub(super) fn look(&self) {
        if let Some(seconds) =
            fs::read_to_string("/proc/self/stat").ok().as_deref().and_then(cpu_seconds)
        {
            self.cpu.inc_by((seconds - self.cpu.get()).max(0.0));
        }
        if let Ok(status) = fs::read_to_string("/proc/self/status") {
            let number = |name| status.lines().find_map(|line| number(line.strip_prefix(name)?));
            number("VmRSS:").into_iter().for_each(|kib| self.resident.set(kib * KIB));
            number("VmSize:").into_iter().for_each(|kib| self.virtual_memory.set(kib * KIB));
            number("Threads:").into_iter().for_each(|threads| self.threads.set(threads));
        }
        if let Ok(open) = fs::read_dir("/proc/self/fd") {
            // One of them is that of this very look.
            self.open_descriptors.set(open.count() as i64 - 1);
        }
        #[cfg(unix)]
        if let Ok((soft, _)) = rlimit::Resource::NOFILE.get() {
            self.most_descriptors.set(soft.min(i64::MAX as u64) as i64);
        }
    }
}

/// The first number in `text`.
fn number(text: &str) -> Option<i64> {
    text.split_whitespace().next()?.parse().ok()
}

/// Seconds of user and system time in the text of `/proc/PID/stat`.
fn cpu_seconds(stat: &str) -> Option<f64> {
    // The name of the program, in brackets, may have anything in it.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut times = rest.split_whitespace().skip(11).map(|ticks| ticks.parse::<f64>().ok());
    Some((times.next()?? + times.next()??) / CLOCK_TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_stand_behind_the_programs_name() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 4 0 12345 1 2";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(cpu_seconds("7 (a) S 1"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_takes_something() {
        let make = Maker(prometheus::Registry::new());
        let process = Process::new(&make);
        process.look();
        let before = process.cpu.get();
        process.look();
        assert!(process.cpu.get() >= before);
        let levels = [&process.resident, &process.virtual_memory, &process.open_descriptors];
        assert!(levels.into_iter().all(|level| level.get() > 0));
        assert!(process.threads.get() > 0 && process.most_descriptors.get() > 0);
    }
}
