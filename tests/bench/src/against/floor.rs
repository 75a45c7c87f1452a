//! The floor: one thread that receives and sends bytes on raw sockets and does nothing else, in one pass per tick. It
//! sends everybody as many bytes as this server did, and is sent the same inputs as the others.

use super::scene::RATE;
use anyhow::Result;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::thread::sleep;
use std::time::{Duration, Instant};

const LISTENER: Token = Token(usize::MAX);
/// Sockets that one look reports at most.
const EVENTS: usize = 4096;
/// What is read at once, in bytes.
const READ_BYTES: usize = 4096;

struct Peer {
    stream: TcpStream,
    /// Bytes that the socket has not taken yet.
    owed: usize,
}

/// Serves messages of `size` bytes until it is ended.
pub(crate) fn serve(address: SocketAddr, size: usize) -> Result<()> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(EVENTS);
    let mut listener = TcpListener::bind(address)?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let message = vec![0xa5; size.max(1)];
    let mut buffer = vec![0; READ_BYTES];
    let mut peers: Vec<Option<Peer>> = Vec::new();
    let mut due = Instant::now();
    loop {
        due += Duration::from_secs(1) / RATE;
        sleep(due.saturating_duration_since(Instant::now()));
        match poll.poll(&mut events, Some(Duration::ZERO)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error.into()),
            _ => {}
        }
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((mut stream, _)) = listener.accept() {
                    stream.set_nodelay(true)?;
                    let token = Token(peers.len());
                    poll.registry().register(&mut stream, token, Interest::READABLE)?;
                    peers.push(Some(Peer { stream, owed: 0 }));
                }
            } else if let Some(peer) = &mut peers[event.token().0]
                && !drained(&mut peer.stream, &mut buffer)
            {
                peers[event.token().0] = None;
            }
        }
        for peer in peers.iter_mut().flatten() {
            peer.owed += message.len();
            while peer.owed > 0 {
                match peer.stream.write(&message[..peer.owed.min(message.len())]) {
                    Ok(n) => peer.owed -= n,
                    // The rest goes along with the next tick's.
                    Err(_) => break,
                }
            }
        }
    }
}

/// Reads all there is; says whether the line is still there.
fn drained(stream: &mut TcpStream, buffer: &mut [u8]) -> bool {
    loop {
        match stream.read(buffer) {
            Ok(0) => return false,
            // What did not fill the buffer was all there was.
            Ok(n) if n < buffer.len() => return true,
            Ok(_) => {}
            Err(error) => return error.kind() == ErrorKind::WouldBlock,
        }
    }
}
