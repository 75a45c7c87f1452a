//! Not everybody has Chromium: friends in Firefox and in WebKit, which is Safari's engine, play with one who has.

use tests::browser::{Driver, Page};
use tests::engine::Engine;
use tests::host::Host;

/// Frames that a page gets before it is asked what went wrong, some five seconds.
const FRAMES: u32 = 150;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn friends_in_three_browsers_play() {
    let host = Host::start(1800, 0);
    let url = format!("http://{}/", host.address);
    let friends = [
        ("Ada", Engine::Chromium, "engine-chromium"),
        ("Ben", Engine::Gecko, "engine-gecko"),
        ("Cleo", Engine::WebKit, "engine-webkit"),
    ];
    let mut drivers = Vec::new();
    let mut pages: Vec<Page> = Vec::new();
    for (name, engine, _) in friends {
        let driver = Driver::of(engine);
        let page = driver.open(1000, 640, false).await;
        page.play(&url, name).await;
        drivers.push(driver);
        pages.push(page);
    }

    // Each flies by keys and pointer, and meets both others.
    for page in &pages {
        page.fly().await;
    }
    for (page, (own, ..)) in pages.iter().zip(friends) {
        for (name, ..) in friends.iter().filter(|(name, ..)| *name != own) {
            page.until(&format!("gamekeeper.ships().some((s) => s.name === '{name}')")).await;
        }
    }

    // What each is told fits what it computed: its shots hit where it saw them hit, to the last bit of a sum.
    for (page, (.., picture)) in pages.iter().zip(friends) {
        page.until("gamekeeper.me().hits > 0 || gamekeeper.me().hurts > 0").await;
        page.until(&format!("gamekeeper.stats().frames > {FRAMES}")).await;
        page.picture(picture).await;
        assert_eq!(page.number("gamekeeper.stats().mismatches").await, 0.0, "{picture}");
        assert_eq!(page.number("gamekeeper.stats().refused").await, 0.0, "{picture}");
        assert!(page.number("gamekeeper.stats().inputs").await > 0.0, "{picture}");
    }

    // What one says the others read, typed on the keys of its own browser.
    for (page, (own, ..)) in pages.iter().zip(friends) {
        page.click("#open-chat").await;
        page.keys("#chat-input", &format!("{own} says hello\u{e007}")).await;
        for other in &pages {
            let said = format!("'{own} says hello'");
            other
                .until(&format!("document.getElementById('chat-log').textContent.includes({said})"))
                .await;
        }
    }
    for page in pages {
        page.close().await;
    }
    host.stop().await;
}
