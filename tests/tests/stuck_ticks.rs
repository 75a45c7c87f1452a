//! Rules that do not return: that is noticed, nobody new is led there, the others play on, and a stop does not wait for it.

use serde_json::{Value, json};
use server::config::Config;
use server::logging::Logs;
use server::net::limits::Limits;
use shared::wire::Protocol;
use shared::wire::message::Hello;
use std::sync::LazyLock;
use std::time::Duration;
use tests::gate;
use tests::harness::{Bystander, PATIENCE, Running, hasty, within};
use tests::http::Answer;
use tests::picky::Picky;
use tests::reach::Folder;

/// The log of this process, which has one.
static LOGS: LazyLock<Logs> =
    LazyLock::new(|| Logs::install(&Config::default()).expect("the only one"));

/// Two lanes, and no patience.
fn config() -> Config {
    let limits = Limits {
        tick_wait: Duration::from_millis(500),
        stop_wait: Duration::from_secs(1),
        ..hasty()
    };
    Config { threads: Some(2), limits, pilots: 0, ..Config::default() }
}

/// A session behind this gate, somebody who plays in it, and its host's secret.
async fn scene(running: &Running, gate: u8) -> (String, Bystander, String) {
    // Of public ones the log has the code.
    let settings = json!({ "name": "Gated", "public": true, "seed": 1, "pilots": { "fill_up_to": 0 },
        "game": { "gate": gate } });
    let made = running.post("/api/sessions", &settings.to_string()).await.expect(201);
    let text = |key: &str| made[key].as_str().expect(key).to_owned();
    let code = text("code");
    let bystander = Bystander::join_at::<Picky>(running, &format!("/play/{code}"), "Ann").await;
    (code, bystander, text("host_secret"))
}

/// What the log says of this session with these words in it.
fn lines(code: &str, words: &str) -> usize {
    let is_it = |line: &str| {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let said = line["message"].as_str().unwrap_or_default();
        line["fields"]["session"] == code && said.contains(words)
    };
    LOGS.recent().iter().filter(|line| is_it(line)).count()
}

/// Asks until the answer has this status.
async fn until_ready_is(running: &Running, status: u16) -> Answer {
    let asking = async {
        loop {
            let answer = running.ask("GET", "/readyz", "", "").await;
            if answer.status == status {
                return answer;
            }
        }
    };
    within(PATIENCE, &format!("/readyz with {status}"), asking).await
}

async fn stuck_lanes(running: &Running) -> String {
    let metrics = running.ask("GET", "/metrics", "", "").await.body;
    let line = metrics.lines().find_map(|line| line.strip_prefix("gamekeeper_lanes_stuck "));
    line.expect("a metric").to_owned()
}

#[tokio::test]
async fn a_step_that_does_not_return_is_noticed_and_nobody_is_led_there_until_it_does() {
    LazyLock::force(&LOGS);
    let running = Running::start_empty::<Picky>(&config());
    let (code, mut bystander, secret) = scene(&running, 1).await;
    let hello = || Hello::new(Protocol::of::<Picky>().hash, "Ben");
    assert_eq!(stuck_lanes(&running).await, "0");

    let shut = gate::shut(1);
    let why = until_ready_is(&running, 503).await.body;
    assert!(why.contains("does not end"), "{why}");
    assert_eq!(running.ask("GET", "/healthz", "", "").await.status, 200);
    assert_eq!(stuck_lanes(&running).await, "1");
    assert_eq!(lines(&code, "the game's step does not return"), 1);

    // Nobody gets in there, and everybody is told so.
    let path = format!("/play/{code}");
    assert_eq!(running.try_open(&path).await.err(), Some(503));
    let ticket = running.post("/api/tickets", &json!({ "code": code }).to_string()).await;
    let told = ticket.problem(503);
    assert!(told.contains("stands still"), "{told}");
    let renamed = r#"{"action":"rename","name":"Renamed"}"#;
    let told = running.act(&code, &secret, renamed).await.problem(503);
    assert!(told.contains("does not answer"), "{told}");

    // The public session with most people is that one, and the lane with less to do.
    let mut played = vec![running.welcome("/play", hello()).await];
    for _ in 0..3 {
        let other = running.post("/api/sessions", r#"{"name":"Other","seed":1}"#).await.expect(201);
        let path = format!("/play/{}", other["code"].as_str().expect("a code"));
        played.push(running.welcome(&path, hello()).await);
    }
    assert_eq!(lines(&code, "does not return"), 1, "once for all of it");

    drop(shut);
    until_ready_is(&running, 200).await;
    assert_eq!((stuck_lanes(&running).await.as_str(), lines(&code, "has ended")), ("0", 1));
    bystander.is_well().await;
    running.welcome(&path, hello()).await;
    running.stop().await.expect("an orderly end");
}

#[tokio::test]
async fn where_no_lane_gets_on_nobody_is_let_in() {
    let running = Running::start_empty::<Picky>(&Config { threads: Some(1), ..config() });
    let _scene = scene(&running, 2).await;
    let shut = gate::shut(2);
    until_ready_is(&running, 503).await;
    for (path, wish) in [("/api/tickets", "{}"), ("/api/sessions", r#"{"name":"Other"}"#)] {
        let told = running.post(path, wish).await.problem(503);
        assert!(told.contains("stands still"), "{told}");
    }
    assert_eq!(running.try_open("/play").await.err(), Some(503));
    drop(shut);
    running.stop().await.expect("an orderly end");
}

#[tokio::test]
async fn a_stop_ends_though_a_step_does_not_and_the_next_start_is_rid_of_it() {
    LazyLock::force(&LOGS);
    let folder = Folder::new();
    let config = Config { data: Some(folder.path().to_owned()), ..config() };
    let running = Running::start_empty::<Picky>(&config);
    let (code, _bystander, _) = scene(&running, 3).await;
    let shut = gate::shut(3);
    until_ready_is(&running, 503).await;
    running.stop().await.expect("it need not be told twice");
    assert_eq!(lines(&code, "it is lost"), 1);

    // A process takes its threads along, but this one goes on, and the loop has the store.
    drop(shut);
    let running = Running::start_empty::<Picky>(&config);
    until_ready_is(&running, 200).await;
    assert_eq!(running.get(&format!("/api/sessions/{code}")).await.status, 404);
    running.stop().await.expect("an orderly end");
}
