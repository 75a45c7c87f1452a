//! Bots that play the second game.

use buoys::Buoys;
use std::process::ExitCode;

fn main() -> ExitCode {
    client_bot::program::main::<Buoys>()
}
