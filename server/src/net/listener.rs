//! Takes sockets. Comes in: an address, then connections. Goes out: a task per connection that was
//! within the limits. When accepting fails it says so, waits a little and goes on.

use super::limits::{BACKLOG, KERNEL_UNSENT_BYTES_MAX};
use super::bans::BANNED;
use super::refusal::Reason;
use super::{Front, http1};
use crate::throttle::Throttle;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Duration, Instant, sleep};
use tracing::Instrument;

/// Wait after the first failed accept in a row; doubles with each further one.
const BACK_OFF_MIN: Duration = Duration::from_millis(50);
/// The longest wait after a failed accept.
const BACK_OFF_MAX: Duration = Duration::from_secs(1);
/// Lines about failed accepts per minute.
const LINES_PER_MINUTE: u32 = 6;

/// Opens a listening socket; an IPv6 one takes IPv4 as well. Must be called within a tokio runtime.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // Else the port of a server that just stopped stays blocked for a minute. On Windows the same
    // option would let two servers share a port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG as i32)?;
    TcpListener::from_std(socket.into())
}

/// Accepts until the server stops.
pub(crate) async fn run(listener: TcpListener, front: Arc<Front>) {
    let lines = Throttle::new(LINES_PER_MINUTE, Duration::from_secs(60));
    let mut back_off = BACK_OFF_MIN;
    loop {
        let accepted = tokio::select! {
            () = front.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((tcp, peer)) => {
                back_off = BACK_OFF_MIN;
                admit(tcp, peer, &front);
            }
            Err(error) if is_the_peers(&error) => {}
            Err(error) => {
                if let Some(hidden) = lines.pass(Instant::now()) {
                    let hidden = (hidden > 0).then_some(hidden);
                    tracing::warn!(%error, hidden, "cannot accept connections; trying again");
                }
                sleep(back_off).await;
                back_off = (back_off * 2).min(BACK_OFF_MAX);
            }
        }
    }
}

/// Gives a connection its task, or shuts it at once when a limit or a ban says so.
fn admit(tcp: TcpStream, peer: SocketAddr, front: &Arc<Front>) {
    if front.bans.bars(peer.ip()).is_some() {
        front.refusals.note(peer, Reason::Banned, BANNED);
        return;
    }
    let limits = &front.live.get().limits;
    match front.registry.enter(peer, limits) {
        Ok(slot) => {
            if let Err(error) = tune(&tcp, limits.pong_wait) {
                tracing::debug!(%peer, %error, "gone before it was served");
                return;
            }
            // Of the highest level, so that it is around every line, whatever gets into the log.
            let span = tracing::error_span!("connection", id = slot.id.0, %peer);
            front.tasks.spawn(http1::serve(tcp, slot, Arc::clone(front)).instrument(span));
        }
        Err(reason) => {
            front.refusals.note(peer, reason, "too many connections");
        }
    }
}

/// Small messages go out at once, little waits in the kernel, and a peer that vanished is noticed.
fn tune(tcp: &TcpStream, vanished: Duration) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        let socket = SockRef::from(tcp);
        socket.set_tcp_user_timeout(Some(vanished))?;
        socket.set_tcp_notsent_lowat(KERNEL_UNSENT_BYTES_MAX)?;
    }
    Ok(())
}

/// Whether a failed accept concerns but the one connection that it was for.
fn is_the_peers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionRefused
            | ErrorKind::Interrupted
    )
}
