//! Reads what a request says: JSON bodies, queries, paths. What cannot be read is a problem that says where.

use super::Api;
use super::problem::Problem;
use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;
use tokio::time::{Duration, timeout};

/// Who reads bodies knows for how long one is awaited.
pub(in crate::http) trait Patience: Send + Sync {
    /// For how long.
    fn head_wait(&self) -> Duration;
}

impl Patience for Arc<Api> {
    fn head_wait(&self) -> Duration {
        self.common.live.get().limits.head_wait
    }
}

/// A JSON object.
pub(in crate::http) struct JsonBody<T>(pub(in crate::http) T);

impl<T: DeserializeOwned, S: Patience> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        // Who sends a head at once and the body byte by byte holds a connection for nothing.
        let read = timeout(state.head_wait(), Json::<Value>::from_request(request, state)).await;
        let Json(value) = match read {
            Ok(read) => read.map_err(|rejection| unreadable(&rejection))?,
            Err(_) => {
                let detail = "The body did not come in time; send it at once.";
                return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, detail));
            }
        };
        // serde would take a list of the values as well.
        if !value.is_object() {
            return Err(Problem::refused("The body has to be a JSON object: { … }."));
        }
        Ok(Self(meant(value)?))
    }
}

/// What JSON says, or where it says something else.
pub(super) fn meant<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(value).map_err(|why| {
        Problem::refused(shortened(match why.path().to_string().as_str() {
            "." => format!("{}.", why.inner()),
            path => format!("{path}: {}.", why.inner()),
        }))
    })
}

fn unreadable(rejection: &JsonRejection) -> Problem {
    let status = rejection.status();
    let detail = match rejection {
        JsonRejection::MissingJsonContentType(_) => {
            "The body has to be JSON, and the Content-Type header application/json.".into()
        }
        _ => shortened(rejection.body_text()),
    };
    Problem::new(status, detail)
}

/// The code in a path, as it was typed. What is no text is no code.
pub(in crate::http) struct Code(pub(in crate::http) String);

impl<S: Send + Sync> FromRequestParts<S> for Code {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let typed = Path::<String>::from_request_parts(parts, state).await;
        Ok(Self(typed.map_or_else(|_| String::new(), |Path(code)| code)))
    }
}

/// What stands behind the question mark.
pub(in crate::http) struct Asked<T>(pub(in crate::http) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Query::<T>::from_request_parts(parts, state).await;
        let Query(asked) = read.map_err(|rejection: QueryRejection| {
            Problem::new(StatusCode::BAD_REQUEST, shortened(rejection.body_text()))
        })?;
        Ok(Self(asked))
    }
}

/// Letters of a sentence that quotes what was sent.
const DETAIL_CHARS_MAX: usize = 400;

fn shortened(text: String) -> String {
    if text.chars().count() <= DETAIL_CHARS_MAX {
        return text;
    }
    text.chars().take(DETAIL_CHARS_MAX).chain(['…']).collect()
}
