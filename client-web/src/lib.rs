//! The browser's doors to netcode's client, compiled to WebAssembly. Comes in: the socket's messages,
//! what the hands do, and the page's clock. Goes out: messages for the socket, numbers to draw, and
//! news as JSON. Nothing is decided here: rules, protocol and clocks are `shared`'s, drawing is
//! `www`'s. Numbers leave as flat arrays, text only with news, which are rare.
//!
//! What all doors do is in [`player`]. There are two: the arena's, and with feature `plain` `plain::Plain`, which knows
//! a game by its field tables alone.

#[cfg(feature = "arena")]
pub mod arena;
pub mod line;
pub mod news;
pub mod panics;
#[cfg(feature = "plain")]
pub mod plain;
pub mod player;
#[cfg(feature = "arena")]
pub mod qr;
pub mod replay;
