//! Headless bots against the real server on real sockets, with both games.

use clap::Parser;
use client_bot::config::Config as Flags;
use client_bot::fleet::{self, CannotBegin};
use client_bot::line::OpenError;
use client_bot::network::Preset;
use client_bot::progress::Progress;
use client_bot::report::Report;
use server::config::Config;
use server::net::listener;
use shared::arena::Arena;
use shared::game::Game;
use shared::netcode::conditions::Conditions;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tests::buoys::Buoys;
use tests::harness::{Bystander, Running, eventually, hasty, undrained, within};
use tests::reach::Folder;
use tests::relay::Relay;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Longer than any of these stories takes.
const LONG_ENOUGH: Duration = Duration::from_secs(30);

fn flags(address: SocketAddr, more: &[&str]) -> Flags {
    let url = address.to_string();
    Flags::parse_from([&["client-bot", "--url", &url], more].concat())
}

/// Bots that play until they are called back.
struct Crew {
    call_back: oneshot::Sender<()>,
    run: JoinHandle<Result<Report, CannotBegin>>,
}

impl Crew {
    fn set_out(address: SocketAddr, more: &[&str]) -> Self {
        let flags = flags(address, more);
        let (call_back, called_back) = oneshot::channel::<()>();
        let run = tokio::spawn(async move {
            let called_back = async { drop(called_back.await) };
            fleet::run::<Buoys>(&flags, called_back, Progress::nowhere()).await
        });
        Self { call_back, run }
    }

    /// Calls them back; what they report.
    async fn home(self) -> Report {
        self.call_back.send(()).expect("they still play, or try to");
        within(LONG_ENOUGH, "bots", self.run).await.expect("no panic").expect("it begins")
    }
}

/// Sends bots without an interrupt.
async fn send<G: Game>(flags: &Flags) -> Result<Report, CannotBegin> {
    within(LONG_ENOUGH, "bots", fleet::run::<G>(flags, pending(), Progress::nowhere())).await
}

/// Sends so many bots to a server of their own, and calls them back when all of them have played for so many ticks.
async fn play<G: Game>(bots: usize, ticks: u64, more: &[&str]) -> Report {
    let running = Running::start_empty::<G>(&Config { seed: Some(7), ..Config::default() });
    let count = bots.to_string();
    let crew = [&["--bots", &count, "--duration", "0"], more].concat();
    let (flags, done) = (flags(running.address, &crew), running.played(bots, ticks));
    let run = fleet::run::<G>(&flags, done, Progress::nowhere());
    let report = within(LONG_ENOUGH, "bots", run).await.expect("it begins");
    running.stop().await.expect("it stops");
    println!("{report}");
    report
}

/// Twenty bots for two seconds: all of them play, and the report's figures fit together.
async fn twenty_bots_play<G: Game>() {
    let report = play::<G>(20, 60, &[]).await;
    assert!(report.ok, "{:?}", report.faults);
    assert_eq!((report.game.as_str(), report.tick_rate), (G::NAME, 30));
    let bots = report.bots;
    assert_eq!((bots.asked_for, bots.set_out, bots.connected, bots.unfinished), (20, 20, 20, 0));
    let totals = report.totals;
    assert_eq!((totals.mismatches, totals.unreadable), (0, 0));
    // Sixty ticks of all of them take no less than two seconds; half of it is plenty, as the first ones are made up
    // for at once on a machine that stood still.
    assert!(totals.player_seconds > 20.0 && totals.player_seconds < 20.0 * report.seconds);
    assert!(totals.frames > 500, "{}", totals.frames);
    assert!((20..=totals.frames).contains(&totals.keyframes), "{}", totals.keyframes);
    assert!(totals.inputs > 300, "{}", totals.inputs);
    assert!(totals.late_inputs <= totals.inputs);
    let mean = totals.frames as f64 / totals.player_seconds;
    assert_eq!(report.per_player.frames_per_second, Some(mean));
    // Intervals are between messages, and a line that stalls brings several frames in one.
    let intervals = report.frame_interval_ms.count;
    assert!((totals.frames / 4..=totals.frames - 20).contains(&intervals), "{intervals}");
    assert!(report.round_trip_ms.count >= 20, "{}", report.round_trip_ms.count);
    assert!((1..=totals.inputs).contains(&report.input_to_frame_ms.count));
    for times in [report.round_trip_ms, report.input_to_frame_ms, report.frame_interval_ms] {
        let ladder = [0.0, times.p50, times.p90, times.p99, times.p99_9, times.max];
        assert!(ladder.is_sorted(), "{times:?}");
    }
    // A frame is decoded about once per tick of 33 ms: on the whole, however the machine stops and hurries.
    let frames_per_second = report.per_player.frames_per_second.expect("they played");
    assert!((3.0..40.0).contains(&frames_per_second), "{frames_per_second}");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_bots_play_the_arena() {
    twenty_bots_play::<Arena>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_bots_play_the_other_game() {
    twenty_bots_play::<Buoys>().await;
}

/// Bots on three networks at once, on a real server: what each preset does to its bots is in the report,
/// and nothing that arrives late or in bursts makes anybody's rows differ.
#[tokio::test(flavor = "multi_thread")]
async fn a_mix_of_networks_is_reported_preset_by_preset() {
    let report = play::<Arena>(15, 180, &["--network", "good:2,mobile:2,awful:1"]).await;
    assert!(report.ok, "{:?}", report.faults);
    assert_eq!((report.bots.connected, report.totals.mismatches), (15, 0));
    let bots: Vec<_> = report.networks.iter().map(|n| (n.network, n.bots)).collect();
    assert_eq!(bots, [(Preset::Good, 6), (Preset::Mobile, 6), (Preset::Awful, 3)]);
    // The least that a preset makes of a round trip. How much it makes at most is for `client_bot::held`'s tests,
    // whose time is not this machine's.
    for (on, least) in report.networks.iter().zip([30.0, 80.0, 200.0]) {
        let name = on.network.name();
        assert!(on.round_trip_ms.count >= u64::from(on.bots), "{name}: {:?}", on.round_trip_ms);
        assert!(on.round_trip_ms.p50 >= least, "{name}: {:?}", on.round_trip_ms);
        // A frame is at least half a round trip old, an input takes a whole one.
        assert!(on.frame_age_ms.p50 >= 0.48 * least, "{name}: {:?}", on.frame_age_ms);
        assert!(on.input_to_frame_ms.p50 >= least, "{name}: {:?}", on.input_to_frame_ms);
        assert!(on.keyframes >= u64::from(on.bots), "{name}: {} keyframes", on.keyframes);
        assert!(on.frames > 20 * u64::from(on.bots), "{name}: {} frames", on.frames);
        assert!(on.late_inputs < on.inputs / 2, "{name}: {} late", on.late_inputs);
    }
    let sums = [
        (report.networks.iter().map(|n| n.frames).sum::<u64>(), report.totals.frames),
        (report.networks.iter().map(|n| n.inputs).sum(), report.totals.inputs),
    ];
    assert!(sums.iter().all(|(parts, whole)| parts == whole), "{sums:?}");
    let ages: u64 = report.networks.iter().map(|n| n.frame_age_ms.count).sum();
    // Ticks that bad networks held back when all were called back count too.
    let frames = report.totals.frames;
    assert!((frames / 2..=frames + frames / 2).contains(&ages), "{ages} ages, {frames} frames");
}

#[tokio::test]
async fn an_interrupt_calls_everybody_back_in_good_order() {
    let running = Running::start(hasty());
    let flags = flags(running.address, &["--bots", "5", "--duration", "0"]);
    let registry = &running.server.common.registry;
    let interrupt = eventually("five open connections", || registry.open() == 5);
    let run = fleet::run::<Buoys>(&flags, interrupt, Progress::nowhere());
    let report = within(LONG_ENOUGH, "an interrupted run", run).await.expect("it begins");
    assert!(report.interrupted);
    assert_eq!((report.bots.set_out, report.bots.failed, report.bots.thrown_out), (5, 0, 0));
    running.settles_at(0).await;
    running.stop().await.expect("it stops");
}

#[tokio::test]
async fn a_full_session_turns_bots_away_and_the_report_says_so() {
    let config = Config { max_players: 3, seed: Some(7), ..Config::default() };
    let session = server::open::<Buoys>(&config).expect("settings that make sense");
    let running = Running::start_with(&config, session);
    let flags = flags(running.address, &["--bots", "5", "--duration", "1s"]);
    let report = send::<Buoys>(&flags).await.expect("it begins");
    running.stop().await.expect("it stops");
    assert_eq!((report.bots.connected, report.bots.failed), (3, 2));
    let [reason] = &report.reasons[..] else { panic!("{:?}", report.reasons) };
    assert_eq!((reason.what, reason.bots, reason.label), ("failed", 2, Some("session_full")));
    assert!(!reason.sentence.is_empty());
    assert_eq!(report.faults, ["2 of 5 bots were not let in."]);
}

#[tokio::test]
async fn where_a_session_is_full_quick_play_opens_another() {
    let config = Config { max_players: 3, pilots: 0, ..Config::default() };
    let running = Running::start_empty::<Buoys>(&config);
    let flags = flags(running.address, &["--bots", "5", "--duration", "1s"]);
    let report = send::<Buoys>(&flags).await.expect("it begins");
    assert_eq!((report.bots.connected, report.bots.failed), (5, 0));
    assert_eq!(running.server.common.directory.len(), 2);
    running.stop().await.expect("it stops");
}

#[tokio::test]
async fn bots_come_home_when_the_server_stops() {
    let running = Running::start(hasty());
    let flags = flags(running.address, &["--bots", "4", "--ramp", "1000", "--duration", "0"]);
    let run = tokio::spawn(async move { send::<Buoys>(&flags).await });
    eventually("four players", || running.server.common.registry.open() == 4).await;
    running.stop().await.expect("it stops");
    let report = run.await.expect("no panic").expect("it begins");
    assert!(!report.ok && !report.interrupted);
    assert_eq!(report.bots.failed + report.bots.thrown_out, 4);
    // All but the first may have been caught in the middle of their handshake.
    assert!(report.reasons.iter().any(|reason| reason.code == Some(1001)), "{report}");
}

/// Lets so many bots play that come back, starts the server anew under them, and calls them home when all have played
/// again; what they report, and how many sessions there were in the end.
async fn started_anew(running: Running, config: &Config, bots: usize) -> (Report, usize) {
    let address = running.address;
    let count = bots.to_string();
    let crew = ["--bots", &count, "--ramp", "1000", "--duration", "0", "--come-back"];
    let crew = Crew::set_out(address, &crew);
    running.played(bots, 60).await;
    running.stop().await.expect("it stops");
    let listener = listener::bind(address).expect("the port is free again");
    let running = Running::start_on::<Buoys>(config, listener.into());
    running.played(bots, 60).await;
    let sessions = running.server.common.directory.len();
    let report = crew.home().await;
    running.stop().await.expect("it stops");
    (report, sessions)
}

/// Quick play would lead whoever comes back to any session with room, or, as all are full of those who are away, to a
/// new one.
#[tokio::test]
async fn who_comes_back_finds_their_session_and_their_seat() {
    let folder = Folder::new();
    let data = Some(folder.path().to_owned());
    let config = Config { data, max_players: 2, pilots: 0, limits: hasty(), ..Config::default() };
    let running = Running::start_empty::<Buoys>(&config);
    let (report, sessions) = started_anew(running, &config, 6).await;
    assert!(report.ok, "{report}");
    assert_eq!((report.bots.returns, report.bots.lost_seats, sessions), (6, 0, 3), "{report}");
}

/// Where nothing was kept they play on elsewhere, and the report tells.
#[tokio::test]
async fn who_comes_back_to_a_server_that_kept_nothing_is_somebody_else() {
    let config = Config { pilots: 0, limits: hasty(), ..Config::default() };
    let running = Running::start_empty::<Buoys>(&config);
    // Somebody else is number 0 before, and one of them after.
    drop(Bystander::join(running.address, "Ann").await);
    let (report, _) = started_anew(running, &config, 2).await;
    assert_eq!(report.bots.returns, 2, "{report}");
    assert!(report.bots.lost_seats >= 1, "{report}");
}

/// A server that says nothing any more, on connections that stay open, is given up as the page does; and for how long
/// nothing came is in the figures.
#[tokio::test]
async fn a_server_that_falls_silent_is_no_good_one() {
    let running = Running::start(hasty());
    let relay = Relay::start(running.address, Conditions::PERFECT, 1).await.expect("a port");
    let asked = ["frame_age.p99<1s", "input_to_frame.p99<1s", "round_trip.max<1s"];
    let mut crew = vec!["--bots", "3", "--ramp", "1000", "--duration", "0"];
    asked.iter().for_each(|text| crew.extend(["--require", text]));
    let flags = flags(relay.address(), &crew);
    let run = tokio::spawn(async move { send::<Buoys>(&flags).await });
    running.played(3, 60).await;
    let nothing = Conditions { delay_ms: 1e6, ..Conditions::PERFECT };
    relay.set_ways(Conditions::PERFECT, nothing);
    let report = run.await.expect("no panic").expect("it begins");
    println!("{report}");
    running.stop().await.expect("it stops");
    assert_eq!((report.bots.connected, report.bots.thrown_out), (3, 3), "{:?}", report.reasons);
    let [reason] = &report.reasons[..] else { panic!("{:?}", report.reasons) };
    assert_eq!((reason.sentence.as_str(), reason.bots), ("the server fell silent", 3));
    assert!(report.requirements.iter().all(|outcome| !outcome.met), "{:?}", report.requirements);
    assert!(report.frame_interval_ms.max >= 7_900.0, "{:?}", report.frame_interval_ms);
}

/// Who is called back before there was a way back is named.
#[tokio::test]
async fn who_is_still_away_at_the_end_is_no_good_end() {
    let running = Running::start(hasty());
    let address = running.address;
    let crew = ["--bots", "3", "--ramp", "1000", "--duration", "0", "--come-back"];
    let crew = Crew::set_out(address, &crew);
    running.played(3, 30).await;
    running.stop().await.expect("it stops");
    // Somebody takes their connections, and never says a word.
    let nobody = TcpListener::bind(address).await.expect("the port is free again");
    let mut tries = Vec::new();
    while tries.len() < 3 {
        tries.push(within(LONG_ENOUGH, "a try", nobody.accept()).await.expect("a connection"));
    }
    let report = crew.home().await;
    assert_eq!((report.bots.still_away, report.bots.returns), (3, 0), "{report}");
    assert_eq!((report.bots.thrown_out, report.way_back_ms.count), (0, 3), "{report}");
    assert_eq!(report.faults, ["3 of 3 bots were still away."]);
}

/// A server that is down between two stays is one that a bot comes back to, too; nobody had kept its seat.
#[tokio::test]
async fn who_churns_comes_back_to_a_server_that_was_down_between_two_stays() {
    let config = undrained(&Config { pilots: 0, limits: hasty(), ..Config::default() });
    let running = Running::start_empty::<Buoys>(&config);
    let address = running.address;
    let crew = ["--bots", "1", "--behaviour", "churn", "--duration", "0", "--come-back"];
    let crew = Crew::set_out(address, &crew);
    running.played(1, 30).await;
    eventually("it leaves", || running.server.common.registry.open() == 0).await;
    running.stop().await.expect("it stops");
    let nobody = TcpListener::bind(address).await.expect("the port is free again");
    drop(within(LONG_ENOUGH, "a try", nobody.accept()).await.expect("a connection"));
    drop(nobody);
    let listener = listener::bind(address).expect("the port is free again");
    let running = Running::start_on::<Buoys>(&config, listener.into());
    // Somebody else is number 0 from now on.
    let other = Bystander::join(running.address, "Ann").await;
    running.played(2, 30).await;
    let report = crew.home().await;
    drop(other);
    running.stop().await.expect("it stops");
    let bots = report.bots;
    assert_eq!((bots.thrown_out, bots.lost_seats, bots.returns), (0, 0, 0), "{report}");
    assert_eq!((bots.still_away, report.way_back_ms.count), (0, 1), "{report}");
    assert!(report.ok && report.behaviours[0].joins >= 2, "{report}");
}

/// A bot hears the server's goodbye behind all that the network holds back, though it speaks meanwhile to a
/// server that takes nothing more.
#[tokio::test]
async fn last_words_are_heard_on_a_bad_network_too() {
    let running = Running::start(hasty());
    let crew = ["--bots", "4", "--ramp", "1000", "--duration", "0", "--network", "mobile"];
    let flags = flags(running.address, &crew);
    let run = tokio::spawn(async move { send::<Buoys>(&flags).await });
    eventually("four connections", || running.server.common.registry.open() == 4).await;
    // By then they are let in, and each says something every tick.
    let ticks = || running.server.common.directory.ticks.ticks.load(Relaxed);
    let soon = ticks() + 30;
    eventually("a second of play", || ticks() >= soon).await;
    running.stop().await.expect("it stops");
    let report = run.await.expect("no panic").expect("it begins");
    assert_eq!((report.bots.connected, report.bots.thrown_out), (4, 4), "{report}");
    let [reason] = &report.reasons[..] else { panic!("{report}") };
    assert_eq!((reason.what, reason.bots, reason.code), ("thrown_out", 4, Some(1001)), "{report}");
}

#[tokio::test]
async fn a_wrong_address_is_one_clear_sentence() {
    let running = Running::start(hasty());
    let address = running.address;
    let mut flags = flags(address, &[]);
    flags.url.path = "/nothing".into();
    let error = send::<Buoys>(&flags).await.expect_err("no WebSocket there");
    let said = error.to_string();
    assert!(said.starts_with(&format!("ws://{address}/nothing: it answers with HTTP status 404")));
    assert_eq!(said.lines().count(), 1, "{said}");
    running.stop().await.expect("it stops");

    flags.url.path = "/play".into();
    let error = send::<Buoys>(&flags).await.expect_err("nobody listens");
    assert!(
        matches!(error, CannotBegin::Unreachable { error: OpenError::NobodyListens, .. }),
        "{error}"
    );
}
