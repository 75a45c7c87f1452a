//! What benchmarks measure is done once, in a small world, and the work is looked at: a benchmark of nothing is
//! fast. How long it takes is nobody's business here.

mod wasm;

use std::process::Command;
use tests::hot_path::{Outboxes, Replay, SEED, Script, Stages};

const SHIPS: u16 = 40;
const TICKS: u32 = 90;

#[test]
fn a_script_leads_the_session_and_its_stages_to_the_same_world() {
    let script = Script::record(SHIPS, TICKS);
    let (mut replay, mut stages) = (Replay::new(&script), Stages::new(&script));
    while replay.goes_on() {
        replay.tick();
        replay.hear();
        stages.tick();
        assert!(stages.world() == replay.world(), "after tick {}", replay.now());
        assert!(stages.in_view() > usize::from(SHIPS), "everybody sees more than one thing");
        assert!(stages.frame_bytes() >= 3 * usize::from(SHIPS), "a frame for everybody");
    }
    assert!(!stages.goes_on(), "both have as many ticks");
    let counts = replay.counts();
    assert_eq!(counts.frames, u64::from(SHIPS) * u64::from(TICKS), "one for each ship and tick");
    assert_eq!(counts.inputs_used, u64::from(SHIPS) * u64::from(TICKS - 1), "all but the first");
    assert_eq!((counts.frames, counts.frame_bytes), script.frames(), "as it was recorded");
}

#[test]
fn outboxes_put_everything_into_their_sockets() {
    let mut outboxes = Outboxes::new(SHIPS.into());
    for _ in 0..TICKS {
        assert_eq!(outboxes.push(), usize::from(SHIPS), "everybody takes it");
        assert_eq!(
            outboxes.take(),
            usize::from(SHIPS) * (14 + 62),
            "and finds it at the other end"
        );
    }
}

#[test]
fn decoded_frames_are_the_world() {
    let script = Script::record(SHIPS, TICKS);
    let mut stages = Stages::new(&script);
    while stages.goes_on() {
        stages.tick();
    }
    let (rules, world) = (script.rules(), stages.world());
    for player in 0..SHIPS {
        let (tick, view) = script.decode(&rules, player);
        assert_eq!(tick, TICKS);
        assert!(!view.is_empty(), "there is something in view");
        for (mine, all) in view.tables().iter().zip(world.tables()) {
            for (id, row) in mine.iter() {
                assert!(all.find(id).is_some_and(|i| all.row(i) == row), "{player}: {id}");
            }
        }
    }
}

#[test]
fn decoding_leads_to_the_same_rows_in_webassembly() {
    let script = Script::record(SHIPS, TICKS);
    let (size, frames) = script.stream_in_one(7);
    let native = determinism_wasm::decode(size, SEED, &frames);
    let (tick, rows) = script.decode(&script.rules(), 7);
    assert_eq!(native, u64::from(tick) << 32 | u64::from(rows.checksum()));
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("benches_frames");
    std::fs::write(&file, &frames).expect("room for the frames");
    const ONCE: &str = "
        const [module, size, seed, file] = process.argv.slice(1);
        console.log(require(module).decode(+size, +seed, require('fs').readFileSync(file)));
    ";
    let node = Command::new("node")
        .args(["-e", ONCE])
        .arg(wasm::build("release"))
        .args([size.to_string(), SEED.to_string()])
        .arg(&file)
        .output()
        .expect("Node.js starts");
    assert_eq!(String::from_utf8_lossy(&node.stdout).trim(), format!("{native:016x}"));
}

#[test]
fn a_script_survives_its_file() {
    let script = Script::record(30, 20);
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("benches_script");
    script.save(&file).expect("room for the script");
    assert!(Script::load(&file).expect("what was saved") == script);
    let whole = std::fs::read(&file).expect("it is there");
    std::fs::write(&file, &whole[..whole.len() - 1]).expect("room for most of it");
    assert!(Script::load(&file).is_err(), "half a script is none");
}
