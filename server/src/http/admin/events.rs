//! The operator's event stream: the overview once a second, and as asked for a session's people and map, and the log.
//! Who is too slow for something gets the newest of it and is told what is missing.

use super::Operator;
use super::watching::View;
use crate::code::SessionCode;
use crate::http::api::body::Asked;
use crate::http::api::listen;
use crate::http::api::problem::Problem;
use crate::http::sse::{self, event_of_json};
use crate::net::Caller;
use crate::net::places::Place;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::Response;
use futures_util::stream;
use serde::Deserialize;
use std::collections::VecDeque;
use std::future::pending;
use std::sync::Arc;
use tokio::sync::broadcast::{self, error::RecvError, error::TryRecvError};
use tokio::sync::watch;
use tokio::time::{Duration, Instant, Interval, sleep_until};
use tokio_util::sync::CancellationToken;

/// Lines of the log in one event at most.
const LINES_PER_EVENT: usize = 200;
/// The shortest time between two events with lines of the log: writing one may itself be logged.
const LOG_EVERY: Duration = Duration::from_millis(200);

/// What somebody wants to be told.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Wanted {
    session: Option<String>,
    map: bool,
    log: bool,
}

pub(super) async fn events(
    State(operator): State<Arc<Operator>>,
    Extension(caller): Extension<Caller>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response<Body>, Problem> {
    let view = match &wanted.session {
        Some(code) => Some(operator.watch(&operator.find(code)?, wanted.map)),
        None => None,
    };
    let listening = listen(&operator.common.address_limits.operators, &caller)?;
    let logs = operator.logs.get().filter(|_| wanted.log);
    // Heard from first, so that no line falls between.
    let log = logs.map(|logs| logs.subscribe());
    let mut overview = operator.history.overview();
    overview.mark_changed();
    let ears = Ears {
        first: logs
            .map(|logs| lines_event(logs.recent().iter().map(|line| &**line)))
            .into_iter()
            .collect(),
        overview,
        view: view.map(all_of_it),
        log,
        next_log: Instant::now(),
        audit: operator.audit.listen(),
        token: operator.gate.version(),
        beat: sse::beat(operator.common.live.get().limits.heartbeat),
        until: caller.until,
        stop: operator.common.stop.clone(),
        _listening: listening,
    };
    let events = stream::unfold(ears, |mut ears| async { Some((ears.next().await?, ears)) });
    Ok(sse::as_answer(events))
}

/// What is there already is news to somebody new.
fn all_of_it(mut view: View) -> View {
    view.people.mark_changed();
    view.map.iter_mut().for_each(watch::Receiver::mark_changed);
    view
}

impl Operator {
    /// The session that the operator gave a code of.
    pub(super) fn find(&self, code: &str) -> Result<Arc<crate::directory::Entry>, Problem> {
        let code = code.parse::<SessionCode>().ok();
        code.and_then(|code| self.common.directory.get(code)).ok_or_else(Problem::no_session)
    }
}

/// One viewer.
struct Ears {
    first: VecDeque<Bytes>,
    overview: watch::Receiver<Bytes>,
    view: Option<View>,
    log: Option<broadcast::Receiver<Arc<str>>>,
    next_log: Instant,
    audit: broadcast::Receiver<Bytes>,
    token: watch::Receiver<u64>,
    beat: Interval,
    until: Instant,
    stop: CancellationToken,
    _listening: Place,
}

impl Ears {
    /// The next piece of the stream; `None` at its end.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.pop_front() {
            return Some(first);
        }
        let (people, map) = match &mut self.view {
            Some(view) => (Some(&mut view.people), view.map.as_mut()),
            None => (None, None),
        };
        tokio::select! {
            () = self.stop.cancelled() => None,
            () = sleep_until(self.until) => None,
            _ = self.token.changed() => None,
            json = newest(Some(&mut self.overview)) => Some(event_of_json("overview", &json?)),
            json = newest(people) => {
                Some(match json {
                    Some(json) => event_of_json("session", &json),
                    None => {
                        self.view = None;
                        event_of_json("over", b"null")
                    }
                })
            }
            json = newest(map) => {
                Some(match json {
                    Some(json) => event_of_json("map", &json),
                    None => {
                        self.view = None;
                        event_of_json("over", b"null")
                    }
                })
            }
            lines = lines(self.log.as_mut(), self.next_log) => {
                self.next_log = Instant::now() + LOG_EVERY;
                Some(lines)
            }
            deed = self.audit.recv() => match deed {
                Ok(deed) => Some(deed),
                Err(RecvError::Lagged(_)) => Some(event_of_json("audit", b"null")),
                Err(RecvError::Closed) => None,
            },
            _ = self.beat.tick() => Some(sse::heartbeat()),
        }
    }
}

/// The newest value that has not been seen, once there is one; `None` when no more come.
async fn newest(from: Option<&mut watch::Receiver<Bytes>>) -> Option<Bytes> {
    let Some(from) = from else { return pending().await };
    loop {
        from.changed().await.ok()?;
        let json = from.borrow_and_update().clone();
        if !json.is_empty() {
            return Some(json);
        }
    }
}

/// The lines that came by `at` or later, as an event.
async fn lines(log: Option<&mut broadcast::Receiver<Arc<str>>>, at: Instant) -> Bytes {
    let Some(log) = log else { return pending().await };
    sleep_until(at).await;
    let mut lines: Vec<Arc<str>> = Vec::new();
    let mut missed = 0;
    match log.recv().await {
        Ok(line) => lines.push(line),
        Err(RecvError::Lagged(count)) => missed += count,
        Err(RecvError::Closed) => return pending().await,
    }
    while lines.len() < LINES_PER_EVENT {
        match log.try_recv() {
            Ok(line) => lines.push(line),
            Err(TryRecvError::Lagged(count)) => missed += count,
            Err(_) => break,
        }
    }
    let found = lines_event(lines.iter().map(|line| &**line));
    if missed == 0 {
        return found;
    }
    [event_of_json("missed", missed.to_string().as_bytes()), found].concat().into()
}

fn lines_event<'a>(lines: impl Iterator<Item = &'a str>) -> Bytes {
    let all: Vec<_> = lines.collect();
    event_of_json("log", format!("[{}]", all.join(",")).as_bytes())
}
