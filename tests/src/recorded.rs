//! A round that was played without a clock, to be looked at again.

use crate::world::World;
use server::code::SessionCode;
use server::session::rounds::{RESULTS_SECONDS, WARM_UP_SECONDS};
use server::session::settings::PilotCount;
use server::session::{Provided, SessionConfig};
use server::store::{KeptResult, Store, unix_ms};
use shared::game::{Game, Setup};
use shared::netcode::conditions::Conditions;

/// How many play, of whom all but one are computer pilots.
pub const PLAYERS: u16 = 20;

/// Plays a round of so many seconds, and has a store keep its result and what it looked like; answers the session's code.
pub fn round<G: Game>(store: &Store, settings: G::Settings, seconds: u32) -> SessionCode {
    let mut world = World::<G>::open(SessionConfig {
        round_s: seconds,
        pilots: PilotCount::FillUpTo(PLAYERS),
        provided: Provided { records: true, ..Provided::default() },
        ..SessionConfig::new(Setup::new(settings, 9, 30))
    });
    world.join("Ann", Conditions::round_trip(40.0, 5.0));
    world.run(f64::from(WARM_UP_SECONDS + seconds + RESULTS_SECONDS - 1) * 1000.0);
    let code = SessionCode::random();
    let mut recorded = world.session.take_recorded();
    let afterwards = recorded.pop().expect("the last chapter");
    recorded.into_iter().for_each(|recorded| store.record(code, recorded, u64::MAX));
    for result in world.session.take_results() {
        store.keep(code, KeptResult { result, at: unix_ms(), recording: None });
    }
    store.record(code, afterwards, u64::MAX);
    code
}
