//! Sessions that move from one server of a site to another, and their players with them. Each story has two real servers.

use serde_json::json;
use server::store::{OpenSession, Store};
use shared::arena::Arena;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tests::harness::{Bystander, PATIENCE, Running, eventually, hasty, within};
use tests::http::{Answer, result_of_nobody};
use tests::reach::Folder;
use tests::site::{self, MadeUp, create, in_a_match, passed_on, see_each_other, ticket};

/// What the operator shows.
const TOKEN: &str = "fedcba9876543210";

/// Two servers that hand their sessions over to each other, with these sessions at most.
fn two_that_hand_over(max_sessions: usize) -> [Running; 2] {
    site::pair::<Arena>(|config| {
        config.site.site_secret = Some("0123456789abcdef".parse().expect("any text"));
        config.admin.admin_token = Some(TOKEN.parse().expect("any text"));
        (config.limits, config.max_sessions) = (hasty(), max_sessions);
    })
}

/// The operator of a server moves one of its sessions.
async fn operate(running: &Running, code: &str) -> Answer {
    let headers = format!("Content-Type: application/json\r\nAuthorization: Bearer {TOKEN}\r\n");
    let action = json!({"action": "move_session", "session": code}).to_string();
    running.ask("POST", "/api/admin/actions", &headers, &action).await
}

#[tokio::test]
async fn a_server_that_stops_hands_its_matches_over() {
    let [a, b] = two_that_hand_over(10);
    see_each_other(&a, &b).await;
    let (code, secret) = create(&a, json!({"name": "Us", "public": false, "round_s": 0})).await;
    let path = format!("/api/sessions/{code}");
    let play = format!("/play/{code}");
    let through = Bystander::join_at::<Arena>(&b, &play, "Ada").await;
    let mut straight = in_a_match(&a, &play).await;
    let config = (*a.server.common.live.get()).clone();
    let address = a.address;
    a.stop().await.expect("an orderly end");
    assert_eq!(through.closed().await, Some(4015));
    assert_eq!(straight.peer.closing().await.map(|closed| closed.0), Some(4015));
    // Both seats are kept there, and the host is the host.
    assert!(b.server.common.directory.get(code.parse().expect("a code")).is_some());
    let there = b.get(&path).await.expect(200);
    assert_eq!(
        (&there["session"]["name"], &there["session"]["players"]),
        (&json!("Us"), &json!(2))
    );
    let rename = r#"{"action":"rename","name":"All of us"}"#;
    assert_eq!(b.act(&code, &secret, rename).await.status, 204);
    let straight = straight.plays_on::<Arena>(&b, &play).await;
    Bystander::join_at::<Arena>(&b, &play, "Cid").await.is_well().await;

    // Back again, it knows where its session went; and nearly always before anybody can ask.
    let listener = server::net::listener::bind(address).expect("the port is free again");
    let a = Running::start_on::<Arena>(&config, listener.into());
    within(PATIENCE, "the session", async {
        while a.get(&path).await.status != 200 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    assert_eq!(a.get(&path).await.expect(200)["session"]["name"], "All of us");
    let (_, ticketed) = ticket(&a, json!({"code": code})).await;
    assert!(ticketed.ends_with("&server=B"), "{ticketed}");
    let _player = Bystander::join_at::<Arena>(&a, &ticketed, "Dee").await;
    assert_eq!(passed_on(&a), 1);

    // And gets it back.
    b.stop().await.expect("an orderly end");
    assert!(a.server.common.directory.get(code.parse().expect("a code")).is_some());
    assert_eq!(a.get(&path).await.expect(200)["session"]["name"], "All of us");
    straight.plays_on::<Arena>(&a, &play).await;
    a.stop().await.expect("an orderly end");
}

#[tokio::test]
async fn the_operator_moves_a_session_while_both_servers_go_on() {
    let [a, b] = two_that_hand_over(2);
    see_each_other(&a, &b).await;
    let (code, _) = create(&a, json!({"name": "Us", "public": false, "round_s": 0})).await;
    let play = format!("/play/{code}");
    let other = Bystander::join_at::<Arena>(&a, &play, "Ada").await;
    let mut player = in_a_match(&a, &play).await;
    assert_eq!(operate(&a, &code).await.status, 204);
    assert_eq!(other.closed().await, Some(4015));
    assert_eq!(player.peer.closing().await.map(|closed| closed.0), Some(4015));
    // The letter says A, and A knows better, as does whoever asks B.
    for running in [&a, &b] {
        let there = running.get(&format!("/api/sessions/{code}")).await.expect(200);
        assert_eq!(there["session"]["players"], 2, "the seats");
    }
    for running in [&a, &b] {
        player = player.plays_on::<Arena>(running, &play).await;
    }
    for running in [&a, &b] {
        Bystander::join_at::<Arena>(running, &play, "Ben").await.is_well().await;
    }
    operate(&a, &code).await.problem(404);
    // There is no more room there: what is here stays here, with who is in it.
    let here = a.server.common.directory.entries()[0].code;
    let player = Bystander::join_at::<Arena>(&a, &format!("/play/{here}"), "Cid").await;
    assert!(operate(&a, &here.to_string()).await.problem(503).contains("goes on here"));
    assert_eq!(player.closed().await, Some(4015));
    let status = a.get(&format!("/api/sessions/{here}")).await.expect(200)["session"].clone();
    assert_eq!(status["players"], 1, "the seat");
    a.stop().await.expect("an orderly end");
    b.stop().await.expect("an orderly end");
}

#[tokio::test]
async fn what_is_left_of_a_session_that_moved_and_ended_is_found() {
    let [a, b] = two_that_hand_over(10);
    see_each_other(&a, &b).await;
    let (code, secret) = create(&a, json!({"name": "Us", "public": false, "round_s": 0})).await;
    let mut player = Bystander::join_at::<Arena>(&a, &format!("/play/{code}"), "Ada").await;
    player.is_well().await;
    // A round that it had before, and one after.
    let had = async |running: &Running, round: u32| {
        let mut kept = result_of_nobody();
        (kept.result.round, kept.at) = (round, kept.at + u64::from(round));
        running.server.common.store.keep(code.parse().expect("a code"), kept);
        running.server.common.store.settled().await.expect("it is kept");
    };
    had(&a, 1).await;
    assert_eq!(operate(&a, &code).await.status, 204);
    had(&b, 2).await;
    // While it lives, all that it ever had is found, too.
    for running in [&a, &b] {
        let path = format!("/api/sessions/{code}/results?round=1");
        assert_eq!(running.get(&path).await.expect(200)["results"][0]["round"], 1);
    }
    assert_eq!(b.act(&code, &secret, r#"{"action":"end"}"#).await.status, 204);
    // A third server, which knows the letter and no more, is not told for ever to try again.
    let path = format!("/api/sessions/{code}");
    within(PATIENCE, "the end", async {
        while a.ask("GET", &path, "Gamekeeper-From: C\r\n", "").await.status != 404 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    for (running, from) in [(&a, ""), (&b, ""), (&a, "Gamekeeper-From: C\r\n")] {
        let answer = running.ask("GET", &format!("{path}/results"), from, "").await;
        let rounds: Vec<_> = answer.expect(200)["results"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|kept| kept["round"].clone())
            .collect();
        assert_eq!(rounds, [json!(2), json!(1)]);
        let answer = running.ask("GET", &format!("{path}/results?round=2"), from, "").await;
        assert_eq!(answer.expect(200)["results"][0]["round"], 2);
    }
    a.ask("GET", &format!("{path}/results?round=3"), "", "").await.problem(404);
    a.stop().await.expect("an orderly end");
    b.stop().await.expect("an orderly end");
}

#[tokio::test]
async fn a_session_in_which_nobody_is_moves_as_well() {
    let [a, b] = two_that_hand_over(10);
    see_each_other(&a, &b).await;
    let settings = json!({"name": "Soon", "public": false, "round_s": 120});
    let (code, secret) = create(&a, settings).await;
    let moved = operate(&a, &code).await;
    assert_eq!(moved.status, 204, "{moved:?}");
    // Whoever has the link finds it, and who opened it is its host.
    let there = b.get(&format!("/api/sessions/{code}")).await.expect(200);
    assert_eq!(
        (&there["session"]["name"], &there["settings"]["round_s"]),
        (&json!("Soon"), &json!(120))
    );
    assert_eq!(b.act(&code, &secret, r#"{"action":"lock","locked":true}"#).await.status, 204);
    a.stop().await.expect("an orderly end");
    b.stop().await.expect("an orderly end");
}

#[tokio::test]
async fn the_newest_word_says_where_a_session_is_also_when_who_said_otherwise_is_gone() {
    // B has taken it, says so once and is gone; then A has it back.
    const CODE: &str = "A2345-67890";
    let b = MadeUp::start(|_| Some(r#"{"sessions":[],"taken":["A2345-67890"]}"#)).await;
    let back = Arc::new(AtomicBool::new(false));
    let says = Arc::clone(&back);
    let a = MadeUp::start(move |path| match path {
        "/api/site/sessions" if says.load(Ordering::Relaxed) => {
            Some(r#"{"sessions":[],"taken":["A2345-67890"]}"#)
        }
        "/api/site/sessions" => Some(r#"{"sessions":[],"taken":[]}"#),
        path if path.starts_with("/api/sessions/A") => Some(r#"{"here":true}"#),
        other => panic!("{other:?}"),
    })
    .await;
    let servers = format!("B=http://{},A=http://{},C=http://127.0.0.1:1", b.address, a.address);
    let mut config = site::config("C", &servers);
    config.site.site_secret = Some("0123456789abcdef".parse().expect("any text"));
    let listener = server::net::listener::bind("127.0.0.1:0".parse().expect("an address"));
    let c = Running::start_on::<Arena>(&config, listener.expect("a port").into());
    let asks = async |what: &str, until: &str| {
        within(PATIENCE, what, async {
            while !c.get(&format!("/api/sessions/{CODE}")).await.body.contains(until) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await;
    };
    asks("what B says", "taken").await;
    b.end().await;
    back.store(true, Ordering::Relaxed);
    asks("what A says", "here").await;
    c.stop().await.expect("an orderly end");
    a.end().await;
}

#[tokio::test]
async fn what_is_on_another_server_is_not_opened_again_by_a_disk_that_was_too_slow() {
    let folder = Folder::new();
    let [a, b] = site::pair::<Arena>(|config| {
        config.site.site_secret = Some("0123456789abcdef".parse().expect("any text"));
        config.limits = hasty();
        let is_a = config.site.site_letter == Some("A".parse().expect("a letter"));
        config.data = is_a.then(|| folder.at(""));
    });
    see_each_other(&a, &b).await;
    let (code, _) = create(&a, json!({"name": "Us", "public": false, "round_s": 0})).await;
    let code = code.parse().expect("a code");
    Bystander::join_at::<Arena>(&a, &format!("/play/{code}"), "Ada").await.is_well().await;
    let settings = a.server.common.directory.get(code).expect("it is open").settings();
    let (config, address) = ((*a.server.common.live.get()).clone(), a.address);
    a.stop().await.expect("an orderly end");
    assert!(b.server.common.directory.get(code).is_some());
    // As if the process had ended before the disk knew.
    let store = Store::open(Some(&folder.at(""))).expect("the folder is there");
    store.remember(OpenSession { code, settings, host: None }, &Arc::default());
    store.settled().await.expect("it is kept");
    drop(store);
    let listener = server::net::listener::bind(address).expect("the port is free again");
    let a = Running::start_on::<Arena>(&config, listener.into());
    assert_eq!(a.get(&format!("/api/sessions/{code}")).await.expect(200)["session"]["name"], "Us");
    assert!(a.server.common.directory.get(code).is_none(), "it goes on in one place");
    a.stop().await.expect("an orderly end");
    b.stop().await.expect("an orderly end");
}

#[tokio::test]
async fn a_match_does_not_go_on_twice_when_an_answer_is_lost() {
    // It takes the session, and the line breaks before it can say so.
    let b = MadeUp::start(|path| match path {
        "/api/site/sessions" => Some(r#"{"sessions":[],"taken":[]}"#),
        "/api/site/take" => None,
        path if path.starts_with("/api/site/sessions/A") => Some("{}"),
        other => panic!("{other:?}"),
    })
    .await;
    let mut config = site::config("A", &format!("A=http://127.0.0.1:1,B=http://{}", b.address));
    config.site.site_secret = Some("0123456789abcdef".parse().expect("any text"));
    config.admin.admin_token = Some(TOKEN.parse().expect("any text"));
    let listener = server::net::listener::bind("127.0.0.1:0".parse().expect("an address"));
    let a = Running::start_on::<Arena>(&config, listener.expect("a port").into());
    let (code, _) = create(&a, json!({"name": "Once", "public": false, "round_s": 0})).await;
    Bystander::join_at::<Arena>(&a, &format!("/play/{code}"), "Ada").await.is_well().await;
    let moved = operate(&a, &code).await;
    assert_eq!(moved.status, 204, "{moved:?}");
    assert!(a.server.common.directory.is_empty());
    a.stop().await.expect("an orderly end");
    // Nothing else was asked for.
    b.end().await;
}

#[tokio::test]
async fn what_nobody_takes_goes_on_where_it_is() {
    let [mut a, b] = site::pair::<Arena>(|config| {
        config.site.site_secret = Some("0123456789abcdef".parse().expect("any text"));
        (config.limits, config.max_sessions) = (hasty(), 1);
        config.stopping.drain_seconds = Some(3);
    });
    see_each_other(&a, &b).await;
    let code = a.server.common.directory.entries()[0].code;
    let player = Bystander::join_at::<Arena>(&a, &format!("/play/{code}"), "Ada").await;
    a.ask_to_stop();
    assert_eq!(player.closed().await, Some(4015), "it was ready to go");
    eventually("back again", || a.server.common.directory.get(code).is_some()).await;
    let status = a.get(&format!("/api/sessions/{code}")).await.expect(200)["session"].clone();
    assert_eq!(status["players"], 1, "the seat");
    let stopping = Arc::clone(&a.server.common.stopping);
    a.stop().await.expect("an orderly end");
    let left = stopping.left().expect("it has stopped");
    assert!(left <= Duration::from_secs(1), "none for handing over any more: {left:?}");
    b.stop().await.expect("an orderly end");
}

#[tokio::test]
async fn what_servers_ask_each_other_is_not_there_for_others() {
    let [a, b] = two_that_hand_over(10);
    let (code, _) = create(&a, json!({"public": false})).await;
    let paths = ["/api/site/sessions".to_owned(), format!("/api/site/leaving/{code}")];
    for headers in ["", "Authorization: Bearer 0123456789abcdeg\r\n", "gamekeeper-from: B\r\n"] {
        for path in &paths {
            a.ask("GET", path, headers, "").await.problem(404);
        }
        let headers = format!("Content-Type: application/json\r\n{headers}");
        let taking = json!({"code": code, "from": "A"}).to_string();
        b.ask("POST", "/api/site/take", &headers, &taking).await.problem(404);
    }
    let secret = "Authorization: Bearer 0123456789abcdef\r\n";
    // However often: whoever hands over hundreds of sessions asks a lot at once.
    for _ in 0..400 {
        let ours = a.ask("GET", &paths[0], secret, "").await.expect(200);
        assert_eq!(ours["taken"], json!([]));
    }
    a.ask("GET", &paths[1], secret, "").await.problem(404);
    // Nor do those who have to know whether a session is here run out of guesses.
    for _ in 0..100 {
        a.ask("GET", "/api/site/sessions/A1234-56789", secret, "").await.problem(404);
    }
    let here = a.ask("GET", &format!("/api/site/sessions/{code}"), secret, "").await;
    assert_eq!(here.status, 204, "{here:?}");
    // Nothing is taken that is not given.
    let headers = format!("Content-Type: application/json\r\n{secret}");
    for (code, from, status) in [(&*code, "A", 503), (&*code, "C", 503), ("nonsense", "A", 422)] {
        let taking = json!({"code": code, "from": from}).to_string();
        b.ask("POST", "/api/site/take", &headers, &taking).await.problem(status);
    }
    a.stop().await.expect("an orderly end");
    b.stop().await.expect("an orderly end");
}
