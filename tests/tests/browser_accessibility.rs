//! axe-core looks at every page and panel, on a desk, on a phone and on one held sideways. What it calls serious
//! fails. What only a host sees, and results, are looked at in `browser_sessions.rs`.

use tests::accessibility::serious;
use tests::browser::{Driver, Page};
use tests::host::Host;

const LOBBY: [&str; 5] = ["list", "create", "leaders", "results", "talk"];
const SETTINGS: [&str; 4] = ["sound", "picture", "controls", "keep"];
const PANELS: [&str; 4] = ["people", "session", "invite", "network"];

/// What was found so far.
#[derive(Default)]
struct Check(Vec<String>);

impl Check {
    async fn look(&mut self, page: &Page, what: &str, selector: &str) {
        let found = serious(page, selector).await;
        self.0.extend(found.iter().map(|found| format!("{what}: {found}")));
    }
}

async fn look_at_everything(screen: (u32, u32, bool)) -> Vec<String> {
    let (width, height, touch) = screen;
    let host = Host::start(1800, 4);
    let driver = Driver::start();
    let page = driver.open(width, height, touch).await;
    let url = format!("http://{}/", host.address);
    let mut check = Check::default();
    page.goto(&url).await;
    page.until("gamekeeper.state === 'start' && document.querySelector('#session-list .join')")
        .await;
    for tab in LOBBY {
        page.run(&format!("document.getElementById('tab-{tab}').click()")).await;
        page.run(
            "for (const fold of document.querySelectorAll('#lobby details')) fold.open = true",
        )
        .await;
        check.look(&page, &format!("lobby, {tab}"), "html").await;
    }
    page.run("document.getElementById('start-settings').click()").await;
    for tab in SETTINGS {
        page.run(&format!("document.getElementById('tab-{tab}').click()")).await;
        check.look(&page, &format!("settings, {tab}"), "#settings").await;
    }
    page.run("document.getElementById('start-help').click()").await;
    check.look(&page, "help", "#help").await;
    // The link of a session, and the game with its panels over it.
    let code = page.eval("gamekeeper.lobby().sessions[0].code").await;
    page.goto(&format!("{url}s/{}", code.as_str().expect("a code"))).await;
    page.until("gamekeeper.state === 'start' && !document.getElementById('invited').hidden").await;
    check.look(&page, "an invitation", "html").await;
    page.play(&url, "Axel").await;
    page.until("!document.getElementById('board').hidden").await;
    check.look(&page, "the game", "html").await;
    for panel in PANELS {
        page.run(&format!("document.getElementById('open-{panel}').click()")).await;
        check.look(&page, panel, &format!("#{panel}")).await;
    }
    page.close().await;
    host.stop().await;
    check.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_serious_on_a_desk() {
    let found = look_at_everything((1280, 720, false)).await;
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_serious_on_a_phone() {
    let found = look_at_everything((390, 844, true)).await;
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_serious_on_a_phone_held_sideways() {
    let found = look_at_everything((844, 390, true)).await;
    assert!(found.is_empty(), "{}", found.join("\n"));
}
