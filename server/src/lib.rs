//! The server: one port that serves the page, the API and the WebSockets, and the sessions behind it.
//!
//! In the order of the flow: [`config`] says what the operator wants, [`net`] takes sockets and turns
//! them into messages, [`http`] answers everything that is no WebSocket, [`directory`] has all sessions,
//! [`tick_loop`] is where the asynchronous side meets the synchronous one, [`session`] is the game as told
//! through one door, [`store`] keeps results, [`site`] knows the other servers where several are one. What several of these
//! work with is in [`common`]. [`program`] is all of it as a program, for whatever game.

pub mod code;
pub mod common;
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

use anyhow::{Context, Result};
use common::Common;
use config::Config;
use directory::Opener;
pub use directory::open;
use http::Build;
use http::admin::Operator;
use http::api::Api;
use logging::Logs;
use net::listeners::Listeners;
use net::{Front, listener};
use shared::game::Game;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Duration, timeout};
use tokio_util::task::TaskTracker;

/// A server that is ready to run, with what can be looked at from outside while it does.
#[derive(Clone, Debug)]
pub struct Server {
    /// Connections, refusals, limits, sessions, results.
    pub common: Arc<Common>,
    /// What all connections share.
    front: Arc<Front>,
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

impl Server {
    /// Prepares a server that opens sessions of `G`, within the limits of `config`; who opens its address is given
    /// `page`. Errors when results cannot be kept where `config` says.
    pub fn of<G: Game>(config: &Config, page: &'static Build) -> Result<Self> {
        Self::with(config, page, Some(Opener::of::<G>(config)))
    }

    fn with(config: &Config, page: &'static Build, opener: Option<Opener>) -> Result<Self> {
        let common = Arc::new(Common::new(config, opener)?);
        let operator = Operator::new(Arc::clone(&common)).map_err(anyhow::Error::msg)?;
        let operator = Arc::new(operator);
        let api = Arc::new(Api::new(Arc::clone(&common)));
        let front = Front {
            common: Arc::clone(&common),
            api: http::api::router(api, &operator),
            pages: http::router(page, Arc::clone(&common), Arc::clone(&operator)),
            operator: Arc::clone(&operator),
            tasks: TaskTracker::new(),
        };
        Ok(Self { common, front: Arc::new(front), operator })
    }

    /// The same with a log to look at.
    pub fn with_logs(self, logs: Logs) -> Self {
        self.operator.show_logs(logs);
        self
    }

    /// Puts other settings in the place of the present ones. What was opened by them stays as it is: sockets, the
    /// store, sessions; see [`config::RESTART`].
    pub fn reload(&self, mut config: Config) {
        let before = self.common.live.get();
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
        self.common.live.replace(config);
    }

    /// Serves until `shutdown` is done, lets rounds end as the settings say, tells everybody and returns.
    pub async fn run(
        self,
        listeners: impl Into<Listeners>,
        shutdown: impl Future<Output = ()>,
    ) -> Result<()> {
        let Self { common, front, operator } = self;
        common.site.first_look(|news| front.hear(news)).await;
        common.directory.reopen().await;
        let sampling = tokio::spawn(operator.keep_history());
        let governing = tokio::spawn(Arc::clone(&common.directory).watch_loads());
        let listing = tokio::spawn(Arc::clone(&common.directory).keep_listing());
        let watching = tokio::spawn(Arc::clone(&front).watch_site());
        let relieving = tokio::spawn(site::relief::watch(Arc::clone(&common)));
        let accepting = tokio::spawn(listener::run(listeners.into(), Arc::clone(&front)));
        shutdown.await;

        let config = common.live.get();
        let drain_s = config.stopping.drain_seconds(common.directory.keeps_matches());
        let stop_wait = config.limits.stop_wait;
        let drain = Duration::from_secs(drain_s.into());
        let (connections, sessions) = (common.registry.open(), common.directory.len());
        // What is handed over first, and taken by nobody, has all of that time still.
        let handing = match common.directory.ways_out() {
            0 => Duration::ZERO,
            _ => directory::HAND_OVER_WAIT,
        };
        common.stopping.begin(drain + handing);
        tracing::info!(connections, sessions, drain_s, "stopping");
        if timeout(directory::HAND_OVER_WAIT, common.directory.hand_all_over()).await.is_err() {
            tracing::warn!("the other servers of the site are too slow to take all sessions");
        }
        common.stopping.ends_within(drain);
        // Whatever is not over in time is ended below.
        let _ = timeout(drain, common.directory.part(drain_s)).await;
        common.stop.cancel();
        common.directory.ended().await;
        let ticks = &common.directory.ticks;
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
            tracing::warn!(peers = ?common.registry.peers(), "these did not say goodbye in time");
        }
        if !matches!(timeout(stop_wait, common.store.settled()).await, Ok(Ok(()))) {
            tracing::warn!("the disk is too slow: the last results may be lost");
        }
        tasks.into_iter().collect()
    }
}
