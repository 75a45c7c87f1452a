//! Any game's values over time and network.
