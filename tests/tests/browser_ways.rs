//! Ways through the page beside the straight one, in real Chromiums: out of what does not come up, back after a line was
//! lost, from one hand to the other, and by the keyboard alone.

use fantoccini::Locator;
use fantoccini::actions::{
    InputSource, MOUSE_BUTTON_LEFT, MouseActions, PointerAction, TouchActions,
};
use serde_json::{Value, json};
use server::config::Config;
use server::session::SessionConfig;
use server::session::settings::PilotCount;
use shared::arena::{Arena, Settings};
use shared::game::Setup;
use shared::netcode::conditions::Conditions;
use tests::browser::{Driver, Page};
use tests::harness::Running;
use tests::host::Host;
use tests::relay::Relay;

/// The arena's side, in units.
const ARENA: u32 = 1800;
/// The page's size, CSS pixels.
const SCREEN: (u32, u32) = (1280, 720);

/// Keys, as WebDriver has them.
const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const SHIFT: &str = "\u{e008}";
const ESCAPE: &str = "\u{e00c}";

/// A server, a bad line to it, and the lobby at its end.
async fn lobby(config: &Config, driver: &Driver) -> (Running, Relay, Page) {
    let running = Running::start_empty::<Arena>(config);
    let relay = Relay::start(running.address, Conditions::PERFECT, 1).await.expect("a port");
    let page = driver.open(SCREEN.0, SCREEN.1, false).await;
    page.goto(&format!("http://{}/", relay.address())).await;
    page.until("gamekeeper.state === 'start' && gamekeeper.lobby().version > 0").await;
    (running, relay, page)
}

/// What a page that has left tells: it is in no session, whatever still came.
const LEFT: &str = "[gamekeeper.state, gamekeeper.code, location.pathname]";

fn left() -> Value {
    json!(["start", null, "/"])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_gives_up_waiting_is_back_in_the_lobby() {
    let driver = Driver::start();
    let config = Config { pilots: 3, ..Config::default() };
    let (running, relay, page) = lobby(&config, &driver).await;
    // The way in does not come: a button leads back, and so does Escape.
    for by_key in [false, true] {
        page.hold("/api/tickets").await;
        page.click("#play").await;
        page.until("held.release && !document.getElementById('curtain').hidden").await;
        match by_key {
            true => page.press(ESCAPE).await,
            false => page.click("#curtain-leave").await,
        }
        page.until("gamekeeper.state === 'start' && document.getElementById('curtain').hidden")
            .await;
        page.release().await;
        assert_eq!(page.eval(LEFT).await, left(), "by key: {by_key}");
    }
    // The same where there was one, and the line is lost.
    page.play(&format!("http://{}/", relay.address()), "Ada").await;
    page.hold("/api/tickets").await;
    relay.cut();
    page.until("held.release").await;
    page.click("#leave").await;
    page.until("gamekeeper.state === 'start'").await;
    page.release().await;
    assert_eq!(page.eval(LEFT).await, left());
    // Nor does anybody have to wait for a server that is down.
    running.stop().await.expect("a proper end");
    page.click("#play").await;
    page.until("gamekeeper.state === 'waiting' && !document.getElementById('curtain').hidden")
        .await;
    page.picture("90-no-way-in").await;
    // Whoever hears the page hears why, and not every second how long.
    let counts = "['curtain-wait', 'death-when', 'results-next']
        .filter((id) => document.getElementById(id).closest('[role=status], [aria-live]'))";
    assert_eq!(page.eval(counts).await, json!([]));
    page.until(
        "/^Trying again in \\d+ s\\.$/.test(document.getElementById('curtain-wait').textContent)",
    )
    .await;
    page.press(ESCAPE).await;
    page.until("gamekeeper.state === 'start' && document.getElementById('curtain').hidden").await;
    page.close().await;
}

/// Says something to everybody in the session, and reads it.
async fn say(page: &Page, line: &str) {
    page.click("#open-chat").await;
    page.keys("#chat-input", &format!("{line}{ENTER}")).await;
    page.until(&format!("gamekeeper.chatLines().some((one) => one.endsWith('{line}'))")).await;
}

/// While the stream of events is away lines are said, and one more before the page hears of these.
async fn talk_goes_on_while_the_line_is_lost(page: &Page, running: &Running, relay: &Relay) {
    let said = async |line: &str| {
        let body = json!({"name": "Ben", "text": line}).to_string();
        running.post("/api/chat", &body).await.expect(204);
    };
    let read =
        "[...document.querySelectorAll('#talk-log p')].map((line) => line.lastChild.textContent)";
    page.click("#tab-talk").await;
    said("one").await;
    page.until(&format!("{read}.includes('one')")).await;
    page.hold("/api/chat").await;
    relay.cut();
    said("two").await;
    said("three").await;
    page.until("held.release").await;
    said("four").await;
    page.until(&format!("{read}.includes('four')")).await;
    page.release().await;
    page.until(&format!("{read}.length >= 4")).await;
    assert_eq!(page.eval(read).await, json!(["one", "two", "three", "four"]));
}

/// The form begins with what this server has, and asks for as much as it allows.
async fn a_new_session_is_as_the_server_has_them(page: &Page, running: &Running) {
    let field = |name: &str| format!("#create-form [id$=\"-{name}\"]");
    let value = |name: &str| format!("document.querySelector('{}').value", field(name));
    page.click("#tab-create").await;
    page.until(&format!("{} === '20'", value("tick_rate"))).await;
    assert_eq!(page.eval(&value("pilots-n")).await, "3");
    let most = page.client.find(Locator::Css(&field("max_players"))).await.expect("a field");
    most.clear().await.expect("it can be emptied");
    most.send_keys(&format!("250{ENTER}")).await.expect("it takes digits");
    page.until("gamekeeper.state === 'playing' && gamekeeper.me().alive").await;
    assert_eq!(page.number("gamekeeper.stats().tickRate").await, 20.0);
    let list = running.get("/api/sessions").await.expect(200);
    assert_eq!(list["sessions"][0]["max_players"], 250);
    page.click("#invite .close").await;
}

/// The server tells those who come back what was said before; they have read it.
async fn nobody_reads_a_line_twice(page: &Page, relay: &Relay) {
    say(page, "one").await;
    relay.cut();
    page.until("gamekeeper.reconnects === 1 && gamekeeper.state === 'playing'").await;
    // What was said before comes before this.
    say(page, "two").await;
    let lines = "[...document.querySelectorAll('#chat-log li:not(.server)')]
        .map((line) => [line.lastChild.textContent, line.classList.contains('mine')])";
    assert_eq!(page.eval(lines).await, json!([["one", true], ["two", true]]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_knows_what_was_said_and_what_the_server_allows() {
    let driver = Driver::start();
    let config = Config { tick_rate: 20, pilots: 3, max_players: 300, ..Config::default() };
    let (running, relay, page) = lobby(&config, &driver).await;
    talk_goes_on_while_the_line_is_lost(&page, &running, &relay).await;
    a_new_session_is_as_the_server_has_them(&page, &running).await;
    nobody_reads_a_line_twice(&page, &relay).await;
    page.close().await;
    running.stop().await.expect("a proper end");
}

/// Moves the mouse there.
async fn point(page: &Page, x: f64, y: f64) {
    let to = PointerAction::MoveTo { duration: None, x, y };
    let mouse = MouseActions::new("mouse".into()).then(to);
    page.client.perform_actions(mouse).await.expect("a mouse");
}

/// As on a laptop whose screen was touched once.
async fn after_a_touch_the_mouse_aims_again(page: &Page) {
    let (west, middle, east) = (20.0, f64::from(SCREEN.1) / 2.0, f64::from(SCREEN.0) - 20.0);
    let button = MOUSE_BUTTON_LEFT;
    let touch = TouchActions::new("finger".into())
        .then(PointerAction::MoveTo { duration: None, x: east, y: middle })
        .then(PointerAction::Down { button })
        .then(PointerAction::Up { button });
    page.client.perform_actions(touch).await.expect("a finger");
    page.until("document.body.matches('.touch:not(.mouse)')").await;
    let nose = "Math.cos(gamekeeper.ships().find((ship) => ship.own).heading)";
    point(page, west, middle).await;
    page.until(&format!("document.body.matches('.mouse:not(.touch)') && {nose} < -0.7")).await;
    point(page, east, middle).await;
    page.until(&format!("{nose} > 0.7")).await;
}

/// macOS says nothing of keys that are let go while Cmd is down.
async fn what_is_held_with_cmd_is_let_go_with_it(page: &Page) {
    let key = |event: &str, code: &str| {
        format!("dispatchEvent(new KeyboardEvent('{event}', {{ code: '{code}', bubbles: true }}));")
    };
    page.run(&(key("keydown", "KeyD") + &key("keydown", "ShiftLeft"))).await;
    page.until("gamekeeper.me().energy < 0.8").await;
    page.run(&(key("keydown", "MetaLeft") + &key("keyup", "MetaLeft"))).await;
    // Nothing flows in while the boost is held.
    page.until("gamekeeper.me().energy > 0.9").await;
}

/// While letters are composed, Escape and Tab are for the input method; then they are the chat's again.
async fn composing_keeps_its_keys(page: &Page) {
    page.click("#open-chat").await;
    // Only who is in a team has a channel to choose.
    page.until("document.activeElement.id === 'chat-input' && document.getElementById('chat-team').checkVisibility()")
        .await;
    let after = async |key: &str, composing: bool| {
        page.eval(&format!(
            "(() => {{
                const [form, input, team] = ['form', 'input', 'team'].map((id) => document.getElementById(`chat-${{id}}`));
                input.dispatchEvent(new KeyboardEvent('keydown', {{
                    key: '{key}', code: '{key}', isComposing: {composing}, bubbles: true, cancelable: true,
                }}));
                return [form.hidden, team.textContent];
            }})()"
        ))
        .await
    };
    assert_eq!(after("Escape", true).await, json!([false, "All"]));
    assert_eq!(after("Tab", true).await, json!([false, "All"]));
    assert_eq!(after("Tab", false).await, json!([false, "Team"]));
    assert_eq!(after("Escape", false).await, json!([true, "Team"]));
}

/// What is typed is as long as a line may be, and is there again for whoever went back to the game before it was said.
async fn a_line_waits_until_it_is_said(page: &Page) {
    let typed = "document.getElementById('chat-input').value";
    page.click("#open-chat").await;
    page.keys("#chat-input", &"ж".repeat(120)).await;
    assert_eq!(page.eval(typed).await, "ж".repeat(100));
    page.run("document.activeElement.blur()").await;
    assert_eq!(page.eval("document.getElementById('chat-form').hidden").await, true);
    page.click("#open-chat").await;
    assert_eq!(page.eval(typed).await, "ж".repeat(100));
    page.press(ESCAPE).await;
    page.click("#open-chat").await;
    assert_eq!(page.eval(typed).await, "");
    page.press(ESCAPE).await;
}

/// Presses the key for the scores, or lets go of it, at a moment in ms. For how long it is held decides what it does, and
/// a machine that stands still must not hold it longer.
async fn scores(page: &Page, event: &str, at_ms: u32) {
    let script = format!(
        "const event = new KeyboardEvent('{event}', {{ code: 'Tab', bubbles: true }});
         Object.defineProperty(event, 'timeStamp', {{ value: {at_ms} }});
         dispatchEvent(event);"
    );
    page.run(&script).await;
}

/// Tab shows the scores, and is Tab as everywhere once the keyboard is among the page's controls.
async fn tab_comes_to_the_scores_and_to_the_buttons(page: &Page) {
    let told = async || {
        let focused = "document.activeElement.closest('#people, #hud, body').id";
        let told = format!("[document.getElementById('people').hidden, {focused}]");
        page.eval(&told).await
    };
    page.until("document.activeElement === document.body").await;
    // Held, it shows them for as long, and the keyboard flies on.
    scores(page, "keydown", 1000).await;
    assert_eq!(told().await, json!([false, ""]));
    scores(page, "keyup", 2000).await;
    assert_eq!(told().await, json!([true, ""]));
    // Else they stay, and have the keyboard.
    scores(page, "keydown", 3000).await;
    scores(page, "keyup", 3100).await;
    assert_eq!(told().await, json!([false, "people"]));
    page.press(TAB).await;
    assert_eq!(told().await, json!([false, "people"]), "another Tab does not close them");
    assert_eq!(page.eval("document.activeElement.matches('button')").await, true);
    page.press(ESCAPE).await;
    assert_eq!(told().await, json!([true, ""]));
    // Backwards it comes to the buttons over the arena, which are pressed as buttons are.
    page.press(&format!("{SHIFT}{TAB}")).await;
    assert_eq!(told().await, json!([true, "hud"]));
    assert_eq!(page.eval("document.activeElement.id").await, "open-network");
    page.press(ENTER).await;
    page.until("document.getElementById('network').checkVisibility()").await;
    assert_eq!(page.eval("document.getElementById('chat-form').hidden").await, true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hands_go_from_one_thing_to_the_next() {
    let setup = Setup::new(Settings { size: ARENA, ..Settings::default() }, 5, 30);
    let host = Host::start_session(SessionConfig::new(Setup { teams: 2, ..setup }));
    let driver = Driver::start();
    let page = driver.open(SCREEN.0, SCREEN.1, false).await;
    page.play(&format!("http://{}/", host.address), "Ada").await;
    after_a_touch_the_mouse_aims_again(&page).await;
    what_is_held_with_cmd_is_let_go_with_it(&page).await;
    composing_keeps_its_keys(&page).await;
    a_line_waits_until_it_is_said(&page).await;
    tab_comes_to_the_scores_and_to_the_buttons(&page).await;
    page.close().await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_puts_a_result_away_reads_when_the_next_round_begins() {
    let setup = Setup::new(Settings { size: ARENA, ..Settings::default() }, 5, 30);
    // Shorter than anybody may ask for.
    let (round_s, pilots) = (1, PilotCount::FillUpTo(2));
    let host = Host::start_session(SessionConfig { round_s, pilots, ..SessionConfig::new(setup) });
    let driver = Driver::start();
    let page = driver.open(SCREEN.0, SCREEN.1, false).await;
    page.play(&format!("http://{}/", host.address), "Ada").await;
    // A result is there for seconds only, so that the page is asked for all of it at once.
    page.until(
        "(() => {
            const [results, stay, clock, words] = ['results', 'results-stay', 'clock', 'clock-phase']
                .map((id) => document.getElementById(id));
            if (!results.hidden) stay.click();
            return gamekeeper.phase === 'results' && results.hidden && !clock.hidden
                && /^Next round in \\d+ s$/.test(words.textContent);
        })()",
    )
    .await;
    page.close().await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_muted_stays_so_after_a_reload() {
    let host = Host::start(ARENA, 0);
    let driver = Driver::start();
    let url = format!("http://{}/", host.address);
    let ada = driver.open(SCREEN.0, SCREEN.1, false).await;
    let ben = driver.open(SCREEN.0, SCREEN.1, false).await;
    ada.play(&url, "Ada").await;
    ben.play(&url, "Ben").await;
    ada.click("#open-people").await;
    ada.until("document.querySelector('#people-rows [aria-label=\"Mute Ben for you\"]')").await;
    ada.run("document.querySelector('#people-rows [data-act=silence]').click()").await;
    ada.until("document.querySelector('#people-rows [aria-label=\"Hear Ben for you\"]')").await;
    say(&ben, "before").await;
    ben.play(&url, "Ben").await;
    say(&ben, "after").await;
    // Whatever came before this has been read, or not.
    say(&ada, "now").await;
    let lines = "[...document.querySelectorAll('#chat-log li:not(.server)')]
        .map((line) => line.lastChild.textContent)";
    assert_eq!(ada.eval(lines).await, json!(["now"]));
    // Ben is heard again when Ada says so.
    ada.run("document.querySelector('#people-rows [aria-label=\"Hear Ben for you\"]').click()")
        .await;
    say(&ben, "again").await;
    ada.until(&format!("{lines}.includes('again')")).await;
    ada.close().await;
    ben.close().await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_module_that_broke_is_asked_nothing_more() {
    let driver = Driver::start();
    let (running, relay, page) = lobby(&Config { pilots: 0, ..Config::default() }, &driver).await;
    page.play(&format!("http://{}/", relay.address()), "Ann").await;
    // As the browser tells of a trap; how one comes about, tests/browser_plain.rs has.
    page.run(
        "const error = new WebAssembly.RuntimeError('unreachable');
         dispatchEvent(new ErrorEvent('error', { error, message: 'a trap' }));
         globalThis.drawn = gamekeeper.drawn;",
    )
    .await;
    let said = "document.getElementById('curtain-text').textContent";
    page.until(&format!("{said} === 'The game broke. Reload the page.'")).await;
    page.until("document.getElementById('curtain').checkVisibility()").await;
    let state = "[gamekeeper.state, gamekeeper.errors, gamekeeper.drawn - drawn, gamekeeper.stats().frames ?? null]";
    assert_eq!(page.eval(state).await, json!(["ended", ["a trap"], 0, null]));
    page.picture("89-broken").await;

    // The first screen says so as well; a page that is loaded anew plays.
    page.click("#curtain-leave").await;
    page.until("gamekeeper.state === 'start'").await;
    page.click("#play").await;
    let note = "document.getElementById('start-note').textContent";
    assert_eq!(page.eval(note).await, "The game broke. Reload the page.");
    page.play(&format!("http://{}/", relay.address()), "Ann").await;
    page.close().await;
    running.stop().await.expect("it stops well");
}
