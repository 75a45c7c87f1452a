//! The sockets of a lane's connections. The lane asks the system for all that have something, at every look, and tells
//! whoever has the socket at once, in a plain call: no task is woken for the input that nearly all of them have.
//! (A runtime's own sockets cost a wake-up, its queue and some ten more cache lines per socket and look.)

use mio::event::Source;
use mio::{Events, Interest, Poll, Registry, Token};
use slab::Slab;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio::time::{Duration, Instant};

/// Sockets that the system tells of at once, and that are told before anybody looks at the time.
const EVENTS_MAX: usize = 128;

/// Whoever has a socket.
pub trait Watched: Send + Sync {
    /// Something came about since the last call. Called by the lane that looked at `now`; must not wait, watch anything or
    /// give a [`Watch`] back.
    fn ready(&self, ready: Ready, now: Instant);
}

/// What came about with a socket.
#[derive(Clone, Copy, Debug)]
pub struct Ready {
    /// There may be something to read.
    pub readable: bool,
    /// There may be room to write.
    pub writable: bool,
    /// What is there to be read may have the end behind it, of which nothing else tells.
    pub ended: bool,
}

/// All sockets of a lane.
pub struct Sockets {
    registry: Registry,
    watched: Mutex<Slab<Arc<dyn Watched>>>,
    /// Told when there is one more.
    more: Notify,
}

/// A socket's place among those of its lane, given back when dropped.
#[derive(Debug)]
pub struct Watch {
    sockets: Arc<Sockets>,
    place: usize,
}

/// The end that looks.
pub struct Lookout {
    poll: Poll,
    events: Events,
    sockets: Arc<Sockets>,
}

impl Lookout {
    /// One without sockets. Errors when the system has no more room for it.
    pub fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        let sockets = Sockets {
            registry: poll.registry().try_clone()?,
            watched: Mutex::default(),
            more: Notify::new(),
        };
        Ok(Self { poll, events: Events::with_capacity(EVENTS_MAX), sockets: Arc::new(sockets) })
    }

    /// What it looks at.
    pub fn sockets(&self) -> &Arc<Sockets> {
        &self.sockets
    }

    /// Looks, without waiting, and tells whoever has something. Whether there may be more of them, as it was `until` before
    /// all were told.
    pub fn look(&mut self, now: Instant, until: Instant) -> bool {
        loop {
            // Fails when a signal came between, and the next look finds the same.
            if self.poll.poll(&mut self.events, Some(Duration::ZERO)).is_err() {
                return false;
            }
            let watched = self.sockets.lock();
            let mut found = 0;
            for event in &self.events {
                found += 1;
                // Who is gone may still be told of, and somebody else may have its place: reading finds nothing then.
                if let Some(watched) = watched.get(event.token().0) {
                    let ended = event.is_read_closed() || event.is_error();
                    let (readable, writable) = (event.is_readable() || ended, event.is_writable());
                    watched.ready(Ready { readable, writable, ended }, now);
                }
            }
            let more = found == EVENTS_MAX;
            if !more || Instant::now() >= until {
                return more;
            }
        }
    }

    /// Whether there is anything to look at.
    pub(super) fn is_needed(&self) -> bool {
        !self.sockets.lock().is_empty()
    }

    /// Done once there is one more socket.
    pub(super) async fn more(&self) {
        self.sockets.more.notified().await;
    }
}

impl Sockets {
    /// From now on `socket` is looked at, for what `make` makes of it. Errors when the system refuses.
    pub fn watch<S: Source, W: Watched + 'static>(
        self: &Arc<Self>,
        mut socket: S,
        make: impl FnOnce(S) -> W,
    ) -> io::Result<(Arc<W>, Watch)> {
        let mut all = self.lock();
        let entry = all.vacant_entry();
        let place = entry.key();
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.registry.register(&mut socket, Token(place), interest)?;
        let watched = Arc::new(make(socket));
        entry.insert(Arc::clone(&watched) as Arc<dyn Watched>);
        self.more.notify_one();
        Ok((watched, Watch { sockets: Arc::clone(self), place }))
    }

    fn lock(&self) -> MutexGuard<'_, Slab<Arc<dyn Watched>>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sockets that are looked at all the time, in a test's runtime.
#[cfg(test)]
pub(crate) fn looked_at() -> Arc<Sockets> {
    let mut lookout = Lookout::new().expect("room for one more");
    let sockets = Arc::clone(lookout.sockets());
    tokio::spawn(async move {
        loop {
            lookout.look(Instant::now(), Instant::now());
            tokio::task::yield_now().await;
        }
    });
    sockets
}

impl Drop for Watch {
    fn drop(&mut self) {
        let gone = self.sockets.lock().try_remove(self.place);
        // Its socket closes here, if nobody else has it: not under the lock.
        drop(gone);
    }
}

impl fmt::Debug for Sockets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sockets").field("count", &self.lock().len()).finish_non_exhaustive()
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use mio::net::UnixStream;
    use std::io::{Read, Write};
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Counts what it is told, and reads.
    struct Counting {
        socket: UnixStream,
        readable: AtomicU32,
        bytes: AtomicU32,
    }

    impl Watched for Counting {
        fn ready(&self, ready: Ready, _now: Instant) {
            if ready.readable {
                self.readable.fetch_add(1, Ordering::Relaxed);
                let read = (&self.socket).read(&mut [0; 64]).unwrap_or(0);
                self.bytes.fetch_add(read as u32, Ordering::Relaxed);
            }
        }
    }

    fn counting(socket: UnixStream) -> Counting {
        Counting { socket, readable: AtomicU32::new(0), bytes: AtomicU32::new(0) }
    }

    #[test]
    fn whoever_has_something_is_told_once_and_nobody_else() {
        let mut lookout = Lookout::new().unwrap();
        let sockets = Arc::clone(lookout.sockets());
        assert!(!lookout.is_needed());
        let (ours, mut peer) = UnixStream::pair().unwrap();
        let (other, _other_peer) = UnixStream::pair().unwrap();
        let (first, watch) = sockets.watch(ours, counting).unwrap();
        let (second, _second_watch) = sockets.watch(other, counting).unwrap();
        peer.write_all(b"seven b").unwrap();
        let now = Instant::now();
        assert!((0..3).all(|_| !lookout.look(now, now)));
        assert_eq!(first.bytes.load(Ordering::Relaxed), 7);
        assert_eq!(first.readable.load(Ordering::Relaxed), 1);
        assert_eq!(second.readable.load(Ordering::Relaxed), 0);

        drop(watch);
        peer.write_all(b"nobody looks").unwrap();
        lookout.look(now, now);
        assert_eq!(first.bytes.load(Ordering::Relaxed), 7);
        assert_eq!(Arc::strong_count(&first), 1);
    }

    #[test]
    fn a_crowd_is_told_piece_by_piece_as_long_as_there_is_time() {
        let mut lookout = Lookout::new().unwrap();
        let sockets = Arc::clone(lookout.sockets());
        let crowd: Vec<_> = (0..EVENTS_MAX * 2 + 7)
            .map(|_| {
                let (ours, peer) = UnixStream::pair().unwrap();
                (sockets.watch(ours, counting).unwrap(), peer)
            })
            .collect();
        let told =
            || crowd.iter().map(|((one, _), _)| one.bytes.load(Ordering::Relaxed)).sum::<u32>();
        crowd.iter().for_each(|(_, peer)| (&*peer).write_all(b"x").map(drop).unwrap());
        let now = Instant::now();
        // No time at all: one piece.
        assert!(lookout.look(now, now));
        assert_eq!(told(), EVENTS_MAX as u32);
        assert!(!lookout.look(now, now + Duration::from_secs(60)));
        assert_eq!(told(), crowd.len() as u32);
    }
}
