//! Stories of the arena: what two players live through, and that what is foreseen happens.

use super::rows::*;
use super::tuning as t;
use super::world::Entity;
use super::*;
use crate::game::{Brain, LAG_STEPS, View};
use glam::Vec2;
use proptest::prelude::*;

const A: PlayerId = PlayerId(3);
const B: PlayerId = PlayerId(7);

struct Duel {
    rules: Rules,
    arena: Arena,
    events: Vec<ArenaEvent>,
}

impl Duel {
    /// Two players in an arena without rocks and pickups, whose ships have just come in.
    fn new(tick_rate: u16) -> Self {
        Self::with(Settings { rock_density: 0.0, pickup_density: 0.0, ..empty() }, tick_rate)
    }

    fn with(settings: Settings, tick_rate: u16) -> Self {
        let setup = Setup::new(settings, 1, tick_rate);
        let rules = Rules::new(&setup).expect("a setup that makes sense");
        let mut arena = Arena::new(&setup, &rules, setup.seed);
        arena.join(&rules, B, 0);
        arena.join(&rules, A, 0);
        let mut duel = Self { rules, arena, events: Vec::new() };
        duel.step(Controls::default(), Controls::default());
        duel
    }

    fn step(&mut self, a: Controls, b: Controls) {
        let commands = [Command { player: A, input: a }, Command { player: B, input: b }];
        self.arena.step(&self.rules, &commands, &mut self.events);
    }

    fn wait(&mut self, seconds: f32) {
        for _ in 0..(seconds * f32::from(self.rules.tick_rate)) as usize {
            self.step(Controls::default(), Controls::default());
        }
    }

    fn ship(&mut self, player: PlayerId) -> Option<&mut Ship> {
        let owned = |s: &&mut Entity<Ship>| s.row.player == i32::from(player.0);
        self.arena.ships.iter_mut().find(owned).map(|s| &mut s.row)
    }

    fn pilot(&self, player: PlayerId) -> Pilot {
        self.arena.players[self.arena.player_index(player).expect("a player")].pilot
    }

    /// Puts the ships `apart` units from each other at rest, A in the west, without protection.
    fn face(&mut self, apart: f32) {
        for (player, x) in [(A, -apart / 2.0), (B, apart / 2.0)] {
            let ship = self.ship(player).expect("a ship");
            ship.set_place(Vec2::new(x, 0.0));
            ship.set_velocity(Vec2::ZERO);
            (ship.heading, ship.aim, ship.protect) = (0, 0, 0);
        }
    }
}

fn empty() -> Settings {
    Settings { size: 2000, ..Settings::default() }
}

fn fire_east() -> Controls {
    Controls::new(0, None, true, false)
}

#[test]
fn a_hit_hurts_knocks_and_tells_both() {
    let mut duel = Duel::new(30);
    duel.face(200.0);
    duel.step(fire_east(), Controls::default());
    duel.wait(0.4);
    let b = *duel.ship(B).expect("B lives");
    assert_eq!(b.hp, t::HP - t::SHOT_DAMAGE);
    assert!(b.x > 100 * 256, "knocked to the east: {b:?}");
    assert_eq!((b.y, duel.arena.shots.len()), (0, 0));
    let (a, b) = (duel.pilot(A), duel.pilot(B));
    assert_eq!((a.hits, a.score, a.hurts), (1, t::HIT_POINTS, 0));
    assert_eq!((b.hurts, b.hurt_from), (1, 128), "it came from the west");
}

#[test]
fn a_shot_meets_ships_where_its_shooter_saw_them() {
    for lag in [0, 4] {
        // In ticks.
        let mut duel = Duel::new(30);
        duel.face(300.0);
        let mut fire = fire_east();
        fire.lag = lag * LAG_STEPS as i32;
        duel.step(fire, Controls::default());
        // B leaps out of the way at the last moment: a shooter four ticks behind has not seen it yet.
        let far = |duel: &mut Duel| duel.arena.shots.iter().all(|s| s.row.place().x < 90.0);
        while far(&mut duel) && !duel.arena.shots.is_empty() {
            duel.step(Controls::default(), Controls::default());
        }
        duel.ship(B).expect("a ship").set_place(Vec2::new(150.0, 90.0));
        duel.wait(1.0);
        assert_eq!(duel.pilot(A).hits, i32::from(lag > 0), "lag {lag}");
    }
    // However long a lag is claimed, what is judged is not older than the bound.
    let mut duel = Duel::new(30);
    duel.face(300.0);
    let mut fire = fire_east();
    fire.lag = 127;
    duel.step(fire, Controls::default());
    duel.ship(B).expect("a ship").set_place(Vec2::new(150.0, 90.0));
    duel.wait(1.0);
    assert_eq!(duel.pilot(A).hits, 0, "it takes more than 200 ms to get there");
}

#[test]
fn seven_hits_kill_and_the_victim_comes_back() {
    for tick_rate in [10, 30, 60, 128] {
        let mut duel = Duel::new(tick_rate);
        let mut hits = 0;
        while duel.events.is_empty() {
            duel.face(120.0);
            duel.step(fire_east(), Controls::default());
            hits = duel.pilot(A).hits;
        }
        assert_eq!(hits, 7, "at {tick_rate} Hz");
        let kill = ArenaEvent::Kill { killer: Some(A), victim: B, streak: 1 };
        assert_eq!(duel.events, [kill]);
        let (a, b) = (duel.pilot(A), duel.pilot(B));
        assert_eq!((a.kills, a.streak, a.score), (1, 1, 7 * t::HIT_POINTS + t::KILL_POINTS));
        assert_eq!((b.deaths, b.killer, b.streak), (1, i32::from(A.0) + 1, 0));
        assert_eq!(duel.arena.score(A), a.score);
        assert!(duel.ship(B).is_none());
        let focus = duel.arena.view(B);
        assert!((focus.x - 60.0).abs() < 20.0, "looks where the ship was lost: {focus:?}");
        let old = duel.arena.ships[0].id;
        duel.wait(t::RESPAWN - 0.2);
        assert!(duel.ship(B).is_none());
        duel.wait(0.4);
        let b = *duel.ship(B).expect("a new ship");
        assert_eq!((b.hp, b.energy, duel.pilot(B).respawn), (t::HP, t::ENERGY, 0));
        assert!(b.protect > 0);
        assert!(duel.arena.ships.iter().map(|s| s.id).all(|id| id == old || id == 2));
    }
}

#[test]
fn ending_a_streak_pays() {
    let mut duel = Duel::new(30);
    let b = duel.arena.player_index(B).expect("B");
    duel.arena.players[b].pilot.streak = 4;
    while duel.events.is_empty() {
        duel.face(120.0);
        duel.step(fire_east(), Controls::default());
    }
    let score = 7 * t::HIT_POINTS + t::KILL_POINTS + 4 * t::STREAK_POINTS;
    assert_eq!(duel.pilot(A).score, score);
}

#[test]
fn protection_swallows_shots_until_one_fires() {
    let mut duel = Duel::new(30);
    duel.face(200.0);
    duel.ship(B).expect("B").protect = 60;
    duel.step(fire_east(), Controls::default());
    duel.wait(0.5);
    let b = duel.ship(B).expect("B");
    assert_eq!((b.hp, b.vx), (t::HP, 0));
    assert!(duel.arena.shots.is_empty());
    duel.step(Controls::default(), fire_east());
    assert_eq!(duel.ship(B).expect("B").protect, 0);
}

#[test]
fn who_leaves_a_fight_has_lost_it() {
    let late = t::MEND_DELAY + 0.5;
    for (waits, hit, flees, kills) in
        [(0.5, true, true, 1), (0.5, true, false, 0), (late, true, true, 0), (0.5, false, true, 0)]
    {
        let mut duel = Duel::new(30);
        duel.face(120.0);
        if hit {
            duel.step(fire_east(), Controls::default());
        }
        duel.wait(waits);
        assert_eq!(duel.pilot(A).hits, i32::from(hit));
        let (before, rules) = (duel.pilot(A).score, duel.rules.clone());
        match flees {
            true => duel.arena.leave(&rules, B),
            false => duel.arena.take_out(&rules, B),
        }
        duel.events.clear();
        duel.wait(0.1);
        assert_eq!(duel.events.len() as i32, kills, "{waits} s");
        assert_eq!(duel.pilot(A).kills, kills);
        assert_eq!(duel.pilot(A).score - before, kills * t::KILL_POINTS);
        // Who comes back has a ship that nobody has hurt.
        duel.arena.join(&rules, B, 0);
        duel.wait(0.1);
        duel.arena.leave(&rules, B);
        duel.wait(0.1);
        assert_eq!(duel.pilot(A).kills, kills);
    }
}

#[test]
fn the_gone_get_no_points() {
    let mut duel = Duel::new(30);
    duel.face(300.0);
    duel.ship(B).expect("B").hp = 1;
    duel.step(fire_east(), Controls::default());
    duel.arena.leave(&duel.rules, A);
    assert!(duel.ship(A).is_none());
    duel.wait(0.5);
    assert_eq!(duel.events, [ArenaEvent::Kill { killer: None, victim: B, streak: 0 }]);
    assert_eq!(duel.pilot(B).killer, i32::from(A.0) + 1);
}

#[test]
fn ships_push_each_other_apart() {
    let mut duel = Duel::new(30);
    duel.face(20.0);
    duel.ship(A).expect("A").set_velocity(Vec2::new(300.0, 0.0));
    duel.step(Controls::default(), Controls::default());
    let (a, b) = (*duel.ship(A).expect("A"), *duel.ship(B).expect("B"));
    assert!(a.place().distance(b.place()) > 2.0 * t::SHIP_RADIUS - 0.1);
    assert!(b.velocity().x > 200.0 && a.velocity().x < 100.0);
    // On top of each other to the step, they part as well.
    duel.face(0.0);
    duel.wait(0.1);
    let (a, b) = (*duel.ship(A).expect("A"), *duel.ship(B).expect("B"));
    assert!(a.place().distance(b.place()) > 2.0 * t::SHIP_RADIUS - 0.1);
}

#[test]
fn pickups_are_taken_by_who_needs_them() {
    let mut duel = Duel::new(30);
    duel.face(400.0);
    let at = duel.ship(A).expect("A").place();
    let (x, y) = to_place(at);
    for (id, what) in [REPAIR, CHARGE, OVERDRIVE].into_iter().enumerate() {
        duel.arena.pickups.push(Entity { id: id as u32, row: Pickup { x, y, what } });
    }
    duel.wait(0.1);
    let a = *duel.ship(A).expect("A");
    assert_eq!(a.overdrive, duel.rules.overdrive - 2, "taken in the first of three ticks");
    let left: Vec<i32> = duel.arena.pickups.iter().map(|p| p.row.what).collect();
    assert_eq!(left, [REPAIR, CHARGE], "a whole ship leaves them for others");
    let ship = duel.ship(A).expect("A");
    (ship.hp, ship.energy) = (30, 200);
    duel.wait(0.1);
    let a = *duel.ship(A).expect("A");
    assert_eq!((a.hp, a.energy), (30 + t::REPAIR + 1, t::ENERGY));
    assert!(duel.arena.pickups.is_empty());
}

#[test]
fn mending_waits_and_then_goes_on() {
    let mut duel = Duel::new(30);
    duel.face(200.0);
    duel.step(fire_east(), Controls::default());
    duel.wait(t::MEND_DELAY);
    let hurt = t::HP - t::SHOT_DAMAGE;
    assert_eq!(duel.ship(B).expect("B").hp, hurt);
    duel.wait(1.3);
    assert!((hurt + 3..hurt + 8).contains(&duel.ship(B).expect("B").hp));
    duel.wait(5.0);
    assert_eq!(duel.ship(B).expect("B").hp, t::HP);
}

#[test]
fn every_tick_rate_plays_alike() {
    let end = |tick_rate: u16| {
        let mut duel = Duel::new(tick_rate);
        duel.face(1500.0);
        duel.ship(A).expect("A").set_velocity(Vec2::new(0.0, 300.0));
        for _ in 0..tick_rate {
            duel.step(Controls::new(1024, Some(0), false, true), Controls::default());
        }
        let a = *duel.ship(A).expect("A");
        (a.place(), a.velocity(), a.energy, a.heading)
    };
    let (at, velocity, energy, heading) = end(30);
    for tick_rate in [10, 17, 60, 128] {
        let other = end(tick_rate);
        assert!(other.0.distance(at) < 1.0 && other.1.distance(velocity) < 1.0, "{tick_rate} Hz");
        assert!((other.2 - energy).abs() <= 1 && other.3 == heading, "{tick_rate} Hz");
    }
}

#[test]
fn every_tick_rate_fires_and_mends_as_often() {
    // A wrecked ship is not whole yet after so long.
    const SECONDS: u16 = 19;
    let played = |tick_rate: u16, overdrive: bool| {
        let mut duel = Duel::new(tick_rate);
        duel.face(1500.0);
        duel.ship(B).expect("B").hp = 1;
        let (mut fired, mut shots) = (0, 0);
        for _ in 0..SECONDS * tick_rate {
            let lasts = duel.rules.overdrive;
            let a = duel.ship(A).expect("A");
            // What holds a gun back here is its pace alone.
            a.energy = t::ENERGY;
            a.overdrive = if overdrive { lasts } else { 0 };
            duel.step(Controls::new(3072, None, true, false), Controls::default());
            let now = duel.ship(A).expect("A").shots;
            fired += (now - shots).rem_euclid(SHOTS_PER_SHIP as i32);
            shots = now;
        }
        let b = duel.ship(B).expect("B");
        assert!(b.hp < t::HP, "whole already");
        (fired, b.hp)
    };
    for overdrive in [false, true] {
        let usual = played(30, overdrive);
        for tick_rate in 10..=128 {
            let (fired, hp) = played(tick_rate, overdrive);
            let near = (fired - usual.0).abs() <= 1 && (hp - usual.1).abs() <= 1;
            assert!(near, "{tick_rate} Hz: {fired} shots, {hp} hp; at 30 Hz {usual:?}");
        }
    }
}

#[test]
fn a_thousand_join_at_once_and_ids_stay_apart() {
    let setup = Setup::new(Settings::for_players(1000), 4, 30);
    let rules = Rules::new(&setup).expect("a setup that makes sense");
    let mut arena = Arena::new(&setup, &rules, setup.seed);
    for player in 0..1000 {
        arena.join(&rules, PlayerId(player), 0);
    }
    let mut events = Vec::new();
    for _ in 0..20 {
        arena.step(&rules, &[], &mut events);
    }
    assert_eq!(arena.ships.len(), 1000);
    assert!(arena.ships.is_sorted_by(|a, b| a.id < b.id));
    // The id of a lost ship rests before it comes back, and then it does.
    let lost = arena.ships[3];
    arena.leave(&rules, PlayerId(lost.row.player as u16));
    for again in [false, true] {
        let newcomer = PlayerId(5000 + u16::from(again));
        arena.join(&rules, newcomer, 0);
        arena.step(&rules, &[], &mut events);
        assert!(arena.ships.is_sorted_by(|a, b| a.id < b.id));
        let ship = arena.ships.iter().find(|ship| ship.row.player == i32::from(newcomer.0));
        assert_eq!(ship.expect("there is room").id == lost.id, again);
        for _ in 0..rules.ship_id_rest {
            arena.step(&rules, &[], &mut events);
        }
    }
    assert_eq!(arena.ships.len(), 1001);
    for ship in &arena.ships {
        assert!(rules.rocks.free(ship.row.place(), t::SHIP_RADIUS));
    }
}

fn row_of(fields: &'static [crate::wire::Field]) -> impl Strategy<Value = Vec<i32>> {
    fields.iter().map(|f| f.min()..=f.max()).collect::<Vec<_>>()
}

fn crowded(tick_rate: u16) -> (Setup<Settings>, Rules) {
    let settings = Settings { rock_density: 12.0, pickup_density: 0.0, ..empty() };
    let setup = Setup::new(settings, 2, tick_rate);
    let rules = Rules::new(&setup).expect("a setup that makes sense");
    (setup, rules)
}

proptest! {
    /// Whatever a peer may claim in range, what follows is in range, and the same each time.
    #[test]
    fn what_follows_from_any_row_is_a_row(
        tick_rate in prop::sample::select(vec![10u16, 30, 128]),
        ship in row_of(Ship::FIELDS),
        shot in row_of(Shot::FIELDS),
        id: u32,
    ) {
        let (_, rules) = crowded(tick_rate);
        for (kind, row) in [(SHIP, &ship), (SHOT, &shot)] {
            let mut spawned = Rows::new(KINDS);
            let mut after = row.clone();
            let fate = Arena::expect(&rules, kind, id, row, &mut after, &mut spawned);
            prop_assert!(KINDS[kind].contains(&after), "{after:?}");
            spawned.table(SHOT).iter().for_each(|(_, row)| assert!(KINDS[SHOT].contains(row)));
            let (mut again, mut twice) = (row.clone(), Rows::new(KINDS));
            prop_assert_eq!(Arena::expect(&rules, kind, id, row, &mut again, &mut twice), fate);
            prop_assert_eq!((after, spawned), (again, twice));
        }
    }

    /// The step does to a ship and to shots that nobody touches just what was expected.
    #[test]
    fn alone_the_step_is_the_expectation(
        tick_rate in prop::sample::select(vec![10u16, 30, 128]),
        row in row_of(Ship::FIELDS),
        inputs in prop::collection::vec(row_of(Controls::FIELDS), 1..40),
    ) {
        let (setup, rules) = crowded(tick_rate);
        let mut arena = Arena::new(&setup, &rules, setup.seed);
        arena.join(&rules, A, 0);
        let mut events = Vec::new();
        arena.step(&rules, &[], &mut events);
        let mut ship = Ship::read(&row);
        (ship.hp, ship.player) = (1 + ship.hp % t::HP, i32::from(A.0));
        ship.set_place(ship.place() / 20.0);
        arena.ships[0].row = ship;
        for input in inputs {
            let input = Controls::read(&input);
            let mut foreseen = Rows::new(KINDS);
            let mut before = Rows::new(KINDS);
            arena.publish(&mut before);
            for kind in [SHIP, SHOT] {
                for (id, row) in before.table(kind).iter() {
                    let mut after = row.to_vec();
                    if kind == SHIP {
                        (after[0], after[1], after[2]) = (input.aim, input.controls, input.lag);
                    }
                    let fate = Arena::expect(&rules, kind, id, row, &mut after, &mut foreseen);
                    if fate == Fate::Stays {
                        foreseen.table_mut(kind).push(id, &after);
                    }
                }
            }
            foreseen.table_mut(PILOT).push(u32::from(A.0), before.table(PILOT).row(0));
            arena.step(&rules, &[Command { player: A, input }], &mut events);
            let mut happened = Rows::new(KINDS);
            arena.publish(&mut happened);
            prop_assert_eq!(happened.checksum(), foreseen.checksum());
            prop_assert_eq!(happened.table(SHIP), foreseen.table(SHIP));
        }
    }
}

#[test]
fn from_a_checkpoint_an_arena_goes_on_to_the_bit() {
    let mut duel = Duel::with(empty(), 30);
    let mut brains = [A, B].map(|player| ArenaBrain::new(player.0.into()));
    let rows = |duel: &Duel| {
        let mut rows = Rows::new(KINDS);
        duel.arena.publish(&mut rows);
        rows
    };
    let mut think = |duel: &Duel| {
        let (tick, rows) = (duel.arena.now, rows(duel));
        let [a, b] = &mut brains;
        [(a, A), (b, B)]
            .map(|(brain, me)| brain.think(&duel.rules, &View { tick, me, rows: &rows }))
    };
    for _ in 0..900 {
        let [a, b] = think(&duel);
        duel.step(a, b);
    }
    let setup = Setup::new(empty(), 1, 30);
    let bytes = duel.arena.checkpoint().expect("an arena has one");
    let arena = Arena::resume(&setup, &duel.rules, &bytes).expect("it is one");
    let rules = Rules::new(&setup).expect("a setup that makes sense");
    let mut other = Duel { rules, arena, events: Vec::new() };
    duel.events.clear();
    for tick in 0..1800 {
        assert_eq!(rows(&duel), rows(&other), "{tick}");
        let [a, b] = think(&duel);
        duel.step(a, b);
        other.step(a, b);
    }
    assert_eq!(duel.events, other.events);
    assert!(!duel.events.is_empty(), "they met");
    assert_eq!(duel.arena.figures(A), other.arena.figures(A));
    for end in 0..bytes.len() {
        assert!(Arena::resume(&setup, &duel.rules, &bytes[..end]).is_none(), "{end}");
    }
}
