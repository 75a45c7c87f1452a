//! What the tests share: a second, tiny game, a network in memory, a bad line, a server
//! and a browser.

pub mod accessibility;
pub mod browser;
pub mod engine;
pub mod front;
pub mod fuzzing;
pub mod gate;
pub mod guest;
pub mod harness;
pub mod host;
pub mod hot_path;
pub mod http;
pub mod network;
pub mod peer;
pub mod picky;
pub mod reach;
pub mod recorded;
pub mod relay;
pub mod scripted;
pub mod site;
pub mod stopwatch;
pub mod story;
pub mod told;
pub mod world;

pub use buoys;

/// Settings under which nothing but its own player touches an entity.
pub trait Lonely: shared::game::Game {
    /// These.
    fn lonely() -> Self::Settings;
}

impl Lonely for buoys::Buoys {
    fn lonely() -> buoys::Waters {
        Default::default()
    }
}

impl Lonely for shared::arena::Arena {
    fn lonely() -> Self::Settings {
        Self::Settings { pickup_density: 0.0, ..Self::Settings::default() }
    }
}
