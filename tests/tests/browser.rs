//! A real Chromium plays against the real server. One story, as two friends would live it: open the
//! page, type a name, play, meet, shoot, die, come back, lose the line, come back.
//!
//! Pictures of every stage are left in `tests/screenshots`, for a person to look at.

use shared::netcode::conditions::Conditions;
use tests::browser::Driver;
use tests::host::Host;
use tests::relay::Relay;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_friends_play() {
    let host = Host::start(1800, 0);
    let relay = Relay::start(host.address, Conditions::default(), 1).await.expect("a port");
    let driver = Driver::start();

    // Ada opens the page. It is whole and quiet: nothing is blocked, nothing fails.
    let ada = driver.open(1280, 720, false).await;
    ada.goto(&format!("http://{}/", relay.address())).await;
    ada.until("gamekeeper.state === 'start'").await;
    ada.picture("1-start").await;
    ada.play(&format!("http://{}/", relay.address()), "Ada").await;
    // A key flies her towards the middle of the arena, wherever she came in: there is room that way.
    let first = ada.number("gamekeeper.me().x").await;
    let (key, way) = if first < 0.0 { ("KeyD", 1) } else { ("KeyA", -1) };
    for (event, reached) in [("keydown", 60), ("keyup", 0)] {
        let script = format!("dispatchEvent(new KeyboardEvent('{event}', {{code: '{key}'}}))");
        ada.client.execute(&script, vec![]).await.expect("a key");
        ada.until(&format!("{way} * (gamekeeper.me().x - {first}) > {reached}")).await;
    }

    // Ben joins on a phone held sideways, and both see each other.
    let ben = driver.open(844, 390, true).await;
    ben.play(&format!("http://{}/", host.address), "Ben").await;
    ada.fly().await;
    ada.until("gamekeeper.ships().some((s) => s.name === 'Ben')").await;
    ben.until("gamekeeper.ships().some((s) => s.name === 'Ada')").await;
    ada.until("document.getElementById('board-rows').textContent.includes('Ben')").await;
    ada.picture("2-met").await;
    ben.picture("3-phone").await;

    // What one says the other reads, as text and nothing else.
    let line = "<img src=x onerror=window.hacked=1> hello";
    ben.client
        .execute("document.getElementById('open-chat').click()", vec![])
        .await
        .expect("chat opens");
    let field = ben.client.find(fantoccini::Locator::Id("chat-input")).await.expect("a field");
    field.send_keys(line).await.expect("it takes letters");
    field.send_keys("\u{e007}").await.expect("enter");
    ada.until("document.getElementById('chat-log').textContent.includes('<img src=x onerror')")
        .await;
    assert_eq!(ada.number("document.querySelectorAll('#chat-log img').length").await, 0.0);
    assert!(ada.eval("window.hacked ?? null").await.is_null());

    // Ada shoots, Ben is hit, dies and comes back; both are told.
    ada.until("gamekeeper.me().hits > 0").await;
    ben.until("gamekeeper.me().hurts > 0").await;
    ada.picture("4-hit").await;
    ben.until("!gamekeeper.me().alive && !document.getElementById('death').hidden").await;
    ben.picture("5-dead").await;
    ben.until("document.getElementById('death-who').textContent.includes('Ada')").await;
    ada.until("gamekeeper.me().kills > 0 && gamekeeper.me().score >= 100").await;
    ada.until("document.getElementById('feed').textContent.includes('Ben')").await;
    ben.until("gamekeeper.me().alive && gamekeeper.me().deaths > 0").await;

    // Ada's line breaks; a curtain says so, and play goes on by itself, in the same seat.
    let player = ada.number("gamekeeper.me().player").await;
    let score = ada.number("gamekeeper.me().score").await;
    assert!(score >= 100.0, "{score}");
    let frames = ada.number("gamekeeper.stats().frames").await;
    // It may be over before the next question reaches the page, or the next picture is drawn.
    let watch = "const curtain = document.getElementById('curtain'); \
        window.curtained = false; \
        new MutationObserver(() => { window.curtained ||= !curtain.hidden; }).observe( \
            curtain, { attributeFilter: ['hidden'] });";
    ada.client.execute(watch, vec![]).await.expect("it is watched");
    assert!(ada.eval("window.curtained").await.as_bool() == Some(false));
    // The way back takes longer than a loss of which nothing is said.
    relay.set_conditions(Conditions { delay_ms: 300.0, ..Conditions::default() });
    relay.cut();
    ada.until("window.curtained").await;
    relay.set_conditions(Conditions::default());
    ada.until("gamekeeper.state === 'playing' && gamekeeper.reconnects === 1").await;
    ada.until(&format!("gamekeeper.stats().frames > {frames} + 30 && gamekeeper.me().alive")).await;
    assert!(ada.eval("document.getElementById('curtain').hidden").await.as_bool() == Some(true));
    assert_eq!(ada.number("gamekeeper.me().player").await, player);
    assert!(ada.number("gamekeeper.me().score").await >= score, "the score is kept");

    // Nothing was ever wrong, and nothing was blocked or failed on the way.
    for page in [&ada, &ben] {
        assert_eq!(page.number("gamekeeper.stats().mismatches").await, 0.0);
    }
    host.stop().await;
    ben.until("gamekeeper.state === 'waiting'").await;
    ben.until("!document.getElementById('curtain').hidden").await;
    ben.picture("6-server-gone").await;
    ada.close().await;
    ben.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_is_among_opponents() {
    let host = Host::start(2400, 30);
    let driver = Driver::start();
    for (width, height, touch, name) in [
        (1920, 1080, false, "7-desktop"),
        (844, 390, true, "8-sideways"),
        (390, 844, true, "9-upright"),
    ] {
        let page = driver.open(width, height, touch).await;
        page.play(&format!("http://{}/", host.address), "Newcomer").await;
        page.until("gamekeeper.shipCount() >= 3").await;
        page.fly().await;
        page.until("gamekeeper.me().hits > 0").await;
        page.picture(name).await;
        // The own row is on the leaderboard, however far down.
        page.until("document.getElementById('board-rows').textContent.includes('Newcomer')").await;
        let overflow = "document.documentElement.scrollWidth > innerWidth \
                        || document.documentElement.scrollHeight > innerHeight";
        assert_eq!(page.eval(overflow).await.as_bool(), Some(false), "{name}: nothing to scroll");
        page.close().await;
    }
    host.stop().await;
}

/// Notes after how many frames the page is hidden and shown, and tells other tabs once it has had two seconds' worth
/// of them while it was hidden.
const WHILE_HIDDEN: &str = "
    const frames = () => gamekeeper.stats().frames;
    globalThis.changes = [];
    document.addEventListener('visibilitychange', () => changes.push([document.visibilityState, frames()]));
    setInterval(() => {
        const last = changes.at(-1);
        if (last?.[0] === 'hidden' && frames() > last[1] + 60) localStorage.setItem('goes on', 'yes');
    }, 50);
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hidden_tab_goes_on_and_comes_back() {
    let host = Host::start(2400, 12);
    let driver = Driver::start();
    let page = driver.open(1280, 720, false).await;
    page.play(&format!("http://{}/", host.address), "Away").await;
    page.run(WHILE_HIDDEN).await;
    let game = page.client.window().await.expect("a window");
    // Another tab in front hides this one, and of the same origin it can be told what goes on there.
    let other = page.client.new_window(true).await.expect("a tab");
    page.client.switch_to_window(other.handle).await.expect("switches");
    page.goto(&format!("http://{}/healthz", host.address)).await;
    page.until("localStorage.getItem('goes on')").await;
    page.client.switch_to_window(game).await.expect("switches back");
    page.until("changes.length === 2").await;
    assert_eq!(page.eval("changes.map(([how]) => how).join()").await, "hidden,visible");
    assert!(page.number("changes[1][1] - changes[0][1]").await > 60.0);
    page.until("gamekeeper.stats().frames > changes[1][1] + 60").await;
    page.until("gamekeeper.state === 'playing' && gamekeeper.stats().frameAgeMs < 500").await;
    assert_eq!(page.number("gamekeeper.stats().mismatches").await, 0.0);
    assert_eq!(page.number("gamekeeper.reconnects").await, 0.0);
    page.close().await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_useless_name_is_told_in_a_sentence() {
    let host = Host::start(1800, 0);
    let driver = Driver::start();
    let page = driver.open(1280, 720, false).await;
    page.goto(&format!("http://{}/", host.address)).await;
    page.until("gamekeeper.state === 'start'").await;
    let script = "document.getElementById('name').value = '\\u200b\\u200b'; \
                  document.getElementById('play').click();";
    page.client.execute(script, vec![]).await.expect("a click");
    page.until("gamekeeper.state === 'start' && document.getElementById('start-note').textContent.length > 10").await;
    page.close().await;
    host.stop().await;
}

/// A pad as the browser would tell of it: the standard layout, sticks at rest. What it did when it was
/// asked to rumble is kept.
const PAD: &str = r"
    window.pad = {
        connected: true, mapping: 'standard', axes: [0, 0, 0, 0], rumbled: 0,
        buttons: Array.from({ length: 17 }, () => ({ pressed: false, value: 0 })),
        vibrationActuator: { playEffect: async () => { window.pad.rumbled += 1; } },
    };
    navigator.getGamepads = () => [null, window.pad];
";

/// Whether the own ship is where it was 30 inputs ago.
const RESTS: &str = r"() => {
    const { x, y } = gamekeeper.me(), { inputs } = gamekeeper.stats(), last = globalThis.last;
    if (last && inputs < last.inputs + 30) return false;
    globalThis.last = { x, y, inputs };
    return Boolean(last) && Math.hypot(x - last.x, y - last.y) < 1;
}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gamepad_flies_aims_and_fires() {
    let host = Host::start(1800, 0);
    let driver = Driver::start();
    let page = driver.open(1280, 720, false).await;
    page.play(&format!("http://{}/", host.address), "Pad").await;
    page.client.execute(PAD, vec![]).await.expect("a pad");
    let at = page.number("gamekeeper.me().y").await;
    let south = at < 0.0;
    // Towards the middle of the arena with the left stick, west with the right one, and the trigger.
    let push = if south { 1 } else { -1 };
    let script = format!("pad.axes = [0.1, {push}, -1, 0.05]; pad.buttons[7].value = 1;");
    page.client.execute(&script, vec![]).await.expect("thumbs");
    page.until(&format!("{push} * (gamekeeper.me().y - {at}) > 60")).await;
    page.until("gamekeeper.particles > 0 && gamekeeper.stats().inputs > 30").await;
    // A worn stick that does not come back to the middle moves nothing, and the nose stays.
    page.client
        .execute("pad.axes = [0.15, 0.1, 0.1, -0.12]; pad.buttons[7].value = 0;", vec![])
        .await
        .expect("thumbs");
    // What was sent before says nothing; and a ship glides on for a while.
    page.until(&format!("({RESTS})()")).await;
    let west = "gamekeeper.ships().some((ship) => ship.own && Math.abs(Math.abs(ship.heading) - Math.PI) < 0.2)";
    assert_eq!(page.eval(west).await.as_bool(), Some(true));
    page.picture("14-pad").await;
    for (button, name) in [("#open-help", "15-help"), ("#open-settings", "16-settings")] {
        page.click(button).await;
        page.picture(name).await;
    }
    page.close().await;
    host.stop().await;
}
