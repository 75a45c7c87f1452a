//! What wakes tick loops. On a lane that is the lane itself, so that it knows when it has to be awake and may sleep until
//! then; a timer of the runtime would round to milliseconds, and nobody could ask it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::{Future, poll_fn};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// What a tick loop waits by.
pub trait Clock: Send {
    /// Done at `due`, and never before others had a chance to run.
    fn until(&self, due: Instant) -> impl Future<Output = ()> + Send;
}

/// The runtime's own timer.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    async fn until(&self, due: Instant) {
        if due <= Instant::now() {
            tokio::task::yield_now().await;
        }
        sleep_until(due).await;
    }
}

/// A lane's clock: who is to be woken when.
#[derive(Debug, Default)]
pub struct LaneClock {
    waits: Mutex<BinaryHeap<Reverse<Wait>>>,
    wanted: Notify,
}

#[derive(Debug)]
struct Wait {
    due: Instant,
    waker: Waker,
}

impl Clock for Arc<LaneClock> {
    async fn until(&self, due: Instant) {
        let mut waits = false;
        poll_fn(|cx| {
            if waits && due <= Instant::now() {
                return Poll::Ready(());
            }
            if !waits {
                waits = true;
                self.lock().push(Reverse(Wait { due, waker: cx.waker().clone() }));
                self.wanted.notify_one();
            }
            Poll::Pending
        })
        .await;
    }
}

impl LaneClock {
    /// When somebody is to be woken next.
    pub(super) fn next(&self) -> Option<Instant> {
        self.lock().peek().map(|Reverse(wait)| wait.due)
    }

    /// Wakes whoever is due.
    pub(super) fn wake(&self, now: Instant) {
        let mut waits = self.lock();
        while waits.peek().is_some_and(|Reverse(wait)| wait.due <= now) {
            if let Some(Reverse(wait)) = waits.pop() {
                wait.waker.wake();
            }
        }
    }

    /// Done once somebody waits who did not before.
    pub(super) async fn wanted(&self) {
        self.wanted.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, BinaryHeap<Reverse<Wait>>> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
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
