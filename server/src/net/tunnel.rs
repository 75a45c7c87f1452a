//! WebSockets to sessions that another server of the site has. Comes in: a handshake. Goes out: the other server's
//! answer, and from there on both connections are one: bytes are handed over as they come, and whoever ends it ends
//! both. Limits on what is said are the other server's, which sees the client's address; ours is how many there are.

use super::answers::TurnedDown;
use super::registry::State;
use super::stream::Stream;
use super::{Caller, Front, PLAY_PATH, way};
use crate::code::SessionCode;
use crate::site::{Neighbour, SessionPlace};
use axum::body::Body;
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderMap;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, split};
use tokio::time::{Duration, timeout};
use tokio::try_join;
use tracing::Instrument;

/// Bytes that are under way at once in each direction. Frames have some dozens, keyframes some hundreds.
const BUFFER_BYTES: usize = 4096;

impl Front {
    /// Where the session is that this WebSocket is for; what is here, too, is none of the site's.
    pub(super) fn place(&self, uri: &Uri, headers: &HeaderMap) -> SessionPlace<'_> {
        if let Some(letter) = way::server(uri) {
            return self
                .common
                .site
                .neighbour(letter, headers)
                .map_or(SessionPlace::Unknown, SessionPlace::There);
        }
        let code = uri.path().strip_prefix(PLAY_PATH).unwrap_or_default().trim_start_matches('/');
        match code.parse::<SessionCode>() {
            Ok(code) if self.common.directory.get(code).is_none() => {
                self.common.site.place(code, headers)
            }
            _ => SessionPlace::Unknown,
        }
    }
}

/// Passes a handshake on, and what comes of it.
pub(super) async fn open(
    mut request: Request<Incoming>,
    caller: Caller,
    front: &Arc<Front>,
    neighbour: &Neighbour,
) -> Response<Body> {
    let (peer, address) = (caller.peer, caller.address());
    let config = front.common.live.get();
    let limits = &config.limits;
    let slot = match caller.into_slot(limits) {
        Ok(slot) => slot,
        Err(reason) => return TurnedDown::too_many(reason).note(peer, front).into_words(),
    };
    let near = hyper::upgrade::on(&mut request);
    let (head, _) = request.into_parts();
    let passed_on = Request::from_parts(head, Body::empty());
    let Ok(mut response) = front.common.site.pass_on(neighbour, passed_on, address).await else {
        return TurnedDown::no_neighbour().note(peer, front).into_words();
    };
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return response.map(Body::new);
    }
    let far = hyper::upgrade::on(&mut response);
    slot.joined();
    slot.is_now(State::PassedOn);
    let stop = front.common.stop.clone();
    let (close_wait, write_wait) = (limits.close_wait, limits.write_wait);
    let carrying = async move {
        // An error is a peer that went away before it had its answer.
        let Ok((near, far)) = try_join!(near, far) else { return };
        let near = near.downcast::<TokioIo<Stream>>().expect("it was ours before");
        let mut stream = near.io.into_inner();
        stream.is_passed_on();
        let (from_near, to_near) = split(stream);
        let (from_far, to_far) = split(TokioIo::new(far));
        // What came right behind the handshake was read with it.
        let mut up = pin!(carry(near.read_buf, from_near, to_far, write_wait));
        let mut down = pin!(carry(Bytes::new(), from_far, to_near, write_wait));
        // When one end has said all, the other one has so long to do the same. How it ended is counted there.
        tokio::select! {
            () = stop.cancelled() => {}
            () = &mut up => drop(timeout(close_wait, down).await),
            () = &mut down => drop(timeout(close_wait, up).await),
        }
        drop(slot);
    };
    front.tasks.spawn(carrying.in_current_span());
    let (head, _) = response.into_parts();
    Response::from_parts(head, Body::empty())
}

/// Hands over what came `early` and then everything, until `from` has said all, or `to` hears no more or takes longer than
/// `wait` for a piece: while that waits nobody hears that `from` has ended.
async fn carry(
    early: Bytes,
    from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    wait: Duration,
) {
    // A copy that fails, or an end that cannot be told, is a line that is cut, and that is an end as well.
    let carried = async {
        timeout(wait, to.write_all(&early)).await??;
        drop(early);
        let mut from = BufReader::with_capacity(BUFFER_BYTES, from);
        loop {
            let piece = from.fill_buf().await?;
            let length = piece.len();
            if length == 0 {
                return io::Result::Ok(());
            }
            timeout(wait, async {
                to.write_all(piece).await?;
                to.flush().await
            })
            .await??;
            from.consume(length);
        }
    };
    let _ = carried.await;
    let _ = timeout(wait, to.shutdown()).await;
}
