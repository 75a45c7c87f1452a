//! Keeps an eye on the other servers of the site. Comes in: what each says of its public sessions and, where servers
//! know each other by a secret, of its bans and of how busy it is, once a second. Goes out: the same for our own list
//! and bans, and a line in the log when one is gone or back.

use super::{Neighbour, SITE_API, Site, get};
use crate::code::SessionCode;
use crate::directory::SessionInfo;
use crate::overload::LoadReport;
use crate::session::status::Status;
use crate::store::KeptBan;
use futures_util::future::join_all;
use serde::Deserialize;
use std::collections::HashSet;
use tokio::time::{Duration, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

/// How often each is asked. What changes there shows here so much later.
pub(crate) const LOOK_EVERY: Duration = Duration::from_secs(1);

/// For how long another server has a session that it took from this one, whatever it says: what it says may be older,
/// and the others, who look once a second as well, still ask here.
const KNOWN_FOR: Duration = Duration::from_secs(3);

/// Looks in a row that find nobody until a server is taken for gone: a machine may stand still for a second or two.
const MISSES_MAX: u32 = 3;
/// For how long a start waits for the first look; who runs answers within milliseconds.
const FIRST_LOOK_WAIT: Duration = Duration::from_millis(500);

#[derive(Deserialize)]
struct Listed {
    sessions: Vec<SessionInfo>,
    /// Absent where servers do not know each other by a secret.
    #[serde(default)]
    taken: Vec<String>,
    /// Absent there as well.
    #[serde(default)]
    closed: Vec<String>,
    /// The version of its bans; absent there as well.
    bans: Option<u64>,
    /// How busy it is; absent there as well.
    report: Option<LoadReport>,
}

/// What is new on another server.
#[derive(Debug)]
pub(crate) enum SiteNews {
    /// Its list of sessions.
    Sessions,
    /// Its bans: here are all of them.
    Bans(Vec<KeptBan>),
}

impl Site {
    /// Looks until `stop`, and tells what is new.
    pub(crate) async fn watch(&self, stop: &CancellationToken, tell: impl Fn(SiteNews)) {
        let all = self.neighbours.iter().map(|neighbour| self.watch_one(neighbour, &tell));
        tokio::select! {
            () = stop.cancelled() => {}
            _ = join_all(all) => {}
        }
    }

    /// Looks at all once, before anybody is let in: who has taken what this server had, and who is banned. Of one that
    /// does not answer in time, as it is started itself, that is learned later.
    pub(crate) async fn first_look(&self, tell: impl Fn(SiteNews)) {
        if self.secret.is_none() {
            return;
        }
        let all = join_all(self.neighbours.iter().map(|one| self.look_at(one, &tell)));
        // Who is late is looked at again and again.
        let _ = timeout(FIRST_LOOK_WAIT, all).await;
    }

    /// Whether it answers.
    async fn look_at(&self, neighbour: &Neighbour, tell: &impl Fn(SiteNews)) -> bool {
        let request = match &self.secret {
            Some(_) => get(&format!("{SITE_API}/sessions")),
            None => get("/api/sessions"),
        };
        let listed = self.ask::<Listed>(neighbour, request, None).await;
        let version = listed.as_ref().and_then(|listed| listed.bans);
        let taken = listed.iter().flat_map(|listed| &listed.taken);
        let taken: HashSet<SessionCode> = taken.filter_map(|code| code.parse().ok()).collect();
        // It may have been on another one before, which may be gone and take back nothing that it said.
        for other in self.neighbours.iter().filter(|one| !std::ptr::eq(*one, neighbour)) {
            other.seen(|seen| seen.taken.retain(|code, _| !taken.contains(code)));
        }
        let (differs, answers, bans_differ) = neighbour.seen(|seen| {
            let sessions = match listed {
                Some(Listed { sessions, closed, report, .. }) => {
                    (seen.closed, seen.report) = (closed.into_iter().collect(), report);
                    seen.taken.retain(|_, since| since.is_some_and(|at| at.elapsed() < KNOWN_FOR));
                    seen.taken.extend(taken.into_iter().map(|code| (code, None)));
                    seen.misses = 0;
                    Some(sessions)
                }
                None => {
                    seen.misses = seen.misses.saturating_add(1);
                    seen.sessions.clone().filter(|_| seen.misses < MISSES_MAX)
                }
            };
            let differs = differ(seen.sessions.as_deref(), sessions.as_deref());
            seen.sessions = sessions;
            (differs, seen.sessions.is_some(), version.is_some() && seen.bans != version)
        });
        if differs {
            tell(SiteNews::Sessions);
        }
        if bans_differ {
            let request = get(&format!("{SITE_API}/bans"));
            if let Some(bans) = self.ask(neighbour, request, None).await {
                tell(SiteNews::Bans(bans));
                neighbour.seen(|seen| seen.bans = version);
            }
        }
        answers
    }

    async fn watch_one(&self, neighbour: &Neighbour, tell: &impl Fn(SiteNews)) {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Whether it answers is news only once that is known.
        let mut answered = None;
        loop {
            looks.tick().await;
            let answers = self.look_at(neighbour, tell).await;
            match (answered.replace(answers), answers) {
                (None | Some(true), false) => {
                    tracing::warn!(server = %neighbour.server, "a server of the site does not answer, or does not know our site_secret");
                }
                (Some(false), true) => {
                    tracing::info!(server = %neighbour.server, "a server of the site answers again");
                }
                _ => {}
            }
        }
    }
}

/// Whether anybody who counts seconds by themselves sees a difference.
fn differ(before: Option<&[SessionInfo]>, now: Option<&[SessionInfo]>) -> bool {
    let (before, now) = (before.unwrap_or_default(), now.unwrap_or_default());
    let timeless = |info: &SessionInfo| Status { phase_left_s: None, ..info.status.clone() };
    before.len() != now.len()
        || before
            .iter()
            .zip(now)
            .any(|(before, now)| before.code != now.code || timeless(before) != timeless(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passing_seconds_are_no_news_and_people_are() {
        let info = |code: &str, players, left| {
            let status = Status { players, phase_left_s: Some(left), ..Status::default() };
            SessionInfo { code: code.into(), status }
        };
        let before = [info("A", 1, 100)];
        assert!(!differ(Some(&before), Some(&[info("A", 1, 99)])));
        assert!(differ(Some(&before), Some(&[info("A", 2, 99)])));
        assert!(differ(Some(&before), Some(&[info("B", 1, 100)])));
        assert!(differ(Some(&before), None) && differ(None, Some(&before)));
        assert!(!differ(None, Some(&[])));
    }
}
