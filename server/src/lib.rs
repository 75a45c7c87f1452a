//! The server: one port that serves the page, the API and the WebSockets, and the sessions behind it.
//!
//! In the order of the flow: [`config`] says what the operator wants, [`net`] takes sockets and turns
//! them into messages, [`http`] answers everything that is no WebSocket, [`directory`] has all sessions,
//! [`tick_loop`] is where the asynchronous side meets the synchronous one, [`session`] is the game as told
//! through one door, [`store`] keeps results, [`site`] knows the other servers where several are one. [`program`] is all
//! of it as a program, for whatever game.

pub mod code;
pub mod config;
pub mod directory;
pub mod http;
pub mod lanes;
pub mod live;
pub mod logging;
pub mod metrics;
pub mod net;
pub mod overload;
pub mod program;
pub mod session;
pub mod site;
pub mod stopping;
pub mod store;
pub mod tick_loop;

pub mod recent_times;
mod throttle;

use anyhow::{Context, Result, anyhow};
use config::Config;
use directory::{Directory, Opener};
use http::Build;
use http::admin::{self, Operator};
use http::api::Api;
use live::Live;
use logging::Logs;
use net::address_limits::AddressLimits;
use net::bans::Bans;
use net::listeners::Listeners;
use net::outbox::ConnectionOutbox;
use net::refusal::Refusals;
use net::registry::Registry;
use net::{Front, listener};
use session::settings::PilotCount;
use session::{Session, SessionConfig};
use shared::game::Game;
use shared::wire::Protocol;
use site::Site;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use stopping::Stopping;
use store::Store;
use tick_loop::{TickCounts, Ticked};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Duration, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A server that is ready to run, with what can be looked at from outside while it does.
#[derive(Clone, Debug)]
pub struct Server {
    /// Connections, refusals, limits, sessions.
    pub front: Arc<Front>,
    /// How all tick loops together are doing.
    pub ticks: Arc<TickCounts>,
    /// Results.
    pub store: Store,
    /// What the operator sees and does; told of a reload.
    pub operator: Arc<Operator>,
}

/// The runtime that a server is to run in: its threads give way to those that games run on. Errors when the system has no
/// room for it.
pub fn runtime() -> std::io::Result<Runtime> {
    Builder::new_multi_thread().enable_all().on_thread_start(lanes::give_way).build()
}

/// Serves sessions of `G`, with `page` for players, on `listeners` until `shutdown` is done, then tells everybody and
/// returns. There is no session until somebody wants one. Errors when results cannot be kept where `config` says.
pub async fn run<G: Game>(
    config: Config,
    page: &'static Build,
    listeners: impl Into<Listeners>,
    shutdown: impl Future<Output = ()>,
) -> Result<()> {
    Server::of::<G>(&config, page)?.run(listeners, shutdown).await
}

/// A session of `G` with its default settings, before its first tick, for [`Server::serve`]. Errors when the
/// game refuses them.
pub fn open<G: Game>(config: &Config) -> Result<Session<G, ConnectionOutbox>> {
    let session = Session::new(SessionConfig {
        players_max: usize::from(config.max_players),
        pilots: PilotCount::FillUpTo(config.pilots),
        ..SessionConfig::new(config.setup(G::Settings::default()))
    });
    session.map_err(|why| anyhow!("{} cannot start: {why}", G::NAME))
}

impl Server {
    /// Prepares a server that opens sessions of `G`, within the limits of `config`; who opens its address is given
    /// `page`. Errors when results cannot be kept where `config` says.
    pub fn of<G: Game>(config: &Config, page: &'static Build) -> Result<Self> {
        Self::with(config, page, Some(Opener::of::<G>(config)))
    }

    /// Prepares a server that opens no session by itself; see [`Server::serve`].
    pub fn new(config: &Config, page: &'static Build) -> Result<Self> {
        Self::with(config, page, None)
    }

    fn with(config: &Config, page: &'static Build, opener: Option<Opener>) -> Result<Self> {
        let store = Store::open(config.data.as_deref())?;
        match &config.data {
            Some(folder) => {
                tracing::info!(folder = %folder.display(), "results and open sessions are kept on disk")
            }
            None => tracing::info!(
                "results and sessions are kept in memory, until the server stops; --data keeps them"
            ),
        }
        let stop = CancellationToken::new();
        let live = Arc::new(Live::new(config.clone()));
        let stopping = Arc::new(Stopping::default());
        let site = Arc::new(Site::new(config, Arc::clone(&live)));
        let directory = Directory::new(
            Arc::clone(&live),
            Arc::clone(&site),
            opener,
            store.clone(),
            Arc::clone(&stopping),
            stop.clone(),
        );
        let directory = Arc::new(directory);
        let address_limits = Arc::new(AddressLimits::new(&config.limits));
        let bans = Arc::new(Bans::new(store.clone()));
        let api = Api::new(
            Arc::clone(&live),
            Arc::clone(&directory),
            Arc::clone(&site),
            store.clone(),
            Arc::clone(&address_limits),
            Arc::clone(&bans),
            stop.clone(),
        );
        let ticks = Arc::clone(&directory.ticks);
        let metrics = Arc::clone(&directory.metrics);
        let registry = Arc::<Registry>::default();
        let operator = Operator::new(admin::Parts {
            live: Arc::clone(&live),
            stopping: Arc::clone(&stopping),
            directory: Arc::clone(&directory),
            store: store.clone(),
            bans: Arc::clone(&bans),
            registry: Arc::clone(&registry),
            address_limits: Arc::clone(&address_limits),
            stop: stop.clone(),
        });
        let operator = Arc::new(operator.map_err(anyhow::Error::msg)?);
        let front = Front {
            live,
            stopping,
            directory,
            site: Arc::clone(&site),
            store: store.clone(),
            address_limits: Arc::clone(&address_limits),
            bans,
            registry,
            metrics,
            refusals: Refusals::default(),
            api: http::api::router(Arc::new(api), &operator),
            pages: http::router(
                page,
                &config.reach.base_path,
                Arc::clone(&operator),
                site,
                address_limits,
            ),
            operator: Arc::clone(&operator),
            stop,
            tasks: TaskTracker::new(),
        };
        Ok(Self { front: Arc::new(front), ticks, store, operator })
    }

    /// The same with a log to look at.
    pub fn with_logs(self, logs: Logs) -> Self {
        self.operator.show_logs(logs);
        self
    }

    /// Puts other settings in the place of the present ones. What was opened by them stays as it is: sockets, the
    /// store, sessions; see [`config::RESTART`].
    pub fn reload(&self, mut config: Config) {
        let before = self.front.live.get();
        // Whoever changed it by hand meanwhile keeps it so, unless the settings have another one now.
        if config.seeing.log != before.seeing.log
            && let Some(logs) = self.operator.logs()
            && let Err(why) = logs.set_filter(&config.seeing.log)
        {
            tracing::warn!("the log stays as it is: {why}");
        }
        if let Err(why) = self.operator.reload(&config.admin) {
            tracing::warn!(
                "the tokens of the operator and for the metrics stay as they are: {why}"
            );
        }
        config.reach.keep(&before.reach);
        self.front.live.replace(config);
    }

    /// As [`Server::run`], with a session that was opened before; quick play leads to it, and has no other
    /// when it is over.
    pub async fn serve(
        self,
        session: impl Ticked<ConnectionOutbox> + 'static,
        protocol: Protocol,
        listeners: impl Into<Listeners>,
        shutdown: impl Future<Output = ()>,
    ) -> Result<()> {
        self.front.directory.adopt(session, protocol);
        self.run(listeners, shutdown).await
    }

    /// Serves until `shutdown` is done, lets rounds end as the settings say, tells everybody and returns.
    pub async fn run(
        self,
        listeners: impl Into<Listeners>,
        shutdown: impl Future<Output = ()>,
    ) -> Result<()> {
        let Self { front, store, ticks, operator, .. } = self;
        front.site.first_look(|news| front.hear(news)).await;
        front.directory.reopen().await;
        let sampling = tokio::spawn(operator.keep_history());
        let directory = Arc::clone(&front.directory);
        let governing = tokio::spawn(overload::watch(directory, front.stop.clone()));
        let listing = tokio::spawn(Arc::clone(&front.directory).keep_listing());
        let watching = tokio::spawn(Arc::clone(&front).watch_site());
        let relieving = tokio::spawn(site::relief::watch(Arc::clone(&front)));
        let accepting = tokio::spawn(listener::run(listeners.into(), Arc::clone(&front)));
        shutdown.await;

        let config = front.live.get();
        let drain_s = config.stopping.drain_seconds(front.directory.keeps_matches());
        let stop_wait = config.limits.stop_wait;
        let drain = Duration::from_secs(drain_s.into());
        let (connections, sessions) = (front.registry.open(), front.directory.len());
        // What is handed over first, and taken by nobody, has all of that time still.
        let handing = match front.directory.ways_out() {
            0 => Duration::ZERO,
            _ => directory::HAND_OVER_WAIT,
        };
        front.stopping.begin(drain + handing);
        tracing::info!(connections, sessions, drain_s, "stopping");
        if timeout(directory::HAND_OVER_WAIT, front.directory.hand_all_over()).await.is_err() {
            tracing::warn!("the other servers of the site are too slow to take all sessions");
        }
        front.stopping.ends_within(drain);
        // Whatever is not over in time is ended below.
        let _ = timeout(drain, front.directory.part(drain_s)).await;
        front.stop.cancel();
        front.directory.ended().await;
        let [made, late, dropped] =
            [&ticks.ticks, &ticks.late, &ticks.dropped].map(|count| count.load(Ordering::Relaxed));
        tracing::info!(ticks = made, late, dropped, "all sessions have ended");
        // Whichever of these broke, what is to be written is written first.
        let tasks = [
            accepting.await.context("the listener broke"),
            listing.await.context("the list of sessions broke"),
            watching.await.context("the watch over the site broke"),
            relieving.await.context("the relief of this server broke"),
            sampling.await.context("the operator's history broke"),
            governing.await.context("the watch over the machine's load broke"),
        ];
        front.tasks.close();
        if timeout(stop_wait, front.tasks.wait()).await.is_err() {
            tracing::warn!(peers = ?front.registry.peers(), "these did not say goodbye in time");
        }
        if !matches!(timeout(stop_wait, store.settled()).await, Ok(Ok(()))) {
            tracing::warn!("the disk is too slow: the last results may be lost");
        }
        tasks.into_iter().collect()
    }
}
