//! How the server is. Comes in: requests of those who watch over it. Goes out: whether it lives (`/healthz`),
//! whether new players may be sent to it (`/readyz`), and what it counts (`/metrics`). None of it counts
//! against anybody's limits on requests.

use crate::config::MetricsFor;
use crate::metrics::CONTENT_TYPE;
use crate::net::{Caller, Front};
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use axum::response::IntoResponse;
use std::sync::Arc;

/// What somebody who watches over the server asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Whether it answers at all.
    Lives,
    /// Whether new players may be sent to it.
    Ready,
    /// What it counts.
    Metrics,
}

impl Ask {
    /// What is asked at this path.
    pub fn of(path: &str) -> Option<Self> {
        match path {
            "/healthz" => Some(Self::Lives),
            "/readyz" => Some(Self::Ready),
            "/metrics" => Some(Self::Metrics),
            _ => None,
        }
    }
}

/// What `caller` gets. That the request is a GET or HEAD has been checked.
pub(crate) async fn answer<B>(
    ask: Ask,
    request: &Request<B>,
    caller: &Caller,
    front: &Arc<Front>,
) -> Response<Body> {
    let mut response = match ask {
        Ask::Lives => "ok\n".into_response(),
        Ask::Ready => match why_not_ready(front) {
            None => "ready\n".into_response(),
            Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
        },
        Ask::Metrics if may_read(request, caller, front) => {
            let front = Arc::clone(front);
            // It reads files, and others have something to do on this thread.
            let text = tokio::task::spawn_blocking(move || front.metrics().text(&front));
            match text.await {
                Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
                Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            }
        }
        Ask::Metrics => super::assets::not_found().into_response(),
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Why nobody new should be sent here.
fn why_not_ready(front: &Front) -> Option<&'static str> {
    if front.common.stopping.is_draining() || front.common.stop.is_cancelled() {
        return Some("The server is about to stop and lets nobody new in.");
    }
    if !front.common.store.is_working() {
        return Some("The store of results broke; the server should be started again.");
    }
    if front.common.directory.lanes.stuck() > 0 {
        return Some(
            "A tick of a session does not end; the log says which. Its thread stands still until then.",
        );
    }
    if front.common.directory.overload.is_closed() {
        return Some("There is more to do than this server can; nobody new is let in.");
    }
    if !front.common.directory.has_room() {
        return Some("All sessions are full, and no further one may be opened.");
    }
    None
}

/// Whether `caller` may read the metrics. Who may not is told what is told where nothing is.
fn may_read<B>(request: &Request<B>, caller: &Caller, front: &Front) -> bool {
    match front.common.live.get().seeing.metrics {
        MetricsFor::Off => false,
        MetricsFor::Everyone => true,
        MetricsFor::Local => {
            caller.is_local || front.operator.lets_read_metrics(caller.network, request.headers())
        }
    }
}
