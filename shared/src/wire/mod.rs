//! Values to bytes and bytes to values. Comes in: integers, rows, messages. Goes out: bytes, and the
//! reverse. It knows field tables, never a game, and reads nothing it has not checked.

pub mod bits;
pub mod close;
pub mod field;
pub mod input;
pub mod message;
pub mod protocol;
pub mod record;
pub mod row;
pub mod rows;
pub mod said;
pub mod secret;
pub mod text;

pub use field::{Field, Kind, Role, Treatment};
pub use protocol::Protocol;
pub use row::Row;
pub use rows::{Rows, Table};
pub use said::Said;
pub use secret::{HostSecret, SeatToken, TicketId, Visitor};

/// Why bytes were refused. Every reader of this crate answers with one of these and keeps nothing
/// of a message that it refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The message ends before the value does.
    #[error("the message ends too early")]
    Truncated,
    /// Bytes are left over behind the last value.
    #[error("the message has bytes left over")]
    Trailing,
    /// The first byte names no message of this protocol.
    #[error("unknown message type {0}")]
    UnknownType(u8),
    /// A variable-length integer is longer than its type allows.
    #[error("a number is longer than its type")]
    LongNumber,
    /// A field's value lies outside its table's range.
    #[error("a value is out of its field's range")]
    OutOfRange,
    /// An index names no entity of the receiver's list, or a list is out of order.
    #[error("an index names nothing in the list")]
    BadIndex,
    /// A control message that bincode refused, or that claims more than its limit.
    #[error("a control message could not be read")]
    BadControl,
    /// A difference whose baseline is not what the receiver has.
    #[error("a frame builds on tick {expected} and the receiver has another")]
    WrongTick {
        /// The low five bits of the tick that the frame would have to build on.
        expected: u8,
    },
    /// The receiver's rows do not hash to what the sender's do.
    #[error("the view's checksum differs")]
    Checksum,
}
