//! A server of a site that gives up detail lets go of a session where another server has room for it. Comes in: how busy
//! this server and the others are. Goes out: at most one session at a time, moved as an operator moves one.
//!
//! One at a time, and not the next before it shows what that one bought: what people cost is an estimate, and each move is
//! a moment in which a session's players stand still. The smallest session that is enough goes; where none is, the
//! largest for which there is room.

use crate::code::{Letter, SessionCode};
use crate::common::Common;
use crate::directory::{Entry, Leave};
use crate::net::registry::State;
use crate::overload::LoadReport;
use std::sync::Arc;
use tokio::time::{Duration, Instant, MissedTickBehavior, interval, timeout};

/// A load below this share of that at which detail begins to go is what is aimed at. Below it the governor gives back what
/// it took.
const EASE_SHARE: f64 = 0.75;
/// The least share of its people that a server wants to be rid of: what it does not give them any more is in no load.
const LEAST_SHARE: f64 = 0.1;
/// Another server needs room for so many times the people that would come: two may move a session there at once, and how
/// many fit is an estimate.
const ROOM_TIMES: u32 = 2;
/// A session stays for so many times [`crate::net::limits::Limits::relief_wait`] before it moves (again), so that none
/// goes back and forth.
const STAY_WAITS: u32 = 6;
/// Where more than this share of the connections are passed on to other servers, a session that moves is one more that
/// is, and that costs more than to have it here: no proxy leads people to the server that they want.
const PASSED_ON_SHARE: f64 = 0.2;
/// How often all of this is looked at, at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A session that could go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Candidate {
    code: SessionCode,
    people: u32,
}

/// Which session is to go where; `None` where that would help nobody.
fn choose(
    own: &LoadReport,
    sessions: &[Candidate],
    others: &[(Letter, LoadReport)],
) -> Option<(SessionCode, Letter)> {
    let others = others.iter().filter(|(_, report)| report.may_take(own.goes_on_with));
    let fits = others.map(|(letter, report)| (report.fits(own), *letter));
    let (fits, to) = fits.max_by_key(|(fits, _)| *fits)?;
    let goal = own.begins * EASE_SHARE;
    let too_many = f64::from(own.people) * (own.load / goal - 1.0).max(LEAST_SHARE);
    let fitting = || {
        let some = |one: &&Candidate| (1..=fits / ROOM_TIMES).contains(&one.people);
        sessions.iter().filter(some)
    };
    let enough = fitting().filter(|one| f64::from(one.people) >= too_many);
    let goes = enough.min_by_key(|one| one.people).or(fitting().max_by_key(|one| one.people))?;
    Some((goes.code, to))
}

/// Looks for as long as the server runs.
pub(crate) async fn watch(common: Arc<Common>) {
    let wait = common.live.get().limits.relief_wait;
    let mut looks = interval(LOOK_EVERY.min(wait / 4));
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Since when there is too much to do here, and nothing was done about it.
    let mut since = None;
    loop {
        tokio::select! {
            () = common.stop.cancelled() => return,
            _ = looks.tick() => {}
        }
        let own = common.directory.load_report();
        if !is_pressed(&common, &own) {
            since = None;
        } else if since.get_or_insert_with(Instant::now).elapsed() >= wait {
            since = None;
            let sessions = common.directory.entries();
            let candidates = candidates(&sessions, wait * STAY_WAITS);
            if let Some((code, to)) = choose(&own, &candidates, &common.site.load_reports()) {
                let LoadReport { people, load, .. } = own;
                tracing::info!(session = ?code, %to, people, load, "leaves, as there is too much to do here");
                let goes = sessions.into_iter().filter(|entry| entry.code == code).collect();
                let moving = common.directory.hand_over(goes, Leave::Load(to));
                // Who waits for it is the session's own task; here nothing depends on how it ends.
                let _ = timeout(wait, moving).await;
            }
        }
    }
}

/// Whether this server gives up detail, still has too much to do, and would have less if a session were elsewhere.
fn is_pressed(common: &Common, own: &LoadReport) -> bool {
    let config = common.live.get();
    let [here, passed_on] =
        [State::Joined, State::PassedOn].map(|state| common.registry.count(state));
    config.site.site_relief
        && !common.stopping.is_draining()
        && common.directory.ways_out() > 0
        && common.directory.overload.restraint().place() > 0
        && own.load >= own.begins * EASE_SHARE
        && are_led(here, passed_on)
}

/// Whether people come to the server that they want, where so many play here and so many elsewhere through here.
fn are_led(here: usize, passed_on: usize) -> bool {
    passed_on as f64 <= (here + passed_on) as f64 * PASSED_ON_SHARE
}

fn candidates(sessions: &[Arc<Entry>], stay: Duration) -> Vec<Candidate> {
    let old = sessions.iter().filter(|entry| entry.age() >= stay);
    old.map(|entry| Candidate { code: entry.code, people: entry.look().status.people() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUSY: LoadReport = LoadReport {
        people: 90,
        load: 0.67,
        begins: 0.6,
        room: Some(0),
        sessions_left: 0,
        goes_on_with: Some((7, 1)),
    };

    fn candidates(people: &[u32]) -> Vec<Candidate> {
        let code = |number| format!("A{number:09}").parse().expect("a code");
        people.iter().zip(0..).map(|(&people, n)| Candidate { code: code(n), people }).collect()
    }

    /// How many people the session has that goes, and where.
    fn chosen(people: &[u32], rooms: &[(&str, u32)]) -> Option<(u32, String)> {
        let sessions = candidates(people);
        let report = |room| LoadReport {
            room: Some(room),
            begins: 0.6,
            sessions_left: 1,
            ..LoadReport::default()
        };
        let others: Vec<_> =
            rooms.iter().map(|&(to, room)| (to.parse().expect("a letter"), report(room))).collect();
        let (code, to) = choose(&BUSY, &sessions, &others)?;
        let goes = sessions.iter().find(|one| one.code == code).expect("one of them");
        Some((goes.people, to.to_string()))
    }

    #[test]
    fn the_smallest_that_is_enough_goes_to_where_most_room_is() {
        // Half as much again is done as is aimed at: a good 44 of 90 are too many.
        let people = [10, 46, 70, 45, 8, 0];
        assert_eq!(chosen(&people, &[("B", 100), ("C", 400)]), Some((45, "C".into())));
        // No room for that many: the largest for which there is.
        assert_eq!(chosen(&people, &[("B", 89), ("C", 20)]), Some((10, "B".into())));
        assert_eq!(chosen(&people, &[("B", 15)]), None);
        assert_eq!(chosen(&people, &[]), None);
        assert_eq!(chosen(&[0, 0], &[("B", 100)]), None, "nobody in it costs nothing");
    }

    #[test]
    fn a_server_of_other_rules_is_left_alone() {
        let others = |goes_on_with| {
            let room = LoadReport { room: Some(400), sessions_left: 1, ..BUSY };
            [("B".parse().unwrap(), LoadReport { goes_on_with, ..room })]
        };
        let goes = |to| choose(&BUSY, &candidates(&[45]), &others(to)).is_some();
        assert!(goes(None) && goes(Some((7, 1))));
        assert!(!goes(Some((8, 1))) && !goes(Some((7, 2))));
    }

    #[test]
    fn where_people_come_through_the_wrong_server_nothing_moves() {
        assert!(are_led(0, 0) && are_led(80, 20) && are_led(5, 1));
        assert!(!are_led(79, 21) && !are_led(0, 1));
    }

    #[test]
    fn a_server_that_gives_up_much_has_a_load_that_looks_well_and_still_lets_go() {
        let own = LoadReport { load: 0.46, ..BUSY };
        let others = [(
            "B".parse().unwrap(),
            LoadReport { begins: 0.6, sessions_left: 1, ..LoadReport::default() },
        )];
        let sessions = candidates(&[30, 9, 20, 8]);
        assert_eq!(choose(&own, &sessions, &others), Some((sessions[1].code, others[0].0)));
    }
}
