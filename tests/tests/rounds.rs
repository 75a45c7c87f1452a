//! Rounds, teams and their results, with each game, over a network in memory.

use server::session::acts::{HostAction, OperatorAction, Order};
use server::session::door::ToSession;
use server::session::rounds::{RESULTS_SECONDS, WARM_UP_SECONDS};
use server::session::settings::{Mode, PilotCount, SessionSettings};
use server::session::status::PhaseName;
use server::session::{Provided, SessionConfig};
use shared::arena::{Arena, Settings};
use shared::game::{Game, PlayerId, Setup};
use shared::netcode::client::News;
use shared::netcode::conditions::Conditions;
use shared::wire::HostSecret;
use shared::wire::message::{ClientMessage, Phase, RESULTS_MAX, ServerMessage};
use shared::wire::{Role, Row};
use std::collections::BTreeMap;
use tests::story::assert_honest;
use tests::with_every_game;
use tests::world::World;

with_every_game! {
    a_session_warms_up_plays_shows_results_and_plays_again,
    a_lone_guest_stays_in_the_warm_up,
    who_comes_in_the_middle_is_told_where_the_round_is,
    in_the_results_nobody_moves,
    in_the_results_nobody_is_drawn_as_if_they_moved,
    who_comes_while_results_are_shown_is_told_them,
    who_watches_the_past_is_told_results_when_they_see_them,
    who_missed_messages_is_told_all_that_stands,
    teams_stay_even_whoever_comes_and_goes,
    people_are_moved_before_a_round_where_teams_are_uneven,
    nobody_is_moved_where_the_host_has_put_somebody,
    rounds_of_a_session_that_somebody_made_do_not_count,
    what_somebody_won_for_a_team_stays_with_it,
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
    assert_eq!(world.session.status().phase, PhaseName::Results);
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

/// What moves of the guest's own in the picture of now: places and angles.
fn drawn<G: Game>(world: &mut World<G>) -> Vec<f32> {
    let scene = world.guests[0].client.draw(world.now).expect("a picture");
    let mut drawn = Vec::new();
    for (kind, spec) in G::KINDS.iter().enumerate().filter(|(_, spec)| spec.leads() > 0) {
        for (_, units, _) in scene.table(kind).iter().filter(|(_, _, own)| *own) {
            let moves = |role| matches!(role, Role::X | Role::Y | Role::Angle);
            let fields = spec.fields.iter().zip(units).filter(|(field, _)| moves(field.role));
            drawn.extend(fields.map(|(_, units)| *units));
        }
    }
    drawn
}

fn in_the_results_nobody_is_drawn_as_if_they_moved<G: Game>() {
    // Without pilots nobody shoots, so that the ship is still there.
    let mut world = rounds::<G>(38, 0, PilotCount::Always(0));
    guests(&mut world, 2);
    world.guests.iter_mut().for_each(|guest| guest.plays = false);
    // With each game this goes somewhere, and is not how one points who does nothing.
    let held: Vec<_> = G::Input::FIELDS
        .iter()
        .map(|field| match field.role {
            Role::Angle => field.max() / 3,
            Role::Plain => 1,
            _ => 0,
        })
        .collect();
    world.run(seconds(WARM_UP_SECONDS + ROUND_S - 2));
    world.guests[0].client.set_input(G::Input::read(&held));
    let before = drawn(&mut world);
    world.run(100.0);
    assert_ne!(drawn(&mut world), before, "while the round lasts it goes somewhere");
    world.run(seconds(7));
    assert_eq!(world.session.status().phase, PhaseName::Results);
    let rest = drawn(&mut world);
    assert!(!rest.is_empty());
    // Four pictures a tick, for half a second.
    for picture in 0..60 {
        world.run(1.0);
        assert_eq!(drawn(&mut world), rest, "picture {picture}");
    }
}

/// As many as are told to everybody, and one more.
fn crowded<G: Game>(seed: u64, delay_s: u32) -> World<G> {
    let setup = Setup::new(G::Settings::default(), seed, 30);
    let pilots = PilotCount::Always(RESULTS_MAX as u16 + 1);
    let (round_s, spectator_delay_s) = (ROUND_S, delay_s);
    let config = SessionConfig { round_s, spectator_delay_s, pilots, ..SessionConfig::new(setup) };
    let mut world = World::open(config);
    // Of those with as many points whoever came first is first: the pilots.
    world.run(200.0);
    guests(&mut world, 2);
    world.guests.iter_mut().for_each(|guest| guest.plays = false);
    world
}

/// The players of all results that a guest was told, best first.
fn told<G: Game>(world: &World<G>, guest: usize) -> Vec<Vec<u16>> {
    let results = world.guests[guest].results().into_iter();
    results.map(|(_, lines)| lines.iter().map(|line| line.player.0).collect()).collect()
}

fn who_comes_while_results_are_shown_is_told_them<G: Game>() {
    let mut world = crowded::<G>(39, 0);
    world.run(seconds(WARM_UP_SECONDS + ROUND_S - 3));
    let away = world.guests[1].client.me().expect("let in").0;
    world.drop_line(1);
    world.run(seconds(6));
    assert_eq!(world.session.status().phase, PhaseName::Results);
    world.return_to_seat(1, LINE);
    let late = world.join("late", LINE);
    world.run(500.0);
    let result = world.session.take_results().remove(0);
    let players: Vec<_> = result.places.iter().map(|place| place.player).collect();
    let (players, others) = players.split_at(RESULTS_MAX);
    assert!(others.contains(&away), "a story about who is not among the best");
    assert_eq!(told(&world, late), [players]);
    // Of several results a client shows the last.
    for guest in 0..2 {
        let own = world.guests[guest].client.me().expect("let in").0;
        let last = told(&world, guest).pop().expect("told");
        assert_eq!(last, [players, &[own]].concat());
    }
    assert_eq!(told(&world, 1).len(), 1);
    // What is over is old news.
    world.run(seconds(RESULTS_SECONDS));
    let next = world.join("next", LINE);
    world.run(500.0);
    assert_eq!((world.session.status().round, told(&world, next).len()), (2, 0));
    assert_honest(&world);
}

fn who_watches_the_past_is_told_results_when_they_see_them<G: Game>() {
    const DELAY_S: u32 = 5;
    let mut world = crowded::<G>(40, DELAY_S);
    world.run(seconds(WARM_UP_SECONDS + ROUND_S + 1));
    let phase = world.session.status().phase;
    assert_eq!((phase, told(&world, 0).len()), (PhaseName::Results, 2));
    let eye = world.join_as("eye", LINE, |hello| hello.watch = true);
    world.run(seconds(DELAY_S) - 2000.0);
    assert_eq!(told(&world, eye).len(), 0, "they see the round");
    world.run(3000.0);
    assert_eq!(told(&world, eye).len(), 1);
}

fn who_missed_messages_is_told_all_that_stands<G: Game>() {
    let mut world = rounds::<G>(41, 0, PilotCount::FillUpTo(4));
    guests(&mut world, 2);
    world.run(seconds(WARM_UP_SECONDS + ROUND_S - 1));
    world.guests[1].outbox.set_full(true);
    // What is on the line already arrives.
    world.run(100.0);
    let before = world.guests[1].news.len();
    let player = world.guests[1].client.me().expect("let in").0;
    let hand_over = OperatorAction::AsHost(HostAction::HandOver { player });
    assert_eq!(world.order(Order::Operator(hand_over)), Ok(()));
    world.run(seconds(4));
    let at = f64::from(world.session.tick_now());
    for _ in 0..300 {
        world.session.handle(ToSession::Announce { text: "Hear, hear!".into() }, at);
    }
    world.run(200.0);
    assert_eq!(world.guests[1].news.len(), before, "nothing gets through");
    world.guests[1].outbox.set_full(false);
    // Nobody wins anything any more: it is not news that brings the standings.
    world.run(seconds(2));
    assert_eq!(world.session.status().phase, PhaseName::Results);
    assert!(world.guests[1].lines().iter().any(|(_, text)| text.contains("messages are lost")));
    assert_eq!(world.guests[1].host_secret(), world.session.host());
    assert!(world.session.host().is_some());
    let results = world.guests[1].results();
    assert_eq!((results.len(), results.last()), (1, world.guests[0].results().last()));
    let news = &world.guests[1].news[before..];
    let standings =
        |news: &&News<G::Event>| matches!(news, News::Said(ServerMessage::Standings { .. }));
    assert_eq!(news.iter().filter(standings).count(), 1);
    assert_honest(&world);
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

fn people_are_moved_before_a_round_where_teams_are_uneven<G: Game>() {
    for switch_teams in [true, false] {
        let mut setup = Setup::new(G::Settings::default(), 39, 30);
        setup.teams = 2;
        let pilots = PilotCount::Always(0);
        let config =
            SessionConfig { round_s: ROUND_S, pilots, switch_teams, ..SessionConfig::new(setup) };
        let mut world = World::<G>::open(config);
        for n in 0..10 {
            world.join(&format!("guest {n}"), LINE);
            world.run(200.0);
        }
        let team = |world: &World<G>, n: usize| world.guests[n].entry().team;
        let told = |world: &World<G>, n: usize| {
            world.guests[n].lines().iter().filter(|(_, line)| line.contains("uneven")).count()
        };
        world.run(seconds(WARM_UP_SECONDS + 2));
        assert_eq!(sizes(&world), BTreeMap::from([(1, 5), (2, 5)]));
        // Three of the first team leave: nobody is moved while the round is on.
        let (first, second): (Vec<_>, Vec<_>) = (0..10).partition(|&n| team(&world, n) == 1);
        first[..3].iter().for_each(|&n| world.leave(n));
        world.run(seconds(ROUND_S));
        assert_eq!(sizes(&world), BTreeMap::from([(1, 2), (2, 5)]));
        world.run(seconds(RESULTS_SECONDS));
        if !switch_teams {
            assert_eq!(sizes(&world), BTreeMap::from([(1, 2), (2, 5)]), "as the host has put them");
            continue;
        }
        // One is enough: who came last.
        assert_eq!(sizes(&world), BTreeMap::from([(1, 3), (2, 4)]));
        assert_eq!((team(&world, second[4]), told(&world, second[4])), (1, 1));
        // The next time it is somebody else, though that one came last.
        world.leave(second[0]);
        world.leave(second[1]);
        world.run(seconds(ROUND_S + RESULTS_SECONDS));
        assert_eq!(sizes(&world), BTreeMap::from([(1, 3), (2, 2)]), "even enough");
        world.leave(second[2]);
        world.run(seconds(ROUND_S + RESULTS_SECONDS));
        assert_eq!(sizes(&world), BTreeMap::from([(1, 2), (2, 2)]));
        assert_eq!((team(&world, first[4]), told(&world, first[4])), (2, 1));
        assert_eq!((team(&world, second[4]), told(&world, second[4])), (1, 1));
        assert_honest(&world);
    }
}

fn nobody_is_moved_where_the_host_has_put_somebody<G: Game>() {
    const SECRET: HostSecret = HostSecret([7; 16]);
    let mut setup = Setup::new(G::Settings::default(), 40, 30);
    setup.teams = 2;
    let pilots = PilotCount::Always(0);
    let provided = Provided { host: Some(SECRET), ..Provided::default() };
    let config = SessionConfig { round_s: ROUND_S, pilots, provided, ..SessionConfig::new(setup) };
    let mut world = World::<G>::open(config);
    for n in 0..4 {
        world.join(&format!("guest {n}"), LINE);
    }
    world.run(seconds(WARM_UP_SECONDS + 2));
    let all: Vec<_> = (0..4).map(|n| world.guests[n].entry()).collect();
    let one = all.iter().find(|entry| entry.team == 2).expect("teams are even").player.0;
    assert_eq!(world.act(SECRET, HostAction::Move { player: one, team: 1 }), Ok(()));
    world.run(seconds(ROUND_S + RESULTS_SECONDS));
    assert_eq!(sizes(&world), BTreeMap::from([(1, 3), (2, 1)]), "all against one");
    assert_honest(&world);
}

fn rounds_of_a_session_that_somebody_made_do_not_count<G: Game>() {
    for made in [true, false] {
        let setup = Setup::new(G::Settings::default(), 38, 30);
        let host = made.then_some(HostSecret([7; 16]));
        let provided = Provided { host, ..Provided::default() };
        let pilots = PilotCount::FillUpTo(4);
        let config =
            SessionConfig { round_s: ROUND_S, pilots, provided, ..SessionConfig::new(setup) };
        let mut world = World::<G>::open(config);
        guests(&mut world, 1);
        world.run(seconds(WARM_UP_SECONDS + ROUND_S + 2));
        let result = world.session.take_results().remove(0);
        assert_eq!((result.public, result.counts), (true, !made));
    }
}

fn what_somebody_won_for_a_team_stays_with_it<G: Game>() {
    let mut world = rounds::<G>(37, 2, PilotCount::FillUpTo(8));
    guests(&mut world, 4);
    world.run(seconds(WARM_UP_SECONDS + ROUND_S - 3));
    let points = |world: &World<G>| -> Vec<i32> {
        let said: Vec<_> = world.guests[3].said_to().collect();
        let told = said.into_iter().rev().find_map(|said| match said {
            ServerMessage::Standings { teams, .. } => Some(teams),
            _ => None,
        });
        told.expect("standings").clone()
    };
    let score = |world: &World<G>, n: usize| {
        world.session.score(world.guests[n].client.me().expect("let in"))
    };
    assert!((0..3).any(|n| score(&world, n) > 0), "nobody won anything");
    let before = points(&world);
    // One goes, one only watches from now on, and one is for the others.
    world.leave(0);
    world.guests[1].client.say(&ClientMessage::Watch(true));
    let others = 3 - world.guests[2].entry().team;
    world.guests[2].client.say(&ClientMessage::Team(others));
    world.run(1500.0);
    let after = points(&world);
    let kept = before.iter().zip(&after).all(|(before, after)| after >= before);
    assert!(kept, "{before:?} became {after:?}");
    world.run(seconds(3));
    let result = world.session.take_results().remove(0);
    assert!(before.iter().zip(&result.teams).all(|(before, end)| end >= before), "{result:?}");
    assert!(result.counts, "nobody made this session");
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
        News::Event {
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
