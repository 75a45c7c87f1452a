//! A server with a session that was opened outside, before it ran: for tests and benches, which want to know which session
//! their connections get, or have one of their own making. Nothing of it is on the way of a server that opens its sessions
//! itself, but three questions that the directory asks here. Nothing is kept of such a session for the next start.

use super::{AnySession, Directory, Entry, NoSession, Promise};
use crate::Server;
use crate::code::SessionCode;
use crate::config::Config;
use crate::http::Build;
use crate::net::listeners::Listeners;
use crate::net::outbox::ConnectionOutbox;
use crate::session::settings::PilotCount;
use crate::session::{Session, SessionConfig};
use crate::tick_loop::Ticked;
use anyhow::{Result, anyhow};
use shared::game::Game;
use shared::wire::Protocol;
use std::future::Future;
use std::sync::{Arc, OnceLock};

/// Where quick play leads in any case, when somebody handed in a session.
#[derive(Debug, Default)]
pub(super) struct Adopted(OnceLock<SessionCode>);

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
    /// Prepares a server that opens no session by itself; see [`Server::serve`].
    pub fn new(config: &Config, page: &'static Build) -> Result<Self> {
        Self::with(config, page, None)
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
        self.common.directory.adopt(session, protocol);
        self.run(listeners, shutdown).await
    }
}

impl Directory {
    /// Runs a session that was opened elsewhere. Quick play leads there from now on.
    pub fn adopt(
        self: &Arc<Self>,
        session: impl Ticked<ConnectionOutbox> + 'static,
        protocol: Protocol,
    ) -> Arc<Entry> {
        let code = self.fresh_code();
        // Only the first one: a second is there for who has its code.
        let _ = self.adopted.0.set(code);
        let session: AnySession = Box::new(session);
        self.run(code, session, protocol, self.usual())
    }

    /// Where quick play leads when a session was adopted; `None` where none was.
    pub(super) fn to_adopted(&self) -> Option<Result<(Arc<Entry>, Promise), NoSession>> {
        let entry = self.get(*self.adopted.0.get()?).ok_or(NoSession::Closed);
        Some(entry.map(|entry| {
            let promise = entry.promise();
            (entry, promise)
        }))
    }

    /// Whether this is the code of the one that quick play leads to.
    pub(super) fn is_adopted(&self, code: SessionCode) -> bool {
        self.adopted.0.get() == Some(&code)
    }

    /// Its game's tables.
    pub(super) fn adopted_protocol(&self) -> Option<Protocol> {
        Some(self.get(*self.adopted.0.get()?)?.handle.protocol)
    }
}
