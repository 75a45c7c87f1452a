//! Who watches a session, with each game, over a network in memory: where they look, and how late what they see is.

use server::session::SessionConfig;
use server::session::acts::HostAction;
use server::session::rounds::WARM_UP_SECONDS;
use server::session::settings::SessionSettings;
use shared::game::{Game, PlayerId};
use shared::netcode::client::News;
use shared::netcode::conditions::Conditions;
use shared::wire::close::CloseCode;
use shared::wire::message::{ClientMessage, Look, Phase, ServerMessage};
use shared::wire::{Role, Rows};
use std::collections::BTreeMap;
use tests::story::{SECRET, assert_honest, host_config, public};
use tests::with_every_game;
use tests::world::World;

with_every_game! {
    spectators_see_what_they_look_at_and_play_when_they_want,
    what_spectators_see_is_late_when_the_session_wants_it,
    how_everybody_stands_and_who_leads_is_as_late,
    who_comes_to_watch_the_past_is_told_the_results_that_it_shows,
    what_waits_is_shown_before_another_delay_begins,
}

const LINE: Conditions = Conditions::round_trip(60.0, 10.0);
const TICK_MS: f64 = 1000.0 / 30.0;

fn spectators_see_what_they_look_at_and_play_when_they_want<G: Game>() {
    let config = SessionConfig { spectators_max: 1, players_max: 2, ..host_config::<G>(62) };
    let mut world = World::<G>::open(config);
    let one = world.join("one", LINE);
    let eye = world.join_as("eye", LINE, |hello| hello.watch = true);
    world.run(300.0);
    let more = world.join_as("more", LINE, |hello| hello.watch = true);
    world.run(1000.0);
    let turned_away = world.guests[more].outbox.closed().map(|closed| closed.0);
    assert_eq!(turned_away, Some(CloseCode::SessionFull));
    assert!(world.guests[eye].entry().watching);
    assert_eq!((world.session.spectators(), world.session.status().players), (1, 1));
    let has = |rows: &Rows, player: PlayerId| {
        G::KINDS.iter().zip(rows.tables()).any(|(kind, table)| {
            let owner = kind.field_with(Role::Owner);
            kind.leads() > 0
                && table.iter().any(|(_, row)| row[owner.expect("owned")] == i32::from(player.0))
        })
    };
    let sees = |world: &World<G>, player: PlayerId| {
        has(world.guests[eye].client.view().expect("a spectator sees").rows, player)
    };
    let me = world.guests[one].client.me().expect("let in");
    let watch = |world: &mut World<G>, look| {
        world.guests[eye].client.say(&ClientMessage::Look(look));
        world.run(1000.0);
    };
    watch(&mut world, Look::Player(me));
    // Whoever was shot down comes back; who has been there for a second is seen.
    let (mut there_for, mut waited) = (0, 0);
    while there_for < 30 {
        world.run(TICK_MS);
        let is_there = has(world.session.world().now(), me);
        (there_for, waited) = (if is_there { there_for + 1 } else { 0 }, waited + 1);
        assert!(waited < 30 * 30, "nobody is gone for so long");
    }
    assert!(sees(&world, me), "whom they follow");
    // The far corner, where nobody is; nor is anything shown from elsewhere, see `assert_honest`.
    watch(&mut world, Look::Place { x: 1 << 20, y: 1 << 20 });
    assert!(!sees(&world, me));
    watch(&mut world, Look::Leader);
    // Who watches has nothing in the world, and nothing private of anybody's.
    let own = world.guests[eye].client.me().expect("let in");
    assert!(!sees(&world, own));
    world.guests[eye].client.say(&ClientMessage::Watch(false));
    world.run(1500.0);
    assert!(!world.guests[eye].entry().watching && sees(&world, own));
    // Now both seats are taken, and the place to watch is free.
    let third = world.join_as("third", LINE, |hello| hello.watch = true);
    world.run(500.0);
    world.guests[third].client.say(&ClientMessage::Watch(false));
    world.run(500.0);
    assert!(world.guests[third].entry().watching);
    assert!(world.guests[third].lines().iter().any(|(_, text)| text.contains("seats")));
    world.guests[one].client.say(&ClientMessage::Watch(true));
    world.run(500.0);
    assert!(!world.guests[one].entry().watching, "the only place is taken");
    world.leave(third);
    world.run(500.0);
    world.guests[one].client.say(&ClientMessage::Watch(true));
    world.run(1500.0);
    assert!(world.guests[one].entry().watching);
    assert_honest(&world);
}

fn what_spectators_see_is_late_when_the_session_wants_it<G: Game>() {
    const DELAY_S: u32 = 3;
    let config = SessionConfig { spectator_delay_s: DELAY_S, round_s: 20, ..host_config::<G>(63) };
    let mut world = World::<G>::open(config);
    world.join("one", LINE);
    let eye = world.join_as("eye", LINE, |hello| hello.watch = true);
    world.guests[eye].plays = false;
    // Through a warm-up, a round, its results and into the next one.
    let ticks: u32 = 30 * (8 + 20 + 12 + 8);
    let mut truth = BTreeMap::new();
    while world.session.tick_now() < ticks {
        world.run(TICK_MS);
        let tick = world.session.tick_now();
        truth.insert(tick, public(&world));
        let Some(then) = tick.checked_sub(30 * DELAY_S).and_then(|then| truth.get(&then)) else {
            continue;
        };
        assert_eq!(world.session.shown_to_spectators().now(), then, "at tick {tick}");
    }
    assert_honest(&world);
    let stats = world.guests[eye].client.stats();
    assert_eq!((stats.mismatches, stats.refused), (0, 0));
    assert!(world.guests[eye].verified > u64::from(ticks) / 2, "{}", world.guests[eye].verified);
    // They are told as late as they see it.
    let end = |guest: usize| -> Vec<u32> {
        world.guests[guest].phases().iter().filter_map(|phase| phase.2).collect()
    };
    let (player, spectator) = (end(0), end(eye));
    let later: Vec<_> = player.iter().map(|end| end + 30 * DELAY_S).collect();
    let common = spectator.len().min(later.len());
    assert!(common >= 3, "{player:?} {spectator:?}");
    assert_eq!(spectator[spectator.len() - 3..], later[later.len() - 3..]);
}

/// Everybody's points, best first.
fn ranking<G: Game>(world: &World<G>) -> Vec<(PlayerId, i32)> {
    let roster = world.guests[0].roster().into_values().filter(|entry| !entry.watching);
    let mut all: Vec<_> = roster.map(|e| (e.player, world.session.score(e.player))).collect();
    all.sort_by_key(|&(player, score)| (-score, player));
    all
}

/// Where somebody is of what spectators are shown.
fn shown<G: Game>(world: &World<G>, player: PlayerId) -> Option<(f32, f32)> {
    let kind = G::KINDS.iter().position(|kind| kind.leads() > 0).expect("something is steered");
    let field = |role| G::KINDS[kind].field_with(role).expect("it has one");
    let table = world.session.shown_to_spectators().now().table(kind);
    let units = |role, row: &[i32]| G::KINDS[kind].fields[field(role)].to_units(row[field(role)]);
    let own = |row: &[i32]| row[field(Role::Owner)] == i32::from(player.0);
    table
        .iter()
        .find(|(_, row)| own(row))
        .map(|(_, row)| (units(Role::X, row), units(Role::Y, row)))
}

fn how_everybody_stands_and_who_leads_is_as_late<G: Game>() {
    const DELAY_S: u32 = 20;
    const DELAY: u32 = 30 * DELAY_S;
    let config = SessionConfig { spectator_delay_s: DELAY_S, ..host_config::<G>(75) };
    let mut world = World::<G>::open(config);
    world.join("one", LINE);
    let eye = world.join_as("eye", LINE, |hello| hello.watch = true);
    world.guests[eye].plays = false;
    let (mut truth, mut told, mut led) = (BTreeMap::new(), 0, 0);
    while world.session.tick_now() < 30 * 150 {
        let before = world.session.tick_now();
        world.run(10.0);
        let tick = world.session.tick_now();
        assert!(tick - before <= 1, "tick by tick");
        if tick == before {
            continue;
        }
        // Everybody is ranked once a second.
        if tick.is_multiple_of(30) {
            truth.insert(tick, ranking(&world));
        }
        let seen = tick.checked_sub(DELAY).and_then(|seen| truth.range(..=seen).next_back());
        let standings = world.guests[eye].news.iter().filter_map(|news| match news {
            News::Said(ServerMessage::Standings { best, rank, .. }) => Some((best, *rank)),
            _ => None,
        });
        let (count, newest) = (standings.clone().count(), standings.last());
        if let Some((best, rank)) = newest.filter(|_| count > told) {
            let (then, _) = seen.expect("nobody is told before they see anything");
            let known = truth.range(..=then).any(|(_, ranking)| ranking == best);
            assert!(known && rank == 0, "at tick {tick}: {best:?}, {truth:?}");
        }
        told = count;
        let Some((_, ranking)) = seen else { continue };
        // Whom the camera follows leads there, and not yet here.
        let focus = world.session.focus(world.guests[eye].client.me().expect("let in"));
        if let Some(at) = shown(&world, ranking[0].0) {
            assert_eq!((focus.x, focus.y), at, "at tick {tick}");
            let (_, now) = truth.last_key_value().expect("it is ranked");
            led += u32::from(now[0].0 != ranking[0].0);
        }
    }
    assert!(told > 2 && led > 30, "a story about points: {told} {led}");
    assert_honest(&world);
}

fn results<G: Game>(world: &World<G>, guest: usize) -> usize {
    world.guests[guest].results().len()
}

fn who_comes_to_watch_the_past_is_told_the_results_that_it_shows<G: Game>() {
    const DELAY_S: u32 = 5;
    let config = SessionConfig { spectator_delay_s: DELAY_S, round_s: 20, ..host_config::<G>(76) };
    let mut world = World::<G>::open(config);
    world.join("one", LINE);
    world.run(f64::from(WARM_UP_SECONDS + 20 + 2) * 1000.0);
    let watch = |world: &mut World<G>| {
        let eye = world.join_as("eye", LINE, |hello| hello.watch = true);
        world.run(500.0);
        let phase = world.guests[eye].phases().last().expect("told").0;
        (phase, results(world, eye))
    };
    assert_eq!(results(&world, 0), 1);
    assert_eq!(watch(&mut world), (Phase::Play, 0), "they see the round");
    world.run(5000.0);
    assert_eq!(watch(&mut world), (Phase::Results, 1));
    // The next round is on, and they see the results still.
    world.run(6000.0);
    assert_eq!(world.session.status().round, 2);
    assert_eq!(watch(&mut world), (Phase::Results, 1));
    world.run(4000.0);
    assert_eq!(watch(&mut world), (Phase::Play, 0));
}

fn what_waits_is_shown_before_another_delay_begins<G: Game>() {
    for (before, after) in [(10, 0), (10, 4), (4, 10)] {
        let config =
            SessionConfig { spectator_delay_s: before, round_s: 20, ..host_config::<G>(77) };
        let mut world = World::<G>::open(config);
        world.join("one", LINE);
        let eye = world.join_as("eye", LINE, |hello| hello.watch = true);
        world.guests[eye].plays = false;
        let mut truth = BTreeMap::new();
        while world.session.tick_now() < 30 * (WARM_UP_SECONDS + 20 + 2) {
            world.run(TICK_MS);
            truth.insert(world.session.tick_now(), public(&world));
        }
        assert_eq!((results(&world, 0), results(&world, eye)), (1, 0));
        let spectator_delay_s = after as u8;
        let settings = SessionSettings { spectator_delay_s, round_s: 20, ..Default::default() };
        let change = HostAction::Change { settings: Box::new(settings) };
        assert_eq!(world.act(SECRET, change), Ok(()));
        // So soon after another one no world is made.
        for _ in 0..40 {
            world.run(TICK_MS);
            truth.insert(world.session.tick_now(), public(&world));
        }
        assert_eq!(world.act(SECRET, HostAction::NextRound), Ok(()));
        let changes = world.session.tick_now();
        while world.session.tick_now() < changes + 30 * 19 {
            world.run(TICK_MS);
            let tick = world.session.tick_now();
            truth.insert(tick, public(&world));
            // The end of the last world, as late as it always was; then the next one.
            let last = tick <= changes + 30 * before;
            let then = tick - 30 * if last { before } else { after };
            let shown = world.session.shown_to_spectators().now();
            if !last && after == 0 {
                assert_eq!(shown, world.session.world().now());
            } else if last || then > changes {
                let Some(then) = truth.get(&then) else { continue };
                assert_eq!(shown, then, "{before} to {after}, at tick {tick}");
            }
        }
        assert_eq!(results(&world, eye), 1, "{before} to {after}");
        let phases = world.guests[eye].phases();
        let phases: Vec<_> = phases.iter().map(|(phase, round, _)| (*phase, *round)).collect();
        let results = phases.iter().position(|&told| told == (Phase::Results, 1));
        let play = phases.iter().position(|&told| told == (Phase::Play, 2));
        assert!(results.is_some() && results < play, "{phases:?}");
        let stats = world.guests[eye].client.stats();
        assert_eq!((stats.mismatches, stats.refused), (0, 0));
        assert_honest(&world);
    }
}
