//! What the API refuses, and how it says so: guesses, too much at once, other people's pages, bodies that are
//! none. Each story has a server of its own, on real sockets.

use server::config::Config;
use server::net::limits::{BODY_BYTES_MAX, Limits, Rate};
use server::net::refusal::Reason;
use tests::buoys::Buoys;
use tests::harness::{Running, hasty};

/// A rate of so many at once, and none after that for as long as a test lasts.
fn once(burst: u32) -> Rate {
    Rate::one_per(3600.0, burst)
}

fn start(limits: Limits) -> Running {
    Running::start_empty::<Buoys>(&Config { limits, pilots: 0, ..Config::default() })
}

async fn code(running: &Running) -> String {
    let created = running.post("/api/sessions", r#"{"public":false}"#).await.expect(201);
    created["code"].as_str().expect("a code").to_owned()
}

#[tokio::test]
async fn whoever_guesses_codes_soon_learns_nothing() {
    let running = start(Limits { guess_rate: once(5), ..hasty() });
    let code = code(&running).await;
    let (look_up, play) = (format!("/api/sessions/{code}"), format!("/play/{code}"));
    let close = {
        let last = if code.ends_with('0') { '1' } else { '0' };
        format!("{}{last}", &code[..10])
    };
    running.get(&look_up).await.expect(200);
    // Each way to ask draws from the same five.
    running.get(&format!("/api/sessions/{close}")).await.problem(404);
    running.get("/api/sessions/nonsense/results").await.problem(404);
    running.post("/api/tickets", r#"{"code":"00000-00000"}"#).await.problem(404);
    assert_eq!(running.try_open(&format!("/play/{close}")).await.err(), Some(404));
    assert_eq!(
        running.try_open(&format!("/play?ticket={}", "0".repeat(32))).await.err(),
        Some(404)
    );
    // Now what is there and what is not are told alike.
    let ticket = format!(r#"{{"code":"{code}"}}"#);
    for path in [look_up.clone(), format!("/api/sessions/{close}"), format!("{look_up}/results")] {
        let refused = running.get(&path).await;
        refused.problem(429);
        let seconds: u64 = refused.header("retry-after").expect("when").parse().expect("a number");
        assert!((3000..=3600).contains(&seconds), "{seconds}");
    }
    running.post("/api/tickets", &ticket).await.problem(429);
    running.act(&code, &"0".repeat(32), r#"{"action":"end"}"#).await.problem(429);
    assert_eq!(running.try_open(&play).await.err(), Some(429));
    // Quick play is no guess.
    drop(running.try_open("/play").await.expect("a WebSocket"));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn an_address_does_only_so_much_at_once() {
    let limits =
        Limits { create_rate: once(2), chat_rate: once(3), ticket_rate: once(4), ..hasty() };
    let running = start(limits);
    let line = r#"{"name":"Ann","text":"hello"}"#;
    for (path, body, times) in
        [("/api/sessions", "{}", 2), ("/api/chat", line, 3), ("/api/tickets", "{}", 4)]
    {
        for _ in 0..times {
            assert!(running.post(path, body).await.status < 300, "{path}");
        }
        let refused = running.post(path, body).await;
        assert!(refused.problem(429).contains("try again in"), "{path}");
        assert!(refused.header("retry-after").is_some(), "{path}");
    }
    // What could not be read costs nothing of it, and the rest goes on.
    running.post("/api/sessions", r#"{"max_players":65535}"#).await.problem(422);
    running.get("/api/sessions").await.expect(200);
    running.stop().await.unwrap();

    let running = start(Limits { api_rate: once(3), ..hasty() });
    for path in ["/api/sessions", "/api/nothing", "/api/chat"] {
        assert!(running.get(path).await.status < 429);
    }
    running.get("/api/sessions").await.problem(429);
    assert_eq!(running.get("/").await.status, 200);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn only_so_many_listen_and_they_are_no_strangers() {
    let limits = Limits { max_listeners: 3, max_listeners_per_address: 2, ..hasty() };
    let running = start(limits);
    let (one, two) = (running.listen().await, running.listen().await);
    running.get("/api/sessions/events").await.problem(429);
    let list = running.get("/api/sessions").await.expect(200);
    let version = list["version"].as_u64().expect("a version");
    running.get(&format!("/api/sessions?after={version}&wait=25")).await.problem(429);
    drop((one, two));
    running.settles_at(0).await;
    let mut again = running.listen().await;
    again.next("sessions").await.expect("the list");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn other_peoples_pages_change_nothing() {
    let running = start(hasty());
    let own = format!("http://{}", running.address);
    let json = "Content-Type: application/json\r\n";
    for (origin, status) in [(own.as_str(), 201), ("http://evil.test", 403), ("null", 403)] {
        let headers = format!("{json}Origin: {origin}\r\n");
        let answer = running.ask("POST", "/api/sessions", &headers, "{}").await;
        assert_eq!(answer.status, status, "{origin}");
        assert_eq!(answer.header("access-control-allow-origin"), None);
        assert!(answer.header("vary").is_some_and(|vary| vary.contains("origin")));
    }
    let asks = "Origin: http://evil.test\r\nAccess-Control-Request-Method: POST\r\n";
    running.ask("OPTIONS", "/api/sessions", asks, "").await.problem(403);
    running.stop().await.unwrap();

    let origin = vec!["https://friend.test".parse().expect("an origin")];
    let config = Config { origin, limits: hasty(), pilots: 0, ..Config::default() };
    let running = Running::start_empty::<Buoys>(&config);
    let asks = "Origin: https://friend.test\r\nAccess-Control-Request-Method: POST\r\n\
                Access-Control-Request-Headers: content-type\r\n";
    let preflight = running.ask("OPTIONS", "/api/sessions", asks, "").await;
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.header("access-control-allow-origin"), Some("https://friend.test"));
    assert!(preflight.header("access-control-allow-headers").unwrap().contains("authorization"));
    let headers = format!("{json}Origin: https://friend.test\r\n");
    let created = running.ask("POST", "/api/sessions", &headers, "{}").await;
    created.expect(201);
    assert_eq!(created.header("access-control-allow-origin"), Some("https://friend.test"));
    let read = running.ask("GET", "/api/sessions", "Origin: http://evil.test\r\n", "").await;
    assert_eq!((read.status, read.header("access-control-allow-origin")), (200, None));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn other_peoples_pages_do_not_use_up_what_their_visitors_may_do() {
    let origin = vec!["https://friend.test".parse().expect("an origin")];
    let limits = Limits { api_rate: once(4), ..hasty() };
    let config = Config { origin, limits, pilots: 0, ..Config::default() };
    let running = Running::start_empty::<Buoys>(&config);
    let ask = async |method: &str, site: &str, mode: &str, dest: &str, more: &str| {
        let headers = format!(
            "Sec-Fetch-Site: {site}\r\nSec-Fetch-Mode: {mode}\r\nSec-Fetch-Dest: {dest}\r\n{more}"
        );
        running.ask(method, "/api/sessions", &headers, "").await
    };
    let (evil, friend) = ("Origin: http://evil.test\r\n", "Origin: https://friend.test\r\n");
    for _ in 0..3 {
        ask("GET", "cross-site", "no-cors", "image", "").await.problem(403);
        ask("GET", "cross-site", "navigate", "iframe", "").await.problem(403);
        ask("GET", "cross-site", "cors", "empty", evil).await.problem(403);
        ask("POST", "cross-site", "no-cors", "empty", evil).await.problem(403);
    }
    // Our own page, one that is named, and people who follow a link or type it.
    ask("GET", "same-origin", "cors", "empty", "").await.expect(200);
    ask("GET", "cross-site", "cors", "empty", friend).await.expect(200);
    ask("GET", "cross-site", "navigate", "document", "").await.expect(200);
    ask("GET", "none", "navigate", "document", "").await.expect(200);
    ask("GET", "same-origin", "cors", "empty", "").await.problem(429);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn bodies_that_are_none_are_problems() {
    let running = start(hasty());
    let json = "Content-Type: application/json\r\n";
    for (what, headers, body, status) in [
        ("no type", "", "{}", 415),
        ("a form", "Content-Type: application/x-www-form-urlencoded\r\n", "name=x", 415),
        ("text", "Content-Type: text/plain\r\n", "{}", 415),
        ("nothing", json, "", 400),
        ("no JSON", json, "{name:1}", 400),
        ("half of it", json, "{\"name\":", 400),
        ("a list", json, "[]", 422),
        ("an abyss", json, &"[".repeat(10_000), 400),
        ("a large number", json, "{\"tick_rate\":1e99}", 422),
        ("just too much", json, &" ".repeat(BODY_BYTES_MAX + 1), 413),
    ] {
        let answer = running.ask("POST", "/api/sessions", headers, body).await;
        assert!(!answer.problem(status).is_empty(), "{what}");
    }
    assert_eq!(running.server.common.directory.len(), 0);
    let whole = format!("{{\"name\":\"x\"{}}}", " ".repeat(BODY_BYTES_MAX - 12));
    assert_eq!(whole.len(), BODY_BYTES_MAX);
    running.post("/api/sessions", &whole).await.expect(201);
    for (method, path, status) in [
        ("GET", "/api", 404),
        ("GET", "/api/", 404),
        ("GET", "/api/nothing", 404),
        ("GET", "/api/sessions/a/b/c", 404),
        ("PUT", "/api/sessions", 405),
        ("DELETE", "/api/sessions/00000-00000", 405),
        ("PATCH", "/api/chat", 405),
        ("OPTIONS", "/api/chat", 405),
        ("TRACE", "/api/chat", 405),
    ] {
        let answer = running.ask(method, path, "", "").await;
        answer.problem(status);
        assert_eq!(answer.header("allow").is_some(), status == 405, "{method} {path}");
    }
    assert_eq!(running.ask("HEAD", "/api/sessions", "", "").await.status, 200);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_body_that_trickles_is_not_waited_for() {
    let running = start(hasty());
    let mut peer = running.connect().await;
    let head = format!(
        "POST /api/sessions HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
         Content-Length: 100\r\n\r\n{{",
        running.address
    );
    peer.send(head.as_bytes()).await;
    assert_eq!(peer.status().await, Some(408));
    peer.end().await;
    running.settles_at(0).await;
    assert_eq!(running.server.common.refusals.count(Reason::HttpTimeout), 0);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn friends_behind_one_router_may_all_watch_the_lobby() {
    let running = start(hasty());
    let mut ears = Vec::new();
    // As many as may be there without having joined anything, and more.
    for _ in 0..running.server.common.live.get().limits.max_unjoined_per_address + 1 {
        ears.push(running.listen().await);
    }
    for ear in &mut ears {
        ear.next("sessions").await.expect("the list");
    }
    running.stop().await.unwrap();
}
