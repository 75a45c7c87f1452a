//! The game that ships: an arena of ships with inertia, rocks as cover, shots and pickups. Comes in:
//! players and their controls. Goes out: rows and events.
//!
//! In the order of a tick: [`rows`] are the kinds of entity, [`tuning`] all numbers, [`rules`] what
//! follows from a setup, with the [`compass`] and the terrain of [`rocks`]; `motion` moves a ship or
//! a shot alone, `combat` is what they do to each other, `spawn` who comes in, `world` the whole
//! tick, `checkpoint` the way out of one process and into the next, `view` what a player sees; [`brain`] plays it.

pub mod brain;
mod checkpoint;
mod combat;
pub mod compass;
mod grid;
mod motion;
pub mod rocks;
pub mod rows;
pub mod rules;
mod spawn;
pub mod tuning;
mod view;
mod world;

#[cfg(test)]
mod tests;

pub use brain::ArenaBrain;
pub use rows::{Controls, Pickup, Pilot, Ship, Shot};
pub use rules::{Rules, Settings};
pub use world::Arena;

use crate::game::{Audience, Circle, Command, Fate, Focus, Game, PlayerId, Setup};
use crate::wire::{Kind, Row, Rows};
use serde::{Deserialize, Serialize};
use world::Player;

/// What everybody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ArenaEvent {
    /// A ship was shot down.
    Kill {
        /// Who did it; nobody when the shooter has left meanwhile.
        killer: Option<PlayerId>,
        /// Whose ship.
        victim: PlayerId,
        /// The killer's kills since it last died, this one among them.
        streak: u16,
    },
}

/// With so many players or fewer everybody is on everybody's map: they would look for each other for longer than they fight.
const FEW: usize = 4;

impl Game for Arena {
    const NAME: &'static str = "arena";
    const RULES_VERSION: u32 = 4;
    const KINDS: &'static [Kind] = rows::KINDS;
    const FIGURES: &'static [&'static str] = &["kills", "deaths", "shots", "hits", "best_streak"];

    type Settings = Settings;
    type Rules = Rules;
    type Input = Controls;
    type Event = ArenaEvent;
    type Brain = ArenaBrain;

    fn rules(setup: &Setup<Settings>) -> Result<Rules, String> {
        Rules::new(setup)
    }

    fn new(_setup: &Setup<Settings>, rules: &Rules, luck: u64) -> Self {
        Self::empty(rules, luck)
    }

    fn checkpoint(&self) -> Option<Vec<u8>> {
        Some(self.to_bytes())
    }

    fn resume(_setup: &Setup<Settings>, rules: &Rules, checkpoint: &[u8]) -> Option<Self> {
        Self::from_bytes(rules, checkpoint)
    }

    fn join(&mut self, _rules: &Rules, player: PlayerId, team: u8) {
        self.add_player(player, team);
    }

    fn leave(&mut self, rules: &Rules, player: PlayerId) {
        self.remove_player(rules, player, true);
    }

    fn take_out(&mut self, rules: &Rules, player: PlayerId) {
        self.remove_player(rules, player, false);
    }

    fn step(
        &mut self,
        rules: &Rules,
        commands: &[Command<Controls>],
        events: &mut Vec<ArenaEvent>,
    ) {
        self.tick(rules, commands, events);
    }

    fn publish(&self, rows: &mut Rows) {
        self.write(rows);
    }

    fn view(&self, player: PlayerId) -> Focus {
        self.focus(player)
    }

    fn circle(&self) -> Circle {
        if self.players.len() <= FEW { Circle::Everybody } else { Circle::Team }
    }

    fn audience(event: &ArenaEvent) -> Audience {
        let ArenaEvent::Kill { killer, victim, .. } = *event;
        Audience::Mainly([victim, killer.unwrap_or(PlayerId::NOBODY)])
    }

    fn score(&self, player: PlayerId) -> i32 {
        self.player_index(player).map_or(0, |index| self.players[index].pilot.score)
    }

    fn figures(&self, player: PlayerId) -> Vec<i32> {
        let Some(index) = self.player_index(player) else { return vec![0; Self::FIGURES.len()] };
        let Player { pilot, record, .. } = &self.players[index];
        vec![pilot.kills, pilot.deaths, record.shots, record.hits, record.best_streak]
    }

    fn expect(
        rules: &Rules,
        kind: usize,
        id: u32,
        before: &[i32],
        after: &mut [i32],
        spawned: &mut Rows,
    ) -> Fate {
        match kind {
            rows::SHIP => {
                let mut ship = Ship::read(before);
                ship.set_input(&Ship::read(after).input());
                let (next, shot) = motion::fly(rules, id, &ship);
                next.write(after);
                if let Some((id, shot)) = shot {
                    spawned.table_mut(rows::SHOT).push_row(id, &shot);
                }
                Fate::Stays
            }
            rows::SHOT => {
                let (next, fate) = motion::travel(rules, &Shot::read(before));
                next.write(after);
                fate
            }
            _ => Fate::Stays,
        }
    }
}
