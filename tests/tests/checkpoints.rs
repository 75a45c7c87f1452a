//! Matches that go on in another process, with each game, over a network in memory; and on a real server that is stopped
//! and started again.

use server::config::Config;
use server::session::acts::HostAction;
use server::session::door::ToSession;
use server::session::rounds::WARM_UP_SECONDS;
use server::session::settings::PilotCount;
use server::session::status::PhaseName;
use server::session::{Provided, SEAT_GRACE_SECONDS, Session, SessionConfig};
use shared::game::{Game, Setup};
use shared::netcode::conditions::Conditions;
use shared::wire::close::CloseCode;
use shared::wire::message::{Hello, Phase};
use shared::wire::{HostSecret, Protocol, SeatToken, Visitor};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use tests::buoys::Buoys;
use tests::harness::{Running, Welcomed, eventually, hasty};
use tests::network::MemoryOutbox;
use tests::reach::Folder;
use tests::story::{assert_honest, public};
use tests::with_every_game;
use tests::world::World;

with_every_game! {
    a_match_goes_on_where_it_stood,
    the_world_waits_for_its_people_as_long_as_seats_are_kept,
    who_had_only_just_come_finds_their_seat_too,
    what_was_changed_meanwhile_is_for_the_next_round,
    a_chosen_seed_is_for_the_next_round_and_all_further_ones,
    whoever_may_be_the_host_may_be_it_afterwards,
    who_is_muted_or_banned_stays_so,
    how_the_round_ended_is_told_to_who_comes_back,
    what_is_no_checkpoint_is_none,
    whoever_watches_comes_back_to_watching,
    a_stop_waits_for_those_who_were_just_cut_off,
    where_nobody_is_nothing_goes_on,
    what_a_host_forbade_goes_on_where_nobody_is,
}

const LINE: Conditions = Conditions::round_trip(60.0, 10.0);
const ROUND_S: u32 = 120;

fn config<G: Game>(seed: u64) -> SessionConfig<G::Settings> {
    let setup = Setup::new(G::Settings::default(), seed, 30);
    let host = Some(HostSecret([7; 16]));
    let pilots = PilotCount::FillUpTo(6);
    let provided = Provided { host, ..Provided::default() };
    SessionConfig { round_s: ROUND_S, pilots, provided, ..SessionConfig::new(setup) }
}

/// Three guests and three pilots in the middle of their first round.
fn playing<G: Game>(seed: u64) -> World<G> {
    let mut world = World::open(config::<G>(seed));
    for name in ["Ann", "Ben", "Cid"] {
        world.join_as(name, LINE, |hello| {
            hello.host = (name == "Ann").then_some(HostSecret([7; 16]));
        });
    }
    world.run(f64::from(WARM_UP_SECONDS + 20) * 1000.0);
    world
}

/// The process ends, with all lines, and another one goes on.
fn restart<G: Game>(world: &mut World<G>, config: SessionConfig<G::Settings>) {
    let checkpoint = world.session.checkpoint().expect("somebody is there");
    (0..world.guests.len()).for_each(|n| world.drop_line(n));
    world.session = Session::resume(config, &checkpoint).expect("it is one");
}

/// Who is in it, as whom, with how many points.
fn people<G: Game>(world: &World<G>) -> Vec<(u16, i32)> {
    let ids = world.guests.iter().map(|guest| guest.client.me().expect("let in"));
    ids.map(|id| (id.0, world.session.score(id))).collect()
}

fn rows<G: Game>(world: &World<G>) -> Vec<(Vec<u32>, u32)> {
    let now = world.session.world().now();
    vec![(now.tables().iter().flat_map(|table| table.ids().to_vec()).collect(), now.checksum())]
}

fn a_match_goes_on_where_it_stood<G: Game>() {
    let mut world = playing::<G>(90);
    let (people_before, rows_before) = (people(&world), rows(&world));
    let (before, tick) = (world.session.status(), world.session.tick_now());
    assert_eq!((before.round, before.pilots, before.host.as_deref()), (1, 3, Some("Ann")));
    restart(&mut world, config::<G>(91));
    let after = world.session.status();
    assert_eq!(world.session.tick_now(), tick);
    assert_eq!((after.round, after.phase, after.phase_left_s, after.pilots), {
        (before.round, before.phase, before.phase_left_s, before.pilots)
    });
    assert_eq!((world.session.players(), world.session.away()), (3, 3));
    world.run(3000.0);
    assert_eq!(rows(&world), rows_before, "it stands still");
    (0..3).for_each(|n| world.return_to_seat(n, LINE));
    world.run(300.0);
    assert_eq!(people(&world), people_before);
    assert_eq!(world.session.away(), 0);
    assert_eq!(world.session.status().phase_left_s, before.phase_left_s, "and so did its clock");
    assert_eq!(world.session.status().host.as_deref(), Some("Ann"));
    world.run(20_000.0);
    assert_honest(&world);
    for guest in &world.guests {
        let stats = guest.client.stats();
        assert_eq!((stats.mismatches, stats.refused, stats.resyncs), (0, 0, 0), "{stats:?}");
        let last = guest.phases().into_iter().map(|(phase, round, _)| (phase, round)).next_back();
        assert_eq!(last, Some((Phase::Play, 1)));
    }
    let left = world.session.status().phase_left_s.expect("a round ends");
    let went_on = before.phase_left_s.expect("a round ends") - left;
    assert!((19..=21).contains(&went_on), "{went_on}");
}

fn the_world_waits_for_its_people_as_long_as_seats_are_kept<G: Game>() {
    let mut world = playing::<G>(92);
    restart(&mut world, config::<G>(92));
    world.return_to_seat(1, LINE);
    world.run(2000.0);
    let rows_then = rows(&world);
    world.run(1000.0);
    assert_ne!(rows(&world), rows_then, "for the first, and no longer");
    world.run(f64::from(SEAT_GRACE_SECONDS) * 1000.0);
    assert_eq!((world.session.players(), world.session.away()), (1, 0));
    // Once it has gone on it does not wait again.
    world.drop_line(1);
    let rows_then = rows(&world);
    world.run(1000.0);
    assert_ne!(rows(&world), rows_then);
}

fn who_had_only_just_come_finds_their_seat_too<G: Game>() {
    let mut world = playing::<G>(95);
    let dee = world.guests.len();
    world.join("Dee", LINE);
    world.run(200.0);
    let before = people(&world);
    restart(&mut world, config::<G>(95));
    // Whoever leaves by themselves after so short a visit has their seat kept for two seconds.
    world.run(5000.0);
    world.return_to_seat(dee, LINE);
    world.run(300.0);
    assert_eq!(people(&world), before);
    assert_eq!((world.session.players(), world.session.away()), (4, 3));
}

fn what_was_changed_meanwhile_is_for_the_next_round<G: Game>() {
    let mut world = playing::<G>(93);
    let mut other = config::<G>(94);
    other.setup.rewind_ms = 100;
    restart(&mut world, other.clone());
    (0..3).for_each(|n| world.return_to_seat(n, LINE));
    world.run(1000.0);
    let rewind = |world: &World<G>| world.guests[0].setups().last().expect("let in").rewind_ms;
    assert_eq!(rewind(&world), Setup::new((), 0, 30).rewind_ms);
    world.run(f64::from(ROUND_S + 20) * 1000.0);
    assert_eq!((world.session.status().round, rewind(&world)), (2, 100));
    assert_honest(&world);
}

fn a_chosen_seed_is_for_the_next_round_and_all_further_ones<G: Game>() {
    let mut world = playing::<G>(98);
    let mut other = config::<G>(99);
    (other.setup.seed, other.seeded, other.round_s) = (42, true, 20);
    restart(&mut world, other);
    (0..3).for_each(|n| world.return_to_seat(n, LINE));
    world.run(1000.0);
    let seed = |world: &World<G>| world.guests[0].setups().last().expect("let in").seed;
    assert_eq!(seed(&world), 98, "the round that is on goes on");
    for round in [2, 3] {
        while world.session.status().round < round {
            world.run(1000.0);
        }
        world.run(1000.0);
        assert_eq!((world.session.status().round, seed(&world)), (round, 42));
    }
    assert_honest(&world);
}

fn whoever_may_be_the_host_may_be_it_afterwards<G: Game>() {
    // The host has left those who are away: the first to come back takes over, in the next process too.
    let mut world = playing::<G>(100);
    (1..3).for_each(|n| world.drop_line(n));
    world.leave(0);
    world.run(1000.0);
    assert_eq!(world.session.status().host, None);
    restart(&mut world, config::<G>(100));
    world.return_to_seat(2, LINE);
    world.run(500.0);
    assert_eq!(world.session.status().host.as_deref(), Some("Cid"));
    // A host who has just left, and comes back.
    let mut world = playing::<G>(101);
    world.leave(0);
    world.run(500.0);
    let heir = Provided { host: world.session.host(), ..Provided::default() };
    restart(&mut world, SessionConfig { provided: heir, ..config::<G>(101) });
    world.return_to_seat(1, LINE);
    world.run(500.0);
    assert_eq!(world.session.status().host.as_deref(), Some("Ben"));
    world.join_as("Ann again", LINE, |hello| hello.host = Some(HostSecret([7; 16])));
    world.run(500.0);
    assert_eq!(world.session.status().host.as_deref(), Some("Ann again"));
    assert_eq!(world.session.host(), Some(HostSecret([7; 16])));
}

fn who_is_muted_or_banned_stays_so<G: Game>() {
    let mut world = playing::<G>(102);
    let come = |world: &mut World<G>, name: &str, key: u8| {
        let guest = world.join_as(name, LINE, |hello| hello.visitor = Visitor([key; 16]));
        world.run(500.0);
        guest
    };
    let [muted, banned] = [("muted", 1), ("banned", 2)].map(|(name, key)| {
        let guest = come(&mut world, name, key);
        world.guests[guest].client.me().expect("let in").0
    });
    let secret = HostSecret([7; 16]);
    assert_eq!(world.act(secret, HostAction::Mute { player: muted, muted: true }), Ok(()));
    assert_eq!(world.act(secret, HostAction::Ban { player: banned }), Ok(()));
    (3..5).for_each(|guest| world.leave(guest));
    restart(&mut world, config::<G>(102));
    world.return_to_seat(0, LINE);
    let muted = come(&mut world, "muted again", 1);
    let banned = come(&mut world, "banned again", 2);
    assert!(world.guests[muted].entry().muted);
    let closed = world.guests[banned].outbox.closed().map(|closed| closed.0);
    assert_eq!(closed, Some(CloseCode::Banned));
}

fn how_the_round_ended_is_told_to_who_comes_back<G: Game>() {
    let mut world = playing::<G>(103);
    world.run(f64::from(ROUND_S - 20 + 4) * 1000.0);
    let told = world.guests[1].results();
    assert_eq!((world.session.status().phase, told.len()), (PhaseName::Results, 1));
    restart(&mut world, config::<G>(103));
    world.return_to_seat(1, LINE);
    world.run(500.0);
    let again = world.guests[1].results();
    assert_eq!((again.len(), again.last()), (2, told.last()));
    // Of a round that is on there is none.
    world.run(15_000.0);
    assert_eq!(world.session.status().phase, PhaseName::Play);
    restart(&mut world, config::<G>(103));
    world.return_to_seat(1, LINE);
    world.run(500.0);
    assert_eq!(world.guests[1].results().len(), 2);
}

fn whoever_watches_comes_back_to_watching<G: Game>() {
    for delay_s in [0, 3] {
        let config = SessionConfig { spectator_delay_s: delay_s, ..config::<G>(97) };
        let mut world = World::<G>::open(config.clone());
        world.join("Ann", LINE);
        let dan = world.join_as("Dan", LINE, |hello| hello.watch = true);
        world.run(f64::from(WARM_UP_SECONDS + 10) * 1000.0);
        let me = world.guests[dan].client.me().expect("let in");
        let frames = world.guests[dan].client.stats().frames;
        restart(&mut world, config);
        (0..2).for_each(|n| world.return_to_seat(n, LINE));
        let (goes_on, delay) = (world.session.tick_now(), 30 * delay_s);
        let mut truth = BTreeMap::new();
        while world.session.tick_now() < goes_on + 30 * 10 {
            // Less than a tick.
            world.run(10.0);
            let tick = world.session.tick_now();
            truth.insert(tick, public(&world));
            let shown = world.session.shown_to_spectators().now();
            if delay == 0 {
                assert_eq!(shown, world.session.world().now());
            } else if tick <= goes_on + delay {
                // What happened before is never told to them.
                assert!(shown.tables().iter().all(|table| table.ids().is_empty()), "tick {tick}");
            } else {
                let then = truth.get(&(tick - delay)).expect("seen tick by tick");
                assert_eq!(shown, then, "at tick {tick}");
            }
        }
        assert_eq!(world.guests[dan].client.me(), Some(me));
        assert!(world.session.is_watching(me));
        let stats = world.guests[dan].client.stats();
        assert!(stats.frames > frames + 200 && stats.mismatches == 0, "{stats:?}");
        assert_honest(&world);
    }
}

fn what_is_no_checkpoint_is_none<G: Game>() {
    let world = playing::<G>(95);
    let checkpoint = world.session.checkpoint().expect("somebody is there");
    let resumes = |bytes: &[u8]| -> bool {
        Session::<G, MemoryOutbox>::resume(config::<G>(95), bytes).is_some()
    };
    assert!(resumes(&checkpoint));
    let mut quicker = config::<G>(95);
    quicker.setup.tick_rate = 60;
    assert!(Session::<G, MemoryOutbox>::resume(quicker, &checkpoint).is_none());
    for end in (0..checkpoint.len()).step_by(7) {
        assert!(!resumes(&checkpoint[..end]), "{end}");
    }
    assert!(!resumes(&[&checkpoint[..], &[0]].concat()));
    // Another layout, other rules.
    for at in [0, 3] {
        let mut other = checkpoint.clone();
        other[at] ^= 1;
        assert!(!resumes(&other), "{at}");
    }
}

fn a_stop_waits_for_those_who_were_just_cut_off<G: Game>() {
    let mut world = playing::<G>(97);
    restart(&mut world, config::<G>(97));
    world.session.handle(ToSession::Part { seconds: 60 }, f64::from(world.session.tick_now()));
    world.run(500.0);
    assert_eq!(world.session.over(), None, "they are on the way back");
    world.return_to_seat(0, LINE);
    world.run(3000.0);
    assert_eq!((world.session.over(), world.session.away()), (None, 2));
    world.leave(0);
    world.run(500.0);
    assert_eq!(world.session.over().map(|over| over.0), Some(CloseCode::GoingAway));
}

fn where_nobody_is_nothing_goes_on<G: Game>() {
    let mut world = playing::<G>(96);
    (0..3).for_each(|n| world.leave(n));
    assert!(world.session.checkpoint().is_none());
}

fn what_a_host_forbade_goes_on_where_nobody_is<G: Game>() {
    let mut world = playing::<G>(98);
    let host = HostSecret([7; 16]);
    assert_eq!(world.act(host, HostAction::Lock { locked: true }), Ok(()));
    (0..3).for_each(|n| world.leave(n));
    restart(&mut world, config::<G>(98));
    world.run(500.0);
    let late = world.join("late", LINE);
    world.run(500.0);
    let code = world.guests[late].outbox.closed().map(|closed| closed.0);
    assert_eq!((code, world.session.status().locked), (Some(CloseCode::Locked), true));
    // It does not wait for anybody.
    let before = rows(&world);
    world.run(5000.0);
    assert_ne!(rows(&world), before);
    let ann = world.join_as("Ann", LINE, |hello| hello.host = Some(host));
    world.run(500.0);
    assert_eq!(world.guests[ann].outbox.closed(), None);
    assert_eq!(world.session.status().host.as_deref(), Some("Ann"));
}

/// Somebody who shows `seat`.
async fn join(running: &Running, seat: Option<SeatToken>) -> Welcomed {
    let hello = Hello { seat, ..Hello::new(Protocol::of::<Buoys>().hash, "Ann") };
    running.welcome("/play", hello).await
}

#[tokio::test]
async fn a_server_that_is_started_again_goes_on_where_it_keeps_anything() {
    for keeps in [true, false] {
        let folder = Folder::new();
        let data = keeps.then(|| folder.path().to_owned());
        let (tick_rate, limits) = (128, hasty());
        let config = Config { data, tick_rate, limits, pilots: 0, ..Config::default() };
        let running = Running::start_empty::<Buoys>(&config);
        let _other = join(&running, None).await;
        let before = join(&running, None).await;
        // So far that a session that begins anew is behind.
        eventually("a second of play", || {
            running.server.common.directory.ticks.ticks.load(Ordering::Relaxed) > 128
        })
        .await;
        running.stop().await.expect("an orderly end");

        let running = Running::start_empty::<Buoys>(&config);
        let after = join(&running, Some(before.seat)).await;
        let (again, goes_on) = (after.player == before.player, after.tick >= before.tick + 100);
        assert_eq!((again, goes_on), (keeps, keeps), "{:?} {}", after.player, after.tick);
        let ticks = &running.server.common.directory.ticks.ticks;
        eventually("a tick", || ticks.load(Ordering::Relaxed) > 0).await;
        running.stop().await.expect("an orderly end");
    }
}
