//! Do hits that a shooter sees land count? Two real clients over lines with more and more delay: one
//! shoots at the other, who dodges; every hit on the shooter's screen is compared with what the server
//! confirmed.

use shared::arena::rows::{PILOT, SHIP, SHOT};
use shared::arena::{Arena, Controls, Pilot, Settings, Ship, Shot, compass, tuning};
use shared::netcode::conditions::Conditions;
use shared::wire::Row;
use std::collections::BTreeSet;
use tests::guest::Guest;
use tests::world::World;

/// A ship's radius and a shot's, and what a picture 1/120 s apart may miss, in units.
const TOUCH_UNITS: f32 = 20.0;
const DUEL_MS: f64 = 90_000.0;
/// One duel has a hundred hits: too few to tell 70 from 90 in a hundred.
const SEEDS: [u64; 6] = [3, 4, 5, 6, 7, 8];

/// What a duel came to.
struct Outcome {
    seen: usize,
    confirmed: i32,
}

fn duel(seed: u64, round_trip: f64, jitter: f64) -> Outcome {
    let settings =
        Settings { size: 1800, rock_density: 0.0, pickup_density: 0.0, ..Settings::default() };
    let mut world = World::<Arena>::with_settings(seed, 0, 2, settings);
    let shooter = world.join("shooter", Conditions::round_trip(round_trip, jitter));
    let dodger = world.join("dodger", Conditions::round_trip(40.0, 0.0));
    world.guests.iter_mut().for_each(|guest| guest.plays = false);
    world.run(1500.0);
    let (mut seen, mut touched) = (0, BTreeSet::new());
    let mut confirmed = 0;
    let mut last_hits = None;
    while world.now < DUEL_MS {
        world.run(8.0);
        let now = world.now;
        // The dodger changes its mind every now and then.
        let way = (now / 1300.0) as i32;
        let dodge = Controls::new(0, Some((way * 5 + 3) % 16), false, false);
        world.guests[dodger].client.set_input(dodge);
        let sight = look(&mut world.guests[shooter], now);
        // A shot's id comes back after 32 others, long after the shot is gone.
        touched.retain(|id| sight.shots.contains(id));
        let new = sight.touching.iter().filter(|&&id| touched.insert(id)).count();
        // What a shot meets after another one has killed it is a wreck that is not drawn as one yet.
        let ships = world.session.world().now().table(SHIP);
        seen += if sight.target.is_some_and(|id| ships.find(id).is_some()) { new } else { 0 };
        world.guests[shooter].client.set_input(sight.answer);
        let hits = hits(&world.guests[shooter]);
        if let (Some(hits), Some(last)) = (hits, last_hits) {
            confirmed += (hits - last) & 255;
        }
        last_hits = hits.or(last_hits);
    }
    assert!(world.guests.iter().all(|guest| guest.wrong.is_empty()));
    Outcome { seen, confirmed }
}

fn hits(guest: &Guest<Arena>) -> Option<i32> {
    let view = guest.client.view()?;
    view.rows.table(PILOT).rows::<Pilot>().next().map(|(_, pilot)| pilot.hits)
}

/// What the shooter's picture shows.
#[derive(Default)]
struct Sight {
    /// What to do about it.
    answer: Controls,
    /// The other ship.
    target: Option<u32>,
    /// The own shots, and those that touch the other ship.
    shots: Vec<u32>,
    touching: Vec<u32>,
}

/// Aims at the other ship as it is drawn, leading it.
fn look(guest: &mut Guest<Arena>, now: f64) -> Sight {
    let Some(scene) = guest.client.draw(now) else { return Sight::default() };
    let [x, y, vx, vy, protect] = ["x", "y", "vx", "vy", "protect"].map(|name| {
        Ship::FIELDS.iter().position(|field| field.name == name).expect("a field of ships")
    });
    let [shot_x, shot_y] = ["x", "y"].map(|name| {
        Shot::FIELDS.iter().position(|field| field.name == name).expect("a field of shots")
    });
    let Some((_, own, _)) = scene.table(SHIP).iter().find(|ship| ship.2) else {
        return Sight::default();
    };
    let Some((target, other, _)) = scene.table(SHIP).iter().find(|ship| !ship.2) else {
        let middle = compass::to_steps(libm::atan2f(-own[y], -own[x]));
        let answer = Controls::new(middle, Some(middle / 256), false, false);
        return Sight { answer, ..Sight::default() };
    };
    let (dx, dy) = (other[x] - own[x], other[y] - own[y]);
    let far = libm::hypotf(dx, dy);
    let flight = far / tuning::SHOT_SPEED;
    let (ahead_x, ahead_y) = ((other[vx] - own[vx]) * flight, (other[vy] - own[vy]) * flight);
    let aim = compass::to_steps(libm::atan2f(dy + ahead_y, dx + ahead_x));
    let closer = (far > 200.0).then_some(compass::to_steps(libm::atan2f(dy, dx)) / 256);
    let shots = || scene.table(SHOT).iter().filter(|shot| shot.2);
    let touches = |shot: &[f32]| {
        other[protect] == 0.0
            && libm::hypotf(shot[shot_x] - other[x], shot[shot_y] - other[y]) < TOUCH_UNITS
    };
    Sight {
        answer: Controls::new(aim, closer, far < 450.0, false),
        target: Some(target),
        shots: shots().map(|(id, ..)| id).collect(),
        touching: shots().filter(|(_, shot, _)| touches(shot)).map(|(id, ..)| id).collect(),
    }
}

#[test]
fn hits_that_land_on_the_screen_count() {
    for (round_trip, jitter, share) in
        [(0.0, 0.0, 0.95), (80.0, 10.0, 0.95), (150.0, 30.0, 0.95), (250.0, 60.0, 0.7)]
    {
        let duels = SEEDS.map(|seed| duel(seed, round_trip, jitter));
        let seen: usize = duels.iter().map(|duel| duel.seen).sum();
        let confirmed: i32 = duels.iter().map(|duel| duel.confirmed).sum();
        let counted = f64::from(confirmed) / seen as f64;
        println!("{round_trip} ms: {seen} seen, {confirmed} confirmed, {:.1} %", counted * 100.0);
        assert!(seen > 30 * SEEDS.len(), "{round_trip} ms: only {seen} hits were seen");
        assert!(counted >= share, "{round_trip} ms: {confirmed} of {seen}");
    }
}
