//! The work that a server does over and over, as it is done in a lively session, ready to be measured: in
//! benchmarks, in instructions and in allocations. Comes in: how many ships and ticks. Goes out: a
//! [`Script`] of all that clients with real brains said and were sent, which can be done again without
//! them: by a whole session ([`Replay`]), stage by stage ([`Stages`]), or as the clients' part
//! ([`Script::decode`]).

#[cfg(unix)]
mod outboxes;
mod replay;
mod script;
mod stages;

#[cfg(unix)]
pub use outboxes::Outboxes;
pub use replay::{Replay, Sink};
pub use script::Script;
pub use stages::Stages;

use shared::arena::{Arena, Settings};
use shared::game::{Game, Setup};

/// Where chance starts, in every run alike.
pub const SEED: u64 = 2026;
/// Ticks per second.
const TICK_RATE: u16 = 30;
/// Room for each ship, u²: a lively view of some 15 ships, however many there are in all.
const AREA_PER_SHIP: f32 = 129_600.0;
/// When an input arrives, in ticks after the tick that it answers.
const ANSWER_TICKS: f64 = 0.25;

type Input = <Arena as Game>::Input;
type ArenaRules = <Arena as Game>::Rules;

/// A world of so many ships, at least as large as arenas are.
fn setup(ships: u16) -> Setup<Settings> {
    let least = Settings::for_players(0).size;
    let size = ((f32::from(ships) * AREA_PER_SHIP).sqrt() as u32).max(least);
    Setup::new(Settings { size, ..Settings::default() }, SEED, TICK_RATE)
}
