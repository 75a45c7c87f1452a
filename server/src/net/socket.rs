//! A connection's socket on its session's lane, and what is taken off the stream that it was before.

use super::limits::Level;
use super::metered::Metered;
use super::stamps;
use super::stream::Stream;
use crate::lanes::Stamp;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use tokio_rustls::rustls::ServerConnection;

/// A socket that has its turns on a lane: nothing here waits.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

/// A stream that was taken apart.
pub(super) struct Parts {
    pub(super) socket: Socket,
    /// Whether the system tells when what is read has come.
    pub(super) stamped: bool,
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
            let socket = Socket::Unix(unix.into_std()?);
            return Ok(Parts { socket, stamped: false, tls: None, bytes });
        }
    };
    let (tcp, bytes) = Metered::apart(metered);
    let tcp = tcp.into_std()?;
    let stamped = stamps::ask_for(&tcp);
    let socket = Socket::Tcp(tcp);
    Ok(Parts { socket, stamped, tls, bytes })
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
    /// Reads what has come, as much as fits, and when the last of it came, if the system tells; 0 bytes at the end.
    /// [`io::ErrorKind::WouldBlock`] when nothing has.
    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<(usize, Option<Stamp>)> {
        match self {
            Self::Tcp(socket) => stamps::read(socket, buffer),
            #[cfg(unix)]
            Self::Unix(socket) => Ok(((&*socket).read(buffer)?, None)),
        }
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
