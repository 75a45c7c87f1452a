//! The load: connections in one thread that each send an input per tick, spread over the tick as players' inputs are, and
//! count the bytes that they are sent. Their sockets are looked at sixteen times per tick, so that what the load costs
//! depends little on the server.

use super::echo::PROTOCOL;
use super::{HEADER_BYTES, INPUT_BYTES, MESSAGE_BYTES, RATE};
use crate::process;
use anyhow::{Context, Result, bail, ensure};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use serde::{Deserialize, Serialize};
use shared::wire::Said;
use shared::wire::input::InputMessage;
use shared::wire::message::{self, ClientMessage, Hello};
use shared::wire::protocol::SUBPROTOCOL;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// In how many groups connections send, one after the other within a tick.
const GROUPS: u32 = 16;
/// How often a connection says that it is there, in ticks: a pong that answers the server's ping, or would.
const PONG_TICKS: u32 = 5 * RATE;
/// A pong as clients send it.
const PONG: [u8; 6] = [0x8a, 0x80, 0x12, 0x34, 0x56, 0x78];
/// From the last connection to the first count, in ticks.
const WARM_UP_TICKS: u32 = 2 * RATE;

#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    #[arg(long)]
    address: SocketAddr,
    #[arg(long)]
    connections: u32,
    #[arg(long)]
    seconds: u32,
    /// The server's process, whose processor time is measured.
    #[arg(long)]
    server: u32,
    /// No handshake, no hello: the floor's language.
    #[arg(long)]
    raw: bool,
}

/// What came of it.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Counted {
    /// Messages that all connections were sent.
    messages: f64,
    /// The server's processor time meanwhile, in seconds.
    cpu_s: f64,
    /// Of the messages that should have come.
    pub(super) delivered_share: f64,
    /// Of the groups of inputs that this load should have sent in time: it, and not the server, is too slow where
    /// this is more than a little.
    pub(super) late_share: f64,
    /// The server's memory at the end, in bytes.
    pub(super) memory: u64,
}

impl Counted {
    /// Processor time per message, in µs.
    pub(super) fn cost_us(&self) -> f64 {
        self.cpu_s * 1e6 / self.messages
    }
}

pub(crate) fn run(flags: &Flags) -> Result<()> {
    rlimit::increase_nofile_limit(12_000)?;
    let mut poll = Poll::new()?;
    let mut streams = Vec::new();
    for n in 0..flags.connections {
        let mut stream = connect(flags, n)?;
        let token = Token(n as usize);
        poll.registry().register(&mut stream, token, Interest::READABLE)?;
        streams.push(stream);
    }
    let frame = input_frame();
    let frame_and_pong = [&frame[..], &PONG].concat();
    let mut events = Events::with_capacity(8192);
    let mut buffer = vec![0; 64 << 10];
    let (mut received, mut late) = (0_u64, 0_u32);
    let steps = flags.seconds * RATE * GROUPS;
    let warm_up = WARM_UP_TICKS * GROUPS;
    let start = Instant::now();
    let (mut begun, mut cpu) = (start, Duration::ZERO);
    for step in 0..warm_up + steps {
        let due = start + Duration::from_secs(1) * step / (RATE * GROUPS);
        let now = Instant::now();
        late += u32::from(now > due + Duration::from_secs(1) / RATE);
        sleep(due.saturating_duration_since(now));
        if step == warm_up {
            (received, late, begun, cpu) = (0, 0, Instant::now(), process::cpu(flags.server)?);
        }
        let frame =
            if (step / GROUPS).is_multiple_of(PONG_TICKS) { &frame_and_pong } else { &frame };
        for stream in streams.iter_mut().skip((step % GROUPS) as usize).step_by(GROUPS as usize) {
            match stream.write(frame) {
                Ok(bytes) => ensure!(bytes == frame.len(), "the server does not read"),
                Err(error) => bail!("the server closed a connection: {error}"),
            }
        }
        poll.poll(&mut events, Some(Duration::ZERO))?;
        for event in &events {
            let Token(n) = event.token();
            match streams[n].read(&mut buffer) {
                Ok(0) => bail!("the server closed a connection"),
                Ok(bytes) => received += bytes as u64,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => bail!("a connection broke: {error}"),
            }
        }
    }
    let messages = received as f64 / (HEADER_BYTES + MESSAGE_BYTES) as f64;
    let expected = begun.elapsed().as_secs_f64() * f64::from(RATE * flags.connections);
    let counted = Counted {
        messages,
        cpu_s: (process::cpu(flags.server)? - cpu).as_secs_f64(),
        delivered_share: messages / expected,
        late_share: f64::from(late) / f64::from(steps),
        memory: process::memory(flags.server)?,
    };
    println!("{}", serde_json::to_string(&counted)?);
    Ok(())
}

/// A connection that is ready to send inputs.
fn connect(flags: &Flags, number: u32) -> Result<TcpStream> {
    let mut stream = std::net::TcpStream::connect(flags.address)?;
    stream.set_nodelay(true)?;
    if !flags.raw {
        let request = format!(
            "GET /play HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n",
            flags.address,
        );
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).context("no answer to the handshake")?;
            answer.push(byte[0]);
        }
        ensure!(answer.starts_with(b"HTTP/1.1 101"), "no WebSocket here");
        let hello = Hello::new(PROTOCOL.hash, &format!("Line {number}"));
        let hello = message::encode_control(&ClientMessage::Hello(hello));
        stream.write_all(&masked(&hello))?;
    }
    stream.set_nonblocking(true)?;
    Ok(TcpStream::from_std(stream))
}

fn input_frame() -> Vec<u8> {
    let input = InputMessage::new(1, 0, &[1, 2, 3, 4, 5]);
    let input = Said::Input(input).write(&PROTOCOL);
    assert_eq!(input.len(), INPUT_BYTES, "an input of the size that is measured");
    masked(&input)
}

/// A binary WebSocket message as clients send it.
fn masked(payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x12, 0x34, 0x56, 0x78];
    assert!(payload.len() < 126, "a short message");
    let mut frame = vec![0x82, 0x80 | payload.len() as u8];
    frame.extend_from_slice(&MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}
