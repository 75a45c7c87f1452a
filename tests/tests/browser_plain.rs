//! The plain page in a real Chromium: the second game, for which nobody has drawn a line, is played by what its field
//! tables say, at a desk and on a phone; sessions are opened, run and watched.

use buoys::{Buoys, Waters};
use buoys_server::PAGE;
use serde_json::{Value, json};
use server::code::SessionCode;
use server::config::Config;
use tests::accessibility::serious;
use tests::browser::{Driver, Page};
use tests::harness::Running;
use tests::http::round_of;
use tests::recorded;

/// Ticks after which a page has been told of everything that there is, checksums included.
const TICKS: u32 = 150;
/// Units that a boat rows in some ticks.
const ROWED: f64 = 40.0;
/// Units that it rows while a finger is down on a button for a moment.
const PRESSED: f64 = 4.0;

/// Frames after which somebody who changed team, or between playing and watching, may do so again: more than 2 s.
const FRAMES_OF_A_CHANGE: u32 = 75;

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
    // A press counts that is over before anything was drawn.
    desk.until(
        "['keydown', 'keyup'].forEach((what) => dispatchEvent(new KeyboardEvent(what, { code: 'ShiftLeft' })))
            || gamekeeper.rows('lantern').some((lantern) => lantern.own)",
    )
    .await;
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
    let code = recorded::round::<Buoys>(&server.server.common.store, Waters::default(), ROUND_S);
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

/// Waters in which the rules panic in the browser, and nowhere else.
const TOO_DEEP: u64 = 1 << 32;
/// Drawn frames in which a page that went on would have met the next error.
const FRAMES_AFTER: u32 = 30;
/// Remembers every socket that the page opens.
const SOCKETS: &str = "
    globalThis.sockets = [];
    globalThis.WebSocket = class extends WebSocket {
        constructor(...asked) { super(...asked); sockets.push(this); }
    };
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_that_panic_are_told_and_asked_no_more() {
    let config = Config { pilots: 0, seed: Some(1), ..Config::default() };
    let server = Running::start_with_page::<Buoys>(&config, &PAGE);
    let driver = Driver::start();
    let page = driver.open(1280, 720, false).await;
    page.goto(&format!("http://{}/", server.address)).await;
    page.run(SOCKETS).await;
    page.until("gamekeeper.state === 'start'").await;

    // The next round of a session of one's own is the one that breaks.
    page.click("#create summary").await;
    page.until("document.querySelector('#create-form [id$=\"-game-fathoms\"]')").await;
    // Without rounds nobody else is needed for the world to begin anew.
    page.run("document.querySelector('#create-form [id$=\"-round_s\"]').value = 0").await;
    page.click("#create-form .main").await;
    page.until("gamekeeper.state === 'playing' && gamekeeper.host").await;
    page.run("document.getElementById('host').open = true").await;
    page.click("#host-more summary").await;
    page.until("document.querySelector('#host-settings [id$=\"-game-fathoms\"]')").await;
    page.run(&format!(
        "document.querySelector('#host-settings [id$=\"-game-fathoms\"]').value = {TOO_DEEP};
         document.getElementById('host-settings').requestSubmit();"
    ))
    .await;
    page.until("document.querySelector('#host-settings .note').textContent !== ''").await;
    page.click("#host-next").await;

    page.until("gamekeeper.state === 'ended'").await;
    let text = |id: &str| format!("document.getElementById('{id}').textContent");
    page.until(&format!("{} === 'The game broke. Reload the page.'", text("line-text"))).await;
    assert_eq!(page.eval(&text("line-act")).await, "Reload");
    assert_eq!(
        page.eval("sockets.map((one) => one.readyState >= one.CLOSING)").await,
        json!([true])
    );
    page.run(&format!(
        "globalThis.after = 0;
         const count = () => {{ if (++after < {FRAMES_AFTER}) requestAnimationFrame(count); }};
         count();"
    ))
    .await;
    page.until(&format!("after === {FRAMES_AFTER}")).await;
    // The panic's own words, the trap, and nothing after these.
    let errors = page.eval("gamekeeper.errors").await;
    let errors: Vec<&str> =
        errors.as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert!(errors[0].contains("no water is as deep as that"), "{errors:?}");
    assert!(errors.len() == 2 && errors[1].contains("RuntimeError"), "{errors:?}");
    page.picture("88-plain-broken").await;
    assert_eq!(serious(&page, "html").await, Vec::<String>::new());

    // Nor on the first screen, until the page is loaded anew.
    page.click("#line-leave").await;
    page.until("gamekeeper.state === 'start'").await;
    page.click("#play").await;
    assert_eq!(page.eval(&text("start-note")).await, "The game broke. Reload the page.");
    assert_eq!(page.number("gamekeeper.errors.length").await, 2.0);
    page.goto(&format!("http://{}/", server.address)).await;
    page.until("gamekeeper.state === 'start'").await;
    page.close().await;
    server.stop().await.expect("it stops well");
}

/// Remembers that somebody has just changed what they do.
async fn changed(page: &Page) {
    page.run("window.changed = gamekeeper.stats().frames").await;
}

/// Waits until they may change it again.
async fn may_change(page: &Page) {
    page.until(&format!("gamekeeper.stats().frames > window.changed + {FRAMES_OF_A_CHANGE}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_of_ones_own_is_shared_run_and_watched() {
    let config = Config { pilots: 0, seed: Some(1), ..Config::default() };
    let server = Running::start_with_page::<Buoys>(&config, &PAGE);
    for (name, score) in [("<b>Zoe</b>", 12), ("Yan", 8)] {
        server
            .server
            .common
            .store
            .keep(SessionCode::random(), round_of(name, score, &[("coins", score / 2)]));
    }
    let url = format!("http://{}/", server.address);
    let driver = Driver::start();

    // Ann reads who was best, and where Ben plays at the moment.
    let phone = driver.open(390, 844, true).await;
    enter(&phone, &url, "Ben").await;
    let desk = driver.open(1280, 720, false).await;
    desk.goto(&url).await;
    desk.until("gamekeeper.state === 'start' && gamekeeper.sessions()[0]?.players === 1").await;
    desk.until("document.querySelector('#session-list .seats').checkVisibility()").await;
    desk.until("document.getElementById('leader-rows').checkVisibility()").await;
    let text = |id: &str| format!("document.getElementById('{id}').textContent");
    assert_eq!(desk.eval(&text("leader-head")).await, "#namepointscoins");
    assert_eq!(desk.eval(&text("leader-rows")).await, "1<b>Zoe</b>1262Yan84");
    desk.picture("83-plain-start").await;
    assert_eq!(serious(&desk, "html").await, Vec::<String>::new());

    // She opens a private session of teams. What is the game's own in the form the server has named.
    desk.run("document.getElementById('name').value = 'Ann'").await;
    desk.click("#create summary").await;
    let own = "#create-form [id$=\"-game-in_full_view\"]";
    desk.until(&format!("document.querySelector('{own}')?.type === 'checkbox'")).await;
    desk.run(&format!(
        "const field = (name) => document.querySelector(`#create-form [id$=\"-${{name}}\"]`);
         field('name').value = '<i>Regatta</i>';
         field('mode').value = 'teams';
         field('mode').dispatchEvent(new Event('change'));
         field('teams').value = 3;
         field('public').checked = false;
         document.querySelector('{own}').checked = true;"
    ))
    .await;
    desk.picture("84-plain-new-session").await;
    assert_eq!(serious(&desk, "html").await, Vec::<String>::new());
    desk.click("#create-form .main").await;
    let rows = "gamekeeper.state === 'playing' && gamekeeper.rows('boat').some((boat) => boat.own)";
    desk.until(&format!("{rows} && gamekeeper.host && gamekeeper.team > 0")).await;
    desk.until("document.getElementById('session-title').textContent === '<i>Regatta</i>'").await;
    let link = desk.eval("location.href").await;
    let link = link.as_str().expect("an address");

    // Ben leaves for it, by the link, and changes sides.
    phone.run("document.getElementById('panel').open = true").await;
    phone.click("#session-lobby").await;
    phone.until("gamekeeper.state === 'start'").await;
    phone.picture("85-plain-start-phone").await;
    assert_eq!(serious(&phone, "html").await, Vec::<String>::new());
    enter(&phone, link, "Ben").await;
    phone.until("gamekeeper.team > 0").await;
    let other = 5.0 - phone.number("gamekeeper.team").await;
    phone.run("document.getElementById('panel').open = true").await;
    phone.click("#session-teams [data-team=\"1\"]").await;
    phone.until("document.getElementById('session-note').textContent.includes('full')").await;
    phone.click(&format!("#session-teams [data-team=\"{other}\"]")).await;
    phone.until(&format!("gamekeeper.team === {other}")).await;
    changed(&phone).await;
    let moved = |one: &str, is: &str| {
        format!("gamekeeper.people().some((one) => one.name === '{one}' && {is})")
    };
    desk.until(&moved("Ben", &format!("one.team === {other}"))).await;

    // Ann invites, names it anew, and locks it; Cy comes too late.
    desk.click("#session-invite").await;
    desk.until("document.getElementById('session-invite').textContent !== 'Invite'").await;
    assert_eq!(desk.eval("document.getElementById('session-link').value").await, link);
    desk.run("document.getElementById('host-name-text').value = 'Regatta'").await;
    desk.run("document.getElementById('host-name').requestSubmit()").await;
    phone.until("document.getElementById('session-title').textContent === 'Regatta'").await;
    desk.click("#host > summary").await;
    desk.click("#host-lock").await;
    phone.until("document.getElementById('session-about').textContent.includes('locked')").await;
    desk.click("#host-more summary").await;
    let kept = "#host-settings [id$=\"-game-in_full_view\"]";
    desk.until(&format!("document.querySelector('{kept}')?.checked")).await;
    desk.picture("86-plain-host").await;
    assert_eq!(serious(&desk, "html").await, Vec::<String>::new());
    let late = driver.open(1000, 640, false).await;
    late.goto(link).await;
    late.until("gamekeeper.state === 'start' && !document.getElementById('play').disabled").await;
    late.click("#watch").await;
    late.until("document.getElementById('line-text').textContent.includes('locked')").await;
    late.close().await;

    // Ben watches: first whoever leads, then the host, wherever she rows.
    may_change(&phone).await;
    phone.click("#session-watch").await;
    phone
        .until("gamekeeper.watching && document.getElementById('watching').checkVisibility()")
        .await;
    changed(&phone).await;
    phone.until("document.getElementById('watch-who').textContent === 'Ann'").await;
    phone
        .run(
            "[...document.querySelectorAll('#people button')]
            .find((one) => one.textContent.startsWith('Ann')).click()",
        )
        .await;
    let looked =
        "gamekeeper.people().find((one) => one.player === gamekeeper.looksAt)?.name === 'Ann'";
    phone.until(looked).await;
    desk.run("document.getElementById('host-more').open = false").await;
    let from = desk.number("gamekeeper.rows('boat').find((boat) => boat.own).x").await;
    let ahead = if from > 0.0 { "KeyA" } else { "KeyD" };
    key(&desk, ahead, true).await;
    phone
        .until(&format!(
            "(({{ x, y }}, at) => Math.abs(x - {from}) > {ROWED} && Math.hypot(x - at.x, y - at.y) < 9)
                (gamekeeper.rows('boat')[0], gamekeeper.look())"
        ))
        .await;
    key(&desk, ahead, false).await;
    assert_eq!(phone.eval("gamekeeper.rows('boat').some((boat) => boat.own)").await, false);
    phone
        .until("document.getElementById('people-title').textContent === 'People (1, 1 watching)'")
        .await;
    phone.run("document.getElementById('panel').open = false").await;
    phone.picture("87-plain-watching-phone").await;
    assert_eq!(serious(&phone, "html").await, Vec::<String>::new());

    // He moves the view himself, goes back to the leader, and plays again.
    key(&phone, "KeyS", true).await;
    phone.until("document.getElementById('watch-who').textContent === 'a free place'").await;
    phone.click("#watch-leader").await;
    phone.until(looked).await;
    may_change(&phone).await;
    phone.click("#watch-play").await;
    phone.until(&format!("!gamekeeper.watching && gamekeeper.team > 0 && {rows}")).await;
    phone.until("document.querySelector('#controls .press').checkVisibility()").await;

    // Ann shows him out and ends the session, which asks twice.
    desk.until(&moved("Ben", "!one.watching")).await;
    desk.run(
        "[...document.querySelectorAll('#people button')]
            .find((one) => one.textContent.startsWith('Ben')).click()",
    )
    .await;
    desk.picture("88-plain-person").await;
    desk.click("#person [data-act=\"kick\"]").await;
    phone.until("document.getElementById('line-text').textContent.includes('shown you out')").await;
    // Whoever watches a session, leaves it and plays has the controls.
    phone.click("#line-leave").await;
    phone.until("gamekeeper.state === 'start'").await;
    phone.click("#start-any").await;
    phone.click("#watch").await;
    phone.until("gamekeeper.watching && !document.getElementById('watching').hidden").await;
    phone.run("document.getElementById('session-lobby').click()").await;
    phone.until("gamekeeper.state === 'start'").await;
    phone.click("#play").await;
    phone.until(&format!("!gamekeeper.watching && {rows}")).await;
    phone
        .until(
            "document.querySelector('#controls .press').checkVisibility()
                && document.getElementById('watching').hidden",
        )
        .await;
    for wrong in ["mismatches", "refused"] {
        assert_eq!(desk.number(&format!("gamekeeper.stats().{wrong}")).await, 0.0, "desk");
        assert_eq!(phone.number(&format!("gamekeeper.stats().{wrong}")).await, 0.0, "phone");
    }
    // A double click is a slip; what is pressed, read and pressed again is meant.
    desk.run("window.asked = performance.now()").await;
    for _ in 0..2 {
        desk.run("document.getElementById('host-end').click()").await;
    }
    desk.until("performance.now() > window.asked + 1000").await;
    desk.until("gamekeeper.state === 'playing'").await;
    desk.click("#host-end").await;
    desk.until("gamekeeper.state === 'ended'").await;
    for page in [desk, phone] {
        page.close().await;
    }
    server.stop().await.expect("it stops well");
}
