//! What went wrong with a request, as RFC 9457 has it: a status, and a sentence about what to do.

use crate::directory::NoSession;
use crate::net::address_limits::TooOften;
use crate::session::acts::ActError;
use crate::store::NoAnswer;
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde::Serialize;
use std::borrow::Cow;
use tokio::time::Duration;
use utoipa::ToSchema;

/// The media type of a problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// What went wrong, as `application/problem+json`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the status says which problem it is.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The status in words.
    pub title: &'static str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// A sentence for people: what is wrong, and what to do.
    pub detail: Cow<'static, str>,
    /// What goes into `Retry-After`.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

impl Problem {
    /// A problem with a sentence about what to do.
    pub fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Problem"),
            status: status.as_u16(),
            detail: detail.into(),
            retry_after: None,
        }
    }

    /// No session has the code that was asked for, or it is no code.
    pub fn no_session() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "There is no session with this code: it is over, or the code has a mistake in it.",
        )
    }

    /// No recording has the name that was asked for, or it is no name.
    pub fn no_recording() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "There is no such recording: it has made room for newer ones, or the link has a mistake in it.",
        )
    }

    /// A path at which nothing is.
    pub fn nothing_at(path: &str) -> Self {
        let path: String = path.chars().take(80).collect();
        let detail = format!("There is nothing at {path}; /api/openapi.json says what there is.");
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// Something that makes no sense; the sentence says what.
    pub fn refused(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// Not now.
    pub fn busy(detail: impl Into<Cow<'static, str>>, retry_after: Duration) -> Self {
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, detail);
        Self { retry_after: Some(retry_after), ..problem }
    }
}

impl From<TooOften> for Problem {
    fn from(TooOften { after }: TooOften) -> Self {
        let seconds = whole_seconds(after);
        let detail =
            format!("Too many requests of this kind from your address; try again in {seconds} s.");
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, detail);
        Self { retry_after: Some(after), ..problem }
    }
}

impl From<NoSession> for Problem {
    fn from(why: NoSession) -> Self {
        let detail = why.to_string();
        match why {
            NoSession::Refused(_) => Self::refused(detail),
            NoSession::Full
            | NoSession::Closed
            | NoSession::Stopping
            | NoSession::Overloaded
            | NoSession::Stuck => Self::busy(detail, Duration::from_secs(60)),
        }
    }
}

impl From<ActError> for Problem {
    fn from(why: ActError) -> Self {
        match why {
            // The same whatever the secret is, and when there is none.
            ActError::NotHost => Self::new(
                StatusCode::FORBIDDEN,
                "Only the session's host may do that, with the secret of the session: Authorization: Bearer and \
                 32 hexadecimal digits.",
            ),
            ActError::NobodyThere => Self::new(
                StatusCode::NOT_FOUND,
                "There is nobody with that number in the session; they may have left.",
            ),
            ActError::Refused(sentence) => Self::refused(sentence),
        }
    }
}

impl From<NoAnswer> for Problem {
    fn from(_: NoAnswer) -> Self {
        Self::busy(
            "The results cannot be read now; the games go on. Try again in a minute.",
            Duration::from_secs(60),
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let status = StatusCode::from_u16(self.status).expect("made from one");
        let body = serde_json::to_string(&self).expect("plain values");
        let mut response = (status, [(header::CONTENT_TYPE, PROBLEM_JSON)], body).into_response();
        if let Some(after) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(after)));
        }
        response
    }
}

/// Rounded up, and never 0.
fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs_f64().ceil() as u64).max(1)
}
