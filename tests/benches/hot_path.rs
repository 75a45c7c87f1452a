//! The hot path piece by piece: a lively world of [`SHIPS`] ships, flown by brains, done again from its script.
//! `step`, `publish`, `interest` and `frames` are for everybody together, `decode` is one frame of one client.
//!
//! ```sh
//! cargo bench -p tests --bench hot_path              # everything
//! cargo bench -p tests --bench hot_path -- interest  # what has this in its name
//! cargo bench -p tests --bench hot_path -- wasm      # decoding here and in WebAssembly
//! cargo bench -p tests --bench hot_path -- scale     # a tick with more and more players
//! cargo bench -p tests --bench hot_path -- rooms     # a tick of one small session among more and more of them
//! ```

#[path = "../tests/wasm/mod.rs"]
mod wasm;

use criterion::{Criterion, Throughput};
use server::metrics::Stage;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tests::hot_path::{Outboxes, Replay, SEED, Script, Stages};

const SHIPS: u16 = 1000;
/// Ticks of the script; the first [`WARM_UP_TICKS`] are not measured.
const TICKS: u32 = 300;
/// Until ships have spread and met.
const WARM_UP_TICKS: u32 = 90;
/// How often a stream is decoded, natively and in WebAssembly; the middle one counts.
const ROUNDS: usize = 31;
/// Players at equal density whose ticks are compared, and ticks of their scripts.
const SCALE: [u16; 6] = [100, 200, 500, 1000, 1500, 2000];
const SCALE_TICKS: u32 = 360;
/// Until everybody has had a first ship, as so many come in a tick and no more.
const SCALE_WARM_UP_TICKS: u32 = 240;
/// Players of a small session, how many such sessions have their ticks in turns, and ticks of their script.
const ROOM: u16 = 8;
const ROOMS: [usize; 4] = [1, 16, 64, 250];
const ROOM_TICKS: u32 = 240;
const ROOM_WARM_UP_TICKS: u32 = 60;
/// How often as many ticks are done; the quickest time counts.
const ROOM_ROUNDS: usize = 3;
/// The stages of a tick, in their order.
const STAGES: [&str; 4] = ["step", "publish", "interest", "frames"];

fn main() {
    let script = Script::record(SHIPS, TICKS);
    let mut criterion = Criterion::default().sample_size(20).without_plots().configure_from_args();
    for (stage, name) in STAGES.iter().enumerate() {
        criterion.bench_function(name, |bencher| {
            let mut at = warm(&script);
            bencher.iter_custom(|ticks| (0..ticks).map(|_| tick(&script, &mut at, stage)).sum());
        });
    }
    session(&mut criterion, &script);
    checkpoint(&mut criterion, &script);
    outbox(&mut criterion);
    let (mut group, rules) = (criterion.benchmark_group("decode"), script.rules());
    group.throughput(Throughput::Elements(u64::from(TICKS)));
    group.bench_function("a client's frames", |bencher| {
        bencher.iter(|| script.decode(&rules, black_box(0)));
    });
    group.finish();
    criterion.final_summary();
    let wanted: Vec<_> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    if wants("wasm") {
        decode_in_wasm(&script);
    }
    if wants("scale") {
        scale();
    }
    if wants("rooms") {
        rooms();
    }
}

/// A message and a frame in one write into a socket that the other end keeps empty.
fn outbox(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("outbox");
    group.throughput(Throughput::Elements(u64::from(SHIPS)));
    group.bench_function("a push to everybody", |bencher| {
        let mut outboxes = Outboxes::new(SHIPS.into());
        bencher.iter_custom(|ticks| {
            let pushed = |_| {
                let start = Instant::now();
                black_box(outboxes.push());
                let took = start.elapsed();
                outboxes.take();
                took
            };
            (0..ticks).map(pushed).sum()
        });
    });
    group.finish();
}

fn warm(script: &Script) -> Stages<'_> {
    let mut stages = Stages::new(script);
    (0..WARM_UP_TICKS).for_each(|_| stages.tick());
    stages
}

/// What one of [`STAGES`] takes in the next tick; all others are done and not measured.
fn tick<'a>(script: &'a Script, at: &mut Stages<'a>, stage: usize) -> Duration {
    if !at.goes_on() {
        *at = warm(script);
    }
    at.steer();
    let stages: [fn(&mut Stages<'a>); STAGES.len()] =
        [Stages::step, Stages::publish, Stages::interest, Stages::frames];
    let mut took = Duration::ZERO;
    for (number, each) in stages.into_iter().enumerate() {
        let started = Instant::now();
        each(at);
        if number == stage {
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

/// Taking down where a session stands, and what that comes to.
fn checkpoint(criterion: &mut Criterion, script: &Script) {
    let mut replay = Replay::new(script);
    (0..WARM_UP_TICKS).for_each(|_| replay.tick());
    println!("session, checkpoint: {} bytes", replay.checkpoint().len());
    criterion.bench_function("session, checkpoint", |bencher| {
        bencher.iter(|| black_box(&replay).checkpoint());
    });
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

/// What each stage of the next tick takes.
fn stages_of(replay: &mut Replay<'_>) -> [Duration; Stage::ALL.len()] {
    let (mut took, mut last) = ([Duration::ZERO; Stage::ALL.len()], Instant::now());
    replay.tick_in_laps(&mut |stage| {
        let now = Instant::now();
        took[stage as usize] += now - last;
        last = now;
    });
    took
}

/// The heads of a table by stage, with `more` behind them.
fn print_heads(first: &str, more: &[&str]) {
    let names = Stage::LABELS.iter().chain(more);
    println!("{first:>8}{}", names.map(|name| format!("{name:>10}")).collect::<String>());
}

/// What a tick of a small session takes for each player, by stage, as there are more and more such sessions: the
/// others' ticks leave little of it in the caches. With taking everybody's input.
fn rooms() {
    let script = Script::record(ROOM, ROOM_TICKS);
    let measure = |rooms: usize| {
        let mut replays: Vec<_> = (0..rooms).map(|_| Replay::new(&script)).collect();
        let mut took = vec![Duration::ZERO; Stage::ALL.len() + 1];
        while replays[0].goes_on() {
            let measured = replays[0].now() >= ROOM_WARM_UP_TICKS;
            for replay in &mut replays {
                let stages = stages_of(replay);
                let ticked = Instant::now();
                replay.hear();
                if measured {
                    let all = stages.into_iter().chain([ticked.elapsed()]);
                    took.iter_mut().zip(all).for_each(|(sum, took)| *sum += took);
                }
            }
        }
        took.push(took.iter().sum());
        let ticks = f64::from(ROOM_TICKS - ROOM_WARM_UP_TICKS) * rooms as f64;
        let each = |took: Duration| took.as_nanos() as f64 / ticks / f64::from(ROOM);
        took.into_iter().map(each).collect::<Vec<_>>()
    };
    println!("ns per player and tick in sessions of {ROOM}:");
    print_heads("sessions", &["hear", "all"]);
    for rooms in ROOMS {
        let times = (0..ROOM_ROUNDS).map(|_| measure(rooms));
        let best = times.min_by(|a, b| a.last().partial_cmp(&b.last()).expect("times"));
        let cells: String = best.expect("rounds").iter().map(|ns| format!("{ns:>10.0}")).collect();
        println!("{rooms:>8}{cells}");
    }
}

/// What a tick takes for each player, by stage, as there are more and more of them; the worlds in turns so that a
/// slower moment of the machine is all worlds'. Of all ticks those count that took longer than a tenth of them:
/// where others work on the same cores, the middle one was interrupted.
fn scale() {
    let scripts: Vec<_> = SCALE.iter().map(|&n| Script::record(n, SCALE_TICKS)).collect();
    let mut replays: Vec<_> = scripts.iter().map(Replay::new).collect();
    let mut times = vec![vec![Vec::new(); Stage::ALL.len() + 1]; scripts.len()];
    for now in 1..=SCALE_TICKS {
        for (replay, times) in replays.iter_mut().zip(&mut times) {
            let took = stages_of(replay);
            replay.hear();
            if now > SCALE_WARM_UP_TICKS {
                let all = took.into_iter().chain([took.iter().sum()]);
                times.iter_mut().zip(all).for_each(|(times, took)| times.push(took));
            }
        }
    }
    println!("ns per player and tick:");
    print_heads("players", &["all"]);
    for (players, times) in SCALE.iter().zip(&mut times) {
        let tenth = |times: &mut Vec<Duration>| {
            times.sort_unstable();
            times[times.len() / 10].as_nanos() as f64 / f64::from(*players)
        };
        let cells: String =
            times.iter_mut().map(|times| format!("{:>10.0}", tenth(times))).collect();
        println!("{players:>8}{cells}");
    }
}
