//! Through real nginx and real Caddy, with the files of `deploy/`: a browser plays over wss, what is silent
//! outlives the proxy's patience, goodbyes come through with code and reason, and limits see who it is.

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use server::config::{Bind, Config, ReachConfig, StoppingConfig};
use server::net::limits::Limits;
use server::net::peer::Peer;
use shared::arena::Arena;
use shared::wire::protocol::SUBPROTOCOL;
use std::time::Duration;
use tests::browser::Driver;
use tests::front::{Front, Program, SILENCE_S};
use tests::harness::{PATIENCE, Running, eventually, hello};
use tests::reach::{exchange, get, name};
use tests::scripted::Scripted;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout};
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// For how long stories are silent: longer than nginx bears.
const SILENCE: Duration = Duration::from_secs(2 * SILENCE_S as u64);

/// Settings behind a proxy on this machine; pings come as often within its patience as they do outside of tests.
fn config(base: &str) -> Config {
    let often = Duration::from_millis(u64::from(SILENCE_S) * 1000 / 8);
    let limits = Limits { ping_every: often, heartbeat: often, ..Limits::default() };
    let reach = ReachConfig {
        bind: vec![Bind::Tcp("127.0.0.1:0".parse().expect("an address"))],
        trusted_proxies: vec!["127.0.0.1/32".parse().expect("a network")],
        base_path: base.parse().expect("a path"),
        ..ReachConfig::default()
    };
    let stopping = StoppingConfig { drain_seconds: Some(0) };
    Config { reach, limits, stopping, pilots: 0, seed: Some(1), ..Config::default() }
}

/// TLS to the proxy from 127.0.0.2, which is no proxy.
async fn dial(front: &Front) -> TlsStream<TcpStream> {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.2:0".parse().expect("an address")).expect("this machine");
    let tcp = socket.connect(front.address).await.expect("the proxy accepts");
    let connector = front.authority.believers(rustls::ALL_VERSIONS, &["http/1.1"]);
    connector.connect(name(), tcp).await.expect("a certificate to believe")
}

/// A WebSocket through the proxy, whose client claims to be somebody else.
async fn open(front: &Front) -> WebSocketStream<TlsStream<TcpStream>> {
    let url = format!("wss://localhost:{}/play", front.address.port());
    let mut request = url.into_client_request().expect("a request");
    let headers = request.headers_mut();
    headers.insert("Sec-WebSocket-Protocol", SUBPROTOCOL.parse().expect("a header"));
    headers.insert("X-Forwarded-For", "203.0.113.9".parse().expect("a header"));
    headers.insert("Forwarded", "for=203.0.113.9".parse().expect("a header"));
    let stream = dial(front).await;
    tokio_tungstenite::client_async(request, stream).await.expect("a handshake").0
}

/// Code and reason of the close frame; pings are answered until it comes.
async fn closing(socket: &mut WebSocketStream<TlsStream<TcpStream>>) -> (u16, String) {
    let frame = timeout(PATIENCE, async {
        loop {
            match socket.next().await.expect("a close frame").expect("a frame") {
                Message::Close(frame) => return frame.expect("a code"),
                Message::Ping(_) => {}
                other => panic!("a silent session says {other:?}"),
            }
        }
    });
    let frame = frame.await.expect("an end");
    (frame.code.into(), frame.reason.to_string())
}

async fn what_is_silent_outlives_it_and_goodbyes_come_through(program: Program) {
    let running = Running::start_with(&config(""), Scripted::default());
    let front = Front::start(program, running.address, "");

    // A WebSocket on which nothing but pings comes, and a list that does not change.
    let mut idle = open(&front).await;
    idle.send(Message::Binary(hello("Idle").into())).await.expect("it is taken");
    let mut news = dial(&front).await;
    let request = "GET /api/sessions/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
    news.write_all(request.as_bytes()).await.expect("it is taken");

    // Limits see whoever connects to the proxy, not whom they claim to be.
    let client = Peer::Behind("127.0.0.2".parse().expect("an address"));
    let registry = &running.server.common.registry;
    eventually("the client's own address", || registry.peers().contains(&client)).await;
    assert!(!registry.peers().contains(&Peer::Behind("203.0.113.9".parse().expect("an address"))));

    // A goodbye of the server's own, with its sentence.
    let mut rude = open(&front).await;
    rude.send(Message::Binary(vec![255; 9].into())).await.expect("it is taken");
    let (code, reason) = closing(&mut rude).await;
    assert_eq!(code, 4002, "{reason}");
    assert!(reason.len() > 10, "{reason}");

    let (began, mut pings, mut beats) = (Instant::now(), 0, 0);
    let mut some = [0; 4096];
    while began.elapsed() < SILENCE || pings < 8 || beats < 4 {
        tokio::select! {
            heard = idle.next() => match heard {
                Some(Ok(Message::Ping(_))) => pings += 1,
                other => panic!("after {:?}: {other:?}", began.elapsed()),
            },
            read = news.read(&mut some) => {
                assert!(read.expect("it goes on") > 0, "ended after {:?}", began.elapsed());
                beats += 1;
            }
        }
    }
    let stopped = tokio::spawn(running.stop());
    let (code, reason) = closing(&mut idle).await;
    assert!(code == 1001 && reason.len() > 10, "{code} {reason}");
    stopped.await.expect("no panic").expect("it stops");
}

async fn a_browser_plays(program: Program, base: &str) {
    let running = Running::start_reached::<Arena>(&config(base));
    let front = Front::start(program, running.address, base);
    let driver = Driver::start();
    let home = format!("https://localhost:{}{base}/", front.address.port());
    if let Some(plain) = front.plain {
        let asked = TcpStream::connect(plain).await.expect("the proxy accepts");
        let answer = exchange(asked, &get("/s/abc", "")).await;
        assert!(answer.contains("308") && answer.contains("https://localhost/s/abc"), "{answer}");
    }

    let settings = json!({"name": "Through a proxy", "public": true}).to_string();
    let path = format!("{base}/api/sessions");
    let created = running.post(&path, &settings).await.expect(201);
    let (code, secret) = (&created["code"], &created["host_secret"]);
    let (code, secret) = (code.as_str().expect("a code"), secret.as_str().expect("a secret"));
    let page = driver.open(900, 600, false).await;
    page.play(&format!("{home}s/{code}"), "Ada").await;
    let here = page.eval("location.href").await;
    assert_eq!(here, json!(format!("{home}s/{code}")), "a link to the session");
    let link = page.eval("document.getElementById('invite-link').value").await;
    assert_eq!(link, json!(format!("{home}s/{code}")), "an invitation");
    let frames = page.number("gamekeeper.stats().frames").await;
    page.until(&format!("gamekeeper.stats().frames > {frames} + 60")).await;
    assert_eq!(page.number("gamekeeper.reconnects").await, 0.0);
    page.picture(&format!("60-through-{program:?}").to_lowercase()).await;

    // The host's word comes through, with its code.
    let player = page.number("gamekeeper.me().player").await as u32;
    let headers = format!("Content-Type: application/json\r\nAuthorization: Bearer {secret}\r\n");
    let kick = json!({"action": "kick", "player": player}).to_string();
    let path = format!("{base}/api/sessions/{code}/actions");
    let kicked = running.ask("POST", &path, &headers, &kick).await;
    assert!((200..300).contains(&kicked.status), "{kicked:?}");
    page.until("gamekeeper.state === 'start'").await;
    page.until("document.getElementById('start-note').textContent.includes('shown you out')").await;
    let home_path = json!(format!("{base}/"));
    assert_eq!(page.eval("location.pathname").await, home_path);
    // The lobby's list comes as a stream.
    page.until("gamekeeper.lobby().via === 'sse' && gamekeeper.lobby().sessions.length === 1")
        .await;
    page.close().await;
    running.stop().await.expect("it stops");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_bears_silence() {
    what_is_silent_outlives_it_and_goodbyes_come_through(Program::Nginx).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn caddy_bears_silence() {
    what_is_silent_outlives_it_and_goodbyes_come_through(Program::Caddy).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_plays_through_nginx() {
    a_browser_plays(Program::Nginx, "").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_plays_through_caddy_below_a_path() {
    a_browser_plays(Program::Caddy, "/arena").await;
}
