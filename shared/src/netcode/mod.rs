//! Any game's values over time and network. Comes in: messages, and time as an argument. Goes out:
//! messages, and rows to show. It knows the seam and the wire, never a game, a socket or a clock.
//!
//! In the order of the flow, from a key press to a picture: [`client`] takes the press, and `joined`, its part in a
//! session, sends it; `clocks` tells for which tick (each of its two is a [`pace`]) and `uplink` how often, `sent`
//! remembers it, [`inputs`] is where the server keeps it until then. [`frame`] carries what came of it, [`history`] keeps
//! what was decoded, and [`suspect`] what was found wrong. [`prediction`] remembers the inputs that are under way and judges
//! by what they were to do whether the server agreed; [`scene`] puts all of it in one picture, the own entities and what
//! flies run ahead by the same inputs; [`smoothing`] moves a picture over that was wrong.
//!
//! Beside it: [`going_on`] takes rows from one tick to the next, for frames, prediction and picture alike; [`ladder`] and
//! [`least`] are how both ends find out what a line bears; [`told`] is what the client says about itself; [`shelf`] has
//! rules that many clients of one process share; [`recording`] keeps what was sent, to be looked at again; and
//! [`conditions`] makes a network bad, to see how all this bears it.

pub mod client;
mod clocks;
pub mod conditions;
pub mod frame;
pub mod going_on;
pub mod history;
pub mod inputs;
mod joined;
pub mod ladder;
pub mod least;
pub mod pace;
pub mod prediction;
pub mod recording;
pub mod scene;
mod sent;
pub mod shelf;
pub mod smoothing;
pub mod suspect;
pub mod told;
mod uplink;
