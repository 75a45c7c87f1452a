//! The game that ships: an arena of ships.
