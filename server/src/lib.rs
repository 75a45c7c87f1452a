//! The server: one port that serves the page and the WebSockets, and the sessions behind it.
//!
//! In the order of the flow: [`config`] says what the host wants, [`net`] takes sockets and turns
//! them into messages, [`http`] answers everything that is no WebSocket, [`tick_loop`] is where the
//! asynchronous side meets the synchronous one, [`session`] is the game as told through one door.

pub mod config;
pub mod http;
pub mod net;
pub mod session;
pub mod tick_loop;

mod throttle;

use anyhow::{Context, Result, anyhow};
use config::Config;
use dashmap::DashMap;
use net::limits::SESSION_QUEUE_MAX;
use net::outbox::ConnectionOutbox;
use net::refusal::Refusals;
use net::{Front, MAIN_SESSION, SessionHandle, listener};
use session::settings::PilotCount;
use session::{Session, SessionConfig};
use shared::game::Game;
use shared::wire::Protocol;
use std::future::Future;
use std::sync::Arc;
use tick_loop::{TickCounts, Ticked};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A server that is ready to run, with what can be looked at from outside while it does.
#[derive(Clone)]
pub struct Server {
    /// Connections, refusals, limits.
    pub front: Arc<Front>,
    /// How the tick loop is doing.
    pub ticks: Arc<TickCounts>,
}

/// Serves one session of `G` with its default settings on `listener` until `shutdown` is done, then
/// tells everybody and returns. Errors when the game refuses its settings or the session breaks.
pub async fn run<G: Game>(
    config: Config,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> Result<()> {
    let session = open::<G>(&config)?;
    Server::new(&config).serve(session, Protocol::of::<G>(), listener, shutdown).await
}

/// A session of `G` with its default settings, before its first tick. Errors when the game refuses them.
pub fn open<G: Game>(config: &Config) -> Result<Session<G, ConnectionOutbox>> {
    let session = Session::new(SessionConfig {
        players_max: usize::from(config.max_players),
        pilots: PilotCount::FillUpTo(config.pilots),
        ..SessionConfig::new(config.setup(G::Settings::default()))
    });
    session.map_err(|why| anyhow!("{} cannot start: {why}", G::NAME))
}

impl Server {
    /// Prepares a server within the limits of `config`.
    pub fn new(config: &Config) -> Self {
        let front = Front {
            limits: config.limits.clone(),
            origins: config.origin.clone(),
            sessions: DashMap::new(),
            registry: Arc::default(),
            refusals: Refusals::default(),
            pages: http::router(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        Self { front: Arc::new(front), ticks: Arc::default() }
    }

    /// As [`run`], with a session that was opened before.
    pub async fn serve(
        self,
        session: impl Ticked<ConnectionOutbox> + 'static,
        protocol: Protocol,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> Result<()> {
        let Self { front, ticks } = self;
        let (queue, told) = mpsc::channel(SESSION_QUEUE_MAX);
        let handle = SessionHandle { queue, protocol, tick_rate: session.tick_rate() };
        front.sessions.insert(MAIN_SESSION.to_owned(), handle);
        let stop = front.stop.clone();
        let mut ticking =
            tokio::spawn(async move { tick_loop::run(session, told, &ticks, stop).await });
        let accepting = tokio::spawn(listener::run(listener, Arc::clone(&front)));
        let broken = tokio::select! {
            () = shutdown => None,
            ended = &mut ticking => Some(ended),
        };

        tracing::info!(connections = front.registry.open(), "stopping");
        front.stop.cancel();
        let ended = match broken {
            Some(ended) => ended,
            None => ticking.await,
        };
        accepting.await.context("the listener broke")?;
        front.tasks.close();
        if timeout(front.limits.stop_wait, front.tasks.wait()).await.is_err() {
            tracing::warn!(peers = ?front.registry.peers(), "these did not say goodbye in time");
        }
        ended.context("the session broke")
    }
}
