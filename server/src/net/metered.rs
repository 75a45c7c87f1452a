//! A TCP stream that counts what its peer sends. It sits under HTTP and WebSocket because neither
//! shows everything to the layer above: endless empty fragments and pings never become a message.

use super::limits::{BYTES_BURST_MAX, BYTES_PER_SECOND_MAX, Bucket};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// The peer sent more bytes per second than it may; reading ends with this inside an [`io::Error`].
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("too many bytes in too short a time")]
pub(super) struct TooManyBytes;

impl TooManyBytes {
    /// Whether that is what `error` says.
    pub(super) fn is_in(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<Self>())
    }
}

/// A TCP stream within its byte rate. Writing is not counted: what is written is ours.
#[derive(Debug)]
pub(super) struct Metered {
    tcp: TcpStream,
    bytes: Bucket,
}

impl Metered {
    pub(super) fn new(tcp: TcpStream) -> Self {
        let bytes = Bucket::new(BYTES_PER_SECOND_MAX, BYTES_BURST_MAX, Instant::now());
        Self { tcp, bytes }
    }

    /// The stream without the meter, for reading what is thrown away.
    pub(super) fn unmetered(&mut self) -> &mut TcpStream {
        &mut self.tcp
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.tcp).poll_read(cx, buf))?;
        let read = buf.filled().len() - before;
        if self.bytes.take(read as f64, Instant::now()) {
            Poll::Ready(Ok(()))
        } else {
            Poll::Ready(Err(io::Error::other(TooManyBytes)))
        }
    }
}

impl AsyncWrite for Metered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
