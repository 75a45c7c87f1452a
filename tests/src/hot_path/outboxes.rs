//! Outboxes as connections have them, over Unix sockets whose other ends read.

use server::net::outbox::{self, ConnectionOutbox};
use server::session::door::Outbox;
use std::io::Read;
use std::os::unix::net::UnixStream;

/// What each is told in a tick: a message and a frame.
const TOLD: [&[u8]; 2] = [&[7; 12], &[9; 60]];
/// Both with their headers, in bytes.
const TOLD_BYTES: usize = 2 + 12 + 2 + 60;

/// Some outboxes.
pub struct Outboxes(Vec<(ConnectionOutbox, UnixStream)>);

impl Outboxes {
    /// So many.
    pub fn new(count: usize) -> Self {
        let open = || {
            let (ours, peer) = UnixStream::pair().expect("two ends");
            ours.set_nonblocking(true).expect("it can be asked without waiting");
            (outbox::over(ours), peer)
        };
        Self((0..count).map(|_| open()).collect())
    }

    /// Tells everybody something; how many took it.
    pub fn push(&mut self) -> usize {
        self.0
            .iter_mut()
            .filter_map(|(outbox, ..)| outbox.push(TOLD.into_iter()).then_some(()))
            .count()
    }

    /// Everybody reads what they were told in one tick; how many bytes that was.
    pub fn take(&mut self) -> usize {
        let mut told = [0; TOLD_BYTES];
        let reads = self.0.iter_mut().map(|(.., peer)| peer.read_exact(&mut told));
        reads.map(|read| read.map_or(0, |()| TOLD_BYTES)).sum()
    }
}
