//! What the process takes of its machine, under the names that Prometheus' own libraries use. Where there is no
//! `/proc` none of it is told.

use super::make::Maker;
use prometheus::{Counter, IntGauge};
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

/// Clock ticks per second in which Linux counts processor time for programs; it is the same on every machine.
const CLOCK_TICKS: u64 = 100;

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
        let Usage { cpu_ms, memory_bytes, virtual_bytes, threads } = usage();
        if let Some(ms) = cpu_ms {
            self.cpu.inc_by((ms as f64 / 1000.0 - self.cpu.get()).max(0.0));
        }
        let set = |gauge: &IntGauge, level: Option<u64>| {
            level.into_iter().for_each(|level| gauge.set(level.min(i64::MAX as u64) as i64));
        };
        set(&self.resident, memory_bytes);
        set(&self.virtual_memory, virtual_bytes);
        set(&self.threads, threads);
        // One of them is that of this very look.
        let open = fs::read_dir("/proc/self/fd").ok().map(|open| open.count() as u64 - 1);
        set(&self.open_descriptors, open);
        #[cfg(unix)]
        set(&self.most_descriptors, rlimit::Resource::NOFILE.get().ok().map(|(soft, _)| soft));
    }
}

/// What the process has used so far; nothing where the system does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Usage {
    /// Processor time of all threads, in ms.
    pub(crate) cpu_ms: Option<u64>,
    /// Memory that is in use now, in bytes.
    pub(crate) memory_bytes: Option<u64>,
    /// Addresses that are in use now, in bytes.
    pub(crate) virtual_bytes: Option<u64>,
    /// Threads that run now.
    pub(crate) threads: Option<u64>,
}

/// As of now.
pub(crate) fn usage() -> Usage {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    Usage {
        cpu_ms: fs::read_to_string("/proc/self/stat").ok().as_deref().and_then(cpu_ms),
        memory_bytes: number(&status, "VmRSS:").map(|kib| kib << 10),
        virtual_bytes: number(&status, "VmSize:").map(|kib| kib << 10),
        threads: number(&status, "Threads:"),
    }
}

/// The number behind `name` in the text of `/proc/PID/status`, where sizes are in KiB.
fn number(status: &str, name: &str) -> Option<u64> {
    let rest = status.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// User and system time, in ms, in the text of `/proc/PID/stat`: the 14th and 15th field.
fn cpu_ms(stat: &str) -> Option<u64> {
    // The second is the name of the program, in brackets, which may have anything in it.
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(11);
    let ticks = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(ticks * 1000 / CLOCK_TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_an_odd_name_is_read() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 250 31 0 0 20 0 1 0 5 6 7";
        assert_eq!(cpu_ms(stat), Some(2810));
        assert_eq!(cpu_ms("7 (a) S 1"), None);
        assert_eq!(number("Name:\tx\nVmRSS:\t  2048 kB\n", "VmRSS:"), Some(2048));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_takes_something() {
        let own = usage();
        assert!(own.cpu_ms.is_some() && own.memory_bytes > Some(1 << 20), "{own:?}");
        let process = Process::new(&Maker(prometheus::Registry::new()));
        process.look();
        let before = process.cpu.get();
        process.look();
        assert!(process.cpu.get() >= before);
        let levels = [&process.resident, &process.virtual_memory, &process.open_descriptors];
        assert!(levels.into_iter().all(|level| level.get() > 0));
        assert!(process.threads.get() > 0 && process.most_descriptors.get() > 0);
    }
}
