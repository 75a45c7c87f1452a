//! Sessions move to another server of the site when this one is to stop, or when its operator wants it. Comes in: a
//! session that has been taken down, with its last checkpoint. Goes out: whether another server goes on with it.
//!
//! This server says that there is something to be taken, and the other one comes for it, as requests here are small and
//! answers need not be. Whoever asks for the session meanwhile is told to try again in a moment, and is led there as soon
//! as it is. Each server tells the others which sessions it has taken, so that they are found there, and not where
//! their code's letter says.

use super::passing::{ANSWER_WAIT, NoNeighbour, get, post};
use super::{FROM, Neighbour, Site};
use crate::code::{Letter, SessionCode};
use crate::config::Secret;
use crate::session::settings::SessionSettings;
use crate::store::OpenSession;
use axum::body::{Body, Bytes};
use http_body_util::{BodyExt, Limited};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::time::{Duration, Instant, timeout};

/// Where servers of a site ask each other what nobody else may.
pub(crate) const SITE_API: &str = "/api/site";
/// The most bytes of a session on its way; a larger one is not taken. A world of 1,000 players has 126 kB.
const SESSION_BYTES_MAX: usize = 16 << 20;

/// Where a session is that is not here.
#[derive(Debug)]
pub(crate) enum SessionPlace<'a> {
    /// Nowhere, as far as this server knows.
    Unknown,
    /// On another server.
    There(&'a Neighbour),
    /// On its way to one.
    Moving,
}

/// For how long servers are asked in turn to take one session. Whoever has not been asked by then is not: the end of the
/// process waits for it.
const ASKING_WAIT: Duration = Duration::from_secs(20);
/// For how long a server that did not take a session is not thought of when this one has too much to do.
pub(super) const REFUSED_FOR: Duration = Duration::from_secs(5 * 60);

/// A session that has been taken down.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leaving<'a> {
    pub(crate) session: &'a OpenSession,
    /// How many are in it.
    pub(crate) people: u32,
    pub(crate) checkpoint: &'a [u8],
    /// The one server that it may go to; `None` where all may have it.
    pub(crate) to: Option<Letter>,
}

/// What one server tells another of a session that is to be taken.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Taking {
    /// Which.
    pub(crate) code: String,
    /// From whom.
    pub(crate) from: String,
}

/// What stands in the first line of a session on its way; the rest is its checkpoint.
#[derive(Debug, Serialize, Deserialize)]
struct Luggage {
    settings: SessionSettings,
    host: Option<String>,
}

impl Site {
    /// Where the session with this code is that is not here, for a request with these headers.
    pub(crate) fn place(&self, code: SessionCode, headers: &HeaderMap) -> SessionPlace<'_> {
        if self.leaving.contains_key(&code) {
            return SessionPlace::Moving;
        }
        let taker = self.who_took(code);
        if super::is_passed_on(headers) {
            // Whoever passed it on learns of the move within a second.
            return if taker.is_some() { SessionPlace::Moving } else { SessionPlace::Unknown };
        }
        let has_the_letter = |one: &&Neighbour| one.server.letter == code.letter();
        let there = taker.or_else(|| self.neighbours.iter().find(has_the_letter));
        there.map_or(SessionPlace::Unknown, SessionPlace::There)
    }

    /// How many others may take a session.
    pub(crate) fn takers(&self) -> usize {
        if self.secret.is_some() { self.present().count() } else { 0 }
    }

    /// Whether this is the server to ask the others what is left of a session that is nowhere any more: its letter is in
    /// the code, and it is not itself that asks.
    pub(crate) fn is_to_ask_about(&self, code: SessionCode, headers: &HeaderMap) -> bool {
        let asks = headers.get(FROM).and_then(|letter| letter.to_str().ok()?.parse().ok());
        self.letter == Some(code.letter()) && self.letter != asks
    }

    /// The server that has taken this session over.
    pub(crate) fn taker(&self, code: SessionCode) -> Option<Letter> {
        self.who_took(code).map(|one| one.server.letter)
    }

    fn who_took(&self, code: SessionCode) -> Option<&Neighbour> {
        let has_it = |one: &&Neighbour| one.seen(|seen| seen.taken.contains_key(&code));
        self.neighbours.iter().find(has_it)
    }

    /// Whether its servers know each other.
    pub(crate) fn knows_secret(&self) -> bool {
        self.secret.is_some()
    }

    /// Whether a request comes from a server of the site.
    pub(crate) fn is_server(&self, headers: &HeaderMap) -> bool {
        let Some(secret) = &self.secret else { return false };
        let shown = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
        // What is compared are hashes: how close a guess was does not show in the time that it takes.
        shown.is_some_and(|shown| Sha256::digest(shown) == Sha256::digest(bearer(secret)))
    }

    /// A session is about to end here, to go on on another server or here. Until it does, whoever asks for it is told to try
    /// again, and never that there is none: their page would look for another.
    pub(crate) fn is_about_to_leave(&self, code: SessionCode) {
        self.leaving.insert(code, None);
    }

    /// It goes on, or is lost.
    pub(crate) fn has_moved(&self, code: SessionCode) {
        self.leaving.remove(&code);
    }

    /// Hands a session over to the first of the others that takes it, those with most room first; false where none does.
    /// This server goes on with `own`, and who cannot is not asked.
    pub(crate) async fn hand_over(&self, leaving: Leaving<'_>, own: Option<(u64, u32)>) -> bool {
        let Leaving { session, people, checkpoint, to } = leaving;
        let OpenSession { code, settings, host } = session;
        let luggage =
            Luggage { settings: settings.clone(), host: host.map(|secret| secret.to_hex()) };
        let mut bytes = serde_json::to_vec(&luggage).expect("plain values");
        bytes.push(b'\n');
        bytes.extend_from_slice(checkpoint);
        self.leaving.insert(*code, Some(bytes.into()));
        let mut others = self.by_room();
        let may_take = |one: &Neighbour| {
            one.seen(|seen| seen.report.is_none_or(|report| report.may_take(own)))
        };
        others.retain(|one| to.is_none_or(|to| one.server.letter == to) && may_take(one));
        let began = Instant::now();
        for one in others {
            if began.elapsed() >= ASKING_WAIT {
                break;
            }
            let from = self.letter.expect("who has neighbours has a letter").to_string();
            let taking = Taking { code: code.to_string(), from };
            let request = self.prove(post(&format!("{SITE_API}/take"), &taking));
            // Many may leave at once, and what it says itself comes with the next look.
            one.seen(|seen| seen.report.iter_mut().for_each(|report| report.take(people)));
            let taken = match self.send(one, request, None, ANSWER_WAIT).await {
                Ok(answer) => answer.status() == StatusCode::NO_CONTENT,
                // Its answer may be what was lost, and the match must not go on in two places.
                Err(NoNeighbour) => self.has(one, *code).await,
            };
            if taken {
                one.seen(|seen| seen.taken.insert(*code, Some(Instant::now())));
                tracing::info!(session = ?code, to = %one.server.letter, "handed over");
                return true;
            }
            one.seen(|seen| seen.refused = Some(Instant::now()));
        }
        tracing::info!(session = ?code, "no other server takes it");
        false
    }

    /// Whether `neighbour` itself has a session.
    async fn has(&self, neighbour: &Neighbour, code: SessionCode) -> bool {
        let request = self.prove(get(&format!("{SITE_API}/sessions/{code}")));
        let answer = self.send(neighbour, request, None, ANSWER_WAIT).await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// A session on its way, for the server that comes for it.
    pub(crate) fn leaving(&self, code: SessionCode) -> Option<Bytes> {
        self.leaving.get(&code)?.clone()
    }

    /// Comes for a session of another server; `None` where it cannot be had.
    pub(crate) async fn fetch(
        &self,
        code: SessionCode,
        from: Letter,
    ) -> Option<(OpenSession, Vec<u8>)> {
        let neighbour = self.neighbours.iter().find(|one| one.server.letter == from)?;
        let request = self.prove(get(&format!("{SITE_API}/leaving/{code}")));
        let whole = async {
            let response = self.send(neighbour, request, None, ANSWER_WAIT).await.ok()?;
            let body = response.status().is_success().then(|| response.into_body())?;
            Limited::new(body, SESSION_BYTES_MAX).collect().await.ok()
        };
        let bytes = timeout(ANSWER_WAIT, whole).await.ok()??.to_bytes();
        let end = bytes.iter().position(|&byte| byte == b'\n')?;
        let Luggage { settings, host } = serde_json::from_slice(&bytes[..end]).ok()?;
        let host = host.map(|secret| secret.parse()).transpose().ok()?;
        Some((OpenSession { code, settings, host }, bytes[end + 1..].to_vec()))
    }

    /// Shows that it comes from a server of the site.
    pub(super) fn prove(&self, mut request: Request<Body>) -> Request<Body> {
        if let Some(secret) = &self.secret {
            let mut shown = HeaderValue::try_from(bearer(secret)).expect("it was checked");
            shown.set_sensitive(true);
            request.headers_mut().insert(header::AUTHORIZATION, shown);
        }
        request
    }
}

fn bearer(secret: &Secret) -> String {
    format!("Bearer {}", secret.reveal())
}
