//! The second game, so that the seam stays a seam: boats row about, set lanterns adrift, and a lantern
//! that meets another boat pushes it and earns its owner a coin. Small, and yet it has every treatment
//! of entities: steered with an implied spawn, ballistic, static, plain and private, and one without a
//! place. `web` is its module for the browser, `server` beside this package its programs.

#[cfg(target_arch = "wasm32")]
pub mod web;

use serde::{Deserialize, Serialize};
use shared::checkpoint;
use shared::game::{Brain, Command, Fate, Focus, Game, PlayerId, Setup, View};
use shared::row;
use shared::wire::{Kind, Row, Rows, Treatment};
use std::collections::BTreeMap;

const STEP: f32 = 0.25;
/// Half of the water's side, in units.
const SHORE: f32 = 600.0;
const ROW_UNITS: f32 = 4.0;
const LANTERN_TICKS: i32 = 40;
const RELOAD_TICKS: i32 = 9;
const HIT_UNITS: f32 = 12.0;
const BOW_UNITS: f32 = 14.0;

row! {
    /// What a player does.
    pub struct Oars {
        /// Where to row.
        helm: angle(8),
        /// Bit 0: row; bit 1: set a lantern adrift.
        pull: count(2),
    }
}

row! {
    /// A boat.
    pub struct Boat {
        /// As in the input.
        helm: angle(8),
        /// As in the input.
        pull: count(2),
        /// East.
        x: x(14, STEP),
        /// South.
        y: y(14, STEP),
        /// Ticks until the next lantern.
        reload: count(4),
        /// Lanterns so far, modulo 16.
        lanterns: count(4),
        /// Who rows.
        player: owner(),
    }
}

row! {
    /// A lantern adrift.
    pub struct Lantern {
        /// East.
        x: x(14, STEP),
        /// South.
        y: y(14, STEP),
        /// Steps east per tick.
        drift: signed(6, STEP),
        /// Ticks until it goes out.
        ttl: count(6),
        /// Whose.
        player: owner(),
    }
}

row! {
    /// A rock that the tide bares.
    pub struct Rock {
        /// East.
        x: x(14, STEP),
        /// South.
        y: y(14, STEP),
    }
}

row! {
    /// What a player earned; nobody else's business.
    pub struct Purse {
        /// Coins.
        coins: count(16),
        /// Whose.
        player: owner(),
    }
}

row! {
    /// The tide, which everybody sees.
    pub struct Tide {
        /// How high.
        level: count(8),
    }
}

/// Index of each kind.
pub const BOAT: usize = 0;
/// See [`BOAT`].
pub const LANTERN: usize = 1;
/// See [`BOAT`].
pub const ROCK: usize = 2;
/// See [`BOAT`].
pub const PURSE: usize = 3;
/// See [`BOAT`].
pub const TIDE: usize = 4;

const fn kind<R: Row>(name: &'static str, treatment: Treatment, private: bool) -> Kind {
    Kind { name, fields: R::FIELDS, treatment, private }
}

/// What a host may set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Waters {
    /// Whether everybody sees all of it.
    pub in_full_view: bool,
    /// Whoever has so many coins has won the round; 0: it lasts as long as it lasts.
    pub coins_to_win: u16,
    /// How deep it is. Nothing follows from it, but that rules which count fathoms in a `usize` break in the browser,
    /// where it has 32 bits: for whoever looks at what is said then.
    pub fathoms: u64,
}

/// The world.
#[derive(Default)]
pub struct Buoys {
    waters: Waters,
    tick: u32,
    boats: BTreeMap<PlayerId, (Boat, i32)>,
    lanterns: BTreeMap<u32, Lantern>,
}

impl Game for Buoys {
    const NAME: &'static str = "buoys";
    const RULES_VERSION: u32 = 3;
    /// In three minutes everything there is to see was seen.
    const USUAL_SETTINGS: &'static [(&'static str, &'static str)] = &[("round_seconds", "180")];
    const KINDS: &'static [Kind] = &[
        kind::<Boat>("boat", Treatment::Steered { leads: 2 }, false),
        kind::<Lantern>("lantern", Treatment::Ballistic, false),
        kind::<Rock>("rock", Treatment::Static, false),
        kind::<Purse>("purse", Treatment::Plain, true),
        kind::<Tide>("tide", Treatment::Plain, false),
    ];

    type Settings = Waters;
    type Rules = ();
    type Input = Oars;
    type Event = PlayerId;
    type Brain = Rower;

    fn rules(setup: &Setup<Waters>) -> Result<(), String> {
        let _: usize = setup.settings.fathoms.try_into().expect("no water is as deep as that");
        Ok(())
    }

    fn new(setup: &Setup<Waters>, (): &(), _luck: u64) -> Self {
        Self { waters: setup.settings, ..Self::default() }
    }

    fn checkpoint(&self) -> Option<Vec<u8>> {
        let mut rows = Rows::new(Self::KINDS);
        self.publish(&mut rows);
        let coins: Vec<i32> = self.boats.values().map(|(_, coins)| *coins).collect();
        Some(checkpoint::write(&(self.tick, coins, rows)))
    }

    fn resume(setup: &Setup<Waters>, (): &(), checkpoint: &[u8]) -> Option<Self> {
        let (tick, coins, rows): (u32, Vec<i32>, Rows) = checkpoint::read(checkpoint)?;
        let (boats, lanterns) = (rows.tables().get(BOAT)?, rows.tables().get(LANTERN)?);
        if !rows.are_of(Self::KINDS) || coins.len() != boats.len() {
            return None;
        }
        let boat = |(index, coins)| {
            (PlayerId(boats.ids()[index] as u16), (boats.get::<Boat>(index), coins))
        };
        let boats = coins.into_iter().enumerate().map(boat).collect();
        let lantern = |index| (lanterns.ids()[index], lanterns.get(index));
        let lanterns = (0..lanterns.len()).map(lantern).collect();
        Some(Self { waters: setup.settings, tick, boats, lanterns })
    }

    fn join(&mut self, (): &(), player: PlayerId, _team: u8) {
        let place = |n: u32| (n.wrapping_mul(2_654_435_761) >> 16) as i32 % 4000 - 2000;
        let id = u32::from(player.0);
        let boat = Boat {
            x: place(id + 1),
            y: place(id * 7 + 3),
            player: i32::from(player.0),
            ..Boat::default()
        };
        self.boats.insert(player, (boat, 0));
    }

    fn leave(&mut self, (): &(), player: PlayerId) {
        self.boats.remove(&player);
        self.lanterns.retain(|_, lantern| lantern.player != i32::from(player.0));
    }

    fn step(&mut self, (): &(), commands: &[Command<Oars>], events: &mut Vec<PlayerId>) {
        self.tick += 1;
        self.lanterns.retain(|_, lantern| lantern.drift_on() == Fate::Stays);
        for command in commands {
            let (boat, _) = self.boats.get_mut(&command.player).expect("joined");
            (boat.helm, boat.pull) = (command.input.helm, command.input.pull);
            if let Some((id, lantern)) = boat.row_on(u32::from(command.player.0)) {
                self.lanterns.insert(id, lantern);
            }
        }
        let mut hits = Vec::new();
        for (&id, lantern) in &self.lanterns {
            let hit = |boat: &Boat| {
                let (dx, dy) = ((boat.x - lantern.x) as f32, (boat.y - lantern.y) as f32);
                boat.player != lantern.player && (dx * dx + dy * dy).sqrt() * STEP < HIT_UNITS
            };
            if lantern.ttl < LANTERN_TICKS
                && let Some((&player, _)) = self.boats.iter().find(|(_, (boat, _))| hit(boat))
            {
                hits.push((id, player));
            }
        }
        for (id, player) in hits {
            let lantern = self.lanterns.remove(&id).expect("it hit");
            let boat = &mut self.boats.get_mut(&player).expect("was hit").0;
            boat.x = (boat.x + lantern.drift * 4).clamp(-2400, 2400);
            let owner = PlayerId(lantern.player as u16);
            self.boats.get_mut(&owner).expect("lanterns leave with their owners").1 += 1;
            events.push(owner);
        }
    }

    fn publish(&self, rows: &mut Rows) {
        for (player, (boat, coins)) in &self.boats {
            let id = u32::from(player.0);
            rows.table_mut(BOAT).push_row(id, boat);
            let purse = Purse { coins: *coins & 0xffff, player: boat.player };
            rows.table_mut(PURSE).push_row(id, &purse);
        }
        self.lanterns.iter().for_each(|(&id, row)| rows.table_mut(LANTERN).push_row(id, row));
        for n in 0..12u32 {
            let bared = !(self.tick / 50 + n).is_multiple_of(3);
            if bared {
                let place = |k: u32| (n * k % 23) as i32 * 200 - 2200;
                rows.table_mut(ROCK).push_row(n, &Rock { x: place(5), y: place(7) });
            }
        }
        let level = (self.tick / 20 % 256) as i32;
        rows.table_mut(TIDE).push_row(0, &Tide { level });
    }

    fn view(&self, player: PlayerId) -> Focus {
        let boat = self.boats.get(&player).map(|b| b.0).unwrap_or_default();
        let near = Focus {
            x: boat.x as f32 * STEP,
            y: boat.y as f32 * STEP,
            half_width: 260.0,
            half_height: 160.0,
            margin: 30.0,
        };
        near.reaching(if self.waters.in_full_view { 100.0 } else { 1.0 })
    }

    fn is_over(&self) -> bool {
        let enough = i32::from(self.waters.coins_to_win);
        enough > 0 && self.boats.values().any(|&(_, coins)| coins >= enough)
    }

    fn score(&self, player: PlayerId) -> i32 {
        self.boats.get(&player).map_or(0, |boat| boat.1)
    }

    fn expect(
        (): &(),
        kind: usize,
        id: u32,
        _before: &[i32],
        after: &mut [i32],
        spawned: &mut Rows,
    ) -> Fate {
        match kind {
            BOAT => {
                let mut boat = Boat::read(after);
                if let Some((id, lantern)) = boat.row_on(id) {
                    spawned.table_mut(LANTERN).push_row(id, &lantern);
                }
                boat.write(after);
                Fate::Stays
            }
            LANTERN => {
                let mut lantern = Lantern::read(after);
                let fate = lantern.drift_on();
                lantern.write(after);
                fate
            }
            _ => Fate::Stays,
        }
    }
}

impl Boat {
    /// A tick by the boat's own oars; the lantern it sets adrift, with its id.
    fn row_on(&mut self, id: u32) -> Option<(u32, Lantern)> {
        let course = self.helm as f32 * (core::f32::consts::TAU / 256.0);
        if self.pull & 1 != 0 {
            let go = |at: i32, by: f32| {
                let units = (at as f32 * STEP + by * ROW_UNITS).clamp(-SHORE, SHORE);
                libm::roundf(units / STEP) as i32
            };
            self.x = go(self.x, libm::cosf(course));
            self.y = go(self.y, libm::sinf(course));
        }
        self.reload = (self.reload - 1).max(0);
        if self.pull & 2 == 0 || self.reload > 0 {
            return None;
        }
        self.reload = RELOAD_TICKS;
        self.lanterns = (self.lanterns + 1) % 16;
        let lantern = Lantern {
            x: self.x + libm::roundf(libm::cosf(course) * BOW_UNITS / STEP) as i32,
            y: self.y + libm::roundf(libm::sinf(course) * BOW_UNITS / STEP) as i32,
            drift: libm::roundf(libm::cosf(course) * 24.0) as i32,
            ttl: LANTERN_TICKS,
            player: self.player,
        };
        Some((id * 16 + self.lanterns as u32, lantern))
    }
}

impl Lantern {
    fn drift_on(&mut self) -> Fate {
        self.x = (self.x + self.drift).clamp(-8000, 8000);
        self.ttl -= 1;
        if self.ttl > 0 { Fate::Stays } else { Fate::Ends }
    }
}

/// Rows in circles, a little at random.
pub struct Rower(u64);

impl Brain<Buoys> for Rower {
    fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    fn think(&mut self, (): &(), view: &View<'_>) -> Oars {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        let dice = (self.0 >> 33) as i32;
        let mine = view.rows.table(BOAT).rows::<Boat>();
        let helm = mine.filter(|(_, b)| b.player == i32::from(view.me.0)).map(|(_, b)| b.helm);
        let helm = helm.last().unwrap_or(dice);
        Oars {
            helm: (helm + dice % 9 - 3) & 0xff,
            pull: i32::from(dice % 7 != 0) | (dice >> 8) & 2,
        }
    }
}
