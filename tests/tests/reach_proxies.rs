//! Ways to the server that are not a plain TCP connection: trusted proxies and their headers, the PROXY protocol,
//! a Unix socket, a path below which everything is.

use server::config::{Bind, Config, FileMode, ReachConfig, StoppingConfig};
use server::net::limits::{BYTES_BURST_MAX, HEAD_BYTES_MAX, Limits, Rate};
use server::net::listeners::Listeners;
use server::net::peer::Peer;
use server::net::refusal::Reason;
use shared::wire::protocol::SUBPROTOCOL;
use std::os::unix::fs::PermissionsExt;
use tests::buoys::Buoys;
use tests::harness::{Bystander, Running, eventually, hasty};
use tests::reach::{Folder, exchange, get};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

/// Settings in which this machine is a trusted proxy.
fn config(limits: Limits) -> Config {
    let reach = ReachConfig {
        bind: vec![Bind::Tcp("127.0.0.1:0".parse().expect("an address"))],
        trusted_proxies: vec!["127.0.0.1/32".parse().expect("a network")],
        ..ReachConfig::default()
    };
    let stopping = StoppingConfig { drain_seconds: Some(0) };
    Config { reach, limits, stopping, pilots: 0, seed: Some(1), ..Config::default() }
}

fn behind(address: &str) -> Peer {
    Peer::Behind(address.parse().expect("an address"))
}

async fn connect(running: &Running) -> TcpStream {
    TcpStream::connect(running.address).await.expect("the server accepts")
}

/// Asks for a WebSocket, with more header lines; the status, and the line as long as that is held.
async fn upgrade<S>(mut stream: S, path: &str, headers: &str) -> (u16, S)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n{headers}\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("the server reads");
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.expect("an answer");
    let status = std::str::from_utf8(&head[9..]).expect("ASCII").parse().expect("a status");
    (status, stream)
}

#[tokio::test]
async fn what_a_trusted_proxy_passes_on_counts_for_the_client() {
    let limits = Limits { max_per_address: 1, ..Limits::default() };
    let running = Running::start_reached::<Buoys>(&config(limits));
    let common = &running.server.common;
    let through = async |headers| upgrade(connect(&running).await, "/play", headers).await;

    // Ten connections of the proxy's own are no limit; a second one of the same client is.
    let _idle: [_; 10] = futures_util::future::join_all((0..10).map(|_| connect(&running)))
        .await
        .try_into()
        .expect("ten");
    let (status, _ada) = through("X-Forwarded-For: 203.0.113.7\r\n").await;
    assert_eq!(status, 101);
    eventually("Ada", || common.registry.peers().contains(&behind("203.0.113.7"))).await;
    let (status, _) = through("X-Forwarded-For: 1.1.1.1, 203.0.113.7\r\n").await;
    assert_eq!((status, common.refusals.count(Reason::AddressFull)), (429, 1));
    let (status, _ben) = through("X-Forwarded-For: 203.0.113.8\r\n").await;
    assert_eq!(status, 101);

    // What is no text in front of it hides nobody.
    let (status, _) = through("X-Forwarded-For: \u{ff}, 203.0.113.7\r\n").await;
    assert_eq!((status, common.refusals.count(Reason::AddressFull)), (429, 2));

    // The header that is not the one set is not believed. What is no address is nobody's, and gets nothing but word
    // of how the server is.
    let (status, eve) = through("Forwarded: for=203.0.113.9\r\n").await;
    assert_eq!(status, 101);
    assert!(!common.registry.peers().contains(&behind("203.0.113.9")));
    let hidden = "X-Forwarded-For: 203.0.113.9, \u{ff}\r\n";
    for (path, status) in [("/play", 400), ("/api/sessions", 400), ("/", 400), ("/healthz", 200)] {
        let answer = exchange(connect(&running).await, &get(path, hidden)).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{path}: {answer}");
    }
    assert_eq!(common.refusals.count(Reason::BadRequest), 3);
    drop(eve);
    running.stop().await.expect("it stops");
}

#[tokio::test]
async fn one_client_does_not_hold_all_connections_of_a_proxy_with_requests() {
    let limits = Limits { max_unjoined_per_address: 2, ..hasty() };
    let running = Running::start_reached::<Buoys>(&config(limits));
    let (ada, ben) = ("203.0.113.7", "203.0.113.8");
    let header = |client: &str| format!("X-Forwarded-For: {client}\r\n");
    // Requests whose body does not come are under way for as long as the server waits for it.
    let half = async |client: &str| {
        let mut line = connect(&running).await;
        let head = format!(
            "POST /api/tickets HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: 2\r\n{}\r\n{{",
            header(client)
        );
        line.write_all(head.as_bytes()).await.expect("the server reads");
        line
    };
    let ask = async |path: &str, client: &str| {
        let answer = exchange(connect(&running).await, &get(path, &header(client))).await;
        answer[9..12].parse::<u16>().expect("a status")
    };
    let mut held = vec![half(ada).await, half(ada).await];
    let (limits, client) =
        (&running.server.common.address_limits, ada.parse().expect("an address"));
    eventually("both are under way", || limits.passes_on(client) == 2).await;
    for path in ["/api/sessions", "/"] {
        assert_eq!([ask(path, ada).await, ask(path, ben).await], [429, 200], "{path}");
    }
    assert_eq!(ask("/healthz", ada).await, 200);
    // An answer to the last byte, and whoever goes away, makes room.
    held[0].write_all(b"}").await.expect("the server reads");
    let mut status = [0; 12];
    held[0].read_exact(&mut status).await.expect("an answer");
    assert_eq!(&status[9..], b"201");
    eventually("one is answered", || limits.passes_on(client) == 1).await;
    assert_eq!(ask("/", ada).await, 200);
    drop(held);
    eventually("none is under way", || limits.passes_on(client) == 0).await;
    // Who listens is counted among listeners instead.
    let mut streams = Vec::new();
    for _ in 0..4 {
        let mut stream = connect(&running).await;
        stream.write_all(get("/api/sessions/events", &header(ada)).as_bytes()).await.expect("read");
        stream.read_exact(&mut status).await.expect("an answer");
        assert_eq!(&status[9..], b"200");
        streams.push(stream);
    }
    drop(streams);
    running.stop().await.expect("it stops");
}

#[tokio::test]
async fn no_address_opens_all_sessions_and_visitors_leave_some_to_quick_play() {
    let limits = Limits { max_sessions_per_address: 2, ..hasty() };
    let config = Config { max_sessions: 8, ..config(limits) };
    let running = Running::start_reached::<Buoys>(&config);
    let post = async |path: &str, headers: &str, body: &str| {
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\
             Content-Type: application/json\r\n{headers}\r\n{body}"
        );
        exchange(connect(&running).await, &request).await
    };
    let open = async |client: u8| {
        post("/api/sessions", &format!("X-Forwarded-For: 203.0.113.{client}\r\n"), "{}").await
    };
    let status = |answer: &str| answer[9..12].parse::<u16>().expect("a status");
    let create = async |client: u8| status(&open(client).await);
    let first = open(1).await;
    assert_eq!([status(&first), create(1).await, create(1).await], [201, 201, 429]);
    assert_eq!([create(2).await, create(2).await, create(3).await, create(3).await], [201; 4]);
    // The seventh is the last one that visitors may have of eight; the eighth is quick play's.
    assert_eq!([create(4).await, create(4).await], [201, 503]);
    let directory = &running.server.common.directory;
    let not: Vec<_> = directory.entries().iter().map(|entry| entry.code).collect();
    assert_eq!(not.len(), 7);
    let (quick, _promise) = directory.quick(&not).expect("one more");
    assert!(!not.contains(&quick.code));
    assert_eq!(directory.len(), 8);
    // Where one ends its opener may have another one.
    let (_, first) = first.split_once("\r\n\r\n").expect("a body");
    let first: serde_json::Value = serde_json::from_str(first).expect("JSON");
    let text = |name: &str| first[name].as_str().expect("text").to_owned();
    let (path, secret) = (format!("/api/sessions/{}/actions", text("code")), text("host_secret"));
    let proof = format!("Authorization: Bearer {secret}\r\n");
    assert_eq!(status(&post(&path, &proof, r#"{"action":"end"}"#).await), 204);
    eventually("it is over", || directory.len() == 7).await;
    assert_eq!([create(1).await, create(1).await], [201, 429]);
    running.stop().await.expect("it stops");
}

#[tokio::test]
async fn one_client_comes_only_so_often_without_a_ticket() {
    let limits = Limits { join_rate: Some(Rate::one_per(3600.0, 2)), ..hasty() };
    let running = Running::start_reached::<Buoys>(&config(limits));
    let through = async |path: &str, client: &str| {
        let header = format!("X-Forwarded-For: {client}\r\n");
        upgrade(connect(&running).await, path, &header).await.0
    };
    let created = running.post("/api/sessions", "{}").await.expect(201);
    let by_code = format!("/play/{}", created["code"].as_str().expect("a code"));
    let (ada, ben) = ("203.0.113.7", "203.0.113.8");
    assert_eq!([through("/play", ada).await, through(&by_code, ada).await], [101, 101]);
    for path in ["/play", &by_code] {
        let header = format!("X-Forwarded-For: {ada}\r\n");
        let request = String::from_utf8(running.handshake())
            .expect("ASCII")
            .replace("GET /play HTTP/1.1\r\n", &format!("GET {path} HTTP/1.1\r\n{header}"));
        let answer = exchange(connect(&running).await, &request).await;
        assert!(answer.starts_with("HTTP/1.1 429"), "{answer}");
        assert!(answer.to_ascii_lowercase().contains("retry-after: "), "{answer}");
    }
    assert_eq!(running.server.common.refusals.count(Reason::JoinRate), 2);
    // Tickets have a limit of their own; others come, and so do the bots of this machine.
    let header = format!("Content-Type: application/json\r\nX-Forwarded-For: {ada}\r\n");
    let ticket = running.ask("POST", "/api/tickets", &header, "{}").await.expect(201);
    assert_eq!(through(ticket["play"].as_str().expect("a path"), ada).await, 101);
    assert_eq!(through("/play", ben).await, 101);
    for _ in 0..3 {
        assert_eq!(upgrade(connect(&running).await, "/play", "").await.0, 101);
    }
    running.stop().await.expect("it stops");
}

#[tokio::test]
async fn many_clients_of_a_proxy_may_say_more_than_one() {
    let running = Running::start_reached::<Buoys>(&config(hasty()));
    let common = &running.server.common;
    let padding = format!("X-Long: {}\r\n", "x".repeat(HEAD_BYTES_MAX / 2));
    let count = 2 + BYTES_BURST_MAX as usize / padding.len();
    let requests: String = (0..count)
        .map(|n| get("/healthz", &format!("X-Forwarded-For: 203.0.113.{}\r\n{padding}", n % 200)))
        .map(|request| request.replace("Connection: close\r\n", ""))
        .collect();
    let answers = exchange(connect(&running).await, &(requests + &get("/healthz", ""))).await;
    assert_eq!(answers.matches("HTTP/1.1 200").count(), count + 1);
    assert_eq!(common.refusals.count(Reason::ByteRate), 0);

    // What comes of it is one client's, and has a client's rate.
    let (status, mut ada) =
        upgrade(connect(&running).await, "/play", "X-Forwarded-For: 203.0.113.7\r\n").await;
    assert_eq!(status, 101);
    let empty_fragments =
        [2, 0x80, 1, 2, 3, 4].into_iter().chain([0, 0x80, 1, 2, 3, 4].repeat(400_000));
    // Its line may be cut before it has said all.
    let _ = ada.write_all(&empty_fragments.collect::<Vec<u8>>()).await;
    eventually("a refusal", || common.refusals.count(Reason::ByteRate) == 1).await;
    running.stop().await.expect("it stops");
}

#[tokio::test]
async fn rates_are_each_clients_own_on_one_line_of_a_proxy() {
    let limits = Limits { api_rate: Rate::one_per(1000.0, 2), ..Limits::default() };
    let mut config = config(limits);
    config.reach.proxy_header = "forwarded".parse().expect("a header");
    let running = Running::start_reached::<Buoys>(&config);
    let request = |client: &str, last: bool| {
        let end = if last { "Connection: close\r\n" } else { "" };
        let client = format!("Forwarded: for=6.6.6.6, for=\"{client}\";proto=https\r\n{end}");
        format!("GET /api/protocol HTTP/1.1\r\nHost: localhost\r\n{client}\r\n")
    };
    let (ada, ben) = ("[2001:db8:0:1::1]:4711", "[2001:db8:0:2::1]");
    let neighbour = "[2001:db8:0:1::2]";
    let asked = [ada, ben, neighbour, ada, ben];
    let all: String = asked.iter().enumerate().map(|(n, client)| request(client, n == 4)).collect();
    let answers = exchange(connect(&running).await, &all).await;
    let statuses: Vec<_> = answers.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
    assert_eq!(statuses, ["200", "200", "200", "429", "200"]);
    running.stop().await.expect("it stops");
}

#[tokio::test]
async fn whoever_is_not_trusted_is_not_believed() {
    let mut config = config(hasty());
    config.reach.trusted_proxies = vec!["10.0.0.0/8".parse().expect("a network")];
    config.reach.proxy_protocol = true;
    let running = Running::start_reached::<Buoys>(&config);
    let common = &running.server.common;
    let (status, line) =
        upgrade(connect(&running).await, "/play", "X-Forwarded-For: 203.0.113.7\r\n").await;
    assert_eq!(status, 101);
    let own = Peer::Direct(line.local_addr().expect("connected"));
    eventually("an honest address", || common.registry.peers() == [own]).await;
    let header = format!("PROXY TCP4 203.0.113.7 10.0.0.1 1 2\r\n{}", get("/healthz", ""));
    let answer = exchange(connect(&running).await, &header).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    eventually("a refusal", || common.refusals.count(Reason::BadRequest) == 1).await;
    drop(line);
    running.stop().await.expect("it stops");
}

#[tokio::test]
async fn the_proxy_protocol_says_who_connects() {
    let mut config = config(Limits { max_per_address: 1, ..hasty() });
    config.reach.proxy_protocol = true;
    let running = Running::start_reached::<Buoys>(&config);
    let common = &running.server.common;
    let v1 = b"PROXY TCP4 203.0.113.7 10.0.0.1 4711 80\r\n".to_vec();
    let v2 = |last: u8| {
        let addresses = [203, 0, 113, last, 10, 0, 0, 1, 0x12, 0x67, 0, 80];
        [&b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"[..], &addresses].concat()
    };
    let through = async |header: Vec<u8>| {
        let mut stream = connect(&running).await;
        stream.write_all(&header).await.expect("the server reads");
        stream
    };
    let url = format!("ws://{}/play", running.address);
    let mut ada = Bystander::over(through(v1).await, &url, "Ada").await;
    let mut ben = Bystander::over(through(v2(8)).await, &url, "Ben").await;
    for client in ["203.0.113.7", "203.0.113.8"] {
        assert!(common.registry.peers().contains(&behind(client)), "{client}");
    }
    let mut third = through(v2(7)).await;
    assert_eq!(third.read(&mut [0; 16]).await.unwrap_or(0), 0, "too many from that address");
    assert_eq!(common.refusals.count(Reason::AddressFull), 1);

    // The proxy itself looks whether we are well; and what is no header is refused, as is saying nothing.
    let local = through(b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0".to_vec()).await;
    assert!(exchange(local, &get("/healthz", "")).await.ends_with("ok\n"));
    let none = exchange(connect(&running).await, &get("/healthz", "")).await;
    assert_eq!(none, "");
    eventually("a refusal", || common.refusals.count(Reason::BadRequest) == 1).await;
    let mut mute = connect(&running).await;
    assert_eq!(mute.read(&mut [0; 16]).await.unwrap_or(0), 0);
    eventually("a refusal", || common.refusals.count(Reason::HeadTimeout) == 1).await;
    ada.is_well().await;
    ben.is_well().await;
    running.stop().await.expect("it stops");
}

#[tokio::test]
async fn a_unix_socket_serves_a_proxy() {
    let folder = Folder::new();
    let path = folder.at("game.sock");
    let mut config = config(hasty());
    config.reach.bind = vec![Bind::Unix(path.clone())];
    config.reach.unix_mode = FileMode(0o600);
    // What a server left behind that was killed is replaced; what is no socket is not.
    drop(std::os::unix::net::UnixListener::bind(&path).expect("a socket"));
    let running = Running::start_reached::<Buoys>(&config);
    let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let said = format!("{:#}", Listeners::open(&config.reach).expect_err("it is taken"));
    assert!(said.contains("game.sock") && said.contains("another program"), "{said}");
    let mut other = config.reach.clone();
    other.bind = vec![Bind::Unix(folder.write("file", "a file"))];
    let said = format!("{:#}", Listeners::open(&other).expect_err("a file"));
    assert!(said.contains("no socket"), "{said}");

    let connect = || async { UnixStream::connect(&path).await.expect("the server accepts") };
    assert!(exchange(connect().await, &get("/", "")).await.contains("<!doctype html>"));
    let mut ada = Bystander::over(connect().await, "ws://localhost/play", "Ada").await;
    let (status, _ben) =
        upgrade(connect().await, "/play", "X-Forwarded-For: 203.0.113.8\r\n").await;
    assert_eq!(status, 101);
    let peers = running.server.common.registry.peers();
    assert!(peers.contains(&Peer::Unix) && peers.contains(&behind("203.0.113.8")), "{peers:?}");
    ada.is_well().await;
    running.stop().await.expect("it stops");
    assert!(!path.exists(), "nothing is left behind");
}

#[tokio::test]
async fn everything_is_below_the_base_path() {
    let mut config = config(Limits::default());
    config.reach.base_path = "/arena".parse().expect("a path");
    let running = Running::start_reached::<Buoys>(&config);
    for (path, status) in [
        ("/arena", 200),
        ("/arena/", 200),
        ("/arena/s/ABC", 200),
        ("/arena/api/sessions", 200),
        ("/arena/healthz", 200),
        ("/healthz", 200),
        ("/", 404),
        ("/api/sessions", 404),
        ("/arenas/", 404),
        ("/arena/play", 426),
    ] {
        assert_eq!(running.get(path).await.status, status, "{path}");
    }
    let page = running.get("/arena/").await.body;
    let script = page.split("src=\"").nth(1).and_then(|rest| rest.split('"').next());
    let script = script.expect("a script");
    assert!(script.starts_with("/arena/assets/"), "{script}");
    assert_eq!(running.get(script).await.status, 200);
    let document = running.get("/arena/api/openapi.json").await.json();
    assert_eq!(document["servers"][0]["url"], "/arena");

    let ticket = running.post("/arena/api/tickets", "{}").await.expect(201);
    let play = ticket["play"].as_str().expect("a path");
    assert!(play.starts_with("/arena/play?ticket="), "{play}");
    let stream = connect(&running).await;
    let url = format!("ws://{}{play}", running.address);
    Bystander::over(stream, &url, "Ada").await.is_well().await;
    let (status, _) = upgrade(connect(&running).await, "/play", "").await;
    assert_eq!(status, 404);
    let counted = "gamekeeper_http_requests_total{for=\"outside\",status=\"404\"} 4\n";
    let metrics = running.get("/metrics").await.body;
    assert!(metrics.contains(counted), "{metrics}");
    running.stop().await.expect("it stops");
}

#[tokio::test]
async fn what_looks_passed_on_is_not_local() {
    let mut config = config(Limits::default());
    config.reach.trusted_proxies.clear();
    let running = Running::start_reached::<Buoys>(&config);
    assert_eq!(running.get("/metrics").await.status, 200);
    for sign in ["X-Forwarded-For: 1.1.1.1", "Forwarded: for=1.1.1.1", "X-Real-IP: x", "Via: 1.1 x"]
    {
        let answer = running.ask("GET", "/metrics", &format!("{sign}\r\n"), "").await;
        assert_eq!(answer.status, 404, "{sign}");
    }
    running.stop().await.expect("it stops");
}

#[tokio::test]
async fn one_socket_takes_both_versions_of_ip() {
    let mut config = config(Limits::default());
    config.reach.bind = vec![Bind::Tcp("[::]:0".parse().expect("an address"))];
    let running = Running::start_reached::<Buoys>(&config);
    let common = &running.server.common;
    let port = running.address.port();
    let url = format!("ws://localhost:{port}/play");
    let six = TcpStream::connect(("::1", port)).await.expect("the server accepts");
    let own = Peer::Direct(six.local_addr().expect("connected"));
    let mut ada = Bystander::over(six, &url, "Ada").await;
    assert_eq!(common.registry.peers(), [own]);

    // IPv4 comes dressed up as IPv6, and is seen for what it is: the trusted proxy.
    let four = TcpStream::connect(("127.0.0.1", port)).await.expect("the server accepts");
    let (status, _ben) = upgrade(four, "/play", "X-Forwarded-For: 203.0.113.8\r\n").await;
    assert_eq!(status, 101);
    assert!(common.registry.peers().contains(&behind("203.0.113.8")));
    ada.is_well().await;
    running.stop().await.expect("it stops");
}
