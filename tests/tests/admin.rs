//! The operator's part of the API: who gets in, what they see, and what becomes of real connections when they act.

use serde_json::{Value, json};
use server::config::{Admin, Config};
use server::http::admin::TOKEN_TRIES;
use server::net::limits::Limits;
use server::net::refusal::Reason;
use std::time::Duration;
use tests::buoys::Buoys;
use tests::harness::{Bystander, Peer, Running, binary, eventually, hasty, hello};
use tests::http::{Answer, Ear};
use tokio::net::TcpSocket;

const TOKEN: &str = "the-token-of-this-test";

/// A server with an operator, and one session in which nobody flies.
fn start() -> Running {
    start_with(hasty())
}

fn start_with(limits: Limits) -> Running {
    let admin = Admin { admin_token: TOKEN.parse().ok(), ..Admin::default() };
    let config = Config { limits, admin, pilots: 0, seed: Some(1), ..Config::default() };
    Running::start_with(&config, server::open::<Buoys>(&config).expect("settings that make sense"))
}

fn shows(token: &str) -> String {
    format!("Content-Type: application/json\r\nAuthorization: Bearer {token}\r\n")
}

async fn see(running: &Running, path: &str) -> Answer {
    running.ask("GET", &format!("/api/admin{path}"), &shows(TOKEN), "").await
}

async fn act(running: &Running, action: Value) -> Answer {
    running.ask("POST", "/api/admin/actions", &shows(TOKEN), &action.to_string()).await
}

/// The code of the one session.
async fn code(running: &Running) -> String {
    let overview = see(running, "/overview").await.expect(200);
    overview["sessions"][0]["code"].as_str().expect("a session").to_owned()
}

/// The lines of people in a session, once there are so many.
async fn people(running: &Running, code: &str, count: usize) -> Vec<Value> {
    for _ in 0..500 {
        let inside = see(running, &format!("/sessions/{code}")).await.expect(200);
        let people = inside["people"].as_array().expect("a list").clone();
        if people.len() == count {
            return people;
        }
    }
    panic!("never were there {count}");
}

fn number_of(people: &[Value], name: &str) -> u64 {
    let line = people.iter().find(|line| line[1] == name);
    line.unwrap_or_else(|| panic!("{name} in {people:?}"))[0].as_u64().expect("a number")
}

/// A connection that comes from another address of this machine.
async fn connect_from(running: &Running, from: &str) -> std::io::Result<Peer> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(format!("{from}:0").parse().expect("an address"))?;
    Ok(Peer::of(socket.connect(running.address).await?))
}

/// Somebody who joins from there; the welcome is read.
async fn join_from(running: &Running, from: &str, name: &str) -> Peer {
    let mut peer = connect_from(running, from).await.expect("a connection");
    peer.send(&running.handshake()).await;
    assert_eq!(peer.status().await, Some(101));
    peer.send(&binary(&hello(name))).await;
    let (opcode, _) = peer.frame().await.expect("a welcome");
    assert_eq!(opcode, 2);
    peer
}

async fn listen(running: &Running, query: &str) -> Ear {
    let request = format!(
        "GET /api/admin/events{query} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n",
        running.address
    );
    let mut peer = running.connect().await;
    peer.send(request.as_bytes()).await;
    let head = peer.head().await.expect("an answer").to_ascii_lowercase();
    assert!(head.contains(" 200 ") && head.contains("text/event-stream"), "{head}");
    Ear::of(peer)
}

#[tokio::test]
async fn without_a_token_in_the_settings_nothing_is_there() {
    let running = Running::start(hasty());
    for (method, path) in [
        ("GET", "/api/admin"),
        ("GET", "/api/admin/overview"),
        ("GET", "/api/admin/events"),
        ("POST", "/api/admin/actions"),
        ("DELETE", "/api/admin/bans"),
    ] {
        let answer = running.ask(method, path, &shows(TOKEN), "").await;
        let unknown = running.get("/api/unknown").await;
        let sentence = answer.problem(404);
        assert_eq!(sentence.replace(path, "/api/unknown"), unknown.problem(404), "{method} {path}");
    }
    let page = running.get("/admin").await;
    assert_eq!((page.status, page.body), (404, running.get("/nothing").await.body));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn only_who_shows_the_token_gets_in() {
    let running = start();
    assert_eq!(running.get("/admin").await.status, 200);
    let missing = running.get("/api/admin/overview").await;
    assert_eq!(missing.header("www-authenticate"), Some("bearer"));
    missing.problem(401);
    // Neither more nor less than the token, nor a second one beside it, nor one in the address.
    for headers in [
        shows(""),
        shows(&TOKEN[1..]),
        shows(&format!("{TOKEN}x")),
        format!("Authorization: Basic {TOKEN}\r\n"),
        format!("{}{}", shows(TOKEN), shows(TOKEN)),
    ] {
        running.ask("GET", "/api/admin/overview", &headers, "").await.problem(401);
    }
    running.get(&format!("/api/admin/overview?token={TOKEN}")).await.problem(401);
    see(&running, "/overview").await.expect(200);
    see(&running, "/nothing").await.problem(404);
    let foreign = format!("{}Origin: http://evil.test\r\n", shows(TOKEN));
    running.ask("POST", "/api/admin/actions", &foreign, "{}").await.problem(403);
    // What is not the token and was tried is in the audit log, and is not named there.
    let audit = see(&running, "/audit").await.expect(200).to_string();
    assert!(audit.contains("wrong token") && !audit.contains(&TOKEN[1..]), "{audit}");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn who_tries_too_many_tokens_is_refused_with_the_right_one_too() {
    let running = start();
    let mut refused = None;
    for n in 0..50 {
        let answer = running.ask("GET", "/api/admin/bans", &shows(&format!("guess-{n}")), "").await;
        if answer.status == 429 {
            refused = Some(n);
            break;
        }
        answer.problem(401);
    }
    assert_eq!(refused, Some(TOKEN_TRIES.burst as usize));
    let answer = see(&running, "/bans").await;
    assert!(answer.header("retry-after").is_some());
    answer.problem(429);
    // The game goes on for who is there, and the operator gets in from elsewhere.
    let mut elsewhere = connect_from(&running, "127.0.0.7").await.unwrap();
    let request = format!(
        "GET /api/admin/bans HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{}\r\n",
        running.address,
        shows(TOKEN)
    );
    elsewhere.send(request.as_bytes()).await;
    assert_eq!(elsewhere.status().await, Some(200));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn another_token_after_a_reload_ends_what_the_old_one_opened() {
    let running = start();
    let mut ear = listen(&running, "").await;
    ear.next("overview").await.expect("one");
    let too_short = Admin { admin_token: "short".parse().ok(), ..Admin::default() };
    assert!(running.server.operator.reload(&too_short).unwrap_err().contains("too short"));
    see(&running, "/bans").await.expect(200);
    let other =
        Admin { admin_token: "another-token-of-this-test".parse().ok(), ..Admin::default() };
    running.server.operator.reload(&other).unwrap();
    ear.end().await;
    see(&running, "/bans").await.problem(401);
    running.server.operator.reload(&Admin::default()).unwrap();
    see(&running, "/bans").await.problem(404);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn the_operator_sees_the_server_its_sessions_and_who_is_in_them() {
    let running = start();
    let code = code(&running).await;
    let mut ear = listen(&running, &format!("?session={code}&map=true")).await;
    let _bystander = Bystander::join(running.address, "Ann \"<b>\"").await;
    let mut watched = running.try_open("/play").await.expect("a WebSocket");
    watched.send(&binary(&hello("Bob"))).await;
    let (mut inside, mut lines) = (Value::Null, Vec::new());
    // A line has a rate once there were two looks at it.
    while lines.len() < 2 || lines.iter().any(|line: &Value| line[1] != "Bob" && line[7].is_null())
    {
        inside = ear.next("session").await.expect("it goes on");
        lines = inside["people"].as_array().expect("a list").clone();
    }
    let columns = inside["columns"].as_array().expect("names");
    let column = |name: &str| columns.iter().position(|found| found == name).expect("a column");
    let ann = lines.iter().find(|line| line[1] == "Ann \"<b>\"").expect("she is there");
    assert!(
        ann[column("ping_ms")].is_u64() && ann[column("bytes_per_s")].as_u64() > Some(100),
        "{ann}"
    );
    assert!(
        ann[column("age_ms")].is_u64() && ann[column("keyframes")].as_u64() >= Some(1),
        "{ann}"
    );
    assert_eq!(
        (&ann[column("address")], &ann[column("away")]),
        (&json!("127.0.0.1"), &json!(false))
    );
    assert_eq!(
        (&ann[column("flags")], &ann[column("mismatches")], &ann[column("ease")]),
        (&json!(0), &json!(0), &json!(0))
    );
    let map = ear.next("map").await.expect("it is drawn");
    let kinds = map["kinds"].as_array().expect("kinds").len();
    let entities: Vec<i64> = map["entities"]
        .as_array()
        .expect("five each")
        .iter()
        .map(|n| n.as_i64().expect("whole"))
        .collect();
    assert!(!entities.is_empty() && entities.len() % 5 == 0, "{map}");
    assert!(entities.chunks(5).all(|one| one[0] < kinds as i64 && one[4] < 360));
    let owners: Vec<_> = entities.chunks(5).map(|one| one[3]).collect();
    assert!(owners.contains(&(number_of(&lines, "Bob") as i64)), "{owners:?}");
    let overview = ear.next("overview").await.expect("it goes on");
    let session = &overview["sessions"][0];
    assert_eq!((&session["players"], &overview["players"]), (&json!(2), &json!(2)));
    assert!(
        overview["connections"].as_u64() >= Some(3)
            && overview["memory_bytes"].as_u64() > Some(1 << 20),
        "{overview}"
    );
    let history = loop {
        ear.next("overview").await.expect("it goes on");
        let past = see(&running, &format!("/history?session={code}")).await.expect(200);
        if past["samples"].as_array().expect("samples").len() >= 3 {
            break past;
        }
    };
    let names: Vec<_> =
        history["fields"].as_array().expect("names").iter().filter_map(Value::as_str).collect();
    assert_eq!(
        names,
        [
            "at",
            "players",
            "tick_median_us",
            "tick_longest_us",
            "busy_permille",
            "late",
            "dropped",
            "bytes_per_s"
        ]
    );
    let newest = history["samples"].as_array().and_then(|all| all.last()).expect("one").clone();
    assert!(newest[3].as_u64() >= newest[2].as_u64() && newest[3].as_u64() > Some(0), "{newest}");
    assert_eq!(newest[1], 2);
    let past = see(&running, "/history").await.expect(200);
    let widths = |past: &Value| {
        past["samples"]
            .as_array()
            .expect("samples")
            .iter()
            .all(|one| one.as_array().map(Vec::len) == past["fields"].as_array().map(Vec::len))
    };
    assert!(widths(&past) && widths(&history));
    // Somebody who is shown a list elsewhere sees none of it.
    let public = running.get("/api/sessions").await.body
        + &running.get(&format!("/api/sessions/{code}")).await.body;
    assert!(!public.contains("127.0.0.1"), "{public}");
    see(&running, "/sessions/00000-00000").await.problem(404);
    see(&running, "/events?session=00000-00000").await.problem(404);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn who_is_kicked_is_told_why_and_may_come_back() {
    let running = start();
    let code = code(&running).await;
    let mut bystander = Bystander::join(running.address, "Ann").await;
    let mut bob = running.join("Bob").await;
    let lines = people(&running, &code, 2).await;
    let player = number_of(&lines, "Bob");
    let kick =
        json!({"action": "kick", "session": code, "player": player, "reason": "  Be\nkind. "});
    act(&running, kick.clone()).await.expect(204);
    assert_eq!(bob.closing().await, Some((4008, "Be kind.".into())));
    bob.end().await;
    act(&running, kick).await.problem(404);
    let mut again = running.join("Bob").await;
    let lines = people(&running, &code, 2).await;
    let player = number_of(&lines, "Bob");
    act(&running, json!({"action": "kick", "session": code, "player": player})).await.expect(204);
    let (code_told, told) = again.closing().await.expect("a goodbye");
    assert!(code_told == 4008 && told.contains("operator"), "{told}");
    bystander.is_well().await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn who_is_banned_is_out_at_once_and_stays_out_until_the_time_is_over() {
    let running = start();
    let code = code(&running).await;
    let mut bystander = Bystander::join(running.address, "Ann").await;
    let mut bob = join_from(&running, "127.0.0.2", "Bob").await;
    // A connection that speaks HTTP and stays, and one that has shaken hands and not said hello.
    let mut waiting = connect_from(&running, "127.0.0.2").await.unwrap();
    waiting
        .send(format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", running.address).as_bytes())
        .await;
    assert_eq!(waiting.status().await, Some(200));
    let lines = people(&running, &code, 2).await;
    let player = number_of(&lines, "Bob");
    let own = json!({"action": "ban_player", "session": code, "player": number_of(&lines, "Ann"), "minutes": 5});
    assert!(act(&running, own).await.problem(422).contains("yourself"));
    let ban = json!({"action": "ban_player", "session": code, "player": player, "minutes": 5, "reason": "Threats"});
    act(&running, ban).await.expect(204);
    let (close, told) = bob.closing().await.expect("a goodbye");
    assert!(close == 4010 && told.ends_with("Threats"), "{close} {told}");
    waiting
        .send(format!("GET /api/sessions HTTP/1.1\r\nHost: {}\r\n\r\n", running.address).as_bytes())
        .await;
    let rest = String::from_utf8(waiting.rest().await).unwrap();
    assert!(rest.contains("HTTP/1.1 403 ") && rest.contains("banned"), "{rest}");
    // Who comes anew is not even listened to, and others are.
    let mut anew = connect_from(&running, "127.0.0.2").await.unwrap();
    anew.send(&running.handshake()).await;
    assert_eq!(anew.status().await, None);
    assert!(running.server.front.refusals.count(Reason::Banned) >= 2);
    let bans = see(&running, "/bans").await.expect(200);
    assert_eq!((&bans[0]["address"], &bans[0]["reason"]), (&json!("127.0.0.2"), &json!("Threats")));
    drop(join_from(&running, "127.0.0.3", "Eve").await);
    // Five minutes later.
    running.server.front.bans.pass(Duration::from_secs(301));
    drop(join_from(&running, "127.0.0.2", "Bob").await);
    // Banned by address, and forgiven.
    act(&running, json!({"action": "ban", "address": "127.0.0.2", "minutes": 60}))
        .await
        .expect(204);
    let mut out = connect_from(&running, "127.0.0.2").await.unwrap();
    assert_eq!(out.status().await, None);
    act(&running, json!({"action": "lift_ban", "address": "127.0.0.2"})).await.expect(204);
    drop(join_from(&running, "127.0.0.2", "Bob").await);
    act(&running, json!({"action": "lift_ban", "address": "127.0.0.2"})).await.problem(404);
    bystander.is_well().await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_ban_outlives_a_restart_where_results_do() {
    let folder = std::env::temp_dir().join(format!("gamekeeper-admin-{}", std::process::id()));
    let admin = Admin { admin_token: TOKEN.parse().ok(), ..Admin::default() };
    let config = Config {
        admin,
        data: Some(folder.clone()),
        pilots: 0,
        limits: hasty(),
        ..Config::default()
    };
    let running = Running::start_empty::<Buoys>(&config);
    act(&running, json!({"action": "ban", "address": "127.0.0.2", "minutes": 60}))
        .await
        .expect(204);
    running.stop().await.unwrap();
    let running = Running::start_empty::<Buoys>(&config);
    assert_eq!(see(&running, "/bans").await.expect(200)[0]["address"], "127.0.0.2");
    let mut out = connect_from(&running, "127.0.0.2").await.unwrap();
    assert_eq!(out.status().await, None);
    let audit = see(&running, "/audit").await.expect(200);
    assert_eq!((&audit[0]["action"], &audit[0]["address"]), (&json!("ban"), &json!("127.0.0.1")));
    running.stop().await.unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test]
async fn everybody_reads_what_is_announced() {
    let running = start();
    let code = code(&running).await;
    let mut peer = running.join("Bob").await;
    let text = "Back in five minutes.";
    act(&running, json!({"action": "announce", "text": text})).await.expect(204);
    let contains =
        |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    while !contains(&peer.frame().await.expect("it is told").1, text) {}
    act(&running, json!({"action": "announce", "text": "Here only.", "session": code}))
        .await
        .expect(204);
    while !contains(&peer.frame().await.expect("it is told").1, "Here only.") {}
    act(&running, json!({"action": "announce", "text": " \n "})).await.problem(422);
    act(&running, json!({"action": "announce", "text": "x", "session": "00000-00000"}))
        .await
        .problem(404);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn who_is_muted_is_marked_so_and_a_session_ends_when_the_operator_says_so() {
    let running = start();
    let code = code(&running).await;
    let mut ear = listen(&running, &format!("?session={code}")).await;
    let mut bob = running.join("Bob").await;
    let lines = people(&running, &code, 1).await;
    let player = number_of(&lines, "Bob");
    act(&running, json!({"action": "mute", "session": code, "player": player, "muted": true}))
        .await
        .expect(204);
    assert_eq!(people(&running, &code, 1).await[0][2], 8);
    act(&running, json!({"action": "end_session", "session": code})).await.expect(204);
    let (close, told) = bob.closing().await.expect("a goodbye");
    assert!(close == 4013 && told.contains("operator"), "{close} {told}");
    ear.next("over").await.expect("the viewer is told, and the stream goes on");
    ear.next("overview").await.expect("it goes on");
    act(&running, json!({"action": "end_session", "session": code})).await.problem(404);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn everything_done_is_in_the_audit_log_and_nothing_that_makes_no_sense_is_done() {
    let running = start();
    let mut ear = listen(&running, "").await;
    ear.next("overview").await.expect("one");
    for (action, status) in [
        (json!({"action": "dance"}), 422),
        (json!({"action": "ban", "address": "nowhere", "minutes": 5}), 422),
        (json!({"action": "ban", "address": "127.0.0.2", "minutes": 5, "forever": true}), 422),
        (json!({"action": "kick"}), 422),
    ] {
        act(&running, action).await.problem(status);
    }
    let refused = [
        json!({"action": "ban", "address": "127.0.0.2", "minutes": 0}),
        json!({"action": "ban", "address": "127.0.0.2", "minutes": 4_000_000_000_u32}),
        json!({"action": "ban", "address": "127.0.0.2", "minutes": 5, "reason": "x".repeat(5000)}),
        json!({"action": "log_filter", "filter": "info"}),
    ];
    for action in &refused {
        act(&running, action.clone()).await.problem(422);
        let deed = ear.next("audit").await.expect("it is told");
        assert!(deed["outcome"].as_str().is_some_and(|text| text.starts_with("refused")), "{deed}");
    }
    act(&running, json!({"action": "announce", "text": "Hello."})).await.expect(204);
    let deed = ear.next("audit").await.expect("it is told");
    assert_eq!(
        (&deed["action"], &deed["target"]),
        (&json!("announce"), &json!("all sessions: Hello."))
    );
    let audit = see(&running, "/audit").await.expect(200);
    let all = audit.as_array().expect("a list");
    assert_eq!((all.len(), &all[0]), (refused.len() + 1, &deed));
    assert_eq!(see(&running, "/audit?limit=2").await.expect(200).as_array().map(Vec::len), Some(2));
    assert_eq!(see(&running, "/bans").await.expect(200), json!([]));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_viewer_that_reads_nothing_costs_nobody_anything_and_a_stop_ends_all_streams() {
    let running = start();
    let code = code(&running).await;
    let mut bystander = Bystander::join(running.address, "Ann").await;
    let mute = listen(&running, &format!("?session={code}&map=true&log=true")).await;
    let mut ear = listen(&running, &format!("?session={code}&map=true")).await;
    for _ in 0..6 {
        ear.next("map").await.expect("it goes on");
    }
    bystander.is_well().await;
    drop(mute);
    let open = || running.server.front.registry.open();
    eventually("the viewer's place is free again", || open() == 2).await;
    running.stop().await.unwrap();
    ear.end().await;
}
