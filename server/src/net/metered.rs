//! A stream that counts what its peer sends. It sits under TLS, HTTP and WebSocket because none of them
//! shows everything to the layer above: empty records, endless empty fragments and pings never become a message.

use super::limits::{BYTES, Level};
use crate::metrics::Metrics;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// What is spoken, as an index into the metrics' counters of bytes: what is metered here is HTTP.
const HTTP: usize = 0;
/// A WebSocket's stream is measured by its `ear` and its `line`.
pub(super) const WEBSOCKET: usize = 1;

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

/// Takes what was read out of what a peer may send; an error that holds [`TooManyBytes`] when that was less.
pub(super) fn take(left: &mut Level, read: usize, now: Instant) -> io::Result<()> {
    let within = BYTES.take(left, read as f64, now);
    if within { Ok(()) } else { Err(io::Error::other(TooManyBytes)) }
}

/// A stream within its byte rate. Writing has none: what is written is ours. What passes is counted for the metrics.
#[derive(Debug)]
pub(super) struct Metered<S> {
    stream: S,
    /// `None` for what is read only to be thrown away, and for what many clients say through one connection.
    bytes: Option<Level>,
    /// Whether more was read than that.
    is_over: bool,
    metrics: Arc<Metrics>,
}

impl<S> Metered<S> {
    /// With no rate until it is a WebSocket where it is `of_many` clients, whose requests have limits each: a proxy's.
    pub(super) fn new(stream: S, of_many: bool, metrics: Arc<Metrics>) -> Self {
        Self { stream, bytes: (!of_many).then_some(Level::FULL), is_over: false, metrics }
    }

    /// The stream itself, of which nothing is to be read.
    pub(super) fn bare(&self) -> &S {
        &self.stream
    }

    /// Whether its peer sent too much: not everybody above hands on the error that says so.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// The bare stream, and what is left of its peer's bytes, for whoever measures it from now on.
    pub(super) fn apart(self) -> (S, Level) {
        (self.stream, self.bytes.unwrap_or(Level::FULL))
    }

    fn wrote(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = written {
            self.metrics.network.went[HTTP].inc_by(bytes as u64);
        }
        written
    }

    /// From now on nothing is counted.
    pub(super) fn stop_counting(&mut self) {
        self.bytes = None;
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let read = buf.filled().len() - before;
        self.metrics.network.came[HTTP].inc_by(read as u64);
        let within = self.bytes.as_mut().map_or(Ok(()), |bytes| take(bytes, read, Instant::now()));
        self.is_over |= within.is_err();
        Poll::Ready(within)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wrote(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
