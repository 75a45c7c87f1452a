//! Takes connections. Comes in: listening sockets. Goes out: a task per connection that was within the limits.
//! When accepting fails it says so, waits a little and goes on.

use super::Front;
use super::arrival::{self, Arrival};
use super::bans::BANNED;
use super::limits::KERNEL_UNSENT_BYTES_MAX;
use super::listeners::{Listener, Listeners, Purpose, Socket};
use super::peer::Peer;
use super::refusal::Reason;
use crate::throttle::Throttle;
use socket2::SockRef;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Duration, Instant, sleep};
use tracing::Instrument;

pub use super::listeners::bind;

/// Wait after the first failed accept in a row; doubles with each further one.
const BACK_OFF_MIN: Duration = Duration::from_millis(50);
/// The longest wait after a failed accept.
const BACK_OFF_MAX: Duration = Duration::from_secs(1);
/// Lines about failed accepts per minute.
const LINES_PER_MINUTE: u32 = 6;

/// Accepts on all of them until the server stops.
pub(crate) async fn run(listeners: Listeners, front: Arc<Front>) {
    let mut loops = JoinSet::new();
    let watched = listeners.tls().map(|tls| {
        let every = front.common.live.get().limits.certificate_look;
        tokio::spawn(tls.watch(every))
    });
    for listener in listeners.list {
        loops.spawn(accept(listener, Arc::clone(&front)));
    }
    loops.join_all().await;
    if let Some(watched) = watched {
        watched.abort();
    }
}

async fn accept(listener: Listener, front: Arc<Front>) {
    let lines = Throttle::new(LINES_PER_MINUTE, Duration::from_secs(60));
    let mut back_off = BACK_OFF_MIN;
    loop {
        let accepted = tokio::select! {
            () = front.common.stop.cancelled() => return,
            accepted = next(&listener.socket) => accepted,
        };
        match accepted {
            Ok((socket, peer)) => {
                back_off = BACK_OFF_MIN;
                admit(socket, peer, &listener.purpose, &front);
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

async fn next(socket: &Socket) -> io::Result<(Arrival, Peer)> {
    match socket {
        Socket::Tcp(tcp) => {
            let (tcp, address) = tcp.accept().await?;
            Ok((Arrival::Tcp(tcp), Peer::Direct(address)))
        }
        #[cfg(unix)]
        Socket::Unix(unix) => {
            let (unix, _) = unix.socket.accept().await?;
            Ok((Arrival::Unix(unix), Peer::Unix))
        }
    }
}

/// Gives a connection its task, or shuts it at once when a limit or a ban says so.
fn admit(arrival: Arrival, peer: Peer, purpose: &Purpose, front: &Arc<Front>) {
    let config = front.common.live.get();
    let is_proxy = front.believes(peer);
    if !is_proxy && !may_watch(peer) && front.common.bans.bars(peer.ip()).is_some() {
        front.common.refusals.note(peer, Reason::Banned, BANNED);
        return;
    }
    match front.common.registry.enter(peer, is_proxy, &config.limits) {
        Ok(slot) => {
            if let Arrival::Tcp(tcp) = &arrival
                && let Err(error) = tune(tcp, config.limits.pong_wait)
            {
                tracing::debug!(%peer, %error, "gone before it was served");
                return;
            }
            // Of the highest level, so that it is around every line, whatever gets into the log.
            let span = tracing::error_span!("connection", id = slot.id.0, %peer);
            let serving = arrival::receive(arrival, slot, purpose.clone(), Arc::clone(front));
            front.tasks.spawn(serving.instrument(span));
        }
        Err(reason) => {
            front.common.refusals.note(peer, reason, "too many connections");
        }
    }
}

/// Whether whoever comes from there, banned or not, may ask how the server is: what watches over it on its own machine
/// (`gamekeeper health`, Prometheus) must not take it for dead. Whatever else they ask for, HTTP tells them of the ban.
fn may_watch(peer: Peer) -> bool {
    peer.is_direct_and_local()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_on_another_machine_is_turned_away_at_the_door() {
        let direct = |address: &str| may_watch(Peer::Direct(address.parse().expect("an address")));
        assert!(direct("127.0.0.1:1") && direct("[::1]:1") && direct("[::ffff:127.0.0.1]:1"));
        assert!(!direct("192.0.2.1:1") && !direct("[2001:db8::1]:1"));
        assert!(!may_watch(Peer::Behind([127, 0, 0, 1].into())));
    }
}
