//! Ends a WebSocket so that the peer learns why: a close frame, the peer's close frame, then the TCP
//! connection, our side first. Whoever drops a socket with unread bytes in it makes the kernel send a
//! reset, which overtakes the close frame; so the peer's last bytes are read before that, within limits.

use super::limits::LINGER_BYTES_MAX;
use super::pipe::Pipe;
use super::stream::Stream;
use futures_util::StreamExt;
use shared::wire::close::{CloseCode, fit_reason};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Duration, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// Says goodbye with a code and a sentence. Takes at most twice `wait`.
pub(super) async fn close(
    mut socket: WebSocketStream<Pipe>,
    code: CloseCode,
    reason: &str,
    wait: Duration,
) {
    socket.get_mut().hand_over();
    let frame = CloseFrame { code: code.code().into(), reason: fit_reason(reason).into() };
    let said = timeout(wait, async {
        if socket.close(Some(frame)).await.is_ok() {
            read_to_the_end(&mut socket).await;
        }
    });
    // Out of time or not, what is left to do is the same.
    let _ = said.await;
    linger(socket.get_mut(), wait).await;
}

/// Completes a close that the peer began. Takes at most twice `wait`.
pub(super) async fn answer(mut socket: WebSocketStream<Pipe>, wait: Duration) {
    socket.get_mut().hand_over();
    // Out of time or not, what is left to do is the same.
    let _ = timeout(wait, read_to_the_end(&mut socket)).await;
    linger(socket.get_mut(), wait).await;
}

/// A stream whose end can be waited for.
pub(super) trait Lingering: AsyncRead + AsyncWrite + Unpin {
    /// From now on what comes is not counted, as it is thrown away.
    fn stop_counting(&mut self);
}

impl Lingering for Stream {
    fn stop_counting(&mut self) {
        self.stop_counting();
    }
}

impl Lingering for Pipe {
    fn stop_counting(&mut self) {
        self.stop_counting();
    }
}

/// Ends our half of the connection and throws away what still comes on the other.
pub(super) async fn linger(stream: &mut impl Lingering, wait: Duration) {
    stream.stop_counting();
    let ended = timeout(wait, async {
        // TLS has a last word, which a line may refuse to take.
        if stream.shutdown().await.is_ok() {
            let rest = &mut stream.take(LINGER_BYTES_MAX);
            let _ = tokio::io::copy(rest, &mut tokio::io::sink()).await;
        }
    });
    // Whatever this ends with, nobody is left to be told.
    let _ = ended.await;
}

/// Reads, and so flushes, until both sides have closed or the stream is beyond reading.
async fn read_to_the_end(socket: &mut WebSocketStream<Pipe>) {
    while let Some(Ok(_)) = socket.next().await {}
}
