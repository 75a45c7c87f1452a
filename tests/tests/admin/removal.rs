//! Who is shown out, and stays out.

use super::*;

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

/// The status that a request from there gets.
async fn asks_from(running: &Running, from: &str, path: &str) -> Option<u16> {
    let mut peer = connect_from(running, from).await.expect("a connection");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", running.address);
    peer.send(request.as_bytes()).await;
    peer.status().await
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
    // Who comes anew gets nothing, and others do.
    let mut anew = connect_from(&running, "127.0.0.2").await.unwrap();
    anew.send(&running.handshake()).await;
    assert_eq!(anew.status().await, Some(403));
    assert!(running.server.common.refusals.count(Reason::Banned) >= 2);
    // But how the server is hears whoever asks on its own machine.
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(asks_from(&running, "127.0.0.2", path).await, Some(200), "{path}");
    }
    for path in ["/", "/api/sessions", "/api/admin/bans"] {
        assert_eq!(asks_from(&running, "127.0.0.2", path).await, Some(403), "{path}");
    }
    let bans = see(&running, "/bans").await.expect(200);
    assert_eq!((&bans[0]["address"], &bans[0]["reason"]), (&json!("127.0.0.2"), &json!("Threats")));
    drop(join_from(&running, "127.0.0.3", "Eve").await);
    // Five minutes later.
    running.server.common.bans.pass(Duration::from_secs(301));
    drop(join_from(&running, "127.0.0.2", "Bob").await);
    // Banned by address, and forgiven.
    act(&running, json!({"action": "ban", "address": "127.0.0.2", "minutes": 60}))
        .await
        .expect(204);
    assert_eq!(asks_from(&running, "127.0.0.2", "/").await, Some(403));
    act(&running, json!({"action": "lift_ban", "address": "127.0.0.2"})).await.expect(204);
    drop(join_from(&running, "127.0.0.2", "Bob").await);
    act(&running, json!({"action": "lift_ban", "address": "127.0.0.2"})).await.problem(404);
    bystander.is_well().await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn behind_a_proxy_a_ban_is_for_who_is_behind_it() {
    let admin = AdminConfig { admin_token: TOKEN.parse().ok(), ..AdminConfig::default() };
    let mut config =
        Config { limits: hasty(), admin, pilots: 0, seed: Some(1), ..Config::default() };
    config.reach.trusted_proxies = vec!["127.0.0.9/32".parse().expect("a network")];
    let session = server::open::<Buoys>(&config).expect("settings that make sense");
    let running = Running::start_with(&config, session);
    let code = code(&running).await;
    let mut bystander = Bystander::join(running.address, "Ann").await;
    let through = async |client: &str| {
        let mut proxy = connect_from(&running, "127.0.0.9").await.expect("a connection");
        proxy
            .send(running.handshake_with(&format!("X-Forwarded-For: {client}\r\n")).as_bytes())
            .await;
        proxy
    };
    let (mut bad, mut good) = (through("192.0.2.1").await, through("192.0.2.2").await);
    for (peer, name) in [(&mut bad, "Bob"), (&mut good, "Eve")] {
        assert_eq!(peer.status().await, Some(101));
        peer.send(&binary(&hello(name))).await;
        assert_eq!(peer.frame().await.expect("a welcome").0, 2);
    }
    let lines = people(&running, &code, 3).await;
    let bob = lines.iter().find(|line| line[1] == "Bob").expect("he is there");
    assert_eq!(bob[12], "192.0.2.1");
    let ban = json!({"action": "ban_player", "session": code, "player": bob[0], "minutes": 5});
    act(&running, ban).await.expect(204);
    assert_eq!(bad.closing().await.expect("a goodbye").0, 4010);
    assert_eq!(through("192.0.2.1").await.status().await, Some(403));
    assert_eq!(through("192.0.2.3").await.status().await, Some(101));
    assert_eq!(people(&running, &code, 2).await.len(), 2);
    // Whoever bans the proxy by mistake bans nobody behind it.
    act(&running, json!({"action": "ban", "address": "127.0.0.9", "minutes": 5})).await.expect(204);
    assert_eq!(through("192.0.2.3").await.status().await, Some(101));
    bystander.is_well().await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_ban_outlives_a_restart_where_results_do() {
    let folder = std::env::temp_dir().join(format!("gamekeeper-admin-{}", std::process::id()));
    let admin = AdminConfig { admin_token: TOKEN.parse().ok(), ..AdminConfig::default() };
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
    assert_eq!(asks_from(&running, "127.0.0.2", "/").await, Some(403));
    let audit = see(&running, "/audit").await.expect(200);
    assert_eq!((&audit[0]["action"], &audit[0]["address"]), (&json!("ban"), &json!("127.0.0.1")));
    running.stop().await.unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
}
