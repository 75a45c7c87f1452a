//! The asynchronous side: sockets in, messages out. It knows tables and limits, never a game.
//!
//! In the order of the flow: [`listeners`] opens what there is to listen on, [`listener`] accepts sockets within the
//! [`limits`] that `registry` counts, `arrival` makes a `stream` of them (`proxy_protocol`, [`tls`]), whose bytes
//! `metered` measures, [`http1`] speaks HTTP (`caller` says who asks, `answers` turns down) until [`upgrade`] finds a
//! WebSocket handshake and `way` its session, or `tunnel` the other server of the site that has it. From there on it
//! lives on the session's lane, its `socket` in a `line`, which has all that is waiting to go out. When it is the
//! connection's turn, the line's `ear` tells the session what is an input (`plain` knows one); for the rest the
//! connection's task is woken: `pipe` finds the messages in it, with tungstenite where they are not plain, and
//! `connection` turns them into what the session is told. The session's [`outbox`] writes through the line. `ending`
//! says how a WebSocket ends, `closing` ends it properly. [`refusal`] is what whoever misbehaves gets,
//! [`address_limits`] how often an address may do what costs something, [`bans`] which addresses nobody is let in from.

pub mod address_limits;
mod answers;
mod arrival;
pub mod bans;
mod base_path;
mod caller;
mod closing;
mod connection;
mod ear;
mod ending;
mod forwarded;
pub mod http1;
pub mod limits;
mod line;
pub mod listener;
pub mod listeners;
mod metered;
pub mod outbox;
pub mod peer;
mod pipe;
mod plain;
mod proxy_protocol;
mod redirect;
pub mod refusal;
pub mod registry;
mod socket;
mod stamps;
mod stream;
pub mod tls;
mod tunnel;
#[cfg(unix)]
mod unix;
pub mod upgrade;
mod way;

pub use caller::Caller;

use crate::directory::Directory;
use crate::http::admin::Operator;
use crate::live::Live;
use crate::metrics::Metrics;
use crate::site::{Site, SiteNews};
use crate::stopping::Stopping;
use crate::store::Store;
use address_limits::AddressLimits;
use bans::Bans;
use peer::Peer;
use refusal::Refusals;
use registry::Registry;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Where WebSockets are opened: quick play, or with `?ticket=` what the ticket is for. Behind a further slash
/// stands a session's code.
pub const PLAY_PATH: &str = "/play";
/// Where the HTTP API is.
pub const API_PATH: &str = "/api";

/// What all connections share.
#[derive(Debug)]
pub struct Front {
    /// What the server's operator has set, as of now.
    pub live: Arc<Live>,
    /// Whether the server is about to stop.
    pub stopping: Arc<Stopping>,
    /// All sessions.
    pub directory: Arc<Directory>,
    /// The other servers, where several are one site.
    pub site: Arc<Site>,
    /// Results.
    pub store: Store,
    /// How often each address may do what costs something.
    pub address_limits: Arc<AddressLimits>,
    /// Addresses from which nobody is let in.
    pub bans: Arc<Bans>,
    /// Who is connected.
    pub registry: Arc<Registry>,
    /// What is counted and measured.
    pub metrics: Arc<Metrics>,
    /// What was refused how often.
    pub refusals: Refusals,
    /// Who operates the server.
    pub operator: Arc<Operator>,
    /// Answers what is under [`API_PATH`].
    pub api: axum::Router,
    /// Answers everything else that is no WebSocket.
    pub pages: axum::Router,
    /// Cancelled when the server is to stop.
    pub stop: CancellationToken,
    /// Every task that serves a connection.
    pub tasks: TaskTracker,
}

impl Front {
    /// Keeps an eye on the other servers of the site for as long as this one runs.
    pub(crate) async fn watch_site(self: Arc<Self>) {
        self.site.watch(&self.stop, |news| self.hear(news)).await;
    }

    /// Takes over what is new on another server of the site.
    pub(crate) fn hear(&self, news: SiteNews) {
        match news {
            SiteNews::Sessions => self.directory.relist(),
            SiteNews::Bans(bans) => {
                let fresh = self.bans.learn(bans);
                if !fresh.is_empty() {
                    tracing::info!(
                        count = fresh.len(),
                        "bans of another server of the site hold here"
                    );
                    let operator = Arc::clone(&self.operator);
                    tokio::spawn(async move {
                        for ban in &fresh {
                            operator.show_out(ban).await;
                        }
                    });
                }
            }
        }
    }

    /// Whether `peer` is believed when it says whose requests it passes on. A Unix socket's file says who may
    /// connect to it, and nobody else can.
    fn believes(&self, peer: Peer) -> bool {
        peer == Peer::Unix || self.live.get().reach.trusts(peer.ip())
    }
}
