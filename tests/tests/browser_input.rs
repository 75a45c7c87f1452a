//! What points and what is typed, in real Chromiums: the mouse's arrow, a phone's letters, the thumbs' wheel.

use fantoccini::Locator;
use fantoccini::actions::{
    InputSource, MOUSE_BUTTON_LEFT, MouseActions, PointerAction, TouchActions,
};
use serde_json::json;
use tests::browser::{Driver, Page};
use tests::host::Host;

/// The arrow as it is over the arena.
const ARROW: &str = "getComputedStyle(document.getElementById('arena')).cursor";

/// Moves the mouse there.
async fn point(page: &Page, x: f64, y: f64) {
    let to = PointerAction::MoveTo { duration: None, x, y };
    let mouse = MouseActions::new("mouse".into()).then(to);
    page.client.perform_actions(mouse).await.expect("a mouse");
}

/// Taps an element with a finger.
async fn tap(page: &Page, id: &str) {
    let element = page.client.find(Locator::Id(id)).await.expect("it is there");
    let button = MOUSE_BUTTON_LEFT;
    let finger = TouchActions::new("finger".into())
        .then(PointerAction::MoveToElement { element, duration: None, x: 0.0, y: 0.0 })
        .then(PointerAction::Down { button })
        .then(PointerAction::Up { button });
    page.client.perform_actions(finger).await.expect("a finger");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_arrow_is_away_only_where_the_crosshair_is() {
    let host = Host::start(1800, 4);
    let driver = Driver::start();
    let page = driver.open(1280, 720, false).await;
    let url = format!("http://{}/", host.address);
    page.goto(&url).await;
    page.until("gamekeeper.state === 'start'").await;
    page.hold("/api/tickets").await;
    page.click("#play").await;
    page.until("held.release").await;
    point(&page, 900.0, 500.0).await;
    assert_ne!(page.eval(ARROW).await, "none", "nothing is there to aim at");
    page.release().await;
    page.until("gamekeeper.state === 'playing' && gamekeeper.me().alive").await;
    point(&page, 800.0, 400.0).await;
    page.until(&format!("{ARROW} === 'none'")).await;
    page.picture("95-crosshair").await;
    page.run("document.getElementById('session-watch').click()").await;
    page.until(&format!("gamekeeper.watching && {ARROW} !== 'none'")).await;
    page.picture("95-arrow").await;
    page.click("#leave").await;
    page.until(&format!("gamekeeper.state === 'start' && {ARROW} !== 'none'")).await;
    page.close().await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_types_and_taps() {
    let host = Host::start(1800, 4);
    let driver = Driver::start();
    let phone = driver.open(390, 844, true).await;
    let url = format!("http://{}/", host.address);
    phone.goto(&url).await;
    phone.until("gamekeeper.state === 'start'").await;
    // Safari zooms in on smaller letters than these, and the arena lets nobody zoom out again.
    let small = "[...document.querySelectorAll('input:not([type=checkbox], [type=range], [type=file]), select, textarea')]
        .map((field) => [field.id, parseFloat(getComputedStyle(field).fontSize)
            * Number(document.documentElement.style.getPropertyValue('--ui'))])
        .filter(([, size]) => size < 15.99)";
    for scale in [100, 80, 130] {
        phone.pull("[data-setting=scale]", &scale.to_string()).await;
        assert_eq!(phone.eval(small).await, json!([]), "at {scale} %");
    }
    phone.pull("[data-setting=scale]", "100").await;
    phone.picture("96-phone-start").await;
    phone.play(&url, "Ann").await;

    tap(&phone, "open-chat").await;
    phone.until("document.activeElement.id === 'chat-input'").await;
    phone.keys("#chat-input", "Hello there").await;
    phone.picture("96-phone-chat").await;
    phone.keys("#chat-input", "\u{e007}").await;
    phone.until("gamekeeper.chatLines().includes('Ann Hello there')").await;

    // The button that opens the wheel closes it.
    tap(&phone, "touch-emote").await;
    phone.until("!document.getElementById('wheel').hidden").await;
    phone.run(
        "addEventListener('click', ({ target }) => { if (target.closest('#touch-emote')) globalThis.tapped = true; });",
    )
    .await;
    tap(&phone, "touch-emote").await;
    phone.until("globalThis.tapped").await;
    assert_eq!(phone.eval("document.getElementById('wheel').hidden").await, true);
    phone.close().await;
    host.stop().await;
}
