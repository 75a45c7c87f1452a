//! What a session's host does to it: passed on through the session's door, which checks the secret.

use super::Api;
use super::body::{Code, JsonBody, meant};
use super::problem::Problem;
use super::sessions::over;
use crate::directory::Entry;
use crate::http::bearer;
use crate::net::Caller;
use crate::session::acts::{Act, ActError, HostAction, Order};
use crate::session::door::ToSession;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};
use shared::wire::HostSecret;
use std::mem::take;
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::time::{Duration, Instant, timeout};

/// For how long a session is awaited; it answers at its next tick.
const ANSWER_WAIT: Duration = Duration::from_secs(2);

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
        bearer(&headers).and_then(|shown| shown.parse().ok()).ok_or_else(not_host)?;
    if let Some(Value::Object(settings)) = said.get_mut("settings") {
        // What is left out stays as it is.
        said["settings"] = over(&entry.settings(), take(settings));
    }
    let action: HostAction = meant(Value::Object(said))?;
    if let HostAction::Change { settings } = &action {
        api.common.directory.check(settings).map_err(Problem::refused)?;
    }
    let (answer, waiting) = oneshot::channel();
    let told = ToSession::Act(Act {
        order: Order::Host(secret, action.clone()),
        answer: Box::new({
            let entry = Arc::clone(&entry);
            move |done| {
                if done.is_ok() {
                    remember(&entry, action);
                }
                // Nobody waits any more when the peer went away; it is done all the same.
                drop(answer.send(done));
            }
        }),
    });
    let asked = timeout(ANSWER_WAIT, async {
        entry.handle.queue.send((Instant::now(), told)).await.ok()?;
        waiting.await.ok()
    });
    match asked.await {
        Ok(Some(Ok(()))) => Ok(StatusCode::NO_CONTENT),
        Ok(Some(Err(ActError::NotHost))) => Err(not_host()),
        Ok(Some(Err(ActError::NobodyThere))) => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "There is nobody with that number in the session; they may have left.",
        )),
        Ok(Some(Err(ActError::Refused(sentence)))) => Err(Problem::refused(sentence)),
        Ok(None) => Err(Problem::no_session()),
        Err(_) => Err(Problem::busy("The session does not answer; try again.", ANSWER_WAIT)),
    }
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

/// The same answer whatever the secret is, and when there is none.
fn not_host() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "Only the session's host may do that, with the secret of the session: Authorization: Bearer and \
         32 hexadecimal digits.",
    )
}
