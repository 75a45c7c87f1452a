//! Sessions as people share them, in real browsers: found, opened, joined, watched, run, ended; and what is
//! left of them. Pictures of every page are left in `tests/screenshots`, for a person to look at.

use server::config::Config;
use std::path::PathBuf;
use tests::browser::{Driver, Page};
use tests::host::Host;

/// A name that would be a picture if anybody took it for more than text.
const HOSTILE: &str = "<img src=x onerror=hack()>";
const DESK: (u32, u32, bool) = (1280, 720, false);
const PHONE: (u32, u32, bool) = (390, 844, true);
const PHONE_ASIDE: (u32, u32, bool) = (844, 390, true);

/// A folder of its own for what a server keeps, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("gamekeeper-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn host(data: Option<PathBuf>) -> Host {
    Host::open(Config { seed: Some(7), pilots: 6, data, ..Config::default() })
}

async fn visit(driver: &Driver, (width, height, touch): (u32, u32, bool), url: &str) -> Page {
    let page = driver.open(width, height, touch).await;
    page.goto(url).await;
    page.until("gamekeeper.state === 'start' && !document.getElementById('play').disabled").await;
    page
}

async fn name(page: &Page, name: &str) {
    page.client.execute("document.getElementById('name').value = ''", vec![]).await.expect("empty");
    page.keys("#name", name).await;
}

/// Presses a key as a player would, by its place on the keyboard.
async fn press(page: &Page, code: &str) {
    let script = format!(
        "for (const what of ['keydown', 'keyup'])
             (document.activeElement ?? document.body).dispatchEvent(
                 new KeyboardEvent(what, {{ code: '{code}', bubbles: true, cancelable: true }}));"
    );
    page.client.execute(&script, vec![]).await.expect("a key");
}

/// Does something as the session's host over the API, with the secret that the page keeps; the status.
async fn act(page: &Page, action: &str) -> f64 {
    let script = format!(
        "const done = arguments[arguments.length - 1];
         const code = gamekeeper.code, secret = localStorage.getItem('gamekeeper.host.' + code);
         fetch(`/api/sessions/${{code}}/actions`, {{ method: 'POST', body: JSON.stringify({action}),
             headers: {{ 'content-type': 'application/json', authorization: `Bearer ${{secret}}` }} }})
             .then((answer) => done(answer.status));"
    );
    let status = page.client.execute_async(&script, vec![]).await.expect("an answer");
    status.as_f64().expect("a status")
}

/// Opens a session over the API, keeps the secret as the page does, and returns the code.
async fn open(page: &Page, settings: &str) -> String {
    let script = format!(
        "const done = arguments[arguments.length - 1];
         fetch('/api/sessions', {{ method: 'POST', body: JSON.stringify({settings}),
             headers: {{ 'content-type': 'application/json' }} }})
             .then((answer) => answer.json()).then((made) => {{
                 localStorage.setItem('gamekeeper.host.' + made.code, made.host_secret);
                 done(made.code);
             }});"
    );
    let code = page.client.execute_async(&script, vec![]).await.expect("an answer");
    code.as_str().expect("a code").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn friends_share_a_private_session() {
    let host = host(None);
    let site = format!("http://{}", host.address);
    let driver = Driver::start();

    // Ada opens a session of her own, which nobody finds in the list, and is shown what to pass on.
    let ada = visit(&driver, DESK, &site).await;
    name(&ada, "Ada").await;
    ada.picture("lobby").await;
    ada.click("#tab-create").await;
    ada.click("#create-form [id$='-public']").await;
    ada.keys("#create-form [id$='-name']", "\u{e009}a\u{e000}\u{e003}Den of foxes").await;
    ada.picture("lobby-create").await;
    ada.click("#create-form button[type='submit']").await;
    ada.until("gamekeeper.state === 'playing' && gamekeeper.me().alive && gamekeeper.host").await;
    ada.until("!document.getElementById('invite').hidden").await;
    let link = ada.eval("document.getElementById('invite-link').value").await;
    let link = link.as_str().expect("a link").to_owned();
    let code = ada.eval("gamekeeper.code").await.as_str().expect("a code").to_owned();
    assert_eq!(link, format!("{site}/s/{code}"));
    assert!(code.bytes().filter(u8::is_ascii_alphanumeric).count() >= 8, "40 bits: {code}");
    ada.picture("invite").await;
    ada.click("#invite-copy").await;
    ada.until("document.getElementById('invite-note').textContent.length > 0").await;
    press(&ada, "Escape").await;

    // Ben pastes the link on a phone; so does somebody who means harm, on another.
    let ben = visit(&driver, PHONE, &link).await;
    ben.until("document.getElementById('invited-name').textContent === 'Den of foxes'").await;
    ben.picture("phone-invited").await;
    name(&ben, "Ben").await;
    ben.click("#play").await;
    ben.until(&format!("gamekeeper.state === 'playing' && gamekeeper.code === '{code}'")).await;
    let eve = visit(&driver, DESK, &link).await;
    name(&eve, &HOSTILE[..24]).await;
    eve.click("#play").await;
    eve.until("gamekeeper.state === 'playing'").await;
    press(&eve, "Enter").await;
    eve.keys("#chat-input", &format!("{HOSTILE} hi\u{e007}")).await;
    ada.until("gamekeeper.chatLines().some((line) => line.includes('onerror'))").await;
    assert_eq!(ada.number("document.querySelectorAll('#hud img, #people img').length").await, 0.0);

    // Nobody else finds it, nor gets in by guessing.
    let listed = ada.eval("gamekeeper.lobby().sessions.length").await;
    assert_eq!(listed, 0, "a private session is not in the list");

    // Ada shows her out, with the button in the table of people.
    press(&ada, "Tab").await;
    ada.until("!document.getElementById('people').hidden").await;
    let row = "[...document.querySelectorAll('#people-rows tr')].find((row) => row.textContent.includes('<img'))";
    ada.until(&format!("{row}?.querySelector('[data-act=more]')")).await;
    ada.client
        .execute(&format!("{row}.querySelector('[data-act=more]').click()"), vec![])
        .await
        .expect("a click");
    ada.until(&format!("{row}?.querySelector('[data-act=kick]')")).await;
    ada.picture("people").await;
    ada.client
        .execute(&format!("{row}.querySelector('[data-act=kick]').click()"), vec![])
        .await
        .expect("a click");
    eve.until(
        "gamekeeper.state !== 'playing' && document.body.textContent.includes('shown you out')",
    )
    .await;
    eve.picture("kicked").await;
    ada.until("gamekeeper.people().filter((one) => !one.computer).length === 2").await;
    press(&ada, "Escape").await;

    // Cleo comes to watch, on a phone held sideways, and follows the leader.
    let cleo = visit(&driver, PHONE_ASIDE, &link).await;
    name(&cleo, "Cleo").await;
    cleo.click("#watch").await;
    cleo.until("gamekeeper.state === 'playing' && gamekeeper.watching").await;
    ada.fly().await;
    ada.until("gamekeeper.me().score > 0").await;
    cleo.until("gamekeeper.looksAt !== null && gamekeeper.ships().some((ship) => ship.player === gamekeeper.looksAt)").await;
    cleo.picture("phone-watching").await;

    // A short round, with teams; then its result.
    let settings = "{action: 'change', settings: {name: 'Den of foxes', public: false, mode: 'teams', round_s: 20,
        pilots: {fill_up_to: 6}, game: {size: 1800}}}";
    assert_eq!(act(&ada, settings).await, 204.0);
    assert_eq!(act(&ada, "{action: 'next_round'}").await, 204.0);
    ada.until("gamekeeper.phase === 'play' && gamekeeper.team > 0").await;
    ben.until("gamekeeper.team > 0").await;
    ada.picture("teams").await;
    ben.picture("phone-teams").await;
    cleo.until("gamekeeper.phase === 'play' && gamekeeper.secondsLeft < 8").await;
    for page in [&ada, &ben, &cleo] {
        page.until("gamekeeper.phase === 'results' && gamekeeper.results()?.lines.length === 6")
            .await;
    }
    ada.until("!document.getElementById('results').hidden").await;
    ada.picture("results").await;
    ben.picture("phone-results").await;
    cleo.picture("phone-results-aside").await;

    // Ada goes home, and Ben, who has been here longest, runs the session.
    ada.client
        .execute("document.getElementById('results-lobby').click()", vec![])
        .await
        .expect("a click");
    ada.until("gamekeeper.state === 'start' && location.pathname === '/'").await;
    ben.until("gamekeeper.host && localStorage.getItem('gamekeeper.host.' + gamekeeper.code)")
        .await;
    ben.until("gamekeeper.phase === 'play' && gamekeeper.round > 1").await;
    assert_eq!(act(&ben, "{action: 'lock', locked: true}").await, 204.0);
    assert_eq!(act(&ben, "{action: 'end'}").await, 204.0);
    cleo.until("gamekeeper.state !== 'playing' && document.body.textContent.includes('ended')")
        .await;

    for page in [ada, ben, cleo, eve] {
        page.close().await;
    }
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_public_session_is_found_played_and_remembered() {
    let folder = Folder::new("sessions");
    let site = |host: &Host| format!("http://{}", host.address);
    let first = host(Some(folder.0.clone()));
    let driver = Driver::start();
    let ada = visit(&driver, DESK, &site(&first)).await;
    let code = open(
        &ada,
        "{name: 'Short and sharp', round_s: 20, pilots: {fill_up_to: 6}, game: {size: 1800}}",
    )
    .await;

    // It turns up in the list by itself, with what is told of it; by keyboard alone one gets in.
    let ben = visit(&driver, PHONE, &site(&first)).await;
    for page in [&ada, &ben] {
        page.until("gamekeeper.lobby().sessions.some((one) => one.name === 'Short and sharp')")
            .await;
    }
    assert_eq!(ben.eval("gamekeeper.lobby().via").await, "sse");
    ben.picture("phone-lobby").await;
    name(&ada, "Ada").await;
    ada.client.execute("document.getElementById('code').focus()", vec![]).await.expect("focus");
    ada.keys("#code", &format!("{code}\u{e007}")).await;
    ada.until(&format!("gamekeeper.state === 'playing' && gamekeeper.code === '{code}'")).await;
    ben.until("gamekeeper.lobby().sessions[0].players === 1").await;

    // What is said in the lobby is text, too.
    ben.click("#tab-talk").await;
    ben.keys("#talk-text", &format!("{HOSTILE}\u{e007}")).await;
    ben.until("document.getElementById('talk-log').textContent.includes('onerror')").await;
    assert_eq!(ben.number("document.querySelectorAll('#lobby img').length").await, 0.0);

    // Signs, the large map, and a round to its end.
    ada.fly().await;
    press(&ada, "KeyC").await;
    press(&ada, "Digit3").await;
    ada.until("gamekeeper.emotes.length > 0").await;
    ada.picture("emote").await;
    assert_eq!(act(&ada, "{action: 'next_round'}").await, 204.0);
    ada.until("gamekeeper.phase === 'play' && gamekeeper.me().score > 0").await;
    ada.until("gamekeeper.secondsLeft < 8").await;
    ada.until("gamekeeper.phase === 'results'").await;
    let line = ada
        .eval("gamekeeper.results().lines.find((line) => line.player === gamekeeper.me().player)")
        .await;
    let score = line["score"].as_i64().expect("points");
    assert!(score > 0, "{line}");
    ben.click("#tab-results").await;
    ben.until("document.getElementById('result-list').textContent.includes('Ada')").await;
    ben.picture("phone-lobby-results").await;
    ada.close().await;
    ben.close().await;
    first.stop().await;

    // The server starts again: sessions are over, and who was best is not forgotten.
    let second = host(Some(folder.0.clone()));
    let late = visit(&driver, DESK, &site(&second)).await;
    assert_eq!(late.eval("gamekeeper.lobby().sessions.length").await, 0);
    late.click("#tab-leaders").await;
    late.until("document.getElementById('leader-rows').textContent.includes('Ada')").await;
    late.until(&format!("document.getElementById('leader-rows').textContent.includes('{score}')"))
        .await;
    late.picture("lobby-leaders").await;
    late.close().await;
    // The link of a session that is over says so.
    let lost = visit(&driver, DESK, &format!("{}/s/{code}", site(&second))).await;
    lost.until("document.getElementById('start').textContent.includes('over')").await;
    lost.picture("link-of-nothing").await;
    lost.close().await;
    second.stop().await;
}
