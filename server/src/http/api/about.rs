//! What who writes a client has to know of a running server.

use super::Api;
use super::problem::Problem;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use shared::wire::protocol::SUBPROTOCOL;
use std::sync::Arc;
use tokio::time::Duration;
use utoipa::ToSchema;

/// What WebSockets of this server speak.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Spoken {
    /// What `Sec-WebSocket-Protocol` has to say.
    subprotocol: &'static str,
    /// What a hello has to say: 0x and 16 hexadecimal digits. As text, as not every number of 64 bits is one in
    /// JavaScript.
    hash: String,
}

/// The protocol of this server's game.
#[utoipa::path(get, path = "/api/protocol", tag = "about",
    responses((status = 200, description = "What WebSockets speak.", body = Spoken),
              (status = 503, description = "This server has no game.")))]
pub(super) async fn protocol(State(api): State<Arc<Api>>) -> Result<Json<Spoken>, Problem> {
    let protocol = api.common.directory.protocol().ok_or_else(|| {
        Problem::busy(
            "This server has no game now; try again in a minute.",
            Duration::from_secs(60),
        )
    })?;
    Ok(Json(Spoken { subprotocol: SUBPROTOCOL, hash: format!("{:#018x}", protocol.hash) }))
}
