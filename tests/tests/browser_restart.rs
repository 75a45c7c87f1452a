//! A server that stops and starts again under real Chromiums that play on it: they are told, and come back by
//! themselves, into the same session where it was kept and into another where it was not.
//!
//! Pictures are left in `tests/screenshots`, for a person to look at.

use server::config::{Config, StoppingConfig};
use server::net::listener;
use shared::arena::Arena;
use tests::browser::{Driver, Page};
use tests::harness::{Running, undrained};

/// Without rounds, so that sessions end as soon as everybody could read why.
fn config() -> Config {
    let stopping = StoppingConfig { drain_seconds: Some(60) };
    Config { seed: Some(5), pilots: 6, round_seconds: 0, stopping, ..Config::default() }
}

/// Who plays where: a session's code, and the numbers of two players in it.
type Seats = (String, [f64; 2]);

/// Stops the server under two pages, starts it again, and waits until both play; their seats before and after.
async fn restart(config: &Config, pictures: bool) -> [Seats; 2] {
    let driver = Driver::start();
    let mut running = Running::start_draining::<Arena>(config);
    let (address, url) = (running.address, format!("http://{}/", running.address));
    let desk = driver.open(1280, 720, false).await;
    let phone = driver.open(390, 844, true).await;
    desk.play(&url, "Ann").await;
    phone.play(&url, "Ben").await;
    let code = async || desk.eval("location.pathname").await.as_str().expect("a path").to_owned();
    let players = async || {
        let player = async |page: &Page| page.number("gamekeeper.me().player").await;
        [player(&desk).await, player(&phone).await]
    };
    let before = (code().await, players().await);
    running.ask_to_stop();
    let notice = "document.querySelector('#notice.shown')?.textContent.includes('in 10 seconds')";
    for (page, name) in [(&desk, "60-stopping"), (&phone, "60-stopping-phone")] {
        page.until(notice).await;
        if pictures {
            page.picture(name).await;
        }
    }
    for page in [&desk, &phone] {
        page.until("gamekeeper.state === 'waiting'").await;
    }
    if pictures {
        desk.picture("61-stopped").await;
        phone.picture("61-stopped-phone").await;
    }
    running.stop().await.expect("a proper end");
    let listener = listener::bind(address).expect("the port is free again");
    let running = Running::start_on::<Arena>(config, listener.into());
    for page in [&desk, &phone] {
        page.until("gamekeeper.state === 'playing' && gamekeeper.me().alive").await;
        assert_eq!(page.number("gamekeeper.reconnects").await, 1.0);
    }
    let after = (code().await, players().await);
    assert_eq!(phone.eval("location.pathname").await.as_str(), Some(&*after.0), "together again");
    desk.close().await;
    phone.close().await;
    running.stop().await.expect("a proper end");
    [before, after]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_come_back_to_their_session() {
    let folder = std::env::temp_dir().join(format!("gamekeeper-restart-{}", std::process::id()));
    let [before, after] = restart(&Config { data: Some(folder.clone()), ..config() }, true).await;
    assert_eq!(before, after, "the same match");
    std::fs::remove_dir_all(folder).expect("it was made");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_whose_session_is_gone_play_in_another() {
    let [before, after] = restart(&config(), false).await;
    assert_ne!(before.0, after.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_came_too_late_is_told_that_the_session_is_over() {
    let driver = Driver::start();
    // A round is on, so that the server waits for its end.
    let stopping = StoppingConfig { drain_seconds: Some(3) };
    let config = Config { round_seconds: 600, stopping, ..config() };
    let mut running = Running::start_draining::<Arena>(&config);
    let (address, url) = (running.address, format!("http://{}/", running.address));
    let ann = driver.open(1280, 720, false).await;
    ann.play(&url, "Ann").await;
    let path = ann.eval("location.pathname").await;
    let link = format!("http://{address}{}", path.as_str().expect("a path"));
    let ben = driver.open(1280, 720, false).await;
    ben.goto(&link).await;
    ben.until("gamekeeper.state === 'start' && !document.getElementById('play').disabled").await;
    running.ask_to_stop();
    ann.until("document.querySelector('#notice.shown')").await;
    ben.click("#play").await;
    ben.until("gamekeeper.state === 'waiting'").await;
    running.stop().await.expect("a proper end");
    let listener = listener::bind(address).expect("the port is free again");
    let running = Running::start_on::<Arena>(&config, listener.into());
    // Who was in plays on in another session; who was not is not thrown in with strangers.
    ann.until("gamekeeper.state === 'playing' && gamekeeper.me().alive").await;
    ben.until("gamekeeper.state === 'playing' || gamekeeper.state === 'start'").await;
    assert_eq!(ben.eval("gamekeeper.state").await, "start");
    let note = ben.eval("document.getElementById('start-note').textContent").await;
    assert!(note.as_str().is_some_and(|note| note.contains("no session")), "{note}");
    ann.close().await;
    ben.close().await;
    running.stop().await.expect("a proper end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mistyped_code_leads_to_nobodys_session_after_a_restart() {
    let driver = Driver::start();
    let config = undrained(&config());
    let mut running = Running::start_draining::<Arena>(&config);
    let (address, url) = (running.address, format!("http://{}/", running.address));
    let page = driver.open(1280, 720, false).await;
    // Whether the page has come back by itself or was left before it could.
    for comes_back in [true, false] {
        page.play(&url, "Ann").await;
        running.stop().await.expect("a proper end");
        page.until("gamekeeper.state === 'waiting'").await;
        if !comes_back {
            page.click("#curtain-leave").await;
        }
        let listener = listener::bind(address).expect("the port is free again");
        running = Running::start_on::<Arena>(&config, listener.into());
        if comes_back {
            page.until("gamekeeper.state === 'playing' && gamekeeper.me().alive").await;
            page.click("#leave").await;
        }
        page.until("gamekeeper.state === 'start'").await;
        page.keys("#code", "00000-00000\u{e007}").await;
        let note = "document.getElementById('start-note').textContent";
        page.until(&format!("gamekeeper.state === 'playing' || {note}.includes('no session')"))
            .await;
        assert_eq!(page.eval("gamekeeper.state").await, "start", "comes back: {comes_back}");
    }
    page.close().await;
    running.stop().await.expect("a proper end");
}
