//! What one end knows and nobody else: the token of a seat, the secret of a session's host, a ticket, the key by
//! which a browser is known again. All are random, compared in constant time, and in no log.

use core::fmt;
use core::str::FromStr;
use serde::{Deserialize, Serialize};

/// Bytes of a secret: 128 random bits, which nobody guesses.
pub const SECRET_BYTES: usize = 16;

macro_rules! secrets {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Default, Serialize, Deserialize)]
        pub struct $name(pub [u8; SECRET_BYTES]);

        impl PartialEq for $name {
            /// Looks at every byte, so that the time it takes tells nothing of where two differ.
            fn eq(&self, other: &Self) -> bool {
                let bytes = self.0.iter().zip(&other.0);
                bytes.fold(0, |differences, (a, b)| differences | (a ^ b)) == 0
            }
        }

        impl Eq for $name {}

        impl fmt::Debug for $name {
            /// Messages are logged and printed; a secret in them is not.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }

        impl $name {
            /// As 32 hexadecimal digits, for where text is needed. Not `Display`, which logs use.
            pub fn to_hex(self) -> String {
                format!("{:032x}", u128::from_be_bytes(self.0))
            }
        }

        impl FromStr for $name {
            type Err = NoSecret;

            /// From 32 hexadecimal digits.
            fn from_str(text: &str) -> Result<Self, NoSecret> {
                let digits = text.len() == 2 * SECRET_BYTES && text.bytes().all(|b| b.is_ascii_hexdigit());
                let number = u128::from_str_radix(text, 16).ok().filter(|_| digits);
                number.map(|number| Self(number.to_be_bytes())).ok_or(NoSecret)
            }
        }
    )*};
}

secrets! {
    /// By which a player who lost the connection gets the same seat again: a secret between the server and
    /// one client, good for one return. On the wire it is its bytes.
    SeatToken;
    /// Who shows it is the session's host.
    HostSecret;
    /// By which a WebSocket is let into a session: what the API gives to somebody who is about to open one.
    TicketId;
    /// By what a browser is known again, so that a ban holds and results add up. Drawn by the client, which
    /// may draw another; all zeros is nobody's.
    Visitor;
}

impl Visitor {
    /// Whether the client said who it is.
    pub fn is_known(self) -> bool {
        self != Self::default()
    }
}

/// A text that is no secret of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret has 32 hexadecimal digits")]
pub struct NoSecret;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_equal_in_every_bit_or_not_at_all() {
        let token = SeatToken([7; SECRET_BYTES]);
        assert_eq!(token, SeatToken([7; SECRET_BYTES]));
        for bit in 0..SECRET_BYTES * 8 {
            let mut other = token;
            other.0[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(token, other);
        }
    }

    #[test]
    fn nobody_reads_a_token_in_a_log() {
        assert_eq!(format!("{:?}", Some(SeatToken([0xab; 16]))), "Some(SeatToken(..))");
    }

    #[test]
    fn text_is_a_secret_only_with_all_its_digits() {
        let secret = HostSecret([0xa5; SECRET_BYTES]);
        assert_eq!(secret.to_hex().parse(), Ok(secret));
        assert_eq!(HostSecret([0; 16]).to_hex().len(), 32);
        for bad in
            ["", "a5", "+5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", &"a5".repeat(17), &"g5".repeat(16)]
        {
            assert_eq!(bad.parse::<HostSecret>(), Err(NoSecret), "{bad}");
        }
    }
}
