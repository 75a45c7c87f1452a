//! How a bot's life can end. Comes in: close frames and errors of the WebSocket. Goes out: what they mean.

use serde::{Deserialize, Serialize};
use shared::wire::message;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// Close code that stands for none in the close frame (RFC 6455 section 7.4.1).
const NO_CODE: u16 = 1005;

/// How a bot's life ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Ending {
    /// The run was over.
    CalledBack,
    /// There never was a connection.
    NoLine(String),
    /// The server never let it in.
    NoWelcome,
    /// The server closed the connection.
    Closed {
        /// The close code.
        code: u16,
        /// The sentence that came with it, cleaned; may be empty.
        reason: String,
    },
    /// The connection ended in another way.
    Broken(String),
}

impl Ending {
    /// The server closed the connection with this.
    pub(crate) fn closed(frame: Option<CloseFrame>) -> Self {
        match frame {
            Some(CloseFrame { code, reason }) => {
                // It goes to somebody's terminal: no control characters.
                let reason = message::clean_chat(&reason).unwrap_or_default();
                Self::Closed { code: code.into(), reason }
            }
            None => Self::Closed { code: NO_CODE, reason: String::new() },
        }
    }

    /// What an error of the WebSocket means.
    pub(crate) fn broken(error: Error) -> Self {
        match error {
            Error::ConnectionClosed
            | Error::AlreadyClosed
            | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Self::vanished(),
            Error::WriteBufferFull(_) => {
                Self::Broken("the server took nothing of what was sent".into())
            }
            Error::Io(error) => Self::Broken(format!("the connection broke ({error})")),
            other => {
                Self::Broken(format!("the server sent what is no WebSocket message ({other})"))
            }
        }
    }

    /// The connection is no more, and nobody said why.
    pub(crate) fn vanished() -> Self {
        Self::Broken("the connection ended without a goodbye".into())
    }
}
