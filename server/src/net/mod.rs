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
//! [`address_limits`] how often an address may do what costs something, `places` what it may hold at a time, [`bans`] which addresses nobody is let in from.

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
pub(crate) mod places;
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
pub(crate) use registry::telling_network;

use crate::common::Common;
use crate::http::admin::Operator;
use crate::metrics::Metrics;
use crate::site::SiteNews;
use peer::Peer;
use std::sync::Arc;
use tokio_util::task::TaskTracker;

/// Where WebSockets are opened: quick play, or with `?ticket=` what the ticket is for. Behind a further slash
/// stands a session's code.
pub const PLAY_PATH: &str = "/play";
/// Where the HTTP API is.
pub const API_PATH: &str = "/api";

/// What all connections share: what is answered to whom.
#[derive(Debug)]
pub struct Front {
    /// What its other parts look at and work with as well.
    pub common: Arc<Common>,
    /// Who operates the server.
    pub operator: Arc<Operator>,
    /// Answers what is under [`API_PATH`].
    pub api: axum::Router,
    /// Answers everything else that is no WebSocket.
    pub pages: axum::Router,
    /// Every task that serves a connection.
    pub tasks: TaskTracker,
}

impl Front {
    /// What is counted and measured.
    pub(crate) fn metrics(&self) -> &Arc<Metrics> {
        &self.common.directory.metrics
    }

    /// Keeps an eye on the other servers of the site for as long as this one runs.
    pub(crate) async fn watch_site(self: Arc<Self>) {
        self.common.site.watch(&self.common.stop, |news| self.hear(news)).await;
    }

    /// Takes over what is new on another server of the site.
    pub(crate) fn hear(&self, news: SiteNews) {
        match news {
            SiteNews::Sessions => self.common.directory.relist(),
            SiteNews::Bans(bans) => {
                let fresh = self.common.bans.learn(bans);
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
        peer == Peer::Unix || self.common.live.get().reach.trusts(peer.ip())
    }
}
