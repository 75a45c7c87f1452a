//! When a bot that lost its line tries again. Comes in: how the line ended, and how often it was tried since. Goes
//! out: for how long to wait; the same as the page does (`client-web/www/net.js`).

use crate::ending::Ending;
use shared::wire::close::CloseCode;
use std::ops::Range;
use std::time::Duration;

/// When those try who were told that the server restarts: each at a moment of its own, in ms.
const RESTART_MS: Range<f64> = 250.0..750.0;
/// When those try whose session is on another server now, in ms: that one is there already.
const MOVED_MS: Range<f64> = 0.0..300.0;
/// The first wait after any other loss, in ms; it doubles from try to try.
const FIRST_MS: f64 = 500.0;
/// The longest wait, in ms.
const LONGEST_MS: f64 = 10_000.0;
/// For how long a bot tries; then its life has ended as its line did.
pub(crate) const GIVE_UP: Duration = Duration::from_secs(120);

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
pub(crate) fn wait(ending: &Ending, attempt: u32, chance: f64) -> Duration {
    let within = match ending {
        Ending::Closed { code, .. } if attempt == 0 => match CloseCode::from_code(*code) {
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
    fn a_restart_spreads_the_first_try_and_failures_make_it_rarer() {
        let stops = closed(CloseCode::GoingAway);
        assert_eq!(wait(&stops, 0, 0.0), Duration::from_millis(250));
        assert_eq!(wait(&stops, 0, 0.5), Duration::from_millis(500));
        assert_eq!(wait(&closed(CloseCode::Moved), 0, 0.5), Duration::from_millis(150));
        let waits: Vec<_> = (1..8).map(|attempt| wait(&stops, attempt, 1.0).as_millis()).collect();
        assert_eq!(waits, [1000, 2000, 4000, 8000, 10_000, 10_000, 10_000]);
        assert_eq!(wait(&Ending::NoWelcome, 0, 0.0), Duration::from_millis(250));
    }

    #[test]
    fn nobody_comes_back_who_was_sent_away_for_good() {
        assert!(!is_worth_it(&closed(CloseCode::Banned)));
        assert!(!is_worth_it(&Ending::CalledBack));
        assert!(is_worth_it(&closed(CloseCode::GoingAway)));
        assert!(is_worth_it(&Ending::Broken("the connection broke".into())));
    }
}
