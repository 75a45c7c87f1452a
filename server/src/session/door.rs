//! The one door into a session, and the one way out. Everything that a session is told is a
//! [`ToSession`]; everything that it says goes into an [`Outbox`].

use bytes::Bytes;
use shared::game::Tick;
use shared::wire::SeatToken;
use shared::wire::close::CloseCode;
use shared::wire::input::InputMessage;
use shared::wire::message::Difference;

/// Names one WebSocket for as long as the process lives; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// What a session is told. Values have passed the wire's limits and ranges; whether they make sense
/// now is for the session to say.
#[derive(Debug)]
pub enum ToSession<O> {
    /// Somebody said a proper hello and wants to play.
    Join {
        /// On which connection.
        connection: ConnectionId,
        /// The name, already cleaned.
        name: String,
        /// What they showed to have their seat again; whether it is any good is for the session to say.
        seat: Option<SeatToken>,
        /// Random, and drawn outside: what they will have to show the next time.
        fresh: SeatToken,
        /// Where what they are sent goes.
        outbox: O,
    },
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
        /// What.
        text: String,
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
}

/// What waits to be written to one connection. Messages leave in the order in which they were taken,
/// and none that was taken is ever dropped while the connection lives: a frame in an outbox is
/// committed, and the next one may build on it.
pub trait Outbox: Send {
    /// Whether the next message would be taken. Costs nothing and never waits.
    fn has_room(&self) -> bool;

    /// Takes one whole binary message. False, and nothing taken, when there is no room or the
    /// connection is gone.
    fn push(&mut self, message: Bytes) -> bool;

    /// Ends the connection: what was taken is still written, within limits, then a close frame with
    /// this code and reason, and the closing handshake is completed. Calls after the first change
    /// nothing.
    fn close(&mut self, code: CloseCode, reason: &str);
}
