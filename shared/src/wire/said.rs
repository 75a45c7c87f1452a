//! What a client says, whichever message it is in: the first byte tells.

use super::input::{self, InputMessage};
use super::message::{self, ClientMessage};
use super::{Protocol, WireError};

/// One message of a client, read and within its tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Anything but an input.
    Control(ClientMessage),
    /// What the player does in a tick.
    Input(InputMessage),
}

impl Said {
    /// Reads a whole message.
    pub fn read(bytes: &[u8], protocol: &Protocol) -> Result<Self, WireError> {
        match bytes.split_first() {
            None => Err(WireError::Truncated),
            Some((&message::TYPE, rest)) => message::decode_client_message(rest).map(Self::Control),
            Some((&input::TYPE, rest)) => {
                InputMessage::decode(rest, protocol.input).map(Self::Input)
            }
            Some((&other, _)) => Err(WireError::UnknownType(other)),
        }
    }

    /// Writes a whole message. Panics when an input is out of its table's ranges.
    pub fn write(&self, protocol: &Protocol) -> Vec<u8> {
        match self {
            Self::Control(message) => message::encode_control(message),
            Self::Input(message) => {
                let mut bytes = Vec::new();
                message.encode(protocol.input, &mut bytes);
                bytes
            }
        }
    }
}
