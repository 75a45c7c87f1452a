//! Who asks for something. Comes in: a connection and a request's headers. Goes out: whose request it is, as
//! limits and rights see it.

use super::forwarded::{self, Client};
use super::peer::Peer;
use super::refusal::Reason;
use super::registry::{Slot, network};
use super::{Front, limits::Limits};
use crate::throttle::Throttle;
use hyper::header::HeaderMap;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};
use tokio::time::{Duration, Instant};

/// Lines per minute about proxies that say nothing readable.
static LINES: LazyLock<Throttle> = LazyLock::new(|| Throttle::new(6, Duration::from_secs(60)));

/// Who asks the API something.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The client's address, as limits count them; a trusted proxy's own when it does not say whose request
    /// it passes on.
    pub network: IpAddr,
    /// Whether it is a program on this machine that asks by itself: not through a Unix socket, and not through
    /// anything that gives itself away as a proxy.
    pub is_local: bool,
    /// When an answer that takes long has to be over, as the connection's time is.
    pub until: Instant,
    /// Who asks.
    pub(super) peer: Peer,
    /// Whether a trusted proxy says something that cannot be read of whose request it is. It is nobody's then, not even the
    /// proxy's own, for which no limit of a client would hold.
    pub(super) is_nobody: bool,
    slot: Arc<Slot>,
}

impl Caller {
    /// Whose request comes over the connection with this `slot`.
    pub(super) fn new(
        headers: &HeaderMap,
        slot: &Arc<Slot>,
        until: Instant,
        front: &Front,
    ) -> Self {
        let client = client(headers, slot, front);
        let peer = client.unwrap_or(slot.peer);
        Self {
            network: network(peer.ip()),
            is_local: peer.is_direct_and_local() && !forwarded::is_forwarded(headers),
            until,
            peer,
            is_nobody: client.is_none(),
            slot: Arc::clone(slot),
        }
    }

    /// The client's own address, for whoever is told for whom a request is passed on.
    pub(crate) fn address(&self) -> IpAddr {
        self.peer.ip().to_canonical()
    }

    /// Whether its connection is one of those that are only there for this machine to hear whether all is well.
    pub(super) fn is_extra(&self) -> bool {
        self.slot.is_extra
    }

    /// Its connection no longer counts as one that may be there for nothing: friends behind one router may
    /// all have the lobby open. What listens has limits of its own.
    pub fn is_listening(&self) {
        self.slot.joined();
    }

    /// The place for a WebSocket that comes of this request. What a proxy passed on takes one of the client's.
    pub(super) fn into_slot(self, limits: &Limits) -> Result<Arc<Slot>, Reason> {
        match self.peer {
            Peer::Behind(_) if self.peer != self.slot.peer => {
                self.slot.on_behalf_of(self.peer, false, limits).map(Arc::new)
            }
            _ => Ok(self.slot),
        }
    }
}

/// Whose request it is; `None` where a trusted proxy does not say it readably.
fn client(headers: &HeaderMap, slot: &Slot, front: &Front) -> Option<Peer> {
    if !slot.is_proxy() {
        return Some(slot.peer);
    }
    let config = front.common.live.get();
    let reach = &config.reach;
    match forwarded::client(headers, reach.proxy_header, |address| reach.trusts(address)) {
        Client::At(address) => Some(Peer::Behind(address)),
        Client::Untold => Some(slot.peer),
        Client::Unreadable => {
            if let Some(hidden) = LINES.pass(Instant::now()) {
                let hidden = (hidden > 0).then_some(hidden);
                tracing::warn!(
                    proxy = %slot.peer, hidden,
                    "a trusted proxy does not say readably whose request it passes on; it is refused"
                );
            }
            None
        }
    }
}
