//! A server that stops: sessions that end at a good moment, nobody new, everybody told; and one that starts again.

use serde_json::json;
use server::config::{Config, StoppingConfig};
use server::session::SessionConfig;
use server::session::door::ToSession;
use server::session::rounds::{RESULTS_SECONDS, WARM_UP_SECONDS};
use server::session::settings::PilotCount;
use shared::game::{Game, Setup};
use shared::netcode::conditions::Conditions;
use shared::wire::close::CloseCode;
use shared::wire::message::Phase;
use std::time::Duration;
use tests::buoys::Buoys;
use tests::harness::{PATIENCE, Running, eventually, hasty, within};
use tests::reach::Folder;
use tests::story::assert_honest;
use tests::with_every_game;
use tests::world::World;

with_every_game! {
    a_round_that_is_on_goes_on_to_its_result,
    a_round_that_is_too_long_ends_in_time,
    without_a_round_it_ends_once_everybody_could_read_why,
    where_nobody_is_it_ends_at_once,
    nobody_new_is_let_in_and_who_comes_back_is,
}

const LINE: Conditions = Conditions::round_trip(60.0, 10.0);
const ROUND_S: u32 = 20;

/// Two guests among pilots, in a session with rounds of so many seconds.
fn session<G: Game>(seed: u64, round_s: u32) -> World<G> {
    let setup = Setup::new(G::Settings::default(), seed, 30);
    let pilots = PilotCount::FillUpTo(4);
    let mut world = World::open(SessionConfig { round_s, pilots, ..SessionConfig::new(setup) });
    world.join("Ann", LINE);
    world.join("Ben", LINE);
    world
}

fn part<G: Game>(world: &mut World<G>, seconds: u32) {
    world.session.handle(ToSession::Part { seconds }, f64::from(world.session.tick_now()));
}

/// Runs until the session is over; after how many seconds that was.
fn until_over<G: Game>(world: &mut World<G>, most: u32) -> u32 {
    for second in 0..=most {
        if let Some((code, _)) = world.session.over() {
            assert_eq!(code, CloseCode::GoingAway, "they may come back");
            return second;
        }
        world.run(1000.0);
    }
    panic!("it goes on");
}

fn notices<G: Game>(world: &World<G>) -> Vec<String> {
    let lines = world.guests[0].lines().into_iter();
    lines.filter(|(from, _)| from.is_none()).map(|(_, text)| text).collect()
}

fn a_round_that_is_on_goes_on_to_its_result<G: Game>() {
    let mut world = session::<G>(80, ROUND_S);
    world.run(f64::from(WARM_UP_SECONDS + 5) * 1000.0);
    part(&mut world, 60);
    part(&mut world, 1);
    let took = until_over(&mut world, 60);
    let rest = ROUND_S - 5 + RESULTS_SECONDS;
    assert!((rest - 2..=rest + 2).contains(&took), "{took} of {rest}");
    let phases = world.guests[0].phases();
    assert_eq!(phases.last().map(|(phase, round, _)| (*phase, *round)), Some((Phase::Results, 1)));
    assert_eq!(world.session.take_results().len(), 1);
    let notices = notices(&world);
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(notices[0].contains("when this round is over") && notices[0].contains("60 seconds"));
    assert_honest(&world);
}

fn a_round_that_is_too_long_ends_in_time<G: Game>() {
    let mut world = session::<G>(81, 300);
    world.run(f64::from(WARM_UP_SECONDS + 5) * 1000.0);
    part(&mut world, 30);
    let took = until_over(&mut world, 40);
    assert!((29..=31).contains(&took), "{took}");
    assert_eq!(notices(&world).len(), 2, "once more before the end");
}

fn without_a_round_it_ends_once_everybody_could_read_why<G: Game>() {
    // In the warm-up, and without any rounds.
    for round_s in [ROUND_S, 0] {
        let mut world = session::<G>(82, round_s);
        world.run(1000.0);
        part(&mut world, 60);
        let took = until_over(&mut world, 60);
        assert!((9..=11).contains(&took), "{took}");
        assert!(notices(&world)[0].contains("in 10 seconds"));
    }
}

fn where_nobody_is_it_ends_at_once<G: Game>() {
    let mut world = session::<G>(83, ROUND_S);
    world.run(f64::from(WARM_UP_SECONDS + 5) * 1000.0);
    world.leave(0);
    // A seat is kept, and nobody will be able to come back to it.
    world.drop_line(1);
    part(&mut world, 60);
    assert!(until_over(&mut world, 60) <= 1);
}

fn nobody_new_is_let_in_and_who_comes_back_is<G: Game>() {
    let mut world = session::<G>(84, 300);
    world.run(f64::from(WARM_UP_SECONDS + 5) * 1000.0);
    world.drop_line(1);
    part(&mut world, 30);
    let late = world.join("Cid", LINE);
    world.return_to_seat(1, LINE);
    world.run(2000.0);
    assert_eq!(world.guests[late].client.me(), None);
    let closed = world.guests[late].outbox.closed().expect("shown the door");
    assert_eq!(closed.0, CloseCode::GoingAway);
    assert_eq!((world.session.players(), world.session.away()), (2, 0));
}

fn config() -> Config {
    let stopping = StoppingConfig { drain_seconds: Some(120) };
    Config { stopping, limits: hasty(), pilots: 0, round_seconds: 0, ..Config::default() }
}

#[tokio::test]
async fn a_server_that_is_asked_to_stop_opens_nothing_and_waits_for_its_players() {
    let mut running = Running::start_draining::<Buoys>(&config());
    let mut ann = running.join("Ann").await;
    running.ask_to_stop();
    eventually("draining", || running.server.common.stopping.is_draining()).await;
    for path in ["/api/tickets", "/api/sessions"] {
        let asked = running.post(path, "{}").await;
        assert!(asked.problem(503).contains("about to stop"), "{path}");
        assert!(asked.header("retry-after").is_some(), "{path}");
    }
    assert_eq!(running.try_open("/play").await.err(), Some(503));
    // When the last one leaves nothing holds it any more.
    ann.send(&tests::harness::close(1000, b"")).await;
    running.stop().await.expect("an orderly end");
}

#[tokio::test]
async fn where_matches_are_kept_nothing_is_waited_for_unless_it_is_set() {
    for (keeps, drain_seconds, waits) in
        [(true, None, false), (true, Some(60), true), (false, None, true), (false, Some(0), false)]
    {
        let folder = Folder::new();
        let data = keeps.then(|| folder.path().to_owned());
        let stopping = StoppingConfig { drain_seconds };
        let mut running = Running::start_draining::<Buoys>(&Config { data, stopping, ..config() });
        let mut ann = running.join("Ann").await;
        running.ask_to_stop();
        let stopping = running.server.common.stopping.clone();
        eventually("draining", || stopping.is_draining()).await;
        let left = stopping.left().expect("it is draining");
        assert_eq!(left > Duration::from_secs(30), waits, "{keeps} {drain_seconds:?}: {left:?}");
        ann.send(&tests::harness::close(1000, b"")).await;
        running.stop().await.expect("an orderly end");
    }
}

#[tokio::test]
async fn open_sessions_open_again_with_their_hosts_and_ended_ones_do_not() {
    let folder = std::env::temp_dir().join(format!("gamekeeper-again-{}", std::process::id()));
    let config = Config { data: Some(folder.clone()), ..config() };
    let running = Running::start_empty::<Buoys>(&config);
    let create = |name: &str| json!({ "name": name, "public": false }).to_string();
    let mut made = Vec::new();
    for name in ["Lasts", "Ends"] {
        let answer = running.post("/api/sessions", &create(name)).await.expect(201);
        let text = |key: &str| answer[key].as_str().expect(key).to_owned();
        made.push((text("code"), text("host_secret")));
    }
    let [(lasts, secret), (ends, ends_secret)] = &made[..] else { unreachable!() };
    let renamed = r#"{"action":"rename","name":"Renamed"}"#;
    assert_eq!(running.act(lasts, secret, renamed).await.status, 204);
    assert_eq!(running.act(ends, ends_secret, r#"{"action":"end"}"#).await.status, 204);
    within(PATIENCE, "the end of one", async {
        while running.server.common.directory.len() > 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    running.stop().await.unwrap();

    let running = Running::start_empty::<Buoys>(&config);
    let path = format!("/api/sessions/{lasts}");
    within(PATIENCE, "sessions", async {
        while running.server.common.directory.is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(running.get(&path).await.expect(200)["session"]["name"], "Renamed");
    assert_eq!(running.get(&format!("/api/sessions/{ends}")).await.status, 404);
    let locked = r#"{"action":"lock","locked":true}"#;
    assert_eq!(running.act(lasts, &"0".repeat(32), locked).await.status, 403);
    assert_eq!(running.act(lasts, secret, locked).await.status, 204);
    running.stop().await.unwrap();
    std::fs::remove_dir_all(folder).expect("it was made");
}
