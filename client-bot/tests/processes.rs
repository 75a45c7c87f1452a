//! Bots that several processes share, on a real server.

use server::Server;
use server::config::{Config, StoppingConfig};
use server::http::ARENA;
use server::net::listener;
use shared::arena::Arena;
use std::path::PathBuf;
use std::process::Command;
use tokio::sync::oneshot;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bots_of_several_processes_play_as_those_of_one() {
    let stopping = StoppingConfig { drain_seconds: Some(0) };
    let config = Config { pilots: 0, stopping, ..Config::default() };
    let listener = listener::bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let url = listener.local_addr().expect("bound").to_string();
    let server = Server::of::<Arena>(&config, &ARENA).expect("results are kept in memory");
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server.clone().run(listener, async { drop(stopped.await) }));
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("processes.json");
    let mut program = Command::new(env!("CARGO_BIN_EXE_client-bot"));
    program.args(["--url", &url, "--bots", "5", "--processes", "2", "--duration", "4s"]);
    program.args(["--behaviour", "fight:4,churn:1", "--json"]).arg(&file);
    let output = tokio::task::spawn_blocking(move || program.output());
    let output = output.await.expect("it ran").expect("the program was built");
    drop(stop);
    serving.await.expect("no panic").expect("an orderly end");

    let json = std::fs::read_to_string(&file).expect("the report's file");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let report = String::from_utf8(output.stdout).expect("UTF-8");
    let bots = &json["bots"];
    for (what, count) in [("set_out", 5), ("connected", 5), ("failed", 0), ("thrown_out", 0)] {
        assert_eq!(bots[what], count, "{what}\n{report}");
    }
    let behaviours = json["behaviours"].as_array().expect("a list");
    let bots_of = |behaviour: &serde_json::Value| behaviour["bots"].as_u64().expect("a count");
    assert_eq!(behaviours.iter().map(bots_of).collect::<Vec<_>>(), [4, 1], "{report}");
    let frames = |of: &serde_json::Value| of["frames"].as_u64().expect("a count");
    assert!(behaviours.iter().all(|behaviour| frames(behaviour) > 0), "{report}");
    assert_eq!(behaviours.iter().map(frames).sum::<u64>(), frames(&json["totals"]), "{report}");
    for nothing in ["mismatches", "unreadable"] {
        assert_eq!(json["totals"][nothing], 0, "{nothing}\n{report}");
    }
}
