//! Lanes: the threads that games run on. A session stays on one, and so do the tasks of its connections, so that a
//! tick's frames go out and its inputs come in without a lock that anybody waits for. Everything else (HTTP, handshakes,
//! TLS certificates, the store) lives on the process's other threads and cannot make a tick late.
//!
//! A lane is an ordinary single-threaded runtime of tokio that is let run in batches: when a tick is due. So are the
//! sockets of a session's connections ([`Sockets`]): they have their turn when it is about to tick ([`SessionClock`]),
//! instead of whenever a byte arrives. Players send an input in every tick, and nobody needs it before the next one.

mod clock;
mod moment;
mod priority;
mod session_clock;
mod sockets;

pub use clock::{Clock, LaneClock, SystemClock};
pub use moment::{Moment, Stamp};
pub use priority::give_way;
pub use session_clock::SessionClock;
#[cfg(test)]
pub(crate) use sockets::looked_at;
pub use sockets::{Sockets, Watch, Watched};

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use tokio::runtime::{Builder, Handle};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// The least time between two wake-ups. What is due within it is done together, and late by as much.
const REST: Duration = Duration::from_micros(100);
/// The longest sleep while anything ticks: for so long a new connection waits at most, or a timer. A tick at 30 Hz.
const SLEEP_MAX: Duration = Duration::from_micros(33_400);
/// How often sockets that outlive their session have their turn.
const SEE_OFF_EVERY: Duration = Duration::from_millis(10);
/// Tasks that run before the runtime looks at its timers and other threads again: all that are ready.
const TASKS_PER_LOOK: u32 = 1 << 20;

/// Descriptors that one takes for its runtime: what tells of sockets twice, what wakes it, and what tells of signals.
pub const LANE_DESCRIPTORS: u64 = 4;

/// All lanes of a process.
#[derive(Debug)]
pub struct Lanes(Vec<Arc<Lane>>);

/// One lane.
pub struct Lane {
    /// Its number, from 0.
    pub(crate) number: usize,
    runtime: Handle,
    clock: Arc<LaneClock>,
    work: Arc<LaneWork>,
    /// How many sessions are on it.
    sessions: AtomicUsize,
    over: CancellationToken,
}

/// What a lane's thread does.
#[derive(Debug, Default)]
struct LaneWork {
    /// Nanoseconds between waking up and sleeping again, since the start.
    busy_ns: AtomicU64,
    /// Tenths of its time that it was at work lately.
    tenths: AtomicU64,
}

/// A session's place on a lane, given back when dropped.
#[derive(Debug)]
pub struct LanePlace {
    lane: Arc<Lane>,
    sockets: Arc<Sockets>,
}

impl Lanes {
    /// Starts so many, at least one. A thread has the priority of the one that starts it, so this is for a thread that
    /// did not [`give_way`].
    pub fn start(count: usize) -> Self {
        Self((0..count.max(1)).map(Lane::start).collect())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// For how long each was at work since the start.
    pub(crate) fn busy(&self) -> impl Iterator<Item = Duration> {
        self.0.iter().map(|lane| Duration::from_nanos(lane.work.busy_ns.load(Ordering::Relaxed)))
    }

    /// So busy they were lately, 1 being all the time: further sessions go to where less is done.
    pub(crate) fn were_busy(&self, loads: &[f64]) {
        for (lane, load) in self.0.iter().zip(loads) {
            lane.work.tenths.store((load * 10.0) as u64, Ordering::Relaxed);
        }
    }

    /// A place on the lane that has least to do, and of those that have about as much the one with the fewest sessions.
    pub fn place(&self) -> LanePlace {
        let idlest = self.0.iter().min_by_key(|lane| {
            (lane.work.tenths.load(Ordering::Relaxed), lane.sessions.load(Ordering::Relaxed))
        });
        let lane = idlest.expect("there is at least one");
        lane.sessions.fetch_add(1, Ordering::Relaxed);
        LanePlace { lane: Arc::clone(lane), sockets: Arc::default() }
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        self.0.iter().for_each(|lane| lane.over.cancel());
    }
}

impl Lane {
    fn start(number: usize) -> Arc<Self> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .event_interval(TASKS_PER_LOOK)
            .build()
            .expect("the system has room for one more thread's sockets");
        let clock = Arc::<LaneClock>::default();
        let (over, work) = (CancellationToken::new(), Arc::<LaneWork>::default());
        let lane = Self {
            number,
            runtime: runtime.handle().clone(),
            clock: Arc::clone(&clock),
            work: Arc::clone(&work),
            sessions: AtomicUsize::new(0),
            over: over.clone(),
        };
        let driving = move || runtime.block_on(drive(&clock, &work, &over));
        let thread = std::thread::Builder::new().name("lane".into()).spawn(driving);
        thread.expect("the system has room for one more thread");
        Arc::new(lane)
    }

    /// Where tasks of its connections run.
    pub fn runtime(&self) -> &Handle {
        &self.runtime
    }
}

impl LanePlace {
    /// The lane.
    pub fn lane(&self) -> &Arc<Lane> {
        &self.lane
    }

    /// The sockets of the session's connections.
    pub fn sockets(&self) -> &Arc<Sockets> {
        &self.sockets
    }

    /// What wakes the session's loop, and looks at its sockets.
    pub fn clock(&self) -> SessionClock {
        SessionClock::new(Arc::clone(&self.lane.clock), Arc::clone(&self.sockets))
    }

    /// Runs a task on it.
    pub fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.lane.runtime.spawn(task)
    }
}

impl Drop for LanePlace {
    fn drop(&mut self) {
        self.lane.sessions.fetch_sub(1, Ordering::Relaxed);
        self.lane.runtime.spawn(see_off(Arc::clone(&self.sockets)));
    }
}

/// Gives the sockets of a session that is no more their turns until nobody has them: connections outlive it by a goodbye.
async fn see_off(sockets: Arc<Sockets>) {
    while Arc::strong_count(&sockets) > 1 {
        sockets.look();
        tokio::time::sleep(SEE_OFF_EVERY).await;
    }
}

/// Lets the lane run, batch by batch, until it is over.
async fn drive(clock: &LaneClock, work: &LaneWork, over: &CancellationToken) {
    while !over.is_cancelled() {
        let woke = Instant::now();
        // What gives way here runs again after all tasks that timers and other threads woke: who comes in is there before
        // the loops are.
        yield_now().await;
        // Loops that are due, and again those that let the tasks go first which they woke.
        while clock.wake(woke) {
            yield_now().await;
        }
        let done = Instant::now();
        work.busy_ns.fetch_add((done - woke).as_nanos() as u64, Ordering::Relaxed);
        match clock.next() {
            Some(next) => {
                let next = next.clamp(woke + REST, woke + SLEEP_MAX);
                std::thread::sleep(next.saturating_duration_since(done));
            }
            // Nothing ticks here: whoever has something to do does it when it comes.
            None => tokio::select! {
                () = clock.wanted() => {}
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
