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

/// What is spoken, as an index into the metrics' counters of bytes: what is metered here is HTTP, or passed on.
const HTTP: usize = 0;
/// A WebSocket's stream is measured by its `ear` and its `line`, or here where another server of the site serves it.
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
    /// What is spoken.
    protocol: usize,
    metrics: Arc<Metrics>,
}

impl<S> Metered<S> {
    /// With no rate until it is a WebSocket where it is `of_many` clients, whose requests have limits each: a proxy's.
    pub(super) fn new(stream: S, of_many: bool, metrics: Arc<Metrics>) -> Self {
        let bytes = (!of_many).then_some(Level::FULL);
        Self { stream, bytes, is_over: false, protocol: HTTP, metrics }
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
            self.metrics.network.went[self.protocol].inc_by(bytes as u64);
        }
        written
    }

    /// From now on the peer may send what it likes.
    pub(super) fn stop_counting(&mut self) {
        self.bytes = None;
    }

    /// From now on it is a WebSocket that another server of the site serves, whose limits count.
    pub(super) fn is_passed_on(&mut self) {
        self.stop_counting();
        self.protocol = WEBSOCKET;
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
        self.metrics.network.came[self.protocol].inc_by(read as u64);
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

#[cfg(test)]
mod tests {
    use super::super::limits::BYTES_BURST_MAX;
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn of_what_is_passed_on_the_bytes_count_as_a_websockets_and_no_limit_is_ours() {
        let metrics = Arc::<Metrics>::default();
        let request = vec![0; 100];
        let said = vec![0; BYTES_BURST_MAX as usize * 3];
        let (mut peer, own) = tokio::io::duplex(request.len() + said.len());
        peer.write_all(&request).await.unwrap();
        let mut metered = Metered::new(own, false, Arc::clone(&metrics));
        let mut read = vec![0; said.len()];
        metered.read_exact(&mut read[..request.len()]).await.unwrap();
        metered.write_all(&request[..10]).await.unwrap();
        metered.is_passed_on();
        peer.write_all(&said).await.unwrap();
        metered.read_exact(&mut read).await.unwrap();
        metered.write_all(&request[..20]).await.unwrap();
        let count = |counters: &[prometheus::IntCounter; 2]| {
            [HTTP, WEBSOCKET].map(|protocol| counters[protocol].get())
        };
        assert_eq!(count(&metrics.network.came), [100, said.len() as u64]);
        assert_eq!(count(&metrics.network.went), [10, 20]);
        assert!(!metered.is_over());
        // Of a peer of ours it would have been too much.
        let mut metered = Metered::new(&said[..], false, metrics);
        let error = metered.read(&mut read).await.unwrap_err();
        assert!(TooManyBytes::is_in(&error) && metered.is_over());
    }
}
