//! When a bot that lost its line tries again. Comes in: how lines ended, and how long they had lasted. Goes out: when the
//! next one is tried; the same as the page does (`client-web/www/net.js`).

use crate::ending::Ending;
use shared::wire::close::CloseCode;
use std::ops::Range;
use std::time::Duration;
use tokio::time::Instant;

/// When those try who were told that the server restarts: each at a moment of its own, in ms.
const RESTART_MS: Range<f64> = 250.0..750.0;
/// When those try whose session is on another server now, in ms: that one is there already.
const MOVED_MS: Range<f64> = 0.0..300.0;
/// The first wait after any other loss, in ms; it doubles from try to try.
const FIRST_MS: f64 = 500.0;
/// The longest wait, in ms.
const LONGEST_MS: f64 = 10_000.0;
/// A line that lasted this long was a good one: the next wait starts small again.
const STABLE: Duration = Duration::from_secs(5);
/// For how long a bot tries; then its life has ended as its line did.
const GIVE_UP: Duration = Duration::from_secs(120);

/// What a bot has tried since its last good line. A server that lets it connect and
/// says nothing, or turns it away, gives it none.
#[derive(Debug, Default)]
pub(crate) struct Tries {
    attempt: u32,
    until: Option<Instant>,
}

impl Tries {
    /// A line is lost that lasted so long.
    pub(crate) fn lost(&mut self, lasted: Duration) {
        if lasted >= STABLE {
            *self = Self::default();
        }
    }

    /// When to try again after the last try, or the line, ended like this `now`; `None` when that was tried for long
    /// enough. `phase` from 0 to 1 is other bots' at no time.
    pub(crate) fn next(&mut self, ending: &Ending, now: Instant, phase: f64) -> Option<Instant> {
        // Where in a tick a bot looks at the clock is spread evenly; so is this.
        let chance = (phase + f64::from(self.attempt) * 0.618_033_988_749_895).fract();
        let wake = now + wait(ending, self.attempt, chance);
        self.attempt += 1;
        (wake <= *self.until.get_or_insert(now + GIVE_UP)).then_some(wake)
    }
}

/// Whether it is worth trying after this.
pub(crate) fn is_worth_it(ending: &Ending) -> bool {
    match ending {
        Ending::Closed { code, .. } => {
            CloseCode::from_code(*code).is_none_or(CloseCode::worth_retrying)
        }
        Ending::NoLine(_) | Ending::NoWelcome | Ending::Broken(_) => true,
        Ending::CalledBack => false,
    }
}

/// The wait before try number `attempt`, from 0; `chance` from 0 to 1.
fn wait(ending: &Ending, attempt: u32, chance: f64) -> Duration {
    let within = match ending {
        Ending::Closed { code, .. } => match CloseCode::from_code(*code) {
            Some(CloseCode::GoingAway) => Some(RESTART_MS),
            Some(CloseCode::Moved) => Some(MOVED_MS),
            _ => None,
        },
        _ => None,
    };
    // Otherwise half fixed, half by chance.
    let longest = (FIRST_MS * f64::from(1_u32 << attempt.min(16))).min(LONGEST_MS);
    let Range { start, end } = within.unwrap_or(longest / 2.0..longest);
    Duration::from_secs_f64((start + (end - start) * chance) / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(code: CloseCode) -> Ending {
        Ending::Closed { code: code.code(), reason: String::new() }
    }

    #[test]
    fn a_restart_spreads_the_next_try_and_failures_make_it_rarer() {
        let stops = closed(CloseCode::GoingAway);
        assert_eq!(wait(&stops, 0, 0.0), Duration::from_millis(250));
        assert_eq!(wait(&stops, 0, 0.5), Duration::from_millis(500));
        assert_eq!(wait(&closed(CloseCode::Moved), 0, 0.5), Duration::from_millis(150));
        let failed = Ending::NoLine("nobody listens there".into());
        let waits: Vec<_> = (1..8).map(|attempt| wait(&failed, attempt, 1.0).as_millis()).collect();
        assert_eq!(waits, [1000, 2000, 4000, 8000, 10_000, 10_000, 10_000]);
        assert_eq!(wait(&Ending::NoWelcome, 0, 0.0), Duration::from_millis(250));
    }

    #[test]
    fn who_is_let_in_and_turned_away_waits_longer_and_longer() {
        let (turned_away, start) = (closed(CloseCode::TryLater), Instant::now());
        let (mut tries, mut now, mut count) = (Tries::default(), start, 0);
        while let Some(wake) = tries.next(&turned_away, now, 0.5) {
            // It is welcome, and no longer a second later.
            now = wake + Duration::from_secs(1);
            tries.lost(Duration::from_secs(1));
            count += 1;
        }
        assert!((12..24).contains(&count), "{count} tries");
        let gave_up = (now - start).as_secs();
        assert!((105..=121).contains(&gave_up), "gave up after {gave_up} s");
        // A good line, and all is as at first.
        tries.lost(STABLE);
        let wake = tries.next(&turned_away, now, 0.5).expect("it tries");
        assert!(wake - now <= Duration::from_millis(500));
    }

    #[test]
    fn nobody_comes_back_who_was_sent_away_for_good() {
        assert!(!is_worth_it(&closed(CloseCode::Banned)));
        assert!(!is_worth_it(&Ending::CalledBack));
        assert!(is_worth_it(&closed(CloseCode::GoingAway)));
        assert!(is_worth_it(&Ending::Broken("the connection broke".into())));
    }
}
