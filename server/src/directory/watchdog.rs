//! Ticks that do not end: rules that run in circles, or for minutes. Nobody can take a thread from them, and the session's
//! lane stands still, with all of its sessions and everybody in them. Comes in: twice a second, from outside of the lanes,
//! how far each loop is. Goes out: lines in the log, and which lanes are stuck: nobody is led there.
//!
//! It has no clock: it counts its own looks, so that a machine that stood still (a laptop that was shut, a debugger) stood
//! still for it as well.

use super::{Directory, Entry};
use crate::code::SessionCode;
use crate::tick_loop::AtWork;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::time::Duration;

/// What is known from the looks before.
#[derive(Debug)]
pub(super) struct Watchdog {
    /// How far apart looks are.
    every: Duration,
    /// Looks at one and the same stage after which it counts as stuck.
    looks_max: u32,
    seen: HashMap<SessionCode, Seen>,
}

/// A loop that was at work.
#[derive(Debug)]
struct Seen {
    at: AtWork,
    /// How many looks found just the same after the first one.
    looks: u32,
}

/// What a look found of one loop.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// It gets on, as far as is known.
    GetsOn,
    /// It has just become stuck in this.
    Stuck(&'static str, Duration),
    /// It is as stuck as before.
    StillStuck,
    /// It got on after so long.
    GotOn(&'static str, Duration),
}

impl Watchdog {
    /// One that looks so often, and has patience for `wait`.
    pub(super) fn new(every: Duration, wait: Duration) -> Self {
        let looks_max = wait.as_nanos().div_ceil(every.as_nanos()).max(1) as u32;
        Self { every, looks_max, seen: HashMap::new() }
    }

    /// The loop of this session is at this, or sleeps.
    fn look(&mut self, code: SessionCode, now: Option<AtWork>) -> Found {
        let (every, looks_max) = (self.every, self.looks_max);
        match (self.seen.get_mut(&code), now) {
            (Some(seen), Some(at)) if seen.at == at => {
                seen.looks = seen.looks.saturating_add(1);
                match seen.looks {
                    looks if looks == looks_max => Found::Stuck(at.label(), every * looks),
                    looks if looks > looks_max => Found::StillStuck,
                    _ => Found::GetsOn,
                }
            }
            (_, now) => {
                let before = match now {
                    Some(at) => self.seen.insert(code, Seen { at, looks: 0 }),
                    None => self.seen.remove(&code),
                };
                match before.filter(|seen| seen.looks >= looks_max) {
                    Some(Seen { at, looks }) => Found::GotOn(at.label(), every * looks),
                    None => Found::GetsOn,
                }
            }
        }
    }
}

impl Directory {
    /// Looks at all loops once.
    pub(super) fn watch_over_ticks(&self, watchdog: &mut Watchdog, entries: &[Arc<Entry>]) {
        watchdog.seen.retain(|code, _| entries.iter().any(|entry| entry.code == *code));
        let mut stuck = vec![false; self.lanes.len()];
        for entry in entries {
            let found = watchdog.look(entry.code, entry.ticks.progress.at_work());
            let session = entry.code.for_log(entry.is_public());
            let is_stuck = matches!(found, Found::Stuck(..) | Found::StillStuck);
            match found {
                Found::Stuck(stage, after) => tracing::error!(
                    session,
                    stage,
                    for_s = after.as_secs_f64(),
                    "a tick does not end: its session stands still, and all others on its thread; {}",
                    blame(stage)
                ),
                Found::GotOn(stage, after) => tracing::warn!(
                    session,
                    stage,
                    for_s = after.as_secs_f64(),
                    "the tick that did not end has ended"
                ),
                Found::GetsOn | Found::StillStuck => {}
            }
            entry.is_now_stuck(is_stuck);
            stuck[entry.handle.lane.number] |= is_stuck;
        }
        self.lanes.are_stuck(&stuck);
    }
}

/// Where to look for the mistake.
fn blame(stage: &str) -> &'static str {
    match stage {
        "step" => "the game's step does not return",
        _ => "what the game does in this stage does not return",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Stage;
    use crate::tick_loop::Progress;

    const EVERY: Duration = Duration::from_millis(500);

    #[test]
    fn it_barks_once_and_says_for_how_long_it_was() {
        let (mut dog, progress) = (Watchdog::new(EVERY, EVERY * 3), Progress::default());
        let code = SessionCode::random();
        let mut look = || dog.look(code, progress.at_work());
        assert_eq!(look(), Found::GetsOn);
        progress.begins(Stage::Step);
        assert!((0..3).all(|_| look() == Found::GetsOn), "the first look and two more");
        assert_eq!(look(), Found::Stuck("step", EVERY * 3));
        assert!((0..4).all(|_| look() == Found::StillStuck));
        progress.sleeps();
        assert_eq!(look(), Found::GotOn("step", EVERY * 7));
        assert_eq!(look(), Found::GetsOn);
    }

    #[test]
    fn who_is_always_at_work_and_gets_on_is_not_stuck() {
        let (mut dog, progress) = (Watchdog::new(EVERY, EVERY), Progress::default());
        let code = SessionCode::random();
        for _ in 0..10 {
            progress.begins(Stage::Step);
            assert_eq!(dog.look(code, progress.at_work()), Found::GetsOn);
        }
    }
}
