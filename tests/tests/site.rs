//! Several servers that are one site: whichever of them somebody comes to, every session is there. Each story has two
//! real servers.

use serde_json::{Value, json};
use server::code::SessionCode;
use server::net::limits::Rate;
use server::net::peer::Peer;
use server::session::recording::Recorded;
use std::net::Ipv4Addr;
use std::time::Duration;
use tests::buoys::Buoys;
use tests::harness::{Bystander, PATIENCE, Running, eventually, hasty, within};
use tests::http::round_of;
use tests::site::{self, MadeUp, create, listed, passed_on, see_each_other, ticket};

/// Two servers, A and B.
fn two() -> [Running; 2] {
    site::pair::<Buoys>(|config| config.limits = hasty())
}

/// Two servers that have found each other.
async fn acquainted() -> [Running; 2] {
    let [a, b] = two();
    see_each_other(&a, &b).await;
    [a, b]
}

async fn join(running: &Running, path: &str, name: &str) -> Bystander {
    Bystander::join_at::<Buoys>(running, path, name).await
}

#[tokio::test]
async fn a_private_session_is_found_and_played_from_either_server() {
    let [a, b] = two();
    let (code, secret) = create(&a, json!({"name": "Us", "public": false, "round_s": 0})).await;
    assert!(code.starts_with('A'));

    // As people type it.
    let sloppy = code.to_lowercase().replace('-', "%20");
    let found = b.get(&format!("/api/sessions/{sloppy}")).await;
    assert_eq!(found.expect(200)["session"]["name"], "Us");
    assert_eq!(found.header("content-type"), Some("application/json"));
    // With a ticket, with the code alone, and on the server that has it.
    let (ticketed, play) = ticket(&b, json!({"code": code})).await;
    assert_eq!(ticketed, code);
    let ada = b.join_at(&play, "Ada").await;
    let mut ben = join(&b, &format!("/play/{code}"), "Ben").await;
    let mut cid = join(&a, &format!("/play/{code}"), "Cid").await;
    assert_eq!((passed_on(&a), passed_on(&b)), (0, 2));
    let path = format!("/api/sessions/{code}");
    for running in [&a, &b] {
        within(PATIENCE, "all are there", async {
            while running.get(&path).await.expect(200)["session"]["players"] != 3 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
    }
    for player in [&mut ben, &mut cid] {
        player.is_well().await;
    }
    // What is passed on is no HTTP: nobody plays on this server itself.
    let metrics = b.ask("GET", "/metrics", "", "").await.body;
    for direction in ["in", "out"] {
        let none = format!(
            "gamekeeper_socket_bytes_total{{direction=\"{direction}\",protocol=\"websocket\"}} 0\n"
        );
        assert!(metrics.contains(none.trim_end_matches(" 0\n")) && !metrics.contains(&none));
    }

    // What its host does, and what nobody else may.
    let rename = r#"{"action":"rename","name":"All of us"}"#;
    assert_eq!(b.act(&code, &secret, rename).await.status, 204);
    b.act(&code, &"0".repeat(32), rename).await.problem(403);
    assert_eq!(b.get(&format!("{path}/results")).await.expect(200)["results"], json!([]));
    // A used ticket, a code that is nobody's here, and one that is nobody's there.
    assert_eq!(b.try_open(&play).await.err(), Some(404));
    for unknown in ["A0000-00000", "B0000-00000", "C0000-00000"] {
        b.get(&format!("/api/sessions/{unknown}")).await.problem(404);
        assert_eq!(b.try_open(&format!("/play/{unknown}")).await.err(), Some(404));
    }
    // Who leaves is gone at both.
    drop(ada);
    eventually("one less", || passed_on(&b) == 1).await;
    b.stop().await.expect("an orderly end");
    assert_eq!(ben.closed().await, None, "its line is cut, and a page comes back to its seat");
    cid.is_well().await;
    a.stop().await.expect("an orderly end");
}

#[tokio::test]
async fn limits_and_bans_see_the_client_and_not_the_server_that_passes_it_on() {
    let [a, b] = two();
    let (code, _) = create(&a, json!({"public": false})).await;
    let client = Peer::Behind("203.0.113.7".parse().expect("an address"));
    let mut peer = b.connect().await;
    let ask = b.handshake_with("X-Forwarded-For: 203.0.113.7\r\n");
    peer.send(ask.replace("/play", &format!("/play/{code}")).as_bytes()).await;
    assert_eq!(peer.status().await, Some(101));
    for running in [&a, &b] {
        assert!(running.server.common.registry.peers().contains(&client));
    }
    // Guesses are the client's own there as well.
    let guess = async |from: &str| {
        let headers = format!("X-Forwarded-For: {from}\r\n");
        b.ask("GET", "/api/sessions/A0000-00000", &headers, "").await.status
    };
    let mut status = 404;
    for _ in 0..1000 {
        status = guess("203.0.113.8").await;
        if status != 404 {
            break;
        }
    }
    assert_eq!((status, guess("203.0.113.9").await), (429, 404));
    a.stop().await.expect("an orderly end");
    b.stop().await.expect("an orderly end");
}

#[tokio::test]
async fn the_lobby_is_one() {
    let [a, b] = site::pair::<Buoys>(|config| {
        config.limits = hasty();
        config.site.site_secret = Some("0123456789abcdef".parse().expect("any text"));
    });
    see_each_other(&a, &b).await;
    let list = b.get("/api/sessions").await.expect(200);
    assert_eq!(list["sessions"].as_array().map(Vec::len), Some(2));
    let told = b.get("/metrics").await.body;
    for line in ["servers{state=\"answering\"} 1", "servers{state=\"silent\"} 0"] {
        assert!(told.contains(&format!("gamekeeper_site_{line}")), "{told}");
    }

    // Somebody plays there, so quick play leads there; and here, as soon as somebody plays here.
    let (code, _) = create(&a, json!({"name": "Full of life", "public": true})).await;
    let _ada = join(&a, &format!("/play/{code}"), "Ada").await;
    listed(&b, "Ada", |all| all[0]["code"] == *code && all[0]["players"] == 1).await;
    let (quick, play) = ticket(&b, json!({})).await;
    assert_eq!(quick, code);
    let _ben = join(&b, &play, "Ben").await;
    let _cid = b.join("Cid").await;
    assert_eq!(ticket(&b, json!({})).await.0.chars().next(), Some('B'));

    // What is said in the lobby is heard in both.
    let mut ear = b.listen().await;
    ear.next("sessions").await.expect("the list");
    let line = json!({"name": "Ada", "text": "hello over there"}).to_string();
    assert_eq!(a.post("/api/chat", &line).await.status, 204);
    assert_eq!(ear.next("chat").await.expect("a line")["text"], "hello over there");
    let lines =
        async |running: &Running| running.get("/api/chat").await.expect(200)["lines"].clone();
    assert_eq!(lines(&a).await.as_array().map(Vec::len), Some(1));
    // Under one number, so that whoever changes servers hears nothing twice; which nobody else may choose.
    assert_eq!(lines(&a).await[0]["id"], lines(&b).await[0]["id"]);
    let line = json!({"name": "Eve", "text": "me last", "id": 1_u64 << 60}).to_string();
    assert!(a.post("/api/chat", &line).await.problem(422).contains("id"));

    // Results, the leaderboard and recordings.
    for (running, name, score, at) in [(&a, "Ada", 30, 1), (&b, "Ben", 40, 2)] {
        let store = &running.server.common.store;
        let code = SessionCode::random();
        let mut kept = round_of(name, score, &[("kills", 3), ("deaths", 1)]);
        kept.at += at;
        store.record(code, Recorded::Begins(format!("what {name} saw").into_bytes()), 1000);
        store.keep(code, kept);
        store.settled().await.expect("it is kept");
    }
    for running in [&a, &b] {
        let results = running.get("/api/results").await.expect(200)["results"].clone();
        let names = [0, 1].map(|at| results[at]["places"][0]["name"].clone());
        assert_eq!(names, ["Ben", "Ada"]);
        let board = running.get("/api/leaderboard").await.expect(200)["rows"].clone();
        let rows = [0, 1].map(|at| (board[at]["place"].clone(), board[at]["name"].clone()));
        assert_eq!(rows, [(json!(1), json!("Ben")), (json!(2), json!("Ada"))]);
        for (at, saw) in [(0, "what Ben saw"), (1, "what Ada saw")] {
            let id = results[at]["recording"].as_str().expect("there is one");
            let answer = running.get(&format!("/api/recordings/{id}")).await;
            assert_eq!(answer.status, 200);
            assert!(answer.body.contains(saw), "{}", answer.body);
        }
        running.get("/api/recordings/0123456789abcdef").await.problem(404);
    }
    b.stop().await.expect("an orderly end");
    a.stop().await.expect("an orderly end");
}

#[tokio::test]
async fn a_server_that_is_gone_takes_nothing_with_it_but_its_own_sessions() {
    let [a, b] = acquainted().await;
    let (code, _) = create(&a, json!({"name": "Gone", "public": true})).await;
    let player = join(&b, &format!("/play/{code}"), "Ada").await;
    let _rude = b.join_at(&format!("/play/{code}"), "Eve").await;
    listed(&b, "the session", |all| all[0]["code"] == *code && all[0]["players"] == 2).await;
    a.stop().await.expect("an orderly end");
    assert_eq!(player.closed().await, Some(1001), "the goodbye comes through");
    eventually("nobody holds on to a line that leads nowhere", || passed_on(&b) == 0).await;
    let busy = b.get(&format!("/api/sessions/{code}")).await;
    assert!(busy.problem(503).contains("does not answer"));
    assert_eq!(busy.header("retry-after"), Some("5"));
    assert_eq!(b.try_open(&format!("/play/{code}")).await.err(), Some(503));
    b.post("/api/tickets", &json!({"code": code}).to_string()).await.problem(503);
    // Whoever does not care where they play plays here, whether or not the list knows already.
    assert!(ticket(&b, json!({})).await.0.starts_with('B'));
    listed(&b, "its own alone", |all| {
        all.iter()
            .all(|s| s["name"] == "Here" && s["code"].as_str().is_some_and(|c| c.starts_with('B')))
    })
    .await;
    b.stop().await.expect("an orderly end");
}

#[tokio::test]
async fn servers_that_do_not_agree_on_who_is_who_do_not_ask_in_circles() {
    // Each takes the other for C.
    let [a, b] = site::pair_called::<Buoys>([["A", "C"], ["C", "B"]], |_| {});
    for running in [&a, &b] {
        running.get("/api/sessions/C0000-00000").await.problem(404);
        assert_eq!(running.try_open("/play/C0000-00000").await.err(), Some(404));
    }
    a.stop().await.expect("an orderly end");
    b.stop().await.expect("an orderly end");
}

#[tokio::test]
async fn who_finds_no_room_here_is_let_in_there() {
    let [a, b] = site::pair::<Buoys>(|config| {
        config.max_sessions = 1;
        config.reach.base_path = "/arena".parse().expect("a path");
    });
    let create = async |running: &Running, name: &str| {
        let settings = json!({"name": name, "public": false}).to_string();
        running.post("/arena/api/sessions", &settings).await
    };
    let begins =
        |answer: Value, letter| answer["code"].as_str().is_some_and(|c| c.starts_with(letter));
    assert!(begins(create(&b, "Ours").await.expect(201), 'B'));
    // As soon as they know each other.
    let there = within(PATIENCE, "a session there", async {
        loop {
            let answer = create(&b, "Theirs").await;
            if answer.status == 201 {
                return answer.expect(201);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let there = there.await;
    assert!(begins(there.clone(), 'A'));
    create(&b, "Nobody's").await.problem(503);
    b.post("/arena/api/tickets", "{}").await.problem(503);
    // All of it is below the base path, there too.
    let wish = json!({"code": there["code"]}).to_string();
    let given = b.post("/arena/api/tickets", &wish).await.expect(201);
    let play = given["play"].as_str().expect("a path");
    assert!(play.starts_with("/arena/play?ticket=") && play.ends_with("&server=A"), "{play}");
    join(&b, play, "Ada").await.is_well().await;
    a.stop().await.expect("an orderly end");
    b.stop().await.expect("an orderly end");
}

#[tokio::test]
async fn whom_one_server_has_no_time_for_and_another_lets_in_counts_as_refused_by_neither() {
    let [a, b] = acquainted().await;
    let refused = |running: &Running| running.server.common.directory.overload.refused();
    let shut = async |running: &Running| {
        let mut config = (*running.server.common.live.get()).clone();
        config.overload.overload = true;
        running.server.reload(config);
        running.server.common.directory.overload.stand_in(Some(3.0));
        eventually("the door shuts", || running.server.common.directory.overload.is_closed()).await;
    };
    let settings = json!({"name": "Anywhere", "public": false}).to_string();
    shut(&a).await;
    let there = a.post("/api/sessions", &settings).await.expect(201);
    assert!(there["code"].as_str().is_some_and(|code| code.starts_with('B')), "{there}");
    assert_eq!((refused(&a), refused(&b)), (0, 0));
    // Where nobody has time whoever was asked counts it.
    shut(&b).await;
    a.post("/api/sessions", &settings).await.problem(503);
    assert_eq!((refused(&a), refused(&b)), (1, 0));
    a.stop().await.expect("an orderly end");
    b.stop().await.expect("an orderly end");
}

#[tokio::test]
async fn a_page_of_another_build_finds_its_files_where_that_build_runs() {
    // Of a real server there is but one build here.
    let a = MadeUp::start(|path| match path {
        "/api/sessions" => Some(r#"{"version":1,"sessions":[]}"#),
        "/assets/0123456789abcdef/main.js" => Some("of another build"),
        other => panic!("{other:?}"),
    })
    .await;
    let list = format!("A=http://{},B=http://127.0.0.1:1", a.address);
    let listener = server::net::listener::bind("127.0.0.1:0".parse().expect("an address"));
    let mut config = site::config("B", &list);
    config.limits.api_rate = Rate::one_per(3600.0, 2);
    let b = Running::start_on::<Buoys>(&config, listener.expect("a port").into());
    let ask = async |path: &str, client: u32, more: &str| {
        let client = Ipv4Addr::from_bits(0xc633_6400 + client);
        let headers = format!("X-Forwarded-For: {client}\r\n{more}");
        b.ask("GET", &format!("/assets/{path}"), &headers, "").await
    };
    let main = "0123456789abcdef/main.js";
    let found = within(PATIENCE, "the file", async {
        for client in 10.. {
            let answer = ask(main, client, "").await;
            if answer.status == 200 {
                return answer.body;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        unreachable!("it takes longer than anybody waits")
    });
    assert_eq!(found.await, "of another build");
    // Nobody is asked for what can be no build's, or for what another site's page wants; and for one client not often.
    let foreign =
        "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: script\r\n";
    for _ in 0..3 {
        assert_eq!(ask("anything/main.js", 1, "").await.status, 404);
        assert_eq!(ask(main, 1, foreign).await.status, 404);
    }
    assert_eq!([ask(main, 1, "").await.status, ask(main, 1, "").await.status], [200, 200]);
    let refused = ask(main, 1, "").await;
    assert!(refused.status == 429 && refused.header("retry-after").is_some(), "{refused:?}");
    assert_eq!(ask(main, 2, "").await.status, 200);
    b.stop().await.expect("an orderly end");
    // Nothing else was asked for.
    a.end().await;
}
