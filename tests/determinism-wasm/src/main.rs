//! Prints the hashes as computed by this machine: `determinism-wasm PLAYERS TICKS SEED`, or without
//! arguments those of the functions.

use determinism_wasm::{arena_hash, functions_hash, table_hash};

fn main() {
    let numbers: Option<Vec<u32>> = std::env::args().skip(1).map(|a| a.parse().ok()).collect();
    match numbers.as_deref() {
        Some([]) => println!("{:016x}\n{:016x}", functions_hash(), table_hash()),
        Some(&[players @ 0..=0xffff, ticks, seed]) => {
            println!("{:016x}", arena_hash(players as u16, ticks, u64::from(seed)));
        }
        _ => {
            eprintln!("usage: determinism-wasm [PLAYERS TICKS SEED]");
            std::process::exit(2);
        }
    }
}
