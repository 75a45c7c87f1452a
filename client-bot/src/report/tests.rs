//! What a report says of lives made up for it.

use super::text::REASONS_SHOWN_MAX;
use super::*;
use crate::bot::Errand;
use crate::config::Config;
use crate::ending::Ending;
use crate::tally::{Life, Sort, Tallies};
use crate::window::{Counts, Times, Window};
use clap::Parser;
use shared::netcode::client::Stats;

fn config(bots: u32) -> Config {
    Config::try_parse_from(["client-bot", "--bots", &bots.to_string()]).unwrap()
}

fn on(preset: Preset) -> Errand {
    Errand { number: 0, preset, behaviour: Behaviour::Fight }
}

/// A bot that played for ten seconds at 30 Hz without trouble.
fn good_life() -> Life {
    let stats = Stats {
        frames: 300,
        keyframes: 1,
        bytes: 12_000,
        inputs: 310,
        late_inputs: 31,
        corrections: 5,
        tick_rate: 30,
        ..Stats::default()
    };
    Life {
        joins: 1,
        returns: 0,
        lost_seats: 0,
        away: false,
        errand: on(Preset::Perfect),
        ending: Ending::CalledBack,
        played_ms: Some(10_000.0),
        stats,
        sent_bytes: 2_000,
    }
}

fn report(asked_for: u32, interrupted: bool, lives: &[Life]) -> Report {
    report_with(asked_for, interrupted, lives, &[])
}

/// With times that bots on a network took down beside the intervals of their frames.
fn report_with(
    asked_for: u32,
    interrupted: bool,
    lives: &[Life],
    more: &[(Preset, Times<Counts>)],
) -> Report {
    let behaviour = Behaviour::Fight;
    let mut tally = Tallies::new();
    for life in lives {
        tally.add(life);
        let preset = life.errand.preset;
        let window = Window::default();
        (0..life.stats.frames.saturating_sub(1)).for_each(|_| window.record(33.3));
        let times = Times { frame_interval: window.drain(), ..Times::default() };
        tally.add_times(Sort { preset, behaviour }, &times);
    }
    more.iter()
        .for_each(|(preset, times)| tally.add_times(Sort { preset: *preset, behaviour }, times));
    let set_out = lives.len() as u32;
    let run = Run { seconds: 10.0, asked_for, set_out, interrupted, ..Run::default() };
    Report::new("buoys", &config(asked_for), run, &tally)
}

/// Bots whose process died cannot tell of it.
#[test]
fn bots_that_nobody_heard_of_again_are_a_fault() {
    let mut tally = Tallies::new();
    tally.add(&good_life());
    for (set_out, part_lost, missing) in [(3, false, 2), (3, true, 2), (1, true, 0)] {
        let run = Run { asked_for: set_out, set_out, part_lost, ..Run::default() };
        let report = Report::new("buoys", &config(set_out), run, &tally);
        let fault =
            format!("A process of the bots' ended early, with {missing} of {set_out} bots.");
        assert_eq!(report.faults, [fault]);
    }
}

/// Whoever ends a search before its first step has not been told that none held.
#[test]
fn a_search_without_a_step_found_nothing_out() {
    let mut tally = Tallies::new();
    tally.add(&good_life());
    let run =
        Run { interrupted: true, set_out: 1, capacity: Some(Default::default()), ..Run::default() };
    let report = Report::new("buoys", &config(1), run, &tally);
    assert!(report.ok, "{:?}", report.faults);
    assert!(report.to_string().contains("capacity     unknown"), "{report}");
    // What was not timed is no 0.
    assert!(report.to_html().contains("<tr><td>round trip</td><td>-</td>"));
}

/// Whoever presses Ctrl-C before anybody is let in has not been told that all is as it has to be, of a run or a search.
#[test]
fn what_nobody_measured_is_not_met() {
    let asked = [
        "late_inputs<1%",
        "frames_on_time>=0%",
        "frames_per_second>=0",
        "received_bytes_per_second<1000",
        "sent_bytes_per_second<1000",
        "corrections_per_second<1",
        "thrown_out_share<1%",
        "frame_age.p99<80ms",
        "generator.lateness.p99<80ms",
        "server.cpu<80%",
    ];
    let flags = asked.iter().flat_map(|required| ["--require", required]);
    let config = Config::parse_from(["client-bot"].into_iter().chain(flags));
    let mut tally = Tallies::new();
    tally.add(&Life::without_a_line(on(Preset::Perfect), Ending::CalledBack));
    for capacity in [None, Some(Default::default())] {
        let run = Run { interrupted: true, set_out: 1, asked_for: 10, capacity, ..Run::default() };
        let report = Report::new("buoys", &config, run, &tally);
        assert_eq!(report.faults.len(), asked.len(), "{:?}", report.faults);
        for (outcome, asked) in report.requirements.iter().zip(asked) {
            let said = format!("{asked}: NOT MET, nothing was measured");
            assert_eq!((outcome.to_string(), outcome.measured), (said, None));
        }
        assert!(!report.ok && !report.to_string().contains("All went well"), "{report}");
        assert!(report.to_string().contains("- frames/s and -/s per player; 0 B in all"));
        assert!(report.to_html().contains("-/s received per player"));
    }
}

#[test]
fn figures_per_player_are_means_over_the_time_played() {
    let half = Life { played_ms: Some(5_000.0), ..good_life() };
    let report = report(2, false, &[good_life(), half]);
    assert!(report.ok, "{:?}", report.faults);
    assert_eq!(report.totals.player_seconds, 15.0);
    assert_eq!(report.per_player.frames_per_second, Some(40.0));
    assert_eq!(report.per_player.received_bytes_per_second, Some(1600.0));
    assert_eq!(report.per_player.sent_bytes_per_second, Some(4000.0 / 15.0));
    assert_eq!(report.frame_interval_ms.count, 598);
    assert!((33.0..34.0).contains(&report.frame_interval_ms.p99));
    assert_eq!(report.frames_on_time_percent, Some(100.0));
    assert_eq!(report.round_trip_ms, Percentiles::default());
}

#[test]
fn each_thing_that_goes_wrong_is_a_fault() {
    let with = |change: fn(&mut Life)| {
        let mut life = good_life();
        change(&mut life);
        report(2, false, &[good_life(), life]).faults
    };
    assert_eq!(with(|_| {}), [""; 0]);
    let thrown = with(|l| l.ending = Ending::Broken("gone".into()));
    assert_eq!(thrown, ["1 of 2 bots were thrown out."]);
    let failed = with(|l| (l.ending, l.played_ms) = (Ending::NoWelcome, None));
    assert_eq!(failed, ["1 of 2 bots were not let in."]);
    let waiting = with(|l| l.played_ms = None);
    assert_eq!(waiting, ["1 of 2 bots were still waiting to be let in."]);
    let away = with(|l| l.away = true);
    assert_eq!(away, ["1 of 2 bots were still away."]);
    let differed = with(|l| l.stats.mismatches = 3);
    assert_eq!(differed, ["3 checksums differed from the server's."]);
    let unreadable = with(|l| l.stats.refused = 1);
    assert_eq!(unreadable, ["1 messages could not be read."]);
    let silent = report(1, false, &[Life { stats: Stats::default(), ..good_life() }]);
    assert_eq!(silent.faults, ["Not one frame came."]);
    let missing = report(3, false, &[good_life()]);
    assert_eq!(missing.faults, ["2 of 3 bots never set out."]);
}

#[test]
fn an_interrupted_ramp_is_no_fault() {
    let waiting = Life::without_a_line(on(Preset::Perfect), Ending::CalledBack);
    let report = report(100, true, &[good_life(), waiting]);
    assert!(report.ok, "{:?}", report.faults);
    assert!(report.to_string().contains("interrupted"));
}

#[test]
fn reasons_are_grouped_and_the_most_frequent_comes_first() {
    let full = || {
        let reason = "The session is full.".to_owned();
        Life::without_a_line(on(Preset::Perfect), Ending::Closed { code: 1013, reason })
    };
    let nobody =
        Life::without_a_line(on(Preset::Perfect), Ending::NoLine("nobody listens there".into()));
    let report = report(4, false, &[nobody, full(), good_life(), full()]);
    assert_eq!(report.reasons.len(), 2);
    assert_eq!((report.reasons[0].bots, report.reasons[0].code), (2, Some(1013)));
    assert_eq!(report.reasons[0].label, Some("try_later"));
    let text = report.to_string();
    let line = "2 failed, close code 1013 (try_later): The session is full.";
    assert!(text.contains(line), "{text}");
    assert!(text.contains("1 failed: nobody listens there"), "{text}");
}

#[test]
fn the_text_lists_ten_reasons_at_most() {
    let lives: Vec<_> = (0..25)
        .map(|n| Life::without_a_line(on(Preset::Perfect), Ending::NoLine(format!("reason {n}"))))
        .collect();
    let report = report(25, false, &lives);
    assert_eq!(report.reasons.len(), 25);
    assert_eq!(report.to_string().matches("reason ").count(), REASONS_SHOWN_MAX);
    assert!(report.to_string().contains("and 15 reasons more"));
}

#[test]
fn scripts_find_in_the_json_what_they_look_for() {
    let report = report(1, false, &[good_life()]);
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(json["ok"], true);
    assert_eq!(json["faults"], serde_json::json!([]));
    assert_eq!(json["url"], "ws://127.0.0.1:8080/play");
    assert_eq!(json["game"], "buoys");
    assert_eq!(json["tick_rate"], 30);
    let bots = serde_json::json!({
        "asked_for": 1, "set_out": 1, "connected": 1, "failed": 0, "thrown_out": 0,
        "failed_percent": 0.0, "thrown_out_percent": 0.0, "unfinished": 0, "still_away": 0, "returns": 0, "lost_seats": 0
    });
    assert_eq!(json["bots"], bots);
    assert_eq!(json["per_player"]["frames_per_second"], 30.0);
    assert_eq!(json["totals"]["late_inputs"], 31);
    assert_eq!(json["totals"]["mismatches"], 0);
    assert_eq!(json["totals"]["keyframes_asked_for"], 0);
    for distribution in ["round_trip_ms", "input_to_frame_ms", "frame_age_ms", "frame_interval_ms"]
    {
        for figure in ["count", "p50", "p90", "p95", "p99", "p99_9", "max"] {
            assert!(json[distribution][figure].is_number(), "{distribution}.{figure}");
        }
    }
}

/// Looks at a server are not a second apart where it, or we, had other things to do.
#[test]
fn late_ticks_are_plotted_per_second() {
    let second = |at_s: f64, seconds: f64, late: f64| {
        let (ticks_late, ticks_dropped) = (Some(late), Some(late / 2.0));
        let server = ServerFigures { seconds, ticks_late, ticks_dropped, ..Default::default() };
        Sample { at_s, server: Some(server), ..Sample::default() }
    };
    let over_time = vec![second(1.0, 1.0, 4.0), second(4.0, 3.0, 12.0)];
    let run = Run { server: Some(ServerFigures::default()), over_time, ..Run::default() };
    let html = Report::new("buoys", &config(1), run, &Tallies::new()).to_html();
    let plot = html.split("aria-label=\"Server: ticks per second\"").nth(1).expect("a plot");
    let plot = plot.split("</svg>").next().expect("its end");
    // Four late ones at either time, and half as many dropped.
    assert!(plot.contains("line s0\" d=\"M56.0 10.0L468.0 10.0\""), "{plot}");
    assert!(plot.contains("line s1\" d=\"M56.0 93.0L468.0 93.0\""), "{plot}");
}

#[test]
fn bytes_have_the_prefix_that_people_expect() {
    let texts = [0.0, 999.0, 1000.0, 12_345_678.0, 5e9].map(|n| Bytes(n).to_string());
    assert_eq!(texts, ["0 B", "999 B", "1.0 kB", "12.3 MB", "5.0 GB"]);
}

#[test]
fn each_network_has_a_line_and_an_entry_of_its_own() {
    let lived = |preset| Life { errand: on(preset), ..good_life() };
    let measured = |preset, ms: f64| {
        let (age, trip) = (Window::default(), Window::default());
        (0..100).for_each(|n| age.record(ms + f64::from(n)));
        trip.record(2.0 * ms);
        (preset, Times { frame_age: age.drain(), round_trip: trip.drain(), ..Times::default() })
    };
    let refused = Life::without_a_line(on(Preset::Good), Ending::NoWelcome);
    let lives = [lived(Preset::Awful), lived(Preset::Good), lived(Preset::Good), refused];
    let times = [measured(Preset::Awful, 200.0), measured(Preset::Good, 20.0)];
    let report = report_with(4, false, &lives, &times);
    let bots: Vec<_> = report.networks.iter().map(|n| (n.network, n.bots)).collect();
    assert_eq!(bots, [(Preset::Good, 3), (Preset::Awful, 1)]);
    let [good, awful] = &report.networks[..] else { unreachable!() };
    assert_eq!((good.frames, good.inputs, good.late_inputs, good.keyframes), (600, 620, 62, 2));
    assert_eq!((awful.frames, awful.round_trip_ms.count), (300, 1));
    assert!((290.0..300.0).contains(&awful.frame_age_ms.p95), "{awful:?}");
    assert!((115.0..121.0).contains(&good.frame_age_ms.p99), "{good:?}");

    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(json["networks"][1]["network"], "awful");
    assert_eq!(json["networks"][1]["bots"], 1);
    assert!(json["networks"][0]["frame_age_ms"]["p95"].is_number());
    let text = report.to_string();
    let line = text.lines().find(|line| line.starts_with("good ")).expect("a line for it");
    let words: Vec<_> = line.split_whitespace().collect();
    assert_eq!((words.len(), words[1], words[7], words[10]), (13, "3", "-", "10.00"), "{text}");
}
