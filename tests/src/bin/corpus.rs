//! Writes the seeds of libFuzzer's targets from a session that it records: `cargo run -p tests --bin corpus`.
//! What fuzzing has found stays.

use anyhow::{Context, Result};
use shared::arena::Arena;
use std::fs;
use std::path::Path;
use tests::fuzzing::{Targets, seeds::corpus_folder};

/// What the names of inputs begin with that broke something once.
const FOUND: &str = "found_";

fn main() -> Result<()> {
    for (target, seeds) in Targets::<Arena>::new().all_seeds() {
        let folder = corpus_folder(target);
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        clear(&folder)?;
        for (name, bytes) in seeds {
            write(&folder.join(name), &bytes)?;
        }
    }
    Ok(())
}

/// Removes the seeds of another day.
fn clear(folder: &Path) -> Result<()> {
    for file in fs::read_dir(folder)? {
        let file = file?;
        if !file.file_name().to_string_lossy().starts_with(FOUND) {
            fs::remove_file(file.path())?;
        }
    }
    Ok(())
}

fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(file, bytes).with_context(|| file.display().to_string())
}
