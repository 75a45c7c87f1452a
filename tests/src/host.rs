//! A real server with the arena, on a port of its own: with one session, or with as many as people open.

use server::Server;
use server::config::Config;
use server::net::listener;
use server::net::outbox::ConnectionOutbox;
use server::session::settings::PilotCount;
use server::session::{Session, SessionConfig};
use shared::arena::{Arena, Settings};
use shared::game::Setup;
use shared::wire::Protocol;
use std::net::SocketAddr;
use std::pin::Pin;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The most players of a [`Host`], computer pilots among them.
const PLAYERS_MAX: usize = 500;

type Shutdown = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A running arena.
pub struct Host {
    /// Where it listens.
    pub address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Host {
    /// An arena of `size` units a side in which computer pilots fly until there are `pilots` players.
    pub fn start(size: u32, pilots: usize) -> Self {
        let config = Config { seed: Some(5), ..Config::default() };
        let settings = Settings { size, ..Settings::default() };
        let session = Session::<Arena, ConnectionOutbox>::new(SessionConfig {
            players_max: PLAYERS_MAX,
            pilots: PilotCount::FillUpTo(pilots as u16),
            ..SessionConfig::new(Setup::new(settings, 5, 30))
        });
        let session = session.expect("settings that make sense");
        let server = Server::new(&config).expect("a server");
        Self::run(|listener, shutdown| {
            server.serve(session, Protocol::of::<Arena>(), listener, shutdown)
        })
    }

    /// A server as hosts run it: sessions open when somebody wants one.
    pub fn open(config: Config) -> Self {
        Self::run(|listener, shutdown| server::run::<Arena>(config, listener, shutdown))
    }

    fn run<Serving>(serve: impl FnOnce(TcpListener, Shutdown) -> Serving) -> Self
    where
        Serving: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let listener = listener::bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
        let address = listener.local_addr().expect("bound");
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown: Shutdown = Box::pin(async { drop(stopped.await) });
        Self { address, stop, task: tokio::spawn(serve(listener, shutdown)) }
    }

    /// Ends it; connections are told.
    pub async fn stop(self) {
        drop(self.stop);
        self.task.await.expect("no panic").expect("an orderly end");
    }
}
