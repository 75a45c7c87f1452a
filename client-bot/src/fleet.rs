//! Sends bots out one after the other, calls them back, and adds up what they bring.

use crate::bot::{self, Surroundings};
use crate::config::Config;
use crate::line::{Line, OpenError, Place};
use crate::progress::{Board, Progress, REFRESH};
use crate::report::{Report, Run};
use crate::tally::{Life, Tallies};
use shared::game::Game;
use std::future::{Future, pending};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, interval, sleep_until};

/// Files that the process has open beside its bots' sockets, at most.
const OTHER_FILES_MAX: u64 = 64;

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
    allow_files(u64::from(config.bots) + OTHER_FILES_MAX)?;
    let unreachable = |error| CannotBegin::Unreachable { url: config.url.to_string(), error };
    let place = Place::find(&config.url, config.tls_ca.as_deref()).await.map_err(unreachable)?;
    let first = place.open().await.map_err(unreachable)?;
    let mut fleet = Fleet::new(config, place);
    fleet.send_out::<G>(Some(first));
    let interrupted = fleet.sail::<G>(interrupt, &mut progress).await;
    fleet.call_back(&mut progress).await;
    progress.clear();
    let run =
        Run { seconds: fleet.start.elapsed().as_secs_f64(), set_out: fleet.set_out, interrupted };
    Ok(Report::new(G::NAME, config, run, &fleet.tallies))
}

struct Fleet<'a> {
    config: &'a Config,
    start: Instant,
    set_out: u32,
    bots: JoinSet<Life>,
    tallies: Tallies,
    around: Surroundings,
    /// Dropped to call everybody back.
    stop: Option<watch::Sender<()>>,
}

impl<'a> Fleet<'a> {
    fn new(config: &'a Config, place: Place) -> Self {
        let (stop, stopped) = watch::channel(());
        let start = Instant::now();
        let around = Surroundings {
            place: Arc::new(place),
            come_back: config.come_back,
            board: Arc::new(Board::default()),
            stop: stopped,
            epoch: start,
        };
        let bots = JoinSet::new();
        Self { config, start, set_out: 0, bots, tallies: Tallies::new(), around, stop: Some(stop) }
    }

    fn send_out<G: Game>(&mut self, opened: Option<Line>) {
        let preset = self.config.network.of_bot(self.set_out);
        self.bots.spawn(bot::live::<G>(self.set_out, preset, opened, self.around.clone()));
        self.set_out += 1;
    }

    /// Until there is a reason to call the bots back; whether the user gave it.
    async fn sail<G: Game>(
        &mut self,
        interrupt: impl Future<Output = ()>,
        progress: &mut Progress,
    ) -> bool {
        let mut interrupt = pin!(interrupt);
        let duration = self.config.duration;
        let end = (!duration.is_zero()).then_some(self.start + duration);
        let mut refresh = interval(REFRESH);
        loop {
            tokio::select! {
                () = &mut interrupt => return true,
                () = at(end) => return false,
                () = at(self.next_start()) => self.send_out::<G>(None),
                Some(life) = self.bots.join_next() => {
                    self.add(life);
                    if self.bots.is_empty() && self.next_start().is_none() {
                        return false;
                    }
                }
                _ = refresh.tick() => self.show(progress),
            }
        }
    }

    /// When the next bot sets out, if there is one.
    fn next_start(&self) -> Option<Instant> {
        let after = || Duration::from_secs_f64(self.config.starts_after(self.set_out));
        (self.set_out < self.config.bots).then(|| self.start + after())
    }

    /// Everybody says goodbye; each bot takes a few seconds at most.
    async fn call_back(&mut self, progress: &mut Progress) {
        self.stop = None;
        let mut refresh = interval(REFRESH);
        loop {
            tokio::select! {
                life = self.bots.join_next() => match life {
                    Some(life) => self.add(life),
                    None => return,
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
