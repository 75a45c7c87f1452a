//! The hot path piece by piece: a lively world of [`SHIPS`] ships, flown by brains, done again from its script.
//! `step`, `publish`, `interest` and `frames` are for everybody together, `decode` is one frame of one client.
//!
//! ```sh
//! cargo bench -p tests --bench hot_path              # everything
//! cargo bench -p tests --bench hot_path -- interest  # what has this in its name
//! cargo bench -p tests --bench hot_path -- wasm      # decoding here and in WebAssembly
//! ```

#[path = "../tests/wasm/mod.rs"]
mod wasm;

use criterion::{Criterion, Throughput};
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tests::hot_path::{Replay, SEED, Script, Stages};

const SHIPS: u16 = 1000;
/// Ticks of the script; the first [`WARM_UP_TICKS`] are not measured.
const TICKS: u32 = 300;
/// Until ships have spread and met.
const WARM_UP_TICKS: u32 = 90;
/// How often a stream is decoded, natively and in WebAssembly; the middle one counts.
const ROUNDS: usize = 31;

fn main() {
    let script = Script::record(SHIPS, TICKS);
    let mut criterion = Criterion::default().sample_size(20).without_plots().configure_from_args();
    let stages: [(&str, fn(&mut Stages<'_>)); 4] = [
        ("step", Stages::step),
        ("publish", Stages::publish),
        ("interest", Stages::interest),
        ("frames", Stages::frames),
    ];
    for (name, stage) in stages {
        criterion.bench_function(name, |bencher| {
            let mut at = warm(&script);
            bencher.iter_custom(|ticks| (0..ticks).map(|_| tick(&script, &mut at, stage)).sum());
        });
    }
    session(&mut criterion, &script);
    let (mut group, rules) = (criterion.benchmark_group("decode"), script.rules());
    group.throughput(Throughput::Elements(u64::from(TICKS)));
    group.bench_function("a client's frames", |bencher| {
        bencher.iter(|| script.decode(&rules, black_box(0)));
    });
    group.finish();
    criterion.final_summary();
    let wanted: Vec<_> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    if wanted.is_empty() || wanted.iter().any(|name| name == "wasm") {
        decode_in_wasm(&script);
    }
}

fn warm(script: &Script) -> Stages<'_> {
    let mut stages = Stages::new(script);
    (0..WARM_UP_TICKS).for_each(|_| stages.tick());
    stages
}

/// What one stage of the next tick takes; all other stages are done and not measured.
fn tick<'a>(script: &'a Script, at: &mut Stages<'a>, stage: fn(&mut Stages<'_>)) -> Duration {
    if !at.goes_on() {
        *at = warm(script);
    }
    at.steer();
    let all: [fn(&mut Stages<'_>); 4] =
        [Stages::step, Stages::publish, Stages::interest, Stages::frames];
    let mut took = Duration::ZERO;
    for each in all {
        let started = Instant::now();
        each(at);
        if std::ptr::fn_addr_eq(each, stage) {
            took = started.elapsed();
        }
    }
    took
}

/// Whole ticks of a session, and taking everybody's input.
fn session(criterion: &mut Criterion, script: &Script) {
    let warm = || {
        let mut replay = Replay::new(script);
        for _ in 0..WARM_UP_TICKS {
            replay.tick();
            replay.hear();
        }
        replay
    };
    let next = |replay: &mut Replay<'_>| {
        let started = Instant::now();
        replay.tick();
        let ticked = Instant::now();
        replay.hear();
        (ticked - started, ticked.elapsed())
    };
    for (name, heard) in [("session, tick", false), ("session, inputs", true)] {
        criterion.bench_function(name, |bencher| {
            let mut replay = warm();
            bencher.iter_custom(|ticks| {
                let one = |_| {
                    if !replay.goes_on() {
                        replay = warm();
                    }
                    let (ticking, hearing) = next(&mut replay);
                    if heard { hearing } else { ticking }
                };
                (0..ticks).map(one).sum()
            });
        });
    }
}

/// Decodes the same stream with the same loop here and in Node.js, in a module built as the browser's is.
fn decode_in_wasm(script: &Script) {
    const LOOP: &str = "
        const [module, size, seed, file, rounds] = process.argv.slice(1);
        const decode = require(module).decode, frames = require('fs').readFileSync(file);
        let hash, times = [];
        for (let round = 0; round < rounds; round++) {
            const started = performance.now();
            hash = decode(+size, +seed, frames);
            times.push(performance.now() - started);
        }
        times.sort((a, b) => a - b);
        console.log(hash, times[times.length >> 1]);
    ";
    let (size, frames) = script.stream_in_one(0);
    let mut times = Vec::new();
    let mut hash = 0;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        hash = determinism_wasm::decode(size, SEED, &frames);
        times.push(started.elapsed());
    }
    times.sort_unstable();
    let native = times[ROUNDS / 2].as_secs_f64() * 1000.0;
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hot_path_frames");
    fs::write(&file, &frames).expect("room for the frames");
    let ran = Command::new("node")
        .args(["-e", LOOP])
        .arg(wasm::build("web"))
        .args([size.to_string(), SEED.to_string()])
        .arg(&file)
        .arg(ROUNDS.to_string())
        .output()
        .expect("Node.js starts");
    let printed = String::from_utf8(ran.stdout).expect("hash and time are text");
    let (theirs, wasm) = printed.trim().split_once(' ').expect("hash and time");
    assert_eq!(theirs, format!("{hash:016x}"), "both decode the same");
    let wasm: f64 = wasm.parse().expect("a time");
    let each = |ms: f64| ms * 1e6 / f64::from(TICKS);
    println!("decoding {TICKS} frames of one client, {} bytes, middle of {ROUNDS}:", frames.len());
    println!("  natively {:.0} ns a frame, in WebAssembly {:.0} ns", each(native), each(wasm));
}
