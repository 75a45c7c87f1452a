//! Why we refuse something from outside: one close code, one count and one line in the log for each
//! reason, the lines rationed so that a flood of refusals is no flood of lines.

use super::peer::Peer;
use crate::throttle::Throttle;
use shared::wire::close::CloseCode;
use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::time::{Duration, Instant};

/// Lines per reason and second; what is beyond is counted and told with the next line.
const LOG_LINES_PER_SECOND: u32 = 5;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $label:literal $(, $code:ident)?;)*) => {
        /// Why something was refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Reason { $($(#[$doc])* $name),* }

        impl Reason {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name in the log and of the counter.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label),* }
            }

            /// The code that a WebSocket is closed with; `None` for what happens before there is one.
            pub const fn close_code(self) -> Option<CloseCode> {
                match self { $(Self::$name => reasons!(@code $($code)?)),* }
            }
        }
    };
    (@code) => { None };
    (@code $code:ident) => { Some(CloseCode::$code) };
}

reasons! {
    /// All connections that the server takes are taken.
    ServerFull = "full";
    /// One address has all the connections that it may have.
    AddressFull = "addr_cap";
    /// A request's head did not come in time.
    HeadTimeout = "head_timeout";
    /// A TLS handshake was not done in time.
    TlsTimeout = "tls_timeout";
    /// A connection spoke HTTP for too long.
    HttpTimeout = "http_timeout";
    /// Not HTTP/1.1 as we serve it.
    BadRequest = "bad_request";
    /// A request that two servers would cut in two places.
    Smuggling = "smuggling";
    /// A handshake that asks for no WebSocket of ours.
    BadUpgrade = "bad_upgrade";
    /// A handshake from somebody else's page.
    BadOrigin = "bad_origin";
    /// A code or ticket that leads nowhere.
    NoSession = "no_session";
    /// No session has room and no further one fits, or the session that was asked for has none.
    NoRoom = "no_room";
    /// There is more to do than there is time for. Whom the API or a session turns away for it the overload counts.
    Overload = "overload";
    /// One address came too often.
    JoinRate = "join_rate";
    /// From an address that the server's operator has banned.
    Banned = "banned", Banned;
    /// More bytes than allowed.
    ByteRate = "byte_rate", TooFast;
    /// More messages than allowed.
    MessageRate = "msg_rate", TooFast;
    /// Frames that RFC 6455 forbids.
    Protocol = "protocol", Protocol;
    /// A message above the limit.
    TooBig = "too_big", TooBig;
    /// Text, on a binary protocol.
    Unsupported = "unsupported", Unsupported;
    /// Text that is not UTF-8.
    Utf8 = "utf8", Utf8;
    /// No hello in time.
    HelloTimeout = "hello_timeout", HelloTimeout;
    /// A message at the wrong time.
    BadMessage = "bad_message", BadMessage;
    /// A message that cannot be read.
    Decode = "decode", BadMessage;
    /// A name that nobody can be called by.
    BadName = "bad_name", BadValue;
    /// A client built for another version.
    Version = "version", WrongVersion;
    /// Takes nothing of what is written.
    Slow = "slow", Unresponsive;
    /// Answers no pings.
    Dead = "dead", Unresponsive;
    /// The session wanted it gone; its own line says why.
    Expelled = "expelled";
}

impl Reason {
    /// What somebody is refused for to whom their session says goodbye with `code`; `None` where that is no refusal.
    pub(super) fn of_goodbye(code: CloseCode) -> Option<Self> {
        match code {
            CloseCode::SessionFull => Some(Self::NoRoom),
            // Nobody has done anything wrong whose session is over, goes on elsewhere or broke, or who comes back on another
            // connection. Whom a busy session turns away it has counted itself.
            CloseCode::Ended
            | CloseCode::GoingAway
            | CloseCode::Moved
            | CloseCode::Internal
            | CloseCode::Replaced
            | CloseCode::TryLater => None,
            _ => Some(Self::Expelled),
        }
    }
}

/// One refusal: the reason, and a sentence for whoever is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) reason: Reason,
    pub(super) sentence: Cow<'static, str>,
}

impl Refusal {
    pub(super) fn new(reason: Reason, sentence: impl Into<Cow<'static, str>>) -> Self {
        Self { reason, sentence: sentence.into() }
    }
}

/// How often each reason occurred since the start.
#[derive(Debug)]
pub struct Refusals {
    counts: [AtomicU64; Reason::ALL.len()],
    lines: [Throttle; Reason::ALL.len()],
}

impl Default for Refusals {
    fn default() -> Self {
        let throttle = || Throttle::new(LOG_LINES_PER_SECOND, Duration::from_secs(1));
        Self {
            counts: std::array::from_fn(|_| AtomicU64::new(0)),
            lines: std::array::from_fn(|_| throttle()),
        }
    }
}

impl Refusals {
    /// How often `reason` occurred.
    pub fn count(&self, reason: Reason) -> u64 {
        self.counts[reason as usize].load(Ordering::Relaxed)
    }

    /// Counts a refusal that somebody else logs.
    pub(super) fn count_up(&self, reason: Reason) {
        self.counts[reason as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts and logs a refusal.
    pub(super) fn note(&self, peer: Peer, reason: Reason, sentence: &str) {
        self.count_up(reason);
        let Some(hidden) = self.lines[reason as usize].pass(Instant::now()) else { return };
        let hidden = (hidden > 0).then_some(hidden);
        let label = reason.label();
        if matches!(reason, Reason::Smuggling | Reason::BadOrigin | Reason::Slow) {
            tracing::warn!(reason = label, %peer, hidden, "refused: {sentence}");
        } else {
            tracing::info!(reason = label, %peer, hidden, "refused: {sentence}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_is_shown_out_counts_as_expelled() {
        let of = |code| Reason::of_goodbye(code).map(Reason::label);
        for code in [CloseCode::Kicked, CloseCode::Banned, CloseCode::Locked, CloseCode::BadValue] {
            assert_eq!(of(code), Some("expelled"), "{code:?}");
        }
        assert_eq!(of(CloseCode::SessionFull), Some("no_room"));
        for code in [CloseCode::Ended, CloseCode::Internal, CloseCode::GoingAway, CloseCode::Moved]
        {
            assert_eq!(of(code), None, "{code:?}");
        }
        assert_eq!((of(CloseCode::Replaced), of(CloseCode::TryLater)), (None, None));
    }

    #[test]
    fn every_reason_counts_for_itself() {
        let refusals = Refusals::default();
        let peer = Peer::Unix;
        for (times, &reason) in Reason::ALL.iter().enumerate() {
            (0..times).for_each(|_| refusals.note(peer, reason, "a test's"));
        }
        for (times, &reason) in Reason::ALL.iter().enumerate() {
            assert_eq!(refusals.count(reason), times as u64, "{}", reason.label());
        }
    }
}
