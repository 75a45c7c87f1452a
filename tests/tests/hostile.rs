//! Bad frames and messages on real sockets. Each story serves a session with somebody in it who plays by the
//! rules: whoever sends nonsense gets an answer with a reason and is counted, and the other one notices
//! nothing.

use server::net::limits::{BYTES_BURST_MAX, Limits};
use server::net::refusal::Reason;
use shared::wire::input::InputMessage;
use shared::wire::message::{self, CLIENT_MESSAGE_BYTES_MAX, ClientMessage, Hello, ServerMessage};
use shared::wire::{Protocol, Row, input};
use tests::buoys::{Buoys, Oars};
use tests::harness::{
    PATIENCE, binary, close, eventually, frame, hasty, hello, scene, unharmed, within,
};
use tests::told::is_pong;

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
    let refused = running.server.common.refusals.count(Reason::Protocol);
    let expected =
        bad_frames().iter().filter(|case| case.2 == 1002 && case.0 != "a bad code").count();
    assert_eq!(refused, 2 * expected as u64);
    unharmed(running, bystander).await;
}

#[tokio::test]
async fn a_proper_goodbye_is_returned_and_the_server_hangs_up_first() {
    // A server that waited for the peer to hang up would do so for longer than this test.
    let close_wait = 2 * PATIENCE;
    let (running, bystander) = scene(Limits { close_wait, ..Limits::default() }).await;
    for code in [1000, 1001, 3000, 4999] {
        let mut peer = running.join("Leaving").await;
        peer.send(&[close(code, b"bye"), binary(b"too late")].concat()).await;
        assert_eq!(peer.closing().await, Some((code, "bye".into())));
        within(PATIENCE, "hanging up", peer.end()).await;
    }
    let mut peer = running.join("Leaving").await;
    peer.send(&frame(0x88, &[])).await;
    assert_eq!(peer.closing().await, Some((0, String::new())));
    peer.end().await;
    drop(peer);
    assert!(Reason::ALL.iter().all(|&reason| running.server.common.refusals.count(reason) == 0));
    unharmed(running, bystander).await;
}

#[tokio::test]
async fn odd_but_legal_frames_are_served() {
    let (running, bystander) = scene(hasty()).await;
    let ping = message::encode_control(&ClientMessage::Ping { nonce: 7 });
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
            if is_pong(&payload, 7) {
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
    let old = control(&ClientMessage::Hello(Hello::new(proper ^ 1, "Old")));
    let long_hello = [&[message::TYPE, 0][..], &hello("Name")[2..], &[0]].concat();
    let claim = |len: u64| [&[message::TYPE, 1, 0, 0xfd][..], &len.to_le_bytes()].concat();
    use Reason::{BadMessage, BadName, Decode, Version};
    // What is sent, whether after joining, the code, and the reason that is counted.
    let cases: Vec<(&str, Vec<u8>, bool, u16, Reason)> = vec![
        ("an old version", binary(&old), false, 4006, Version),
        ("input before the hello", binary(&oars), false, 4002, BadMessage),
        (
            "chat before the hello",
            binary(&control(&ClientMessage::Chat { team: false, text: "x".into() })),
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
        (
            "chat that is not UTF-8",
            binary(&[message::TYPE, 1, 0, 2, 0xff, 0xfe]),
            true,
            4002,
            Decode,
        ),
        ("a bool of 2", binary(&[message::TYPE, 2, 0, 2]), true, 4002, Decode),
        ("no name", named(""), false, 4003, BadName),
        ("a name of nothing visible", named("\u{202e}\u{200b}\u{7}"), false, 4003, BadName),
        ("a name of 900 letters", named(&"x".repeat(900)), false, 4003, BadName),
        ("a name of 10,000 letters", named(&"x".repeat(10_000)), false, 1009, Reason::TooBig),
        ("an absurd tick", binary(&absurd(1 << 30)), true, 4003, Reason::Expelled),
        ("an absurd tick, behind", binary(&absurd(3 << 30)), true, 4003, Reason::Expelled),
    ];
    for (what, bytes, joined, expected, reason) in cases {
        let counted = |reason| running.server.common.refusals.count(reason);
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
    let tower = "\u{300}".repeat(9);
    peer.send(&binary(&hello(&format!("  \u{202e}Eve\u{200b}  <b>{tower} ")))).await;
    let (_, welcome) = peer.frame().await.expect("a welcome");
    let Ok(ServerMessage::Welcome { name, .. }) = message::decode(&welcome[1..]) else { panic!() };
    assert_eq!(name, "Eve <b>\u{300}\u{300}\u{300}");
    let say = |text: &str| {
        binary(&message::encode_control(&ClientMessage::Chat { team: false, text: text.into() }))
    };
    peer.send(&[say(&"x".repeat(201)), say("\u{200b}"), say(" a\u{7}b ")].concat()).await;
    let mut heard = Vec::new();
    while heard.len() < 2 {
        let (_, payload) = peer.frame().await.expect("still there");
        if let Some(0) = payload.first()
            && let Ok(ServerMessage::Chat { from, text, .. }) = message::decode(&payload[1..])
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
    running.hurries(|limits| &mut limits.hello_wait);
    let mut mute = running.open().await;
    let mut pinging = running.open().await;
    pinging.send(&frame(0x89, b"still here")).await;
    for peer in [&mut mute, &mut pinging] {
        assert_eq!(peer.closing().await.map(|c| c.0), Some(4001));
        peer.end().await;
    }
    assert_eq!(running.server.common.refusals.count(Reason::HelloTimeout), 2);
    unharmed(running, bystander).await;
}

#[tokio::test]
async fn floods_end_soon_and_with_a_reason() {
    let (running, bystander) = scene(hasty()).await;
    let ping = binary(&message::encode_control(&ClientMessage::Ping { nonce: 1 }));
    // Far more than the rate lets through meanwhile, however slowly it is read.
    let bytes = BYTES_BURST_MAX as usize * 8;
    for (what, unit, reason) in [
        ("messages", ping, Reason::MessageRate),
        ("pings", frame(0x89, b""), Reason::MessageRate),
        ("pongs", frame(0x8a, b""), Reason::MessageRate),
        ("large pings", frame(0x89, &[0; 125]), Reason::MessageRate),
        ("empty fragments", frame(0x00, b""), Reason::ByteRate),
    ] {
        let mut peer = running.join("Flood").await;
        let before = running.server.common.refusals.count(reason);
        let opening = if reason == Reason::ByteRate { frame(0x02, b"") } else { Vec::new() };
        // Whether it is read or not, nothing of it queues up.
        peer.send(&[opening, unit.repeat(bytes / unit.len())].concat()).await;
        let (code, sentence) = peer.closing().await.unwrap_or_default();
        assert_eq!(code, 1008, "{what}: {sentence}");
        peer.end().await;
        assert_eq!(running.server.common.refusals.count(reason), before + 1, "{what}");
    }
    // Large ones, so that what is too much comes before many answers have to be written.
    let ask = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(4000));
    let mut peer = running.connect().await;
    peer.send(&ask.repeat(bytes / ask.len()).into_bytes()).await;
    peer.end().await;
    eventually("it counts", || running.server.common.refusals.count(Reason::ByteRate) == 2).await;
    unharmed(running, bystander).await;
}

#[tokio::test]
async fn chat_floods_are_the_sessions_to_end() {
    let (running, bystander) = scene(hasty()).await;
    let mut peer = running.join("Chatty").await;
    let line =
        binary(&message::encode_control(&ClientMessage::Chat { team: false, text: "buy!".into() }));
    peer.send(&line.repeat(40)).await;
    assert_eq!(peer.closing().await.map(|c| c.0), Some(4008));
    peer.end().await;
    assert_eq!(running.server.common.refusals.count(Reason::Expelled), 1);
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
