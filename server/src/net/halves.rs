//! A socket in two halves: the connection's task reads from one, and whoever has something to say writes to the other.

use super::limits::Bucket;
use super::metered::Metered;
use super::stream::Stream;
use socket2::SockRef;
use std::io;
use std::net::Shutdown;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::{TcpStream, tcp};
#[cfg(unix)]
use tokio::net::{UnixStream, unix};
use tokio_rustls::rustls::ServerConnection;

/// The half that is read from.
#[derive(Debug)]
pub(super) enum Receiving {
    Tcp(tcp::OwnedReadHalf),
    #[cfg(unix)]
    Unix(unix::OwnedReadHalf),
}

/// The half that is written to, by whoever holds the [`super::line::Line`] that it is in.
#[derive(Debug)]
pub(super) enum Sending {
    Tcp(tcp::OwnedWriteHalf),
    #[cfg(unix)]
    Unix(unix::OwnedWriteHalf),
}

/// A stream that was taken apart.
pub(super) struct Halves {
    pub(super) receiving: Receiving,
    pub(super) sending: Sending,
    pub(super) tls: Option<Box<ServerConnection>>,
    /// How much its peer may still send.
    pub(super) bytes: Option<Bucket>,
}

/// Takes a stream apart, and TLS off it if there is any. From then on its socket belongs to the runtime that this is called
/// in. Errors when the system does not let it move there.
pub(super) fn split(stream: Stream) -> io::Result<Halves> {
    let (metered, tls) = match stream {
        Stream::Tcp(metered) => (metered, None),
        Stream::Tls(stream) => {
            let (metered, tls) = stream.into_inner();
            (metered, Some(Box::new(tls)))
        }
        #[cfg(unix)]
        Stream::Unix(metered) => return split_unix(metered),
    };
    let (tcp, bytes) = metered.apart();
    let (read, write) = TcpStream::from_std(tcp.into_std()?)?.into_split();
    let (receiving, sending) = (Receiving::Tcp(read), Sending::Tcp(write));
    Ok(Halves { receiving, sending, tls, bytes })
}

#[cfg(unix)]
fn split_unix(metered: Metered<UnixStream>) -> io::Result<Halves> {
    let (unix, bytes) = metered.apart();
    let (read, write) = UnixStream::from_std(unix.into_std()?)?.into_split();
    let (receiving, sending) = (Receiving::Unix(read), Sending::Unix(write));
    Ok(Halves { receiving, sending, tls: None, bytes })
}

impl Receiving {
    /// Reads what has come, as much as fits; 0 bytes at the end.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        let read = match self {
            Self::Tcp(half) => Pin::new(half).poll_read(cx, &mut buffer),
            #[cfg(unix)]
            Self::Unix(half) => Pin::new(half).poll_read(cx, &mut buffer),
        };
        read.map_ok(|()| buffer.filled().len())
    }
}

impl Sending {
    /// Writes as much as the system takes now. [`io::ErrorKind::WouldBlock`] when that is nothing.
    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(half) => half.try_write(bytes),
            #[cfg(unix)]
            Self::Unix(half) => half.try_write(bytes),
        }
    }

    /// Whether it is worth another try; if not, the task is woken when it is.
    pub(super) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(half) => half.as_ref().poll_write_ready(cx),
            #[cfg(unix)]
            Self::Unix(half) => half.as_ref().poll_write_ready(cx),
        }
    }

    /// Ends our half of the connection.
    pub(super) fn shut_down(&self) -> io::Result<()> {
        match self {
            Self::Tcp(half) => SockRef::from(half.as_ref()).shutdown(Shutdown::Write),
            #[cfg(unix)]
            Self::Unix(half) => SockRef::from(half.as_ref()).shutdown(Shutdown::Write),
        }
    }
}
