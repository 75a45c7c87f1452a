//! Who gets in.

use super::*;

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
    let too_short = AdminConfig { admin_token: "short".parse().ok(), ..AdminConfig::default() };
    assert!(running.server.operator.reload(&too_short).unwrap_err().contains("too short"));
    see(&running, "/bans").await.expect(200);
    let other = AdminConfig {
        admin_token: "another-token-of-this-test".parse().ok(),
        ..AdminConfig::default()
    };
    running.server.operator.reload(&other).unwrap();
    ear.end().await;
    see(&running, "/bans").await.problem(401);
    running.server.operator.reload(&AdminConfig::default()).unwrap();
    see(&running, "/bans").await.problem(404);
    running.stop().await.unwrap();
}
