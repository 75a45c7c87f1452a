//! The three scenes: how many players, in how large an arena, and what they see of it.

use clap::ValueEnum;
use shared::arena::tuning::{VIEW_HALF_HEIGHT, VIEW_HALF_WIDTH, VIEW_MARGIN};
use shared::game::Focus;

/// Ticks per second, of worlds, inputs and messages to everybody.
pub(crate) const RATE: u32 = 30;
/// From which inputs and terrain follow.
pub(crate) const SEED: u64 = 2026;

/// What is to be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scene {
    /// One room of 50 who all see all of it.
    Room50,
    /// One room of 100 who all see all of it.
    Room100,
    /// One world of 1,000 who see what is around them.
    World1000,
}

impl Scene {
    /// What the table calls it.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Room50 => "room of 50 in full view",
            Self::Room100 => "room of 100 in full view",
            Self::World1000 => "world of 1,000 with area of interest",
        }
    }

    /// Players, all in one session.
    pub(crate) const fn players(self) -> u16 {
        match self {
            Self::Room50 => 50,
            Self::Room100 => 100,
            Self::World1000 => 1000,
        }
    }

    /// Side of the arena, u: room for lively play in rooms, and in the world some 15 ships in a view, as in the
    /// scenario B of `tests/benches/frames`.
    pub(crate) const fn side(self) -> u32 {
        match self {
            Self::Room50 => 3535,
            Self::Room100 => 5000,
            Self::World1000 => 11_380,
        }
    }

    /// Whether everybody sees everything.
    pub(crate) const fn is_room(self) -> bool {
        !matches!(self, Self::World1000)
    }

    /// What somebody at a place sees: everything, or what the game shows, as it is for [`shared::arena`].
    pub(crate) fn focus(self, x: f32, y: f32) -> Focus {
        if self.is_room() {
            let half = self.side() as f32;
            return Focus { x: 0.0, y: 0.0, half_width: half, half_height: half, margin: 0.0 };
        }
        Focus {
            x,
            y,
            half_width: VIEW_HALF_WIDTH + VIEW_MARGIN,
            half_height: VIEW_HALF_HEIGHT + VIEW_MARGIN,
            margin: VIEW_MARGIN,
        }
    }
}

/// Whether a place lies within what somebody sees.
pub(crate) fn holds(focus: &Focus, x: f32, y: f32) -> bool {
    (x - focus.x).abs() <= focus.half_width && (y - focus.y).abs() <= focus.half_height
}
