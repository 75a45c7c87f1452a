//! Sends bots out one after the other, calls them back, and adds up what they bring.

use crate::bot::{self, Surroundings};
use crate::capacity::{self, Next, Search};
use crate::config::Config;
use crate::doors::Doors;
use crate::generator::Cpu;
use crate::line::{self, Entrance, OpenError, Target};
use crate::over_time::{SAMPLE_EVERY, Sampler};
use crate::parts::{Heard, Parts};
use crate::profile::Profile;
use crate::progress::{Board, Progress, REFRESH};
use crate::report::{Report, Run};
use crate::roll::Roll;
use crate::tally::{Life, Tallies};
use crate::watched::Watched;
use shared::game::Game;
use shared::netcode::shelf::Shelf;
use shared::wire::close::CloseCode;
use std::future::{Future, pending};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at, sleep_until};

/// Files that a process has open beside its bots' sockets and its parts' pipes, at most.
const OTHER_FILES_MAX: u64 = 64;
/// Pipes to a part and from it.
const PIPES_PER_PART: u64 = 2;

/// What the server is told by the connection that only found out whether it is there.
const NOT_YET: &str = "The bots come a little later.";

/// Why a run could not begin.
#[derive(Debug, Error)]
pub enum CannotBegin {
    /// The flags contradict each other.
    #[error("{0}")]
    Flags(String),
    /// The system lets the process have fewer sockets than it needs.
    #[error("{needed} open files are needed and {allowed} allowed; raise the limit with ulimit -n")]
    TooFewFiles {
        /// What the bots need.
        needed: u64,
        /// What there is.
        allowed: u64,
    },
    /// A session that was asked for is not there.
    #[error("{0}")]
    NoSession(String),
    /// The server's figures were asked for, and cannot be had.
    #[error("{url}: no metrics ({why})")]
    NoMetrics {
        /// Where they should be.
        url: String,
        /// Why there are none.
        why: String,
    },
    /// A process for some of the bots did not start.
    #[error("the processes for the bots did not start ({0})")]
    NoParts(std::io::Error),
    /// The first bot got no connection.
    #[error("{url}: {error}")]
    Unreachable {
        /// Where it tried.
        url: String,
        /// Why there is none.
        error: OpenError,
    },
}

/// Plays `G` as configured: until the time is over, `interrupt` is ready or no bot is left, then calls
/// all bots back. The first bot's connection decides whether there is a server at all.
pub async fn run<G: Game>(
    config: &Config,
    interrupt: impl Future<Output = ()>,
    mut progress: Progress,
) -> Result<Report, CannotBegin> {
    config.check().map_err(CannotBegin::Flags)?;
    let profile = config.profile();
    allow_files(files(config))?;
    let unreachable = |error| CannotBegin::Unreachable { url: config.url.to_string(), error };
    let target = Target::find(&config.url, config.tls_ca.as_deref()).await.map_err(unreachable)?;
    let doors = Doors::new(target, config).await.map_err(CannotBegin::NoSession)?;
    // Before the first bot's line: a server waits for its hello only so long.
    let watched = Watched::find(config, &doors).await?;
    if config.search.find_capacity {
        let told = watched.first().is_some();
        capacity::check(config.results.bounds(), told).map_err(CannotBegin::Flags)?;
    }
    let mut first = Some(doors.open(0, false, None).await.map_err(unreachable)?);
    let parts = match config.processes {
        1 => None,
        count => Some(Parts::start(config, count, doors.codes()).map_err(CannotBegin::NoParts)?),
    };
    if parts.is_some() || profile.bots(0.0) == 0 || config.errand(0).watches() && !doors.are_plain()
    {
        // It has shown that there is a server, and would wait too long for its bot, or be the wrong way in.
        line::close(&mut first.take().expect("just opened").line, CloseCode::Normal, NOT_YET).await;
    }
    let mut fleet = Fleet::<G>::new(config, profile, doors, watched, parts);
    if let Some(first) = first {
        fleet.send_out(Some(first));
    }
    let ended = fleet.sail(interrupt, &mut progress).await;
    let search = fleet.search.take().map(|mut search| {
        if ended == Ended::NobodyLeft {
            search.nobody_left(fleet.roll.there(), fleet.around.board.standing());
        }
        search.into_found()
    });
    let cpu = Cpu::now();
    let server = fleet.watched.whole().await;
    fleet.call_back(&mut progress).await;
    progress.clear();
    for (&sort, times) in fleet.sampler.times(&fleet.around.board) {
        fleet.tallies.add_times(sort, times);
    }
    let run = Run {
        seconds: fleet.start.elapsed().as_secs_f64(),
        set_out: fleet.set_out,
        asked_for: config.most(),
        interrupted: ended == Ended::Interrupted,
        part_lost: ended == Ended::PartLost,
        sessions: fleet.around.doors.sessions(),
        cores_used: cpu.cores_since(&fleet.cpu),
        server,
        capacity: search,
        over_time: fleet.sampler.into_samples(),
    };
    Ok(Report::new(G::NAME, config, run, &fleet.tallies))
}

/// Why bots are called back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// The time is over, or the search has found what it looked for.
    Over,
    /// The user wants it.
    Interrupted,
    /// All of them have fallen out by themselves.
    NobodyLeft,
    /// A process with some of them is gone.
    PartLost,
}

struct Fleet<'a, G: Game> {
    config: &'a Config,
    profile: Profile,
    start: Instant,
    cpu: Cpu,
    set_out: u32,
    bots: JoinSet<Life>,
    tallies: Tallies,
    around: Surroundings,
    /// The rules of sessions that bots are in.
    shelf: Arc<Shelf<G>>,
    /// Who was sent out; a bot of this process is called back when its end of the channel is dropped.
    roll: Roll<Option<watch::Sender<()>>>,
    watched: Watched,
    sampler: Sampler,
    search: Option<Search>,
    /// The processes that the bots are in, if not in this one.
    parts: Option<Parts>,
}

impl<'a, G: Game> Fleet<'a, G> {
    fn new(
        config: &'a Config,
        profile: Profile,
        doors: Doors,
        watched: Watched,
        parts: Option<Parts>,
    ) -> Self {
        let around = Surroundings::new(doors, config.come_back);
        let start = around.epoch;
        let (bots, tallies) = (JoinSet::new(), Tallies::new());
        let (sampler, search) = (Sampler::new(watched.first()), Search::new(config));
        let (roll, cpu, set_out) = (Roll::default(), Cpu::now(), 0);
        let shelf = Arc::default();
        #[rustfmt::skip]
        let fleet = Self {
            config, profile, start, cpu, set_out, bots, tallies, around, shelf, roll, watched, sampler, search, parts,
        };
        fleet
    }

    fn send_out(&mut self, opened: Option<Entrance>) {
        let number = self.set_out;
        let stop = match &mut self.parts {
            Some(parts) => {
                parts.send_out(number);
                None
            }
            None => {
                let (stop, stopped) = watch::channel(());
                let around = Surroundings { stop: stopped, ..self.around.clone() };
                let errand = self.config.errand(number);
                self.bots.spawn(bot::live(errand, opened, around, Arc::clone(&self.shelf)));
                Some(stop)
            }
        };
        self.roll.add(number, stop);
        self.set_out += 1;
    }

    /// Until there is a reason to call the bots back.
    async fn sail(
        &mut self,
        interrupt: impl Future<Output = ()>,
        progress: &mut Progress,
    ) -> Ended {
        let mut interrupt = pin!(interrupt);
        let duration = self.config.lasts();
        // A search ends by itself.
        let ends = !duration.is_zero() && self.search.is_none();
        let end = ends.then_some(self.start + duration);
        let mut refresh = interval(REFRESH);
        let mut sample = interval_at(self.start + SAMPLE_EVERY, SAMPLE_EVERY);
        sample.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = &mut interrupt => return Ended::Interrupted,
                () = at(end) => return Ended::Over,
                () = at(self.next_change()) => self.follow(),
                Some(life) = self.bots.join_next() => {
                    self.add_own(life);
                    if self.bots.is_empty() && self.next_change().is_none() {
                        return Ended::NobodyLeft;
                    }
                }
                heard = next_of(&mut self.parts, &self.around.board) => {
                    match heard {
                        Some(Heard::Life(life)) => self.add(&life),
                        Some(Heard::Second) => {}
                        // Its bots are not to be had any more, and no figure would be of all that were sent out.
                        Some(Heard::End) | None => return Ended::PartLost,
                    }
                    let away = self.parts.as_ref().map_or(0, |parts| parts.away);
                    if away == 0 && self.set_out > 0 && self.next_change().is_none() {
                        return Ended::NobodyLeft;
                    }
                }
                _ = refresh.tick() => self.show(progress),
                _ = sample.tick() => if self.sample() {
                    return Ended::Over;
                },
            }
        }
    }

    /// When there is to be a bot more or less, if at all.
    fn next_change(&self) -> Option<Instant> {
        let now = self.start.elapsed().as_secs_f64();
        let after = self.profile.next_change(now, self.roll.there())?;
        Some(self.start + Duration::from_secs_f64(after))
    }

    /// One bot more or less, as the profile wants.
    fn follow(&mut self) {
        let wanted = self.profile.bots(self.start.elapsed().as_secs_f64());
        if wanted > self.roll.there() {
            self.send_out(None);
        } else if wanted < self.roll.there() {
            let called = self.roll.fewer();
            if let (Some(parts), Some((number, _))) = (&mut self.parts, called) {
                parts.come_back(number);
            }
        }
    }

    /// Takes a sample; whether a search is over with it.
    fn sample(&mut self) -> bool {
        let (at, looks) = (self.start.elapsed().as_secs_f64(), self.watched.newest());
        let second = self.sampler.take(at, &self.around.board, looks.clone());
        self.around.board.frames_were(second.frame_age.quantile(0.99));
        let standing = self.around.board.standing();
        let bots = self.roll.there();
        let Some(search) = &mut self.search else { return false };
        match search.take(&second, bots, standing, looks) {
            Next::Same => {}
            Next::Nothing => return true,
            Next::Bots(bots) => {
                // Whoever fell out is not there to be called back, nor to be counted.
                self.roll.forget_the_fallen();
                let there = self.roll.there();
                self.profile = Profile::change(at, there, bots, self.config.ramp);
            }
        }
        false
    }

    /// Everybody says goodbye; each bot takes a few seconds at most.
    async fn call_back(&mut self, progress: &mut Progress) {
        self.roll.clear();
        if let Some(parts) = &mut self.parts {
            parts.call_back();
        }
        let mut refresh = interval(REFRESH);
        loop {
            tokio::select! {
                life = self.bots.join_next(), if self.parts.is_none() => match life {
                    Some(life) => self.add_own(life),
                    None => return,
                },
                heard = next_of(&mut self.parts, &self.around.board) => match heard {
                    Some(Heard::Life(life)) => self.add(&life),
                    Some(Heard::Second | Heard::End) => {}
                    None => return,
                },
                _ = refresh.tick() => self.show(progress),
            }
        }
    }

    fn add_own(&mut self, life: Result<Life, JoinError>) {
        match life {
            Ok(life) => self.add(&life),
            // A bot that panics is a mistake of ours, and nothing that follows could be trusted.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    fn add(&mut self, life: &Life) {
        self.roll.is_back(life.errand.number);
        self.tallies.add(life);
    }

    fn show(&self, progress: &mut Progress) {
        progress.show(&self.around.board, self.set_out, self.start.elapsed());
    }
}

/// What is heard of parts next, if there are any; else it waits for ever.
async fn next_of(parts: &mut Option<Parts>, board: &Board) -> Option<Heard> {
    match parts {
        Some(parts) => parts.next(board).await,
        None => pending().await,
    }
}

/// Waits until then, or for ever.
async fn at(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when).await,
        None => pending().await,
    }
}

/// What the process that the user started opens for bots: their sockets, or where they are in others the pipes to these.
fn files(config: &Config) -> u64 {
    match config.processes {
        1 => config.most().into(),
        count => PIPES_PER_PART * u64::from(count),
    }
}

/// Raises the process's limit of open files as far as bots need, whose files these are, and the system allows.
pub(crate) fn allow_files(of_bots: u64) -> Result<(), CannotBegin> {
    let needed = of_bots + OTHER_FILES_MAX;
    // What cannot be asked is not limited as far as anybody knows; a bot that fails will say why.
    let allowed = rlimit::increase_nofile_limit(needed).unwrap_or(needed);
    if allowed < needed { Err(CannotBegin::TooFewFiles { needed, allowed }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    /// Whoever spreads bots over processes may do so because one has too few files for all.
    #[test]
    fn who_has_no_bots_needs_no_sockets_for_them() {
        let needs = |processes| {
            let flags = ["client-bot", "--bots", "20000", "--processes", processes];
            files(&Config::parse_from(flags))
        };
        assert_eq!((needs("1"), needs("8")), (20_000, 16));
    }
}
