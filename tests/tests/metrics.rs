//! Health, readiness and metrics of a running server: that they say what is, that Prometheus' own tool takes
//! them, and that the page, the dashboard and the alerts name what there is.

use clap::Parser;
use client_bot::config::Config as Flags;
use client_bot::fleet;
use client_bot::progress::Progress;
use server::config::{Config, MetricsFor};
use server::http::admin::TOKEN_TRIES;
use server::metrics::Stage;
use server::net::limits::Limits;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tests::buoys::Buoys;
use tests::harness::{Bystander, PATIENCE, Running, eventually, frame, hasty, within};

/// Longer than any of these stories takes.
const LONG_ENOUGH: Duration = Duration::from_secs(60);

const PAGE: &str = include_str!("../../docs/hosting.md");
const DASHBOARD: &str = include_str!("../../deploy/grafana-dashboard.json");
const ALERTS: &str = include_str!("../../deploy/alerts.yml");

/// What the operator shows.
const TOKEN: &str = "a-token-of-the-operators";

/// What one metric is.
#[derive(Debug, Default, PartialEq)]
struct Family {
    kind: String,
    help: String,
    labels: BTreeSet<String>,
}

/// What a server exposes.
struct Scrape {
    text: String,
    families: BTreeMap<String, Family>,
    samples: BTreeMap<String, f64>,
}

impl Scrape {
    async fn of(running: &Running) -> Self {
        let answer = running.ask("GET", "/metrics", "", "").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let kind = answer.header("content-type");
        assert_eq!(kind, Some("text/plain; version=0.0.4; charset=utf-8"));
        Self::read(answer.body)
    }

    fn read(text: String) -> Self {
        let (mut families, mut samples) = (BTreeMap::<_, Family>::new(), BTreeMap::new());
        for line in text.lines() {
            if let Some(comment) = line.strip_prefix("# ") {
                let mut words = comment.splitn(3, ' ');
                let [what, name, rest] = [(); 3].map(|()| words.next().expect("a word"));
                let family = families.entry(name.to_owned()).or_default();
                *(if what == "HELP" { &mut family.help } else { &mut family.kind }) = rest.into();
                continue;
            }
            let (sample, value) = line.rsplit_once(' ').expect("a value");
            samples.insert(sample.to_owned(), value.parse().expect("a number"));
            let (name, labels) = sample.split_once('{').unwrap_or((sample, ""));
            let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            let name = base.filter(|base| families.contains_key(*base)).unwrap_or(name);
            let labels = labels.split(',').filter_map(|label| label.split_once('='));
            let labels = labels.map(|(label, _)| label.to_owned()).filter(|label| label != "le");
            families.get_mut(name).expect("help comes first").labels.extend(labels);
        }
        Self { text, families, samples }
    }

    /// A sample's value; 0 where it has not been counted yet.
    fn get(&self, sample: &str) -> f64 {
        self.samples.get(sample).copied().unwrap_or(0.0)
    }

    /// The sum over all samples whose names begin so.
    fn sum(&self, start: &str) -> f64 {
        self.samples
            .iter()
            .filter(|(name, _)| name.starts_with(start))
            .map(|(_, value)| value)
            .sum()
    }
}

/// Prometheus' own tool has nothing to say against `input`.
fn promtool(arguments: &[&str], input: &str) {
    let mut command = Command::new("promtool");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("promtool, of Debian's package prometheus");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stdout));
    assert!(said.is_empty(), "{said}");
}

fn deploy(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(file)
}

/// Bots that play Buoys for this time and leave.
async fn play(running: &Running, bots: usize, ticks: u64) {
    let (url, count) = (running.address.to_string(), bots.to_string());
    let flags = ["client-bot", "--url", &url, "--bots", &count, "--duration", "0"];
    let flags = Flags::parse_from(flags);
    let played = fleet::run::<Buoys>(&flags, running.played(bots, ticks), Progress::nowhere());
    within(LONG_ENOUGH, "bots", played).await.expect("they play");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happened_is_counted() {
    let config = Config { limits: hasty(), pilots: 2, ..Config::default() };
    let running = Running::start_empty::<Buoys>(&config);
    let before = Scrape::of(&running).await;
    assert_eq!(before.get("gamekeeper_sessions"), 0.0);
    assert_eq!(before.get("gamekeeper_connections{state=\"http\"}"), 1.0, "this very one");
    promtool(&["check", "metrics"], &before.text);

    play(&running, 3, 60).await;
    let bystander = Bystander::join(running.address, "Bystander").await;
    for text in [frame(0x81, b"hello"), frame(0x82, b"\xff\xff")] {
        let mut peer = running.open().await;
        peer.send(&text).await;
        peer.closing().await.expect("a code");
        peer.end().await;
    }
    running.settles_at(1).await;
    // A session is looked at twice a second.
    let counted = |scrape: &Scrape| scrape.get("gamekeeper_inputs_total{fate=\"used\"}") > 100.0;
    let mut after = Scrape::of(&running).await;
    // Nor does a tick wait for who looks: one that ends meanwhile is in some of the counts.
    let is_whole = |scrape: &Scrape| {
        let ticks = scrape.get("gamekeeper_tick_work_seconds_count");
        Stage::LABELS.iter().all(|stage| {
            scrape.get(&format!("gamekeeper_tick_stage_seconds_count{{stage=\"{stage}\"}}"))
                == ticks
        })
    };
    let scrapes = async {
        while !counted(&after) || after.get("gamekeeper_players") != 1.0 || !is_whole(&after) {
            after = Scrape::of(&running).await;
        }
    };
    within(PATIENCE, "a scrape between two ticks", scrapes).await;
    promtool(&["check", "metrics"], &after.text);

    let expect =
        |sample: &str, value: f64| assert_eq!(after.get(sample), value, "{sample}\n{}", after.text);
    expect("gamekeeper_sessions", 1.0);
    expect("gamekeeper_sessions_opened_total", 1.0);
    expect("gamekeeper_players", 1.0);
    expect("gamekeeper_pilots", 1.0);
    expect("gamekeeper_connections{state=\"joined\"}", 1.0);
    expect("gamekeeper_connections{state=\"unjoined\"}", 0.0);
    expect("gamekeeper_refusals_total{reason=\"unsupported\"}", 1.0);
    expect("gamekeeper_refusals_total{reason=\"decode\"}", 1.0);
    expect("gamekeeper_refusals_total{reason=\"msg_rate\"}", 0.0);
    expect("gamekeeper_closes_total{by=\"server\",code=\"1003\"}", 1.0);
    expect("gamekeeper_closes_total{by=\"server\",code=\"4002\"}", 1.0);
    expect("gamekeeper_closes_total{by=\"peer\",code=\"1000\"}", 3.0);
    expect("gamekeeper_mismatches_total", 0.0);
    expect("gamekeeper_http_requests_total{for=\"play\",status=\"101\"}", 6.0);
    // Three played for sixty ticks; on a machine that stands still some frames are not sent.
    let more =
        |sample: &str, least: f64| assert!(after.get(sample) >= least, "{sample}\n{}", after.text);
    more("gamekeeper_frames_total{kind=\"delta\"}", 90.0);
    more("gamekeeper_frames_total{kind=\"keyframe\"}", 4.0);
    more("gamekeeper_session_bytes_total{content=\"deltas\"}", 500.0);
    more("gamekeeper_session_bytes_total{content=\"told\"}", 100.0);
    more("gamekeeper_heard_bytes_total{content=\"inputs\"}", 500.0);
    more("gamekeeper_ticks_total", 60.0);
    more("gamekeeper_connections_accepted_total", 8.0);
    more("gamekeeper_socket_bytes_total{direction=\"in\",protocol=\"http\"}", 500.0);
    let out = after.get("gamekeeper_socket_bytes_total{direction=\"out\",protocol=\"websocket\"}");
    let contents = after.sum("gamekeeper_session_bytes_total");
    assert!(out > contents, "frames and their heads: {out} and {contents}");
    // Whoever looks at the clock for one stage looks at it for each, and for the whole.
    more("gamekeeper_tick_work_seconds_count", 61.0);
    let stages = after.sum("gamekeeper_tick_stage_seconds_sum");
    let work = after.get("gamekeeper_tick_work_seconds_sum");
    assert!((stages - work).abs() < 0.01 * work, "{stages} and {work}");
    for (sample, &value) in before.samples.iter().filter(|(name, _)| name.contains("_total")) {
        assert!(after.get(sample) >= value, "{sample} never goes down");
    }

    drop(bystander);
    running.stop().await.expect("a proper end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn looking_at_them_drops_no_tick() {
    let running = Running::start_empty::<Buoys>(&Config::default());
    let machine = Metronome::start();
    let looks = async {
        let mut looks = 0;
        loop {
            Scrape::of(&running).await;
            looks += 1;
            if looks >= 100 && running.server.common.registry.open() == 0 {
                break;
            }
        }
    };
    tokio::join!(play(&running, 20, 90), looks);
    let ticks = &running.server.common.directory.ticks;
    let (dropped, stood) = (ticks.dropped.load(Ordering::Relaxed), machine.stop());
    assert!(
        dropped == 0 || stood > STOOD_STILL,
        "{dropped} dropped; the machine stood for {stood:?}"
    );
    assert!(ticks.ticks.load(Ordering::Relaxed) >= 90);
    running.stop().await.expect("a proper end");
}

/// A server whose machine stood still for longer than this has dropped ticks whoever looked at it.
const STOOD_STILL: Duration = Duration::from_millis(100);

/// How long the machine itself stood still, at most, by a thread that does nothing but wait.
struct Metronome {
    over: Arc<AtomicBool>,
    thread: JoinHandle<Duration>,
}

impl Metronome {
    fn start() -> Self {
        let over = Arc::<AtomicBool>::default();
        let ends = Arc::clone(&over);
        let thread = thread::spawn(move || {
            let (mut last, mut longest) = (Instant::now(), Duration::ZERO);
            while !ends.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(5));
                longest = longest.max(last.elapsed());
                last = Instant::now();
            }
            longest
        });
        Self { over, thread }
    }

    fn stop(self) -> Duration {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().expect("it only waits")
    }
}

#[tokio::test]
async fn lines_are_measured() {
    let running = Running::start(Limits { ping_every: Duration::from_millis(50), ..hasty() });
    let bystander = Bystander::join(running.address, "Bystander").await;
    // Takes what comes and never confirms any of it, so that its window shuts.
    let mute = running.join("Mute").await;
    let until = async |what: &str, like: &dyn Fn(&Scrape) -> bool| {
        within(LONG_ENOUGH, what, async {
            loop {
                let scrape = Scrape::of(&running).await;
                if like(&scrape) {
                    return scrape;
                }
            }
        })
        .await
    };
    let paused =
        until("a pause", &|now| now.get("gamekeeper_reader_pause_seconds_total") > 0.5).await;
    assert_eq!(paused.get("gamekeeper_reader_pauses_total"), 1.0, "one that goes on");
    assert!(paused.get("gamekeeper_frames_withheld_total") >= 15.0);
    assert_eq!(paused.get("gamekeeper_players"), 2.0);
    until("a round trip", &|now| now.get("gamekeeper_round_trip_seconds_count") > 2.0).await;
    drop(mute);
    let away = until("somebody away", &|now| now.get("gamekeeper_away") == 1.0).await;
    assert_eq!(away.get("gamekeeper_closes_total{by=\"nobody\",code=\"none\"}"), 1.0);
    drop(bystander);
    running.stop().await.expect("a proper end");
}

#[tokio::test]
async fn who_may_read_them_is_a_setting() {
    for (metrics, status) in
        [(MetricsFor::Off, 404), (MetricsFor::Local, 200), (MetricsFor::Everyone, 200)]
    {
        let mut config = Config::default();
        config.seeing.metrics = metrics;
        let running = Running::start_empty::<Buoys>(&config);
        assert_eq!(running.ask("GET", "/metrics", "", "").await.status, status);
        let head = running.ask("HEAD", "/metrics", "", "").await;
        assert_eq!((head.status, head.body.is_empty()), (status, true));
        assert_eq!(running.ask("POST", "/metrics", "", "").await.status, 405);
        running.stop().await.expect("a proper end");
    }

    // Whose request a proxy passes on is not on this machine, unless a token says who asks.
    const METRICS_TOKEN: &str = "a-token-for-metrics";
    let mut config = Config::default();
    config.admin.admin_token = Some(TOKEN.parse().expect("a token"));
    config.admin.metrics_token = Some(METRICS_TOKEN.parse().expect("a token"));
    let running = Running::start_empty::<Buoys>(&config);
    let ask = async |more: &str| {
        let headers = format!("X-Forwarded-For: 203.0.113.7\r\n{more}");
        running.ask("GET", "/metrics", &headers, "").await.status
    };
    assert_eq!(ask("").await, 404);
    // The operator's is for where there is no other; wrong ones do not shut the operator out.
    for _ in 0..=TOKEN_TRIES.burst as usize {
        assert_eq!(ask(&format!("Authorization: Bearer {METRICS_TOKEN}\r\n")).await, 200);
    }
    for _ in 0..=TOKEN_TRIES.burst as usize {
        assert_eq!(ask(&format!("Authorization: Bearer {TOKEN}\r\n")).await, 404);
    }
    assert_eq!(ask(&format!("Authorization: Bearer {METRICS_TOKEN}\r\n")).await, 404);
    let show = format!("Authorization: Bearer {TOKEN}\r\nX-Forwarded-For: 203.0.113.7\r\n");
    assert_eq!(running.ask("GET", "/api/admin/bans", &show, "").await.status, 200);
    // Whoever reads them operates nothing.
    let show = format!("Authorization: Bearer {METRICS_TOKEN}\r\n");
    assert_eq!(running.ask("GET", "/api/admin/overview", &show, "").await.status, 401);
    running.stop().await.expect("a proper end");
}

#[tokio::test]
async fn whether_it_is_ready_is_another_question_than_whether_it_lives() {
    let config = Config { max_sessions: 1, max_players: 1, pilots: 0, ..Config::default() };
    let running = Running::start_empty::<Buoys>(&config);
    let ask = async |path| {
        let answer = running.ask("GET", path, "", "").await;
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        (answer.status, answer.body)
    };
    assert_eq!(ask("/healthz").await, (200, "ok\n".into()));
    assert_eq!(ask("/readyz").await, (200, "ready\n".into()));

    let only = Bystander::join(running.address, "Only").await;
    let full = || running.server.common.directory.has_room();
    eventually("a full server", || !full()).await;
    let (status, why) = ask("/readyz").await;
    assert!(status == 503 && why.contains("full"), "{status} {why}");
    drop(only);

    running.server.common.stopping.begin(Duration::from_secs(10));
    let (status, why) = ask("/readyz").await;
    assert!(status == 503 && why.contains("stop"), "{status} {why}");
    assert_eq!(ask("/healthz").await.0, 200);
    running.stop().await.expect("a proper end");
}

#[tokio::test]
async fn watching_over_a_server_uses_up_no_limit() {
    let running = Running::start(hasty());
    for _ in 0..400 {
        assert_eq!(running.ask("GET", "/healthz", "", "").await.status, 200);
    }
    running.ask("GET", "/api/sessions", "", "").await.expect(200);
    running.stop().await.expect("a proper end");
}

/// A server in which everything has happened once that brings a label with it.
async fn everything() -> Scrape {
    let running = Running::start_empty::<Buoys>(&Config { limits: hasty(), ..Config::default() });
    let mut peer = running.open().await;
    peer.send(&frame(0x81, b"text")).await;
    peer.closing().await.expect("a code");
    peer.end().await;
    let scrape = Scrape::of(&running).await;
    running.stop().await.expect("a proper end");
    scrape
}

#[tokio::test]
async fn the_page_has_every_metric() {
    let mut table = String::from("| name | type | labels | |\n| --- | --- | --- | --- |\n");
    for (name, Family { kind, help, labels }) in everything().await.families {
        let labels: Vec<_> = labels.iter().map(|label| format!("`{label}`")).collect();
        writeln!(table, "| `{name}` | {kind} | {} | {help} |", labels.join(", ")).expect("room");
    }
    assert!(PAGE.contains(&table), "docs/hosting.md should have:\n\n{table}");
    let named = names(PAGE).into_iter().filter(|name| !table.contains(&format!("`{name}`")));
    assert_eq!(named.collect::<Vec<_>>(), Vec::<String>::new());
}

/// Everything in `text` that is the name of a metric.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let ours = |word: &&str| word.starts_with("gamekeeper_") || word.starts_with("process_");
    words.filter(ours).map(str::to_owned).collect()
}

#[tokio::test]
async fn dashboard_and_alerts_name_what_there_is() {
    let families = everything().await.families;
    let exists = |name: &str| {
        families.get(name).is_some_and(|family| family.kind != "histogram")
            || ["_bucket", "_sum", "_count"].iter().any(|end| {
                let base = name.strip_suffix(end).and_then(|base| families.get(base));
                base.is_some_and(|family| family.kind == "histogram")
            })
    };
    for (file, text) in [("dashboard", DASHBOARD), ("alerts", ALERTS)] {
        let names = names(text);
        assert!(names.len() > 5, "{file}: {names:?}");
        let unknown: Vec<_> = names.iter().filter(|name| !exists(name)).collect();
        assert!(unknown.is_empty(), "{file}: {unknown:?}");
    }
    let dashboard: serde_json::Value = serde_json::from_str(DASHBOARD).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64()).collect();
    assert!(ids.len() == panels.len() && !ids.contains(&None), "every panel has an id of its own");
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
        assert!(panel["targets"][0]["expr"].is_string(), "{}", panel["title"]);
    }
}

#[test]
fn prometheus_takes_configuration_and_alerts() {
    let (config, alerts) = (deploy("prometheus.yml"), deploy("alerts.yml"));
    promtool(&["check", "rules", alerts.to_str().expect("UTF-8")], "");
    promtool(&["check", "config", config.to_str().expect("UTF-8")], "");
    promtool(&["test", "rules", deploy("alerts-test.yml").to_str().expect("UTF-8")], "");
}
