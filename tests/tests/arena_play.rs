//! The arena as its own pilots play it: minutes of play in memory, without a network.

use determinism_wasm::{Hash, Play, arena_hash};
use rand::RngExt;
use rand_pcg::Pcg32;
use shared::arena::compass::angle_of;
use shared::arena::rows::{AIM_BITS, KINDS, SHIP, SHOT};
use shared::arena::{Arena, ArenaEvent, Controls, Settings, Ship};
use shared::game::{Game, PlayerId, Setup, View};
use shared::wire::{Rows, Treatment};

const TICK_RATE: u16 = 30;

fn play(players: u16, seed: u64) -> Play<Arena> {
    let settings = Settings::for_players(usize::from(players));
    let mut play = Play::new(Setup::new(settings, seed, TICK_RATE));
    (0..players).for_each(|player| play.join(player));
    play
}

/// Changed on purpose only, together with the rules' version: clients with other rules would see
/// another game. Chance steers here, so that wiser pilots leave it alone.
#[test]
fn the_rules_are_what_they_were() {
    let settings = Settings { size: 1800, ..Settings::default() };
    let mut play = Play::<Arena>::new(Setup::new(settings, 1, TICK_RATE));
    (0..60).for_each(|player| play.join(player));
    let (mut hash, mut kills) = (Hash::default(), 0);
    for _ in 0..900 {
        play.tick_with(|_, view| {
            let mut random = Pcg32::new(u64::from(view.tick / 12), u64::from(view.me.0));
            let aim = random.random_range(0..1 << AIM_BITS);
            Some(Controls { aim, controls: random.random_range(0..128), lag: 0 })
        });
        hash.add(play.rows().checksum());
        kills += play.events().len();
    }
    assert!(kills > 20, "only {kills} kills: too little happens to tell rules apart");
    assert_eq!(
        (Arena::RULES_VERSION, format!("{:016x}", hash.value()).as_str()),
        (4, "f336d1704b29d0de")
    );
}

#[test]
fn a_minute_of_two_hundred_pilots_keeps_every_promise() {
    let mut play = play(200, 21);
    let mut before = Rows::new(KINDS);
    let (mut kills, mut foreseen, mut ships) = (0, 0, 0);
    for tick in 0..60 * u32::from(TICK_RATE) {
        if tick % 50 == 17 {
            let player = (tick / 50 % 200) as u16;
            play.leave(player);
            play.join(player);
        }
        before.clone_from(play.rows());
        play.tick();
        for (kind, table) in KINDS.iter().zip(play.rows().tables()) {
            assert!(table.ids().is_sorted_by(|a, b| a < b), "{} ids ascend", kind.name);
            assert!(table.iter().all(|(_, row)| kind.contains(row)), "{} in range", kind.name);
        }
        keeps_treatments(&play, &before);
        let (exact, all) = foreseen_ships(&play, &before);
        (foreseen, ships) = (foreseen + exact, ships + all);
        for event in play.events() {
            let ArenaEvent::Kill { killer, victim, .. } = event;
            assert_ne!(*killer, Some(*victim));
            kills += 1;
        }
    }
    assert!(kills > 200, "only {kills} kills: pilots do not fight");
    // What makes frames small: hardly any ship has to be corrected.
    assert!(foreseen * 100 > ships * 95, "{foreseen} of {ships} were foreseen");
}

/// Static rows never change; a shot flies as the rules say, or is gone.
fn keeps_treatments(play: &Play<Arena>, before: &Rows) {
    for (kind, table) in KINDS.iter().enumerate() {
        for (id, row) in play.rows().table(kind).iter() {
            let Some(index) = before.table(kind).find(id) else { continue };
            let old = before.table(kind).row(index);
            match table.treatment {
                Treatment::Static => assert_eq!(old, row),
                Treatment::Ballistic => {
                    let mut after = old.to_vec();
                    let mut spawned = Rows::new(KINDS);
                    Arena::expect(play.rules(), kind, id, old, &mut after, &mut spawned);
                    assert_eq!(after, row);
                }
                _ => {}
            }
        }
    }
}

/// How many ships, of all that were there before, are just as expected. Every shot that a ship was
/// expected to fire is there.
fn foreseen_ships(play: &Play<Arena>, before: &Rows) -> (usize, usize) {
    let (mut exact, mut all) = (0, 0);
    let mut spawned = Rows::new(KINDS);
    let now = play.rows();
    for (id, old) in before.table(SHIP).iter() {
        let Some(index) = now.table(SHIP).find(id) else { continue };
        let row = now.table(SHIP).row(index);
        let mut after = old.to_vec();
        after[..2].copy_from_slice(&row[..2]);
        Arena::expect(play.rules(), SHIP, id, old, &mut after, &mut spawned);
        all += 1;
        exact += usize::from(after == row);
    }
    for (id, row) in spawned.table(SHOT).iter() {
        let index = now.table(SHOT).find(id).expect("an expected shot is there");
        assert_eq!(now.table(SHOT).row(index), row);
    }
    (exact, all)
}

/// Steers at random, points at who is nearest without leading, within ten degrees or so, and keeps
/// the trigger pulled. That is about how people begin.
struct Newcomer {
    random: Pcg32,
    way: i32,
    error: i32,
}

impl Newcomer {
    fn think(&mut self, view: &View<'_>) -> Controls {
        let ships = || view.rows.table(SHIP).rows::<Ship>().map(|(_, ship)| ship);
        let Some(own) = ships().find(|ship| ship.player == i32::from(view.me.0)) else {
            return Controls::default();
        };
        if view.tick.is_multiple_of(18) {
            self.way = self.random.random_range(0..16);
            self.error = self.random.random_range(-128..128);
        }
        let distance = |ship: &Ship| ship.place().distance(own.place());
        let nearest = ships()
            .filter(|ship| ship.player != own.player)
            .min_by(|a, b| distance(a).total_cmp(&distance(b)));
        let (aim, fire) = nearest.map_or((0, false), |ship| {
            (angle_of(ship.place() - own.place()) + self.error, distance(&ship) < 600.0)
        });
        Controls::new(aim, Some(self.way), fire, false)
    }
}

#[test]
fn a_newcomer_lives_a_while_and_wins_some() {
    const NEWCOMER: PlayerId = PlayerId(0);
    let settings = Settings { size: 3000, ..Settings::default() };
    let mut play = Play::<Arena>::new(Setup::new(settings, 9, TICK_RATE));
    (0..16).for_each(|player| play.join(player));
    let mut newcomer = Newcomer { random: Pcg32::new(5, 5), way: 0, error: 0 };
    let (mut flying, mut kills, mut deaths) = (0u32, 0u32, 0u32);
    for _ in 0..600 * u32::from(TICK_RATE) {
        play.tick_with(|_, view| (view.me == NEWCOMER).then(|| newcomer.think(view)));
        let ships = play.rows().table(SHIP).rows::<Ship>();
        flying += ships.filter(|(_, ship)| ship.player == i32::from(NEWCOMER.0)).count() as u32;
        for ArenaEvent::Kill { killer, victim, .. } in play.events() {
            kills += u32::from(*killer == Some(NEWCOMER));
            deaths += u32::from(*victim == NEWCOMER);
        }
    }
    let life = flying / u32::from(TICK_RATE) / deaths.max(1);
    assert!((18..=60).contains(&life), "a life lasts {life} s");
    assert!(kills * 3 >= deaths && kills <= deaths * 3, "{kills} kills, {deaths} deaths");
}

#[test]
fn one_seed_is_one_game() {
    let run = || {
        let mut play = play(40, 3);
        let mut hash = Hash::default();
        for _ in 0..300 {
            play.tick();
            hash.add(play.rows().checksum());
        }
        hash.value()
    };
    assert_eq!(run(), run());
    assert_ne!(arena_hash(40, 300, 3), arena_hash(40, 300, 4));
}
