//! What a session's loop waits by. Comes in: when its next tick is due. Goes out: the moment itself, from the lane's clock,
//! right after the session's sockets had their turn. So what its players say, what its tick does and what they are sent
//! follow each other on the same memory, which with hundreds of sessions has left the caches by the next tick.

use super::clock::{Clock, LaneClock};
use super::sockets::Sockets;
use std::sync::Arc;
use tokio::time::{Duration, Instant};

/// Looks in a tick where the system does not tell when bytes came: there they count as having come when they are read, and
/// by that clients set their clocks.
const LOOKS_UNSTAMPED: u32 = 4;

/// A session's clock.
#[derive(Debug)]
pub struct SessionClock {
    lane: Arc<LaneClock>,
    sockets: Arc<Sockets>,
    tick: Duration,
}

impl SessionClock {
    pub(super) fn new(lane: Arc<LaneClock>, sockets: Arc<Sockets>) -> Self {
        Self { lane, sockets, tick: Duration::ZERO }
    }

    /// When to look next, at the latest at `due`.
    fn next_look(&self, now: Instant, due: Instant) -> Instant {
        let looks = if self.sockets.are_stamped() { 1 } else { LOOKS_UNSTAMPED };
        let apart = self.tick / looks;
        let mut earlier = (1..looks).rev().filter_map(|n| due.checked_sub(apart * n));
        earlier.find(|&at| at > now).unwrap_or(due)
    }
}

impl Clock for SessionClock {
    /// A moment so soon after now that ticks of other sessions on this lane are not due just then.
    fn begin(&mut self, tick: Duration) -> Instant {
        self.tick = tick;
        self.lane.begin(tick)
    }

    async fn until(&mut self, due: Instant) {
        loop {
            let look = self.next_look(Instant::now(), due);
            self.lane.until(look).await;
            let woke = self.sockets.look();
            if look >= due {
                if woke {
                    // Tasks that were woken run first: what they tell the session is in its queue then.
                    self.lane.until(due).await;
                }
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Moment, Watch, Watched};
    use super::*;
    use futures_util::FutureExt;
    use parking_lot::Mutex;
    use std::pin::pin;

    /// Keeps when it had its turns; whether it says that it woke somebody.
    struct Turns(Mutex<Vec<Instant>>, bool);

    impl Watched for Turns {
        fn turn(&self, moment: Moment) -> bool {
            self.0.lock().push(moment.now);
            self.1
        }
    }

    /// A session's clock, its lane's, and one who has turns.
    fn scene(stamped: bool, wakes: bool) -> (SessionClock, Arc<LaneClock>, Arc<Turns>, Watch) {
        let (lane, sockets) = (Arc::<LaneClock>::default(), Arc::<Sockets>::default());
        let turns = Arc::new(Turns(Mutex::default(), wakes));
        let watch = sockets.watch(Arc::clone(&turns) as _, stamped);
        let mut clock = SessionClock::new(Arc::clone(&lane), sockets);
        clock.begin(Duration::from_millis(32));
        (clock, lane, turns, watch)
    }

    #[tokio::test(start_paused = true)]
    async fn sockets_have_their_turn_when_a_tick_is_due_and_before_only_if_they_have_to() {
        for (stamped, expected) in [(true, &[33][..]), (false, &[9, 17, 25, 33])] {
            let (mut clock, lane, turns, _watch) = scene(stamped, false);
            let start = Instant::now();
            let mut wait = pin!(clock.until(start + Duration::from_millis(33)));
            for ms in 0..33 {
                assert!(wait.as_mut().now_or_never().is_none(), "{ms} ms");
                tokio::time::advance(Duration::from_millis(1)).await;
                lane.wake(Instant::now());
            }
            assert!(wait.now_or_never().is_some());
            let at: Vec<_> = turns.0.lock().iter().map(|at| (*at - start).as_millis()).collect();
            assert_eq!(at, expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn tasks_that_a_look_woke_go_first() {
        let (mut clock, lane, _turns, _watch) = scene(true, true);
        let mut wait = pin!(clock.until(Instant::now()));
        assert!(wait.as_mut().now_or_never().is_none());
        assert!(lane.wake(Instant::now()));
        assert!(wait.as_mut().now_or_never().is_none(), "the task has not run");
        assert!(lane.wake(Instant::now()));
        assert!(wait.now_or_never().is_some());
    }
}
