//! Lanes: the threads that games run on. A session stays on one, and so do the tasks of its connections, so that a
//! tick's frames go out and its inputs come in without a lock that anybody waits for. Everything else (HTTP, handshakes,
//! TLS certificates, the store) lives on the process's other threads and cannot make a tick late.
//!
//! A lane is an ordinary single-threaded runtime of tokio that is let run in batches, and the sockets of its connections
//! beside it ([`Sockets`]). They are looked at when a tick is due and a few times between two ticks, instead of whenever a
//! byte arrives. Thousands of players send an input in every tick, and nobody needs it before the next one: one look
//! finds them all.

mod clock;
mod priority;
mod sockets;

pub use clock::{Clock, LaneClock, SystemClock};
pub use priority::give_way;
#[cfg(test)]
pub(crate) use sockets::looked_at;
pub use sockets::{Lookout, Ready, Sockets, Watch, Watched};

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::runtime::{Builder, Handle};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// The least time between two looks. Ticks of different sessions that are due within it are made together, so one of
/// them is late by as much.
const REST: Duration = Duration::from_millis(1);
/// The longest time between two looks while anything ticks: for so long a ping, a join or a goodbye waits at most.
/// A quarter of a tick at 30 Hz.
const LOOK_EVERY: Duration = Duration::from_micros(8_350);
/// Tasks that run before the runtime looks at its timers and other threads again: all that are ready.
const TASKS_PER_LOOK: u32 = 1 << 20;

/// All lanes of a process.
#[derive(Debug)]
pub struct Lanes(Vec<Arc<Lane>>);

/// One lane.
pub struct Lane {
    runtime: Handle,
    clock: Arc<LaneClock>,
    sockets: Arc<Sockets>,
    /// How many sessions are on it.
    sessions: AtomicUsize,
    over: CancellationToken,
}

/// A session's place on a lane, given back when dropped.
#[derive(Debug)]
pub struct LanePlace(Arc<Lane>);

impl Lanes {
    /// Starts so many, at least one. A thread has the priority of the one that starts it, so this is for a thread that
    /// did not [`give_way`].
    pub fn start(count: usize) -> Self {
        Self((0..count.max(1)).map(|_| Lane::start()).collect())
    }

    /// A place on the lane that has the fewest sessions.
    pub fn place(&self) -> LanePlace {
        let emptiest = self.0.iter().min_by_key(|lane| lane.sessions.load(Ordering::Relaxed));
        let lane = emptiest.expect("there is at least one");
        lane.sessions.fetch_add(1, Ordering::Relaxed);
        LanePlace(Arc::clone(lane))
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        self.0.iter().for_each(|lane| lane.over.cancel());
    }
}

impl Lane {
    fn start() -> Arc<Self> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .event_interval(TASKS_PER_LOOK)
            .build()
            .expect("the system has room for one more thread's sockets");
        let lookout = Lookout::new().expect("the system has room for one more thread's sockets");
        let clock = Arc::<LaneClock>::default();
        let over = CancellationToken::new();
        let lane = Self {
            runtime: runtime.handle().clone(),
            clock: Arc::clone(&clock),
            sockets: Arc::clone(lookout.sockets()),
            sessions: AtomicUsize::new(0),
            over: over.clone(),
        };
        let driving = move || runtime.block_on(drive(&clock, lookout, &over));
        let thread = std::thread::Builder::new().name("lane".into()).spawn(driving);
        thread.expect("the system has room for one more thread");
        Arc::new(lane)
    }

    /// Where tasks of its connections run.
    pub fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// The sockets of its connections.
    pub fn sockets(&self) -> &Arc<Sockets> {
        &self.sockets
    }
}

impl LanePlace {
    /// The lane.
    pub fn lane(&self) -> &Arc<Lane> {
        &self.0
    }

    /// What wakes a tick loop on it.
    pub fn clock(&self) -> Arc<LaneClock> {
        Arc::clone(&self.0.clock)
    }

    /// Runs a task on it.
    pub fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.0.runtime.spawn(task)
    }
}

impl Drop for LanePlace {
    fn drop(&mut self) {
        self.0.sessions.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Lets the lane run, batch by batch, until it is over.
async fn drive(clock: &LaneClock, mut lookout: Lookout, over: &CancellationToken) {
    while !over.is_cancelled() {
        let woke = Instant::now();
        let last = woke + LOOK_EVERY;
        // Inputs are in their sessions' queues after this: all that came, but where a crowd spoke at once no tick waits for
        // more than a rest's worth of them. Inputs come some milliseconds before they are needed.
        let until = clock.next().map_or(last, |due| due.max(woke + REST));
        let more = lookout.look(woke, until);
        // What gives way here runs again after all tasks that this woke, and those that a timer or another thread woke. So
        // whatever else came is in the queues, too, before the loops look into them.
        yield_now().await;
        if clock.wake(Instant::now()) {
            yield_now().await;
        }
        if more {
            continue;
        }
        let next = clock.next().map(|due| due.max(woke + REST).min(last));
        match next.or_else(|| lookout.is_needed().then_some(last)) {
            Some(next) => std::thread::sleep(next.saturating_duration_since(Instant::now())),
            // Nothing ticks here, and nobody is connected: whoever has something to do does it when it comes.
            None => tokio::select! {
                () = clock.wanted() => {}
                () = lookout.more() => {}
                () = over.cancelled() => {}
            },
        }
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane").field("sessions", &self.sessions).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
