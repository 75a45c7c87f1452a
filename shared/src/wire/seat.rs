//! The token by which a player who lost the connection gets the same seat again. Who knows it is that
//! player, so it is random, compared in constant time, and in no log.

use core::fmt;
use serde::{Deserialize, Serialize};

/// Bytes of a token: 128 random bits, which nobody guesses.
pub const SEAT_TOKEN_BYTES: usize = 16;

/// A secret between the server and one client, good for one return. On the wire it is its bytes.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct SeatToken(pub [u8; SEAT_TOKEN_BYTES]);

impl PartialEq for SeatToken {
    /// Looks at every byte, so that the time it takes tells nothing of where two tokens differ.
    fn eq(&self, other: &Self) -> bool {
        let bytes = self.0.iter().zip(&other.0);
        bytes.fold(0, |differences, (a, b)| differences | (a ^ b)) == 0
    }
}

impl Eq for SeatToken {}

impl fmt::Debug for SeatToken {
    /// Messages are logged and printed; a secret in them is not.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SeatToken(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_equal_in_every_bit_or_not_at_all() {
        let token = SeatToken([7; SEAT_TOKEN_BYTES]);
        assert_eq!(token, SeatToken([7; SEAT_TOKEN_BYTES]));
        for bit in 0..SEAT_TOKEN_BYTES * 8 {
            let mut other = token;
            other.0[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(token, other);
        }
    }

    #[test]
    fn nobody_reads_a_token_in_a_log() {
        assert_eq!(format!("{:?}", Some(SeatToken([0xab; 16]))), "Some(SeatToken(..))");
    }
}
