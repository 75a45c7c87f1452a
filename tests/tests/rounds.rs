//! Rounds, teams and their results, with each game, over a network in memory.

use server::session::SessionConfig;
use server::session::rounds::{RESULTS_SECONDS, WARM_UP_SECONDS};
use server::session::settings::{Mode, PilotCount, SessionSettings};
use shared::arena::{Arena, Settings};
use shared::game::{Game, PlayerId, Setup};
use shared::netcode::conditions::Conditions;
use shared::wire::message::{ClientMessage, Phase};
use std::collections::BTreeMap;
use tests::story::assert_honest;
use tests::with_every_game;
use tests::world::World;

with_every_game! {
    a_session_warms_up_plays_shows_results_and_plays_again,
    a_lone_guest_stays_in_the_warm_up,
    who_comes_in_the_middle_is_told_where_the_round_is,
    in_the_results_nobody_moves,
    teams_stay_even_whoever_comes_and_goes,
    a_change_of_teams_is_granted_while_they_stay_even,
}

const LINE: Conditions = Conditions::round_trip(60.0, 10.0);
const ROUND_S: u32 = 20;

fn rounds<G: Game>(seed: u64, teams: u8, pilots: PilotCount) -> World<G> {
    let mut setup = Setup::new(G::Settings::default(), seed, 30);
    setup.teams = teams;
    World::open(SessionConfig { round_s: ROUND_S, pilots, ..SessionConfig::new(setup) })
}

fn guests<G: Game>(world: &mut World<G>, count: usize) {
    for n in 0..count {
        world.join(&format!("guest {n}"), LINE);
    }
}

fn seconds(seconds: u32) -> f64 {
    f64::from(seconds) * 1000.0
}

fn a_session_warms_up_plays_shows_results_and_plays_again<G: Game>() {
    let mut world = rounds::<G>(30, 0, PilotCount::FillUpTo(4));
    guests(&mut world, 2);
    world.run(seconds(WARM_UP_SECONDS + ROUND_S + RESULTS_SECONDS + 5));
    let phases: Vec<_> =
        world.guests[0].phases().iter().map(|(phase, round, _)| (*phase, *round)).collect();
    let mut told = phases.clone();
    told.dedup();
    let (warm_up, play, results) = (Phase::WarmUp, Phase::Play, Phase::Results);
    assert_eq!(told, [(warm_up, 0), (play, 1), (results, 1), (play, 2)], "{phases:?}");
    // Both saw both worlds as they were, and neither lost the thread in between.
    assert_honest(&world);
    for guest in &world.guests {
        assert!(guest.verified > 800, "{}", guest.verified);
        let stats = guest.client.stats();
        assert_eq!((stats.mismatches, stats.refused), (0, 0));
    }
    let results = world.session.take_results();
    assert_eq!(results.len(), 1);
    let result = &results[0];
    assert_eq!((result.round, result.seconds, result.mode), (1, ROUND_S, Mode::FreeForAll));
    let people: Vec<_> = result.places.iter().filter(|p| !p.computer).map(|p| &p.name).collect();
    assert_eq!((result.places.len(), people.len()), (4, 2));
    assert!(result.places.is_sorted_by(|a, b| a.score >= b.score && a.place <= b.place));
    assert!(result.places.iter().all(|place| place.figures.len() == G::FIGURES.len()));
    let (_, lines) = &world.guests[1].results()[0];
    let told: Vec<_> = lines.iter().map(|line| (line.place, line.player.0, line.score)).collect();
    let kept: Vec<_> = result.places.iter().map(|p| (p.place, p.player, p.score)).collect();
    assert_eq!(told, kept);
}

fn a_lone_guest_stays_in_the_warm_up<G: Game>() {
    let mut world = rounds::<G>(31, 0, PilotCount::Always(0));
    world.join("alone", LINE);
    world.run(seconds(3 * WARM_UP_SECONDS));
    assert_eq!(world.guests[0].phases(), [(Phase::WarmUp, 0, None)]);
    world.join("company", LINE);
    world.run(seconds(WARM_UP_SECONDS + 1));
    let last = *world.guests[0].phases().last().expect("phases are told");
    assert_eq!((last.0, last.1), (Phase::Play, 1));
    // Nobody is left to win: no result.
    world.leave(0);
    world.leave(1);
    world.run(seconds(ROUND_S + 1));
    assert_eq!(world.session.take_results(), []);
}

fn who_comes_in_the_middle_is_told_where_the_round_is<G: Game>() {
    let mut world = rounds::<G>(32, 0, PilotCount::FillUpTo(4));
    world.join("first", LINE);
    world.run(seconds(WARM_UP_SECONDS + 5));
    let late = world.join("late", LINE);
    world.run(1000.0);
    let ends = world.guests[0].phases().last().expect("phases").2;
    assert_eq!(world.guests[late].phases(), [(Phase::Play, 1, ends)]);
    let left = ends.expect("a round ends") - world.session.tick_now();
    assert!(left <= 30 * (ROUND_S - 5) && left > 30 * (ROUND_S - 8), "{left} ticks");
    assert_honest(&world);
}

fn in_the_results_nobody_moves<G: Game>() {
    let mut world = rounds::<G>(33, 0, PilotCount::FillUpTo(3));
    world.join("guest", LINE);
    world.run(seconds(WARM_UP_SECONDS + ROUND_S + 6));
    assert_eq!(world.session.status().phase, server::session::status::PhaseName::Results);
    let kind = G::KINDS.iter().position(|kind| kind.leads() > 0).expect("something is steered");
    let leads = G::KINDS[kind].leads();
    let rows = world.session.world().now().table(kind);
    let idle = vec![0; leads];
    assert!(rows.len() > 1 && rows.iter().all(|(_, row)| row[..leads] == idle[..]));
    // What the guest predicts is that it does nothing, too.
    let before = world.guests[0].client.stats().corrections;
    world.run(3000.0);
    assert_eq!(world.guests[0].client.stats().corrections, before);
}

fn sizes<G: Game>(world: &World<G>) -> BTreeMap<u8, usize> {
    let mut sizes = BTreeMap::new();
    for entry in world.guests.last().expect("somebody").roster().values() {
        *sizes.entry(entry.team).or_default() += 1;
    }
    sizes
}

fn teams_stay_even_whoever_comes_and_goes<G: Game>() {
    let mut world = rounds::<G>(34, 3, PilotCount::FillUpTo(12));
    for n in 0..9 {
        world.join(&format!("guest {n}"), LINE);
        world.run(400.0);
    }
    world.run(500.0);
    assert_eq!(sizes(&world), BTreeMap::from([(1, 4), (2, 4), (3, 4)]));
    // Whoever is in the first team leaves; pilots come back, into that team first.
    let first: Vec<_> = (0..8).filter(|&n| world.guests[n].entry().team == 1).take(3).collect();
    first.iter().for_each(|&n| world.leave(n));
    world.run(1000.0);
    assert_eq!(sizes(&world), BTreeMap::from([(1, 4), (2, 4), (3, 4)]));
    assert_honest(&world);
}

fn a_change_of_teams_is_granted_while_they_stay_even<G: Game>() {
    let mut world = rounds::<G>(35, 2, PilotCount::FillUpTo(6));
    guests(&mut world, 2);
    world.run(1000.0);
    let teams = |world: &World<G>| [0, 1].map(|n: usize| world.guests[n].entry().team);
    assert_eq!(teams(&world), [1, 2]);
    // A pilot makes room.
    world.guests[1].client.say(&ClientMessage::Team(1));
    world.run(1000.0);
    assert_eq!((teams(&world), sizes(&world)), ([1, 1], BTreeMap::from([(1, 3), (2, 3)])));
    // Not again at once: everybody is told of each change, and each gives a fresh ship.
    world.guests[1].client.say(&ClientMessage::Team(2));
    world.guests[1].client.say(&ClientMessage::Team(1));
    world.guests[1].client.say(&ClientMessage::Watch(true));
    world.run(500.0);
    assert_eq!((teams(&world), world.session.spectators()), ([1, 1], 0));
    let told = world.guests[1].lines().into_iter().filter(|(_, line)| line.contains("One moment"));
    assert_eq!(told.count(), 2, "two wishes; to be where one is, is none");
    world.run(2000.0);
    world.guests[1].client.say(&ClientMessage::Team(2));
    world.run(500.0);
    assert_eq!(teams(&world), [1, 2]);
    // Two against nobody is not even, where there are no pilots; nor is a team that there is not.
    let mut world = rounds::<G>(36, 2, PilotCount::Always(0));
    guests(&mut world, 2);
    world.run(1000.0);
    for team in [1, 0, 3, 255] {
        world.guests[1].client.say(&ClientMessage::Team(team));
    }
    world.run(1000.0);
    assert_eq!(teams(&world), [1, 2]);
    assert!(
        world.guests[1]
            .lines()
            .iter()
            .any(|(from, line)| { from.is_none() && line.contains("stay even") })
    );
}

/// Kills and hits of a session of two teams of pilots: each victim's and killer's team.
fn fight(friendly_fire: bool) -> Vec<(u8, u8)> {
    let settings = Settings { size: 1800, rock_density: 0.0, friendly_fire, ..Settings::default() };
    let mut setup = Setup::new(settings, 37, 30);
    setup.teams = 2;
    let pilots = PilotCount::Always(12);
    let mut world = World::<Arena>::open(SessionConfig { pilots, ..SessionConfig::new(setup) });
    let guest = world.join("guest", LINE);
    world.guests[guest].plays = false;
    world.run(60_000.0);
    let roster = world.guests[guest].roster();
    let team = |player: PlayerId| roster[&player].team;
    let kills = world.guests[guest].news.iter().filter_map(|news| match news {
        shared::netcode::client::News::Event {
            event: shared::arena::ArenaEvent::Kill { killer: Some(killer), victim, .. },
            ..
        } => Some((team(*killer), team(*victim))),
        _ => None,
    });
    kills.collect()
}

#[test]
fn nobody_harms_the_own_team_unless_the_settings_say_so() {
    let kills = fight(false);
    assert!(kills.len() > 20, "{}", kills.len());
    assert!(kills.iter().all(|(killer, victim)| killer != victim), "{kills:?}");
    let kills = fight(true);
    assert!(kills.iter().any(|(killer, victim)| killer == victim), "{kills:?}");
}

#[test]
fn settings_out_of_range_are_a_sentence_and_sensible_ones_a_session() {
    let usual = SessionSettings::default;
    let config = usual().config::<Arena>(7).expect("what is usual is fine");
    assert_eq!((config.setup.seed, config.setup.teams, config.round_s), (7, 0, 300));
    let game = |text: &str| serde_json::from_str(text).expect("JSON");
    for (bad, word) in [
        (SessionSettings { name: " \u{200b}".into(), ..usual() }, "name"),
        (SessionSettings { tick_rate: 9, ..usual() }, "tick_rate"),
        (SessionSettings { rewind_ms: 501, ..usual() }, "rewind_ms"),
        (SessionSettings { max_players: 0, ..usual() }, "max_players"),
        (SessionSettings { round_s: 19, ..usual() }, "round_s"),
        (SessionSettings { spectator_delay_s: 31, ..usual() }, "spectator_delay_s"),
        (SessionSettings { mode: Mode::Teams, teams: 5, ..usual() }, "teams"),
        (SessionSettings { pilots: PilotCount::Always(1001), ..usual() }, "pilots"),
        (SessionSettings { game: game(r#"{"size": 17}"#), ..usual() }, "side"),
        (SessionSettings { game: game(r#"{"sise": 3000}"#), ..usual() }, "sise"),
    ] {
        let Err(said) = bad.config::<Arena>(7) else { panic!("{word} was taken") };
        assert!(said.contains(word), "{said}");
    }
}
