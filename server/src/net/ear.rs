//! A WebSocket's way in, as far as it goes without its task. Comes in: bytes, when it is the connection's turn. Goes
//! out: inputs, into the session's queue, read where they lie ([`super::plain`]); a ping, whose answer goes with what is
//! said next. Whatever is none of these, and whatever finds no room, waits in the inbox for the connection's task
//! (`pipe`), and so does all that comes behind it.

use super::limits::{Level, MESSAGES_BURST_SECONDS, MESSAGES_PER_TICK_MAX, Price, READ_BYTES_MAX};
use super::metered::{self, WEBSOCKET};
use super::plain::{self, Beginning};
use super::socket::Socket;
use crate::directory::SessionHandle;
use crate::lanes::Moment;
use crate::metrics::Metrics;
use crate::session::door::{ConnectionId, ToSession};
use shared::wire::Said;
use shared::wire::message::{ClientMessage, ServerMessage};
use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use tokio::time::Instant;
use tokio_rustls::rustls::ServerConnection;

thread_local! {
    /// What a socket is read into: one for all connections of a thread, so that an idle one has no buffer.
    static CAME: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES_MAX]);
}

/// What a connection hears with.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Ear {
    /// Whether inputs go to the session as they come; if not, the task reads.
    listening: bool,
    /// Whether everything is tungstenite's from now on.
    pub(super) handed_over: bool,
    pub(super) ended: bool,
    /// Whether bytes are counted.
    counted: bool,
    /// Whom inputs are for, once it knows of the connection.
    hearer: Option<Hearer>,
    /// How many messages the peer may send.
    messages: Level,
    /// How many bytes.
    bytes: Level,
    /// What came and nobody has read: it begins at a frame, unless tungstenite reads.
    pub(super) inbox: Vec<u8>,
    /// Where that begins.
    pub(super) start: u32,
    /// How many bytes of it are tungstenite's.
    pub(super) given: u32,
    /// A ping that nobody has answered yet.
    pub(super) asked: Option<Asked>,
    /// Why reading ended, for the task.
    failed: Option<io::Error>,
    /// When the newest of what the task reads came.
    pub(super) came: Instant,
}

/// Whom inputs are for.
#[derive(Debug)]
pub(super) struct Hearer {
    pub(super) session: Arc<SessionHandle>,
    pub(super) id: ConnectionId,
}

/// A ping of the game's protocol, once a second from each player.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) nonce: u32,
    /// When it came.
    pub(super) came: Instant,
}

impl Asked {
    /// The answer, if it is written now.
    pub(super) fn answer(&self) -> ServerMessage {
        let waited_us = self.came.elapsed().as_micros() as u32;
        ServerMessage::Pong { nonce: self.nonce, waited_us }
    }
}

/// What bytes come through.
pub(super) struct Inlet<'a> {
    pub(super) socket: &'a Socket,
    pub(super) tls: &'a mut Option<Box<ServerConnection>>,
    pub(super) metrics: &'a Metrics,
}

impl Ear {
    /// One that may be sent so many bytes, of which `early` have been read already.
    pub(super) fn new(bytes: Level, early: &[u8]) -> Self {
        Self {
            listening: false,
            handed_over: false,
            ended: false,
            counted: true,
            hearer: None,
            messages: Level::FULL,
            bytes,
            inbox: early.to_vec(),
            start: 0,
            given: 0,
            asked: None,
            failed: None,
            came: Instant::now(),
        }
    }

    /// Inputs are for `hearer` from now on, or for nobody.
    pub(super) fn is_for(&mut self, hearer: Option<Hearer>) {
        self.hearer = hearer;
        self.listening = false;
    }

    /// The task has read what there was. From now on it wants to be woken only for what is no input.
    pub(super) fn listen(&mut self) {
        self.listening = self.hearer.is_some() && self.is_plain() && self.inbox.is_empty();
    }

    /// The task reads.
    pub(super) fn stop_listening(&mut self) {
        self.listening = false;
    }

    /// Whether what comes next is not tungstenite's.
    pub(super) fn is_plain(&self) -> bool {
        !self.handed_over && self.given == 0
    }

    /// From now on what comes is not counted, as it is thrown away.
    pub(super) fn stop_counting(&mut self) {
        self.counted = false;
    }

    /// Takes one from the messages that the peer may send; whether there was one left.
    pub(super) fn take_message(&mut self, tick_rate: u16, now: Instant) -> bool {
        take_message(&mut self.messages, tick_rate, now)
    }

    /// Reads what came by then, once, so that no peer holds up a tick by more than [`READ_BYTES_MAX`]. Whether the task is
    /// to be woken for it.
    pub(super) fn hear(&mut self, mut inlet: Inlet<'_>, moment: Moment) -> bool {
        if self.ended || self.failed.is_some() {
            return false;
        }
        self.make_room();
        if self.inbox.len() >= READ_BYTES_MAX {
            // The task has enough to do, and so its peer waits.
            return true;
        }
        CAME.with_borrow_mut(|came| {
            let (read, arrived) = match self.read(&mut inlet, came, moment) {
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(error) => {
                    self.failed = Some(error);
                    return true;
                }
            };
            if let Some(tls) = inlet.tls {
                let mut plain = core::mem::take(&mut self.inbox);
                let told = self.take_in(&mut plain, inlet.metrics, (arrived, moment));
                plain.drain(..told);
                self.inbox = plain;
                // TLS may have an answer of its own.
                self.listening &= !tls.wants_write();
            } else {
                let told = self.take_in(&mut came[..read], inlet.metrics, (arrived, moment));
                self.inbox.extend_from_slice(&came[told..read]);
            }
            self.listening &= self.inbox.is_empty() && !self.ended;
            if !self.listening {
                // What else there is the task reads by itself.
                self.came = arrived;
            }
            !self.listening
        })
    }

    /// Reads into the inbox, for the task: at least a byte, unless this is the end. [`ErrorKind::WouldBlock`] when there is
    /// nothing.
    pub(super) fn fill(&mut self, mut inlet: Inlet<'_>, moment: Moment) -> io::Result<()> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        self.make_room();
        let before = self.inbox.len();
        CAME.with_borrow_mut(|came| {
            while self.inbox.len() == before && !self.ended {
                let (read, arrived) = self.read(&mut inlet, came, moment)?;
                self.came = arrived;
                if inlet.tls.is_none() {
                    self.inbox.extend_from_slice(&came[..read]);
                }
            }
            Ok(())
        })
    }

    /// What has been read goes: otherwise a peer who always leaves a frame unfinished would make the inbox grow without end.
    fn make_room(&mut self) {
        self.inbox.drain(..self.start as usize);
        self.start = 0;
    }

    /// Everything before `end` has been read.
    pub(super) fn read_until(&mut self, end: usize) {
        self.start = end as u32;
        if end == self.inbox.len() {
            self.start = 0;
            self.inbox.clear();
            if self.inbox.capacity() > READ_BYTES_MAX {
                self.inbox = Vec::new();
            }
        }
    }

    /// Reads into `came`; how many bytes, and when the last of them came. What TLS makes of them goes into the inbox.
    fn read(
        &mut self,
        inlet: &mut Inlet<'_>,
        came: &mut [u8],
        moment: Moment,
    ) -> io::Result<(usize, Instant)> {
        let (read, stamp) = inlet.socket.read(came)?;
        inlet.metrics.network.came[WEBSOCKET].inc_by(read as u64);
        if self.counted {
            metered::take(&mut self.bytes, read, moment.now)?;
        }
        self.ended = read == 0;
        if let Some(tls) = inlet.tls {
            self.ended |= !decrypt(tls, &came[..read], &mut self.inbox)?;
        }
        Ok((read, moment.of_arrival(stamp)))
    }

    /// Takes the inputs, which the session is told, and the ping that `bytes` begins with and that `arrived` then; where
    /// something else begins. None where the task reads.
    fn take_in(
        &mut self,
        bytes: &mut [u8],
        metrics: &Metrics,
        (arrived, moment): (Instant, Moment),
    ) -> usize {
        let Some(Hearer { session, id }) = self.hearer.as_ref().filter(|_| self.listening) else {
            return 0;
        };
        let mut from = 0;
        while let Beginning::Message { head, payload } = plain::front(&bytes[from..]) {
            let end = from + head + plain::MASK_BYTES + payload;
            let masked = &mut bytes[from + head..end];
            let said = Said::read(plain::unmask(masked), &session.protocol);
            // What finds no room is not taken from what the peer may send: the task counts it.
            let told = match said {
                Ok(Said::Input(message)) => session.queue.try_reserve().is_ok_and(|room| {
                    let taken = take_message(&mut self.messages, session.tick_rate, moment.now);
                    if taken {
                        metrics.network.heard[0].inc_by(payload as u64);
                        room.send((arrived, ToSession::Input { connection: *id, message }));
                    }
                    taken
                }),
                Ok(Said::Control(ClientMessage::Ping { nonce })) if self.asked.is_none() => {
                    let taken = take_message(&mut self.messages, session.tick_rate, moment.now);
                    if taken {
                        metrics.network.heard[1].inc_by(payload as u64);
                        self.asked = Some(Asked { nonce, came: arrived });
                    }
                    taken
                }
                _ => false,
            };
            if !told {
                // The task finds it as it came.
                plain::unmask(masked);
                break;
            }
            from = end;
        }
        from
    }
}

fn take_message(left: &mut Level, tick_rate: u16, now: Instant) -> bool {
    let per_second = MESSAGES_PER_TICK_MAX * f64::from(tick_rate);
    let price = Price::new(per_second, per_second * MESSAGES_BURST_SECONDS);
    price.take(left, 1.0, now)
}

/// Takes TLS off bytes that came, and adds what they mean to `plain`. False when TLS says that nothing more comes.
pub(super) fn decrypt(
    tls: &mut ServerConnection,
    mut came: &[u8],
    plain: &mut Vec<u8>,
) -> io::Result<bool> {
    let mut open = true;
    loop {
        let took = if came.is_empty() { 0 } else { tls.read_tls(&mut came)? };
        let seen = tls.process_new_packets();
        let seen = seen.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        let from = plain.len();
        plain.resize(from + seen.plaintext_bytes_to_read(), 0);
        io::Read::read_exact(&mut tls.reader(), &mut plain[from..])?;
        open &= !seen.peer_has_closed();
        if took == 0 {
            break;
        }
    }
    Ok(open)
}

#[cfg(all(test, unix))]
pub(super) mod tests;
