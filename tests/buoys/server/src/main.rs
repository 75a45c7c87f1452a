//! A server of the second game.

use buoys::Buoys;
use buoys_server::PAGE;
use std::process::ExitCode;

fn main() -> ExitCode {
    server::program::main::<Buoys>(&PAGE)
}
