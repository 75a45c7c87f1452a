//! Bad requests, handshakes and crowds of connections on real sockets. Each story serves a session with
//! somebody in it who plays by the rules: whoever sends nonsense gets an answer with a reason and is counted,
//! and the other one notices nothing.

use server::net::limits::{LOCAL_CONNECTIONS_EXTRA, Limits};
use server::net::refusal::Reason;
use shared::wire::message::{self};
use std::time::Duration;
use tests::harness::{Running, binary, eventually, hasty, hello, scene, unharmed};

#[tokio::test]
async fn requests_that_are_none_get_a_status_or_the_door() {
    let (running, bystander) = scene(hasty()).await;
    let host = running.address.to_string();
    let good = String::from_utf8(running.handshake()).unwrap();
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let with = |line: &str| format!("GET / HTTP/1.1\r\nHost: {host}\r\n{line}\r\n\r\n");
    let api = |method: &str, line: &str| {
        with(line).replace("GET / ", &format!("{method} /api/sessions "))
    };
    let many: String = (0..2000).map(|n| format!("X-{n}: x\r\n")).collect();
    use Reason::{BadRequest, Smuggling};
    // What is sent, the status (0 for any refusal, or none), and the reason that is counted, if any.
    let cases: Vec<(&str, Vec<u8>, u16, Option<Reason>)> = vec![
        ("a page", get("/").into(), 200, None),
        ("health", get("/healthz").into(), 200, None),
        (
            "TLS hello",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".into(),
            0,
            Some(BadRequest),
        ),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(), 0, Some(BadRequest)),
        ("junk", vec![0xff; 64], 0, Some(BadRequest)),
        ("HTTP/0.9", b"GET /\r\n\r\n".into(), 0, Some(BadRequest)),
        ("a long path", get(&format!("/{}", "x".repeat(100_000))).into(), 0, Some(BadRequest)),
        ("a long header", with(&format!("X: {}", "x".repeat(200_000))).into(), 0, Some(BadRequest)),
        ("many headers", with(many.trim_end()).into(), 431, Some(BadRequest)),
        ("NUL", with("X: a\0b").into(), 400, Some(BadRequest)),
        ("bare CR", with("X: a\rb").into(), 400, Some(BadRequest)),
        ("space in a name", with("X Y: a").into(), 400, Some(BadRequest)),
        ("space before the colon", with("X : a").into(), 400, Some(BadRequest)),
        ("no host", b"GET / HTTP/1.1\r\n\r\n".into(), 400, Some(BadRequest)),
        ("two hosts", with("Host: other").into(), 400, Some(BadRequest)),
        (
            "two lengths",
            with("Content-Length: 1\r\nContent-Length: 2").into(),
            400,
            Some(BadRequest),
        ),
        (
            "length and chunks",
            with("Content-Length: 1\r\nTransfer-Encoding: chunked").into(),
            400,
            Some(Smuggling),
        ),
        (
            "chunks and length",
            with("Transfer-Encoding: chunked\r\nContent-Length: 1").into(),
            400,
            Some(Smuggling),
        ),
        ("negative length", with("Content-Length: -1").into(), 400, Some(BadRequest)),
        (
            "endless length",
            with("Content-Length: 99999999999999999999").into(),
            400,
            Some(BadRequest),
        ),
        ("a body", with("Content-Length: 1").into(), 400, Some(BadRequest)),
        ("POST", good.replace("GET", "POST").into(), 405, Some(BadRequest)),
        (
            "CONNECT",
            format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n").into(),
            405,
            Some(BadRequest),
        ),
        ("TRACE", get("/").replace("GET", "TRACE").into(), 405, Some(BadRequest)),
        ("a proxy", get("http://other/").into(), 400, Some(BadRequest)),
        ("a session's page", get("/s/00000-00000").into(), 200, None),
        ("POST to a page", get("/").replace("GET", "POST").into(), 405, Some(BadRequest)),
        (
            "a body to the API's readers",
            api("GET", "Content-Length: 1").into(),
            400,
            Some(BadRequest),
        ),
        ("a body with OPTIONS", api("OPTIONS", "Content-Length: 1").into(), 400, Some(BadRequest)),
        ("a large body", api("POST", "Content-Length: 16385").into(), 413, Some(BadRequest)),
        (
            "a body without an end",
            api("POST", "Content-Length: 18446744073709551615").into(),
            0,
            Some(BadRequest),
        ),
        ("a chunked body", api("POST", "Transfer-Encoding: chunked").into(), 400, Some(Smuggling)),
        (
            "a chunked body and its length",
            api("POST", "Transfer-Encoding: chunked\r\nContent-Length: 1").into(),
            400,
            Some(Smuggling),
        ),
        (
            "two lengths of a body",
            api("POST", "Content-Length: 2\r\nContent-Length: 3").into(),
            400,
            Some(BadRequest),
        ),
        ("TRACE of the API", api("TRACE", "X: x").into(), 405, Some(BadRequest)),
        ("almost the API", get("/apiary").into(), 404, None),
        ("almost a game", get("/players").into(), 404, None),
        ("unknown path", get("/nothing").into(), 404, None),
        ("up and away", get("/assets/x/%2e%2e/%2e%2e/etc/passwd").into(), 404, None),
        ("dots", get("/assets/../../etc/passwd").into(), 404, None),
        ("NUL in the path", get("/assets/x/%00").into(), 404, None),
    ];
    for (what, bytes, expected, reason) in cases {
        let counted = |reason| running.server.common.refusals.count(reason);
        let before = reason.map(counted);
        let mut peer = running.connect().await;
        peer.send(&bytes).await;
        let status = peer.status().await;
        if expected == 0 {
            assert!(status.is_none_or(|s| (400..500).contains(&s)), "{what}: {status:?}");
        } else {
            assert_eq!(status, Some(expected), "{what}");
        }
        if status.is_none_or(|status| status >= 400 && status != 404) {
            peer.end().await;
        }
        let after = || reason.map(counted) == before.map(|count| count + 1);
        eventually(&format!("{what} is counted once"), || reason.is_none() || after()).await;
    }
    unharmed(running, bystander).await;
}

#[tokio::test]
async fn handshakes_that_are_none_get_a_status() {
    let (running, bystander) = scene(hasty()).await;
    let good = String::from_utf8(running.handshake()).unwrap();
    let origin = format!("http://{}", running.address);
    let cases: Vec<(&str, String, u16)> = vec![
        ("good", good.clone(), 101),
        ("without Upgrade", good.replace("Upgrade: websocket\r\n", ""), 426),
        ("h2c", good.replace("Upgrade: websocket", "Upgrade: h2c"), 426),
        ("without Connection", good.replace("Connection: Upgrade\r\n", ""), 426),
        ("HTTP/1.0", good.replace("HTTP/1.1", "HTTP/1.0"), 400),
        ("version 8", good.replace("Version: 13", "Version: 8"), 426),
        ("version 13abc", good.replace("Version: 13", "Version: 13abc"), 426),
        ("short key", good.replace("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ="), 400),
        ("no key", good.replace("Sec-WebSocket-Key", "X-Key"), 400),
        ("other protocol", good.replace("gamekeeper.7", "gamekeeper"), 400),
        ("no protocol", good.replace("Sec-WebSocket-Protocol", "X-Protocol"), 400),
        ("a body", running.handshake_with("Content-Length: 5\r\n"), 400),
        ("two hosts", running.handshake_with("Host: other\r\n"), 400),
        ("our origin", running.handshake_with(&format!("Origin: {origin}\r\n")), 101),
        ("foreign origin", running.handshake_with("Origin: http://evil.test\r\n"), 403),
        (
            "origin with our host in it",
            running.handshake_with(&format!("Origin: {origin}.evil\r\n")),
            403,
        ),
        ("null origin", running.handshake_with("Origin: null\r\n"), 403),
        (
            "two origins",
            running.handshake_with(&format!("Origin: {origin}\r\nOrigin: {origin}\r\n")),
            403,
        ),
        (
            "compression",
            running.handshake_with("Sec-WebSocket-Extensions: permessage-deflate\r\n"),
            101,
        ),
    ];
    for (what, request, expected) in cases {
        let mut peer = running.connect().await;
        peer.send(request.as_bytes()).await;
        let head = peer.head().await.unwrap_or_default().to_ascii_lowercase();
        assert!(head.split(' ').nth(1) == Some(&expected.to_string()), "{what}: {head}");
        assert!(!head.contains("permessage"), "{what}: {head}");
        let accepted = expected == 101;
        assert_eq!(
            head.contains("sec-websocket-protocol: gamekeeper.7"),
            accepted,
            "{what}: {head}"
        );
        assert_eq!(head.contains("sec-websocket-version: 13"), expected == 426, "{what}: {head}");
        if !accepted {
            peer.end().await;
        }
    }
    let refusals = &running.server.common.refusals;
    assert_eq!((refusals.count(Reason::BadOrigin), refusals.count(Reason::BadUpgrade)), (4, 10));
    unharmed(running, bystander).await;
}

#[tokio::test]
async fn silence_before_the_request_has_an_end() {
    let (running, bystander) = scene(hasty()).await;
    running.hurries(|limits| &mut limits.head_wait);
    let request = running.handshake();
    let (mut mute, mut partial, mut trickling) =
        (running.connect().await, running.connect().await, running.connect().await);
    partial.send(&request[..40]).await;
    let trickle = async {
        for byte in &request[..request.len() - 4] {
            trickling.send(&[*byte]).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
            if running.server.common.refusals.count(Reason::HeadTimeout) == 3 {
                break;
            }
        }
    };
    tokio::join!(mute.end(), partial.end(), trickle);
    assert_eq!(running.server.common.refusals.count(Reason::HeadTimeout), 3);
    drop(trickling);
    unharmed(running, bystander).await;
}

/// Asks over one connection for as long as it is answered, in about so many bytes each time.
async fn ask_until_the_end(running: &Running, bytes: usize) {
    let mut peer = running.connect().await;
    let (host, filling) = (running.address, "x".repeat(bytes));
    let question =
        format!("HEAD /healthz HTTP/1.1\r\nHost: {host}\r\nX-Filling: {filling}\r\n\r\n");
    peer.send(question.as_bytes()).await;
    while let Some(status) = peer.status().await {
        assert_eq!(status, 200);
        peer.send(question.as_bytes()).await;
    }
}

#[tokio::test]
async fn asking_again_and_again_has_an_end() {
    let (running, bystander) = scene(hasty()).await;
    let live = &running.server.common.live;
    let mut config = (*live.get()).clone();
    // Far fewer short questions than are too many bytes fit into it.
    config.limits.http_wait = Duration::from_millis(50);
    live.replace(config);
    ask_until_the_end(&running, 1).await;
    let refusals = &running.server.common.refusals;
    eventually("it is counted", || refusals.count(Reason::HttpTimeout) == 1).await;
    unharmed(running, bystander).await;
}

#[tokio::test]
async fn asking_too_fast_is_counted_although_it_ends_between_two_questions() {
    let (running, bystander) = scene(hasty()).await;
    // What is allowed at once is used up after some dozens, also on a slow machine.
    ask_until_the_end(&running, 4000).await;
    let refusals = &running.server.common.refusals;
    eventually("it is counted", || refusals.count(Reason::ByteRate) == 1).await;
    unharmed(running, bystander).await;
}

#[tokio::test]
async fn one_address_opens_only_so_many_at_once() {
    let most = 20;
    let limits = Limits { max_per_address: most, ..hasty() };
    let (running, bystander) = scene(limits).await;
    let mut mute = Vec::new();
    for _ in 0..most + 19 {
        mute.push(running.connect().await);
    }
    let refusals = &running.server.common.refusals;
    eventually("the rest is shut out", || refusals.count(Reason::AddressFull) == 20).await;
    mute.clear();
    running.settles_at(1).await;
    drop(running.join("Newcomer").await);
    unharmed(running, bystander).await;
}

#[tokio::test]
async fn the_server_holds_only_so_many() {
    let (running, bystander) = scene(Limits { max_connections: 3, ..hasty() }).await;
    let one = running.join("One").await;
    let _two = running.join("Two").await;
    // This machine has some more, for whoever looks after the server, who learns that it is well.
    let mut mute = Vec::new();
    for n in 1..LOCAL_CONNECTIONS_EXTRA {
        mute.push(running.connect().await);
        running.settles_at(3 + n).await;
    }
    assert_eq!(running.get("/healthz").await.status, 200);
    running.settles_at(3 + mute.len()).await;
    // A proxy on this machine brings nobody there.
    assert_eq!(running.get("/").await.status, 503);
    running.settles_at(3 + mute.len()).await;
    mute.push(running.connect().await);
    running.settles_at(3 + mute.len()).await;
    running.connect().await.end().await;
    assert_eq!(running.server.common.refusals.count(Reason::ServerFull), 2);
    drop((one, mute));
    running.settles_at(2).await;
    drop(running.join("Three").await);
    drop(_two);
    unharmed(running, bystander).await;
}

#[tokio::test]
async fn early_messages_glued_to_the_request_are_heard() {
    let (running, bystander) = scene(hasty()).await;
    let mut peer = running.connect().await;
    peer.send(&[running.handshake(), binary(&hello("Early"))].concat()).await;
    assert_eq!(peer.status().await, Some(101));
    let (opcode, welcome) = peer.frame().await.expect("a welcome");
    assert_eq!((opcode, welcome[0]), (2, message::TYPE));
    drop(peer);
    unharmed(running, bystander).await;
}
