//! Outboxes as connections have them, over Unix sockets whose other ends read.

use server::net::outbox::{self, ConnectionOutbox};
use server::session::door::Outbox;
use std::io::Read;
use std::os::unix::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::runtime::{Builder, Runtime};

/// What each is told in a tick: a message and a frame.
const TOLD: [&[u8]; 2] = [&[7; 12], &[9; 60]];
/// Both with their headers, in bytes.
const TOLD_BYTES: usize = 2 + 12 + 2 + 60;

/// Some outboxes.
pub struct Outboxes {
    all: Vec<(ConnectionOutbox, OwnedReadHalf, UnixStream)>,
    /// Where their sockets belong.
    _runtime: Runtime,
}

impl Outboxes {
    /// So many.
    pub fn new(count: usize) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let entered = runtime.enter();
        let open = || {
            let (ours, peer) = UnixStream::pair().expect("two ends");
            ours.set_nonblocking(true).expect("it can be asked without waiting");
            let ours = tokio::net::UnixStream::from_std(ours).expect("a runtime to belong to");
            let (outbox, half) = outbox::over(ours);
            (outbox, half, peer)
        };
        let all: Vec<_> = (0..count).map(|_| open()).collect();
        drop(entered);
        // Until the system has said that a socket takes something, it is believed to take nothing.
        runtime.block_on(async {
            for (_, half, _) in &all {
                half.as_ref().writable().await.expect("nobody closed it");
            }
        });
        Self { all, _runtime: runtime }
    }

    /// Tells everybody something; how many took it.
    pub fn push(&mut self) -> usize {
        self.all
            .iter_mut()
            .filter_map(|(outbox, ..)| outbox.push(TOLD.into_iter()).then_some(()))
            .count()
    }

    /// Everybody reads what they were told in one tick; how many bytes that was.
    pub fn take(&mut self) -> usize {
        let mut told = [0; TOLD_BYTES];
        let reads = self.all.iter_mut().map(|(.., peer)| peer.read_exact(&mut told));
        reads.map(|read| read.map_or(0, |()| TOLD_BYTES)).sum()
    }
}
