//! The session's end of a connection: frames go straight into the kernel, in the middle of the tick, without waking
//! anybody; what it refuses waits in the `Line`, up to a bound. Neither end ever waits for the other.

use super::line::Line;
use super::plain;
use crate::session::door::Outbox;
use shared::wire::close::CloseCode;
use std::cell::RefCell;
use std::sync::Arc;

thread_local! {
    /// Messages with WebSocket's headers, as they are to be written at once: one for all connections of a thread.
    static FRAMES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// One connection's outbox.
#[derive(Debug)]
pub struct ConnectionOutbox {
    line: Arc<Line>,
    closed: bool,
}

impl ConnectionOutbox {
    pub(super) fn new(line: Arc<Line>) -> Self {
        Self { line, closed: false }
    }
}

/// An outbox that writes into a Unix socket, without a connection's task below it: for benchmarks.
#[cfg(unix)]
pub fn over(socket: std::os::unix::net::UnixStream) -> ConnectionOutbox {
    let socket = super::socket::Socket::Unix(socket);
    let early = (&[][..], super::limits::Level::FULL);
    let line = Line::new(socket, None, early, Arc::default());
    ConnectionOutbox::new(Arc::new(line))
}

impl Outbox for ConnectionOutbox {
    fn has_room(&self) -> bool {
        !self.closed && self.line.has_room()
    }

    fn push<'a>(&mut self, messages: impl Iterator<Item = &'a [u8]>) -> bool {
        self.has_room()
            && FRAMES.with_borrow_mut(|frames| {
                frames.clear();
                messages.for_each(|message| plain::write(message, frames));
                self.line.say(frames)
            })
    }

    fn waiting(&self) -> usize {
        self.line.waiting()
    }

    fn close(&mut self, code: CloseCode, reason: &str) {
        if !self.closed {
            self.closed = true;
            self.line.end(code, reason);
        }
    }
}

impl Drop for ConnectionOutbox {
    fn drop(&mut self) {
        self.line.let_go();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::lanes::{Watch, looked_at};
    use crate::net::limits::{Level, OUTBOX_BYTES_MAX, OUTBOX_MESSAGES_MAX};
    use crate::net::line::{End, LineEvents};
    use crate::net::socket::Socket;
    use futures_util::future::poll_fn;
    use std::task::Poll;
    use tokio::io::AsyncReadExt;
    use tokio::net::UnixStream;

    /// An outbox, the line below it, what keeps it watched, and the peer.
    fn connected() -> (ConnectionOutbox, Arc<Line>, Watch, UnixStream) {
        let (ours, peer) = UnixStream::pair().unwrap();
        let ours = Socket::Unix(ours.into_std().unwrap());
        let line = Arc::new(Line::new(ours, None, (&[], Level::FULL), Arc::default()));
        let watch = looked_at().watch(Arc::clone(&line) as _, false);
        (ConnectionOutbox::new(Arc::clone(&line)), line, watch, peer)
    }

    impl ConnectionOutbox {
        fn push_one(&mut self, message: &[u8]) -> bool {
            self.push(std::iter::once(message))
        }
    }

    /// The next look that ends the connection.
    async fn end(line: &Line) -> End {
        poll_fn(|cx| match line.look(cx) {
            LineEvents { end: Some(end), .. } => Poll::Ready(end),
            _ => Poll::Pending,
        })
        .await
    }

    fn framed(message: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        plain::write(message, &mut frame);
        frame
    }

    #[tokio::test]
    async fn what_a_line_takes_is_on_its_way_at_once() {
        let (mut outbox, _line, _watch, mut peer) = connected();
        assert!(outbox.push_one(b"frame"));
        assert_eq!(outbox.waiting(), 0);
        let mut came = [0; 7];
        peer.read_exact(&mut came).await.unwrap();
        assert_eq!(came, framed(b"frame")[..]);
    }

    #[tokio::test]
    async fn several_messages_are_one_write() {
        let (mut outbox, _line, _watch, mut peer) = connected();
        assert!(outbox.push([&b"told"[..], b"frame"].into_iter()));
        let mut came = [0; 100];
        let bytes = peer.read(&mut came).await.unwrap();
        assert_eq!(came[..bytes], [framed(b"told"), framed(b"frame")].concat());
    }

    #[tokio::test]
    async fn what_it_does_not_take_waits_whole_and_in_order_and_then_comes_the_goodbye() {
        let (mut outbox, line, _watch, mut peer) = connected();
        let message = |n: usize| vec![n as u8; 5000];
        let taken = (0..1000).take_while(|&n| outbox.push_one(&message(n))).count();
        assert!(!outbox.has_room() && !outbox.push_one(b"more"));
        let waiting = outbox.waiting();
        assert!((1..=OUTBOX_MESSAGES_MAX).contains(&waiting), "{waiting} of {taken} wait");
        assert!(line.waiting_bytes() < OUTBOX_BYTES_MAX + 5004);
        // Whatever the connection says itself comes behind, and in no frame's middle.
        line.answer(&plain::PING);
        outbox.close(CloseCode::GoingAway, "first");
        outbox.close(CloseCode::Internal, "second");
        assert!(!outbox.push_one(b"after the end"));

        let mut expected: Vec<u8> = (0..taken).flat_map(|n| framed(&message(n))).collect();
        expected.extend_from_slice(&plain::PING);
        let mut came = vec![0; expected.len()];
        let (read, ended) = tokio::join!(peer.read_exact(&mut came), end(&line));
        assert_eq!(read.unwrap(), expected.len());
        assert!(came == expected, "bytes differ");
        assert_eq!(ended, End::Goodbye(CloseCode::GoingAway, "first".into()));
        assert_eq!(outbox.waiting(), 0);
    }

    #[tokio::test]
    async fn room_comes_back_when_the_peer_reads() {
        let (mut outbox, line, _watch, mut peer) = connected();
        while outbox.push_one(&[1; 5000]) {}
        let served = poll_fn(|cx| {
            let _ = line.look(cx);
            if outbox.has_room() { Poll::Ready(()) } else { Poll::Pending }
        });
        let mut came = vec![0; 1 << 20];
        let read = async { while peer.read(&mut came).await.unwrap() > 0 {} };
        tokio::select! {
            () = served => {}
            () = read => panic!("nobody closed it"),
        }
        assert!(outbox.push_one(&[2; 5000]));
    }

    #[tokio::test]
    async fn a_connection_that_nobody_serves_takes_nothing() {
        let (mut outbox, line, ..) = connected();
        line.is_unserved();
        assert!(!outbox.has_room() && !outbox.push_one(b"x"));
    }

    #[tokio::test]
    async fn a_broken_stream_is_found_by_whoever_writes_and_told_to_the_task() {
        let (mut outbox, line, _watch, peer) = connected();
        drop(peer);
        assert!(!outbox.push_one(b"x") && !outbox.has_room());
        assert_eq!(end(&line).await, End::Broken);
    }

    #[tokio::test]
    async fn a_session_that_is_no_more_is_told_to_the_task() {
        let (outbox, line, ..) = connected();
        drop(outbox);
        assert_eq!(end(&line).await, End::LetGo);
    }
}
