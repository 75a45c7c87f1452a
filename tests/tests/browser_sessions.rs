//! Sessions as people share them, in real Chromiums against the real server: a private one from its creation
//! to its end, and a public one whose round ends and stays known, but not on the leaderboard.
//!
//! Pictures of every stage are left in `tests/screenshots`, for a person to look at.

use server::code::SessionCode;
use server::config::Config;
use shared::arena::Arena;
use tests::accessibility::serious;
use tests::browser::{Driver, Page};
use tests::harness::Running;
use tests::http::round_of;

/// The shortest round, in seconds.
const ROUND_S: u32 = 20;

fn config() -> Config {
    Config { seed: Some(5), pilots: 6, ..Config::default() }
}

/// Opens a page, waits until Play can be pressed, types a name.
async fn arrive(driver: &Driver, url: &str, name: &str, phone: bool) -> Page {
    let screen = if phone { (390, 844, true) } else { (1280, 720, false) };
    arrive_at(driver, url, name, screen).await
}

async fn arrive_at(
    driver: &Driver,
    url: &str,
    name: &str,
    (width, height, touch): (u32, u32, bool),
) -> Page {
    let page = driver.open(width, height, touch).await;
    page.goto(url).await;
    page.until("gamekeeper.state === 'start' && !document.getElementById('play').disabled").await;
    page.run(&format!("document.getElementById('name').value = '{name}'")).await;
    page
}

/// Fills in the form under Create and sends it; `more` is a script that knows `field(name)`.
async fn create(page: &Page, more: &str) {
    page.click("#tab-create").await;
    page.run(&format!(
        "const field = (name) => document.querySelector(`#create-form [id$=\"-${{name}}\"]`);
         const choose = (name, value) => {{
             const list = field(name);
             list.append(new Option(value, value));
             list.value = value;
             list.dispatchEvent(new Event('change'));
         }};
         field('game-size').value = 1800;
         {more}"
    ))
    .await;
    page.picture("17-create").await;
    page.run("document.querySelector('#create-form .main').click()").await;
    page.until("gamekeeper.state === 'playing' && gamekeeper.me().alive && gamekeeper.host").await;
}

/// Presses a button in somebody's row of the scores of all.
async fn press(page: &Page, name: &str, act: &str) {
    let button = format!(
        "[...document.querySelectorAll('#people-rows tr')]
            .find((row) => row.textContent.includes('{name}'))?.querySelector('[data-act=\"{act}\"]')"
    );
    page.until(&button).await;
    page.run(&format!("({button}).click()")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_session_from_its_link_to_its_end() {
    let running = Running::start_empty::<Arena>(&config());
    let lobby = format!("http://{}/", running.address);
    let driver = Driver::start();

    // Ada makes a session of teams for her friends, and is shown what to send them.
    let ada = arrive(&driver, &lobby, "Ada", false).await;
    let hostile = "field('name').value = '<b>Evening</b>'; choose('mode', 'teams'); field('public').checked = false;";
    create(&ada, hostile).await;
    ada.until("!document.getElementById('invite').hidden").await;
    ada.picture("18-invite").await;
    let link = ada.eval("document.getElementById('invite-link').value").await;
    let link = link.as_str().expect("a link").to_owned();
    assert_eq!(
        ada.eval("location.href").await,
        link.as_str(),
        "the address bar is the link as well"
    );
    assert!(ada.number("document.getElementById('invite-qr').width").await > 200.0, "a QR code");
    ada.run("document.querySelector('#invite .close').click()").await;

    // Ben opens the link on a phone; Cy types the code as people do. Nobody finds the session in the list.
    let ben = arrive(&driver, &link, "Ben", true).await;
    ben.until("document.getElementById('invited-name').textContent === '<b>Evening</b>'").await;
    ben.picture("19-invited-phone").await;
    ben.run("document.getElementById('play').click()").await;
    ben.until("gamekeeper.state === 'playing' && gamekeeper.me().alive").await;
    let cy = arrive(&driver, &lobby, "Cy <img src=x>", false).await;
    cy.until("gamekeeper.lobby().version > 0").await;
    assert_eq!(cy.number("gamekeeper.lobby().sessions.length").await, 0.0);
    let code = link.rsplit('/').next().expect("a code");
    let letters = code.bytes().filter(u8::is_ascii_alphanumeric).count();
    assert!(letters >= 8, "of 32 letters each: at least 40 bits");
    let typed = code.to_lowercase().replace('-', " ");
    cy.keys("#code", &typed).await;
    cy.keys("#code", "\u{e007}").await;
    cy.until("gamekeeper.state === 'playing'").await;
    for page in [&ada, &ben, &cy] {
        page.until("gamekeeper.people().filter((one) => !one.computer).length === 3").await;
        page.until("gamekeeper.team > 0").await;
    }

    // Whoever may change teams does; everybody is told.
    let other = 3.0 - ben.number("gamekeeper.team").await;
    ben.run("document.getElementById('open-session').click()").await;
    ben.until(&format!("document.querySelector('#session-teams [data-team=\"{other}\"]')")).await;
    ben.run(&format!("document.querySelector('#session-teams [data-team=\"{other}\"]').click()"))
        .await;
    ben.until(&format!("gamekeeper.team === {other}")).await;
    ada.until(&format!(
        "gamekeeper.people().some((one) => one.name === 'Ben' && one.team === {other})"
    ))
    .await;
    ben.picture("20-session-phone").await;
    ben.run("document.querySelector('#session .close').click()").await;

    // Emotes are seen; words are text.
    cy.run("dispatchEvent(new KeyboardEvent('keydown', { code: 'KeyC', bubbles: true }))").await;
    cy.run("dispatchEvent(new KeyboardEvent('keydown', { code: 'Digit4', bubbles: true }))").await;
    ada.until("gamekeeper.emotes.some(([, emote]) => emote === 3)").await;
    cy.run("document.getElementById('open-chat').click()").await;
    cy.keys("#chat-input", "<img src=x onerror=window.hacked=1>\u{e007}").await;
    ada.until("gamekeeper.chatLines().some((line) => line.includes('<img src=x'))").await;
    assert!(ada.eval("window.hacked ?? null").await.is_null());
    let pictures = "document.querySelectorAll('#hud img, #people img, #chat img').length";
    assert_eq!(ada.number(pictures).await, 0.0, "names and lines are text");

    // Ada shows Cy out, who is told so in the lobby.
    ada.run("document.getElementById('open-people').click()").await;
    press(&ada, "Cy", "more").await;
    ada.picture("21-people").await;
    press(&ada, "Cy", "kick").await;
    cy.until("gamekeeper.state === 'start' && location.pathname === '/'").await;
    cy.until("document.getElementById('start-note').textContent.includes('shown you out')").await;
    cy.picture("22-shown-out").await;

    // Locked, the session lets nobody in; its page says so.
    ada.run("document.getElementById('open-session').click()").await;
    ada.picture("23-host").await;
    assert_eq!(serious(&ada, "#session").await, Vec::<String>::new());
    ada.run("document.getElementById('host-lock').click()").await;
    ada.until("document.getElementById('session-about').textContent.includes('locked')").await;
    let dee = arrive(&driver, &link, "Dee", false).await;
    dee.run("document.getElementById('play').click()").await;
    dee.until("gamekeeper.state === 'start' && document.getElementById('start-note').textContent.includes('locked')")
        .await;

    // Ada leaves for good; Ben, who has been there longest, is the host and ends it.
    ada.run("document.getElementById('leave').click()").await;
    ada.until("gamekeeper.state === 'start' && location.pathname === '/'").await;
    ben.until("gamekeeper.host").await;
    ben.run("document.getElementById('open-session').click()").await;
    ben.until("!document.getElementById('host').hidden").await;
    let end = "document.getElementById('host-end').click()";
    ben.run(&format!("{end}; window.asked = performance.now()")).await;
    ben.until("performance.now() > window.asked + 1000").await;
    ben.run(end).await;
    ben.until("gamekeeper.state === 'start' && document.getElementById('start-note').textContent.includes('ended')")
        .await;
    for page in [ada, ben, cy, dee] {
        page.close().await;
    }
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_banned_plays_elsewhere() {
    let running = Running::start_empty::<Arena>(&config());
    let lobby = format!("http://{}/", running.address);
    let driver = Driver::start();
    let ada = arrive(&driver, &lobby, "Ada", false).await;
    create(&ada, "").await;
    ada.run("document.querySelector('#invite .close').click()").await;
    let ben = arrive(&driver, &lobby, "Ben", false).await;
    let play = async || {
        ben.run("document.getElementById('play').click()").await;
        ben.until("gamekeeper.state === 'playing' && gamekeeper.me().alive").await;
        ben.eval("location.pathname").await
    };
    let there = play().await;
    assert_eq!(there, ada.eval("location.pathname").await, "the fullest session");
    ada.run("document.getElementById('open-people').click()").await;
    press(&ada, "Ben", "more").await;
    press(&ada, "Ben", "ban").await;
    ben.until("gamekeeper.state === 'start' && document.getElementById('start-note').textContent.includes('banned')")
        .await;
    assert_ne!(play().await, there);
    ada.close().await;
    ben.close().await;
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_round_ends_and_is_remembered() {
    let folder = std::env::temp_dir().join(format!("gamekeeper-page-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let config = Config { data: Some(folder.clone()), ..config() };
    let running = Running::start_empty::<Arena>(&config);
    let lobby = format!("http://{}/", running.address);
    let driver = Driver::start();
    let ada = arrive(&driver, &lobby, "Ada", false).await;
    create(&ada, &format!("field('name').value = 'Short'; choose('round_s', {ROUND_S});")).await;
    ada.run("document.querySelector('#invite .close').click()").await;
    let code = ada.eval("gamekeeper.code").await.as_str().expect("a code").to_owned();
    ada.fly().await;

    // Eve finds it in the list and watches, on a phone held sideways: first who leads, then whom she likes, then takes a seat.
    let eve = arrive_at(&driver, &lobby, "Eve", (844, 390, true)).await;
    eve.until("[...document.querySelectorAll('#session-list .name')].some((one) => one.textContent === 'Short')")
        .await;
    eve.picture("24-lobby").await;
    eve.run("document.querySelector('#session-list .watch').click()").await;
    eve.until("gamekeeper.state === 'playing' && gamekeeper.watching").await;
    let seen = "gamekeeper.looksAt !== null && gamekeeper.ships().some((ship) => ship.player === gamekeeper.looksAt)";
    eve.until(seen).await;
    eve.until(
        "gamekeeper.people().find((one) => one.player === gamekeeper.looksAt)?.name
            === document.querySelector('#board-rows li span:nth-child(2)').textContent",
    )
    .await;
    eve.picture("25-watching").await;
    // In one go: who leads may change at any time.
    eve.run("window.first = gamekeeper.looksAt; document.getElementById('watch-next').click();")
        .await;
    eve.until(&format!("gamekeeper.looksAt !== first && {seen}")).await;
    eve.run("document.getElementById('watch-play').click()").await;
    eve.until("!gamekeeper.watching && gamekeeper.me().alive").await;

    // The last seconds are counted, and then everybody sees the result.
    ada.until("gamekeeper.phase === 'play'").await;
    ada.until("gamekeeper.me().score > 0 && gamekeeper.phase === 'play'").await;
    ada.until("gamekeeper.phase === 'play' && gamekeeper.secondsLeft < 8").await;
    ada.picture("26-last-seconds").await;
    // It is there for seconds only, so that each page is asked for all of it at once.
    let result = "gamekeeper.phase === 'results' && !document.getElementById('results').hidden && {
        ...gamekeeper.results()?.lines.find((line) => line.player === gamekeeper.me().player),
        round: gamekeeper.round, row: document.querySelector('#results tr.mine')?.textContent,
        replay: document.getElementById('results-replay').checkVisibility()
            && document.getElementById('results-replay').href,
    }";
    let (own, _) = tokio::join!(ada.until(result), eve.until(result));
    tokio::join!(ada.picture("27-result"), eve.picture("27-result-sideways"));
    let (adas, eves) = tokio::join!(serious(&ada, "#results"), serious(&eve, "#results"));
    assert_eq!((adas, eves), (Vec::new(), Vec::new()));
    let number = |name: &str| own[name].as_f64().unwrap_or_else(|| panic!("{name} in {own}"));
    let score = number("score");
    assert!(score > 0.0 && number("shots") > 0.0, "{own}");
    assert!(own["row"].as_str().is_some_and(|row| row.contains("Ada")), "{own}");
    ada.until(&format!("gamekeeper.phase === 'play' && gamekeeper.round > {}", number("round")))
        .await;
    ada.until("document.getElementById('results').hidden && gamekeeper.me().alive").await;
    assert_eq!(ada.number("gamekeeper.stats().mismatches").await, 0.0);

    // Meanwhile somebody looks at that round again, to its end.
    let fay = driver.open(1000, 640, false).await;
    fay.goto(own["replay"].as_str().expect("a link")).await;
    fay.until("gamekeeper.replay?.position > 30 && gamekeeper.shipCount() > 1").await;
    fay.until("gamekeeper.people().some(({ name }) => name === 'Ada')").await;
    fay.pull("#replay-place", "slider.max").await;
    fay.until("gamekeeper.phase === 'results'").await;
    assert_eq!(fay.number("gamekeeper.stats().mismatches").await, 0.0);
    fay.close().await;
    ada.close().await;
    eve.close().await;
    running.stop().await.unwrap();

    // Another server with the same folder still knows who was best, among whom nobody is by a session of their own.
    let running = Running::start_empty::<Arena>(&config);
    let best = round_of("Zoe", 740, &[("kills", 6), ("deaths", 2)]);
    running.server.common.store.keep(SessionCode::random(), best);
    let phone = arrive(&driver, &format!("http://{}/", running.address), "Finn", true).await;
    phone.run("document.getElementById('tab-leaders').click()").await;
    phone
        .until(
            "[...document.querySelectorAll('#leader-rows tr')]
            .map((row) => row.querySelector('td:nth-child(2)').textContent).join() === 'Zoe'",
        )
        .await;
    phone.run("document.getElementById('lobby').scrollIntoView()").await;
    phone.picture("28-leaders-phone").await;
    phone.run("document.getElementById('tab-results').click()").await;
    phone.until("document.getElementById('result-list').textContent.includes('Short')").await;
    // Its sessions are open again, so links to them are good; a link to nothing says so.
    phone.goto(&format!("http://{}/s/{code}", running.address)).await;
    phone.until("document.getElementById('invited-name').textContent === 'Short'").await;
    phone.goto(&format!("http://{}/s/00000-00000", running.address)).await;
    phone.until("document.getElementById('start-note').textContent.includes('no session')").await;
    phone.picture("29-link-of-nothing").await;
    // Where streams of events do not get through, the list is asked for, and is as live.
    phone.run("globalThis.EventSource = undefined; document.getElementById('play').click()").await;
    phone.until("gamekeeper.state === 'playing' && gamekeeper.me().alive").await;
    phone.run("document.getElementById('leave').click()").await;
    phone.until("gamekeeper.state === 'start' && gamekeeper.lobby().via === 'poll'").await;
    phone.until("gamekeeper.lobby().sessions[0]?.players === 0").await;
    let second = arrive(&driver, &format!("http://{}/", running.address), "Gil", false).await;
    second.run("document.getElementById('play').click()").await;
    phone.until("gamekeeper.lobby().sessions[0]?.players === 1").await;
    second.close().await;
    phone.close().await;
    running.stop().await.unwrap();
    std::fs::remove_dir_all(&folder).expect("what the test wrote is there");
}
