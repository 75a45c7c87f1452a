//! What stories that are played with every game have in common.

use crate::world::World;
use server::session::settings::PilotCount;
use server::session::{Provided, SessionConfig};
pub use shared::arena::Arena;
use shared::game::{Game, Setup};
use shared::netcode::conditions::Conditions;
use shared::wire::{HostSecret, Rows, Visitor};

/// Runs every story with every game.
#[macro_export]
macro_rules! with_every_game {
    ($($story:ident),* $(,)?) => {
        mod buoys { $(#[test] fn $story() { super::$story::<$crate::buoys::Buoys>(); })* }
        mod arena { $(#[test] fn $story() { super::$story::<$crate::story::Arena>(); })* }
    };
}

/// Everything that must hold for every guest in every story in which nobody breaks anything.
pub fn assert_honest<G: Game>(world: &World<G>) {
    assert_truthful(world);
    for (n, guest) in world.guests.iter().enumerate() {
        let stats = guest.client.stats();
        assert_eq!((stats.refused, stats.mismatches), (0, 0), "guest {n}: {stats:?}");
        // Without a frame there is nothing that could be wrong.
        let is_in = guest.client.me().is_some();
        assert!(guest.verified > 0 || !is_in, "guest {n} saw nothing: {stats:?}");
    }
}

/// The same where somebody does: nobody takes for true what is not so, or has what is none of their business.
pub fn assert_truthful<G: Game>(world: &World<G>) {
    for (n, guest) in world.guests.iter().enumerate() {
        assert_eq!(guest.wrong, Vec::<String>::new(), "guest {n}");
        assert_eq!(guest.leaked, Vec::<String>::new(), "guest {n}");
    }
}

/// Who shows this is the host of a [`hosted`] session.
pub const SECRET: HostSecret = HostSecret([0x11; 16]);

/// An endless session that has a host, with three computer pilots.
pub fn host_config<G: Game>(seed: u64) -> SessionConfig<G::Settings> {
    let setup = Setup::new(G::Settings::default(), seed, 30);
    let pilots = PilotCount::Always(3);
    let provided = Provided { host: Some(SECRET), ..Provided::default() };
    SessionConfig { provided, pilots, ..SessionConfig::new(setup) }
}

/// Such a session with its host and two more, who are known again.
pub fn hosted<G: Game>(seed: u64) -> World<G> {
    let line = Conditions::round_trip(60.0, 10.0);
    let mut world = World::<G>::open(host_config::<G>(seed));
    world.join_as("host", line, |hello| hello.host = Some(SECRET));
    world.run(200.0);
    for n in 1..3 {
        let key = Visitor([n; 16]);
        world.join_as(&format!("guest {n}"), line, |hello| hello.visitor = key);
        world.run(200.0);
    }
    world.run(500.0);
    world
}

/// The world as everybody may know it.
pub fn public<G: Game>(world: &World<G>) -> Rows {
    let mut rows = world.session.world().now().clone();
    for (kind, _) in G::KINDS.iter().enumerate().filter(|(_, spec)| spec.private) {
        rows.table_mut(kind).clear();
    }
    rows
}

/// A guest's number in the session.
pub fn number<G: Game>(world: &World<G>, guest: usize) -> u16 {
    world.guests[guest].client.me().expect("let in").0
}

/// A session with so many guests, all on such a line, and computer pilots until there are so many.
pub fn crowd<G: Game>(seed: u64, line: Conditions, guests: usize, pilots: usize) -> World<G> {
    let mut world = World::<G>::new(seed, pilots);
    for n in 0..guests {
        world.join(&format!("guest {n}"), line);
    }
    world
}
