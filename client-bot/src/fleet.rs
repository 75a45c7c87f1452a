//! Sends bots out one after the other, calls them back, and adds up what they bring.

use crate::bot::{self, Surroundings};
use crate::capacity::{Next, Search};
use crate::config::{Config, Part};
use crate::doors::Doors;
use crate::generator::Cpu;
use crate::line::{self, Entrance, OpenError, Target};
use crate::over_time::{SAMPLE_EVERY, Sampler};
use crate::parts::{self, Gone, Parts, Said};
use crate::profile::Profile;
use crate::progress::{Board, Progress, REFRESH};
use crate::report::{Report, Run};
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

/// Files that the process has open beside its bots' sockets, at most.
const OTHER_FILES_MAX: u64 = 64;

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
    let asked_for = config.most();
    allow_files(u64::from(asked_for) + OTHER_FILES_MAX)?;
    let unreachable = |error| CannotBegin::Unreachable { url: config.url.to_string(), error };
    let target = Target::find(&config.url, config.tls_ca.as_deref()).await.map_err(unreachable)?;
    let doors = Doors::new(target, config).await.map_err(CannotBegin::NoSession)?;
    // Before the first bot's line: a server waits for its hello only so long.
    let watched = Watched::find(config, &doors).await?;
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
    let interrupted = fleet.sail(interrupt, &mut progress).await;
    let search = fleet.search.take().map(|mut search| {
        if !interrupted && !fleet.over {
            search.end_step();
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
        asked_for,
        interrupted,
        sessions: fleet.around.doors.sessions(),
        cores_used: cpu.cores_since(&fleet.cpu),
        server,
        capacity: search,
        over_time: fleet.sampler.into_samples(),
    };
    Ok(Report::new(G::NAME, config, run, &fleet.tallies))
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
    /// One for each bot that was sent out and not called back, the newest last; dropped to call it back.
    stops: Vec<watch::Sender<()>>,
    watched: Watched,
    sampler: Sampler,
    search: Option<Search>,
    /// Whether the search has found what it looked for.
    over: bool,
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
        let (stops, cpu, set_out, over) = (Vec::new(), Cpu::now(), 0, false);
        let shelf = Arc::default();
        #[rustfmt::skip]
        let fleet = Self {
            config, profile, start, cpu, set_out, bots, tallies, around, shelf, stops, watched, sampler, search, over, parts,
        };
        fleet
    }

    fn send_out(&mut self, opened: Option<Entrance>) {
        if let Some(parts) = &mut self.parts {
            parts.more();
            self.set_out += 1;
            return;
        }
        let (stop, stopped) = watch::channel(());
        let around = Surroundings { stop: stopped, ..self.around.clone() };
        let errand = self.config.errand(self.set_out);
        self.bots.spawn(bot::live(errand, opened, around, Arc::clone(&self.shelf)));
        self.stops.push(stop);
        self.set_out += 1;
    }

    /// Until there is a reason to call the bots back; whether the user gave it.
    async fn sail(&mut self, interrupt: impl Future<Output = ()>, progress: &mut Progress) -> bool {
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
                () = &mut interrupt => return true,
                () = at(end) => return false,
                () = at(self.next_change()) => self.follow(),
                Some(life) = self.bots.join_next() => {
                    self.add(life);
                    if self.bots.is_empty() && self.next_change().is_none() {
                        return false;
                    }
                }
                said = next_of(&mut self.parts, &self.around.board) => {
                    let gone = said.is_err();
                    if let Ok(Some(life)) = said {
                        self.tallies.add(&life);
                    }
                    let away = self.parts.as_ref().map_or(0, |parts| parts.away);
                    if gone || away == 0 && self.set_out > 0 && self.next_change().is_none() {
                        return false;
                    }
                }
                _ = refresh.tick() => self.show(progress),
                _ = sample.tick() => if self.sample() {
                    self.over = true;
                    return false;
                },
            }
        }
    }

    /// How many bots there are, but for those that fell out by themselves.
    fn there(&self) -> u32 {
        self.parts.as_ref().map_or(self.stops.len() as u32, Parts::there)
    }

    /// When there is to be a bot more or less, if at all.
    fn next_change(&self) -> Option<Instant> {
        let now = self.start.elapsed().as_secs_f64();
        let after = self.profile.next_change(now, self.there())?;
        Some(self.start + Duration::from_secs_f64(after))
    }

    /// One bot more or less, as the profile wants.
    fn follow(&mut self) {
        let wanted = self.profile.bots(self.start.elapsed().as_secs_f64());
        if wanted > self.there() {
            self.send_out(None);
        } else if wanted < self.there() {
            match &mut self.parts {
                Some(parts) => parts.fewer(),
                None => drop(self.stops.pop()),
            }
        }
    }

    /// Takes a sample; whether a search is over with it.
    fn sample(&mut self) -> bool {
        let (at, looks) = (self.start.elapsed().as_secs_f64(), self.watched.newest());
        let second = self.sampler.take(at, &self.around.board, looks.clone());
        self.around.board.frames_were(second.frame_age.quantile(0.99));
        let standing = self.around.board.standing();
        let bots = self.there();
        let Some(search) = &mut self.search else { return false };
        match search.take(&second, bots, standing, looks) {
            Next::Same => {}
            Next::Nothing => return true,
            Next::Bots(bots) => {
                // Whoever fell out is not there to be called back, nor to be counted.
                self.stops.retain(|stop| !stop.is_closed());
                if let Some(parts) = &mut self.parts {
                    parts.forget_the_fallen();
                }
                let there = self.there();
                self.profile = Profile::change(at, there, bots, self.config.ramp);
            }
        }
        false
    }

    /// Everybody says goodbye; each bot takes a few seconds at most.
    async fn call_back(&mut self, progress: &mut Progress) {
        self.stops.clear();
        if let Some(parts) = &mut self.parts {
            parts.call_back();
        }
        let mut refresh = interval(REFRESH);
        loop {
            tokio::select! {
                life = self.bots.join_next(), if self.parts.is_none() => match life {
                    Some(life) => self.add(life),
                    None => return,
                },
                said = next_of(&mut self.parts, &self.around.board) => match said {
                    Ok(Some(life)) => self.tallies.add(&life),
                    Ok(None) => {}
                    Err(_) => return,
                },
                _ = refresh.tick() => self.show(progress),
            }
        }
    }

    fn add(&mut self, life: Result<Life, JoinError>) {
        match life {
            Ok(life) => self.tallies.add(&life),
            // A bot that panics is a mistake of ours, and nothing that follows could be trusted.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    fn show(&self, progress: &mut Progress) {
        progress.show(&self.around.board, self.set_out, self.start.elapsed());
    }
}

/// What parts say next, if there are any; else it waits for ever.
async fn next_of(parts: &mut Option<Parts>, board: &Board) -> Result<Option<Box<Life>>, Gone> {
    match parts {
        Some(parts) => parts.next(board).await,
        None => pending().await,
    }
}

/// Plays as one of several processes: sends bots out and calls them back as the parent says, and tells it of each second
/// and of each bot that is back. Returns when the parent's end of the line is closed, and all bots are back.
pub async fn run_part<G: Game>(config: &Config) -> Result<(), CannotBegin> {
    let part = config.part.unwrap_or(Part { at: 0, of: 1 });
    allow_files(u64::from(config.most().div_ceil(part.of)) + OTHER_FILES_MAX)?;
    let unreachable = |error| CannotBegin::Unreachable { url: config.url.to_string(), error };
    let target = Target::find(&config.url, config.tls_ca.as_deref()).await.map_err(unreachable)?;
    let doors = Doors::new(target, config).await.map_err(CannotBegin::NoSession)?;
    let around = Surroundings::new(doors, config.come_back);
    let (shelf, mut commands) = (Arc::new(Shelf::<G>::default()), parts::commands());
    let (mut bots, mut stops, mut set_out) = (JoinSet::new(), Vec::new(), 0);
    let mut sample = interval(SAMPLE_EVERY);
    // Ctrl-C in a terminal is for all processes; the parent says what comes of it.
    let deaf = tokio::spawn(async { while tokio::signal::ctrl_c().await.is_ok() {} });
    let mut called_back = false;
    loop {
        let said = tokio::select! {
            command = commands.recv(), if !called_back => {
                stops.retain(|stop: &watch::Sender<()>| !stop.is_closed());
                match command.as_deref() {
                    Some(parts::MORE) => {
                        let (stop, stopped) = watch::channel(());
                        let around = Surroundings { stop: stopped, ..around.clone() };
                        let errand = config.errand(part.at + set_out * part.of);
                        bots.spawn(bot::live(errand, None, around, Arc::clone(&shelf)));
                        stops.push(stop);
                        set_out += 1;
                    }
                    Some(_) => drop(stops.pop()),
                    None => {
                        stops.clear();
                        called_back = true;
                    }
                }
                continue;
            }
            life = bots.join_next(), if called_back || !bots.is_empty() => match life {
                Some(Ok(life)) => Said::Life(Box::new(life)),
                // A bot that panics is a mistake of ours, and nothing that follows could be trusted.
                Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
                None => break,
            },
            _ = sample.tick() => second(&around.board),
        };
        if parts::say(&said).is_err() {
            break;
        }
    }
    deaf.abort();
    // A parent that does not listen any longer needs no last second.
    let _ = parts::say(&second(&around.board));
    Ok(())
}

fn second(board: &Board) -> Said {
    let times = board.drain().filter(|(_, times)| !times.is_empty()).collect();
    Said::Second { standing: board.standing(), times }
}

/// Waits until then, or for ever.
async fn at(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when).await,
        None => pending().await,
    }
}

/// Raises the process's limit of open files as far as it needs and the system allows.
fn allow_files(needed: u64) -> Result<(), CannotBegin> {
    // What cannot be asked is not limited as far as anybody knows; a bot that fails will say why.
    let allowed = rlimit::increase_nofile_limit(needed).unwrap_or(needed);
    if allowed < needed { Err(CannotBegin::TooFewFiles { needed, allowed }) } else { Ok(()) }
}
