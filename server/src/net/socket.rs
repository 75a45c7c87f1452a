//! A connection's socket on its session's lane, and what is taken off the stream that it was before.

use super::limits::Level;
use super::metered::Metered;
use super::stream::Stream;
use mio::event::Source;
use mio::{Interest, Registry, Token};
use std::io::{self, Read, Write};
use std::net::Shutdown;
use tokio_rustls::rustls::ServerConnection;

/// A socket that is watched by a lane: nothing here waits.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(mio::net::TcpStream),
    #[cfg(unix)]
    Unix(mio::net::UnixStream),
}

/// A stream that was taken apart.
pub(super) struct Parts {
    pub(super) socket: Socket,
    pub(super) tls: Option<Box<ServerConnection>>,
    /// How much its peer may still send.
    pub(super) bytes: Level,
}

/// Takes a stream apart, and TLS off it if there is any. Errors when the system does not let its socket leave the runtime
/// that it was on.
pub(super) fn take_apart(stream: Stream) -> io::Result<Parts> {
    let (metered, tls) = match stream {
        Stream::Tcp(metered) => (metered, None),
        Stream::Tls(stream) => {
            let (metered, tls) = stream.into_inner();
            (metered, Some(Box::new(tls)))
        }
        #[cfg(unix)]
        Stream::Unix(metered) => {
            let (unix, bytes) = metered.apart();
            let socket = Socket::Unix(mio::net::UnixStream::from_std(unix.into_std()?));
            return Ok(Parts { socket, tls: None, bytes });
        }
    };
    let (tcp, bytes) = Metered::apart(metered);
    let socket = Socket::Tcp(mio::net::TcpStream::from_std(tcp.into_std()?));
    Ok(Parts { socket, tls, bytes })
}

/// Does the same with whatever kind of socket it is.
macro_rules! either {
    ($socket:expr, $kind:ident => $do:expr) => {
        match $socket {
            Socket::Tcp($kind) => $do,
            #[cfg(unix)]
            Socket::Unix($kind) => $do,
        }
    };
}

impl Socket {
    /// Reads what has come, as much as fits; 0 bytes at the end. [`io::ErrorKind::WouldBlock`] when nothing has.
    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        either!(self, socket => (&*socket).read(buffer))
    }

    /// Writes as much as the system takes now. [`io::ErrorKind::WouldBlock`] when that is nothing.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        either!(self, socket => (&*socket).write(bytes))
    }

    /// Ends our half of the connection.
    pub(super) fn shut_down(&self) -> io::Result<()> {
        either!(self, socket => socket.shutdown(Shutdown::Write))
    }
}

impl Source for Socket {
    fn register(&mut self, registry: &Registry, token: Token, wants: Interest) -> io::Result<()> {
        either!(self, socket => socket.register(registry, token, wants))
    }

    fn reregister(&mut self, registry: &Registry, token: Token, wants: Interest) -> io::Result<()> {
        either!(self, socket => socket.reregister(registry, token, wants))
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        either!(self, socket => socket.deregister(registry))
    }
}
