//! The computer player: wanders towards buoys and throws now and then.

use super::{BOAT, BUOY, Boat, Buoy, Buoys, Keys, THROW};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg32;
use shared::game::{Brain, View};

/// Wanders towards buoys and throws now and then.
#[derive(Debug)]
pub struct Skipper(Pcg32, i32);

impl Brain<Buoys> for Skipper {
    fn new(seed: u64) -> Self {
        Self(Pcg32::seed_from_u64(seed), 0)
    }

    fn think(&mut self, _half: &i32, view: &View<'_>) -> Keys {
        if self.0.random_range(0..10) == 0 {
            self.1 = self.0.random_range(0..5);
            let mut boats = view.rows.table(BOAT).rows::<Boat>();
            let mine = boats.find(|(_, b)| b.player == i32::from(view.me.0));
            let buoy = view.rows.table(BUOY).rows::<Buoy>().next();
            if let (Some((_, boat)), Some((_, buoy))) = (mine, buoy) {
                let (dx, dy) = (buoy.x - boat.x, buoy.y - boat.y);
                self.1 = match dx.abs() > dy.abs() {
                    true => 2 - dx.signum(),
                    false => 3 - dy.signum(),
                };
            }
        }
        let throw = if self.0.random_range(0..4) == 0 { THROW } else { 0 };
        Keys { keys: self.1 | throw }
    }
}
