//! What a player chooses, in a real Chromium: keys that conflict, settings as text, another palette; and the
//! lobby by the keyboard alone.

use tests::browser::{Driver, Page};
use tests::host::Host;

async fn text(page: &Page, selector: &str) -> String {
    let text = page.eval(&format!("document.querySelector('{selector}').textContent")).await;
    text.as_str().unwrap_or_else(|| panic!("{selector} has no text")).to_owned()
}

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const RIGHT: &str = "\u{e014}";
const ESCAPE: &str = "\u{e00c}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_and_settings_are_the_players_own() {
    let host = Host::start(1800, 4);
    let driver = Driver::start();
    let page = driver.open(1280, 720, false).await;
    let url = format!("http://{}/", host.address);
    page.goto(&url).await;
    page.until("gamekeeper.state === 'start'").await;
    page.click("#start-settings").await;
    page.click("#tab-controls").await;

    // A key that another action has is taken from it, and that is said.
    page.run("document.querySelector('#keys [data-bind=\"emote:0\"]').focus()").await;
    page.press(ENTER).await;
    // Enter is held a little too long.
    page.run(
        "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { code: 'Enter', key: 'Enter', repeat: true, bubbles: true }))",
    )
    .await;
    page.press("m").await;
    page.until("document.querySelector('#keys [data-bind=\"emote:0\"]').textContent === 'M'").await;
    assert_eq!(text(&page, "#keys [data-bind=\"chat:0\"]").await, "Enter");
    assert_eq!(text(&page, "#keys [data-bind=\"mute:0\"]").await, "–");
    assert!(text(&page, "#keys-note").await.contains("Sound on or off"));
    // Escape keeps what there was, and the panel open.
    page.run("document.querySelector('#keys [data-bind=\"fire:0\"]').focus()").await;
    page.press(ENTER).await;
    page.press(ESCAPE).await;
    page.until("document.querySelector('#keys [data-bind=\"fire:0\"]').textContent === 'Space'")
        .await;
    page.picture("29-keys").await;
    // On a French keyboard Z is where English ones have W, which is seen as it is pressed.
    page.run(
        "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { code: 'KeyW', key: 'z', bubbles: true }))",
    )
    .await;
    assert_eq!(text(&page, "#keys [data-bind=\"up:0\"]").await, "Z");
    assert_eq!(text(&page, "#start kbd[data-key=\"up\"]").await, "Z");

    // Settings leave and come as text; of that only what makes sense is taken.
    page.click("#tab-keep").await;
    page.run(
        "const field = document.getElementById('keep-text');
         const kept = { ...JSON.parse(field.value), palette: 'safe', scale: 120, volume: 99, names: 'x', other: 1 };
         field.value = JSON.stringify(kept);",
    )
    .await;
    page.click("#keep-take").await;
    page.until("document.documentElement.dataset.palette === 'safe'").await;
    let kept = "JSON.parse(localStorage.getItem('gamekeeper.settings'))";
    assert_eq!(page.number(&format!("{kept}.scale")).await, 120.0);
    assert_eq!(page.number(&format!("{kept}.volume")).await, 0.6);
    assert!(
        page.eval(&format!("{kept}.names === true && {kept}.other === undefined")).await == true
    );
    page.run("document.getElementById('keep-text').value = '[1'").await;
    page.click("#keep-take").await;
    page.until("document.getElementById('keep-note').textContent.startsWith('No settings')").await;

    // All of that outlives a reload and holds in the game.
    page.play(&url, "Own").await;
    assert!(page.eval("document.documentElement.dataset.palette === 'safe'").await == true);
    page.run("dispatchEvent(new KeyboardEvent('keydown', { code: 'KeyM', bubbles: true }))").await;
    page.until("!document.getElementById('wheel').hidden").await;
    page.run("dispatchEvent(new KeyboardEvent('keydown', { code: 'Digit2', bubbles: true }))")
        .await;
    page.until("gamekeeper.emotes.some(([, emote]) => emote === 1)").await;
    page.run("dispatchEvent(new KeyboardEvent('keydown', { code: 'KeyG', bubbles: true }))").await;
    page.until("document.getElementById('minimap').clientWidth > 300").await;
    page.picture("30-map").await;
    page.close().await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_keyboard_alone_reaches_everything_in_the_lobby() {
    let host = Host::start(1800, 4);
    let driver = Driver::start();
    let page = driver.open(1280, 720, false).await;
    page.goto(&format!("http://{}/", host.address)).await;
    page.until("gamekeeper.state === 'start' && document.querySelector('#session-list .join')")
        .await;
    let reachable = "[...document.querySelectorAll('#start :is(button, input, select, summary, [tabindex])')]
        .filter((one) => one.tabIndex >= 0 && !one.disabled && one.checkVisibility({ visibilityProperty: true }))";
    for tab in ["list", "create", "leaders", "results", "talk"] {
        page.until(&format!(
            "document.getElementById('tab-{tab}').getAttribute('aria-selected') === 'true'"
        ))
        .await;
        // Once round with Tab: everything that can be used has had the focus, and can be seen to have it.
        page.run("window.met = new Set(); document.getElementById('name').focus();").await;
        let count = page.number(&format!("{reachable}.length")).await as usize;
        assert!(count >= 6, "{tab}: {count}");
        for _ in 0..count + 2 {
            page.run("met.add(document.activeElement)").await;
            page.press(TAB).await;
        }
        let missed = page
            .eval(&format!(
                "{reachable}.filter((one) => !met.has(one)).map((one) => one.outerHTML)"
            ))
            .await;
        assert_eq!(missed, serde_json::json!([]), "{tab}");
        page.run(&format!("document.getElementById('tab-{tab}').focus()")).await;
        page.press(RIGHT).await;
    }
    // And Enter plays.
    page.run("document.getElementById('name').focus()").await;
    page.press(ENTER).await;
    page.until("gamekeeper.state === 'playing' && gamekeeper.me().alive").await;
    page.close().await;
    host.stop().await;
}
