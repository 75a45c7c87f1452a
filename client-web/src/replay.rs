//! A recording as a page plays it: it gives the messages, in their order, that the page hands to its client. A game's
//! module hands it out, as `arena.rs` does.

use shared::game::Game;
use shared::netcode::recording::Recording;
use shared::wire::Protocol;
use wasm_bindgen::prelude::wasm_bindgen;

/// A recording that is being looked at. Ticks are counted from 0 at its beginning.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Replay(Recording);

impl Replay {
    /// Of the bytes that `/api/recordings/ID` gives, of a round of `G`. Errors with a sentence for who wanted to see it.
    pub fn of<G: Game>(bytes: Vec<u8>) -> Result<Self, String> {
        let read = Recording::read(bytes, Protocol::of::<G>().hash);
        read.map(Self).map_err(|why| why.to_string())
    }
}

#[wasm_bindgen]
impl Replay {
    /// Ticks per second.
    #[wasm_bindgen(js_name = tickRate)]
    pub fn tick_rate(&self) -> u16 {
        self.0.tick_rate()
    }

    /// How long it is.
    pub fn ticks(&self) -> u32 {
        self.0.ticks()
    }

    /// How many ticks were given.
    pub fn position(&self) -> u32 {
        self.0.position()
    }

    /// Goes to the chapter that a tick is in: what follows is for a client that says hello anew.
    pub fn seek(&mut self, tick: u32) {
        self.0.seek(tick);
    }

    /// The next message; none at the end.
    pub fn message(&mut self) -> Option<Vec<u8>> {
        self.0.next_message().map(<[u8]>::to_vec)
    }
}
