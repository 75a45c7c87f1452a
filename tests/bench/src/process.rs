//! Processes to measure: started on a core of their own, looked at through `/proc`, ended when dropped; and killed by the
//! kernel when this program dies before it can do that, whatever ended it.

use anyhow::{Context, Result, ensure};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The core that servers have to themselves.
pub(crate) const SERVER_CORE: u32 = 0;
/// The core that the load has.
pub(crate) const LOAD_CORE: u32 = 1;
/// For how long a server may take until it listens.
const START_WAIT: Duration = Duration::from_secs(20);
/// For how long one may take to end after it was asked to; then it is killed.
const END_WAIT: Duration = Duration::from_secs(5);
/// Clock ticks per second in `/proc`: what Linux tells programs, whatever the kernel's own rate is.
const CLOCK_TICKS: u32 = 100;

/// A running process.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
}

/// `program` on one core, for as long as the thread that starts it lives. What such a process has started itself ends with
/// it: bots' parts when their input does.
pub(crate) fn on_core(core: u32, program: impl Into<PathBuf>) -> Command {
    // Each of these becomes the next one, so that there is one process with one number.
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "taskset", "-c", &core.to_string()]).arg(program.into());
    command
}

/// One of the programs of this workspace, as built next to this one.
pub(crate) fn program(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let path = own.with_file_name(name);
    ensure!(path.exists(), "{} is missing: cargo build --release --workspace", path.display());
    Ok(path)
}

/// What `tests/bench/run` installed at `path`. Errors when it is not there.
pub(crate) fn installed(path: &str) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let target = own.ancestors().nth(2).context("not in a target folder")?;
    let installed = target.join("tools").join(path);
    ensure!(installed.exists(), "{path} is missing: tests/bench/run installs it");
    Ok(installed)
}

/// An address on loopback that is free now, and hopefully in a second too.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

impl Process {
    /// Starts `command`, with nothing to read and its output where `command` says.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let child = command.stdin(Stdio::null()).spawn();
        Ok(Self { child: child.with_context(|| format!("cannot start {command:?}"))? })
    }

    /// Waits until something listens on `address`. Errors when the process ends before.
    pub(crate) fn listens_on(&mut self, address: SocketAddr) -> Result<()> {
        let patience = Instant::now() + START_WAIT;
        while TcpStream::connect(address).is_err() {
            ensure!(self.child.try_wait()?.is_none(), "it ended before it listened");
            ensure!(Instant::now() < patience, "it does not listen on {address}");
            sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Which process it is.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end. Errors when it fails.
    pub(crate) fn finish(mut self) -> Result<()> {
        let status = self.child.wait()?;
        ensure!(status.success(), "it ended with {status}");
        Ok(())
    }

    /// Presses Ctrl-C for it; [`Self::finish`] waits for what it does then.
    pub(crate) fn interrupt(&self) -> Result<()> {
        Command::new("kill").args(["-INT", &self.child.id().to_string()]).status()?;
        Ok(())
    }

    /// Asks it to end, and waits for that.
    pub(crate) fn end(mut self) -> Result<()> {
        self.ask_to_end()
    }

    fn ask_to_end(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        let patience = Instant::now() + END_WAIT;
        while self.child.try_wait()?.is_none() {
            if Instant::now() > patience {
                self.child.kill()?;
                self.child.wait()?;
                return Ok(());
            }
            sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Whatever went wrong, nothing is left running.
        let _ = self.ask_to_end();
    }
}

/// Processor time of all threads of a process so far, to the nanosecond; what threads used that have ended since is not in it.
pub(crate) fn cpu(process: u32) -> Result<Duration> {
    let mut all = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        // A thread may end meanwhile.
        let Ok(stat) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
        let used = stat.split_whitespace().next().context("nothing in schedstat")?;
        all += Duration::from_nanos(used.parse()?);
    }
    Ok(all)
}

/// For how long a core has been at work, whoever had it, with a resolution of 10 ms.
pub(crate) fn busy(core: u32) -> Result<Duration> {
    let stat = fs::read_to_string("/proc/stat")?;
    let name = format!("cpu{core} ");
    let line = stat.lines().find_map(|line| line.strip_prefix(&name)).context("no such core")?;
    let ticks: Result<Vec<u32>, _> = line.split_whitespace().map(str::parse).collect();
    // User, nice, system, idle, waiting for the disk, interrupts, soft interrupts, stolen.
    let ticks = ticks?;
    let at_work = ticks.iter().take(8).sum::<u32>() - ticks.iter().skip(3).take(2).sum::<u32>();
    Ok(Duration::from_secs(at_work.into()) / CLOCK_TICKS)
}

/// Memory that a process has in use now, in bytes.
pub(crate) fn memory(process: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(kilobytes.context("no VmRSS in status")?.trim().parse::<u64>()? * 1024)
}

/// The middle of some figures.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    assert!(!figures.is_empty(), "a median of nothing");
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
