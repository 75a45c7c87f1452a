//! When something came, if the system tells. Comes in: the system's note of when bytes reached this machine, by the wall
//! clock. Goes out: the same by the clock that ticks follow. So it does not matter when somebody looks.

use std::time::SystemTime;
use tokio::time::{Duration, Instant};

/// Bytes are never taken for older than this: past it somebody has set the wall clock, or nobody read for so long.
const AGE_MAX: Duration = Duration::from_secs(1);

/// When bytes came, by the wall clock, since 1970.
pub type Stamp = Duration;

/// A moment, by both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// By the clock that ticks follow.
    pub now: Instant,
    wall: Duration,
}

impl Moment {
    /// This one.
    pub fn now() -> Self {
        let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Self { now: Instant::now(), wall: wall.unwrap_or_default() }
    }

    /// When what has been read by now came: now, where the system does not tell.
    pub fn of_arrival(&self, stamp: Option<Stamp>) -> Instant {
        let age = stamp.and_then(|stamp| self.wall.checked_sub(stamp)).unwrap_or_default();
        self.now.checked_sub(age.min(AGE_MAX)).unwrap_or(self.now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_arrival_was_so_long_ago_as_the_wall_clock_says_and_never_in_the_future() {
        tokio::time::advance(AGE_MAX * 2).await;
        let moment = Moment::now();
        let ms = Duration::from_millis;
        for (stamp, ago) in [
            (Some(moment.wall), ms(0)),
            (Some(moment.wall - ms(7)), ms(7)),
            // It came while others were read.
            (Some(moment.wall + ms(2)), ms(0)),
            // Somebody set the clock.
            (Some(moment.wall - ms(3_600_000)), AGE_MAX),
            (Some(Duration::ZERO), AGE_MAX),
            (None, ms(0)),
        ] {
            assert_eq!(moment.now - moment.of_arrival(stamp), ago, "{stamp:?}");
        }
    }
}
