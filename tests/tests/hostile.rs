//! Bad input on real sockets. Each story serves a session with somebody in it who plays by the rules:
//! whoever sends nonsense gets an answer with a reason and is counted, and the other one notices nothing.

use server::net::limits::{BYTES_BURST_MAX, Limits};
use server::net::refusal::Reason;
use shared::wire::input::InputMessage;
use shared::wire::message::{self, CLIENT_MESSAGE_BYTES_MAX, ClientMessage, ServerMessage};
use shared::wire::{Protocol, Row, input};
use std::time::Duration;
use tests::buoys::{Buoys, Oars};
use tests::harness::{Bystander, Running, binary, close, eventually, frame, hasty, hello, within};
use tokio::time::Instant;

/// A server, and somebody who plays on it.
async fn scene(limits: Limits) -> (Running, Bystander) {
    let running = Running::start(limits);
    let bystander = Bystander::join(running.address, "Bystander").await;
    (running, bystander)
}

/// Everybody else is gone without a trace, and the one who plays still does.
async fn unharmed(running: Running, mut bystander: Bystander) {
    running.settles_at(1).await;
    bystander.is_well().await;
    assert_eq!(running.server.front.refusals.count(Reason::Slow), 0);
    running.stop().await.expect("a server without a scratch");
}

#[tokio::test]
async fn requests_that_are_none_get_a_status_or_the_door() {
    let (running, bystander) = scene(hasty()).await;
    let host = running.address.to_string();
    let good = String::from_utf8(running.handshake()).unwrap();
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let with = |line: &str| format!("GET / HTTP/1.1\r\nHost: {host}\r\n{line}\r\n\r\n");
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
        ("unknown path", get("/nothing").into(), 404, None),
        ("up and away", get("/assets/x/%2e%2e/%2e%2e/etc/passwd").into(), 404, None),
        ("dots", get("/assets/../../etc/passwd").into(), 404, None),
        ("NUL in the path", get("/assets/x/%00").into(), 404, None),
    ];
    for (what, bytes, expected, reason) in cases {
        let counted = |reason| running.server.front.refusals.count(reason);
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
        ("old protocol", good.replace("gamekeeper.2", "gamekeeper.1"), 400),
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
            head.contains("sec-websocket-protocol: gamekeeper.2"),
            accepted,
            "{what}: {head}"
        );
        assert_eq!(head.contains("sec-websocket-version: 13"), expected == 426, "{what}: {head}");
        if !accepted {
            peer.end().await;
        }
    }
    let refusals = &running.server.front.refusals;
    assert_eq!((refusals.count(Reason::BadOrigin), refusals.count(Reason::BadUpgrade)), (4, 10));
    unharmed(running, bystander).await;
}

#[tokio::test]
async fn silence_before_the_request_has_an_end() {
    let (running, bystander) = scene(hasty()).await;
    let request = running.handshake();
    let (mut mute, mut partial, mut trickling) =
        (running.connect().await, running.connect().await, running.connect().await);
    partial.send(&request[..40]).await;
    let began = Instant::now();
    let trickle = async {
        for byte in &request[..request.len() - 4] {
            trickling.send(&[*byte]).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
            if running.server.front.refusals.count(Reason::HeadTimeout) == 3 {
                break;
            }
        }
    };
    tokio::join!(mute.end(), partial.end(), trickle);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(running.server.front.refusals.count(Reason::HeadTimeout), 3);
    drop(trickling);
    unharmed(running, bystander).await;
}

#[tokio::test]
async fn one_address_opens_only_so_many_at_once() {
    let most = 20;
    let limits = Limits { head_wait: Duration::from_secs(5), max_per_address: most, ..hasty() };
    let (running, bystander) = scene(limits).await;
    let mut mute = Vec::new();
    for _ in 0..most + 19 {
        mute.push(running.connect().await);
    }
    let refusals = &running.server.front.refusals;
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
    running.connect().await.end().await;
    assert_eq!(running.server.front.refusals.count(Reason::ServerFull), 1);
    drop(one);
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

/// Frames that break RFC 6455 or the limits, and the code that each is answered with.
fn bad_frames() -> Vec<(&'static str, Vec<u8>, u16)> {
    let big = CLIENT_MESSAGE_BYTES_MAX + 1;
    let claim = |len: u64| [&[0x82, 0xff][..], &len.to_be_bytes(), &[1, 2, 3, 4]].concat();
    let halves = [frame(0x02, &vec![9; big / 2]), frame(0x80, &vec![9; big - big / 2])].concat();
    let mut cases = vec![
        ("unmasked", vec![0x82, 0x01, 0x00], 1002),
        ("a long ping", frame(0x89, &[0; 126]), 1002),
        ("a fragmented ping", frame(0x09, b"x"), 1002),
        ("a fragmented close", frame(0x08, &[]), 1002),
        ("a close of one byte", frame(0x88, &[3]), 1002),
        ("a close with broken UTF-8", close(1000, &[0xff, 0xfe]), 1007),
        ("a continuation of nothing", frame(0x80, b"x"), 1002),
        ("a message inside another", [frame(0x02, b"x"), frame(0x82, b"y")].concat(), 1002),
        ("one byte too many", binary(&vec![9; big]), 1009),
        ("one byte too many in fragments", halves, 1009),
        ("2 GiB claimed", claim(1 << 31), 1009),
        ("2^62 claimed", claim(1 << 62), 1009),
        ("2^63 claimed", claim(1 << 63), 1009),
        ("text", frame(0x81, b"hello"), 1003),
        ("broken UTF-8", frame(0x81, &[0xc3, 0x28]), 1007),
        ("a surrogate", frame(0x81, &[0xed, 0xa0, 0x80]), 1007),
        ("broken UTF-8 in fragments", [frame(0x01, &[0xc3]), frame(0x80, &[0x28])].concat(), 1007),
        ("an HTTP request", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".into(), 1002),
    ];
    cases.extend([0x40, 0x20, 0x10].map(|rsv| ("a reserved bit", frame(0x82 | rsv, b"x"), 1002)));
    cases.extend(
        [0x40, 0x20, 0x10].map(|rsv| ("a reserved bit, ping", frame(0x89 | rsv, b"x"), 1002)),
    );
    cases.extend(
        [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]
            .map(|op| ("an unknown opcode", frame(0x80 | op, b"x"), 1002)),
    );
    cases.extend(
        [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65535]
            .map(|c| ("a bad code", close(c, b""), 1002)),
    );
    cases
}

#[tokio::test]
async fn frames_that_are_none_get_a_code_and_a_sentence() {
    let (running, bystander) = scene(hasty()).await;
    for (what, bytes, expected) in bad_frames() {
        for joined in [false, true] {
            let mut peer =
                if joined { running.join("Mallory").await } else { running.open().await };
            peer.send(&bytes).await;
            let (code, reason) = peer.closing().await.unwrap_or_default();
            assert_eq!(code, expected, "{what}, joined: {joined}: {reason}");
            assert!(!reason.is_empty(), "{what}");
            peer.end().await;
        }
    }
    // Closing with a bad code is answered, but as nothing else is wrong nobody is refused.
    let refused = running.server.front.refusals.count(Reason::Protocol);
    let expected =
        bad_frames().iter().filter(|case| case.2 == 1002 && case.0 != "a bad code").count();
    assert_eq!(refused, 2 * expected as u64);
    unharmed(running, bystander).await;
}

#[tokio::test]
async fn a_proper_goodbye_is_returned_and_the_server_hangs_up_first() {
    let (running, bystander) = scene(hasty()).await;
    for code in [1000, 1001, 3000, 4999] {
        let mut peer = running.join("Leaving").await;
        peer.send(&[close(code, b"bye"), binary(b"too late")].concat()).await;
        assert_eq!(peer.closing().await, Some((code, "bye".into())));
        within(Duration::from_secs(1), "hanging up", peer.end()).await;
    }
    let mut peer = running.join("Leaving").await;
    peer.send(&frame(0x88, &[])).await;
    assert_eq!(peer.closing().await, Some((0, String::new())));
    peer.end().await;
    assert!(Reason::ALL.iter().all(|&reason| running.server.front.refusals.count(reason) == 0));
    unharmed(running, bystander).await;
}

#[tokio::test]
async fn odd_but_legal_frames_are_served() {
    let (running, bystander) = scene(hasty()).await;
    let ping = message::encode_control(&ClientMessage::Ping { nonce: 7 });
    let pong = message::encode_control(&ServerMessage::Pong { nonce: 7 });
    let fragments: Vec<u8> = [
        &[frame(0x02, b"")][..],
        &ping.iter().map(|b| frame(0x00, &[*b])).collect::<Vec<_>>(),
        &[frame(0x80, b"")],
    ]
    .concat()
    .concat();
    let unscrambled = [&[0x82, 0x80 | ping.len() as u8, 0, 0, 0, 0][..], &ping].concat();
    let padded = [&[0x82, 0xfe, 0, ping.len() as u8, 0, 0, 0, 0][..], &ping].concat();
    for (what, bytes) in [
        ("one-byte fragments", fragments),
        (
            "a ping between fragments",
            [frame(0x02, &ping[..1]), frame(0x89, b"?"), frame(0x80, &ping[1..])].concat(),
        ),
        ("an unasked pong", [frame(0x8a, b"!"), binary(&ping)].concat()),
        ("a mask of zeros", unscrambled),
        ("a length longer than needed", padded),
    ] {
        let mut peer = running.join("Odd").await;
        for byte in bytes {
            peer.send(&[byte]).await;
        }
        loop {
            let (opcode, payload) = peer.frame().await.expect(what);
            assert_ne!(opcode, 8, "{what}");
            if payload == pong {
                break;
            }
        }
    }
    unharmed(running, bystander).await;
}

#[tokio::test]
async fn messages_that_make_no_sense_get_a_code_and_a_sentence() {
    let (running, bystander) = scene(hasty()).await;
    let control = |message: &ClientMessage| message::encode_control(message);
    let named = |name: &str| binary(&hello(name));
    let proper = Protocol::of::<Buoys>().hash;
    let mut oars = Vec::new();
    InputMessage::new(9, 0, &[0, 0]).encode(Oars::FIELDS, &mut oars);
    let absurd = |tick: u32| [&[input::TYPE][..], &tick.to_le_bytes(), &oars[5..]].concat();
    let old =
        control(&ClientMessage::Hello { protocol: proper ^ 1, name: "Old".into(), seat: None });
    let long_hello = [&[message::TYPE, 0][..], &hello("Name")[2..], &[0]].concat();
    let claim = |len: u64| [&[message::TYPE, 1, 0xfd][..], &len.to_le_bytes()].concat();
    use Reason::{BadMessage, BadName, Decode, Version};
    // What is sent, whether after joining, the code, and the reason that is counted.
    let cases: Vec<(&str, Vec<u8>, bool, u16, Reason)> = vec![
        ("an old version", binary(&old), false, 4006, Version),
        ("input before the hello", binary(&oars), false, 4002, BadMessage),
        (
            "chat before the hello",
            binary(&control(&ClientMessage::Chat { text: "x".into() })),
            false,
            4002,
            BadMessage,
        ),
        ("a second hello", named("Again"), true, 4002, BadMessage),
        ("nothing", binary(b""), false, 4002, Decode),
        ("nothing, joined", binary(b""), true, 4002, Decode),
        ("all ones", binary(&[0xff; 32]), true, 4002, Decode),
        ("an unknown message", binary(&[message::TYPE, 99]), true, 4002, Decode),
        ("half a hello", binary(&hello("Name")[..8]), false, 4002, Decode),
        ("a hello and a byte", binary(&long_hello), false, 4002, Decode),
        ("half an input", binary(&oars[..5]), true, 4002, Decode),
        ("an input and a byte", binary(&[&oars[..], &[0]].concat()), true, 4002, Decode),
        (
            "an input with bits that nobody has",
            binary(&[&oars[..oars.len() - 1], &[0xff]].concat()),
            true,
            4002,
            Decode,
        ),
        ("a text of 2^30 bytes", binary(&claim(1 << 30)), true, 4002, Decode),
        ("a text of 2^62 bytes", binary(&claim(1 << 62)), true, 4002, Decode),
        ("a text of 2^64 bytes", binary(&claim(u64::MAX)), true, 4002, Decode),
        ("chat that is not UTF-8", binary(&[message::TYPE, 1, 2, 0xff, 0xfe]), true, 4002, Decode),
        ("a bool of 2", binary(&[message::TYPE, 2, 0, 2]), true, 4002, Decode),
        ("no name", named(""), false, 4003, BadName),
        ("a name of nothing visible", named("\u{202e}\u{200b}\u{7}"), false, 4003, BadName),
        ("a name of 1,000 letters", named(&"x".repeat(1000)), false, 4003, BadName),
        ("a name of 10,000 letters", named(&"x".repeat(10_000)), false, 1009, Reason::TooBig),
        ("an absurd tick", binary(&absurd(1 << 30)), true, 4003, Reason::Expelled),
        ("an absurd tick, behind", binary(&absurd(3 << 30)), true, 4003, Reason::Expelled),
    ];
    for (what, bytes, joined, expected, reason) in cases {
        let counted = |reason| running.server.front.refusals.count(reason);
        let before = counted(reason);
        let mut peer = if joined { running.join("Mallory").await } else { running.open().await };
        peer.send(&bytes).await;
        let (code, sentence) = peer.closing().await.unwrap_or_default();
        assert_eq!(code, expected, "{what}: {sentence}");
        assert!(!sentence.is_empty(), "{what}");
        assert_eq!(counted(reason), before + 1, "{what}");
        peer.end().await;
    }
    unharmed(running, bystander).await;
}

#[tokio::test]
async fn names_and_lines_are_cleaned_and_too_long_ones_swallowed() {
    let (running, bystander) = scene(hasty()).await;
    let mut peer = running.open().await;
    peer.send(&binary(&hello("  \u{202e}Eve\u{200b}  <b>\u{300} "))).await;
    let (_, welcome) = peer.frame().await.expect("a welcome");
    let Ok(ServerMessage::Welcome { name, .. }) = message::decode(&welcome[1..]) else { panic!() };
    assert_eq!(name, "Eve <b>");
    let say =
        |text: &str| binary(&message::encode_control(&ClientMessage::Chat { text: text.into() }));
    peer.send(&[say(&"x".repeat(201)), say("\u{200b}"), say(" a\u{7}b ")].concat()).await;
    let mut heard = Vec::new();
    while heard.len() < 2 {
        let (_, payload) = peer.frame().await.expect("still there");
        if let Some(0) = payload.first()
            && let Ok(ServerMessage::Chat { from, text }) = message::decode(&payload[1..])
        {
            heard.push((from.is_some(), text));
        }
    }
    assert!(!heard[0].0 && heard[0].1.contains("too long"), "{heard:?}");
    assert_eq!(heard[1], (true, "ab".into()));
    drop(peer);
    unharmed(running, bystander).await;
}

#[tokio::test]
async fn whoever_says_no_hello_is_shown_out() {
    let (running, bystander) = scene(hasty()).await;
    let mut mute = running.open().await;
    let mut pinging = running.open().await;
    pinging.send(&frame(0x89, b"still here")).await;
    for peer in [&mut mute, &mut pinging] {
        assert_eq!(peer.closing().await.map(|c| c.0), Some(4001));
        peer.end().await;
    }
    assert_eq!(running.server.front.refusals.count(Reason::HelloTimeout), 2);
    unharmed(running, bystander).await;
}

#[tokio::test]
async fn floods_end_soon_and_with_a_reason() {
    let (running, bystander) = scene(hasty()).await;
    let ping = binary(&message::encode_control(&ClientMessage::Ping { nonce: 1 }));
    let bytes = BYTES_BURST_MAX as usize * 2;
    for (what, unit, reason) in [
        ("messages", ping, Reason::MessageRate),
        ("pings", frame(0x89, b""), Reason::MessageRate),
        ("pongs", frame(0x8a, b""), Reason::MessageRate),
        ("large pings", frame(0x89, &[0; 125]), Reason::MessageRate),
        ("empty fragments", frame(0x00, b""), Reason::ByteRate),
    ] {
        let mut peer = running.join("Flood").await;
        let (before, began) = (running.server.front.refusals.count(reason), Instant::now());
        let opening = if reason == Reason::ByteRate { frame(0x02, b"") } else { Vec::new() };
        // Whether it is read or not, nothing of it queues up.
        peer.send(&[opening, unit.repeat(bytes / unit.len())].concat()).await;
        let (code, sentence) = peer.closing().await.unwrap_or_default();
        assert_eq!(code, 1008, "{what}: {sentence}");
        peer.end().await;
        assert!(began.elapsed() < Duration::from_secs(3), "{what}: {:?}", began.elapsed());
        assert_eq!(running.server.front.refusals.count(reason), before + 1, "{what}");
    }
    let mut peer = running.connect().await;
    peer.send(&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".repeat(bytes / 27)).await;
    peer.end().await;
    assert_eq!(running.server.front.refusals.count(Reason::ByteRate), 2);
    unharmed(running, bystander).await;
}

#[tokio::test]
async fn chat_floods_are_the_sessions_to_end() {
    let (running, bystander) = scene(hasty()).await;
    let mut peer = running.join("Chatty").await;
    let line = binary(&message::encode_control(&ClientMessage::Chat { text: "buy!".into() }));
    peer.send(&line.repeat(40)).await;
    assert_eq!(peer.closing().await.map(|c| c.0), Some(4008));
    peer.end().await;
    assert_eq!(running.server.front.refusals.count(Reason::Expelled), 1);
    unharmed(running, bystander).await;
}

#[tokio::test]
async fn join_and_reset_leaves_nothing_behind() {
    let (running, bystander) = scene(hasty()).await;
    for round in 0..50 {
        let mut peer = running.connect().await;
        let all = [running.handshake(), binary(&hello("Gone")), vec![0x82, 0xfe]].concat();
        peer.send(&all[..if round % 2 == 0 { all.len() } else { 60 }]).await;
        let socket = peer.stream.into_std().expect("a socket");
        // Without lingering, closing sends a reset.
        let socket = tokio::net::TcpSocket::from_std_stream(socket);
        socket.set_zero_linger().expect("a socket");
    }
    unharmed(running, bystander).await;
}
