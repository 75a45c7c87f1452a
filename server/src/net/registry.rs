//! Which connections there are, and how many of them each address has. Comes in: addresses of accepted
//! sockets. Goes out: a slot to hold for as long as the connection lives, or the reason why not.

use super::limits::{LOCAL_CONNECTIONS_EXTRA, Limits, SITE_SHARE};
use super::peer::Peer;
use super::refusal::Reason;
use crate::session::door::ConnectionId;
use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It speaks HTTP.
    Http,
    /// It is a WebSocket that has joined no session.
    Unjoined,
    /// It is a WebSocket that has.
    Joined,
    /// It is a WebSocket to a session that another server of the site has.
    PassedOn,
    /// It is being closed.
    Closing,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Http, Self::Unjoined, Self::Joined, Self::PassedOn, Self::Closing];
    /// Their names in the metrics.
    pub const LABELS: [&'static str; 5] = ["http", "unjoined", "joined", "passed_on", "closing"];
}

/// All open connections.
#[derive(Debug, Default)]
pub struct Registry {
    next_id: AtomicU64,
    accepted: AtomicU64,
    open: AtomicUsize,
    states: [AtomicUsize; State::ALL.len()],
    connections: DashMap<ConnectionId, Peer>,
    addresses: DashMap<Crowd, Counts>,
}

/// What one crowd has.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    all: usize,
    unjoined: usize,
}

/// One connection's place; given back when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    registry: Arc<Registry>,
    pub(super) id: ConnectionId,
    pub(super) peer: Peer,
    /// What it takes of what its address may have. A trusted proxy has none: it speaks for others.
    shares: Vec<Share>,
    /// Whether there are as many as the server takes without it.
    pub(super) is_extra: bool,
    state: AtomicUsize,
}

/// One connection of those that a crowd may have; given back when dropped.
#[derive(Debug)]
struct Share {
    registry: Arc<Registry>,
    crowd: Crowd,
    joined: AtomicBool,
}

impl Registry {
    /// How many connections are open.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// How many connections do this now.
    pub fn count(&self, state: State) -> usize {
        self.states[state as usize].load(Ordering::Relaxed)
    }

    /// How many connections there ever were; a request that a proxy passed on is none of its own.
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Who is connected, in no order.
    pub fn peers(&self) -> Vec<Peer> {
        self.connections.iter().map(|entry| *entry.value()).collect()
    }

    /// A place for a connection from `peer`, or the limit that it would break. What comes from a trusted proxy
    /// counts for no address yet.
    pub(super) fn enter(
        self: &Arc<Self>,
        peer: Peer,
        is_proxy: bool,
        limits: &Limits,
    ) -> Result<Slot, Reason> {
        let extra =
            if peer.ip().to_canonical().is_loopback() { LOCAL_CONNECTIONS_EXTRA } else { 0 };
        let most = limits.max_connections.saturating_add(extra);
        let others = self.open.fetch_add(1, Ordering::Relaxed);
        if others >= most {
            self.open.fetch_sub(1, Ordering::Relaxed);
            return Err(Reason::ServerFull);
        }
        let mut slot = self.place(peer, is_proxy, limits)?;
        slot.is_extra = others >= limits.max_connections;
        self.accepted.fetch_add(1, Ordering::Relaxed);
        Ok(slot)
    }

    /// As above, for what is counted in `open` already.
    fn place(
        self: &Arc<Self>,
        peer: Peer,
        is_proxy: bool,
        limits: &Limits,
    ) -> Result<Slot, Reason> {
        let shares = match is_proxy {
            true => Vec::new(),
            false => self.shares(peer.ip(), limits).inspect_err(|_| {
                self.open.fetch_sub(1, Ordering::Relaxed);
            })?,
        };
        let id = ConnectionId(self.next_id.fetch_add(1, Ordering::Relaxed));
        self.connections.insert(id, peer);
        self.states[State::Http as usize].fetch_add(1, Ordering::Relaxed);
        let state = AtomicUsize::new(State::Http as usize);
        Ok(Slot { registry: Arc::clone(self), id, peer, shares, is_extra: false, state })
    }

    /// One of each of its crowds; where one has none left, those of the others go back.
    fn shares(self: &Arc<Self>, address: IpAddr, limits: &Limits) -> Result<Vec<Share>, Reason> {
        let own = address.to_canonical().is_loopback();
        let unjoined_max = if own { usize::MAX } else { limits.max_unjoined_per_address };
        let share = |crowd: Crowd| {
            let most = |of_one: usize| of_one.saturating_mul(crowd.times);
            let mut counts = self.addresses.entry(crowd).or_default();
            if counts.all >= most(limits.max_per_address) || counts.unjoined >= most(unjoined_max) {
                return Err(Reason::AddressFull);
            }
            counts.all += 1;
            counts.unjoined += 1;
            Ok(Share { registry: Arc::clone(self), crowd, joined: AtomicBool::new(false) })
        };
        crowds(address).map(share).collect()
    }
}

impl Slot {
    /// From now on it does this.
    pub(super) fn is_now(&self, state: State) {
        let before = self.state.swap(state as usize, Ordering::Relaxed);
        self.registry.states[before].fetch_sub(1, Ordering::Relaxed);
        self.registry.states[state as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// A further place for the same connection, now that its proxy has said whom it speaks for; or the limit
    /// that this one would break. For the moment in which there are both, the connection counts twice. What this machine
    /// has above the most of all is for no client.
    pub(super) fn on_behalf_of(
        &self,
        peer: Peer,
        is_proxy: bool,
        limits: &Limits,
    ) -> Result<Self, Reason> {
        if self.registry.open.fetch_add(1, Ordering::Relaxed) > limits.max_connections {
            self.registry.open.fetch_sub(1, Ordering::Relaxed);
            return Err(Reason::ServerFull);
        }
        self.registry.place(peer, is_proxy, limits)
    }

    /// Whether it is a trusted proxy's, which speaks for others.
    pub(super) fn is_proxy(&self) -> bool {
        self.shares.is_empty()
    }

    /// It said a proper hello, so it no longer counts as unjoined.
    pub(super) fn joined(&self) {
        for share in &self.shares {
            if !share.joined.swap(true, Ordering::Relaxed)
                && let Some(mut counts) = self.registry.addresses.get_mut(&share.crowd)
            {
                counts.unjoined -= 1;
            }
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.registry.states[*self.state.get_mut()].fetch_sub(1, Ordering::Relaxed);
        self.registry.connections.remove(&self.id);
        self.registry.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if let Entry::Occupied(mut entry) = self.registry.addresses.entry(self.crowd) {
            let counts = entry.get_mut();
            counts.all -= 1;
            counts.unjoined -= usize::from(!*self.joined.get_mut());
            if counts.all == 0 {
                entry.remove();
            }
        }
    }
}

/// What an address tells of who is behind it: nothing when it is this machine's own, behind which are bots
/// or a proxy that speaks for everybody.
pub(crate) fn telling_network(address: IpAddr) -> Option<IpAddr> {
    (!address.to_canonical().is_loopback()).then(|| network(address))
}

/// What counts as one address: of IPv6 the /64 network, as that is what one household or machine is
/// given; IPv4 dressed up as IPv6 is itself.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
    }
}

/// Addresses that count together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Crowd {
    network: IpAddr,
    /// How many times as much as one address it may have and do.
    pub(crate) times: usize,
}

/// With whom an address counts: its [`network`], and before that, of IPv6, the /48 around it, of whose 65,536 networks
/// somebody may have all.
pub(crate) fn crowds(address: IpAddr) -> impl Iterator<Item = Crowd> {
    let network = network(address);
    let site = match network {
        IpAddr::V4(_) => None,
        IpAddr::V6(v6) => Some(Ipv6Addr::from_bits(v6.to_bits() >> 80 << 80).into()),
    };
    let site = site.map(|network| Crowd { network, times: SITE_SHARE });
    site.into_iter().chain([Crowd { network, times: 1 }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    fn peer(address: &str) -> Peer {
        Peer::Direct(SocketAddr::new(address.parse().unwrap(), 1))
    }

    #[test]
    fn an_address_has_its_share_and_gets_it_back() {
        let (registry, limits) = (Arc::new(Registry::default()), Limits::default());
        let enter = |address| registry.enter(peer(address), false, &limits);
        let mut held: Vec<_> =
            (0..limits.max_unjoined_per_address).map(|_| enter("10.0.0.1").unwrap()).collect();
        assert_eq!(enter("10.0.0.1").unwrap_err(), Reason::AddressFull);
        assert_eq!(enter("::ffff:10.0.0.1").unwrap_err(), Reason::AddressFull);
        assert!(enter("10.0.0.2").is_ok());
        let own_held: Vec<_> = (0..2 * held.len()).map(|_| enter("127.0.0.1").unwrap()).collect();
        held[0].joined();
        held[0].joined();
        held[0].is_now(State::Joined);
        held.push(enter("10.0.0.1").unwrap());
        assert!(enter("10.0.0.1").is_err());
        let open = held.len() + own_held.len();
        assert_eq!((registry.open(), registry.peers().len()), (open, open));
        let states = || State::ALL.map(|state| registry.count(state));
        assert_eq!(states(), [open - 1, 0, 1, 0, 0]);
        held.clear();
        drop(own_held);
        assert_eq!((registry.open(), registry.addresses.len()), (0, 0));
        assert_eq!(states(), [0; 5]);
    }

    #[test]
    fn joined_connections_have_a_limit_of_their_own() {
        let registry = Arc::new(Registry::default());
        let limits = Limits { max_per_address: 3, ..Limits::default() };
        let _held: Vec<_> = (0..3)
            .map(|_| registry.enter(peer("fe80::1"), false, &limits).inspect(Slot::joined).unwrap())
            .collect();
        assert_eq!(
            registry.enter(peer("fe80::2"), false, &limits).unwrap_err(),
            Reason::AddressFull
        );
        assert!(registry.enter(peer("fe80:0:0:1::1"), false, &limits).is_ok());
    }

    #[test]
    fn many_networks_of_one_site_have_a_limit_together() {
        let registry = Arc::new(Registry::default());
        let limits = Limits { max_unjoined_per_address: 1, ..Limits::default() };
        let enter =
            |n: usize| registry.enter(peer(&format!("2001:db8:1:{n:x}::1")), false, &limits);
        let held: Vec<_> = (0..SITE_SHARE).map(|n| enter(n).unwrap()).collect();
        assert_eq!(enter(SITE_SHARE).unwrap_err(), Reason::AddressFull);
        assert!(registry.enter(peer("2001:db8:2::1"), false, &limits).is_ok());
        held[0].joined();
        let further = enter(SITE_SHARE).unwrap();
        assert_eq!(enter(SITE_SHARE + 1).unwrap_err(), Reason::AddressFull);
        // The network's own share is refused, and the site's is not kept.
        held[1].joined();
        assert_eq!(enter(SITE_SHARE).unwrap_err(), Reason::AddressFull);
        drop(enter(SITE_SHARE + 1).unwrap());
        drop((held, further));
        assert_eq!((registry.open(), registry.addresses.len()), (0, 0));
    }

    #[test]
    fn a_full_server_can_still_be_asked_from_its_own_machine() {
        let registry = Arc::new(Registry::default());
        let limits = Limits { max_connections: 1, ..Limits::default() };
        let _player = registry.enter(peer("10.0.0.1"), false, &limits).unwrap();
        let own: Vec<_> = (0..LOCAL_CONNECTIONS_EXTRA)
            .map(|n| if n == 0 { Peer::Unix } else { peer("127.0.0.1") })
            .map(|peer| registry.enter(peer, true, &limits).unwrap())
            .collect();
        assert_eq!(registry.enter(peer("::1"), false, &limits).unwrap_err(), Reason::ServerFull);
        // Nobody plays there.
        let client = Peer::Behind("203.0.113.7".parse().unwrap());
        assert_eq!(own[0].on_behalf_of(client, false, &limits).unwrap_err(), Reason::ServerFull);
        assert_eq!(registry.open(), 1 + own.len());
    }

    #[test]
    fn the_whole_has_a_limit() {
        let registry = Arc::new(Registry::default());
        let limits = Limits { max_connections: 2, ..Limits::default() };
        let _held =
            [1, 2].map(|n| registry.enter(peer(&format!("10.0.0.{n}")), false, &limits).unwrap());
        assert_eq!(
            registry.enter(peer("10.0.0.3"), false, &limits).unwrap_err(),
            Reason::ServerFull
        );
        assert_eq!(registry.open(), 2);
    }

    #[test]
    fn what_a_proxy_passes_on_counts_for_the_client() {
        let registry = Arc::new(Registry::default());
        let limits = Limits { max_per_address: 1, ..Limits::default() };
        let proxy = || registry.enter(peer("10.0.0.1"), true, &limits).unwrap();
        let (one, other) = (proxy(), proxy());
        let client = Peer::Behind("203.0.113.7".parse().unwrap());
        let slot = one.on_behalf_of(client, false, &limits).unwrap();
        drop(one);
        assert_eq!(other.on_behalf_of(client, false, &limits).unwrap_err(), Reason::AddressFull);
        assert!(registry.peers().contains(&client) && registry.open() == 2);
        slot.joined();
        drop((slot, other));
        assert_eq!((registry.open(), registry.addresses.len()), (0, 0));
        assert_eq!(registry.accepted(), 2, "what is passed on comes by no connection of its own");
    }
}
