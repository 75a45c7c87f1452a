//! What stories that are played with every game have in common.

use crate::world::World;
pub use shared::arena::Arena;
use shared::game::Game;
use shared::netcode::conditions::Conditions;

/// Runs every story with every game.
#[macro_export]
macro_rules! with_every_game {
    ($($story:ident),* $(,)?) => {
        mod buoys { $(#[test] fn $story() { super::$story::<$crate::buoys::Buoys>(); })* }
        mod arena { $(#[test] fn $story() { super::$story::<$crate::story::Arena>(); })* }
    };
}

/// Everything that must hold for every guest in every story.
pub fn assert_honest<G: Game>(world: &World<G>) {
    for (n, guest) in world.guests.iter().enumerate() {
        assert_eq!(guest.wrong, Vec::<String>::new(), "guest {n}");
        assert_eq!(guest.leaked, Vec::<String>::new(), "guest {n}");
    }
}

/// A session with so many guests, all on such a line, and computer pilots until there are so many.
pub fn crowd<G: Game>(seed: u64, line: Conditions, guests: usize, pilots: usize) -> World<G> {
    let mut world = World::<G>::new(seed, pilots);
    for n in 0..guests {
        world.join(&format!("guest {n}"), line);
    }
    world
}
