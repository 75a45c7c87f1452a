//! Any game's values over time and network. Comes in: messages, and time as an argument. Goes out:
//! messages, and rows to show. It knows the seam and the wire, never a game, a socket or a clock.

pub mod frame;
pub mod inputs;
