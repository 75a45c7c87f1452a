//! What has to come out the same on every platform, as numbers. Comes in: how much to play. Goes
//! out: hashes. The same source is run natively (`main.rs`) and by Node.js in wasm32 (the two doors
//! at the end), and the test `determinism` compares.

mod decoding;
mod play;
mod trigonometry;

pub use decoding::decode;
pub use play::Play;
pub use trigonometry::{functions_hash, table_hash};

use shared::arena::{Arena, Settings};
use shared::game::Setup;

/// 64-bit FNV-1a over 32-bit words, a word at a time.
#[derive(Clone, Copy, Debug)]
pub struct Hash(u64);

impl Default for Hash {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hash {
    /// Adds a word. The shift lets high bits reach low ones, which a product alone never does.
    pub fn add(&mut self, word: u32) {
        let mixed = (self.0 ^ u64::from(word)).wrapping_mul(0x0000_0100_0000_01b3);
        self.0 = mixed ^ (mixed >> 32);
    }

    /// Adds the bits of a number; NaN has many spellings and must not come up at all.
    pub fn add_f32(&mut self, number: f32) {
        assert!(!number.is_nan(), "rules never make a NaN");
        self.add(number.to_bits());
    }

    /// The hash so far.
    pub fn value(self) -> u64 {
        self.0
    }
}

/// `ticks` ticks at 30 Hz of `players` brains in an arena of their size: a hash over every row of
/// every tick.
pub fn arena_hash(players: u16, ticks: u32, seed: u64) -> u64 {
    let settings = Settings::for_players(usize::from(players));
    let mut play = Play::<Arena>::new(Setup::new(settings, seed, 30));
    (0..players).for_each(|player| play.join(player));
    let mut hash = Hash::default();
    for _ in 0..ticks {
        play.tick();
        hash.add(play.rows().checksum());
    }
    hash.value()
}

/// The doors for JavaScript; hashes in hexadecimal, as numbers there have 53 bits.
#[cfg(target_arch = "wasm32")]
pub mod doors {
    use wasm_bindgen::prelude::wasm_bindgen;

    /// See [`super::arena_hash`].
    #[wasm_bindgen]
    pub fn arena(players: u16, ticks: u32, seed: u32) -> String {
        format!("{:016x}", super::arena_hash(players, ticks, u64::from(seed)))
    }

    /// See [`super::decode`].
    #[wasm_bindgen]
    pub fn decode(size: u32, seed: u32, frames: &[u8]) -> String {
        format!("{:016x}", super::decode(size, u64::from(seed), frames))
    }

    /// See [`super::functions_hash`].
    #[wasm_bindgen]
    pub fn functions() -> String {
        format!("{:016x}", super::functions_hash())
    }

    /// See [`super::table_hash`].
    #[wasm_bindgen]
    pub fn table() -> String {
        format!("{:016x}", super::table_hash())
    }
}
