//! What a player looks at. Comes in: the world and a player. Goes out: a rectangle.

use super::tuning as t;
use super::world::Arena;
use crate::game::{Focus, PlayerId};
use glam::Vec2;

impl Arena {
    /// Around the own ship; while there is none, around the place where the last one was lost.
    pub(super) fn focus(&self, player: PlayerId) -> Focus {
        let player = self.player_index(player).map(|index| &self.players[index]);
        let ship = player.and_then(|player| self.ship_of(player));
        let at = match ship {
            Some(index) => self.ships[index].row.place(),
            None => player.map_or(Vec2::ZERO, |p| p.pilot.place()),
        };
        Focus {
            x: at.x,
            y: at.y,
            half_width: t::VIEW_HALF_WIDTH + t::VIEW_MARGIN,
            half_height: t::VIEW_HALF_HEIGHT + t::VIEW_MARGIN,
            margin: t::VIEW_MARGIN,
        }
    }
}
