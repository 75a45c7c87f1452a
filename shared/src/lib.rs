//! What server, bots and browser have in common. Comes in: bytes, inputs and the passing of time,
//! as arguments. Goes out: bytes and rows. Never here: I/O, a clock, a thread.
//!
//! In the order of the flow: [`wire`] turns values into bytes and back, [`game`] is the seam that a
//! game's rules are written against, [`netcode`] moves any game's values over time and network,
//! [`arena`] is the game that ships. [`checkpoint`] is for what outlives a process.

pub mod arena;
pub mod checkpoint;
pub mod game;
pub mod netcode;
pub mod wire;
