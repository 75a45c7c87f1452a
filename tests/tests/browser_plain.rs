//! The plain page in a real Chromium: the second game, for which nobody has drawn a line, is played by what its field
//! tables say, at a desk and on a phone.

use buoys::{Buoys, Waters};
use buoys_server::PAGE;
use serde_json::Value;
use server::config::Config;
use tests::accessibility::serious;
use tests::browser::{Driver, Page};
use tests::harness::Running;
use tests::recorded;

/// Ticks after which a page has been told of everything that there is, checksums included.
const TICKS: u32 = 150;
/// Units that a boat rows in some ticks.
const ROWED: f64 = 40.0;
/// Units that it rows while a finger is down on a button for a moment.
const PRESSED: f64 = 4.0;

/// How long the recorded round was.
const ROUND_S: u32 = 30;

async fn enter(page: &Page, url: &str, name: &str) {
    page.goto(url).await;
    page.until("gamekeeper.state === 'start'").await;
    page.eval(&format!("document.getElementById('name').value = '{name}'")).await;
    page.click("#play").await;
    page.until(
        "gamekeeper.state === 'playing' && gamekeeper.rows('boat').some((boat) => boat.own)",
    )
    .await;
}

/// Presses a key or lets go of it.
async fn key(page: &Page, code: &str, down: bool) {
    let what = if down { "keydown" } else { "keyup" };
    page.eval(&format!(
        "dispatchEvent(new KeyboardEvent('{what}', {{ code: '{code}', bubbles: true }}))"
    ))
    .await;
}

/// A number of the own boat's.
async fn own(page: &Page, field: &str) -> f64 {
    page.number(&format!("gamekeeper.rows('boat').find((boat) => boat.own).{field}")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn friends_play_a_game_that_nobody_has_drawn() {
    let config = Config { pilots: 0, seed: Some(1), ..Config::default() };
    let server = Running::start_with_page::<Buoys>(&config, &PAGE);
    let url = format!("http://{}/", server.address);
    let driver = Driver::start();
    let desk = driver.open(1280, 720, false).await;
    enter(&desk, &url, "Ann").await;

    // By keys: east, then with a lantern.
    let from = own(&desk, "x").await;
    let way = if from > 0.0 { -1.0 } else { 1.0 };
    let ahead = if way > 0.0 { "KeyD" } else { "KeyA" };
    key(&desk, ahead, true).await;
    let rowed =
        format!("Math.abs(gamekeeper.rows('boat').find((boat) => boat.own).x - {from}) > {ROWED}");
    desk.until(&rowed).await;
    assert!((own(&desk, "x").await - from) * way > ROWED, "the way that the key says");
    assert_eq!(own(&desk, "pull").await, 1.0, "the first bit goes with the keys");
    key(&desk, "Shift", false).await;
    key(&desk, "ShiftLeft", true).await;
    desk.until("gamekeeper.rows('lantern').some((lantern) => lantern.own)").await;
    key(&desk, "ShiftLeft", false).await;
    key(&desk, ahead, false).await;
    desk.until("gamekeeper.held()[1] === 0").await;
    desk.picture("80-plain-desk").await;

    // A friend comes by the link, on a phone, and presses a button.
    let link = desk.eval("location.href").await;
    let link = link.as_str().expect("an address");
    assert!(link.contains("/s/"), "a link to send: {link}");
    let phone = driver.open(390, 844, true).await;
    enter(&phone, link, "Ben").await;
    let here = "gamekeeper.people().length === 2";
    desk.until(here).await;
    phone.until(here).await;
    let before = (own(&phone, "x").await, own(&phone, "y").await);
    phone.click("#controls .press").await;
    phone
        .until(&format!(
            "(({{ x, y }}) => Math.hypot(x - {}, y - {}) >= {PRESSED})(gamekeeper.rows('boat').find((boat) => boat.own))",
            before.0, before.1
        ))
        .await;
    phone.picture("81-plain-phone").await;

    // What each says the other reads, as text.
    desk.eval("document.getElementById('chat-text').value = '<b>ahoy</b>'").await;
    desk.eval("document.getElementById('chat').requestSubmit()").await;
    phone.until("gamekeeper.log().some((line) => line.includes('<b>ahoy</b>'))").await;

    for (page, what) in [(&desk, "desk"), (&phone, "phone")] {
        page.until(&format!("gamekeeper.stats().frames > {TICKS}")).await;
        for wrong in ["mismatches", "refused"] {
            assert_eq!(page.number(&format!("gamekeeper.stats().{wrong}")).await, 0.0, "{what}");
        }
        assert_eq!(page.eval("gamekeeper.errors").await, Value::Array(Vec::new()), "{what}");
        assert_eq!(serious(page, "html").await, Vec::<String>::new(), "{what}");
    }
    desk.close().await;
    phone.close().await;
    server.stop().await.expect("it stops well");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_rounds_are_looked_at_again() {
    let config = Config { pilots: 0, ..Config::default() };
    let server = Running::start_with_page::<Buoys>(&config, &PAGE);
    let code = recorded::round::<Buoys>(&server.server.store, Waters::default(), ROUND_S);
    let driver = Driver::start();
    let page = driver.open(1280, 720, false).await;
    page.goto(&format!("http://{}/replay/{code}/1", server.address)).await;
    page.until("gamekeeper.state === 'playing' && gamekeeper.replay.position > 30").await;
    // Everybody is there, and nobody's own.
    page.until(&format!("gamekeeper.rows('boat').length === {}", recorded::PLAYERS)).await;
    assert_eq!(page.eval("gamekeeper.rows('boat').some((boat) => boat.own)").await, false);
    page.until(&format!("gamekeeper.people().length === {}", recorded::PLAYERS)).await;
    page.pull("#replay-place", "Math.round(slider.max * 0.9)").await;
    page.until("gamekeeper.replay.position > gamekeeper.replay.ticks * 0.9").await;
    page.click("#replay-pause").await;
    page.until("gamekeeper.replay.speed === 0 && gamekeeper.rows('boat').length > 0").await;
    page.picture("82-plain-replay").await;
    for wrong in ["mismatches", "refused"] {
        assert_eq!(page.number(&format!("gamekeeper.stats().{wrong}")).await, 0.0);
    }
    assert_eq!(page.eval("gamekeeper.errors").await, Value::Array(Vec::new()));
    assert_eq!(serious(&page, "html").await, Vec::<String>::new());
    page.close().await;
    server.stop().await.expect("it stops well");
}
