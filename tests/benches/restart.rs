//! How soon everybody plays again after the server was started anew: 500 bots in one arena, the real programs, three
//! rounds each of a server that was killed (everybody notices at once and returns within the same second) and of one that
//! was stopped well (everybody was told, and returns at a moment of their own).
//!
//! cargo build --release && cargo bench -p tests --bench restart

use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const BOTS: &str = "500";
const ROUNDS: usize = 3;
/// Bots join within a second, and then play for a while.
const BEFORE: Duration = Duration::from_secs(8);
/// From the first bot's start to the end.
const RUN: &str = "25s";

fn main() {
    if !std::env::args().any(|arg| arg == "--bench") {
        // `cargo test` runs benches once: this one needs programs that are built without it.
        return;
    }
    println!(
        "{:>8} {:>10} {:>10} {:>10} {:>10} {:>7} {:>7}",
        "", "back", "p50 ms", "max ms", "in 1 s", "late", "dropped"
    );
    for (name, signal) in [("killed", "-KILL"), ("stopped", "-TERM")] {
        for _ in 0..ROUNDS {
            let Round { back, median, longest, busiest, late, dropped } = round(signal);
            println!(
                "{name:>8} {back:>10} {median:>10.0} {longest:>10.0} {busiest:>10} {late:>7} {dropped:>7}"
            );
            assert_eq!(back.to_string(), BOTS, "everybody is back");
        }
    }
}

struct Round {
    back: u64,
    /// From the loss to the next welcome, in ms.
    median: f64,
    longest: f64,
    /// Players who were let in within the busiest second.
    busiest: usize,
    late: String,
    dropped: String,
}

fn round(signal: &str) -> Round {
    let folder = std::env::temp_dir().join(format!("gamekeeper-restart-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    // A port that is free now, and hopefully in a second too.
    let port =
        TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
    let mut server = start(&folder, port, "before.log");
    let report = folder.join("report.json");
    let bots = Command::new(program("client-bot"))
        .args([
            "--url",
            &format!("127.0.0.1:{port}"),
            "--bots",
            BOTS,
            "--ramp",
            BOTS,
            "--come-back",
        ])
        .args(["--duration", RUN, "--json", report.to_str().expect("UTF-8")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut bots = bots.expect("bots");
    sleep(BEFORE);
    tell(&server, signal);
    server.wait().expect("it ends");
    let mut server = start(&folder, port, "after.log");
    bots.wait().expect("they come home");
    tell(&server, "-TERM");
    server.wait().expect("it ends");

    let report: Value =
        serde_json::from_reader(File::open(&report).expect("a report")).expect("JSON");
    let log = BufReader::new(File::open(folder.join("after.log")).expect("a log"));
    let lines: Vec<Value> =
        log.lines().filter_map(|line| serde_json::from_str(&line.ok()?).ok()).collect();
    let joins: Vec<u64> = lines
        .iter()
        .filter(|line| line["message"] == "joined")
        .filter_map(|line| line["at"].as_u64())
        .collect();
    let within = |from: &u64| joins.iter().filter(|at| (*from..from + 1000).contains(at)).count();
    let end = lines
        .iter()
        .find(|line| line["message"] == "all sessions have ended")
        .expect("the last line");
    let ticks = |name: &str| end["fields"][name].to_string();
    let round = Round {
        back: report["bots"]["returns"].as_u64().expect("how many came back"),
        median: report["way_back_ms"]["p50"].as_f64().expect("how long that took"),
        longest: report["way_back_ms"]["max"].as_f64().expect("and at most"),
        busiest: joins.iter().map(within).max().unwrap_or(0),
        late: ticks("late"),
        dropped: ticks("dropped"),
    };
    std::fs::remove_dir_all(folder).expect("it was made");
    round
}

/// Starts the server; returns once it listens.
fn start(folder: &Path, port: u16, log: &str) -> Child {
    let child = Command::new(program("server"))
        .args(["--bind", &format!("127.0.0.1:{port}"), "--log-format", "json"])
        .args(["--data", folder.join("data").to_str().expect("UTF-8")])
        .stdout(Stdio::null())
        .stderr(File::create(folder.join(log)).expect("a log"))
        .spawn()
        .expect("a server");
    let patience = Instant::now() + Duration::from_secs(10);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < patience, "it does not listen");
        sleep(Duration::from_millis(5));
    }
    child
}

fn tell(child: &Child, signal: &str) {
    Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill");
}

/// One of our programs, as built for release.
fn program(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("a program");
    let path = own.ancestors().nth(2).expect("a target folder").join(name);
    assert!(path.exists(), "{} is missing: cargo build --release", path.display());
    path
}
