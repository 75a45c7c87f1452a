//! The binary: a server of the arena.

use server::{http, program};
use shared::arena::Arena;
use std::process::ExitCode;

fn main() -> ExitCode {
    program::main::<Arena>(&http::ARENA)
}
