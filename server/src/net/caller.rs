//! Who asks for something. Comes in: a connection and a request's headers. Goes out: whose request it is, as
//! limits and rights see it.

use super::forwarded::{self, Client};
use super::peer::Peer;
use super::places::Place;
use super::refusal::Reason;
use super::registry::{Slot, network, telling_network};
use super::{Front, limits::Limits};
use crate::throttle::Throttle;
use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use hyper::header::HeaderMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
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
    /// What the request takes of what its client may hold, where it came through a proxy and not with a connection that counts
    /// for the client.
    place: Option<Arc<Place>>,
}

/// The body of an answer to a client behind a proxy: its request counts until the last byte is taken.
pub(super) struct Counted {
    pub(super) body: Body,
    pub(super) _place: Arc<Place>,
}

impl hyper::body::Body for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
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
            place: None,
        }
    }

    /// Counts the request as its client's, until nobody has [`Self::place`] any more; or says which limit it would break.
    pub(super) fn count(&mut self, front: &Front) -> Result<(), Reason> {
        if self.is_passed_on()
            && let Some(network) = telling_network(self.peer.ip())
        {
            let place = front.common.address_limits.passed_on.take(network);
            self.place = Some(Arc::new(place.map_err(|_| Reason::AddressFull)?));
        }
        Ok(())
    }

    /// What its client holds for the request; `None` where it counts with its connection.
    pub(super) fn place(&self) -> Option<Arc<Place>> {
        self.place.clone()
    }

    /// Whether a proxy passed the request on for somebody else.
    fn is_passed_on(&self) -> bool {
        matches!(self.peer, Peer::Behind(_)) && self.peer != self.slot.peer
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
        self.place.iter().for_each(|place| place.give_back());
    }

    /// The place for a WebSocket that comes of this request. What a proxy passed on takes one of the client's.
    pub(super) fn into_slot(self, limits: &Limits) -> Result<Arc<Slot>, Reason> {
        if self.is_passed_on() {
            self.slot.on_behalf_of(self.peer, false, limits).map(Arc::new)
        } else {
            Ok(self.slot)
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
