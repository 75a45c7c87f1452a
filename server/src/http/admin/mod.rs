//! What the operator of the server sees and does, under `/api/admin`; the page for it is at `/admin`. Comes in: the
//! operator's token with every request. Goes out: JSON, and a stream of events. Without that token in the settings nothing
//! of it is there. Whatever is done, and every wrong token, goes into the audit log.
//!
//! In the order of the flow: `gate` looks at the token, `history` samples all sessions once a second, `watching`
//! looks into those that somebody watches, `events` tells what they find, `actions` does what the operator wants and
//! `audit` remembers it.

mod actions;
mod audit;
mod events;
mod gate;
mod history;
mod views;
mod watching;

use crate::common::Common;
use crate::config;
use crate::directory::Entry;
use crate::http::api::body::Patience;
use crate::http::api::problem::Problem;
use crate::http::asking::{ask_session, order_session};
use crate::http::bearer;
use crate::logging::Logs;
use crate::net::Caller;
use crate::session::acts::{OperatorAction, Order};
use crate::session::door::ToSession;
use crate::session::inspect::{Inspect, Inspection};
use audit::Audit;
use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, OriginalUri, Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use gate::{Gate, NoEntry};
pub use gate::{TOKEN_TRIES, TOKEN_TRIES_IN_ALL};
use history::History;
pub use history::{HISTORY_SAMPLES, SAMPLE_EVERY};
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use tokio::time::{Duration, Instant};
use watching::WatchedSessions;

/// Where the operator's part of the API is.
pub const ADMIN_API_PATH: &str = "/api/admin";

/// What the log calls the operator's token.
const OPERATORS: &str = "for the operator's page";

/// What the operator's part of the server knows.
#[derive(Debug)]
pub struct Operator {
    common: Arc<Common>,
    logs: OnceLock<Logs>,
    gate: Gate,
    /// For those who read the metrics and operate nothing; has tries of its own.
    metrics_gate: Gate,
    audit: Audit,
    history: History,
    watched: WatchedSessions,
    started: Instant,
}

impl Operator {
    /// An operator's part over these, on where the settings have a token for it. Errors with a sentence when a token
    /// will not do.
    pub fn new(common: Arc<Common>) -> Result<Self, String> {
        let operator = Self {
            audit: Audit::new(common.store.clone()),
            gate: Gate::default(),
            metrics_gate: Gate::default(),
            history: History::default(),
            watched: WatchedSessions::default(),
            logs: OnceLock::new(),
            started: Instant::now(),
            common,
        };
        operator.reload(&operator.common.live.get().admin)?;
        Ok(operator)
    }

    /// Takes the tokens that are set now. Whoever is in by another one is out. Errors with a sentence, and nothing is
    /// changed, when one will not do.
    pub fn reload(&self, settings: &config::AdminConfig) -> Result<(), String> {
        let tokens = settings.tokens()?;
        self.gate.set(tokens.operator.as_ref());
        self.metrics_gate.set(tokens.metrics.as_ref().or(tokens.operator.as_ref()));
        Ok(())
    }

    /// Shows this log from now on; only the first call counts.
    pub fn show_logs(&self, logs: Logs) {
        let _ = self.logs.set(logs);
    }

    /// The log that is shown.
    pub fn logs(&self) -> Option<&Logs> {
        self.logs.get()
    }

    /// Whether there is an operator, who has a token.
    pub fn is_on(&self) -> bool {
        self.gate.is_on()
    }

    /// Whether somebody at `from` shows the token for the metrics with a request that has these headers, or, where none is
    /// set, the operator's. Another token is a try, at that gate alone: a monitoring system with an old token does not
    /// shut the operator out.
    pub(crate) fn lets_read_metrics(&self, from: IpAddr, headers: &HeaderMap) -> bool {
        match self.metrics_gate.enter(from, bearer(headers)) {
            Ok(()) => true,
            Err(NoEntry::Off | NoEntry::Missing) => false,
            Err(NoEntry::Wrong | NoEntry::TooOften(_)) => {
                self.audit.wrong_token(from, "for the metrics");
                false
            }
        }
    }

    /// Samples sessions for as long as the server runs.
    pub(crate) async fn keep_history(self: Arc<Self>) {
        history::keep(&self).await;
    }

    /// What is in a session.
    async fn inspect(&self, entry: &Entry, people: bool, map: bool) -> Result<Inspection, Problem> {
        let inspect = |answer| ToSession::Inspect(Inspect { people, map, answer });
        ask_session(&entry.handle, inspect).await
    }

    /// Has a session do something.
    async fn order(&self, entry: &Entry, action: OperatorAction) -> Result<(), Problem> {
        order_session(&entry.handle, Order::Operator(action), || {}).await
    }
}

impl Patience for Arc<Operator> {
    fn head_wait(&self) -> Duration {
        self.common.live.get().limits.head_wait
    }
}

/// Answers everything under [`ADMIN_API_PATH`], which is taken off its paths.
pub(super) fn router(operator: &Arc<Operator>) -> Router {
    Router::new()
        .route("/overview", get(views::overview))
        .route("/history", get(views::history))
        .route("/sessions/{code}", get(views::session))
        .route("/bans", get(views::bans))
        .route("/audit", get(views::audit))
        .route("/log", get(views::log))
        .route("/events", get(events::events))
        .route("/actions", post(actions::act))
        .fallback(not_found)
        .method_not_allowed_fallback(not_allowed)
        .layer(middleware::from_fn_with_state(Arc::clone(operator), guard))
        .with_state(Arc::clone(operator))
}

/// Lets whoever shows the token through, and nobody else.
async fn guard(
    State(operator): State<Arc<Operator>>,
    Extension(caller): Extension<Caller>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let entry = operator.gate.enter(caller.network, bearer(request.headers()));
    let problem = match entry {
        Ok(()) => return next.run(request).await,
        Err(NoEntry::Off) => {
            let path = request.extensions().get::<OriginalUri>().map(|uri| uri.path().to_owned());
            return Problem::nothing_at(&path.unwrap_or_default()).into_response();
        }
        Err(NoEntry::Missing) => {
            unauthorized("The operator's token is needed: Authorization: Bearer TOKEN.")
        }
        Err(NoEntry::Wrong) => {
            operator.audit.wrong_token(caller.network, OPERATORS);
            unauthorized("That is not the operator's token.")
        }
        Err(NoEntry::TooOften(often)) => {
            operator.audit.wrong_token(caller.network, OPERATORS);
            often.into()
        }
    };
    let mut response = problem.into_response();
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

fn unauthorized(sentence: &'static str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, sentence)
}

async fn not_found(OriginalUri(uri): OriginalUri) -> Problem {
    Problem::nothing_at(uri.path())
}

async fn not_allowed() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "That cannot be done here; the Allow header says what can.",
    )
}
