//! How a connection ends, and whether its player may come back. Comes in: errors of the WebSocket, the
//! peer's goodbye, our own reasons. Goes out: an [`Ending`], for the task that serves the connection.

use super::metered::TooManyBytes;
use super::refusal::{Reason, Refusal};
use crate::directory::SessionHandle;
use crate::metrics::CloseBy;
use crate::session::STOPPING;
use shared::wire::close::CloseCode;
use tokio_tungstenite::tungstenite::{self, error::ProtocolError};

/// What a peer is told whose session broke.
const BROKEN: &str = "Something broke in this session; choose another.";

/// How a connection ends.
pub(super) enum Ending {
    /// The peer did what it may not.
    Refused(Refusal),
    /// The session wants it.
    Asked(CloseCode, String),
    /// The peer sent a close frame, with this code if it had one.
    ByPeer(Option<u16>),
    /// The stream is no more.
    Gone,
}

impl Ending {
    pub(super) fn refused(reason: Reason, sentence: &'static str) -> Self {
        Self::Refused(Refusal::new(reason, sentence))
    }

    /// The client was built for another version.
    pub(super) fn outdated() -> Self {
        let sentence = "The server runs another version of the game; reload the page.";
        Self::refused(Reason::Version, sentence)
    }

    pub(super) fn stopping() -> Self {
        let (code, why) = STOPPING;
        Self::Asked(code, why.into())
    }

    /// The session takes nothing more: it says why, unless it broke.
    pub(super) fn over(session: &SessionHandle) -> Self {
        let (code, why) = session.ending.get().copied().unwrap_or((CloseCode::Internal, BROKEN));
        Self::Asked(code, why.into())
    }

    /// The code that the connection ends with, if there is a close frame, and who began.
    pub(super) fn told(&self) -> (Option<u16>, CloseBy) {
        match self {
            Self::Refused(Refusal { reason, .. }) => {
                let code = reason.close_code().unwrap_or(CloseCode::Internal);
                (Some(code.code()), CloseBy::Server)
            }
            Self::Asked(code, _) => (Some(code.code()), CloseBy::Server),
            Self::ByPeer(code) => (*code, CloseBy::Peer),
            Self::Gone => (None, CloseBy::Nobody),
        }
    }

    /// Whether the player was cut off rather than left or was shown out, and so keeps the seat for a
    /// while.
    pub(super) fn keeps_seat(&self) -> bool {
        match self {
            Self::Gone => true,
            Self::Refused(refusal) => matches!(refusal.reason, Reason::Slow | Reason::Dead),
            // Done, or the page is left, and the token with it. A peer that gives up a line as dead
            // closes it with another code or none, and comes back.
            Self::ByPeer(code) => {
                let code = code.and_then(CloseCode::from_code);
                !matches!(code, Some(CloseCode::Normal | CloseCode::GoingAway))
            }
            // The session has seen to the seat already.
            Self::Asked(..) => false,
        }
    }
}

/// What an error of the WebSocket means. tungstenite itself would just drop the connection.
pub(super) fn broken(error: tungstenite::Error) -> Ending {
    use tungstenite::Error;
    match error {
        Error::Io(error) if TooManyBytes::is_in(&error) => {
            Ending::refused(Reason::ByteRate, "Too many bytes in too short a time.")
        }
        Error::Capacity(_) => Ending::refused(Reason::TooBig, "That message was too big."),
        Error::Utf8(_) => Ending::refused(Reason::Utf8, "That text was not UTF-8."),
        Error::WriteBufferFull(_) => {
            Ending::refused(Reason::Slow, "Your line took nothing of what was sent.")
        }
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Ending::Gone,
        Error::Protocol(error) => {
            Ending::Refused(Refusal::new(Reason::Protocol, format!("No WebSocket frame: {error}.")))
        }
        _ => Ending::Gone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_cut_off_keeps_the_seat_and_who_leaves_does_not() {
        let refused = |reason| Ending::refused(reason, "a test's");
        for kept in [
            Ending::Gone,
            Ending::ByPeer(None),
            Ending::ByPeer(Some(4999)),
            refused(Reason::Slow),
            refused(Reason::Dead),
        ] {
            assert!(kept.keeps_seat());
        }
        for freed in [
            Ending::ByPeer(Some(1000)),
            Ending::ByPeer(Some(1001)),
            refused(Reason::MessageRate),
            refused(Reason::Protocol),
            Ending::stopping(),
        ] {
            assert!(!freed.keeps_seat());
        }
    }
}
