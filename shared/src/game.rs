//! The seam between a game's rules and the engine. Comes in: players and their inputs, tick by tick.
//! Goes out: the world as rows, what a player may see of it, and how a row goes on by itself.
//!
//! The promise that everything rests on: **between ticks the world is its rows.** A game computes
//! inside a tick as it likes, rounds every entity to its row at the end, and starts the next tick
//! from the row. So whoever holds a row and the rules can continue it to the bit, which is how a
//! browser predicts and how frames stay small.

use crate::wire::{Kind, Row, Rows};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A fixed step of the world, counted from the session's start. At 30 Hz it lasts four years.
pub type Tick = u32;

/// Who plays. Not given out again until nobody can confuse two holders of one number.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct PlayerId(pub u16);

impl PlayerId {
    /// A number that no player ever has.
    pub const NOBODY: Self = Self(u16::MAX);
}

/// What both ends know of a session before its first tick.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setup<S> {
    /// The game's own settings.
    pub settings: S,
    /// From which the terrain follows, and whatever else of the rules is random; both ends know it.
    pub seed: u64,
    /// Ticks per second, 10 to 128.
    pub tick_rate: u16,
    /// How far back others are taken when what a player aimed at is judged, in ms, at most
    /// [`REWIND_MS_MAX`]; 0 judges by the present.
    pub rewind_ms: u16,
    /// How many teams there are; 0 is everybody against everybody.
    pub teams: u8,
}

impl<S> Setup<S> {
    /// A setup with [`REWIND_MS`] and without teams.
    pub const fn new(settings: S, seed: u64, tick_rate: u16) -> Self {
        Self { settings, seed, tick_rate, rewind_ms: REWIND_MS, teams: 0 }
    }

    /// [`Self::rewind_ms`] in whole ticks.
    pub const fn rewind_ticks(&self) -> u32 {
        self.rewind_ms as u32 * self.tick_rate as u32 / 1000
    }
}

/// What one player does in one tick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Command<I> {
    /// Who.
    pub player: PlayerId,
    /// What; every field within its table's range.
    pub input: I,
}

/// The most figures that a game's results have.
pub const FIGURES_MAX: usize = 8;

/// The furthest back a session may take others when it judges what a player aimed at, in ms. More would
/// let players be hit long after they thought themselves safe.
pub const REWIND_MS_MAX: u16 = 500;
/// How far back it takes them unless told otherwise, in ms.
pub const REWIND_MS: u16 = 200;

/// Steps of a lag (see [`crate::wire::Role::Lag`]) in a tick. A ship goes some 13 units in a tick: in
/// whole ticks a third of a ship's width would be left to chance.
pub const LAG_STEPS: usize = 4;

/// Which part of the world a player sees: an upright rectangle in the game's units. What is outside
/// is not sent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Focus {
    /// Middle, along x.
    pub x: f32,
    /// Middle, along y.
    pub y: f32,
    /// Half of the width within which an entity comes into view.
    pub half_width: f32,
    /// Half of the height within which an entity comes into view.
    pub half_height: f32,
    /// How far beyond that an entity already in view stays in it, so that nothing flickers.
    pub margin: f32,
}

impl Focus {
    /// The same place, so many times as wide and high.
    pub fn reaching(self, share: f32) -> Self {
        let (half_width, half_height) = (self.half_width * share, self.half_height * share);
        Self { half_width, half_height, ..self }
    }
}

/// What the rules alone make of an entity in the next tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is there again, as the row says.
    Stays,
    /// Its time is over; no frame has to say so.
    Ends,
}

/// Who is told of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Everybody. Of more than 64 at once, or 8 a tick for long, the rest is told to nobody.
    Everybody,
    /// These two in any case ([`PlayerId::NOBODY`] where it is but one), and everybody else while little enough happens
    /// that anybody could read it. In a world of a thousand, somebody is lost a hundred times a second.
    Mainly([PlayerId; 2]),
}

/// Of whom players are told where they are though they do not see them: once a second, a place and no more. They are to
/// be dots on a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Circle {
    /// Of nobody.
    Nobody,
    /// Of their own team, up to 64 players; without teams of nobody.
    Team,
    /// Of everybody who plays, up to 64.
    Everybody,
}

/// What one player's eyes hold at a tick: the world's rows, cut down to that player's view.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Of which tick the rows are.
    pub tick: Tick,
    /// Whose view it is.
    pub me: PlayerId,
    /// Ids ascend within each kind.
    pub rows: &'a Rows,
}

/// A game: its rules and nothing of network, time or storage.
pub trait Game: Sized + Send + 'static {
    /// Names the game in the protocol's hash and in logs.
    const NAME: &'static str;
    /// Counts up whenever the rules change so that an older client would compute something else, and when
    /// [`Game::Settings`] or [`Game::Event`] are made of something else, which it could not read.
    const RULES_VERSION: u32;
    /// The kinds of entity, at most [`crate::wire::field::KINDS_MAX`].
    const KINDS: &'static [Kind];
    /// What a round's result says of a player beside the points, by name, at most [`FIGURES_MAX`].
    const FIGURES: &'static [&'static str] = &[];
    /// How many players make a round, computer pilots among them; with fewer it stays a warm-up.
    const ROUND_PLAYERS_MIN: usize = 2;
    /// Settings of the server that suit the game, where whoever runs it says nothing: names as in its settings file and
    /// values as flags have them ("yes", lists with commas). A program whose game names one that does not exist stops at
    /// its start.
    const USUAL_SETTINGS: &'static [(&'static str, &'static str)] = &[];

    /// What a host may set. It travels as JSON to whoever opens a session, and in bincode to every client: so no
    /// attributes of serde by which a field is there or not, such as `skip_serializing_if`, `tag`, `untagged` or `flatten`.
    type Settings: Clone + Default + PartialEq + Serialize + DeserializeOwned + Send + Sync;
    /// Constants and terrain that follow from the setup alone; known to both ends, never sent.
    type Rules: Send + Sync;
    /// What a player does in a tick; its default is to do nothing.
    type Input: Row;
    /// What players are told when it happens (a kill, a goal), see [`Game::audience`]; not part of the state. In bincode,
    /// as [`Game::Settings`].
    type Event: Clone + core::fmt::Debug + Serialize + DeserializeOwned + Send;
    /// Plays the game from a player's view, for computer pilots and load tests.
    type Brain: Brain<Self>;

    /// Builds the rules. Errors with a sentence when the settings make no sense; where the seed is why, a round takes the
    /// next one.
    fn rules(setup: &Setup<Self::Settings>) -> Result<Self::Rules, String>;

    /// An empty world. What happens by chance in it follows from `luck`, which no client is told: from the
    /// setup's seed, which all know, it could be foreseen.
    fn new(setup: &Setup<Self::Settings>, rules: &Self::Rules, luck: u64) -> Self;

    /// Everything that the next tick follows from, for a server that is about to be started again; between ticks these
    /// are the rows, and what of the state is in none. When what it consists of changes, so does [`Game::RULES_VERSION`].
    /// `None`, as by default: the round does not outlive the process.
    fn checkpoint(&self) -> Option<Vec<u8>> {
        None
    }

    /// The world of a [`Game::checkpoint`] that was taken under the same name, rules version, kinds and setup, with the
    /// same players in it. `None` where that is none: then a new one begins.
    fn resume(
        _setup: &Setup<Self::Settings>,
        _rules: &Self::Rules,
        _checkpoint: &[u8],
    ) -> Option<Self> {
        None
    }

    /// A player is there from the next step on, in `team`, from 1; 0 where there are none.
    fn join(&mut self, rules: &Self::Rules, player: PlayerId, team: u8);

    /// A player is gone, with everything that should go along.
    fn leave(&mut self, rules: &Self::Rules, player: PlayerId);

    /// The same, where it is not the player who wants that: a computer pilot makes room, somebody did nothing for long, or
    /// is put into another team, which they [`Game::join`] at once.
    fn take_out(&mut self, rules: &Self::Rules, player: PlayerId) {
        self.leave(rules, player);
    }

    /// One tick. `commands` are in ascending order of players, one for every player who joined.
    fn step(
        &mut self,
        rules: &Self::Rules,
        commands: &[Command<Self::Input>],
        events: &mut Vec<Self::Event>,
    );

    /// Writes the whole world into `rows` (cleared by the caller), ids ascending within each kind.
    fn publish(&self, rows: &mut Rows);

    /// What `player`, who has joined, looks at; of [`PlayerId::NOBODY`] only the size counts, which is what spectators see.
    /// Entities without a place are shown to everybody, private kinds to their owner only, everything else
    /// where this rectangle is.
    fn view(&self, player: PlayerId) -> Focus;

    /// Whether the round is decided, so that it ends now and not when its time is up. Asked before every tick of a round;
    /// where there are none, and in a warm-up, nobody asks.
    fn is_over(&self) -> bool {
        false
    }

    /// Of whom players are told where they are, out of view too. By default of nobody.
    fn circle(&self) -> Circle {
        Circle::Nobody
    }

    /// For standings: higher is better.
    fn score(&self, player: PlayerId) -> i32;

    /// A team's points, from 1, for standings and the round's result. `None`, as by default: what its players have together,
    /// with what those had who left it.
    fn team_score(&self, _team: u8) -> Option<i32> {
        None
    }

    /// Who is told of an event.
    fn audience(_event: &Self::Event) -> Audience {
        Audience::Everybody
    }

    /// What the round's result says of a player: one number for each of [`Game::FIGURES`], neither more nor fewer.
    fn figures(&self, _player: PlayerId) -> Vec<i32> {
        Vec::new()
    }

    /// How a row goes on by itself: what the receiver of frames guesses, what prediction shows, and
    /// what [`Game::step`] does to an entity that nobody else touches, to the bit.
    ///
    /// `after` comes as a copy of `before` with the leads (see [`crate::wire::Treatment`]) already
    /// those of the new tick. Entities that come into being by this (a shot from a pressed trigger)
    /// are pushed to `spawned` as they stand at the end of the tick; the step must then create just
    /// these, and they take no step of their own in that tick. They are private if it is. It depends on nothing but its
    /// arguments.
    ///
    /// The leads of an entity that a player owns are that player's [`Game::Input`], field by field:
    /// so a client predicts it by putting its own inputs there.
    fn expect(
        rules: &Self::Rules,
        kind: usize,
        id: u32,
        before: &[i32],
        after: &mut [i32],
        spawned: &mut Rows,
    ) -> Fate;
}

/// Plays `G` from what one player sees.
pub trait Brain<G: Game>: Send {
    /// A new mind; everything random in it follows from `seed`.
    fn new(seed: u64) -> Self;

    /// What to do in the coming tick. Every round has a new mind.
    fn think(&mut self, rules: &G::Rules, view: &View<'_>) -> G::Input;
}
