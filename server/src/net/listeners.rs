//! Opens everything that the server listens on. Comes in: the settings. Goes out: sockets, each with what it is
//! for; or one sentence on what is in the way.

use super::limits::BACKLOG;
use super::tls::Tls;
use crate::config::{Bind, ReachConfig};
use anyhow::{Context, Result, anyhow};
use socket2::{Domain, Protocol, Socket as RawSocket, Type};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

/// All sockets that the server listens on.
#[derive(Debug)]
pub struct Listeners {
    pub(super) list: Vec<Listener>,
    tls: Option<Arc<Tls>>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) socket: Socket,
    pub(super) purpose: Purpose,
}

/// What connections come through.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(super::unix::Listener),
}

/// What a socket is for.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// The game, as it is.
    Plain,
    /// The game over TLS.
    Tls(Arc<Tls>),
    /// To send browsers to TLS, at this port.
    Redirect(u16),
}

impl Listeners {
    /// Opens what `reach` asks for. Must be called within a tokio runtime.
    pub fn open(reach: &ReachConfig) -> Result<Self> {
        let tls = match (&reach.tls_cert, &reach.tls_key) {
            (Some(certificate), Some(key)) => Some(Arc::new(Tls::open(certificate, key)?)),
            _ => None,
        };
        let mut listeners = Self { list: Vec::new(), tls };
        for bind in &reach.bind {
            match bind {
                Bind::Tcp(address) => listeners.add(Socket::Tcp(listen(*address)?)),
                #[cfg(unix)]
                Bind::Unix(path) => {
                    let listener = super::unix::Listener::bind(path, reach.unix_mode);
                    let listener =
                        listener.with_context(|| format!("Cannot listen on {}", path.display()))?;
                    listeners.add(Socket::Unix(listener));
                }
                #[cfg(unix)]
                Bind::Systemd => {
                    super::unix::activated()?.into_iter().for_each(|socket| listeners.add(socket))
                }
                #[cfg(not(unix))]
                other => return Err(anyhow!("This system cannot listen on {other}.")),
            }
        }
        if let Some(address) = reach.tls_http {
            let port = listeners.addresses().next().map_or(443, |(address, _)| address.port());
            let socket = Socket::Tcp(listen(address)?);
            listeners.list.push(Listener { socket, purpose: Purpose::Redirect(port) });
        }
        Ok(listeners)
    }

    fn add(&mut self, socket: Socket) {
        let purpose = match (&socket, &self.tls) {
            (Socket::Tcp(_), Some(tls)) => Purpose::Tls(Arc::clone(tls)),
            _ => Purpose::Plain,
        };
        self.list.push(Listener { socket, purpose });
    }

    /// The addresses at which there is a game, each with whether over TLS.
    pub fn addresses(&self) -> impl Iterator<Item = (SocketAddr, bool)> {
        self.list.iter().filter_map(|listener| match (&listener.socket, &listener.purpose) {
            (_, Purpose::Redirect(_)) => None,
            (Socket::Tcp(tcp), purpose) => {
                Some((tcp.local_addr().ok()?, matches!(purpose, Purpose::Tls(_))))
            }
            #[cfg(unix)]
            (Socket::Unix(_), _) => None,
        })
    }

    /// The address of the listener that sends browsers to TLS.
    pub fn redirect_address(&self) -> Option<SocketAddr> {
        self.list.iter().find_map(|listener| match (&listener.socket, &listener.purpose) {
            (Socket::Tcp(tcp), Purpose::Redirect(_)) => tcp.local_addr().ok(),
            _ => None,
        })
    }

    /// The certificate, to be read again when somebody asks for it.
    pub fn tls(&self) -> Option<Arc<Tls>> {
        self.tls.clone()
    }
}

impl From<TcpListener> for Listeners {
    fn from(tcp: TcpListener) -> Self {
        let listener = Listener { socket: Socket::Tcp(tcp), purpose: Purpose::Plain };
        Self { list: vec![listener], tls: None }
    }
}

/// Opens a listening socket; an IPv6 one takes IPv4 as well. Must be called within a tokio runtime.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = RawSocket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // Else the port of a server that just stopped stays blocked for a minute. On Windows the same
    // option would let two servers share a port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG as i32)?;
    TcpListener::from_std(socket.into())
}

/// The same, with a sentence on what to do when it fails.
fn listen(address: SocketAddr) -> Result<TcpListener> {
    bind(address).map_err(|error| {
        let (ip, port) = (address.ip(), address.port());
        match error.kind() {
            ErrorKind::AddrInUse => anyhow!(
                "Port {port} is taken by another program; stop that one, or choose another port, \
                 such as: --bind {}",
                SocketAddr::new(ip, port.checked_add(1).unwrap_or(Bind::PORT))
            ),
            ErrorKind::PermissionDenied => anyhow!(
                "This user may not listen on port {port}; choose one above 1023, such as: --bind {}",
                SocketAddr::new(ip, Bind::PORT)
            ),
            ErrorKind::AddrNotAvailable => anyhow!(
                "This machine has no address {ip}; choose one that it has, or all, with: --bind 0.0.0.0:{port}"
            ),
            _ => anyhow!("Cannot listen on {address}: {error}."),
        }
    })
}
