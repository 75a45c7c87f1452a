//! The one kind of stream that HTTP and WebSockets are spoken over, whatever carries it.

use super::metered::Metered;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio_rustls::server::TlsStream;

/// A connection's bytes, counted at the bottom.
#[derive(Debug)]
pub(super) enum Stream {
    /// TCP as it is.
    Tcp(Metered<TcpStream>),
    /// TLS over TCP.
    Tls(Box<TlsStream<Metered<TcpStream>>>),
    /// A Unix socket.
    #[cfg(unix)]
    Unix(Metered<UnixStream>),
}

impl Stream {
    /// Whether nobody on the way can read it.
    pub(super) fn is_secure(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// Whether its peer sent more than it may.
    pub(super) fn is_over(&self) -> bool {
        match self {
            Self::Tcp(stream) => stream.is_over(),
            Self::Tls(stream) => stream.get_ref().0.is_over(),
            #[cfg(unix)]
            Self::Unix(stream) => stream.is_over(),
        }
    }

    /// From now on what comes is not counted, as it is thrown away.
    pub(super) fn stop_counting(&mut self) {
        match self {
            Self::Tcp(stream) => stream.stop_counting(),
            Self::Tls(stream) => stream.get_mut().0.stop_counting(),
            #[cfg(unix)]
            Self::Unix(stream) => stream.stop_counting(),
        }
    }

    /// From now on it is a WebSocket that another server of the site serves, whose limits count.
    pub(super) fn is_passed_on(&mut self) {
        match self {
            Self::Tcp(stream) => stream.is_passed_on(),
            Self::Tls(stream) => stream.get_mut().0.is_passed_on(),
            #[cfg(unix)]
            Self::Unix(stream) => stream.is_passed_on(),
        }
    }
}

/// Does the same with whatever carries the stream.
macro_rules! carried {
    ($stream:expr, $carrier:ident => $do:expr) => {
        match $stream {
            Stream::Tcp($carrier) => $do,
            Stream::Tls($carrier) => $do,
            #[cfg(unix)]
            Stream::Unix($carrier) => $do,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        carried!(self.get_mut(), stream => Pin::new(stream).poll_read(cx, buf))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        carried!(self.get_mut(), stream => Pin::new(stream).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        carried!(self.get_mut(), stream => Pin::new(stream).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        carried!(self, stream => stream.is_write_vectored())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        carried!(self.get_mut(), stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        carried!(self.get_mut(), stream => Pin::new(stream).poll_shutdown(cx))
    }
}
