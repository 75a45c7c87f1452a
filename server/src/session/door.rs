//! The one door into a session, and the one way out. Everything that a session is told is a
//! [`ToSession`]; everything that it says goes into an [`Outbox`].

use super::acts::Act;
use super::inspect::Inspect;
use super::restraint::Restraint;
use shared::game::Tick;
use shared::wire::close::CloseCode;
use shared::wire::input::InputMessage;
use shared::wire::message::{Difference, Look};
use shared::wire::{HostSecret, SeatToken, Visitor};
use std::net::IpAddr;

/// Names one WebSocket for as long as the process lives; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// Somebody who said a proper hello.
#[derive(Debug)]
pub struct Newcomer<O> {
    /// On which connection.
    pub connection: ConnectionId,
    /// From which address, or of IPv6 from which /64 network; `None` where that says nothing, as with this
    /// machine's own addresses.
    pub network: Option<IpAddr>,
    /// The same for the eyes of the server's operator alone, who is shown this machine's own addresses too.
    pub address: Option<IpAddr>,
    /// The name, already cleaned.
    pub name: String,
    /// What they showed to have their seat again; whether it is any good is for the session to say.
    pub seat: Option<SeatToken>,
    /// By what they are known again, if they say so.
    pub visitor: Visitor,
    /// What they showed to be the session's host.
    pub host: Option<HostSecret>,
    /// Whether they come to watch.
    pub watch: bool,
    /// Random, and drawn outside: what they will have to show the next time.
    pub fresh: SeatToken,
    /// Random, and drawn outside: the host's secret, should they become host.
    pub fresh_host: HostSecret,
    /// Where what they are sent goes.
    pub outbox: O,
}

/// What a session is told. Values have passed the wire's limits and ranges; whether they make sense
/// now is for the session to say.
#[derive(Debug)]
pub enum ToSession<O> {
    /// Somebody comes.
    Join(Box<Newcomer<O>>),
    /// A player's input.
    Input {
        /// From which connection.
        connection: ConnectionId,
        /// What.
        message: InputMessage,
    },
    /// A line of chat, already cleaned.
    Chat {
        /// From which connection.
        connection: ConnectionId,
        /// Whether only the own team is to hear it.
        team: bool,
        /// What.
        text: String,
    },
    /// A sign to everybody.
    Emote {
        /// From which connection.
        connection: ConnectionId,
        /// Which.
        emote: u8,
    },
    /// Where a spectator looks from now on.
    Look {
        /// From which connection.
        connection: ConnectionId,
        /// Where.
        look: Look,
    },
    /// Somebody wants to watch, or to play.
    Watch {
        /// From which connection.
        connection: ConnectionId,
        /// Whether to watch.
        watch: bool,
    },
    /// Somebody wants to be in another team.
    Team {
        /// From which connection.
        connection: ConnectionId,
        /// From 1.
        team: u8,
    },
    /// The session's loop fell behind and dropped so many ticks' worth of time.
    Dropped {
        /// How many, or the most that the number can say.
        ticks: u32,
    },
    /// The client's rows went wrong and it wants a keyframe.
    Resync {
        /// From which connection.
        connection: ConnectionId,
        /// The newest tick it decoded.
        tick: Tick,
        /// Whether a checksum differed.
        mismatch: bool,
    },
    /// What was wrong in rows whose checksum differed.
    Mismatch {
        /// From which connection.
        connection: ConnectionId,
        /// Of the keyframe that put it right.
        tick: Tick,
        /// A field; kind and field may be none of the game's.
        difference: Difference,
    },
    /// The connection is gone, whoever ended it.
    Leave {
        /// Which.
        connection: ConnectionId,
        /// Whether it was lost rather than ended: the player may come back.
        keeps_seat: bool,
    },
    /// The host, or the operator of the server, wants something done.
    Act(Act),
    /// The operator of the server wants to see something.
    Inspect(Inspect),
    /// Whoever runs the server says something to everybody.
    Announce {
        /// What, already cleaned.
        text: String,
    },
    /// The server is about to stop: the session ends when its round does, at the latest then.
    Part {
        /// From now on.
        seconds: u32,
    },
    /// What it gives up from now on, as the server is overloaded, or that it need not.
    Restrain(Restraint),
}

/// What waits to be written to one connection. Messages leave in the order in which they were taken,
/// and none that was taken is ever dropped while the connection lives: a frame in an outbox is
/// committed, and the next one may build on it.
pub trait Outbox: Send {
    /// Whether the next message would be taken. Costs nothing and never waits.
    fn has_room(&self) -> bool;

    /// Takes whole binary messages, to be written at once: all of them, or none. False, and nothing taken, when there is
    /// no room or the connection is gone.
    fn push<'a>(&mut self, messages: impl Iterator<Item = &'a [u8]>) -> bool;

    /// How many messages wait in it for a line that did not take them at once.
    fn waiting(&self) -> usize;

    /// Ends the connection: what was taken is still written, within limits, then a close frame with
    /// this code and reason, and the closing handshake is completed. Calls after the first change
    /// nothing.
    fn close(&mut self, code: CloseCode, reason: &str);
}
