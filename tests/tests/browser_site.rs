//! Real Chromiums on a site of two servers: whichever of them a page comes from, it plays wherever it wants, also while
//! the other server is started again; and nginx takes everybody straight to the server that has their session.
//!
//! Pictures are left in `tests/screenshots`, for a person to look at.

use serde_json::json;
use server::config::Config;
use server::net::listener;
use shared::arena::Arena;
use tests::browser::Driver;
use tests::front::Front;
use tests::harness::{Running, eventually};
use tests::site::{self, passed_on};

/// Without rounds, and with somebody to meet.
fn lively(config: &mut Config) {
    (config.pilots, config.round_seconds, config.seed) = (6, 0, Some(5));
}

async fn create(running: &Running, name: &str) -> String {
    let settings = json!({"name": name, "public": true, "round_s": 0}).to_string();
    let created = running.post("/api/sessions", &settings).await.expect(201);
    created["code"].as_str().expect("a code").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn friends_meet_across_servers_and_outlive_a_restart() {
    let folder = std::env::temp_dir().join(format!("gamekeeper-site-{}", std::process::id()));
    let driver = Driver::start();
    let keeping = |config: &mut Config| {
        lively(config);
        // Only A has its matches kept: it is the one that is started again.
        if config.site.site_letter == "A".parse().ok() {
            config.data = Some(folder.clone());
        }
    };
    let [a, b] = site::pair::<Arena>(keeping);
    let code = create(&a, "Over there").await;
    let desk = driver.open(1280, 720, false).await;
    let phone = driver.open(390, 844, true).await;
    desk.play(&format!("http://{}/s/{code}", b.address), "Ann").await;
    phone.play(&format!("http://{}/s/{code}", a.address), "Ben").await;
    assert_eq!((passed_on(&a), passed_on(&b)), (0, 1));
    for (page, friend) in [(&desk, "Ben"), (&phone, "Ann")] {
        page.until(&format!("gamekeeper.people().some((one) => one.name === '{friend}')")).await;
        assert_eq!(page.eval("location.pathname").await, json!(format!("/s/{code}")));
    }
    desk.picture("64-site-desk").await;

    // The other server is started again, and with it goes the line of who came to this one.
    let player = desk.number("gamekeeper.me().player").await;
    let address = a.address;
    a.stop().await.expect("an orderly end");
    for page in [&desk, &phone] {
        page.until("gamekeeper.state === 'waiting'").await;
    }
    let mut config = site::config("A", &site::list(["A", "B"], [address, b.address]));
    keeping(&mut config);
    let listener = listener::bind(address).expect("the port is free again");
    let a = Running::start_on::<Arena>(&config, listener.into());
    for page in [&desk, &phone] {
        page.until("gamekeeper.state === 'playing' && gamekeeper.me().alive").await;
    }
    assert_eq!(desk.number("gamekeeper.me().player").await, player, "the same seat");
    eventually("one line again", || (passed_on(&a), passed_on(&b)) == (0, 1)).await;

    // The server through which somebody plays: back on it, the seat is still there.
    let address = b.address;
    b.stop().await.expect("an orderly end");
    desk.until("gamekeeper.state === 'waiting'").await;
    let config = site::config("B", &site::list(["A", "B"], [a.address, address]));
    let listener = listener::bind(address).expect("the port is free again");
    let b = Running::start_on::<Arena>(&config, listener.into());
    desk.until("gamekeeper.state === 'playing' && gamekeeper.me().alive").await;
    assert_eq!(desk.number("gamekeeper.me().player").await, player, "the same seat");
    assert_eq!(phone.number("gamekeeper.stats().mismatches").await, 0.0);
    desk.close().await;
    phone.close().await;
    a.stop().await.expect("an orderly end");
    b.stop().await.expect("an orderly end");
    std::fs::remove_dir_all(folder).expect("it was made");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_takes_everybody_to_the_server_that_has_their_session_and_follows_it_when_it_moves() {
    let [a, b] = site::pair::<Arena>(|config| {
        lively(config);
        config.site.site_secret = Some("0123456789abcdef".parse().expect("any text"));
    });
    let front = Front::of_site([a.address, b.address]);
    let home = format!("https://localhost:{}/", front.address.port());
    let driver = Driver::start();
    let codes = [create(&a, "Over here").await, create(&b, "Over there").await];
    let desk = driver.open(1280, 720, false).await;
    desk.goto(&home).await;
    desk.until("gamekeeper.lobby()?.sessions.length === 2").await;
    desk.picture("65-site-lobby").await;
    for (code, has_it) in codes.iter().zip([&a, &b]) {
        // In small letters, as somebody would type it.
        desk.play(&format!("{home}s/{}", code.to_lowercase()), "Ann").await;
        let players = || {
            let entries = has_it.server.common.directory.entries();
            entries
                .iter()
                .any(|entry| entry.code.to_string() == *code && entry.info().status.players == 1)
        };
        eventually("Ann is in", players).await;
        assert_eq!((passed_on(&a), passed_on(&b)), (0, 0));
        desk.goto("about:blank").await;
    }
    // The server stops for good, and the match goes on on the other one.
    desk.play(&format!("{home}s/{}", codes[0]), "Ann").await;
    let player = desk.number("gamekeeper.me().player").await;
    a.stop().await.expect("an orderly end");
    desk.until("gamekeeper.reconnects === 1 && gamekeeper.state === 'playing'").await;
    assert_eq!(desk.eval("location.pathname").await, json!(format!("/s/{}", codes[0])));
    assert_eq!(desk.number("gamekeeper.me().player").await, player, "the same seat");
    desk.picture("66-site-moved").await;
    desk.close().await;
    b.stop().await.expect("an orderly end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operator_moves_a_match_and_its_players_play_on() {
    const TOKEN: &str = "a-token-that-nobody-logs";
    let [a, b] = site::pair::<Arena>(|config| {
        lively(config);
        config.site.site_secret = Some("0123456789abcdef".parse().expect("any text"));
        config.admin.admin_token = Some(TOKEN.parse().expect("any text"));
    });
    let driver = Driver::start();
    let code = create(&a, "On the move").await;
    let desk = driver.open(1280, 720, false).await;
    desk.play(&format!("http://{}/s/{code}", a.address), "Ann").await;
    let player = desk.number("gamekeeper.me().player").await;

    let phone = driver.open(390, 844, true).await;
    phone.goto(&format!("http://{}/admin#session/{code}", a.address)).await;
    phone.until("document.activeElement?.id === 'token'").await;
    phone.keys("#token", TOKEN).await;
    phone.click("#sign-in-form button").await;
    phone.until("!document.getElementById('session-move').hidden").await;
    phone.click("#session-move").await;
    phone.until("document.getElementById('ask').open").await;
    phone.picture("67-site-operator-phone").await;
    phone.click("#ask-yes").await;
    phone.until("document.getElementById('session-facts').textContent.includes('over')").await;

    desk.until("gamekeeper.reconnects === 1 && gamekeeper.state === 'playing'").await;
    assert_eq!(desk.number("gamekeeper.me().player").await, player, "the same seat");
    assert!(b.server.common.directory.get(code.parse().expect("a code")).is_some());
    assert_eq!((passed_on(&a), passed_on(&b)), (1, 0));
    desk.close().await;
    phone.close().await;
    a.stop().await.expect("an orderly end");
    b.stop().await.expect("an orderly end");
}
