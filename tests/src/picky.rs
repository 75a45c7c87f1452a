//! A game that asks of the engine what the guide promises: rules that refuse seeds, rounds for one that end when they are
//! decided, brains that learn a world by heart, more events than anybody reads, and, where it is told to, three mistakes.

use crate::gate;
use serde::{Deserialize, Serialize};
use shared::game::{Brain, Command, Fate, Focus, Game, PlayerId, Setup, View};
use shared::row;
use shared::wire::{Kind, Row, Rows, Treatment};

row! {
    /// What a player does.
    pub struct Press {
        /// Whether the button is held.
        button: count(1),
    }
}

row! {
    /// Something that drifts by itself.
    pub struct Leaf {
        /// East.
        x: x(8, 1.0),
        /// South.
        y: y(8, 1.0),
    }
}

/// What a host may set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wishes {
    /// The round is decided after so many ticks; 0: never.
    pub decided: u32,
    /// Events in each tick.
    pub events: u32,
    /// The [`gate`] that each step has to pass.
    pub gate: u8,
    /// Whether the leaf drifts, and out of its field's range.
    pub drifts: bool,
    /// Whether it tells a figure of each player that it has no name for.
    pub miscounts: bool,
    /// Whether a team has a hundred times its number of points, whatever its players have.
    pub goals: bool,
    /// Where it is true bincode has one field less than it expects.
    #[serde(skip_serializing_if = "is_true")]
    pub is_not_written: bool,
}

fn is_true(yes: &bool) -> bool {
    *yes
}

/// The game.
pub struct Picky {
    wishes: Wishes,
    ticks: u32,
    /// How often a button was held.
    presses: i32,
}

impl Game for Picky {
    const NAME: &'static str = "picky";
    const RULES_VERSION: u32 = 1;
    const KINDS: &'static [Kind] = &[Kind {
        name: "leaf",
        fields: Leaf::FIELDS,
        treatment: Treatment::Ballistic,
        private: false,
    }];
    const ROUND_PLAYERS_MIN: usize = 1;

    type Settings = Wishes;
    /// The seed.
    type Rules = u64;
    type Input = Press;
    type Event = u32;
    type Brain = Learner;

    fn rules(setup: &Setup<Wishes>) -> Result<u64, String> {
        let refused = setup.seed.is_multiple_of(8);
        if refused { Err("no way out of these walls".into()) } else { Ok(setup.seed) }
    }

    fn new(setup: &Setup<Wishes>, _: &u64, _luck: u64) -> Self {
        Self { wishes: setup.settings, ticks: 0, presses: 0 }
    }

    fn join(&mut self, _: &u64, _: PlayerId, _team: u8) {}

    fn leave(&mut self, _: &u64, _: PlayerId) {}

    fn step(&mut self, _: &u64, commands: &[Command<Press>], events: &mut Vec<u32>) {
        gate::pass(self.wishes.gate);
        self.ticks += 1;
        self.presses += commands.iter().map(|command| command.input.button).sum::<i32>();
        events.extend(0..self.wishes.events);
    }

    fn publish(&self, rows: &mut Rows) {
        let x = if self.wishes.drifts { self.ticks as i32 } else { 0 };
        rows.table_mut(0).push_row(0, &Leaf { x, y: 0 });
    }

    fn view(&self, _: PlayerId) -> Focus {
        Focus { half_width: 1000.0, half_height: 1000.0, ..Focus::default() }
    }

    fn is_over(&self) -> bool {
        self.wishes.decided > 0 && self.ticks >= self.wishes.decided
    }

    fn score(&self, _: PlayerId) -> i32 {
        self.presses
    }

    fn figures(&self, _: PlayerId) -> Vec<i32> {
        if self.wishes.miscounts { vec![1] } else { Vec::new() }
    }

    fn team_score(&self, team: u8) -> Option<i32> {
        self.wishes.goals.then_some(100 * i32::from(team))
    }

    fn expect(_: &u64, _: usize, _: u32, before: &[i32], after: &mut [i32], _: &mut Rows) -> Fate {
        // As `publish` has it: the mistake is that both go on for ever.
        let mut leaf = Leaf::read(before);
        leaf.x += i32::from(leaf.x > 0);
        leaf.write(after);
        Fate::Stays
    }
}

/// Learns its first world by heart, and presses the button in any other.
pub struct Learner(Option<u64>);

impl Brain<Picky> for Learner {
    fn new(_: u64) -> Self {
        Self(None)
    }

    fn think(&mut self, seed: &u64, _: &View<'_>) -> Press {
        Press { button: i32::from(self.0.get_or_insert(*seed) != seed) }
    }
}
