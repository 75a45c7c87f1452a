//! Installs the server as people do it, and starts it alone in an empty folder: `cargo run -p tests --bin installed`. It
//! makes a release build, which takes minutes, so it is no test; `.ci/run` does it.

use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tests::reach::Folder;

/// The server has to be well after this; else it fails.
const WELL_WITHIN: Duration = Duration::from_secs(10);
/// How often it is asked.
const ASK_EVERY: Duration = Duration::from_millis(20);

fn main() -> Result<()> {
    let (folder, home) = (Folder::new(), Folder::new());
    let installed = Command::new(env!("CARGO"))
        .args(["install", "--locked", "--quiet", "--path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../server"))
        .arg("--root")
        .arg(folder.path())
        .status()
        .context("cargo does not start")?;
    ensure!(installed.success(), "it does not install");
    let binary = folder.at("bin/server");
    let bind = format!("unix:{}", home.at("game.sock").display());
    let run = |words: &[&str]| {
        let mut command = Command::new(&binary);
        command.args(["--bind", &bind]).args(words).current_dir(home.path()).env_clear();
        command
    };
    let mut server = run(&[]).spawn().context("it does not start")?;
    let well = is_well(|| Ok(run(&["health"]).output()?.status.success()));
    let killed = Command::new("kill").arg(server.id().to_string()).status();
    let ended = server.wait()?;
    ensure!(well?, "it is not well within {WELL_WITHIN:?}");
    ensure!(killed?.success() && ended.success(), "it does not end as it should: {ended}");
    let left: Vec<_> = fs::read_dir(home.path())?.collect();
    ensure!(left.is_empty(), "it left something: {left:?}");
    println!("installed, and well by itself");
    Ok(())
}

/// Asks until the answer is yes; whether it ever was.
fn is_well(ask: impl Fn() -> Result<bool>) -> Result<bool> {
    let began = Instant::now();
    while !ask()? {
        if began.elapsed() > WELL_WITHIN {
            return Ok(false);
        }
        std::thread::sleep(ASK_EVERY);
    }
    Ok(true)
}
