//! Reads what a request says: JSON bodies, queries, paths. What cannot be read is a problem that says where.

use super::Api;
use super::problem::Problem;
use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use tokio::time::timeout;

/// A JSON body.
pub(super) struct Told<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<Api>> for Told<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Self, Problem> {
        // Who sends a head at once and the body byte by byte holds a connection for nothing.
        let read = timeout(api.limits.head_wait, Json::<T>::from_request(request, api)).await;
        match read {
            Ok(Ok(Json(told))) => Ok(Self(told)),
            Ok(Err(rejection)) => Err(unreadable(&rejection)),
            Err(_) => Err(Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "The body did not come in time; send it at once.",
            )),
        }
    }
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

/// What stands behind the question mark.
pub(super) struct Asked<T>(pub(super) T);

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
