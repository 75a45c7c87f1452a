//! Many sessions behind one port, as people find, open and run them over the HTTP API. Each story has a
//! server of its own, on real sockets.

use serde_json::{Value, json};
use server::config::Config;
use server::net::limits::Limits;
use server::session::result::{Place, RoundResult};
use shared::wire::close::CloseCode;
use shared::wire::{Protocol, Visitor};
use std::path::PathBuf;
use std::time::Duration;
use tests::buoys::Buoys;
use tests::harness::{PATIENCE, Running, binary, hasty, hello, within};
use tests::http::result_of_nobody;
use tests::scripted::Scripted;
use tests::site::{create, listed, ticket};

/// A server without computer pilots.
fn config() -> Config {
    Config { limits: hasty(), pilots: 0, seed: Some(1), ..Config::default() }
}

fn start(config: &Config) -> Running {
    Running::start_empty::<Buoys>(config)
}

#[tokio::test]
async fn nothing_runs_until_somebody_plays_and_it_ends_when_nobody_does() {
    let running = start(&Config { idle_seconds: 1, ..config() });
    assert!(listed(&running, "nothing", <[Value]>::is_empty).await.is_empty());
    let player = running.join("Ada").await;
    let sessions = listed(&running, "a player", |s| s.len() == 1 && s[0]["players"] == 1).await;
    assert_eq!(sessions[0]["name"], "Buoys 1");
    assert_eq!(sessions[0]["max_players"], Config::MAX_PLAYERS);
    let code = sessions[0]["code"].as_str().expect("a code");
    let page = running.get(&format!("/s/{code}")).await;
    assert!(page.status == 200 && page.body.contains("<!doctype html>"));
    drop(player);
    listed(&running, "the end", <[Value]>::is_empty).await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_private_session_is_for_whoever_has_the_code() {
    let running = start(&config());
    let settings = json!({"name": "  Friends  only ", "public": false, "round_s": 60});
    let (code, _) = create(&running, settings).await;
    assert_eq!(code.len(), 11);
    let sloppy = code.to_lowercase().replace('-', "%20");
    let found = running.get(&format!("/api/sessions/{sloppy}")).await.expect(200);
    assert_eq!(found["session"]["name"], "Friends only");
    assert_eq!(
        (&found["settings"]["round_s"], &found["settings"]["public"]),
        (&json!(60), &json!(false))
    );
    let _friend = running.join_at(&format!("/play/{code}"), "Friend").await;
    // Quick play finds another.
    let (other, _) = ticket(&running, json!({})).await;
    assert_ne!(other, code);
    let sessions = listed(&running, "the other one", |s| s.len() == 1).await;
    assert_eq!(sessions[0]["code"], other.as_str());
    running.get("/api/sessions/00000-00000").await.problem(404);
    running.get("/api/sessions/no-code-at-all").await.problem(404);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_ticket_opens_one_websocket_to_its_session() {
    let running = start(&config());
    let (code, _) = create(&running, json!({"public": false})).await;
    let (ticketed, play) = ticket(&running, json!({"code": code})).await;
    assert_eq!(ticketed, code);
    let _player = running.join_at(&play, "Ada").await;
    assert_eq!(running.try_open(&play).await.err(), Some(404));
    let (_, play) = ticket(&running, json!({"code": code, "watch": true})).await;
    let _watcher = running.join_at(&play, "Grace").await;
    let path = format!("/api/sessions/{code}");
    within(PATIENCE, "both are there", async {
        loop {
            let session = running.get(&path).await.expect(200)["session"].clone();
            if session["players"] == 1 && session["spectators"] == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    running.post("/api/tickets", r#"{"code":"00000-00000"}"#).await.problem(404);
    // Whoever is not let into a session is led to another one, and to the same one for as long as nothing is wrong with it.
    let quick = async |wish: Value| {
        let ticket = running.post("/api/tickets", &wish.to_string()).await.expect(201);
        ticket["code"].as_str().expect("a code").to_owned()
    };
    let usual = quick(json!({})).await;
    let other = quick(json!({"not": [usual, "nonsense"]})).await;
    assert_ne!(usual, other);
    assert_eq!(quick(json!({"not": [other]})).await, usual);
    running.post("/api/tickets", &json!({"not": vec!["x"; 17]}).to_string()).await.problem(422);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn quick_play_fills_a_session_before_it_opens_another() {
    let limits = Limits { ticket_life: Duration::from_secs(60), ..hasty() };
    let running = start(&Config { max_players: 2, limits, ..config() });
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(ticket(&running, json!({})).await);
    }
    assert_eq!(codes[0].0, codes[1].0);
    assert_ne!(codes[1].0, codes[2].0);
    let sessions = listed(&running, "both", |s| s.len() == 2).await;
    let names: Vec<_> = sessions.iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Buoys 1", "Buoys 2"]);
    // Who comes in by a ticket is counted once.
    let mut players = Vec::new();
    for (_, play) in &codes {
        players.push(running.join_at(play, "Ada").await);
    }
    listed(&running, "three players", |s| {
        s.iter().map(|s| s["players"].as_u64().unwrap()).sum::<u64>() == 3
    })
    .await;
    assert_eq!(ticket(&running, json!({})).await.0, codes[2].0);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn an_expired_ticket_gives_its_place_back() {
    let limits = Limits { ticket_life: Duration::from_millis(1), ..hasty() };
    let running = start(&Config { max_players: 1, limits, ..config() });
    let (code, play) = ticket(&running, json!({})).await;
    tokio::time::sleep(Duration::from_millis(2)).await;
    assert_eq!(ticket(&running, json!({})).await.0, code);
    assert_eq!(running.try_open(&play).await.err(), Some(404));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn the_host_runs_the_session_and_nobody_else_does() {
    let running = start(&config());
    let (code, secret) = create(&running, json!({"name": "Mine"})).await;
    let mut player = running.join_at(&format!("/play/{code}"), "Guest").await;
    let act = |secret: &str, action: Value| {
        let (secret, action) = (secret.to_owned(), action.to_string());
        let (running, code) = (&running, &code);
        async move { running.act(code, &secret, &action).await }
    };
    let lock = json!({"action": "lock", "locked": true});
    let refusals = ["", "x", &"0".repeat(32), &secret[1..], &format!("{secret}0")];
    let mut said = Vec::new();
    for wrong in refusals {
        said.push(act(wrong, lock.clone()).await.problem(403));
    }
    said.dedup();
    assert_eq!(said.len(), 1, "the same answer to everybody: {said:?}");
    act(&secret, lock).await.expect(204);
    act(&secret, json!({"action": "rename", "name": "Ours"})).await.expect(204);
    act(&secret, json!({"action": "rename", "name": " "})).await.problem(422);
    act(&secret, json!({"action": "kick", "player": 999})).await.problem(404);
    act(&secret, json!({"action": "dance"})).await.problem(422);
    let mut settings =
        running.get(&format!("/api/sessions/{code}")).await.expect(200)["settings"].clone();
    settings["round_s"] = json!(120);
    act(&secret, json!({"action": "change", "settings": settings})).await.expect(204);
    let mut faster = settings.clone();
    faster["tick_rate"] = json!(60);
    act(&secret, json!({"action": "change", "settings": faster})).await.problem(422);
    settings["pilots"] = json!({"always": 201});
    let said = act(&secret, json!({"action": "change", "settings": settings})).await.problem(422);
    assert!(said.contains("pilots") && said.contains("200"), "{said}");
    let now = running.get(&format!("/api/sessions/{code}")).await.expect(200);
    assert_eq!(
        (&now["settings"]["round_s"], &now["settings"]["tick_rate"]),
        (&json!(120), &json!(30))
    );
    listed(&running, "its new name", |s| s[0]["name"] == "Ours" && s[0]["locked"] == true).await;
    let mut late = running.try_open(&format!("/play/{code}")).await.expect("a WebSocket");
    late.send(&binary(&hello("Late"))).await;
    assert_eq!(late.closing().await.expect("a close frame").0, CloseCode::Locked.code());
    act(&secret, json!({"action": "end"})).await.expect(204);
    let (ended, why) = player.closing().await.expect("a close frame");
    assert_eq!(ended, CloseCode::Ended.code(), "{why}");
    listed(&running, "nothing", <[Value]>::is_empty).await;
    running.get(&format!("/api/sessions/{code}")).await.problem(404);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn settings_beyond_reason_are_refused_with_a_sentence() {
    let running = start(&Config { max_players: 10, ..config() });
    for (settings, part) in [
        (json!({"max_players": 11}), "max_players is 11, but at most 10"),
        (json!({"pilots": {"always": 201}}), "pilots is 201, but at most 200"),
        (json!({"max_spectators": 257}), "max_spectators is 257"),
        (json!({"tick_rate": 9}), "tick_rate is 9"),
        (json!({"round_s": 19}), "round_s is 19"),
        (json!({"name": "\u{200b}"}), "name has 1 to 24"),
        (json!({"name": 7}), "name: invalid type"),
        (json!({"pilots": {"always": "all"}}), "pilots.always: invalid type"),
        (json!({"nam": "x"}), "unknown field `nam`"),
        (json!({"mode": "chess"}), "unknown variant `chess`"),
        (json!({"game": {"size": 1}}), "game"),
    ] {
        let said = running.post("/api/sessions", &settings.to_string()).await.problem(422);
        assert!(said.contains(part), "{settings}: {said}");
    }
    // The usual number is as many as there may be.
    let (code, _) = create(&running, json!({})).await;
    let found = running.get(&format!("/api/sessions/{code}")).await.expect(200);
    assert_eq!(found["session"]["max_players"], 10);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn what_nobody_says_is_as_the_operator_has_set_it() {
    let running = start(&Config {
        tick_rate: 20,
        rewind_ms: 50,
        pilots: 3,
        round_seconds: 60,
        seed: Some(7),
        ..config()
    });
    let offer = running.get("/api/settings").await.expect(200);
    assert_eq!(
        offer["most"],
        json!({"max_players": 1024, "max_spectators": 256, "pilots": 200, "tick_rate": 60})
    );
    assert_eq!(
        offer["usual"]["game"],
        json!({"coins_to_win": 0, "fathoms": 0, "in_full_view": false}),
        "the game's own, by name"
    );
    let (code, _) = create(&running, json!({"round_s": 90})).await;
    let settings =
        running.get(&format!("/api/sessions/{code}")).await.expect(200)["settings"].clone();
    let mut usual = offer["usual"].clone();
    usual["round_s"] = json!(90);
    // What nobody chose of the game's is for its rules to say, those of a later build as well.
    usual["game"] = json!({});
    assert_eq!(settings, usual);
    let set = ["tick_rate", "rewind_ms", "pilots", "seed", "name"].map(|name| &settings[name]);
    let those = [json!(20), json!(50), json!({"fill_up_to": 3}), json!(null), json!("Buoys")];
    assert_eq!(set, those.each_ref(), "a seed is for the arena of quick play");
    let said = running.post("/api/sessions", r#"{"tick_rate": 61}"#).await.problem(422);
    assert!(said.contains("tick_rate is 61, but at most 60"), "{said}");
    // What a change leaves out stays, also where it is not the usual.
    let (code, secret) = create(&running, json!({"max_players": 9})).await;
    let change = json!({"action": "change", "settings": {"round_s": 120}}).to_string();
    assert_eq!(running.act(&code, &secret, &change).await.status, 204);
    let more = r#"{"action":"kick","player":1,"reason":"why not"}"#;
    assert!(running.act(&code, &secret, more).await.problem(422).contains("reason"));
    let settings =
        running.get(&format!("/api/sessions/{code}")).await.expect(200)["settings"].clone();
    let set = ["round_s", "max_players", "tick_rate"].map(|name| settings[name].clone());
    assert_eq!(set, [json!(120), json!(9), json!(20)]);
    running.stop().await.unwrap();

    // Unless the operator has more.
    let running = start(&Config { tick_rate: 100, ..config() });
    assert_eq!(running.get("/api/settings").await.expect(200)["most"]["tick_rate"], 100);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn there_are_only_so_many_sessions_and_visitors_may_be_kept_from_opening_any() {
    let running = start(&Config { max_sessions: 1, max_players: 1, ..config() });
    let (code, secret) = create(&running, json!({})).await;
    let refused = running.post("/api/sessions", "{}").await;
    assert!(refused.problem(503).contains("taken") && refused.header("retry-after").is_some());
    let _only = running.join("Only").await;
    listed(&running, "a full session", |s| s[0]["players"] == 1).await;
    running.post("/api/tickets", "{}").await.problem(503);
    assert_eq!(running.try_open("/play").await.err(), Some(503));
    running.act(&code, &secret, r#"{"action":"end"}"#).await.expect(204);
    listed(&running, "nothing", <[Value]>::is_empty).await;
    create(&running, json!({})).await;
    running.stop().await.unwrap();

    let running = start(&Config { open_sessions: false, ..config() });
    running.post("/api/sessions", "{}").await.problem(403);
    ticket(&running, json!({})).await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_session_that_breaks_takes_nobody_along() {
    let running = start(&config());
    let (code, _) = create(&running, json!({})).await;
    let mut spared = running.join_at(&format!("/play/{code}"), "Spared").await;
    let broken = Scripted { breaks: true, ..Scripted::default() };
    let entry = running.server.common.directory.adopt(broken, Protocol::of::<Buoys>());
    let path = format!("/play/{}", entry.code);
    let mut unlucky = running.try_open(&path).await.expect("a WebSocket");
    unlucky.send(&binary(&hello("Unlucky"))).await;
    let (closed, why) = unlucky.closing().await.expect("a close frame");
    assert_eq!(closed, CloseCode::Internal.code(), "{why}");
    let left = listed(&running, "one left", |s| s.len() == 1).await;
    assert_eq!(left[0]["code"], code.as_str());
    assert_ne!(spared.frame().await.expect("it goes on").0, 8);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn news_come_through_the_event_stream_and_through_long_polls() {
    // A stop that waited for listeners would take longer than this test.
    let (heartbeat, stop_wait) = (Duration::from_millis(50), 2 * PATIENCE);
    let limits = Limits { heartbeat, stop_wait, ..hasty() };
    let running = start(&Config { limits, ..config() });
    let mut ear = running.listen().await;
    ear.until("retry: ").await;
    let first = ear.next("sessions").await.expect("the list at once");
    assert_eq!(first["sessions"], json!([]));
    let version = first["version"].as_u64().expect("a version");
    let path = format!("/api/sessions?after={version}&wait=25");
    let poll = running.get(&path);
    let change = async {
        ear.until(": still here").await;
        create(&running, json!({"name": "New"})).await;
        ear.next("sessions").await.expect("a new list")
    };
    let (polled, heard) = tokio::join!(poll, change);
    let polled = polled.expect(200);
    for list in [&polled, &heard] {
        assert_eq!(list["sessions"][0]["name"], "New");
        assert!(list["version"].as_u64() > Some(version));
    }
    running.post("/api/chat", r#"{"name":"<b>Ann</b>","text":" hello \u0007 "}"#).await.expect(204);
    let line = ear.next("chat").await.expect("a line");
    assert_eq!((&line["name"], &line["text"]), (&json!("<b>Ann</b>"), &json!("hello")));
    let lines = running.get("/api/chat").await.expect(200);
    assert_eq!(lines["lines"][0], line);
    running.get("/api/sessions?wait=26").await.problem(400);
    let waits = running.get("/api/sessions?after=0&wait=25").await.expect(200);
    assert_eq!(waits["sessions"].as_array().map(Vec::len), Some(1), "another version is no wait");
    // A stopping server waits for no listener.
    within(PATIENCE, "stopping", async {
        let ((), stopped) = tokio::join!(ear.end(), running.stop());
        stopped.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_event_stream_ends_before_its_connections_time() {
    let limits = Limits { http_wait: Duration::from_millis(5_300), ..hasty() };
    let running = start(&Config { limits, ..config() });
    let mut ear = running.listen().await;
    within(PATIENCE, "the end", ear.end()).await;
    use server::net::refusal::Reason;
    assert_eq!(running.server.common.refusals.count(Reason::HttpTimeout), 0);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn results_and_leaderboard_are_there_after_a_restart() {
    let folder: PathBuf =
        std::env::temp_dir().join(format!("gamekeeper-api-{}", std::process::id()));
    let config = Config { data: Some(folder.clone()), ..config() };
    let place = |name: &str, visitor: u8, score: i32| Place {
        place: 1,
        player: visitor.into(),
        name: name.into(),
        computer: visitor == 0,
        team: 0,
        score,
        figures: [("kills".to_owned(), 3), ("deaths".to_owned(), 1)].into(),
        visitor: Visitor([visitor; 16]),
    };
    let result = RoundResult {
        places: vec![place("Ann", 1, 30), place("Pilot", 0, 20)],
        ..result_of_nobody().result
    };
    let running = start(&config);
    let scripted = Scripted { results: vec![result], ..Scripted::default() };
    let entry = running.server.common.directory.adopt(scripted, Protocol::of::<Buoys>());
    let own = format!("/api/sessions/{}/results", entry.code);
    let results = within(PATIENCE, "a result", async {
        loop {
            let results = running.get(&own).await.expect(200)["results"].clone();
            if results != json!([]) {
                return results;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    assert_eq!(results[0]["places"][0]["figures"]["kills"], 3);
    assert!(!results.to_string().contains("visitor"));
    running.stop().await.unwrap();

    let running = start(&config);
    assert_eq!(running.get(&own).await.expect(200)["results"], results);
    assert_eq!(running.get("/api/results").await.expect(200)["results"], results);
    let of_round = async |round| running.get(&format!("{own}?round={round}")).await;
    assert_eq!(of_round("1").await.expect(200)["results"], results);
    of_round("2").await.problem(404);
    of_round("first").await.problem(400);
    for period in ["day", "week", "all"] {
        let board = running.get(&format!("/api/leaderboard?period={period}")).await.expect(200);
        assert_eq!(board["rows"].as_array().map(Vec::len), Some(1), "{board}");
        assert_eq!(
            (&board["rows"][0]["name"], &board["rows"][0]["score"]),
            (&json!("Ann"), &json!(30))
        );
        assert_eq!(board["rows"][0]["figures"], json!({"kills": 3, "deaths": 1}));
    }
    running.get("/api/leaderboard?period=year").await.problem(400);
    running.get("/api/leaderboard?limit=0").await.problem(400);
    running.stop().await.unwrap();
    std::fs::remove_dir_all(folder).expect("it was made");
}

#[tokio::test]
async fn quick_play_is_as_the_host_has_it() {
    let config = Config { teams: 3, max_spectators: 0, spectator_delay_seconds: 4, ..config() };
    let running = start(&config);
    let usual = running.get("/api/settings").await.expect(200)["usual"].clone();
    let told = ["mode", "teams", "max_spectators", "spectator_delay_s"].map(|name| &usual[name]);
    assert_eq!(told, [&json!("teams"), &json!(3), &json!(0), &json!(4)]);
    let player = running.join_at("/play", "Ada").await;
    let list = running.get("/api/sessions").await.expect(200)["sessions"].clone();
    assert_eq!(list.as_array().map(Vec::len), Some(1));
    assert_eq!(list[0]["mode"], "teams");
    // The next one is led to the same session, as it is a usual one.
    let (code, _) = ticket(&running, json!({})).await;
    assert_eq!(list[0]["code"], code);
    drop(player);
    running.stop().await.expect("an orderly end");
}
