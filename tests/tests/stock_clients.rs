//! WebSocket libraries that know nothing of us: the clients in `tests/clients`, written from `docs/protocol.md`
//! alone in Python, JavaScript and bash, play for some seconds against a real server. Each bounds its own time.

use serde::Deserialize;
use server::net::refusal::Reason;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::Ordering;
use tests::browser::Driver;
use tests::harness::eventually;
use tests::host::Host;

/// The arena's side, in units, and how many players computer pilots make up: enough for frames with rows of
/// every kind.
const SIZE: u32 = 1800;
const PILOTS: usize = 8;
/// How many frames and how many inputs four seconds at 30 ticks a second have at least: on a machine so busy
/// that the line seems slow, eight ticks share a message. A client asks for a keyframe each second and gets one
/// at the start.
const MESSAGES_MIN: u32 = 4 * 30 / 8;
const KEYFRAMES_MIN: u32 = 3;
/// How far a ship gets in them at least, in units: five of its radii, whatever it runs into.
const MOVED_MIN: f64 = 80.0;

/// The line that a client prints when it is done.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    player: u16,
    name: String,
    keyframes: u32,
    deltas: u32,
    moved: f64,
    heard: bool,
    inputs: u32,
}

impl Told {
    /// Fails when the client did less than play.
    fn has_played(&self, name: &str) {
        assert_eq!(self.name, name);
        assert!(usize::from(self.player) >= PILOTS, "pilots came first: {self:?}");
        assert!(self.keyframes >= KEYFRAMES_MIN, "{self:?}");
        assert!(self.keyframes + self.deltas >= MESSAGES_MIN, "{self:?}");
        assert!(self.inputs >= MESSAGES_MIN, "{self:?}");
        assert!(self.moved >= MOVED_MIN, "{self:?}");
        assert!(self.heard, "its own line of chat: {self:?}");
    }
}

/// The repository.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("we are in it")
}

/// Where `tests/run` installs what the clients need.
fn tools() -> PathBuf {
    root().join("target/tools")
}

/// A server whose pilots fly.
async fn start() -> Host {
    let host = Host::start(SIZE, PILOTS);
    let ticks = &host.server.common.directory.ticks.ticks;
    eventually("the first tick, in which pilots come", || ticks.load(Ordering::Relaxed) > 0).await;
    host
}

/// Where the game is to be joined.
fn address(host: &Host) -> String {
    format!("ws://{}/play", host.address)
}

/// The server has refused nothing, and everybody has gone.
async fn ends_well(host: Host) {
    let common = &host.server.common;
    eventually("everybody has gone", || common.registry.open() == 0).await;
    for &reason in Reason::ALL {
        assert_eq!(common.refusals.count(reason), 0, "refused: {}", reason.label());
    }
    host.stop().await;
}

/// A program plays as `name`, which it gets as its last argument, behind the address.
async fn plays(mut program: Command, name: &'static str) {
    let host = start().await;
    program.args([&address(&host), name]);
    let ended = tokio::task::spawn_blocking(move || {
        program
            .output()
            .unwrap_or_else(|e| panic!("{program:?}: {e}; tests/run --prepare installs it"))
    });
    let output = ended.await.expect("it ran");
    let (said, failed) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(
        output.status.success(),
        "{name} failed (tests/run --prepare installs what it needs): {failed}"
    );
    let told: Told = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"));
    told.has_played(name);
    ends_well(host).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_plays() {
    let mut python = Command::new(tools().join("python/bin/python"));
    python.arg(root().join("tests/clients/python/client.py"));
    plays(python, "Ada").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_plays() {
    let mut node = Command::new("node");
    node.arg(root().join("tests/clients/node/client.mjs"));
    // It takes the package `ws` from here.
    node.current_dir(tools().join("node"));
    plays(node, "Grace").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_plays() {
    let websocat = tools().join("websocat/bin/websocat");
    assert!(websocat.exists(), "websocat is missing; tests/run --prepare installs it");
    let mut bash = Command::new("bash");
    bash.arg(root().join("tests/clients/websocat/client.sh")).env("WEBSOCAT", websocat);
    plays(bash, "Joan").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_plays() {
    let host = start().await;
    let source = std::fs::read_to_string(root().join("tests/clients/browser/client.js"));
    // What WebDriver runs is the body of a function, and a function exports nothing.
    let source = source.expect("the client").replace("export async", "async");
    let driver = Driver::start();
    let page = driver.open(800, 600, false).await;
    page.goto(&format!("http://{}/", host.address)).await;
    let script = format!(
        "{source}
         const done = arguments[arguments.length - 1];
         play(WebSocket, '{}', 'Edsger').then(done, (failure) => done(String(failure)));",
        address(&host)
    );
    let said = page.client.execute_async(&script, vec![]).await.expect("it runs");
    let told: Told = serde_json::from_value(said.clone()).unwrap_or_else(|e| panic!("{e}: {said}"));
    told.has_played("Edsger");
    page.close().await;
    drop(driver);
    ends_well(host).await;
}
