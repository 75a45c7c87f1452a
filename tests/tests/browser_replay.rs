//! A round that was played is looked at again in a real Chromium: from the list of results, and by its link.
//!
//! Pictures are left in `tests/screenshots`, for a person to look at.

use shared::arena::{Arena, Settings};
use tests::accessibility::serious;
use tests::browser::Driver;
use tests::host::Host;
use tests::recorded;

const ROUND_S: u32 = 30;
/// The round, and how long its result is shown.
const TICKS: f64 = (ROUND_S as f64 + 3.0) * 30.0;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_round_is_looked_at_again() {
    let host = Host::start(1800, 0);
    recorded::round::<Arena>(&host.server.common.store, Settings::default(), ROUND_S);
    let driver = Driver::start();
    let desk = driver.open(1280, 720, false).await;
    desk.goto(&format!("http://{}/", host.address)).await;
    desk.until("gamekeeper.state === 'start'").await;
    desk.click("#tab-results").await;
    desk.until("document.querySelector('#result-list button')").await;
    desk.picture("70-results").await;
    desk.click("#result-list button").await;
    desk.until("gamekeeper.state === 'playing' && gamekeeper.replay.position > 30").await;
    assert_eq!(desk.number("gamekeeper.replay.ticks").await, TICKS);
    // Everybody is there, and everything: it is not what one of them saw.
    desk.until("gamekeeper.people().length === 20 && gamekeeper.shipCount() > 15").await;
    desk.until("gamekeeper.phase === 'play' && gamekeeper.looksAt !== null").await;
    let path = desk.eval("location.pathname").await.as_str().expect("a path").to_owned();
    assert!(path.starts_with("/replay/"), "{path}");

    // There is nobody to talk to, and no session to invite to.
    for key in ["Enter", "KeyI", "KeyP", "KeyN"] {
        let press = format!(
            "dispatchEvent(new KeyboardEvent('keydown', {{ code: '{key}', bubbles: true }}))"
        );
        desk.client.execute(&press, vec![]).await.expect("a key");
    }
    let opened = "['chat-form', 'invite', 'session', 'network'].filter((id) => !document.getElementById(id).hidden)";
    assert_eq!(desk.eval(opened).await, serde_json::json!([]));

    // Nobody aims, so the mouse keeps its arrow.
    assert!(desk.eval("document.body.matches('.mouse')").await == true);
    assert_ne!(
        desk.eval("getComputedStyle(document.getElementById('arena')).cursor").await,
        "none"
    );

    // It stands, goes on, and hurries.
    desk.click("#replay-pause").await;
    let stands = desk.number("gamekeeper.replay.position").await;
    let drawn = desk.number("gamekeeper.drawn").await;
    desk.until(&format!("gamekeeper.drawn > {drawn} + 5")).await;
    assert_eq!(desk.number("gamekeeper.replay.position").await, stands);
    desk.click("#replay-pause").await;
    desk.until(&format!("gamekeeper.replay.position > {stands}")).await;
    desk.click("#replay-speed").await;
    desk.until("gamekeeper.replay.speed === 2").await;

    // Another place in it, later and earlier, is as it was there: the clock, the points, the ships.
    desk.pull("#replay-place", "700").await;
    desk.until("gamekeeper.replay.position >= 700 && gamekeeper.secondsLeft < 7.1").await;
    desk.picture("71-replay").await;
    assert_eq!(serious(&desk, "#hud").await, Vec::<String>::new());
    desk.pull("#replay-place", "150").await;
    desk.until("gamekeeper.replay.position < 400 && gamekeeper.secondsLeft > 17").await;
    desk.until("gamekeeper.shipCount() > 15").await;

    // Another ship, at a moment that has a link of its own.
    desk.click("#replay-pause").await;
    desk.pull("#replay-place", "720").await;
    desk.click("#watch-next").await;
    desk.click("#replay-link").await;
    let given = "document.getElementById('replay-address').value";
    desk.until(&format!("{given} !== ''")).await;
    let link = desk.eval(given).await.as_str().expect("a link").to_owned();
    let here = format!("http://{}{path}?t=24&player=", host.address);
    let next: u16 = link.strip_prefix(&here).and_then(|next| next.parse().ok()).expect("a link");
    desk.until(&format!("gamekeeper.looksAt === {next}")).await;
    desk.click("#replay-pause").await;

    // Then a place of one's own.
    desk.click("#watch-free").await;
    desk.until("gamekeeper.looksAt === null").await;

    // At its end there is the result, and it can be seen again.
    desk.pull("#replay-place", "slider.max").await;
    desk.until("gamekeeper.replay.speed === 0 && gamekeeper.phase === 'results'").await;
    desk.until("!document.getElementById('results').hidden").await;
    desk.click("#results-stay").await;
    desk.click("#replay-pause").await;
    desk.until("gamekeeper.replay.speed > 0 && gamekeeper.phase === 'play'").await;
    assert_eq!(desk.number("gamekeeper.stats().mismatches").await, 0.0);
    assert_eq!(desk.number("gamekeeper.stats().refused").await, 0.0);
    desk.click("#leave").await;
    desk.until("gamekeeper.state === 'start' && location.pathname === '/'").await;

    // A link shows it to whoever has it, on a phone as well.
    let phone = driver.open(390, 844, true).await;
    phone.goto(&format!("http://{}{path}", host.address)).await;
    phone.until("gamekeeper.state === 'playing' && gamekeeper.replay.position > 30").await;
    phone.goto(&link).await;
    phone.until("gamekeeper.state === 'playing' && gamekeeper.replay.position > 690").await;
    phone.until(&format!("gamekeeper.looksAt === {next}")).await;
    assert_eq!(phone.eval("location.pathname + location.search").await, path.as_str());
    phone.picture("72-replay-phone").await;

    // A game is a game again, in the same page.
    desk.click("#play").await;
    desk.until("gamekeeper.state === 'playing' && gamekeeper.me().alive").await;
    assert!(desk.eval("gamekeeper.replay").await.is_null());

    // One that is not there says so, and its link stays: loaded again it may be.
    let nowhere = "/replay/0123456789abcdef?t=3&player=2";
    phone.goto(&format!("http://{}{nowhere}", host.address)).await;
    for _ in 0..2 {
        phone
            .until(
                "document.getElementById('start-note').textContent.includes('no such recording')",
            )
            .await;
        assert_eq!(phone.eval("location.pathname + location.search").await, nowhere);
        phone.client.refresh().await.expect("it reloads");
    }
    // Nothing of it rides along to a session.
    phone.until("gamekeeper.state === 'start'").await;
    phone.click("#play").await;
    phone.until("gamekeeper.state === 'playing' && gamekeeper.me().alive").await;
    assert_eq!(phone.eval("location.search").await, "");
    let path = phone.eval("location.pathname").await;
    assert!(path.as_str().is_some_and(|path| path.starts_with("/s/")), "{path}");
    phone.close().await;
    desk.close().await;
    host.stop().await;
}
