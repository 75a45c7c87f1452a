//! Getting in: TCP, and the request that turns it into a WebSocket (RFC 6455, section 4.1).

use anyhow::{Result, ensure};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// For how long a server may think about letting somebody in.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most bytes of an answer's head.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Somebody who is in; the stream does not block any more.
pub(super) struct Joined {
    pub(super) stream: TcpStream,
    /// What came right after the answer.
    pub(super) early: Vec<u8>,
}

/// Bare TCP.
pub(super) fn bare(address: SocketAddr) -> Result<Joined> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(Joined { stream, early: Vec::new() })
}

/// A WebSocket at `path`.
pub(super) fn join(address: SocketAddr, path: &str) -> Result<Joined> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // The key of the RFC's example: nothing here caches answers.
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let (head, early) = answer(&mut stream)?;
    ensure!(head.starts_with("HTTP/1.1 101"), "no WebSocket at {path}: {head}");
    stream.set_nonblocking(true)?;
    Ok(Joined { stream, early })
}

/// An answer's head, and what came with it.
pub(super) fn answer(stream: &mut TcpStream) -> Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let n = stream.read(&mut piece)?;
        ensure!(n > 0, "it hung up: {}", String::from_utf8_lossy(&bytes));
        bytes.extend_from_slice(&piece[..n]);
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return Ok((String::from_utf8_lossy(&bytes).into_owned(), rest));
        }
        ensure!(bytes.len() < HEAD_BYTES_MAX, "an endless answer");
    }
}
