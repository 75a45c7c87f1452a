//! Which session a WebSocket leads to. Comes in: the address that was asked for. Goes out: the session, or
//! why there is none.
//!
//! `/play` is quick play, `/play?ticket=` what the ticket is for (with `server=` on which server of a site),
//! `/play/CODE` the session with that code. How often an address is given tickets is limited, and so is how often it comes
//! without one: whoever comes and goes is news to everybody in a session.

use super::refusal::Reason;
use super::{Caller, Front, PLAY_PATH, registry};
use crate::code::{Letter, SessionCode};
use crate::directory::{Entry, NoSession, Promise, SessionHandle, TicketId};
use crate::net::address_limits::{NotFound, TooOften};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{StatusCode, Uri};
use shared::wire::protocol::SESSION_HEADER;
use std::borrow::Cow;
use std::sync::Arc;
use tokio::time::Duration;

/// Into a session.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) code: SessionCode,
    pub(super) session: Arc<SessionHandle>,
    /// Whether to watch rather than to play.
    pub(super) watch: bool,
    /// A place that counts as taken until this one is in.
    pub(super) promise: Option<Promise>,
}

impl Way {
    fn into(entry: &Entry, watch: bool, promise: Option<Promise>) -> Self {
        Self { code: entry.code, session: entry.handle.clone(), watch, promise }
    }

    /// Tells a client which session it is in, so that it knows where to come back to.
    pub(super) fn session(&self) -> (HeaderName, HeaderValue) {
        let code = HeaderValue::from_str(&self.code.to_string()).expect("letters and a hyphen");
        (HeaderName::from_static(SESSION_HEADER), code)
    }
}

/// Into none.
#[derive(Debug)]
pub(super) struct NoWay {
    pub(super) status: StatusCode,
    pub(super) reason: Reason,
    pub(super) sentence: Cow<'static, str>,
    after: Option<Duration>,
}

impl NoWay {
    /// When to come back.
    pub(super) fn retry_after(&self) -> Option<(HeaderName, HeaderValue)> {
        let seconds = self.after?.as_secs_f64().ceil() as u64;
        Some((header::RETRY_AFTER, HeaderValue::from(seconds.max(1))))
    }
}

impl From<NotFound> for NoWay {
    fn from(why: NotFound) -> Self {
        match why {
            NotFound::Unknown => Self {
                status: StatusCode::NOT_FOUND,
                reason: Reason::NoSession,
                sentence: "That code or ticket leads to no session; it is over, or the code has a mistake in it."
                    .into(),
                after: None,
            },
            NotFound::TooOften(TooOften { after }) => Self {
                status: StatusCode::TOO_MANY_REQUESTS,
                reason: Reason::NoSession,
                sentence: "Too many unknown codes from your address; try again a little later.".into(),
                after: Some(after),
            },
        }
    }
}

impl From<TooOften> for NoWay {
    fn from(TooOften { after }: TooOften) -> Self {
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            reason: Reason::JoinRate,
            sentence: "Your address came too often in too short a time; try again a little later."
                .into(),
            after: Some(after),
        }
    }
}

impl From<NoSession> for NoWay {
    fn from(why: NoSession) -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            reason: match why {
                NoSession::Overloaded => Reason::Overload,
                _ => Reason::NoRoom,
            },
            sentence: why.to_string().into(),
            after: Some(Duration::from_secs(60)),
        }
    }
}

/// The way that `uri` asks for, on behalf of `caller`.
pub(super) fn find(uri: &Uri, caller: &Caller, front: &Front) -> Result<Way, NoWay> {
    let network = caller.network;
    let directory = &front.directory;
    let guesses = &front.address_limits.guesses;
    if let Some(ticket) = asked(uri, "ticket=") {
        let (entry, ticket) = guesses.look_up(network, || {
            let ticket = directory.tickets.take(ticket.parse::<TicketId>().ok()?)?;
            Some((directory.get(ticket.code)?, ticket))
        })?;
        return Ok(Way::into(&entry, ticket.watch, ticket.promise));
    }
    if let Some(network) = registry::telling_network(caller.address()) {
        front.address_limits.joins.take(network)?;
    }
    let code = uri.path().strip_prefix(PLAY_PATH).unwrap_or_default().trim_start_matches('/');
    if code.is_empty() {
        let (entry, promise) = directory.quick()?;
        return Ok(Way::into(&entry, false, Some(promise)));
    }
    let entry = guesses.look_up(network, || directory.get(code.parse::<SessionCode>().ok()?))?;
    Ok(Way::into(&entry, false, Some(entry.promise())))
}

/// The server of a site that a ticket is of.
pub(super) fn server(uri: &Uri) -> Option<Letter> {
    asked(uri, "server=")?.parse().ok()
}

/// What stands behind `name` in the query.
fn asked<'a>(uri: &'a Uri, name: &str) -> Option<&'a str> {
    uri.query()?.split('&').find_map(|pair| pair.strip_prefix(name))
}
