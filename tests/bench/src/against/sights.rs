//! How much players have in view, so that nobody wins by showing less: once a second a contender prints a line
//! `view MEAN`, with the moving entities that a player has in view, in the mean over some of the players. Whoever
//! started it reads the lines.

use super::scene::{RATE, holds};
use shared::arena::rows::{SHIP, SHOT};
use shared::arena::{Ship, Shot};
use shared::game::Focus;
use shared::wire::{Row, Rows};
use std::io::Write;

/// At how many ships one looks; at all of them in a thousand would cost more than it tells.
const SAMPLE: usize = 40;
/// What a line begins with.
const PREFIX: &str = "view ";

/// Counts and prints.
#[derive(Debug, Default)]
pub(crate) struct Sights {
    ticks: u32,
}

impl Sights {
    /// A tick is over; `focus` says what a ship at a place sees.
    pub(crate) fn tick(&mut self, rows: &Rows, focus: impl Fn(f32, f32) -> Focus) {
        self.ticks += 1;
        if !self.ticks.is_multiple_of(RATE) {
            return;
        }
        let ships = rows.table(SHIP).iter().map(|(_, row)| Ship::read(row).place());
        let shots = rows.table(SHOT).iter().map(|(_, row)| Shot::read(row).place());
        let places: Vec<_> = ships.chain(shots).collect();
        let ships = rows.table(SHIP).len();
        let looked_at = places[..ships].iter().step_by((ships / SAMPLE).max(1));
        let (mut seen, mut views) = (0, 0);
        for at in looked_at {
            let focus = focus(at.x, at.y);
            seen += places.iter().filter(|place| holds(&focus, place.x, place.y)).count();
            views += 1;
        }
        if views > 0 {
            // Nobody listens any more when the measurement is over.
            let _ = writeln!(std::io::stdout(), "{PREFIX}{:.2}", seen as f64 / f64::from(views));
        }
    }
}

/// What such a line says; nothing when it is another line.
pub(crate) fn read(line: &str) -> Option<f64> {
    line.strip_prefix(PREFIX)?.trim().parse().ok()
}
