//! The page in a real Chromium against the real server: what it loads, how soon a ship flies, and what
//! a drawn frame costs in a crowd. It measures and prints; a slow machine fails nothing.
//!
//! ```sh
//! cargo bench -p tests --bench page          # 20 s of play
//! cargo bench -p tests --bench page -- 60    # longer
//! ```

use serde_json::Value;
use std::time::Duration;
use tests::browser::{Driver, Page};
use tests::host::Host;

/// Side of the arena, u: the smallest there may be, so that a view holds a good part of it.
const SIZE: u32 = 1800;
/// Players in it, of whom many wait for their next ship at any time: some 50 ships are on the screen.
const SHIPS: usize = 400;
/// The window, CSS pixels.
const WINDOW: (u32, u32) = (1280, 720);
/// Browsers that open the page one after the other, each with nothing in its cache.
const LOADS: usize = 5;
/// For how long play is measured unless told otherwise, s.
const SECONDS: u64 = 20;
/// Play before anything is measured, s: compilers warm up, ships spread.
const WARM_UP: u64 = 5;
/// The measurement is of a crowd only when so many ships are on the screen on average.
const SHIPS_MIN: f64 = 40.0;

/// Notes every drawn frame from now on: what it cost, how many ships were on the screen, when it was.
const SAMPLER: &str = "
    const samples = { ms: [], ships: [], at: [] };
    globalThis.samples = samples;
    let drawn = gamekeeper.drawn;
    const look = (now) => {
        requestAnimationFrame(look);
        if (gamekeeper.drawn === drawn) return;
        drawn = gamekeeper.drawn;
        samples.ms.push(gamekeeper.frameMs);
        samples.ships.push(gamekeeper.onScreen());
        samples.at.push(now);
    };
    requestAnimationFrame(look);
";

/// What the page loaded so far: address, bytes as transferred with their headers, bytes of the body.
const LOADED: &str = "[...performance.getEntriesByType('navigation'), \
    ...performance.getEntriesByType('resource')] \
    .map((e) => [new URL(e.name).pathname, e.transferSize, e.encodedBodySize])";

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let seconds = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(SECONDS);
    let host = Host::start(SIZE, SHIPS);
    let url = format!("http://{}/", host.address);
    let driver = Driver::start();

    let mut usable = Vec::new();
    let mut flying = Vec::new();
    for load in 1..=LOADS {
        let page = driver.open(WINDOW.0, WINDOW.1, false).await;
        page.play(&url, "Bench").await;
        usable.push(moment(&page, "usable").await);
        flying.push(moment(&page, "flying").await - moment(&page, "play").await);
        if load == LOADS {
            about(&page).await;
            transfers(&page).await;
            starts(&mut usable, &mut flying);
            play(&page, seconds).await;
        }
        page.close().await;
    }
    host.stop().await;
}

/// When something was, ms since the page was asked for.
async fn moment(page: &Page, mark: &str) -> f64 {
    page.until(&format!("performance.getEntriesByName('{mark}').length")).await;
    page.number(&format!("performance.getEntriesByName('{mark}').at(-1).startTime")).await
}

async fn about(page: &Page) {
    let version = page.eval("navigator.userAgent.match(/Chrome\\/[\\d.]+/)[0]").await;
    let date = page.eval("new Date().toISOString().slice(0, 10)").await;
    let cores = page.number("navigator.hardwareConcurrency").await;
    let (width, height) = WINDOW;
    println!(
        "{}, headless {}, {cores} cores, no GPU, window {width}x{height}",
        date.as_str().expect("a date"),
        version.as_str().expect("a version"),
    );
}

async fn transfers(page: &Page) {
    let loaded = page.eval(LOADED).await;
    let mut files: Vec<(String, u64, u64)> =
        serde_json::from_value(loaded).expect("addresses and sizes");
    files.sort_by_key(|&(_, transferred, _)| std::cmp::Reverse(transferred));
    println!("\n{:>11} {:>8}  file", "transferred", "body");
    let mut sums = (0, 0);
    for (path, transferred, body) in &files {
        // Assets lie in a folder that is named after their content.
        let name = path.splitn(4, '/').nth(3).unwrap_or(path);
        println!("{transferred:>11} {body:>8}  {name}");
        sums = (sums.0 + transferred, sums.1 + body);
    }
    println!("{:>11} {:>8}  all {} together, bytes", sums.0, sums.1, files.len());
    assert!(sums.1 > 0, "the browser tells sizes");
}

fn starts(usable: &mut [f64], flying: &mut [f64]) {
    println!("\n{:<44} {:>8} {:>8}", format!("{LOADS} loads, nothing cached"), "median", "worst");
    let mut both: Vec<f64> = usable.iter().zip(&*flying).map(|(a, b)| a + b).collect();
    for (what, times) in [
        ("page asked for to Play can be pressed, ms", usable),
        ("Play pressed to the ship flies, ms", flying),
        ("together, ms", &mut both),
    ] {
        times.sort_by(f64::total_cmp);
        println!("{what:<44} {:>8.0} {:>8.0}", share(times, 0.5), share(times, 1.0));
    }
}

async fn play(page: &Page, seconds: u64) {
    page.fly().await;
    tokio::time::sleep(Duration::from_secs(WARM_UP)).await;
    page.client.execute(SAMPLER, vec![]).await.expect("a sampler");
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let samples = page.eval("samples").await;
    page.picture("bench").await;
    let list = |name: &str| -> Vec<f64> {
        let list: Option<&Vec<Value>> = samples[name].as_array();
        list.expect("a list").iter().filter_map(Value::as_f64).collect()
    };
    let (mut costs, ships, at) = (list("ms"), list("ships"), list("at"));
    assert!(costs.len() > 1, "frames were drawn");
    let mean = |list: &[f64]| list.iter().sum::<f64>() / list.len() as f64;
    let lasted = (at[at.len() - 1] - at[0]) / 1000.0;
    costs.sort_by(f64::total_cmp);
    let hits = page.number("gamekeeper.me().kills + gamekeeper.me().deaths").await;

    println!("\nplay for {lasted:.1} s, {} frames drawn, kills and deaths {hits}", costs.len());
    println!("ships on the screen, mean                    {:>8.1}", mean(&ships));
    println!(
        "frames per second                            {:>8.1}",
        (at.len() - 1) as f64 / lasted
    );
    println!("script and module per frame, ms: mean        {:>8.2}", mean(&costs));
    for (name, part) in [("p50", 0.5), ("p99", 0.99), ("max", 1.0)] {
        println!("                                 {name}         {:>8.2}", share(&costs, part));
    }
    assert!(mean(&ships) >= SHIPS_MIN, "{} ships are no crowd", mean(&ships));
    assert_eq!(page.number("gamekeeper.stats().mismatches").await, 0.0);
}

/// The value below which this share of an ascending list lies.
fn share(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}
