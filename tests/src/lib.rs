//! What the tests share: a second, tiny game, and a network in memory.

pub mod buoys;
pub mod network;
pub mod world;
