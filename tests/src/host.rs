//! A real server with the arena, on a port of its own.

use crate::harness::{PATIENCE, undrained, unhurried, within};
use server::Server;
use server::config::Config;
use server::http::ARENA;
use server::net::listener;
use server::net::outbox::ConnectionOutbox;
use server::session::settings::PilotCount;
use server::session::{Session, SessionConfig};
use shared::arena::{Arena, Settings};
use shared::game::Setup;
use shared::wire::Protocol;
use std::net::SocketAddr;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The most players of a [`Host`], computer pilots among them.
const PLAYERS_MAX: usize = 500;

/// A running arena.
pub struct Host {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its connections, refusals and ticks, to be looked at.
    pub server: Server,
    stop: oneshot::Sender<()>,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Host {
    /// An arena of `size` units a side in which computer pilots fly until there are `pilots` players.
    pub fn start(size: u32, pilots: usize) -> Self {
        Self::start_in(Settings { size, ..Settings::default() }, pilots)
    }

    /// The same in an arena like this.
    pub fn start_in(settings: Settings, pilots: usize) -> Self {
        Self::start_session(SessionConfig {
            players_max: PLAYERS_MAX,
            pilots: PilotCount::FillUpTo(pilots as u16),
            ..SessionConfig::new(Setup::new(settings, 5, 30))
        })
    }

    /// A session like this, also of a kind that nobody may ask a server for.
    pub fn start_session(session: SessionConfig<Settings>) -> Self {
        let config = Config { seed: Some(5), ..Config::default() };
        let session = Session::<Arena, ConnectionOutbox>::new(session);
        let session = session.expect("settings that make sense");
        let listener = listener::bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
        let address = listener.local_addr().expect("bound");
        let server = Server::new(&unhurried(&undrained(&config)), &ARENA)
            .expect("results are kept in memory");
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = server.clone();
        let task = tokio::spawn(async move {
            let shutdown = async { drop(stopped.await) };
            serving.serve(session, Protocol::of::<Arena>(), listener, shutdown).await
        });
        Self { address, server, stop, task }
    }

    /// Ends it; connections are told.
    pub async fn stop(self) {
        drop(self.stop);
        let ended = within(PATIENCE, "the end", self.task).await;
        ended.expect("no panic").expect("an orderly end");
    }
}
