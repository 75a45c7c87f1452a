//! The floor: what the kernel itself costs. One thread, one pass per tick: take what came from whoever sent something,
//! send everybody the same bytes. No WebSocket, no player, no check.

use super::{HEADER_BYTES, MESSAGE_BYTES, RATE};
use anyhow::Result;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::thread::sleep;
use std::time::{Duration, Instant};

const LISTENER: Token = Token(usize::MAX);

#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    #[arg(long)]
    bind: SocketAddr,
    /// Bytes that everybody is sent each tick, headers included.
    #[arg(long, default_value_t = MESSAGE_BYTES + HEADER_BYTES)]
    bytes: usize,
}

pub(crate) fn serve(flags: &Flags) -> Result<()> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(8192);
    let mut listener = TcpListener::bind(flags.bind)?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let message = vec![0x55; flags.bytes];
    let mut buffer = [0; 4096];
    let mut streams: BTreeMap<usize, TcpStream> = BTreeMap::new();
    let mut gone = Vec::new();
    let start = Instant::now();
    for tick in 1_u32.. {
        sleep(
            (start + Duration::from_secs(1) * tick / RATE)
                .saturating_duration_since(Instant::now()),
        );
        poll.poll(&mut events, Some(Duration::ZERO))?;
        for event in &events {
            if event.token() == LISTENER {
                accept(&listener, &poll, &mut streams)?;
                continue;
            }
            let Token(id) = event.token();
            let Some(stream) = streams.get_mut(&id) else { continue };
            match stream.read(&mut buffer) {
                Ok(0) => gone.push(id),
                Err(error) if error.kind() != ErrorKind::WouldBlock => gone.push(id),
                // Less than fits: epoll tells of more by itself.
                Ok(_) | Err(_) => {}
            }
        }
        for (id, stream) in &mut streams {
            match stream.write(&message) {
                Err(error) if error.kind() != ErrorKind::WouldBlock => gone.push(*id),
                Ok(_) | Err(_) => {}
            }
        }
        for id in gone.drain(..) {
            streams.remove(&id);
        }
    }
    Ok(())
}

fn accept(
    listener: &TcpListener,
    poll: &Poll,
    streams: &mut BTreeMap<usize, TcpStream>,
) -> Result<()> {
    loop {
        match listener.accept() {
            Ok((mut stream, _)) => {
                stream.set_nodelay(true)?;
                let id = streams.last_key_value().map_or(0, |(id, _)| id + 1);
                poll.registry().register(&mut stream, Token(id), Interest::READABLE)?;
                streams.insert(id, stream);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}
