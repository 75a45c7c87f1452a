//! The operator's page over a line that is lost and a server that restarts, in a real Chromium: nothing is told twice, and
//! nothing is told of what was not done.

use server::config::{AdminConfig, Config};
use server::logging::Logs;
use server::net::listener;
use shared::arena::Arena;
use shared::netcode::conditions::Conditions;
use std::net::SocketAddr;
use tests::browser::{Driver, Page};
use tests::harness::{Running, undrained};
use tests::relay::Relay;

const TOKEN: &str = "a-token-that-nobody-logs";
/// Wrong tokens after which an address has to wait, and more.
const WRONG_TOKENS: usize = 12;

/// A server with an operator and a log at this address.
fn start(address: SocketAddr, logs: &Logs) -> Running {
    let admin = AdminConfig { admin_token: TOKEN.parse().ok(), ..AdminConfig::default() };
    let config = Config { pilots: 0, admin, ..Config::default() };
    let listener = listener::bind(address).expect("the port is free");
    let running = Running::start_on::<Arena>(&undrained(&config), listener.into());
    drop(running.server.clone().with_logs(logs.clone()));
    running
}

/// Presses Announce, and writes what everybody is to read.
async fn announce(page: &Page, words: &str) {
    page.click("#announce-all").await;
    page.until("document.getElementById('ask').open").await;
    page.keys("#ask-words", words).await;
}

/// What the server answers is said of the question that was asked, whatever stands in the dialog by then.
async fn each_question_has_its_own_answer(page: &Page) {
    page.hold("/api/admin/actions").await;
    announce(page, "one\n").await;
    page.until("held.release").await;
    // What is under way cannot be called back.
    assert_eq!(page.eval("document.getElementById('ask-no').disabled").await, true);
    // A browser closes a dialog in spite of all where Escape is pressed twice.
    page.run("document.getElementById('ask').close()").await;
    announce(page, "two").await;
    let told = "document.getElementById('toast').textContent === 'Announced.'";
    assert_eq!(page.eval(told).await, false);
    page.release().await;
    page.until(told).await;
    let words = "document.getElementById('ask').open && document.getElementById('ask-words').value";
    assert_eq!(page.eval(words).await, "two", "nobody has answered this one");
    page.click("#ask-no").await;
    page.until("!document.getElementById('ask').open").await;
}

/// The stream of events ends now and then, and the next one begins with the lines that the server still has.
async fn the_log_goes_on_where_it_was(page: &Page, relay: &Relay) {
    let lines = "[...document.querySelectorAll('#log-lines span')].map((line) => line.firstChild.data.trim())";
    let has = |line: &str| format!("{lines}.includes('{line}')");
    page.click("#top nav a[data-view=log]").await;
    tracing::info!("before the line was lost");
    page.until(&has("before the line was lost")).await;
    relay.cut();
    page.until("document.getElementById('line-text').textContent === 'reconnecting'").await;
    tracing::info!("while it was lost");
    page.until(&has("while it was lost")).await;
    tracing::info!("after it was lost");
    page.until(&has("after it was lost")).await;
    let told = page.eval(&format!("{lines}.filter((line) => line.endsWith(' lost'))")).await;
    let expected = ["before the line was lost", "while it was lost", "after it was lost"];
    assert_eq!(told, serde_json::json!(expected));
}

/// Who reloads while the server is away, or has too much to do, is still signed in when it is back.
async fn a_reload_forgets_no_token(page: &Page, running: Running, logs: &Logs) -> Running {
    let address = running.address;
    for _ in 0..WRONG_TOKENS {
        let wrong = "Authorization: Bearer not-the-token-at-all\r\n";
        running.ask("GET", "/api/admin/history", wrong, "").await;
    }
    page.client.refresh().await.expect("it reloads");
    page.until("document.getElementById('sign-in-said').textContent.endsWith('Trying again.')")
        .await;
    assert_eq!(page.eval("sessionStorage.length").await, 1);
    // Another one knows nothing of wrong tokens.
    running.stop().await.expect("a proper end");
    let running = start(address, logs);
    page.until("!document.body.classList.contains('out') && gamekeeper.view().view === 'log'")
        .await;
    running
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_is_told_everything_once() {
    let logs = Logs::install(&Config::default()).expect("nobody else logs");
    let running = start("127.0.0.1:0".parse().expect("an address"), &logs);
    let relay = Relay::start(running.address, Conditions::PERFECT, 1).await.expect("a port");
    let driver = Driver::start();
    let page = driver.open(1280, 800, false).await;
    page.goto(&format!("http://{}/admin", relay.address())).await;
    page.keys("#token", &format!("{TOKEN}\n")).await;
    page.until("document.getElementById('line-text').textContent === 'live'").await;
    each_question_has_its_own_answer(&page).await;
    the_log_goes_on_where_it_was(&page, &relay).await;
    let running = a_reload_forgets_no_token(&page, running, &logs).await;
    page.close().await;
    running.stop().await.expect("a proper end");
}
