//! Headless players around the real client: they join a running server like anybody else, play by the
//! game's brain, and report what they saw.
//!
//! In the order of the flow: [`config`] is what the user wants, [`address`] where to, `doors` the ways in, [`mod@line`]
//! opens one WebSocket over a `wire`, [`mix`] deals [`network`] and [`behaviour`], `held` keeps messages back
//! accordingly, `bot` is one player's life, `ending` says what the end of its line means and `coming_back` when the next
//! one is tried. [`fleet`] sends bots out and calls them back along a [`profile`], by a `roll` of those that are out,
//! [`progress`] tells how it goes meanwhile, and each second [`over_time`] takes a sample: of a `window` of times, of the server's [`metrics`], at which
//! `watched` looks, and of the `generator` itself. `tally` adds up what came back and [`report`] tells it; [`require`]
//! and [`compare`] ask it by the names of [`figures`], and [`capacity`] step by step.
//! `parts` spreads all this over several processes, each of which is a `part`, and [`program`] is all of it as a
//! program. Nothing here knows a particular game; `main.rs` names it.

pub mod address;
pub mod behaviour;
mod bot;
pub mod capacity;
mod coming_back;
pub mod compare;
pub mod config;
mod doors;
mod ending;
pub mod figures;
pub mod fleet;
mod generator;
mod held;
mod http;
pub mod line;
pub mod metrics;
pub mod mix;
pub mod network;
pub mod over_time;
mod part;
mod parts;
pub mod profile;
pub mod program;
pub mod progress;
pub mod report;
pub mod require;
mod roll;
mod tally;
mod watched;
mod window;
mod wire;
