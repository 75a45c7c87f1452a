//! A real Chromium over bad lines: the browser's own counters, and the network panel that shows them.
//! Between browser and server stands the relay; nothing in either of them is told.
//!
//! What is waited for is counted in frames, which the server sends thirty times a second. What is seen while the machine
//! that all of them are on stands still says nothing of a line, and is left out.

use serde::Deserialize;
use shared::arena::Settings;
use shared::netcode::conditions::Conditions;
use std::net::SocketAddr;
use tests::browser::{Driver, Page};
use tests::harness::Peer;
use tests::host::Host;
use tests::relay::Relay;
use tokio::net::TcpStream;
use tokio::sync::Mutex;

/// One browser at a time: two that draw on the same processor would measure each other.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Computer pilots, as a server has by itself.
const PILOTS: usize = 36;
/// The arena's side, in units, for [`PILOTS`]: some are always in view.
const ARENA: u32 = 2400;
/// An arena's side, in units, and its pilots, so many that most of what is sent is the world and little is
/// talk.
const CROWDED: u32 = 1800;
const CROWD: usize = 60;
/// Frames until the clocks have settled: three seconds.
const SETTLE_FRAMES: u32 = 90;
/// Until when a line is watched then: four seconds.
const WATCH: &str = "grown('frames') >= 120";
/// Frames until the server has told what it counted before, which it does twice a second: two seconds.
const COUNTED_FRAMES: f64 = 60.0;
/// What a page that draws in software may add to a round trip, in ms: messages wait for the frame that is
/// being drawn, at both ends of it.
const DRAWING_MS: f64 = 30.0;
/// One tick of the server, in ms.
const TICK_MS: f64 = 1000.0 / 30.0;
/// Share of inputs that may be late; the input clock aims at a tenth.
const LATE_SHARE_MAX: f64 = 0.1;
/// Share of ticks in which the own ship may not be where it was predicted, as others push and hit it: a tenth or so,
/// and more where the machine stood still.
const CORRECTED_SHARE_MAX: f64 = 0.4;
/// How old the world may get with a quarter of the rate, in ms, also while the server finds out.
const NARROW_AGE_MS_MAX: f64 = 6_000.0;
/// How old it may be on average then, in ms.
const NARROW_AGE_MS_MEAN_MAX: f64 = 2_500.0;
/// What a message takes on the wire beside itself, in bytes, as the relay counts it.
const HEADER_BYTES: f64 = 52.0;
/// The key, as WebDriver has it.
const PAGE_UP: &str = "\u{e00e}";

/// A line with this round trip, give or take `swing` ms: half of all that each way.
fn line(round_trip_ms: f64, swing_ms: f64) -> Conditions {
    Conditions::round_trip(round_trip_ms - swing_ms, swing_ms)
}

/// Between two looks, in ms.
const LOOK_MS: u32 = 33;
/// Between two looks, in ms, that are to be [`LOOK_MS`] apart: the machine, or at least the page, stood still.
const STOOD_STILL_MS: u32 = 100;
/// After that nothing counts for so long, in ms: what was on its way meanwhile is as old as it is.
const RECOVERY_MS: u32 = 400;
/// The fewest looks that say something; a second of them.
const LOOKS_MIN: u32 = 30;

/// What was seen of a connection for a while. Times in ms; counts are of that while.
#[derive(Debug, Deserialize)]
struct Seen {
    /// Of the round trips, the lower quartile: one that was on its way while the machine stood still is as long as it is.
    ping: f64,
    age_mean: f64,
    age_max: f64,
    /// The middle one.
    margin: f64,
    inputs: f64,
    /// Of the inputs.
    late_share: f64,
    corrected_share: f64,
    keyframes: f64,
    bytes_per_second: f64,
    /// The most in view.
    ships: f64,
    /// By how much looks came late, ms, the upper quartile: by as much a page that is run too seldom sees everything late.
    late: f64,
}

/// Watches a page until an expression is true, which may say `grown('frames')` and the like. It looks
/// thirty times a second.
async fn watch(page: &Page, until: &str) -> Seen {
    let script = format!(
        "const first = gamekeeper.stats();
        const pings = new Set(), ages = [], margins = [], ships = [], lates = [];
        const sums = {{ inputs: 0, lateInputs: 0, corrections: 0, bytes: 0 }};
        let last = performance.now(), from = last, before = first, seconds = 0;
        window.grown = (name) => gamekeeper.stats()[name] - first[name];
        window.looks = () => ages.length;
        const timer = setInterval(() => {{
            const s = gamekeeper.stats(), now = performance.now();
            if (now - last > {STOOD_STILL_MS}) from = now + {RECOVERY_MS};
            if (now >= from) {{
                pings.add(s.pingMs); ages.push(s.frameAgeMs); margins.push(s.inputMarginMs);
                ships.push(gamekeeper.shipCount()); lates.push(Math.max(0, now - last - {LOOK_MS}));
                for (const name in sums) sums[name] += s[name] - before[name];
                seconds += (now - last) / 1000;
            }}
            [last, before] = [now, s];
        }}, {LOOK_MS});"
    );
    let watched = "
        window.watched = () => {
            clearInterval(timer);
            const at = (list, share) => [...list].sort((a, b) => a - b)[Math.floor(list.length * share)];
            return {
                ping: at([...pings], 0.25), margin: at(margins, 0.5),
                age_mean: ages.reduce((a, b) => a + b) / ages.length, age_max: Math.max(...ages),
                inputs: grown('inputs'), keyframes: grown('keyframes'),
                late_share: sums.lateInputs / sums.inputs, corrected_share: sums.corrections / sums.inputs,
                bytes_per_second: sums.bytes / seconds,
                ships: Math.max(...ships), late: at(lates, 0.75),
            };
        };";
    page.client.execute(&(script + watched), vec![]).await.expect("it watches");
    page.until(&format!("looks() >= {LOOKS_MIN} && ({until})")).await;
    serde_json::from_value(page.eval("watched()").await).expect("numbers")
}

/// Opens the page at `address`, lets it fly until the clocks have settled.
async fn settled(driver: &Driver, address: SocketAddr) -> Page {
    let page = driver.open(800, 450, false).await;
    page.play(&format!("http://{address}/"), "Lines").await;
    page.fly().await;
    page.until(&format!("gamekeeper.stats().frames > {SETTLE_FRAMES}")).await;
    page
}

/// In how many ticks the server had to repeat a player's last input, as it told the last time.
async fn repeated(host: &Host) -> f64 {
    let mut peer = Peer::of(TcpStream::connect(host.address).await.expect("the server listens"));
    peer.send(b"GET /metrics HTTP/1.1\r\nHost: it\r\nConnection: close\r\n\r\n").await;
    let told = String::from_utf8(peer.rest().await).expect("text");
    let name = "gamekeeper_inputs_missing_total{instead=\"repeated\"} ";
    let count = told.lines().find_map(|line| line.strip_prefix(name)?.parse().ok());
    count.unwrap_or_else(|| panic!("no count: {told}"))
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
    let seen = watch(&page, WATCH).await;
    println!("{round_trip_ms} +- {swing_ms} ms: {seen:?}");
    let longest = round_trip_ms + swing_ms;
    assert!(seen.ping >= round_trip_ms - swing_ms, "{seen:?}");
    let drawing = DRAWING_MS + seen.late;
    assert!(seen.ping <= longest + drawing + seen.late, "{seen:?}");
    assert!(seen.age_mean <= longest / 2.0 + TICK_MS + drawing, "{seen:?}");
    assert!(seen.age_max <= longest / 2.0 + 2.0 * TICK_MS + 3.0 * drawing, "{seen:?}");
    assert!(seen.margin > 0.0, "{seen:?}");
    assert!(seen.late_share < LATE_SHARE_MAX, "{seen:?}");
    assert!(seen.corrected_share < CORRECTED_SHARE_MAX, "{seen:?}");
    assert!(seen.ships >= 2.0, "somebody is in view: {seen:?}");
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

/// Nobody and nothing but the player touches the ship, so what is predicted is what happens: nor are there pickups,
/// which nobody foresees.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alone_no_prediction_is_ever_corrected() {
    let _alone = ALONE.lock().await;
    let arena = Settings { size: ARENA, pickup_density: 0.0, ..Settings::default() };
    let host = Host::start_in(arena, 0);
    let relay = Relay::start(host.address, line(80.0, 0.0), 7).await.expect("a port");
    let driver = Driver::start();
    let page = settled(&driver, relay.address()).await;
    let seen = watch(&page, WATCH).await;
    let [corrections, frames] = [
        page.number("gamekeeper.stats().corrections").await,
        page.number("gamekeeper.stats().frames").await,
    ];
    page.until(&format!("gamekeeper.stats().frames > {}", frames + COUNTED_FRAMES)).await;
    // Where no input came in time the last one was repeated, which nobody can foresee. The page hears of the newest
    // input of a tick alone, so the server is asked.
    let repeated = repeated(&host).await;
    println!("alone: {corrections} corrections, {repeated} inputs repeated: {seen:?}");
    assert!(corrections <= repeated, "{corrections} of {repeated}: {seen:?}");
    nothing_is_wrong(&page).await;
    page.close().await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quarter_of_the_needed_rate_is_borne() {
    let _alone = ALONE.lock().await;
    let host = Host::start(CROWDED, CROWD);
    let relay = Relay::start(host.address, Conditions::PERFECT, 7).await.expect("a port");
    let driver = Driver::start();
    let page = settled(&driver, relay.address()).await;
    let free = watch(&page, "grown('frames') >= 60").await;
    println!("free: {free:?}");

    // Only what comes is held back. Thirty messages a second have thirty headers.
    let quarter = (free.bytes_per_second + 30.0 * HEADER_BYTES) / 4.0;
    let narrow = Conditions { bytes_per_second: quarter, ..Conditions::PERFECT };
    relay.set_ways(Conditions::PERFECT, narrow);
    let held = watch(&page, "grown('frames') >= 120").await;
    println!("at {quarter:.0} bytes a second: {held:?}");
    assert!(held.age_max < NARROW_AGE_MS_MAX, "{held:?}");
    assert!(held.age_mean < NARROW_AGE_MS_MEAN_MAX, "{held:?}");
    assert!(held.bytes_per_second < quarter, "the line is as narrow as it is said: {held:?}");
    nothing_is_wrong(&page).await;

    // The line is good again: what waited in it drains, and play goes on as before.
    relay.set_conditions(Conditions::PERFECT);
    let drains = watch(&page, "gamekeeper.stats().frameAgeMs < 200 && grown('frames') > 10").await;
    let drained = drains.inputs / 30.0;
    println!("drained after {drained:.1} s");
    assert!(drained < 8.0, "{drains:?}");
    let again = watch(&page, "grown('frames') >= 60").await;
    println!("again: {again:?}");
    // Ticks still share messages for a while: more is tried step by step.
    assert!(again.age_mean < 250.0 && again.age_max < 500.0, "{again:?}");
    assert_eq!(again.keyframes, 0.0, "{again:?}");
    nothing_is_wrong(&page).await;
    page.close().await;
    host.stop().await;
}

/// A player opens the panel and a developer makes the line worse, in the page itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_panel_shows_the_line_and_makes_it_worse() {
    let _alone = ALONE.lock().await;
    let host = Host::start(ARENA, PILOTS);
    let driver = Driver::start();
    let page = settled(&driver, host.address).await;
    page.click("#open-network").await;
    page.until("/^Frames in\\s+(29|3\\d) .s$/m.test(document.getElementById('figures').innerText)")
        .await;
    let rates = "Object.values(gamekeeper.bytesIn())";
    assert_eq!(page.number(&format!("Math.min(...{rates}, 0)")).await, 0.0);
    page.until(&format!("{rates}.reduce((a, b) => a + b) > 50")).await;
    // The newest bars: lines are faint, and below stands the time.
    let bar = "(() => {
        const graph = document.getElementById('bytes-graph'), context = graph.getContext('2d');
        const newest = context.getImageData(graph.width - 6, 0, 6, Math.floor(graph.height * 0.8));
        return newest.data.some((value, i) => i % 4 === 3 && value > 128);
    })()";
    page.until(bar).await;

    // A slider adds delay: the ping rises.
    page.click("#developer summary").await;
    let before = page.number("gamekeeper.stats().pingMs").await;
    page.keys("#line-delay", &PAGE_UP.repeat(3)).await;
    let added = 2.0 * page.number("gamekeeper.line().delayMs").await;
    assert!(added >= 100.0, "{added}");
    page.until(&format!("gamekeeper.stats().pingMs >= {before} + 0.8 * {added}")).await;
    let frames = "grown('frames') >= 45";
    let slow = watch(&page, "gamekeeper.stats().inputMarginMs > 0 && grown('frames') >= 45").await;
    assert!(slow.age_mean >= 0.4 * added, "{slow:?}");
    assert!(slow.age_mean <= added / 2.0 + TICK_MS + 3.0 * DRAWING_MS, "{slow:?}");

    // Without prediction the own ship is only where the server last had it; hands go on.
    page.click("#help-prediction").await;
    assert_eq!(page.eval("gamekeeper.helps().prediction").await.as_bool(), Some(false));
    assert!(watch(&page, frames).await.inputs > 30.0);
    page.click("#help-interpolation").await;
    page.until("gamekeeper.stats().interpolationMs === 0").await;
    assert!(watch(&page, frames).await.inputs > 30.0);
    page.until("gamekeeper.me().alive && gamekeeper.ships().some((ship) => ship.own)").await;
    page.picture("10-network").await;
    page.click("#help-prediction").await;
    page.click("#help-interpolation").await;
    let both = "gamekeeper.helps().prediction && gamekeeper.helps().interpolation";
    assert_eq!(page.eval(both).await.as_bool(), Some(true));
    watch(&page, frames).await;

    // The drop button loses the connection; the page comes back to its seat by itself.
    let player = page.number("gamekeeper.me().player").await;
    page.click("#drop").await;
    page.until("gamekeeper.reconnects === 1 && gamekeeper.state === 'playing'").await;
    assert!(watch(&page, frames).await.age_mean < 1000.0);
    assert_eq!(page.number("gamekeeper.me().player").await, player);

    // A preset is netcode's own; none of it holds anything back.
    page.click("[data-preset=awful]").await;
    assert_eq!(page.number("gamekeeper.line().loss").await, Conditions::AWFUL.loss);
    page.click("[data-preset=perfect]").await;
    let line = page.eval("Object.values(gamekeeper.line())").await;
    assert!(line.as_array().expect("a list").iter().all(|value| value.as_f64() == Some(0.0)));
    page.until(&format!("gamekeeper.stats().pingMs < {added}")).await;
    for counter in ["mismatches", "refused"] {
        assert_eq!(page.number(&format!("gamekeeper.stats().{counter}")).await, 0.0, "{counter}");
    }
    page.close().await;
    host.stop().await;
}

/// Open or not, on phones the panel leaves the sticks to the thumbs and the middle to the own ship.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_panel_leaves_thumbs_and_ship_alone() {
    let _alone = ALONE.lock().await;
    let host = Host::start(ARENA, PILOTS);
    let driver = Driver::start();
    for (width, height, touch, name) in [
        (1280, 720, false, "11-network-desktop"),
        (390, 844, true, "12-network-upright"),
        (844, 390, true, "13-network-sideways"),
    ] {
        let page = driver.open(width, height, touch).await;
        page.play(&format!("http://{}/", host.address), "Watcher").await;
        page.fly().await;
        page.click("#open-network").await;
        page.until("gamekeeper.stats().frames > 150").await;
        page.picture(name).await;
        page.click("#developer summary").await;
        page.eval("document.getElementById('developer').scrollIntoView()").await;
        page.picture(&format!("{name}-developer")).await;
        let in_the_way = "(() => {
            const box = (id) => document.getElementById(id).getBoundingClientRect();
            const panel = box('network');
            const meets = (b) => b.width > 0 && b.left < panel.right && b.right > panel.left
                && b.top < panel.bottom && b.bottom > panel.top;
            const middle = { left: innerWidth / 2 - 16, right: innerWidth / 2 + 16, width: 32,
                top: innerHeight / 2 - 16, bottom: innerHeight / 2 + 16 };
            const met = ['stick-move', 'stick-aim', 'touch-boost', 'status', 'curtain']
                .filter((id) => meets(box(id)));
            if (meets(middle)) met.push('ship');
            if (panel.left < 0 || panel.top < 0 || panel.right > innerWidth || panel.bottom > innerHeight) met.push('edge');
            return met.join(' ');
        })()";
        assert_eq!(page.eval(in_the_way).await.as_str(), Some(""), "{name}");
        page.close().await;
    }
    host.stop().await;
}
