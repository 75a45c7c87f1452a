//! TLS with real certificates over real sockets.

use clap::Parser;
use client_bot::config::Config as Flags;
use client_bot::fleet;
use client_bot::progress::Progress;
use rustls::version::{TLS12, TLS13};
use server::config::{Bind, Config, ReachConfig, StoppingConfig};
use server::net::listeners::Listeners;
use server::net::refusal::Reason;
use std::future::pending;
use std::time::Duration;
use tests::buoys::Buoys;
use tests::harness::{Bystander, PATIENCE, Running, eventually, hasty, within};
use tests::reach::{Authority, Folder, exchange, get, name};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

/// Settings with TLS on a free port, with the files in `folder`.
fn config(folder: &Folder) -> Config {
    let mut limits = hasty();
    limits.certificate_look = Duration::from_millis(20);
    let reach = ReachConfig {
        bind: vec![Bind::Tcp("127.0.0.1:0".parse().expect("an address"))],
        tls_cert: Some(folder.at("cert.pem")),
        tls_key: Some(folder.at("key.pem")),
        hsts_seconds: 31_536_000,
        ..ReachConfig::default()
    };
    let stopping = StoppingConfig { drain_seconds: Some(0) };
    Config { reach, limits, stopping, pilots: 0, seed: Some(1), ..Config::default() }
}

#[tokio::test]
async fn bots_play_over_tls() {
    let (folder, authority) = (Folder::new(), Authority::new());
    authority.certify(&folder);
    let running = Running::start_reached::<Buoys>(&config(&folder));
    let issuer = folder.write("issuer.pem", &authority.pem());
    let url = format!("wss://localhost:{}/play", running.address.port());
    let issuer = issuer.to_str().expect("UTF-8");
    let flags = ["client-bot", "--url", &url, "--tls-ca", issuer, "--bots", "3", "--duration", "0"];
    let flags = Flags::parse_from(flags);
    let sent = fleet::run::<Buoys>(&flags, running.played(3, 20), Progress::nowhere());
    let report = within(PATIENCE, "bots", sent).await.expect("it begins");
    assert!(report.ok && report.bots.connected == 3, "{:?}", report.faults);

    // Who does not know the issuer does not talk to the server.
    let stranger = folder.write("stranger.pem", &Authority::new().pem());
    let stranger = stranger.to_str().expect("UTF-8");
    let flags = Flags::parse_from(["client-bot", "--url", &url, "--tls-ca", stranger]);
    let sent = fleet::run::<Buoys>(&flags, pending(), Progress::nowhere());
    let why = within(PATIENCE, "bots", sent).await.expect_err("no belief").to_string();
    assert!(why.contains("--tls-ca"), "{why}");
    running.stop().await.expect("it stops");
}

#[tokio::test]
async fn both_versions_and_one_protocol_are_spoken() {
    let (folder, authority) = (Folder::new(), Authority::new());
    authority.certify(&folder);
    let running = Running::start_reached::<Buoys>(&config(&folder));
    for (version, alpn, welcome) in [
        (&TLS13, &["http/1.1"][..], true),
        (&TLS12, &["http/1.1"], true),
        (&TLS13, &["h2", "http/1.1"], true),
        (&TLS13, &[], true),
        (&TLS13, &["h2"], false),
    ] {
        let tcp = TcpStream::connect(running.address).await.expect("the server accepts");
        let shaken = authority.believers(&[version], alpn).connect(name(), tcp).await;
        assert_eq!(shaken.is_ok(), welcome, "{version:?} {alpn:?}");
        let Ok(stream) = shaken else { continue };
        let answer = exchange(stream, &get("/healthz", "")).await;
        assert!(answer.ends_with("ok\n"), "{answer}");
        let hsts = "strict-transport-security: max-age=31536000\r\n";
        assert!(answer.to_lowercase().contains(hsts), "{answer}");
    }
    running.stop().await.expect("it stops");
}

#[tokio::test]
async fn a_new_certificate_drops_nobody() {
    let (folder, authority) = (Folder::new(), Authority::new());
    authority.certify(&folder);
    let running = Running::start_reached::<Buoys>(&config(&folder));
    let url = format!("wss://localhost:{}/play", running.address.port());
    let stream = authority.connect(running.address).await;
    let mut player = Bystander::over(stream, &url, "Player").await;
    let shown = || async {
        let stream = authority.connect(running.address).await;
        stream.get_ref().1.peer_certificates().expect("a certificate")[0].to_vec()
    };
    let first = shown().await;

    // Half a pair is no pair: what was used before still is.
    let next = Folder::new();
    authority.certify(&next);
    let new = |name| std::fs::read_to_string(next.at(name)).expect("a file");
    folder.write("cert.pem", &new("cert.pem"));
    player.is_well().await;
    assert_eq!(shown().await, first);

    folder.write("key.pem", &new("key.pem"));
    let began = Instant::now();
    while shown().await == first {
        assert!(began.elapsed() < PATIENCE, "the new certificate is never used");
        sleep(Duration::from_millis(5)).await;
    }
    player.is_well().await;
    running.stop().await.expect("it stops");
    assert_eq!(player.closed().await, Some(1001));
}

#[tokio::test]
async fn who_does_not_speak_tls_is_told_or_shown_out() {
    let (folder, authority) = (Folder::new(), Authority::new());
    authority.certify(&folder);
    let running = Running::start_reached::<Buoys>(&config(&folder));
    let refused = |reason| running.server.common.refusals.count(reason);

    let plain = TcpStream::connect(running.address).await.expect("the server accepts");
    let answer = exchange(plain, &get("/", "")).await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("https://"), "{answer}");
    assert!(answer.ends_with("host\n"), "the length fits: {answer}");
    eventually("a refusal", || refused(Reason::BadRequest) == 1).await;

    running.hurries(|limits| &mut limits.tls_wait);
    let mut mute = TcpStream::connect(running.address).await.expect("the server accepts");
    assert_eq!(mute.read(&mut [0; 16]).await.expect("an end"), 0);
    // A handshake that begins and does not go on.
    let mut slow = TcpStream::connect(running.address).await.expect("the server accepts");
    tokio::io::AsyncWriteExt::write_all(&mut slow, &[22, 3, 1, 2, 0]).await.expect("it reads");
    assert_eq!(slow.read(&mut [0; 16]).await.unwrap_or(0), 0);
    eventually("two refusals", || refused(Reason::TlsTimeout) == 2).await;
    running.settles_at(0).await;
    running.stop().await.expect("it stops");
}

#[tokio::test]
async fn plain_http_is_sent_to_tls() {
    let (folder, authority) = (Folder::new(), Authority::new());
    authority.certify(&folder);
    let mut config = config(&folder);
    config.reach.tls_http = Some("127.0.0.1:0".parse().expect("an address"));
    let listeners = Listeners::open(&config.reach).expect("two ports");
    let plain = listeners.redirect_address().expect("a listener");
    let running = Running::start_on::<Buoys>(&config, listeners);
    let ask = |request: String| async move {
        let stream = TcpStream::connect(plain).await.expect("the server accepts");
        exchange(stream, &request).await.to_lowercase()
    };
    let answer = ask(get("/s/abc?x=1", "")).await;
    let location = format!("location: https://localhost:{}/s/abc?x=1\r\n", running.address.port());
    assert!(answer.starts_with("http/1.1 308 ") && answer.contains(&location), "{answer}");
    assert!(!answer.contains("strict-transport"), "not over plain HTTP: {answer}");
    assert!(ask(get("/healthz", "")).await.ends_with("ok\n"));
    let upgrade = String::from_utf8(running.handshake()).expect("ASCII");
    assert!(ask(upgrade).await.starts_with("http/1.1 308 "));
    let metrics = exchange(authority.connect(running.address).await, &get("/metrics", "")).await;
    let sent_on = "gamekeeper_http_requests_total{for=\"redirect\",status=\"308\"} 2\n";
    assert!(metrics.contains(sent_on), "{metrics}");
    running.stop().await.expect("it stops");
}
