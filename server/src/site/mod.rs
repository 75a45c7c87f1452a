//! Several servers that are one site. Comes in: requests for a session that another server has, and what the others
//! say of theirs. Goes out: answers, as if all of it were here.
//!
//! The first letter of a code says which server has the session, so there is nothing to agree on, and no store
//! that all of them share: `passing` takes a request to the server that it is for, `watching` keeps an eye on the
//! others, `handing` moves sessions to them when this server stops, and `relief` when it has too much to do. Without
//! neighbours all of this does nothing.

mod handing;
mod passing;
pub(crate) mod relief;
mod watching;

use handing::REFUSED_FOR;
pub(crate) use handing::{Leaving, SITE_API, SessionPlace, Taking};
pub use passing::NoNeighbour;
pub(crate) use passing::{get, post};
pub(crate) use watching::SiteNews;

use crate::code::{Letter, SessionCode};
use crate::config::{Config, Secret, SiteServer};
use crate::directory::SessionInfo;
use crate::live::Live;
use crate::overload::LoadReport;
use axum::body::{Body, Bytes};
use dashmap::DashMap;
use hyper::header::{HeaderMap, HeaderName};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use parking_lot::Mutex;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// Says that a server of the site asks for somebody, and which one. What has it is answered here, or not at all, so
/// that no request goes in circles where servers do not agree on who is who.
const FROM: HeaderName = HeaderName::from_static("gamekeeper-from");

/// Searches at once for what any of the others may have, of all clients together; beyond that nothing is found. They
/// are rare, but whoever asks for nonsense should not make all servers busy.
const SEARCHES_MAX: usize = 64;

/// This server and the others of its site.
#[derive(Debug)]
pub struct Site {
    /// Which one this is; `None` where there is no site.
    letter: Option<Letter>,
    neighbours: Vec<Neighbour>,
    client: Client<HttpConnector, Body>,
    /// Places for searches.
    searches: Semaphore,
    /// What its servers show each other.
    secret: Option<Secret>,
    /// Sessions on their way to another one, with what that one comes for as soon as there is such.
    leaving: DashMap<SessionCode, Option<Bytes>>,
    live: Arc<Live>,
}

/// Another server of the site.
#[derive(Debug)]
pub struct Neighbour {
    server: SiteServer,
    seen: Mutex<Seen>,
}

/// What was seen of a server at the last look.
#[derive(Debug, Default)]
struct Seen {
    /// Its public sessions, the fullest first; `None` while it does not answer.
    sessions: Option<Vec<SessionInfo>>,
    /// Codes of those that let nobody new in, as there is too much to do.
    closed: HashSet<String>,
    /// Sessions that it has taken over, by their codes, and since when, of those that it took from this server just now.
    /// They stay while it does not answer: they are nowhere else.
    taken: HashMap<SessionCode, Option<Instant>>,
    /// The version of its bans that is known here.
    bans: Option<u64>,
    /// How busy it is; `None` where it does not say.
    report: Option<LoadReport>,
    /// When it last did not take a session.
    refused: Option<Instant>,
    /// Looks in a row that found nobody.
    misses: u32,
}

impl Neighbour {
    fn seen<T>(&self, look: impl FnOnce(&mut Seen) -> T) -> T {
        look(&mut self.seen.lock())
    }
}

impl Site {
    /// As `config` has it.
    pub(crate) fn new(config: &Config, live: Arc<Live>) -> Self {
        let letter = config.site.site_letter;
        let others = config.site.site.iter().filter(|server| Some(server.letter) != letter);
        let neighbours =
            others.map(|server| Neighbour { server: server.clone(), seen: Mutex::default() });
        Self {
            letter,
            neighbours: neighbours.collect(),
            client: passing::client(),
            searches: Semaphore::new(SEARCHES_MAX),
            secret: config.site.site_secret.clone(),
            leaving: DashMap::new(),
            live,
        }
    }

    /// A code for a new session of this server, that nobody could have foreseen.
    pub(crate) fn fresh_code(&self) -> SessionCode {
        self.letter.map_or_else(SessionCode::random, SessionCode::random_at)
    }

    /// Whether a session with this code was opened on another server.
    pub(crate) fn is_taken(&self, code: SessionCode) -> bool {
        self.letter.is_some_and(|own| own != code.letter())
    }

    /// What a ticket has to say beside its number, to be taken to this server.
    pub(crate) fn own_letter(&self) -> Option<Letter> {
        self.letter.filter(|_| !self.neighbours.is_empty())
    }

    /// The other server with this letter, for a request with these headers.
    pub(crate) fn neighbour(&self, letter: Letter, headers: &HeaderMap) -> Option<&Neighbour> {
        if is_passed_on(headers) {
            return None;
        }
        self.neighbours.iter().find(|neighbour| neighbour.server.letter == letter)
    }

    /// The others that answer.
    fn present(&self) -> impl Iterator<Item = &Neighbour> {
        self.neighbours.iter().filter(|neighbour| neighbour.seen(|seen| seen.sessions.is_some()))
    }

    /// The others that answer, those with most room first. Who does not say how busy it is comes last, by how few public
    /// sessions it has.
    fn by_room(&self) -> Vec<&Neighbour> {
        let mut others: Vec<_> = self.present().collect();
        others.sort_by_cached_key(|one| {
            one.seen(|seen| {
                let fits = seen.report.map(|report| report.fits(&LoadReport::default()));
                let people = seen.report.map(|report| report.people);
                (Reverse(fits), people, seen.sessions.as_ref().map(Vec::len))
            })
        });
        others
    }

    /// How busy the others are that answer and say so, but for those that did not take a session lately.
    fn load_reports(&self) -> Vec<(Letter, LoadReport)> {
        let takes = |seen: &Seen| seen.refused.is_none_or(|at| at.elapsed() >= REFUSED_FOR);
        let said = |one: &Neighbour| {
            Some((one.server.letter, one.seen(|seen| seen.report.filter(|_| takes(seen)))?))
        };
        self.present().filter_map(said).collect()
    }

    /// How many of the others answer, and how many do not.
    pub(crate) fn count(&self) -> [usize; 2] {
        let answering = self.present().count();
        [answering, self.neighbours.len() - answering]
    }

    /// The others' public sessions.
    pub(crate) fn sessions(&self) -> Vec<SessionInfo> {
        let all = self.neighbours.iter();
        all.flat_map(|neighbour| neighbour.seen(|seen| seen.sessions.clone().unwrap_or_default()))
            .collect()
    }

    /// The session of another server with most people in it among those that take everybody.
    pub(crate) fn fullest_open(&self, not: &[String]) -> Option<(&Neighbour, String)> {
        let open = |info: &&SessionInfo| {
            let status = &info.status;
            !status.locked && status.players > 0 && status.players < status.max_players
        };
        let fullest = self.neighbours.iter().filter_map(|neighbour| {
            neighbour.seen(|seen| {
                let info = seen
                    .sessions
                    .as_ref()?
                    .iter()
                    .filter(|info| {
                        open(info) && !seen.closed.contains(&info.code) && !not.contains(&info.code)
                    })
                    .max_by_key(|info| info.status.players)?;
                Some((info.status.players, (neighbour, info.code.clone())))
            })
        });
        fullest.max_by_key(|(players, _)| *players).map(|(_, there)| there)
    }
}

/// Whether a server of the site passed this request on.
pub(crate) fn is_passed_on(headers: &HeaderMap) -> bool {
    headers.contains_key(FROM)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::session::status::Status;

    #[test]
    fn who_has_most_room_is_asked_first_and_many_that_leave_at_once_are_spread() {
        let mut config = Config::default();
        let servers =
            ["A", "B", "C", "D", "E"].map(|letter| format!("{letter}=http://10.0.0.1:80"));
        config.site.site = servers.iter().map(|server| server.parse().unwrap()).collect();
        config.site.site_letter = Some("A".parse().unwrap());
        let site = Site::new(&config, Arc::new(Live::new(config.clone())));
        let said = |letter: &str, report: Option<LoadReport>| {
            let letter = letter.parse().unwrap();
            let one = site.neighbours.iter().find(|one| one.server.letter == letter).unwrap();
            one.seen(|seen| (seen.sessions, seen.report) = (Some(Vec::new()), report));
        };
        let order = || -> String {
            site.by_room().iter().map(|one| one.server.letter.to_string()).collect()
        };
        let fresh = LoadReport { begins: 0.6, sessions_left: 9, ..LoadReport::default() };
        said("B", None);
        said("C", Some(LoadReport { room: Some(40), people: 10, ..fresh }));
        said("D", Some(fresh));
        assert_eq!(order(), "DCB", "E does not answer");
        said("E", Some(fresh));
        let mut took = String::new();
        for _ in 0..4 {
            let first = site.by_room()[0];
            took += &first.server.letter.to_string();
            first.seen(|seen| seen.report.as_mut().unwrap().take(8));
        }
        assert_eq!(took, "DEDE", "nobody was there yet, so there is room for all");
        said("E", Some(LoadReport { room: Some(30), ..fresh }));
        said("D", Some(LoadReport { room: Some(100), sessions_left: 0, ..fresh }));
        assert_eq!(order(), "CEDB");
    }

    #[test]
    fn nobody_is_sent_to_where_nobody_new_is_let_in() {
        let mut config = Config::default();
        config.site.site =
            ["A", "B"].map(|l| format!("{l}=http://10.0.0.1:80").parse().unwrap()).into();
        config.site.site_letter = Some("A".parse().unwrap());
        let site = Site::new(&config, Arc::new(Live::new(config.clone())));
        let info = |code: &str, players| {
            let status = Status { players, max_players: 9, ..Status::default() };
            SessionInfo { code: code.into(), status }
        };
        let there = || site.fullest_open(&[]).map(|(_, code)| code);
        let seen = |closed: &[&str]| {
            site.neighbours[0].seen(|seen| {
                seen.sessions = Some(vec![info("BUSY", 7), info("CALM", 2), info("FULL", 9)]);
                seen.closed = closed.iter().map(|&code| code.to_owned()).collect();
            });
        };
        assert_eq!(there(), None);
        seen(&[]);
        assert_eq!(there().as_deref(), Some("BUSY"));
        seen(&["BUSY"]);
        assert_eq!(there().as_deref(), Some("CALM"));
    }
}
