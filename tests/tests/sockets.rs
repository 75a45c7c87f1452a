//! Peers on real sockets that do nothing wrong, or simply stop: page and game on one port, half-open
//! connections, slow readers, and a proper end for everybody.

use server::config::Config;
use server::metrics::Stage;
use server::net::PLAY_PATH;
use server::net::limits::{Limits, OUTBOX_BYTES_MAX};
use server::net::outbox::ConnectionOutbox;
use server::net::refusal::Reason;
use server::session::door::{Outbox, ToSession};
use server::tick_loop::Ticked;
use shared::game::{Game, PlayerId, Tick};
use shared::netcode::history::History;
use shared::wire::close::CloseCode;
use shared::wire::input::InputMessage;
use shared::wire::message::{self, ClientMessage, Hello, ServerMessage};
use shared::wire::protocol::SUBPROTOCOL;
use shared::wire::{Protocol, Row, SeatToken};
use std::iter::once;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tests::buoys::{Buoys, Oars};
use tests::harness::{
    Bystander, PATIENCE, Peer, Running, Welcomed, binary, close, eventually, frame, hasty, hello,
    within,
};
use tests::told::is_pong;
use tokio::net::TcpStream;

#[tokio::test]
async fn a_page_and_a_game_come_from_one_port() {
    let running = Running::start(hasty());
    let mut players = Vec::new();
    for name in ["Ada", "Grace", "Edsger"] {
        players.push(Bystander::join(running.address, name).await);
    }
    let mut peer = running.connect().await;
    let host = running.address;
    peer.send(
        format!("GET / HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: gzip\r\n\r\n").as_bytes(),
    )
    .await;
    let head = peer.head().await.expect("an answer").to_ascii_lowercase();
    for line in [
        "http/1.1 200",
        "content-type: text/html",
        "content-security-policy: default-src 'none'; script-src 'self' 'wasm-unsafe-eval'",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
        "cross-origin-opener-policy: same-origin",
        "cache-control: no-cache",
        "etag: ",
    ] {
        assert!(head.contains(line), "{line} is missing in {head}");
    }
    // A browser that asks for nothing more is no offender.
    peer.end().await;
    assert_eq!(running.server.common.refusals.count(Reason::HeadTimeout), 0);
    for player in &mut players {
        player.is_well().await;
    }
    running.settles_at(3).await;
    running.stop().await.expect("a proper end");
}

#[tokio::test]
async fn a_stopping_server_says_goodbye_to_everybody() {
    let running = Running::start(hasty());
    let address = running.address;
    let players = [Bystander::join(address, "One").await, Bystander::join(address, "Two").await];
    let mut raw = running.join("Raw").await;
    let (mut unjoined, mut idle) = (running.open().await, running.connect().await);
    // Neither reads nor answers, and is not waited for.
    let _deaf = running.join("Deaf").await;
    let common = Arc::clone(&running.server.common);
    within(PATIENCE, "stopping", async {
        let raw = tokio::spawn(async move {
            let said = raw.closing().await;
            raw.end().await;
            said
        });
        let unjoined = tokio::spawn(async move { unjoined.closing().await });
        let idle = tokio::spawn(async move { idle.end().await });
        running.stop().await.expect("a proper end");
        let (code, reason) = raw.await.unwrap().expect("a close frame");
        assert_eq!(code, 1001);
        assert!(reason.contains("has stopped"), "{reason}");
        assert_eq!(unjoined.await.unwrap().map(|c| c.0), Some(1001));
        idle.await.unwrap();
        for player in players {
            assert_eq!(player.closed().await, Some(1001));
        }
    })
    .await;
    assert_eq!(common.registry.open(), 0);
    assert!(TcpStream::connect(address).await.is_err(), "the port is free again");
}

#[tokio::test]
async fn a_session_that_is_full_says_so() {
    let config = Config { limits: hasty(), pilots: 0, max_players: 1, ..Config::default() };
    let running = Running::start_with(&config, server::open::<Buoys>(&config).unwrap());
    let mut first = Bystander::join(running.address, "First").await;
    let mut second = running.open().await;
    second.send(&binary(&hello("Second"))).await;
    let (code, reason) = second.closing().await.expect("a close frame");
    assert_eq!((code, reason.as_str()), (4014, "All 1 seats are taken."));
    let refusals = &running.server.common.refusals;
    eventually("it counts", || refusals.count(Reason::NoRoom) == 1).await;
    assert_eq!(refusals.count(Reason::Expelled), 0);
    first.is_well().await;
    running.stop().await.unwrap();
}

/// With a ping every so many ms, of which none may be left unanswered for longer than `wait_ms`.
fn pinging(every_ms: u64, wait_ms: u64) -> Limits {
    let (ping_every, pong_wait) = (Duration::from_millis(every_ms), Duration::from_millis(wait_ms));
    Limits { ping_every, pong_wait, ..hasty() }
}

#[tokio::test]
async fn whoever_vanishes_is_noticed() {
    let running = Running::start(pinging(50, 400));
    let mut bystander = Bystander::join(running.address, "Bystander").await;
    let mut silent = running.join("Silent").await;
    // Sends what it should, but reads nothing and so answers no ping.
    let mut deaf = running.join("Deaf").await;
    let refusals = &running.server.common.refusals;
    let mut tick = 0;
    let talking = async {
        while refusals.count(Reason::Dead) < 2 {
            tick += 1;
            let mut input = Vec::new();
            InputMessage::new(tick, tick as u8, &[0, 1]).encode(Oars::FIELDS, &mut input);
            deaf.send(&binary(&input)).await;
            tokio::time::sleep(Duration::from_millis(33)).await;
        }
    };
    within(PATIENCE, "noticing", talking).await;
    for peer in [&mut silent, &mut deaf] {
        let (code, reason) = peer.closing().await.expect("a close frame");
        assert_eq!(code, 4012, "{reason}");
    }
    running.settles_at(1).await;
    bystander.is_well().await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn the_first_ping_may_be_left_unanswered_for_all_of_the_wait() {
    let running = Running::start(pinging(50, 200));
    let mut silent = running.open().await;
    silent.send(&binary(&hello("Silent"))).await;
    let mut pings = 0;
    let closed = loop {
        match silent.frame().await.expect("a close frame") {
            (8, payload) => break u16::from_be_bytes([payload[0], payload[1]]),
            (opcode, _) => pings += u32::from(opcode == 9),
        }
    };
    assert_eq!((closed, pings), (4012, 4));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn answering_pings_keeps_a_quiet_connection() {
    let running = Running::start(pinging(30, 1500));
    let mut peer = running.join("Quiet").await;
    let mut pings = 0;
    // For longer than the wait.
    while pings < 60 {
        let (opcode, payload) = peer.frame().await.expect("kept");
        assert_ne!(opcode, 8, "{payload:?}");
        if opcode == 9 {
            pings += 1;
            peer.send(&frame(0x8a, &payload)).await;
        }
    }
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_half_closed_connection_is_closed() {
    let running = Running::start(hasty());
    for joined in [false, true] {
        let mut peer = if joined { running.join("Half").await } else { running.open().await };
        tokio::io::AsyncWriteExt::shutdown(&mut peer.stream).await.unwrap();
        peer.end().await;
    }
    running.settles_at(0).await;
    running.stop().await.unwrap();
}

/// Who says hello with this token.
async fn welcomed(running: &Running, seat: Option<SeatToken>) -> (Peer, PlayerId, SeatToken) {
    let hello = Hello { seat, ..Hello::new(Protocol::of::<Buoys>().hash, "Ada") };
    let Welcomed { peer, player, seat, .. } = running.welcome(PLAY_PATH, hello).await;
    (peer, player, seat)
}

#[tokio::test]
async fn whoever_is_cut_off_comes_back_to_the_same_seat() {
    let running = Running::start(hasty());
    let mut bystander = Bystander::join(running.address, "Bystander").await;
    let (mut peer, me, first) = welcomed(&running, None).await;
    // The seat of a short visit is kept for ten times its length.
    for _ in 0..6 {
        peer.frame().await.expect("the session speaks");
    }
    // The socket goes without a word; first orderly, then with a reset.
    drop(peer);
    running.settles_at(1).await;
    let (mut peer, same, second) = welcomed(&running, Some(first)).await;
    assert_eq!(same, me);
    assert_ne!(first, second);
    // Whoever plays has had the new token. The session has heard it once a message behind it is answered.
    let input = Protocol::of::<Buoys>().input;
    let mut bytes = Vec::new();
    InputMessage::new(60, 0, &vec![0; input.len()]).encode(input, &mut bytes);
    peer.send(&binary(&bytes)).await;
    let chat = ClientMessage::Chat { team: false, text: "back".into() };
    peer.send(&binary(&message::encode_control(&chat))).await;
    loop {
        let (_, payload) = peer.frame().await.expect("the session speaks");
        if payload.first() == Some(&message::TYPE)
            && let Ok(ServerMessage::Chat { .. }) = message::decode(&payload[1..])
        {
            break;
        }
    }
    let socket = tokio::net::TcpSocket::from_std_stream(peer.stream.into_std().expect("a socket"));
    socket.set_zero_linger().expect("a socket");
    drop(socket);
    running.settles_at(1).await;
    // A token that was used gets nothing; the newest does, also while the last connection lives.
    let (_stranger, other, _) = welcomed(&running, Some(first)).await;
    assert_ne!(other, me);
    let (mut older, same, third) = welcomed(&running, Some(second)).await;
    assert_eq!(same, me);
    let (mut newer, same, fourth) = welcomed(&running, Some(third)).await;
    assert_eq!(same, me);
    let (code, reason) = older.closing().await.expect("a close frame");
    assert_eq!((code, reason.as_str()), (4009, "The same seat was taken from another connection."));
    // Whoever says goodbye has left.
    newer.send(&close(1000, b"")).await;
    newer.end().await;
    let (_newest, other, _) = welcomed(&running, Some(fourth)).await;
    assert_ne!(other, me);
    assert_eq!(running.server.common.refusals.count(Reason::Expelled), 0);
    bystander.is_well().await;
    running.stop().await.unwrap();
}

/// A session that sends more than anybody wants to read, to everybody who has room for it.
struct Firehose {
    outboxes: Vec<ConnectionOutbox>,
    tick: Tick,
    taken: Arc<AtomicU64>,
    left: Arc<AtomicU64>,
}

impl Ticked<ConnectionOutbox> for Firehose {
    fn tick_rate(&self) -> u16 {
        100
    }

    fn tick_now(&self) -> Tick {
        self.tick
    }

    fn handle(&mut self, told: ToSession<ConnectionOutbox>, _: f64) {
        match told {
            ToSession::Join(who) => self.outboxes.push(who.outbox),
            ToSession::Leave { .. } => {
                self.left.fetch_add(1, Ordering::Relaxed);
            }
            _ => {}
        }
    }

    fn tick(&mut self, _: &mut dyn FnMut(Stage)) {
        self.tick += 1;
        let block = vec![1; OUTBOX_BYTES_MAX / 2];
        for outbox in &mut self.outboxes {
            while outbox.push(once(&block[..])) {
                self.taken.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn stop(&mut self, code: CloseCode, reason: &str) {
        self.outboxes.iter_mut().for_each(|outbox| outbox.close(code, reason));
    }
}

#[tokio::test]
async fn whoever_takes_nothing_is_dropped_and_the_ticks_go_on() {
    let limits = Limits { write_wait: Duration::from_millis(300), ..hasty() };
    let limits = Limits { ping_every: Duration::from_millis(50), ..limits };
    let config = Config { limits, ..Config::default() };
    let (taken, left) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
    let firehose = Firehose {
        outboxes: Vec::new(),
        tick: 0,
        taken: Arc::clone(&taken),
        left: Arc::clone(&left),
    };
    let running = Running::start_with(&config, firehose);
    let mut peer = running.open().await;
    peer.send(&binary(&hello("Slow"))).await;
    let refusals = &running.server.common.refusals;
    eventually("the slow one is dropped", || refusals.count(Reason::Slow) == 1).await;
    running.settles_at(0).await;
    eventually("the session hears of it", || left.load(Ordering::Relaxed) == 1).await;
    // What it was sent is what the kernel and the outbox hold, not what was there to be sent.
    assert!(taken.load(Ordering::Relaxed) < 200, "{taken:?}");
    let ticks = &running.server.common.directory.ticks;
    let before = ticks.ticks.load(Ordering::Relaxed);
    eventually("ticks go on", || ticks.ticks.load(Ordering::Relaxed) > before + 10).await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_ping_is_answered_while_the_session_is_silent() {
    let running = Running::start(hasty());
    let mut peer = running.join("Pinger").await;
    let ping = message::encode_control(&ClientMessage::Ping { nonce: 0xfeed });
    peer.send(&binary(&ping)).await;
    while !is_pong(&peer.frame().await.expect("an answer").1, 0xfeed) {}
    running.stop().await.unwrap();
}

/// Sockets are read when a tick is due; what came since the last one counts from when it came.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_input_is_as_early_as_it_came_and_a_ping_is_told_how_long_it_waited() {
    let running = Running::start(hasty());
    let (mut peer, ..) = welcomed(&running, None).await;
    let table = Protocol::of::<Buoys>().input;
    let mut history = History::new(Buoys::KINDS);
    // Counted from the next tick, when it is read, an input for the third one from now would be two ticks early at most;
    // with four looks in a tick two and three quarters.
    let (mut earliest, mut longest_us, mut tries) = (f64::MIN, 0, 0);
    while earliest <= 2.8 || longest_us <= 5_000 {
        let (_, payload) = peer.frame().await.expect("the session speaks");
        if payload.first() == Some(&message::TYPE) {
            if let Ok(ServerMessage::Pong { waited_us, .. }) = message::decode(&payload[1..]) {
                longest_us = longest_us.max(waited_us);
            }
            continue;
        }
        let frame = history.take::<Buoys>(&(), &payload).expect("frames in order");
        earliest = earliest.max(frame.margin.unwrap_or(f64::MIN));
        let mut input = Vec::new();
        let fields = vec![0; table.len()];
        InputMessage::new(frame.tick + 3, frame.tick as u8, &fields).encode(table, &mut input);
        let ping = message::encode_control(&ClientMessage::Ping { nonce: frame.tick });
        peer.send(&[binary(&input), binary(&ping)].concat()).await;
        tries += 1;
        assert!(tries < 100, "{earliest} ticks early, {longest_us} µs");
    }
    assert!(earliest <= 3.0, "{earliest} ticks");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_client_of_another_version_is_told_to_reload() {
    let running = Running::start(hasty());
    let mut peer = running.open().await;
    let protocol = Protocol::of::<Buoys>().hash.wrapping_add(1);
    let hello = ClientMessage::Hello(Hello::new(protocol, "Old"));
    peer.send(&binary(&message::encode_control(&hello))).await;
    is_told_to_reload(peer).await;
    // Messages of another layout are not even looked at: the handshake says whose it is.
    let mut peer = running.connect().await;
    let handshake = String::from_utf8(running.handshake()).unwrap();
    let older = handshake.replace(SUBPROTOCOL, "gamekeeper.1");
    peer.send(older.as_bytes()).await;
    let head = peer.head().await.expect("an answer").to_ascii_lowercase();
    assert!(head.contains(" 101 ") && head.contains("protocol: gamekeeper.1\r\n"), "{head}");
    peer.send(&binary(b"\x07what was a hello once")).await;
    is_told_to_reload(peer).await;
    assert_eq!(running.server.common.refusals.count(Reason::Version), 2);
    running.stop().await.unwrap();
}

async fn is_told_to_reload(mut peer: Peer) {
    let (code, reason) = peer.closing().await.expect("a close frame");
    assert_eq!(code, 4006);
    assert!(reason.contains("reload"), "{reason}");
}
