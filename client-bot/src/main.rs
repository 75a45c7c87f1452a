//! The bots' entry: players of the arena. The only file here that names the game.

use shared::arena::Arena;
use std::process::ExitCode;

fn main() -> ExitCode {
    client_bot::program::main::<Arena>()
}
