//! What outlives a process, as bytes: bincode, as on the wire, with room for a whole world. A game's part of it is
//! [`crate::game::Game::checkpoint`].

use serde::{Serialize, de::DeserializeOwned};

/// The longest that is read, in bytes: some fifty times what a world of a thousand players takes. Longer ones are none.
pub const BYTES_MAX: usize = 16 << 20;

/// `value` as bytes.
pub fn write<T: Serialize>(value: &T) -> Vec<u8> {
    let config = bincode::config::standard();
    bincode::serde::encode_to_vec(value, config).expect("our own types encode")
}

/// The value that fills `bytes` to the last one; `None` where they are something else.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let config = bincode::config::standard().with_limit::<BYTES_MAX>();
    let (value, used) = bincode::serde::decode_from_slice(bytes, config).ok()?;
    (used == bytes.len()).then_some(value)
}
