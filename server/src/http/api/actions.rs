//! What a session's host does to it: passed on through the session's door, which checks the secret.

use super::Api;
use super::body::{Code, JsonBody, meant};
use super::problem::Problem;
use super::sessions::over;
use crate::directory::Entry;
use crate::http::asking::order_session;
use crate::http::bearer;
use crate::net::Caller;
use crate::session::acts::{ActError, HostAction, Order};
use crate::throttle::Throttle;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};
use shared::wire::HostSecret;
use std::mem::take;
use std::sync::Arc;
use tokio::time::{Duration, Instant};

/// Lines per minute about what hosts do.
static LINES: Throttle = Throttle::new(30, Duration::from_secs(60));

/// Does something as the session's host, who shows the secret as `Authorization: Bearer`.
#[utoipa::path(post, path = "/api/sessions/{code}/actions", tag = "sessions", request_body = HostAction,
    params(("code" = String, Path, description = "The session's code.")),
    security(("host" = [])),
    responses((status = 204, description = "It is done."),
              (status = 403, description = "The secret is not, or no longer, the host's."),
              (status = 404, description = "There is no such session, or nobody with that number in it."),
              (status = 503, description = "The session does not answer.")))]
pub(super) async fn act(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Code(code): Code,
    headers: HeaderMap,
    JsonBody(mut said): JsonBody<Map<String, Value>>,
) -> Result<StatusCode, Problem> {
    let entry = api.find(&caller, &code)?;
    let secret: HostSecret =
        bearer(&headers).and_then(|shown| shown.parse().ok()).ok_or(ActError::NotHost)?;
    if let Some(Value::Object(settings)) = said.get_mut("settings") {
        // What is left out stays as it is.
        said["settings"] = over(&entry.settings(), take(settings));
    }
    let action: HostAction = meant(Value::Object(said))?;
    if let HostAction::Change { settings } = &action {
        api.common.directory.check(settings).map_err(Problem::refused)?;
    }
    let (what, player) = action.summary();
    let order = Order::Host(secret, action.clone());
    let shown = Arc::clone(&entry);
    order_session(&entry.handle, order, move || remember(&shown, action)).await?;
    // What was done and not all that was said: settings may be kilobytes, and a host says them as often as they like.
    if let Some(hidden) = LINES.pass(Instant::now()) {
        let session = entry.code.for_log(entry.is_public());
        let hidden = (hidden > 0).then_some(hidden);
        tracing::info!(session, what, player, hidden, "the host acted");
    }
    Ok(StatusCode::NO_CONTENT)
}

/// What a look-up is to show from now on.
fn remember(entry: &Entry, action: HostAction) {
    match action {
        HostAction::Rename { name } => entry.change_settings(|settings| {
            settings.name = shared::wire::message::clean_name(&name).unwrap_or(name);
        }),
        HostAction::Change { settings } => entry.change_settings(|before| *before = *settings),
        _ => {}
    }
}
