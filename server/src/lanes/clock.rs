//! What wakes tick loops. On a lane that is the lane itself, so that it knows when it has to be awake and may sleep until
//! then; a timer of the runtime would round to milliseconds, and nobody could ask it. A session's own clock
//! ([`super::SessionClock`]) stands on this one.

use parking_lot::Mutex;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Poll, Waker};
use tokio::sync::Notify;
use tokio::time::{Duration, Instant, sleep_until};

/// What a tick loop waits by.
pub trait Clock: Send {
    /// When a loop begins whose ticks take `tick` each: now, or so soon after it that ticks of others are not due in the
    /// same moments.
    fn begin(&mut self, tick: Duration) -> Instant;

    /// Done at `due`, and never before others had a chance to run.
    fn until(&mut self, due: Instant) -> impl Future<Output = ()> + Send;
}

/// The runtime's own timer.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn begin(&mut self, _: Duration) -> Instant {
        Instant::now()
    }

    async fn until(&mut self, due: Instant) {
        if due <= Instant::now() {
            tokio::task::yield_now().await;
        }
        sleep_until(due).await;
    }
}

/// A lane's clock: who is to be woken when.
#[derive(Debug)]
pub struct LaneClock {
    waits: Mutex<BinaryHeap<Reverse<Wait>>>,
    wanted: Notify,
    since: Instant,
    /// Loops that ever began.
    begun: AtomicU32,
}

/// Ticks of loops begin at multiples of this, or a little more where it does not divide a tick. Loops of one slot have
/// their ticks one after the other, so that some are late by as much as those before them take. Two milliseconds instead
/// of a quarter made ticks of 250 sessions six times later and saved nothing; with 40 sessions they save a point of a core.
const SLOT: Duration = Duration::from_micros(250);
/// The golden ratio's part behind the point: its multiples' parts lie apart from each other however many they are
/// (H. Weyl, Über die Gleichverteilung von Zahlen mod. Eins, 1916).
const GOLDEN: f64 = 0.618_033_988_749_894_9;

#[derive(Debug)]
struct Wait {
    due: Instant,
    waker: Waker,
}

impl Default for LaneClock {
    fn default() -> Self {
        Self {
            waits: Mutex::default(),
            wanted: Notify::new(),
            since: Instant::now(),
            begun: AtomicU32::new(0),
        }
    }
}

impl LaneClock {
    /// When a loop begins whose ticks take `tick` each. Loops that began one after the other are far apart from each other,
    /// and whole [`SLOT`]s: those of a slot are due together, so that the lane wakes up once for all of them.
    pub(super) fn begin(&self, tick: Duration) -> Instant {
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        let slots = (tick.as_nanos() / SLOT.as_nanos()).max(1) as u32;
        let slot = f64::from(slots) * (f64::from(number) * GOLDEN).fract();
        let phase = (tick / slots * slot as u32).as_nanos();
        let (now, tick) = (self.since.elapsed().as_nanos(), tick.as_nanos());
        let ticks = (now + tick - phase).div_ceil(tick);
        self.since + Duration::from_nanos((ticks * tick + phase - tick) as u64)
    }

    /// Done at `due`, and never before others had a chance to run.
    pub(super) async fn until(&self, due: Instant) {
        let mut waits = false;
        poll_fn(|cx| {
            if waits && due <= Instant::now() {
                return Poll::Ready(());
            }
            if !waits {
                waits = true;
                self.waits.lock().push(Reverse(Wait { due, waker: cx.waker().clone() }));
                self.wanted.notify_one();
            }
            Poll::Pending
        })
        .await;
    }

    /// When somebody is to be woken next.
    pub(super) fn next(&self) -> Option<Instant> {
        self.waits.lock().peek().map(|Reverse(wait)| wait.due)
    }

    /// Wakes whoever is due; whether anybody was.
    pub(super) fn wake(&self, now: Instant) -> bool {
        let mut waits = self.waits.lock();
        let before = waits.len();
        while waits.peek().is_some_and(|Reverse(wait)| wait.due <= now) {
            if let Some(Reverse(wait)) = waits.pop() {
                wait.waker.wake();
            }
        }
        waits.len() < before
    }

    /// Done once somebody waits who did not before.
    pub(super) async fn wanted(&self) {
        self.wanted.notified().await;
    }
}

impl PartialEq for Wait {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl Eq for Wait {}

impl PartialOrd for Wait {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Wait {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.due.cmp(&other.due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use std::pin::pin;
    use std::sync::Arc;

    #[tokio::test(start_paused = true)]
    async fn whoever_is_due_is_woken_and_nobody_else() {
        let clock = Arc::<LaneClock>::default();
        let now = Instant::now();
        let (soon, late) = (now + Duration::from_millis(5), now + Duration::from_millis(9));
        let (mut first, mut second) = (pin!(clock.until(late)), pin!(clock.until(soon)));
        assert!(
            first.as_mut().now_or_never().is_none() && second.as_mut().now_or_never().is_none()
        );
        assert_eq!(clock.next(), Some(soon));
        tokio::time::advance(Duration::from_millis(5)).await;
        clock.wake(Instant::now());
        assert_eq!(clock.next(), Some(late));
        assert!(first.now_or_never().is_none());
        assert!(second.now_or_never().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn loops_begin_within_a_tick_and_evenly_in_its_slots() {
        let clock = Arc::<LaneClock>::default();
        let tick = Duration::from_millis(33);
        let mut slots = std::collections::BTreeMap::<u128, u32>::new();
        for n in 0..1320 {
            tokio::time::advance(Duration::from_micros(n * 123)).await;
            let (now, begins) = (Instant::now(), clock.begin(tick));
            assert!((now..=now + tick).contains(&begins));
            *slots.entry((begins - clock.since).as_nanos() % tick.as_nanos()).or_default() += 1;
        }
        assert_eq!(slots.len(), 132);
        assert!(slots.values().all(|loops| (8..=12).contains(loops)), "{slots:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_due_already_still_gives_way_once() {
        let clock = Arc::<LaneClock>::default();
        let mut due = pin!(clock.until(Instant::now()));
        assert!(due.as_mut().now_or_never().is_none());
        assert!(clock.next().is_some_and(|next| next <= Instant::now()));
        assert!(due.now_or_never().is_some());
    }
}
