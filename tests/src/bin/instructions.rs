//! Counts the instructions of the hot path under callgrind, and compares them with what was counted before: a
//! figure that does not depend on how busy the machine is.
//!
//! ```sh
//! cargo run --release -p tests --bin instructions -- check    # fails where much more is done than recorded
//! cargo run --release -p tests --bin instructions -- renew    # records what is done now
//! cargo run --release -p tests --bin instructions -- count 2000 60    # another world: so many ships and ticks
//! ```

use anyhow::{Context, bail, ensure};
use clap::{Parser, Subcommand};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};
use tests::hot_path::{Replay, Script, Stages};

const SHIPS: u16 = 200;
/// Ten seconds.
const TICKS: u32 = 300;
/// By which share a count may grow before the check fails. Builds in different folders differ by less than a
/// thousandth; another version of a library may move a part by a few hundredths.
const TOLERANCE: f64 = 0.05;
/// Where the counts are kept.
const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.json");

/// What is counted: a name, and the function that does all of it and nothing else, without its crate.
const PARTS: [(&str, &str); 7] = [
    ("a session's ticks", "replay::Replay::tick"),
    ("a session's inputs", "replay::Replay::hear"),
    ("step", "stages::Stages::step"),
    ("publish and compare", "stages::Stages::publish"),
    ("interest", "stages::Stages::interest"),
    ("views and frames", "stages::Stages::frames"),
    ("decoding", "script::Script::decode"),
];

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Compare with the recorded counts.
    Check,
    /// Record the counts.
    Renew,
    /// Count in another world, to compare what each ship takes.
    Count {
        /// How many ships, 25 or more.
        ships: u16,
        /// How many ticks.
        ticks: u32,
    },
    /// Do what is counted, as a script file says.
    Work {
        /// The file.
        script: PathBuf,
    },
}

/// Instructions of each part, as one compiler makes them.
#[derive(Serialize, Deserialize)]
struct Counts {
    rustc: String,
    ships: u16,
    ticks: u32,
    instructions: BTreeMap<String, u64>,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().what {
        What::Check => check(),
        What::Renew => {
            let counts = count(SHIPS, TICKS)?;
            print(&counts, None);
            let text = serde_json::to_string_pretty(&counts)? + "\n";
            fs::write(RECORDED, text).context("the recorded counts")
        }
        What::Count { ships, ticks } => {
            print(&count(ships, ticks)?, None);
            Ok(())
        }
        What::Work { script } => {
            work(&Script::load(&script)?);
            Ok(())
        }
    }
}

/// Everything that is counted, once.
fn work(script: &Script) {
    let mut replay = Replay::new(script);
    while replay.goes_on() {
        replay.tick();
        replay.hear();
    }
    let counts = replay.counts();
    assert_eq!((counts.frames, counts.frame_bytes), script.frames(), "as it was recorded");
    let mut stages = Stages::new(script);
    while stages.goes_on() {
        stages.tick();
    }
    assert!(stages.world() == replay.world(), "stages lead where the session went");
    let rules = script.rules();
    for player in 0..script.ships {
        let (tick, rows) = script.decode(&rules, player);
        assert!(tick == script.ticks && !rows.is_empty(), "a view of the last tick");
    }
}

fn check() -> anyhow::Result<()> {
    let text = fs::read_to_string(RECORDED).context("the recorded counts")?;
    let recorded: Counts = serde_json::from_str(&text).context("the recorded counts")?;
    let counts = count(SHIPS, TICKS)?;
    ensure!((recorded.ships, recorded.ticks) == (SHIPS, TICKS), "recorded in another world");
    if counts.rustc != recorded.rustc {
        print(&counts, None);
        println!("not compared: recorded with {}, built with {}", recorded.rustc, counts.rustc);
        return Ok(());
    }
    print(&counts, Some(&recorded));
    let share = |(part, &now): (&String, &u64)| {
        let before = recorded.instructions.get(part).copied();
        before.map(|before| (part.clone(), now as f64 / before as f64))
    };
    let shares: Option<Vec<_>> = counts.instructions.iter().map(share).collect();
    let shares = shares.context("a part is not recorded yet; `renew` records it")?;
    let more: Vec<_> = shares.iter().filter(|(_, share)| *share > 1.0 + TOLERANCE).collect();
    ensure!(more.is_empty(), "more work than recorded: {more:.3?}; if it is worth it, `renew`");
    if shares.iter().any(|(_, share)| *share < 1.0 - TOLERANCE) {
        println!("less work than recorded: `renew` keeps it so");
    }
    Ok(())
}

fn print(counts: &Counts, recorded: Option<&Counts>) {
    let Counts { rustc, ships, ticks, .. } = counts;
    println!("instructions, {ships} ships, {ticks} ticks, {rustc}");
    for (part, now) in &counts.instructions {
        let before = recorded.and_then(|recorded| recorded.instructions.get(part));
        let change = before.map(|&before| (*now as f64 / before as f64 - 1.0) * 100.0);
        let change = change.map_or(String::new(), |change| format!("{change:+8.2} %"));
        let each = now / u64::from(*ticks) / u64::from(*ships);
        println!("{part:<22}{now:>14}{each:>8} per ship and tick{change}");
    }
}

/// Records a script, which needs nobody to count, and does it again under callgrind.
fn count(ships: u16, ticks: u32) -> anyhow::Result<Counts> {
    let folder = env::temp_dir().join(format!("instructions-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let counted = count_in(&folder, ships, ticks);
    fs::remove_dir_all(&folder)?;
    let rustc = Command::new("rustc").arg("-V").current_dir(env!("CARGO_MANIFEST_DIR")).output()?;
    let rustc = format!("{} for {}", String::from_utf8(rustc.stdout)?.trim(), env::consts::ARCH);
    Ok(Counts { rustc, ships, ticks, instructions: counted? })
}

fn count_in(folder: &Path, ships: u16, ticks: u32) -> anyhow::Result<BTreeMap<String, u64>> {
    let (script, out) = (folder.join("script"), folder.join("callgrind"));
    Script::record(ships, ticks).save(&script)?;
    let ran = Command::new("valgrind")
        .args(["--tool=callgrind", "--compress-strings=no", "--compress-pos=no", "--quiet"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(env::current_exe()?)
        .arg("work")
        .arg(&script)
        .status()
        .context("valgrind does not start; Debian has it in the package valgrind")?;
    ensure!(ran.success(), "the work failed under callgrind");
    let costs = costs(&fs::read_to_string(&out)?)?;
    PARTS.iter().map(|&(part, function)| Ok((part.to_owned(), find(&costs, function)?))).collect()
}

/// What each function took, with all that it called, by its name in callgrind's output.
fn costs(text: &str) -> anyhow::Result<BTreeMap<String, u64>> {
    let (mut costs, mut function) = (BTreeMap::new(), None);
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("fn=") {
            function = Some(name.to_owned());
        } else if line.starts_with(|first: char| first.is_ascii_digit())
            && let Some(function) = &function
        {
            // A line of the source, and what it took; below `calls=` it is what the call took.
            let cost = line.split(' ').nth(1).context("a line without a cost")?;
            *costs.entry(function.clone()).or_default() += cost.parse::<u64>()?;
        } else if line.starts_with("totals:") || line.starts_with("summary:") {
            function = None;
        }
    }
    Ok(costs)
}

/// The cost of the one function whose path ends so; compilers write paths of methods differently.
fn find(costs: &BTreeMap<String, u64>, function: &str) -> anyhow::Result<u64> {
    let ends = |name: &str| name.replace(['<', '>'], "").ends_with(function);
    let found: Vec<_> = costs.iter().filter(|(name, _)| ends(name)).collect();
    match found[..] {
        [(_, &cost)] => Ok(cost),
        _ => bail!("{function} is {} functions: {found:?}", found.len()),
    }
}
