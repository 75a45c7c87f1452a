//! What the integration tests share. Comes in: nothing. Goes out: [`buoys`], the second game, with
//! which the engine is tested beside the arena. Nothing here ships.

pub mod buoys;
