//! The bots as a load test, against the real server: behaviours, profiles, sessions, the server's figures, requirements
//! and the search for the capacity.

use clap::Parser;
use client_bot::behaviour::Behaviour;
use client_bot::config::Config as Flags;
use client_bot::fleet::{self, CannotBegin};
use client_bot::progress::Progress;
use client_bot::report::Report;
use server::config::Config;
use shared::arena::{Arena, Settings};
use shared::game::{Game, Setup};
use shared::netcode::shelf::Shelf;
use std::cell::Cell;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tests::harness::{Running, within};

/// Longer than any of these stories takes.
const LONG_ENOUGH: Duration = Duration::from_secs(60);

fn server() -> Running {
    Running::start_empty::<Arena>(&Config { seed: Some(7), pilots: 0, ..Config::default() })
}

fn flags(running: &Running, more: &[&str]) -> Flags {
    let url = running.address.to_string();
    Flags::parse_from([&["client-bot", "--url", &url], more].concat())
}

async fn try_run(running: &Running, more: &[&str]) -> Result<Report, CannotBegin> {
    let flags = flags(running, more);
    within(LONG_ENOUGH, "bots", fleet::run::<Arena>(&flags, pending(), Progress::nowhere())).await
}

async fn run(running: &Running, more: &[&str]) -> Report {
    let report = try_run(running, more).await.expect("it begins");
    println!("{report}");
    report
}

#[tokio::test(flavor = "multi_thread")]
async fn each_behaviour_does_what_it_says_and_has_its_line() {
    let running = server();
    let mix = "fight:1,wander:1,idle:1,spectate:1,chat:1,churn:1";
    let flags = flags(&running, &["--bots", "12", "--duration", "0", "--behaviour", mix]);
    // Who churns stays six seconds at most.
    let done = running.played(12, 8 * 30);
    let run = fleet::run::<Arena>(&flags, done, Progress::nowhere());
    let report = within(LONG_ENOUGH, "bots", run).await.expect("it begins");
    running.stop().await.expect("it stops");
    assert!(report.ok, "{:?}", report.faults);
    let those = |behaviour| {
        let found = report.behaviours.iter().find(|those| those.behaviour == behaviour);
        *found.expect("a line for it")
    };
    for behaviour in Behaviour::ALL {
        let those = those(behaviour);
        assert_eq!((those.bots, those.mismatches), (2, 0), "{those:?}");
        assert!(those.frames > 20 && those.frame_age_ms.count >= those.frames, "{those:?}");
        // It has been back; nobody else joins twice.
        let churns = behaviour == Behaviour::Churn;
        assert!(if churns { those.joins >= 4 } else { those.joins == 2 }, "{those:?}");
    }
    // Who chats says its first line after five seconds, and everybody hears it.
    assert!(report.contents.iter().any(|content| content.what == "chat"), "{:?}", report.contents);
    assert_eq!(report.bots.returns, 0, "leaving by oneself is no loss");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_rises_and_falls_and_every_second_of_it_is_there() {
    let running = server();
    let report = run(&running, &["--profile", "0:0,1s:12,4s:12,5s:4,8s:4"]).await;
    running.stop().await.expect("it stops");
    assert!(report.ok, "{:?}", report.faults);
    assert_eq!((report.bots.asked_for, report.bots.set_out, report.bots.connected), (12, 12, 12));
    let playing: Vec<_> = report.over_time.iter().map(|sample| sample.playing).collect();
    // Four in the end, or nearly, where the machine stood still just then.
    assert!(playing.contains(&12) && playing.last() <= Some(&8), "{playing:?}");
    // The server's own figures, without being asked for.
    let server = report.server.expect("it tells on this machine");
    assert!(server.ticks > Some(20.0), "{server:?}");
    assert!(server.delta_bytes_per_second > Some(0.0), "{server:?}");
    assert!(server.tick_work_p99_ms >= server.tick_work_p50_ms, "{server:?}");
    let told = report.over_time.iter().filter(|sample| sample.server.is_some()).count();
    assert!(told >= 2, "{:?}", report.over_time);
    assert!(report.over_time.iter().any(|sample| sample.frame_age_ms.p99.is_some()));
    assert!(report.generator.tick_lateness_ms.count > 30);
    // What was received is known by what it is, and nothing but what could not be read is left out.
    let messages = report.contents.iter().filter(|content| !content.what.starts_with("frames: "));
    let percent: f64 = messages.map(|content| content.percent).sum();
    assert!((percent - 100.0).abs() < 0.01, "{:?}", report.contents);
    let page = report.to_html();
    for part in ["<svg", "class=\"line s1\"", "Server: work of a tick", "prefers-color-scheme:dark"]
    {
        assert!(page.contains(part), "{part}");
    }
    for foreign in ["<script", "http://", "https://", "NaN"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bots_are_spread_over_sessions_that_the_run_opens() {
    let running = server();
    let flags =
        ["--bots", "9", "--sessions", "3", "--duration", "2s", "--behaviour", "fight:2,spectate:1"];
    let report = run(&running, &flags).await;
    assert!(report.ok, "{:?}", report.faults);
    assert_eq!((report.sessions, report.bots.connected), (3, 9));
    assert_eq!(running.server.common.directory.len(), 3);

    let wrong = try_run(&running, &["--code", "AAAAA-AAAAA"]).await.expect_err("no such session");
    assert!(wrong.to_string().contains("no way into session AAAAA-AAAAA"), "{wrong}");
    running.stop().await.expect("it stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_required_decides_and_stands_in_the_report() {
    let running = server();
    let asked = ["frame_age.p99<20s", "failed=0", "frames_per_second>1000"];
    let mut flags = vec!["--bots", "2", "--duration", "2s"];
    asked.iter().for_each(|text| flags.extend(["--require", text]));
    let report = run(&running, &flags).await;
    running.stop().await.expect("it stops");
    let met: Vec<_> = report.requirements.iter().map(|outcome| outcome.met).collect();
    assert_eq!(met, [true, true, false]);
    assert_eq!(report.faults.len(), 1, "{:?}", report.faults);
    assert!(report.faults[0].starts_with("frames_per_second>1000: NOT MET"), "{:?}", report.faults);
    let parsed = client_bot::compare::read(&report.to_json()).expect("a report");
    assert!(client_bot::compare::table(&parsed, &parsed).contains("1.00"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_ends_at_the_step_that_breaks() {
    let config =
        Config { seed: Some(7), pilots: 0, max_players: 6, max_sessions: 1, ..Config::default() };
    let running = Running::start_empty::<Arena>(&config);
    let flags = [
        "--find-capacity",
        "--bots",
        "40",
        "--step",
        "4",
        "--step-time",
        "4s",
        "--require",
        "frame_age.p50<20s",
    ];
    let report = run(&running, &flags).await;
    running.stop().await.expect("it stops");
    let capacity = report.capacity.as_ref().expect("a search");
    assert!(report.ok && capacity.found, "{:?}", report.faults);
    // Six have room; neither eight nor seven do, and each is tried twice.
    let steps: Vec<_> = capacity.steps.iter().map(|step| step.bots).collect();
    assert_eq!((capacity.bots, &steps[..]), (6, &[4, 8, 8, 6, 7, 7][..]), "{capacity:?}");
    let broke = capacity.steps[1].outcomes.iter().find(|outcome| !outcome.met);
    assert_eq!(broke.map(|outcome| outcome.requirement.as_str()), Some("connected>=8"));
}

/// A server that goes down under the load has not borne it.
#[tokio::test(flavor = "multi_thread")]
async fn a_search_whose_server_goes_down_has_found_where() {
    let running = server();
    let search = ["--find-capacity", "--bots", "8", "--step", "4", "--step-time", "60s"];
    let flags = flags(&running, &search);
    let run =
        tokio::spawn(
            async move { fleet::run::<Arena>(&flags, pending(), Progress::nowhere()).await },
        );
    running.played(4, 30).await;
    running.stop().await.expect("it stops");
    let report = within(LONG_ENOUGH, "bots", run).await.expect("no panic").expect("it begins");
    let capacity = report.capacity.as_ref().expect("a search");
    assert_eq!((capacity.found, capacity.bots, capacity.broke), (true, 0, Some(4)), "{capacity:?}");
    assert_eq!(report.faults, ["Not even the first step held."]);
}

/// What the server tells of itself is required only where it does.
#[tokio::test(flavor = "multi_thread")]
async fn a_search_is_not_held_to_what_the_server_does_not_tell() {
    let running = server();
    let asked = ["--find-capacity", "--metrics", "none", "--require", "server.ticks_dropped=0"];
    let refused = try_run(&running, &asked).await.expect_err("every step would break");
    let said = refused.to_string();
    assert!(said.contains("server.ticks_dropped=0") && said.contains("no step"), "{said}");
    running.stop().await.expect("it stops");
}

#[test]
fn rules_are_made_once_while_some_bot_has_them() {
    let shelf = Shelf::<Arena>::default();
    let setup = Setup::new(Settings::default(), 4, 30);
    let made = Cell::new(0);
    let take = |bytes: &[u8]| {
        let make = || {
            made.set(made.get() + 1);
            Arena::rules(&setup)
        };
        shelf.take(bytes, make).expect("usual settings")
    };
    let (first, again, other) = (take(b"a"), take(b"a"), take(b"b"));
    assert!(Arc::ptr_eq(&first, &again) && !Arc::ptr_eq(&first, &other));
    assert_eq!(made.get(), 2);
    drop((first, again));
    take(b"a");
    assert_eq!(made.get(), 3, "nobody had them any more");
    assert!(shelf.take(b"c", || Err("no")).is_err());
}
