//! The lobby under the hands of whoever uses it, in real Chromiums: a list that changes its order, a line that is under way,
//! another tab.

use fantoccini::Locator;
use fantoccini::actions::{InputSource, MOUSE_BUTTON_LEFT, MouseActions, PointerAction};
use serde_json::json;
use server::config::Config;
use shared::arena::Arena;
use tests::browser::{Driver, Page};
use tests::harness::Running;

/// The key, as WebDriver has it.
const ENTER: &str = "\u{e007}";

/// In the stream's place a list that the test tells: `list('a', 'b')` are the names of its sessions, in their order.
const LIST: &str = r"
    globalThis.EventSource = class extends EventTarget {
        constructor() { super(); globalThis.stream = this; }
        close() {}
    };
    const session = (name) => ({
        name, code: `00000-0000${name}`, mode: 'free_for_all', players: 1, max_players: 9, pilots: 0, spectators: 0,
        max_spectators: 9, locked: false, phase: 'endless', phase_left_s: null, round: 0,
    });
    let version = 0;
    globalThis.list = (...names) => {
        const data = JSON.stringify({ version: ++version, sessions: names.map(session) });
        stream.dispatchEvent(new MessageEvent('sessions', { data }));
        return [...document.querySelectorAll('#session-list .name')].map((name) => name.textContent);
    };
    globalThis.joins = (name) => document.querySelector(`#session-list [aria-label='Join ${name}']`);
";

async fn lobby(driver: &Driver, running: &Running) -> Page {
    let page = driver.open(1280, 720, false).await;
    page.goto(&format!("http://{}/", running.address)).await;
    page.until("gamekeeper.state === 'start' && gamekeeper.lobby().version > 0").await;
    page
}

/// Presses the mouse's button on an element, or lets go of it.
async fn mouse(page: &Page, down: bool) {
    let button = MOUSE_BUTTON_LEFT;
    let change = if down { PointerAction::Down { button } } else { PointerAction::Up { button } };
    let mut mouse = MouseActions::new("mouse".into());
    if down {
        let element = page.client.find(Locator::Css("[aria-label='Join a']")).await;
        let element = element.expect("a row");
        mouse =
            mouse.then(PointerAction::MoveToElement { element, duration: None, x: 0.0, y: 0.0 });
    }
    page.client.perform_actions(mouse.then(change)).await.expect("a mouse");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_changes_takes_neither_focus_nor_press() {
    let driver = Driver::start();
    let running = Running::start_empty::<Arena>(&Config::default());
    let page = lobby(&driver, &running).await;
    // The lobby opens anew behind a link that leads nowhere.
    page.run(LIST).await;
    page.keys("#code", &format!("00000-00000{ENTER}")).await;
    page.until("globalThis.stream && gamekeeper.state === 'start'").await;

    page.run("list('x', 'a', 'b'); joins('a').focus();").await;
    // Some order after the other, with some that come and go: each is shown, and the row keeps the keyboard.
    let wrong = page
        .eval(
            "(() => {
                let lost = 0;
                const focused = joins('a'), wrong = [];
                focused.addEventListener('blur', () => { lost += 1; });
                for (let n = 1; n < 200; n++) {
                    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].filter((name, at) => name === 'a' || (n >> at) % 3);
                    names.sort((one, other) => ((one.charCodeAt(0) * n * n) % 13) - ((other.charCodeAt(0) * n * n) % 13));
                    if (list(...names).join() !== names.join()) wrong.push(names.join());
                }
                return [wrong, lost, document.activeElement === focused];
            })()",
        )
        .await;
    assert_eq!(wrong, json!([[], 0, true]));

    // While the button is down, the row above goes and another comes in its place.
    page.run("list('x', 'a'); document.getElementById('start-note').textContent = '';").await;
    mouse(&page, true).await;
    page.run("list('y', 'a')").await;
    mouse(&page, false).await;
    page.until("document.getElementById('start-note').textContent.includes('no session')").await;

    // What is wrong with a code is not wiped by the next list, but by what is typed next.
    page.run("document.getElementById('code').value = ''").await;
    page.keys("#code", &format!("!{ENTER}")).await;
    page.run("list('x', 'a')").await;
    let note = "document.getElementById('code-note').textContent";
    assert_eq!(page.eval(note).await, "That is neither a code nor a link to a session.");
    page.keys("#code", "0").await;
    assert_eq!(page.eval(note).await, "");
    page.close().await;
    running.stop().await.expect("a proper end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_is_sent_once_and_nothing_is_erased() {
    let driver = Driver::start();
    let running = Running::start_empty::<Arena>(&Config::default());
    let page = lobby(&driver, &running).await;
    let field = "document.getElementById('talk-text').value";
    let read =
        "[...document.querySelectorAll('#talk-log p')].map((line) => line.lastChild.textContent)";
    page.click("#tab-talk").await;
    page.hold("/api/chat").await;
    page.keys("#talk-text", &format!("one{ENTER}{ENTER}")).await;
    page.until("held.release").await;
    page.keys("#talk-text", &format!("two{ENTER}")).await;
    assert_eq!(page.eval(field).await, "two");
    page.release().await;
    page.until(&format!("{read}.includes('one')")).await;
    assert_eq!(page.eval(field).await, "two", "nobody has sent it yet");
    // What is refused is there to be sent again.
    page.run(
        "const ask = globalThis.fetch;
         globalThis.fetch = async () => {
             globalThis.fetch = ask;
             return new Response(JSON.stringify({ detail: 'Not so fast.' }), { status: 429 });
         };",
    )
    .await;
    page.keys("#talk-text", ENTER).await;
    page.until("document.getElementById('talk-note').textContent === 'Not so fast.'").await;
    assert_eq!(page.eval(field).await, "two");
    page.keys("#talk-text", ENTER).await;
    page.until(&format!("{read}.includes('two') && {field} === ''")).await;
    assert_eq!(page.eval(read).await, json!(["one", "two"]));
    // A name is read aloud as a word of its own.
    let line = "/^\\d\\d:\\d\\d \\S.* two$/.test(document.querySelector('#talk-log p:last-child').textContent)";
    assert_eq!(page.eval(line).await, true);
    page.close().await;
    running.stop().await.expect("a proper end");
}

/// Makes a choice as the panel's controls do.
async fn choose(page: &Page, setting: &str, value: &str) {
    page.run(&format!(
        "const control = document.querySelector('[data-setting={setting}]');
         {value}
         control.dispatchEvent(new Event('input'));"
    ))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_tabs_keep_each_others_choices() {
    let driver = Driver::start();
    let running = Running::start_empty::<Arena>(&Config::default());
    let page = lobby(&driver, &running).await;
    let first = page.client.window().await.expect("a tab");
    let second = page.client.new_window(true).await.expect("another tab").handle;
    page.client.switch_to_window(second.clone()).await.expect("it is there");
    page.goto(&format!("http://{}/", running.address)).await;
    page.until("gamekeeper.state === 'start'").await;
    page.client.switch_to_window(first.clone()).await.expect("it is there");
    choose(&page, "palette", "control.value = 'safe';").await;
    page.client.switch_to_window(second).await.expect("it is there");
    choose(&page, "names", "control.checked = false;").await;
    let kept = "JSON.parse(localStorage.getItem('gamekeeper.settings'))";
    let both = page.eval(&format!("[{kept}.palette, {kept}.names]")).await;
    assert_eq!(both, json!(["safe", false]));
    // What is chosen in one holds in the other.
    page.until("document.documentElement.dataset.palette === 'safe'").await;
    page.client.switch_to_window(first).await.expect("it is there");
    page.until("!document.querySelector('[data-setting=names]').checked").await;
    page.close().await;
    running.stop().await.expect("a proper end");
}
