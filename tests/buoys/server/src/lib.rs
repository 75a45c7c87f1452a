//! What both of the game's programs share, and its tests.

use server::http::{Asset, Build};

/// What players open.
pub static PAGE: Build = include!(concat!(env!("OUT_DIR"), "/page.rs"));
