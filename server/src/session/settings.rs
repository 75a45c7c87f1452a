//! What people choose of a session when they open it, and what it may become from the next round on. Comes
//! in: JSON, checked. Goes out: a [`SessionConfig`] for a game, or a sentence about what makes no sense.

use super::SessionConfig;
use super::rounds::{SEEDS_TRIED, next_seed};
use serde::{Deserialize, Serialize};
use shared::game::{Game, REWIND_MS, REWIND_MS_MAX, Setup};
use shared::wire::message::{self, NAME_CHARS_MAX, clean_name};
use utoipa::ToSchema;

/// The most teams; there are as many colours to tell them apart.
pub const TEAMS_MAX: u8 = 4;
/// The longest delay of what spectators see, in seconds. All that happens in it is kept in memory.
pub const SPECTATOR_DELAY_S_MAX: u8 = 30;
/// The shortest round, in seconds; 0 is a game without rounds.
pub const ROUND_S_MIN: u16 = 20;
/// The longest round, in seconds.
pub const ROUND_S_MAX: u16 = 3600;
/// The most computer pilots of a session.
pub const PILOTS_MAX: u16 = 1000;
/// Ticks per second.
pub const TICK_RATES: core::ops::RangeInclusive<u16> = 10..=128;

/// Who fights whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Everybody against everybody.
    #[default]
    FreeForAll,
    /// Teams against each other.
    Teams,
}

/// How many computer pilots there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PilotCount {
    /// They join until people and they are this many together, and leave as people arrive.
    FillUpTo(u16),
    /// Always this many.
    Always(u16),
}

impl PilotCount {
    /// How many there are to be beside so many people.
    pub fn beside(self, people: usize) -> usize {
        match self {
            Self::FillUpTo(all) => usize::from(all).saturating_sub(people),
            Self::Always(pilots) => usize::from(pilots),
        }
    }

    const fn most(self) -> u16 {
        let (Self::FillUpTo(count) | Self::Always(count)) = self;
        count
    }
}

/// What a session is like. What is left out of JSON is as usual.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SessionSettings {
    /// What it is called, 1 to 24 letters.
    #[schema(min_length = 1)]
    pub name: String,
    /// Who fights whom.
    pub mode: Mode,
    /// How many teams there are in a game of teams, 2 to 4.
    pub teams: u8,
    /// Whether everybody finds it in the list; else only who has the code.
    pub public: bool,
    /// The most people who play at once.
    #[schema(minimum = 1, maximum = 65535)]
    pub max_players: u16,
    /// The most people who watch at once.
    #[schema(maximum = 65535)]
    pub max_spectators: u16,
    /// By how many seconds what spectators see is delayed, 0 to 30.
    #[schema(maximum = 30)]
    pub spectator_delay_s: u8,
    /// Ticks per second, 10 to 128; for as long as the session lasts.
    #[schema(minimum = 10, maximum = 128)]
    pub tick_rate: u16,
    /// Length of a round in seconds, 20 to 3600; 0 is a game without rounds.
    #[schema(maximum = 3600)]
    pub round_s: u16,
    /// Computer pilots.
    pub pilots: PilotCount,
    /// Whether players may change teams.
    pub switch_teams: bool,
    /// How far back others are taken when a shot is judged, in ms, 0 to 500.
    #[schema(maximum = 500)]
    pub rewind_ms: u16,
    /// From which the terrain of a round follows; another one for each round when absent.
    pub seed: Option<u64>,
    /// The game's own settings.
    #[schema(value_type = Object)]
    pub game: serde_json::Map<String, serde_json::Value>,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            name: "Arena".into(),
            mode: Mode::FreeForAll,
            teams: 2,
            public: true,
            max_players: 64,
            max_spectators: 32,
            spectator_delay_s: 0,
            tick_rate: 30,
            round_s: 300,
            pilots: PilotCount::FillUpTo(8),
            switch_teams: true,
            rewind_ms: REWIND_MS,
            seed: None,
            game: serde_json::Map::new(),
        }
    }
}

impl SessionSettings {
    /// The configuration of a session of `G`, whose first round has the seed `seed`, or of those that follow it the first
    /// that the rules take, unless the settings name one. Errors with a sentence for whoever chose.
    pub fn config<G: Game>(&self, seed: u64) -> Result<SessionConfig<G::Settings>, String> {
        let name = clean_name(&self.name).ok_or(format!(
            "A session's name has 1 to {NAME_CHARS_MAX} letters that can be seen."
        ))?;
        in_range("tick_rate", self.tick_rate, TICK_RATES)?;
        in_range("rewind_ms", self.rewind_ms, 0..=REWIND_MS_MAX)?;
        in_range("max_players", self.max_players, 1..=u16::MAX)?;
        in_range("pilots", self.pilots.most(), 0..=PILOTS_MAX)?;
        in_range("spectator_delay_s", self.spectator_delay_s, 0..=SPECTATOR_DELAY_S_MAX)?;
        if self.round_s > 0 {
            in_range("round_s", self.round_s, ROUND_S_MIN..=ROUND_S_MAX)?;
        }
        let teams = match self.mode {
            Mode::FreeForAll => 0,
            Mode::Teams => self.teams,
        };
        if self.mode == Mode::Teams {
            in_range("teams", teams, 2..=TEAMS_MAX)?;
        }
        let game = self.game_settings::<G>()?;
        let &Self { tick_rate, rewind_ms, .. } = self;
        let first = self.seed.unwrap_or(seed);
        let setup = Setup { settings: game, seed: first, tick_rate, rewind_ms, teams };
        if message::decode(&message::encode(&setup)) != Ok(setup.clone()) {
            return Err(
                "The game's settings: no client could read them, as bincode gives others.".into()
            );
        }
        // Whether the game takes them: only it knows.
        let seeds = core::iter::successors(Some(first), |&seed| Some(next_seed(seed)));
        let tried = if self.seed.is_some() { 1 } else { 1 + SEEDS_TRIED };
        let mut setups = seeds.take(tried).map(|seed| Setup { seed, ..setup.clone() });
        let mut refused = None;
        let taken = setups.find(|setup| match G::rules(setup) {
            Ok(_) => true,
            Err(why) => {
                refused.get_or_insert(why);
                false
            }
        });
        let setup = taken.ok_or_else(|| refusal(&refused.unwrap_or_default()))?;
        Ok(SessionConfig {
            name,
            public: self.public,
            players_max: usize::from(self.max_players),
            spectators_max: usize::from(self.max_spectators),
            spectator_delay_s: u32::from(self.spectator_delay_s),
            pilots: self.pilots,
            round_s: u32::from(self.round_s),
            switch_teams: self.switch_teams,
            seeded: self.seed.is_some(),
            ..SessionConfig::new(setup)
        })
    }
}

impl SessionSettings {
    fn game_settings<G: Game>(&self) -> Result<G::Settings, String> {
        if self.game.is_empty() {
            return Ok(G::Settings::default());
        }
        let game = serde_json::Value::Object(self.game.clone());
        serde_json::from_value(game).map_err(|why| refusal(&why.to_string()))
    }
}

fn refusal(why: &str) -> String {
    format!("The game's settings: {why}.")
}

fn in_range<T: PartialOrd + core::fmt::Display>(
    what: &str,
    value: T,
    range: core::ops::RangeInclusive<T>,
) -> Result<(), String> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(format!("{what} is {value}, but goes from {} to {}.", range.start(), range.end()))
}
