//! What the whole process costs: processor time and memory, where the system tells (Linux).

/// What the process has used so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Usage {
    /// Processor time of all threads, in ms.
    pub(super) cpu_ms: Option<u64>,
    /// Memory that is in use now, in bytes.
    pub(super) memory_bytes: Option<u64>,
}

/// Clock ticks per second in which Linux counts processor time for programs; it is the same on every machine.
#[cfg(target_os = "linux")]
const CLOCK_TICKS: u64 = 100;

/// As of now.
#[cfg(target_os = "linux")]
pub(super) fn usage() -> Usage {
    let read = |file: &str| std::fs::read_to_string(file).ok();
    Usage {
        cpu_ms: read("/proc/self/stat").as_deref().and_then(cpu_ms),
        memory_bytes: read("/proc/self/status").as_deref().and_then(memory_bytes),
    }
}

/// As of now: unknown here.
#[cfg(not(target_os = "linux"))]
pub(super) fn usage() -> Usage {
    Usage::default()
}

/// The 14th and 15th field; the second is a name in brackets that may have anything in it.
#[cfg(target_os = "linux")]
fn cpu_ms(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(11);
    let ticks: u64 = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(ticks * 1000 / CLOCK_TICKS)
}

#[cfg(target_os = "linux")]
fn memory_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_an_odd_name_is_read_and_this_one_too() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 250 31 0 0 20 0 1 0 5 6 7";
        assert_eq!(cpu_ms(stat), Some(2810));
        assert_eq!(memory_bytes("Name:\tx\nVmRSS:\t  2048 kB\n"), Some(2 << 20));
        let own = usage();
        assert!(own.cpu_ms.is_some() && own.memory_bytes > Some(1 << 20), "{own:?}");
    }
}
