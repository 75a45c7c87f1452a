//! A TCP stream that counts what its peer sends. It sits under HTTP and WebSocket because neither
//! shows everything to the layer above: endless empty fragments and pings never become a message.

use super::limits::{BYTES_BURST_MAX, BYTES_PER_SECOND_MAX, Bucket};
use crate::metrics::Metrics;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
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

/// A TCP stream within its byte rate. Writing has none: what is written is ours. What passes is counted for the metrics.
#[derive(Debug)]
pub(super) struct Metered {
    tcp: TcpStream,
    bytes: Bucket,
    metrics: Arc<Metrics>,
    /// What is spoken over it, as an index into the metrics' counters.
    protocol: usize,
}

impl Metered {
    pub(super) fn new(tcp: TcpStream, metrics: Arc<Metrics>) -> Self {
        let bytes = Bucket::new(BYTES_PER_SECOND_MAX, BYTES_BURST_MAX, Instant::now());
        Self { tcp, bytes, metrics, protocol: 0 }
    }

    /// From now on it is a WebSocket.
    pub(super) fn is_websocket(&mut self) {
        self.protocol = 1;
    }

    fn wrote(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = written {
            self.metrics.network.went[self.protocol].inc_by(bytes as u64);
        }
        written
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
        self.metrics.network.came[self.protocol].inc_by(read as u64);
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
        let written = Pin::new(&mut self.tcp).poll_write(cx, buf);
        self.wrote(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs);
        self.wrote(written)
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
