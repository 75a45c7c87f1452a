//! Which session a WebSocket leads to. Comes in: the address that was asked for. Goes out: the session, or
//! why there is none.
//!
//! `/play` is quick play, `/play?ticket=` what the ticket is for (with `server=` on which server of a site),
//! `/play/CODE` the session with that code. How often an address is given tickets is limited, and so is how often it comes
//! without one: whoever comes and goes is news to everybody in a session.

use super::answers::TurnedDown;
use super::refusal::Reason;
use super::{Caller, Front, PLAY_PATH, registry};
use crate::code::{Letter, SessionCode};
use crate::directory::{Entry, NoSession, Promise, SessionHandle};
use crate::net::address_limits::{NotFound, TooOften};
use hyper::header::{HeaderName, HeaderValue};
use hyper::{StatusCode, Uri};
use shared::wire::TicketId;
use shared::wire::protocol::SESSION_HEADER;
use std::sync::Arc;
use tokio::time::Duration;

/// When somebody for whom there is no room may ask again.
const NO_ROOM_WAIT: Duration = Duration::from_secs(60);

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
    /// Errors where nobody would be welcomed.
    fn into(entry: &Entry, watch: bool, promise: Option<Promise>) -> Result<Self, TurnedDown> {
        entry.lets_in()?;
        Ok(Self { code: entry.code, session: entry.handle.clone(), watch, promise })
    }

    /// Tells a client which session it is in, so that it knows where to come back to.
    pub(super) fn session(&self) -> (HeaderName, HeaderValue) {
        let code = HeaderValue::from_str(&self.code.to_string()).expect("letters and a hyphen");
        (HeaderName::from_static(SESSION_HEADER), code)
    }
}

impl From<NotFound> for TurnedDown {
    fn from(why: NotFound) -> Self {
        match why {
            NotFound::Unknown => {
                let sentence = "That code or ticket leads to no session; it is over, or the code has a mistake in it.";
                Self::new(StatusCode::NOT_FOUND, Reason::NoSession, sentence)
            }
            NotFound::TooOften(TooOften { after }) => {
                let sentence =
                    "Too many unknown codes from your address; try again a little later.";
                Self::new(StatusCode::TOO_MANY_REQUESTS, Reason::NoSession, sentence)
                    .retry_after(after)
            }
        }
    }
}

impl From<TooOften> for TurnedDown {
    fn from(TooOften { after }: TooOften) -> Self {
        let sentence = "Your address came too often in too short a time; try again a little later.";
        Self::new(StatusCode::TOO_MANY_REQUESTS, Reason::JoinRate, sentence).retry_after(after)
    }
}

impl From<NoSession> for TurnedDown {
    fn from(why: NoSession) -> Self {
        let reason = match why {
            NoSession::Overloaded => Reason::Overload,
            _ => Reason::NoRoom,
        };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, reason, why.to_string())
            .retry_after(NO_ROOM_WAIT)
    }
}

/// The way that `uri` asks for, on behalf of `caller`.
pub(super) fn find(uri: &Uri, caller: &Caller, front: &Front) -> Result<Way, TurnedDown> {
    let network = caller.network;
    let directory = &front.common.directory;
    let guesses = &front.common.address_limits.guesses;
    if let Some(ticket) = asked(uri, "ticket=") {
        let (entry, ticket) = guesses.look_up(network, || {
            let ticket = directory.tickets.take(ticket.parse::<TicketId>().ok()?)?;
            Some((directory.get(ticket.code)?, ticket))
        })?;
        return Way::into(&entry, ticket.watch, ticket.promise);
    }
    if let Some(network) = registry::telling_network(caller.address()) {
        front.common.address_limits.joins.take(network)?;
    }
    let code = uri.path().strip_prefix(PLAY_PATH).unwrap_or_default().trim_start_matches('/');
    if code.is_empty() {
        let (entry, promise) = directory.quick(&[])?;
        return Way::into(&entry, false, Some(promise));
    }
    let entry = guesses.look_up(network, || directory.get(code.parse::<SessionCode>().ok()?))?;
    Way::into(&entry, false, Some(entry.promise()))
}

/// The server of a site that a ticket is of.
pub(super) fn server(uri: &Uri) -> Option<Letter> {
    asked(uri, "server=")?.parse().ok()
}

/// What stands behind `name` in the query.
fn asked<'a>(uri: &'a Uri, name: &str) -> Option<&'a str> {
    uri.query()?.split('&').find_map(|pair| pair.strip_prefix(name))
}
