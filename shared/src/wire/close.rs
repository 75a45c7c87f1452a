//! Why a connection ends: the codes of the closing handshake (RFC 6455 section 7.4) that this
//! protocol uses, below 4000 the standard's, from 4000 on our own. The reason that travels with a code
//! is a sentence for a person, at most [`REASON_BYTES_MAX`] bytes.

/// Bytes of UTF-8 that fit behind the code into a close frame.
pub const REASON_BYTES_MAX: usize = 123;

macro_rules! close_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $label:literal, $again:literal;)*) => {
        /// A close code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum CloseCode { $($(#[$doc])* $name),* }

        impl CloseCode {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The number on the wire.
            pub const fn code(self) -> u16 {
                match self { $(Self::$name => $code),* }
            }

            /// A short name for logs and counters.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label),* }
            }

            /// Whether a client does well to connect again by itself after this.
            pub const fn worth_retrying(self) -> bool {
                match self { $(Self::$name => $again),* }
            }

            /// The code with this number, if it is one of ours.
            pub const fn from_code(code: u16) -> Option<Self> {
                match code { $($code => Some(Self::$name),)* _ => None }
            }
        }
    };
}

close_codes! {
    /// Done; the player left.
    Normal = 1000, "normal", false;
    /// The server stops, or the page is left.
    GoingAway = 1001, "going_away", true;
    /// Bytes that are no WebSocket protocol.
    Protocol = 1002, "protocol", false;
    /// Text on a binary protocol.
    Unsupported = 1003, "unsupported", false;
    /// Text that is not UTF-8.
    Utf8 = 1007, "utf8", false;
    /// Too many bytes or messages in too short a time.
    TooFast = 1008, "rate", false;
    /// A message above the limit.
    TooBig = 1009, "too_big", false;
    /// Something of ours broke.
    Internal = 1011, "internal", true;
    /// The server is full or busy; later it may not be.
    TryLater = 1013, "try_later", true;
    /// Nothing was said after the handshake.
    HelloTimeout = 4001, "hello_timeout", true;
    /// A message that cannot be read, or not now.
    BadMessage = 4002, "bad_message", false;
    /// A value that makes no sense, such as an unusable name.
    BadValue = 4003, "bad_value", false;
    /// The client was built for another version of the game: reload the page.
    WrongVersion = 4006, "version", false;
    /// Shown out for what they did, such as flooding the chat.
    Kicked = 4008, "kicked", false;
    /// The same seat was taken from another connection.
    Replaced = 4009, "replaced", false;
    /// Shown out by the session's host, for as long as the session lasts.
    Banned = 4010, "banned", false;
    /// The session's host lets nobody new in.
    Locked = 4011, "locked", false;
    /// The session is over.
    Ended = 4013, "ended", false;
    /// No seat is free in this session.
    SessionFull = 4014, "session_full", false;
    /// The connection took nothing or answered nothing for too long.
    Unresponsive = 4012, "unresponsive", true;
    /// The session goes on on another server of the site.
    Moved = 4015, "moved", true;
}

impl CloseCode {
    /// Whether it is the server that goes, or the session from it, and not the player: whoever was there may be back.
    pub const fn is_an_interruption(self) -> bool {
        matches!(self, Self::GoingAway | Self::Moved)
    }
}

/// `reason` cut to [`REASON_BYTES_MAX`] bytes at a letter's end.
pub fn fit_reason(reason: &str) -> &str {
    let mut end = reason.len().min(REASON_BYTES_MAX);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    &reason[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_comes_back() {
        for &code in CloseCode::ALL {
            assert_eq!(CloseCode::from_code(code.code()), Some(code));
        }
        assert_eq!(CloseCode::from_code(1006), None);
    }

    #[test]
    fn a_reason_is_cut_between_letters() {
        let long = "ä".repeat(100);
        assert_eq!(fit_reason(&long).len(), 122);
        assert_eq!(fit_reason("short"), "short");
    }
}
