//! A real Chromium over bad lines: the browser's own counters, and the network panel that shows them.
//! Between browser and server stands the relay; nothing in either of them is told.
//!
//! What is waited for is counted in frames, which the server sends thirty times a second.

use serde_json::Value;
use shared::netcode::conditions::Conditions;
use std::net::SocketAddr;
use tests::browser::{Driver, Page};
use tests::host::Host;
use tests::relay::Relay;
use tokio::sync::Mutex;

/// One browser at a time: two that draw on the same processor would measure each other.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Computer pilots, as a server has by itself.
const PILOTS: usize = 36;
/// Half of the arena's side, in units, for [`PILOTS`]: some are always in view.
const ARENA: u32 = 2400;
/// Frames until the clocks have settled: three seconds.
const SETTLE_FRAMES: u32 = 90;
/// Frames that are watched then: four seconds.
const WATCH_FRAMES: u32 = 120;
/// What a page that draws in software may add to a round trip, in ms: messages wait for the frame that is
/// being drawn, at both ends of it.
const DRAWING_MS: f64 = 50.0;
/// Frame, and half of one that is waited for until it is drawn, in ms.
const TICK_MS: f64 = 1000.0 / 30.0;

/// A line with this round trip, give or take `swing` ms: half of all that each way.
fn line(round_trip_ms: f64, swing_ms: f64) -> Conditions {
    Conditions::round_trip(round_trip_ms - swing_ms, swing_ms)
}

/// What was seen of a connection over [`WATCH_FRAMES`].
#[derive(Debug)]
struct Seen {
    ping_ms: f64,
    age_max_ms: f64,
    age_mean_ms: f64,
    margin_ms: f64,
    late_share: f64,
    corrections: f64,
    late: f64,
    keyframes: f64,
    bytes_per_second: f64,
    ships_max: f64,
}

/// Watches a page over so many frames, looking thirty times a second.
async fn watch(page: &Page, frames: u32) -> Seen {
    let script = "
        const first = gamekeeper.stats(), begun = performance.now();
        const pings = new Set(), ages = [], margins = [], ships = [];
        window.watching = setInterval(() => {
            const s = gamekeeper.stats();
            pings.add(s.pingMs); ages.push(s.frameAgeMs); margins.push(s.inputMarginMs);
            ships.push(gamekeeper.shipCount());
        }, 33);
        window.watched = () => {
            clearInterval(window.watching);
            const s = gamekeeper.stats(), grown = (name) => s[name] - first[name];
            const middle = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
            return [
                middle([...pings]), Math.max(...ages), ages.reduce((a, b) => a + b) / ages.length,
                middle(margins), grown('lateInputs') / grown('inputs'), grown('corrections'),
                grown('lateInputs'), grown('keyframes'),
                grown('bytes') * 1000 / (performance.now() - begun), Math.max(...ships),
            ];
        };";
    let first = page.number("gamekeeper.stats().frames").await;
    page.client.execute(script, vec![]).await.expect("it watches");
    page.until(&format!("gamekeeper.stats().frames >= {first} + {frames}")).await;
    let seen = page.eval("window.watched()").await;
    let seen: Vec<f64> =
        seen.as_array().expect("a list").iter().filter_map(Value::as_f64).collect();
    let [
        ping_ms,
        age_max_ms,
        age_mean_ms,
        margin_ms,
        late_share,
        corrections,
        late,
        keyframes,
        bytes_per_second,
        ships_max,
    ] = seen[..]
    else {
        panic!("not all are numbers: {seen:?}")
    };
    Seen {
        ping_ms,
        age_max_ms,
        age_mean_ms,
        margin_ms,
        late_share,
        corrections,
        late,
        keyframes,
        bytes_per_second,
        ships_max,
    }
}

/// Opens the page at `address`, lets it fly until the clocks have settled.
async fn settled(driver: &Driver, address: SocketAddr) -> Page {
    let page = driver.open(800, 450, false).await;
    page.play(&format!("http://{address}/"), "Lines").await;
    page.fly().await;
    page.until(&format!("gamekeeper.stats().frames > {SETTLE_FRAMES}")).await;
    page
}

/// What holds on every line, however bad.
async fn nothing_is_wrong(page: &Page) {
    for counter in ["stats().mismatches", "stats().refused", "reconnects"] {
        assert_eq!(page.number(&format!("gamekeeper.{counter}")).await, 0.0, "{counter}");
    }
}

/// Plays over a line with this round trip and holds the counters against it.
async fn plays_over(round_trip_ms: f64, swing_ms: f64) {
    let _alone = ALONE.lock().await;
    let host = Host::start(ARENA, PILOTS);
    let relay = Relay::start(host.address, line(round_trip_ms, swing_ms), 7).await.expect("a port");
    let driver = Driver::start();
    let page = settled(&driver, relay.address()).await;
    let seen = watch(&page, WATCH_FRAMES).await;
    println!("{round_trip_ms} +- {swing_ms} ms: {seen:?}");
    let longest = round_trip_ms + swing_ms;
    assert!(seen.ping_ms >= round_trip_ms - swing_ms, "{seen:?}");
    assert!(seen.ping_ms <= longest + DRAWING_MS, "{seen:?}");
    assert!(seen.age_mean_ms <= longest / 2.0 + TICK_MS + DRAWING_MS, "{seen:?}");
    assert!(seen.age_max_ms <= longest / 2.0 + 2.0 * TICK_MS + 3.0 * DRAWING_MS, "{seen:?}");
    assert!(seen.margin_ms > 0.0, "{seen:?}");
    assert!(seen.late_share < 0.15, "{seen:?}");
    assert!(seen.corrections <= f64::from(WATCH_FRAMES) / 2.0, "{seen:?}");
    assert!(seen.ships_max >= 2.0, "somebody is in view: {seen:?}");
    assert_eq!(page.number("gamekeeper.stats().keyframes").await, 1.0, "{seen:?}");
    nothing_is_wrong(&page).await;
    page.close().await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_a_perfect_line() {
    plays_over(0.0, 0.0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_80_ms_give_or_take_10() {
    plays_over(80.0, 10.0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_150_ms_give_or_take_30() {
    plays_over(150.0, 30.0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_250_ms_give_or_take_60() {
    plays_over(250.0, 60.0).await;
}

/// Nobody but the player touches the ship, so what is predicted is what happens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alone_no_prediction_is_ever_corrected() {
    let _alone = ALONE.lock().await;
    let host = Host::start(ARENA, 0);
    let relay = Relay::start(host.address, line(80.0, 0.0), 7).await.expect("a port");
    let driver = Driver::start();
    let page = settled(&driver, relay.address()).await;
    let seen = watch(&page, WATCH_FRAMES).await;
    println!("alone: {seen:?}");
    // An input that came too late was not used in its tick: that is the line's doing.
    assert!(seen.corrections <= seen.late, "{seen:?}");
    nothing_is_wrong(&page).await;
    page.close().await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quarter_of_the_needed_rate_is_borne() {
    let _alone = ALONE.lock().await;
    let host = Host::start(ARENA, PILOTS);
    let relay = Relay::start(host.address, Conditions::PERFECT, 7).await.expect("a port");
    let driver = Driver::start();
    let page = settled(&driver, relay.address()).await;
    let free = watch(&page, WATCH_FRAMES).await;
    println!("free: {free:?}");
    let quarter = free.bytes_per_second / 4.0;
    // Only what comes: inputs need their few hundred bytes a second whatever is in view.
    let narrow = Conditions { bytes_per_second: quarter, ..Conditions::PERFECT };
    relay.set_ways(Conditions::PERFECT, narrow);
    let before = page.number("gamekeeper.stats().keyframes").await;
    page.until(&format!("gamekeeper.stats().keyframes >= {before} + 2")).await;
    let narrow = watch(&page, 60).await;
    println!("at {quarter:.0} bytes a second: {narrow:?}");
    assert!(narrow.keyframes >= 1.0, "{narrow:?}");
    assert!(narrow.age_max_ms < 4_000.0, "{narrow:?}");
    nothing_is_wrong(&page).await;

    // The line is good again: what waited in it drains, and play goes on as before.
    relay.set_conditions(Conditions::PERFECT);
    let frames = page.number("gamekeeper.stats().frames").await;
    page.until("gamekeeper.stats().frameAgeMs < 200").await;
    page.until(&format!("gamekeeper.stats().frames > {frames} + {SETTLE_FRAMES}")).await;
    let again = watch(&page, 60).await;
    println!("again: {again:?}");
    assert!(again.age_mean_ms < 200.0 && again.keyframes == 0.0, "{again:?}");
    nothing_is_wrong(&page).await;
    page.close().await;
    host.stop().await;
}
