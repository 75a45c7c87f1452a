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

use parking_lot::Mutex;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
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

/// What a session counts beside its lane's load, and one of its people in it before anything was measured, as shares of a
/// lane's time: what one of eight and each of its people take in the arena (docs/benchmarks.md). So sessions are spread by
/// their number where little is done. They only rank lanes: that a game's cost is another one does little harm.
const SESSION_SHARE: f64 = 0.002;
const PERSON_SHARE: f64 = 0.0003;
/// For so many people room is expected to be needed in a session that has none yet.
const PEOPLE_EXPECTED: u32 = 8;
/// This much of what is expected of the sessions that came is left after each measurement, twice a second: a tenth after
/// eleven seconds. By then those who play there are back, and in the load.
const EXPECTED_LEFT: f64 = 0.9;

/// Descriptors that one takes for its runtime: what tells of sockets twice, what wakes it, and what tells of signals.
pub const LANE_DESCRIPTORS: u64 = 4;

/// All lanes of a process.
#[derive(Debug)]
pub struct Lanes {
    lanes: Vec<Arc<Lane>>,
    loads: Mutex<Loads>,
}

/// How much there is to do on lanes, as shares of their time.
#[derive(Debug)]
struct Loads {
    /// By lane, at the last measurement.
    measured: Vec<f64>,
    /// By lane, what sessions that came lately are expected to need.
    expected: Vec<f64>,
    /// What one person costs.
    person: f64,
}

/// One lane.
pub struct Lane {
    /// Its number, from 0.
    pub(crate) number: usize,
    runtime: Handle,
    clock: Arc<LaneClock>,
    work: Arc<LaneWork>,
    /// How many sessions are on it.
    sessions: AtomicUsize,
    /// Whether a tick on it does not end, as far as is known.
    is_stuck: AtomicBool,
    over: CancellationToken,
}

/// What a lane's thread does.
#[derive(Debug, Default)]
struct LaneWork {
    /// Nanoseconds between waking up and sleeping again, since the start.
    busy_ns: AtomicU64,
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
        let count = count.max(1);
        let none = || vec![0.0; count];
        let loads = Loads { measured: none(), expected: none(), person: PERSON_SHARE };
        Self { lanes: (0..count).map(Lane::start).collect(), loads: Mutex::new(loads) }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.lanes.len()
    }

    /// For how long each was at work since the start.
    pub(crate) fn busy(&self) -> impl Iterator<Item = Duration> {
        self.lanes
            .iter()
            .map(|lane| Duration::from_nanos(lane.work.busy_ns.load(Ordering::Relaxed)))
    }

    /// So busy they were lately, 1 being all the time, with so many people in all: further sessions go to where less is done.
    pub(crate) fn were_busy(&self, measured: &[f64], people: u32) {
        let mut loads = self.loads.lock();
        loads.measured = measured.to_vec();
        loads.expected.iter_mut().for_each(|share| *share *= EXPECTED_LEFT);
        if people > 0 {
            loads.person = measured.iter().sum::<f64>() / f64::from(people);
        }
    }

    /// On which of them a tick does not end, by their numbers: as long as there are others nothing more is placed there.
    pub(crate) fn are_stuck(&self, stuck: &[bool]) {
        for (lane, &is_stuck) in self.lanes.iter().zip(stuck) {
            lane.is_stuck.store(is_stuck, Ordering::Relaxed);
        }
    }

    /// On how many a tick does not end.
    pub(crate) fn stuck(&self) -> usize {
        self.lanes.iter().filter(|lane| lane.is_stuck()).count()
    }

    /// A place for a session of so many people on the lane that has least to do, with what it will have to do for those who
    /// came since that was measured.
    pub fn place(&self, people: u32) -> LanePlace {
        let mut loads = self.loads.lock();
        let share = |lane: &Arc<Lane>| {
            let sessions = lane.sessions.load(Ordering::Relaxed) as f64;
            loads.measured[lane.number] + loads.expected[lane.number] + sessions * SESSION_SHARE
        };
        let idlest = self.lanes.iter().min_by(|a, b| {
            a.is_stuck().cmp(&b.is_stuck()).then_with(|| share(a).total_cmp(&share(b)))
        });
        let lane = idlest.expect("there is at least one");
        let people = if people == 0 { PEOPLE_EXPECTED } else { people };
        // No session needs more than all of a lane, whatever few people seem to cost beside many computer pilots.
        let expected = (loads.person * f64::from(people)).min(1.0);
        loads.expected[lane.number] += expected;
        lane.sessions.fetch_add(1, Ordering::Relaxed);
        LanePlace { lane: Arc::clone(lane), sockets: Arc::default() }
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        self.lanes.iter().for_each(|lane| lane.over.cancel());
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
            is_stuck: AtomicBool::new(false),
            over: over.clone(),
        };
        let driving = move || runtime.block_on(drive(&clock, &work, &over));
        let thread = std::thread::Builder::new().name("lane".into()).spawn(driving);
        thread.expect("the system has room for one more thread");
        Arc::new(lane)
    }

    /// Whether a tick on it does not end: whoever is led here waits until it does.
    pub(crate) fn is_stuck(&self) -> bool {
        self.is_stuck.load(Ordering::Relaxed)
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
