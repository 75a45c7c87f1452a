//! Any game's values over time and network. Comes in: messages, and time as an argument. Goes out:
//! messages, and rows to show. It knows the seam and the wire, never a game, a socket or a clock.
//!
//! In the order of the flow, from a key press to a picture: [`client`] takes the press and sends it,
//! [`pace`] tells for which tick and `uplink` how often, `sent` remembers it, [`inputs`] is where the server keeps it until
//! then, [`frame`] carries what came of it, [`history`] keeps what was decoded (and [`suspect`] what was found wrong), [`prediction`] runs ahead of it, and [`scene`]
//! puts all of it in one picture. [`told`] is what the client says about itself; [`conditions`]
//! makes a network bad, to see how all this bears it. [`shelf`] has rules that many clients of one process share.

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
