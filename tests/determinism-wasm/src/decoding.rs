//! What a client does most of the time: it decodes frames.

use shared::arena::{Arena, Settings};
use shared::game::{Game, Setup};
use shared::netcode::history::History;

/// Decodes one player's frames, each behind its length as four bytes, little end first, in an arena of that
/// size in units: a hash over the rows that the last one leads to. Panics when these are not such frames.
pub fn decode(size: u32, seed: u64, mut frames: &[u8]) -> u64 {
    let settings = Settings { size, ..Settings::default() };
    let rules = Arena::rules(&Setup::new(settings, seed, 30)).expect("settings that make sense");
    let mut history = History::new(Arena::KINDS);
    while let Some((length, rest)) = frames.split_first_chunk() {
        let (frame, rest) = rest.split_at(u32::from_le_bytes(*length) as usize);
        history.take::<Arena>(&rules, frame).expect("an honest frame");
        frames = rest;
    }
    let (tick, rows) = history.newest().expect("a frame was decoded");
    u64::from(tick) << 32 | u64::from(rows.checksum())
}
