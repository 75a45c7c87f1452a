//! The sockets of a session's connections. Whoever has one is given a turn when the session looks, in a plain call: no task
//! is woken for the input that nearly all of them have. As nearly all of them have one, they are read without asking the
//! system which: being told costs more than the reads that find nothing. (A runtime's own sockets cost a wake-up, its queue
//! and some ten more cache lines per socket and look.)

use super::moment::Moment;
use parking_lot::Mutex;
use slab::Slab;
use std::fmt;
use std::sync::Arc;

/// Whoever has a socket.
pub trait Watched: Send + Sync {
    /// Reads what came, and writes what waits, as far as the system lets it. Called by whoever looks at that moment; must
    /// not wait, watch anything or give a [`Watch`] back. Whether that woke a task.
    fn turn(&self, moment: Moment) -> bool;
}

/// All sockets of a session.
#[derive(Default)]
pub struct Sockets(Mutex<State>);

#[derive(Default)]
struct State {
    watched: Slab<Arc<dyn Watched>>,
    /// How many there are of whose bytes the system does not tell when they came.
    unstamped: usize,
}

/// A socket's place among those of its session, given back when dropped.
#[derive(Debug)]
pub struct Watch {
    sockets: Arc<Sockets>,
    place: usize,
    stamped: bool,
}

impl Sockets {
    /// Gives everybody a turn. Whether tasks were woken.
    pub fn look(&self) -> bool {
        let state = self.0.lock();
        let moment = Moment::now();
        // Each has its turn, whatever became of those before.
        state.watched.iter().fold(false, |woke, (_, watched)| watched.turn(moment) | woke)
    }

    /// Whether the system tells of all that come when their bytes came.
    pub(super) fn are_stamped(&self) -> bool {
        self.0.lock().unstamped == 0
    }

    /// From now on `watched` has its turns; `stamped`: whether the system tells when its bytes came.
    pub fn watch(self: &Arc<Self>, watched: Arc<dyn Watched>, stamped: bool) -> Watch {
        let mut state = self.0.lock();
        state.unstamped += usize::from(!stamped);
        let place = state.watched.insert(watched);
        Watch { sockets: Arc::clone(self), place, stamped }
    }
}

/// Sockets that are looked at all the time, in a test's runtime.
#[cfg(test)]
pub(crate) fn looked_at() -> Arc<Sockets> {
    let sockets = Arc::<Sockets>::default();
    let looking = Arc::clone(&sockets);
    tokio::spawn(async move {
        loop {
            looking.look();
            tokio::task::yield_now().await;
        }
    });
    sockets
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut state = self.sockets.0.lock();
        state.unstamped -= usize::from(!self.stamped);
        let gone = state.watched.try_remove(self.place);
        drop(state);
        // Its socket closes here, if nobody else has it: not under the lock.
        drop(gone);
    }
}

impl fmt::Debug for Sockets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sockets")
            .field("count", &self.0.lock().watched.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// Counts its turns, and says whether it woke somebody.
    struct Counting(AtomicU32, bool);

    impl Watched for Counting {
        fn turn(&self, _: Moment) -> bool {
            self.0.fetch_add(1, Ordering::Relaxed);
            self.1
        }
    }

    #[test]
    fn everybody_has_a_turn_until_they_are_gone() {
        let sockets = Arc::<Sockets>::default();
        assert!(!sockets.look() && sockets.are_stamped());
        let one = |wakes| Arc::new(Counting(AtomicU32::new(0), wakes));
        let (first, second) = (one(true), one(false));
        let first_watch = sockets.watch(Arc::clone(&first) as _, false);
        let second_watch = sockets.watch(Arc::clone(&second) as _, true);
        assert!(sockets.look() && !sockets.are_stamped());
        drop(first_watch);
        assert!(!sockets.look() && sockets.are_stamped());
        let turns = [first, second].map(|one| {
            let owners = Arc::strong_count(&one);
            (one.0.load(Ordering::Relaxed), owners)
        });
        assert_eq!(turns, [(1, 1), (2, 2)]);
        drop(second_watch);
        assert!(!sockets.look());
    }
}
