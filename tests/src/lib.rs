//! What the tests share: a second, tiny game, a network in memory, a bad line, and a browser.

pub mod browser;
pub mod buoys;
pub mod harness;
pub mod network;
pub mod relay;
pub mod world;
