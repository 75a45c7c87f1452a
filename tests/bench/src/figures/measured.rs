//! One run: so many bots on one server, looked at for a while once they have settled. Comes in: a server and what is
//! to play on it. Goes out: what both took and told.

use super::load::Load;
use super::look::{Between, JITTER, WORK};
use super::stand::Stand;
use crate::process::{cpu, memory};
use anyhow::{Result, ensure};
use serde_json::Value;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How many bots join per second. More would be a crowd at the door and not a game.
pub(crate) const RAMP: u32 = 200;
/// For how long they play before anybody looks: clocks settle, fights begin.
const SETTLE: Duration = Duration::from_secs(8);
/// How much longer than that they may take to join before a run has failed.
const JOIN_PATIENCE: Duration = Duration::from_secs(20);
/// How often one looks whether they are there.
const JOIN_LOOK: Duration = Duration::from_millis(250);

/// What a run was like, while it was looked at.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) players: u32,
    pub(crate) seconds: f64,
    /// Shares of their cores, 0 to 1.
    pub(crate) server_share: f64,
    pub(crate) load_share: f64,
    /// Of the other server of its site, where there is one.
    pub(crate) through_share: f64,
    /// The server's memory at the end, in bytes.
    pub(crate) memory: u64,
    /// What the server told.
    pub(crate) told: Between,
    /// What the bots tell of the whole run.
    pub(crate) bots: Value,
}

/// Lets `players` bots with the flags `more` play, and looks at them for `window`.
pub(crate) fn measure(
    stand: &Stand,
    players: u32,
    window: Duration,
    more: &[String],
) -> Result<Measured> {
    measure_at(stand, players, RAMP, window, more)
}

/// The same in one world.
pub(crate) fn measure_world(
    stand: &Stand,
    players: u32,
    window: Duration,
    more: &[String],
) -> Result<Measured> {
    let run = measure(stand, players, window, more)?;
    let worlds = run.told.after.sum("gamekeeper_sessions");
    ensure!(worlds == 1.0, "they play in {worlds} worlds");
    Ok(run)
}

/// The same with a ramp of its own, in bots per second.
pub(crate) fn measure_at(
    stand: &Stand,
    players: u32,
    ramp: u32,
    window: Duration,
    more: &[String],
) -> Result<Measured> {
    let joining = Duration::from_secs_f64(f64::from(players) / f64::from(ramp)) + JOIN_PATIENCE;
    let load = Load::start(stand, players, ramp, more)?;
    wait_for(stand, players, joining)?;
    sleep(SETTLE);
    let (start, before) = (Instant::now(), stand.look()?);
    let through =
        || stand.neighbour.as_ref().map_or(Ok(Duration::ZERO), |other| cpu(other.process.id()));
    let (used_before, through_before) = (cpu(stand.process.id())?, through()?);
    sleep(window);
    let seconds = start.elapsed().as_secs_f64();
    let used = cpu(stand.process.id())? - used_before;
    let through_share = (through()? - through_before).as_secs_f64() / seconds;
    let memory = memory(stand.process.id())?;
    let told = Between { before, after: stand.look()? };
    let server_share = used.as_secs_f64() / seconds;
    let bots = load.report()?;
    let mut measured = Measured {
        players,
        seconds,
        server_share,
        load_share: 0.0,
        through_share,
        memory,
        told,
        bots,
    };
    // Of all processes that they are in.
    measured.load_share = measured.over_time("/generator_cpu_percent") / 100.0;
    eprintln!("{measured}");
    ensure!(measured.told.grew("gamekeeper_ticks_total") > 0.0, "the server ran no tick");
    Ok(measured)
}

fn wait_for(stand: &Stand, players: u32, patience: Duration) -> Result<()> {
    let until = Instant::now() + patience;
    loop {
        let there = stand.look()?.sum("gamekeeper_players");
        if there >= f64::from(players) {
            return Ok(());
        }
        ensure!(Instant::now() < until, "only {there} of {players} players came");
        sleep(JOIN_LOOK);
    }
}

impl Measured {
    /// The server's processor time for one player and second, in µs.
    pub(crate) fn us_per_player_second(&self) -> f64 {
        self.server_share * 1e6 / f64::from(self.players)
    }

    /// The server's processor time for one frame, in µs.
    pub(crate) fn us_per_frame(&self) -> f64 {
        self.server_share * self.seconds * 1e6 / self.told.grew("gamekeeper_frames_total")
    }

    /// A share of ticks needed no more work than this, in seconds.
    pub(crate) fn work(&self, quantile: f64) -> Option<f64> {
        self.told.quantile(WORK, quantile)
    }

    /// A share of ticks began no later than this, in seconds.
    pub(crate) fn jitter(&self, quantile: f64) -> Option<f64> {
        self.told.quantile(JITTER, quantile)
    }

    /// Ticks that were left out.
    pub(crate) fn dropped(&self) -> f64 {
        self.told.grew("gamekeeper_ticks_dropped_total")
    }

    /// Ticks that began so late that more than one was due.
    pub(crate) fn late(&self) -> f64 {
        self.told.grew("gamekeeper_ticks_late_total")
    }

    /// A number of the bots' report, by its place. Panics where there is none: a figure that is not there is no 0.
    pub(crate) fn of_bots(&self, place: &str) -> f64 {
        let number = self.bots.pointer(place).and_then(Value::as_f64);
        number.unwrap_or_else(|| panic!("the bots' report has no {place}"))
    }

    /// What the bots say was wrong, in a line; nothing if all went well.
    pub(crate) fn faults(&self) -> String {
        let faults = self.bots["faults"].as_array().expect("the bots' report names faults");
        faults.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
    }

    /// The median over the seconds that were looked at of a figure that the bots took every second, by its place;
    /// seconds at the end are those.
    pub(crate) fn over_time(&self, place: &str) -> f64 {
        let seconds = self.bots["over_time"].as_array().map(Vec::as_slice).unwrap_or_default();
        let skipped = seconds.len().saturating_sub(self.seconds as usize);
        let figures = seconds[skipped..].iter();
        let figures: Vec<_> =
            figures.filter_map(|second| second.pointer(place).and_then(Value::as_f64)).collect();
        if figures.is_empty() { f64::NAN } else { crate::process::median(figures) }
    }

    /// What is to be said of it: what went wrong, if anything.
    pub(crate) fn remark(&self) -> String {
        let why = self.bottleneck().map(|why| {
            format!("With {} players the bots were at their limit: {why}.", self.players)
        });
        [Some(self.faults()), why]
            .into_iter()
            .flatten()
            .filter(|said| !said.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Why the bots are not to be believed, if so.
    pub(crate) fn bottleneck(&self) -> Option<&str> {
        self.bots.pointer("/generator/bottleneck").and_then(Value::as_str)
    }
}

impl std::fmt::Display for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = super::table::ms;
        write!(
            f,
            "{} players, {:.0} s: server {:.1} % of its core, bots {:.1} %; work p50 {} p99 {} ms, jitter p99 {} \
             p99.9 {} ms, {} late, {} dropped. {}{}",
            self.players,
            self.seconds,
            100.0 * self.server_share,
            100.0 * self.load_share,
            ms(self.work(0.5)),
            ms(self.work(0.99)),
            ms(self.jitter(0.99)),
            ms(self.jitter(0.999)),
            self.late(),
            self.dropped(),
            self.faults(),
            self.bottleneck().map(|why| format!(" The bots: {why}.")).unwrap_or_default(),
        )
    }
}

/// What is to be said below a table of such runs: what went wrong, if anything.
pub(crate) fn remarks<'a>(runs: impl IntoIterator<Item = &'a Measured>) -> String {
    let mut said: Vec<_> =
        runs.into_iter().map(Measured::remark).filter(|said| !said.is_empty()).collect();
    said.dedup();
    if said.is_empty() {
        "No bot was left out or thrown out, no checksum differed.".into()
    } else {
        said.join(" ")
    }
}
