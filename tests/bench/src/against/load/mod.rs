//! The load for the others: one thread that sends every player's input in every tick, reads whatever comes, and
//! decides nothing. It says `measuring` when everybody is in and has settled, and after the time that was asked for
//! prints what it counted as JSON.

mod colyseus;
mod frames;
mod hands;
mod stream;

use super::scene::{RATE, SEED, Scene};
use super::second::Second;
use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use frames::{Fixed, Frames, Seen};
use hands::Hands;
use mio::{Events, Interest, Poll, Token};
use serde::{Deserialize, Serialize};
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use stream::Joined;

/// The whole of a tick's inputs goes out in so many parts, as players do not press keys all at once.
const SLICES: usize = 10;
/// From everybody's arrival to the measurement.
const SETTLE: Duration = Duration::from_secs(3);
/// What is read at once, in bytes.
const READ_BYTES: usize = 256 * 1024;
/// Sockets that one look reports at most.
const EVENTS: usize = 1024;

/// How a contender talks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Talk {
    /// WebSocket with binary messages, an input in each from the client.
    WebSocket,
    /// Colyseus' protocol: a seat by HTTP, then WebSocket.
    Colyseus,
    /// Bare TCP: messages of a fixed size, an input's bytes from the client.
    Raw,
}

/// What was counted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Counted {
    /// How long, s.
    pub(crate) seconds: f64,
    /// Messages that came.
    pub(crate) messages: u64,
    /// Bytes in them.
    pub(crate) payload: u64,
    /// The same with what WebSocket adds.
    pub(crate) wire: u64,
    /// Each second in which messages came.
    pub(crate) each: Vec<Second>,
    /// Inputs that a socket did not take.
    pub(crate) unsent: u64,
    /// Players whose line was lost.
    pub(crate) lost: u64,
}

/// One player.
struct Player {
    stream: mio::net::TcpStream,
    frames: Frames,
    hands: Hands,
    last: Option<Instant>,
    is_open: bool,
}

/// All of them.
struct Load {
    talk: Talk,
    poll: Poll,
    events: Events,
    players: Vec<Player>,
    buffer: Vec<u8>,
    /// When the measurement began.
    began: Instant,
    /// From a message to the next one, for each second of the measurement.
    intervals_us: Vec<Vec<u32>>,
    payload: u64,
    wire: u64,
    unsent: u64,
}

/// Runs the load; `message` is the size of a message where that is fixed, in bytes.
pub(crate) fn run(
    talk: Talk,
    scene: Scene,
    address: SocketAddr,
    seconds: u32,
    message: usize,
) -> Result<()> {
    let mut load = Load {
        talk,
        poll: Poll::new()?,
        events: Events::with_capacity(EVENTS),
        players: Vec::new(),
        buffer: vec![0; READ_BYTES],
        began: Instant::now(),
        intervals_us: Vec::new(),
        payload: 0,
        wire: 0,
        unsent: 0,
    };
    for number in 0..scene.players() {
        let joined = match talk {
            Talk::WebSocket => stream::join(address, "/")?,
            Talk::Colyseus => colyseus::join(address)?,
            Talk::Raw => stream::bare(address)?,
        };
        let frames = match talk {
            Talk::Raw => Frames::Fixed(Fixed::new(message)),
            Talk::WebSocket | Talk::Colyseus => Frames::default(),
        };
        load.add(joined, frames, u64::from(number))?;
        load.read(Duration::ZERO)?;
    }
    load.play(SETTLE)?;
    load.forget();
    println!("measuring");
    load.play(Duration::from_secs(seconds.into()))?;
    let counted = load.counted(seconds);
    println!("{}", serde_json::to_string(&counted)?);
    ensure!(counted.messages > 0, "not one message came");
    Ok(())
}

impl Load {
    fn add(&mut self, joined: Joined, frames: Frames, number: u64) -> Result<()> {
        let mut stream = mio::net::TcpStream::from_std(joined.stream);
        let token = Token(self.players.len());
        self.poll.registry().register(&mut stream, token, Interest::READABLE)?;
        let hands = Hands::new(SEED + number);
        self.players.push(Player { stream, frames, hands, last: None, is_open: true });
        self.take(token.0, &joined.early);
        Ok(())
    }

    /// Sends and reads for so long.
    fn play(&mut self, time: Duration) -> Result<()> {
        let (started, slice) = (Instant::now(), Duration::from_secs(1) / RATE / SLICES as u32);
        let mut turn = 0;
        let mut due = started;
        while started.elapsed() < time {
            while Instant::now() >= due {
                for number in (turn % SLICES..self.players.len()).step_by(SLICES) {
                    self.send(number);
                }
                turn += 1;
                due += slice;
            }
            self.read(due.saturating_duration_since(Instant::now()))?;
        }
        Ok(())
    }

    fn send(&mut self, number: usize) {
        let player = &mut self.players[number];
        if !player.is_open {
            return;
        }
        let input = player.hands.next();
        let bytes = match self.talk {
            Talk::WebSocket => frames::masked(frames::BINARY, &[&input]),
            Talk::Colyseus => frames::masked(frames::BINARY, &[&colyseus::INPUT, &input]),
            // As many bytes as the others are sent, headers included.
            Talk::Raw => frames::masked(frames::BINARY, &[&input]),
        };
        if !matches!(player.stream.write(&bytes), Ok(n) if n == bytes.len()) {
            self.unsent += 1;
        }
    }

    /// Waits for so long at most and reads what has come.
    fn read(&mut self, wait: Duration) -> Result<()> {
        match self.poll.poll(&mut self.events, Some(wait)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            polled => polled.context("poll")?,
        }
        let ready: Vec<usize> = self.events.iter().map(|event| event.token().0).collect();
        for number in ready {
            let mut buffer = std::mem::take(&mut self.buffer);
            loop {
                let player = &mut self.players[number];
                match player.stream.read(&mut buffer) {
                    Ok(0) => player.is_open = false,
                    Ok(n) => {
                        self.take(number, &buffer[..n]);
                        // What did not fill the buffer was all there was.
                        if n == buffer.len() {
                            continue;
                        }
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                    Err(_) => player.is_open = false,
                }
                break;
            }
            self.buffer = buffer;
        }
        Ok(())
    }

    /// Bytes came for a player.
    fn take(&mut self, number: usize, bytes: &[u8]) {
        let Player { stream, frames, last, is_open, .. } = &mut self.players[number];
        let now = Instant::now();
        let is_colyseus = self.talk == Talk::Colyseus;
        let second = (now - self.began).as_secs() as usize;
        let (intervals, payload, wire) =
            (&mut self.intervals_us, &mut self.payload, &mut self.wire);
        intervals.resize_with(intervals.len().max(second + 1), Vec::new);
        frames.feed(bytes, &mut |seen| match seen {
            Seen::Message { first, payload: inside, wire: all } => {
                if is_colyseus && first == colyseus::JOIN_ROOM {
                    let _ = stream.write(&frames::masked(frames::BINARY, &[&[first]]));
                    return;
                }
                let before = last.replace(now);
                if let Some(before) = before {
                    intervals[second].push((now - before).as_micros() as u32);
                }
                *payload += inside;
                *wire += all;
            }
            Seen::Ping(text) => {
                let _ = stream.write(&frames::masked(frames::PONG, &[text]));
            }
            Seen::Close => *is_open = false,
        });
    }

    /// What came before the measurement does not count.
    fn forget(&mut self) {
        self.began = Instant::now();
        self.intervals_us.clear();
        (self.payload, self.wire, self.unsent) = (0, 0, 0);
    }

    /// What came since the measurement began, which was to take so many seconds.
    fn counted(&mut self, asked_for: u32) -> Counted {
        let elapsed = self.began.elapsed().as_secs_f64();
        let messages: usize = self.intervals_us.iter().map(Vec::len).sum();
        // What came after the last whole second is no second of its own.
        let whole = self.intervals_us.iter_mut().take(asked_for as usize);
        Counted {
            seconds: elapsed,
            messages: messages as u64,
            payload: self.payload,
            wire: self.wire,
            each: whole.filter_map(|second| Second::of(second)).collect(),
            unsent: self.unsent,
            lost: self.players.iter().filter(|player| !player.is_open).count() as u64,
        }
    }
}
