//! The asynchronous side: sockets in, messages out. It knows tables and limits, never a game.
//!
//! In the order of the flow: [`listener`] accepts sockets within the [`limits`] that `registry` counts,
//! `metered` measures their bytes, [`http1`] speaks HTTP until [`upgrade`] finds a WebSocket handshake,
//! `connection` turns the WebSocket's messages into what a session is told and writes what its
//! [`outbox`] holds, `ending` says how it ends, `closing` ends it properly. [`refusal`] is what whoever misbehaves gets.

mod closing;
mod connection;
mod ending;
pub mod http1;
pub mod limits;
pub mod listener;
mod metered;
pub mod outbox;
pub mod refusal;
pub mod registry;
pub mod upgrade;

use crate::tick_loop::Told;
use dashmap::DashMap;
use limits::Limits;
use outbox::ConnectionOutbox;
use refusal::Refusals;
use registry::Registry;
use shared::wire::Protocol;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use upgrade::AllowedOrigin;

/// Where WebSockets are opened.
pub const PLAY_PATH: &str = "/play";
/// The code of the session that [`PLAY_PATH`] leads to.
pub const MAIN_SESSION: &str = "main";

/// What a connection has to know of a session to feed it.
#[derive(Clone, Debug)]
pub struct SessionHandle {
    /// The session's queue.
    pub queue: mpsc::Sender<Told<ConnectionOutbox>>,
    /// The game's tables.
    pub protocol: Protocol,
    /// Ticks per second: how often an honest client speaks.
    pub tick_rate: u16,
}

/// What all connections share.
#[derive(Debug)]
pub struct Front {
    /// Limits on everything from outside.
    pub limits: Limits,
    /// Whose pages may play beside our own.
    pub origins: Vec<AllowedOrigin>,
    /// Sessions by code.
    pub sessions: DashMap<String, SessionHandle>,
    /// Who is connected.
    pub registry: Arc<Registry>,
    /// What was refused how often.
    pub refusals: Refusals,
    /// Answers what is no WebSocket.
    pub pages: axum::Router,
    /// Cancelled when the server is to stop.
    pub stop: CancellationToken,
    /// Every task that serves a connection.
    pub tasks: TaskTracker,
}
