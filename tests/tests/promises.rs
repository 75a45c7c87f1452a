//! What the guide promises whoever writes a game, asked for by one that needs all of it; and what becomes of mistakes.

use server::config::Config;
use server::net::limits::{Limits, Rate};
use server::session::SessionConfig;
use server::session::rounds::{RESULTS_SECONDS, WARM_UP_SECONDS};
use server::session::settings::{PilotCount, SessionSettings};
use shared::game::Setup;
use shared::netcode::client::News;
use shared::netcode::conditions::Conditions;
use shared::wire::message::{Phase, ServerMessage};
use tests::harness::{Running, hasty};
use tests::picky::{Picky, Wishes};
use tests::world::World;

const LINE: Conditions = Conditions::round_trip(60.0, 10.0);
/// A seed that the rules take.
const SEED: u64 = 5;

fn config(wishes: Wishes, pilots: u16) -> SessionConfig<Wishes> {
    let pilots = PilotCount::Always(pilots);
    SessionConfig { round_s: 300, pilots, ..SessionConfig::new(Setup::new(wishes, SEED, 30)) }
}

fn alone(wishes: Wishes, pilots: u16) -> World<Picky> {
    let mut world = World::open(config(wishes, pilots));
    world.join("one", LINE);
    world.guests[0].plays = false;
    world
}

fn phases(world: &World<Picky>) -> Vec<(Phase, u32)> {
    world.guests[0].phases().iter().map(|(phase, round, _)| (*phase, *round)).collect()
}

#[test]
fn a_round_for_one_begins_and_ends_when_it_is_decided() {
    let mut world = alone(Wishes { decided: 60, ..Wishes::default() }, 0);
    world.run(1000.0 * f64::from(WARM_UP_SECONDS) + 3000.0);
    assert_eq!(phases(&world).last(), Some(&(Phase::Results, 1)), "{:?}", phases(&world));
    let results = world.session.take_results();
    assert_eq!((results.len(), results[0].seconds), (1, 2));
    world.run(1000.0 * f64::from(RESULTS_SECONDS));
    assert_eq!(phases(&world).last(), Some(&(Phase::Play, 2)));
}

#[test]
fn pilots_know_nothing_of_the_round_before() {
    let mut world = alone(Wishes { decided: 60, ..Wishes::default() }, 3);
    world.run(1000.0 * f64::from(WARM_UP_SECONDS + 2 + RESULTS_SECONDS) + 1500.0);
    assert_eq!(phases(&world).last(), Some(&(Phase::Play, 2)));
    let me = world.guests[0].client.me().expect("let in");
    assert_eq!(world.session.score(me), 0, "somebody took the second world for the first");
}

#[test]
fn a_game_says_what_a_team_has() {
    let mut open = config(Wishes { goals: true, decided: 60, ..Wishes::default() }, 2);
    open.setup.teams = 2;
    let mut world = World::<Picky>::open(open);
    world.join("one", LINE);
    world.run(1000.0 * f64::from(WARM_UP_SECONDS) + 3000.0);
    let told = world.guests[0].said_to().filter_map(|said| match said {
        ServerMessage::Standings { teams, .. } | ServerMessage::Results { teams, .. } => {
            Some(teams)
        }
        _ => None,
    });
    // Before anybody is ranked nobody has anything.
    let told: Vec<_> = told.filter(|teams| !teams.is_empty()).collect();
    assert!(told.len() > 1 && told.iter().all(|teams| **teams == [100, 200]), "{told:?}");
    assert_eq!(world.session.take_results()[0].teams, [100, 200]);
}

#[test]
fn more_events_than_anybody_reads_cost_nobody_the_picture() {
    let mut world = alone(Wishes { events: 500, ..Wishes::default() }, 0);
    world.run(3000.0);
    let guest = &world.guests[0];
    let told = guest.news.iter().filter(|news| matches!(news, News::Event { .. })).count();
    // 64 at once, and 8 in each of the ninety ticks.
    assert!((600..800).contains(&told), "{told}");
    assert_eq!(guest.client.stats().keyframes, 1);
}

#[test]
#[should_panic(expected = "leaf 0: x is ")]
fn what_drifts_out_of_its_range_is_named_though_all_foresee_it() {
    let mut world = alone(Wishes { drifts: true, ..Wishes::default() }, 0);
    world.run(10_000.0);
}

#[test]
#[should_panic(expected = "figures of a player are as many as FIGURES")]
fn figures_without_a_name_are_told_of() {
    let mut world = alone(Wishes { miscounts: true, decided: 60, ..Wishes::default() }, 0);
    world.run(1000.0 * f64::from(WARM_UP_SECONDS) + 3000.0);
}

#[test]
fn settings_that_no_client_could_read_open_no_session() {
    let game = serde_json::from_str(r#"{"is_not_written": true}"#).expect("JSON");
    let settings = SessionSettings { game, ..SessionSettings::default() };
    let why = settings.config::<Picky>(SEED).expect_err("no client could read them");
    assert!(why.contains("bincode"), "{why}");
}

#[tokio::test]
async fn a_seed_that_rules_refuse_turns_nobody_away() {
    let create_rate = Rate { burst: 20.0, per_second: 1.0 };
    let limits = Limits { create_rate, ..hasty() };
    let config = Config { max_sessions: 40, limits, ..Config::default() };
    let running = Running::start_empty::<Picky>(&config);
    // One seed of eight is refused; of nine one after the other, all of them one time in a hundred million.
    for _ in 0..20 {
        let answer = running.post("/api/sessions", "{}").await;
        assert_eq!(answer.status, 201, "{}", answer.body);
    }
    running.stop().await.expect("stops");
}
