//! Who is at the other end.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Whoever has this address.
    Direct(SocketAddr),
    /// Somebody behind a trusted proxy, which says that this is the address.
    Behind(IpAddr),
    /// Somebody on this machine, at a Unix socket.
    Unix,
}

impl Peer {
    /// The address. Who is at a Unix socket is on this machine.
    pub fn ip(self) -> IpAddr {
        match self {
            Self::Direct(address) => address.ip(),
            Self::Behind(address) => address,
            Self::Unix => Ipv4Addr::LOCALHOST.into(),
        }
    }

    /// Whether it is a program on this machine that connected by itself, as far as the connection tells.
    pub fn is_direct_and_local(self) -> bool {
        matches!(self, Self::Direct(address) if address.ip().to_canonical().is_loopback())
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct(address) => address.fmt(f),
            Self::Behind(address) => address.fmt(f),
            Self::Unix => f.write_str("unix"),
        }
    }
}
