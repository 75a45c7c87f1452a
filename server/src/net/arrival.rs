//! From an accepted socket to its first request. Comes in: a socket. Goes out: a stream that HTTP can be spoken
//! over, with the PROXY protocol's header read where one is due, and TLS begun where the listener asks for it.

use super::limits::TLS_UNSENT_BYTES_MAX;
use super::listeners::Purpose;
use super::metered::{Metered, TooManyBytes};
use super::peer::Peer;
use super::refusal::Reason;
use super::registry::Slot;
use super::stream::Stream;
use super::tls::Tls;
use super::{Front, closing, http1, proxy_protocol};
use std::io::{self, ErrorKind};
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::time::timeout;

/// The first byte of a TLS handshake: a record of that kind.
const HANDSHAKE: u8 = 22;
/// What is said to whoever speaks HTTP to a port that speaks TLS.
const SPEAK_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 51\r\nConnection: close\r\n\r\nThis port speaks TLS: put https:// before the host\n";

/// An accepted socket.
#[derive(Debug)]
pub(super) enum Arrival {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

/// Serves a connection to its end, or until it is a WebSocket with a task of its own.
pub(super) async fn receive(arrival: Arrival, slot: Slot, purpose: Purpose, front: Arc<Front>) {
    let peer = slot.peer;
    let begun = tokio::select! {
        begun = begin(arrival, slot, &purpose, &front) => begun,
        () = front.common.stop.cancelled() => return,
    };
    match begun {
        Ok((stream, slot)) => http1::serve(stream, slot, purpose, front).await,
        Err(Begun::Gone) => {}
        Err(Begun::Refused(reason, sentence)) => {
            front.common.refusals.note(peer, reason, &sentence)
        }
    }
}

/// Why nothing came of a connection.
enum Begun {
    /// The peer went away.
    Gone,
    Refused(Reason, String),
}

async fn begin(
    mut arrival: Arrival,
    mut slot: Slot,
    purpose: &Purpose,
    front: &Arc<Front>,
) -> Result<(Stream, Slot), Begun> {
    let config = front.common.live.get();
    let limits = &config.limits;
    if config.reach.proxy_protocol && slot.is_proxy() {
        let told = timeout(limits.head_wait, async {
            match &mut arrival {
                Arrival::Tcp(tcp) => proxy_protocol::read(tcp).await,
                #[cfg(unix)]
                Arrival::Unix(unix) => proxy_protocol::read(unix).await,
            }
        });
        let told = told.await.map_err(|_| {
            Begun::Refused(Reason::HeadTimeout, "no header of the PROXY protocol in time".into())
        })?;
        if let Some(address) = told.map_err(|error| refused(&error))? {
            let client = Peer::Behind(address);
            let place = slot.on_behalf_of(client, front.believes(client), limits);
            slot = place.map_err(|reason| {
                Begun::Refused(reason, format!("too many connections for one from {address}"))
            })?;
        }
    }
    let (of_many, metrics) = (slot.is_proxy(), Arc::clone(front.metrics()));
    let stream = match (arrival, purpose) {
        (Arrival::Tcp(tcp), Purpose::Tls(tls)) => {
            let tcp = Metered::new(tcp, of_many, metrics);
            let handshake = timeout(limits.tls_wait, secure(tcp, tls, limits.close_wait));
            handshake.await.map_err(|_| {
                Begun::Refused(Reason::TlsTimeout, "no TLS handshake in time".into())
            })??
        }
        (Arrival::Tcp(tcp), _) => Stream::Tcp(Metered::new(tcp, of_many, metrics)),
        #[cfg(unix)]
        (Arrival::Unix(unix), _) => Stream::Unix(Metered::new(unix, of_many, metrics)),
    };
    Ok((stream, slot))
}

async fn secure(
    tcp: Metered<TcpStream>,
    tls: &Tls,
    close_wait: tokio::time::Duration,
) -> Result<Stream, Begun> {
    let mut first = [0];
    match tcp.bare().peek(&mut first).await {
        Ok(0) | Err(_) => return Err(Begun::Gone),
        Ok(_) if first[0] != HANDSHAKE => {
            let mut plain = Stream::Tcp(tcp);
            if plain.write_all(SPEAK_TLS).await.is_ok() {
                closing::linger(&mut plain, close_wait).await;
            }
            return Err(Begun::Refused(Reason::BadRequest, "spoke no TLS on a port for it".into()));
        }
        Ok(_) => {}
    }
    let mut stream = tls.acceptor().accept(tcp).await.map_err(|error| refused(&error))?;
    stream.get_mut().1.set_buffer_limit(Some(TLS_UNSENT_BYTES_MAX));
    Ok(Stream::Tls(Box::new(stream)))
}

/// What an error at the start of a connection means.
fn refused(error: &io::Error) -> Begun {
    match error.kind() {
        ErrorKind::InvalidData => Begun::Refused(Reason::BadRequest, error.to_string()),
        _ if TooManyBytes::is_in(error) => Begun::Refused(Reason::ByteRate, error.to_string()),
        _ => Begun::Gone,
    }
}
