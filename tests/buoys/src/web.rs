//! The browser's module.

use crate::Buoys;
use client_web::plain::Plain;
use wasm_bindgen::prelude::wasm_bindgen;

/// A player, for the page.
#[wasm_bindgen]
pub fn play(name: &str) -> Plain {
    Plain::of::<Buoys>(name)
}
