//! The state and its tick. Comes in: players and what they do. Goes out: rows and events. Between
//! ticks the state is rows, a generator and who flies what; what else stands here is memory that is
//! kept so that a tick allocates nothing.

use super::ArenaEvent;
use super::grid::Grid;
use super::motion;
use super::rows::{Controls, PICKUP, PILOT, Pickup, Pilot, SHIP, SHOT, Ship, Shot};
use super::rules::Rules;
use crate::game::{Command, Fate, PlayerId};
use crate::wire::Rows;
use glam::Vec2;
use rand_pcg::Pcg32;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Tells the generator of play from the one of the terrain, should both have the same seed.
const PLAY_STREAM: u64 = 2;

/// One entity: its id and its row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entity<R> {
    pub(super) id: u32,
    pub(super) row: R,
}

/// Somebody who joined.
#[derive(Clone, Debug)]
pub(super) struct Player {
    pub(super) id: PlayerId,
    /// The id of the ship that this player flies, if it does.
    pub(super) ship: Option<u32>,
    /// Where that ship was found last, which is where it mostly still is.
    pub(super) ship_at: usize,
    /// From 1; 0 where there are no teams.
    pub(super) team: u8,
    /// Whose shot hit the ship last, and when.
    pub(super) hurt: Option<(PlayerId, u32)>,
    pub(super) pilot: Pilot,
    pub(super) record: Record,
}

/// What a round's result tells of a player that nobody needs before.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) shots: i32,
    pub(super) hits: i32,
    pub(super) best_streak: i32,
}

/// The arena: rules' side of a session. See [`crate::game::Game`].
#[derive(Clone, Debug)]
pub struct Arena {
    pub(super) random: Pcg32,
    /// By ascending id, like all lists of entities here.
    pub(super) ships: Vec<Entity<Ship>>,
    pub(super) shots: Vec<Entity<Shot>>,
    pub(super) pickups: Vec<Entity<Pickup>>,
    pub(super) players: Vec<Player>,
    /// Ticks since the start.
    pub(super) now: u32,
    /// What happened since the last tick, as somebody left.
    pub(super) meanwhile: Vec<ArenaEvent>,
    /// Ids of lost ships, and the tick from which each may be given out again; the first is the first.
    pub(super) resting_ids: VecDeque<(u32, u32)>,
    /// The smallest id that no ship has had.
    pub(super) next_ship: u32,
    pub(super) next_pickup: u32,
    /// The last ticks' ways of all ships, newest first: what lagging shooters aimed at.
    pub(super) past: VecDeque<PastTick>,
    pub(super) scratch: Scratch,
}

/// Where ships went in one tick, as they stood when nobody had touched them yet.
#[derive(Clone, Debug)]
pub(super) struct PastTick {
    /// By ascending id: id, start, end.
    pub(super) ways: Vec<(u32, Vec2, Vec2)>,
    /// The ends, by place: in the newest one the ships of this tick.
    pub(super) grid: Grid,
}

/// What lasts one tick only.
#[derive(Clone, Debug)]
pub(super) struct Scratch {
    /// Where each ship was at the start of the tick.
    origins: Vec<Vec2>,
    /// Ships by place, and those that are born, in ticks in which one is.
    pub(super) birth_grid: Grid,
    pub(super) born_shots: Vec<Entity<Shot>>,
    pub(super) born_ships: Vec<Entity<Ship>>,
}

impl Arena {
    pub(super) fn empty(rules: &Rules, luck: u64) -> Self {
        let mut arena = Self {
            random: Pcg32::new(luck, PLAY_STREAM),
            ships: Vec::new(),
            shots: Vec::new(),
            pickups: Vec::new(),
            players: Vec::new(),
            now: 0,
            meanwhile: Vec::new(),
            resting_ids: VecDeque::new(),
            next_ship: 0,
            next_pickup: 0,
            past: VecDeque::new(),
            scratch: Scratch {
                origins: Vec::new(),
                birth_grid: Grid::new(rules.half),
                born_shots: Vec::new(),
                born_ships: Vec::new(),
            },
        };
        for _ in 0..rules.pickups {
            arena.place_pickup(rules);
        }
        arena
    }

    pub(super) fn add_player(&mut self, player: PlayerId, team: u8) {
        if let Err(index) = self.players.binary_search_by_key(&player, |p| p.id) {
            let pilot = Pilot { player: i32::from(player.0), respawn: 1, ..Pilot::default() };
            let record = Record::default();
            let (id, ship, ship_at) = (player, None, 0);
            self.players
                .insert(index, Player { id, ship, ship_at, team, hurt: None, pilot, record });
        }
    }

    /// The ship goes along; shots in the air fly on, though nobody gets points for them. Who `flees` from a fight has lost
    /// it: the kill is whose shot hit last.
    pub(super) fn remove_player(&mut self, rules: &Rules, player: PlayerId, flees: bool) {
        let Some(index) = self.player_index(player) else { return };
        let Player { hurt, .. } = self.players[index];
        if let Some(ship) = self.ship_of(&self.players[index]) {
            let Entity { id, row } = self.ships.remove(ship);
            let lately = |at: u32| self.now.wrapping_sub(at) < rules.mend_delay as u32;
            let by =
                hurt.filter(|&(by, at)| flees && lately(at) && self.player_index(by).is_some());
            if let Some((by, _)) = by {
                let kill = self.kill(rules, &row, by.0.into());
                self.meanwhile.push(kill);
            }
            self.rest_id(rules, id);
        }
        self.players.remove(index);
    }

    /// The ship of this id is gone.
    pub(super) fn rest_id(&mut self, rules: &Rules, id: u32) {
        self.resting_ids.push_back((id, self.now.wrapping_add(rules.ship_id_rest)));
    }

    pub(super) fn player_index(&self, player: PlayerId) -> Option<usize> {
        // Numbers ascend, so nobody stands further back than this; and just there, unless somebody left.
        let first = self.players.first()?.id;
        let guess = usize::from(player.0.checked_sub(first.0)?).min(self.players.len() - 1);
        if self.players[guess].id == player {
            return Some(guess);
        }
        self.players[..guess].binary_search_by_key(&player, |p| p.id).ok()
    }

    /// Where a player's ship is, if there is one.
    pub(super) fn ship_of(&self, player: &Player) -> Option<usize> {
        let id = player.ship?;
        let is_there = self.ships.get(player.ship_at).is_some_and(|ship| ship.id == id);
        if is_there { Some(player.ship_at) } else { self.ship_index(id) }
    }

    pub(super) fn ship_index(&self, id: u32) -> Option<usize> {
        self.ships.binary_search_by_key(&id, |s| s.id).ok()
    }

    /// One tick: first everybody alone, then what they do to each other, then who comes and goes.
    pub(super) fn tick(
        &mut self,
        rules: &Rules,
        commands: &[Command<Controls>],
        events: &mut Vec<ArenaEvent>,
    ) {
        self.now = self.now.wrapping_add(1);
        events.append(&mut self.meanwhile);
        self.steer(commands);
        self.fly(rules);
        self.remember(rules);
        self.shoot(rules, events);
        self.collide(rules);
        self.pick_up(rules);
        self.bury(rules);
        absorb(&mut self.shots, &mut self.scratch.born_shots);
        self.spawn_ships(rules);
        self.spawn_pickups(rules);
    }

    fn steer(&mut self, commands: &[Command<Controls>]) {
        for command in commands {
            let Some(player) = self.player_index(command.player) else { continue };
            let Some(index) = self.ship_of(&self.players[player]) else { continue };
            self.players[player].ship_at = index;
            self.ships[index].row.set_input(&command.input);
        }
    }

    fn fly(&mut self, rules: &Rules) {
        self.scratch.origins.clear();
        for ship in &mut self.ships {
            self.scratch.origins.push(ship.row.place());
            let (row, shot) = motion::fly(rules, ship.id, &ship.row);
            ship.row = row;
            let Some((id, shot)) = shot else { continue };
            self.scratch.born_shots.push(Entity { id, row: shot });
            let player = PlayerId(row.player as u16);
            if let Ok(index) = self.players.binary_search_by_key(&player, |p| p.id) {
                self.players[index].record.shots += 1;
            }
        }
    }

    /// Keeps this tick's ways, and as many earlier ones as a shot may reach back.
    fn remember(&mut self, rules: &Rules) {
        let spare = if self.past.len() > rules.rewind { self.past.pop_back() } else { None };
        let mut moment =
            spare.unwrap_or_else(|| PastTick { ways: Vec::new(), grid: Grid::new(rules.half) });
        moment.ways.clear();
        moment.grid.begin(self.ships.len());
        for (ship, &start) in self.ships.iter().zip(&self.scratch.origins) {
            moment.ways.push((ship.id, start, ship.row.place()));
            moment.grid.push(ship.row.place());
        }
        self.past.push_front(moment);
    }

    /// Moves every shot and lets it hit what is in its way; a shot whose time is over may still hit
    /// on its last stretch.
    fn shoot(&mut self, rules: &Rules, events: &mut Vec<ArenaEvent>) {
        let mut kept = 0;
        for index in 0..self.shots.len() {
            let Entity { id, row: before } = self.shots[index];
            let (after, fate) = motion::travel(rules, &before);
            if self.strike(rules, &before, &after, events) || fate == Fate::Ends {
                continue;
            }
            self.shots[kept] = Entity { id, row: after };
            kept += 1;
        }
        self.shots.truncate(kept);
    }

    pub(super) fn write(&self, rows: &mut Rows) {
        self.ships.iter().for_each(|e| rows.table_mut(SHIP).push_row(e.id, &e.row));
        self.shots.iter().for_each(|e| rows.table_mut(SHOT).push_row(e.id, &e.row));
        self.pickups.iter().for_each(|e| rows.table_mut(PICKUP).push_row(e.id, &e.row));
        for player in &self.players {
            rows.table_mut(PILOT).push_row(u32::from(player.id.0), &player.pilot);
        }
    }
}

/// Moves the entities of `born` into `list`; both ascend, share no id, and so does the result.
pub(super) fn absorb<R: Copy>(list: &mut Vec<Entity<R>>, born: &mut Vec<Entity<R>>) {
    let mut old = list.len();
    list.extend_from_slice(born);
    let mut free = list.len();
    while let Some(&last) = born.last() {
        free -= 1;
        if old > 0 && list[old - 1].id > last.id {
            old -= 1;
            list[free] = list[old];
        } else {
            list[free] = last;
            born.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absorbing_keeps_the_order() {
        let entities = |ids: &[u32]| -> Vec<Entity<()>> {
            ids.iter().map(|&id| Entity { id, row: () }).collect()
        };
        for (old, new) in [
            (&[1, 4, 9][..], &[0, 2, 3, 10][..]),
            (&[][..], &[1, 2][..]),
            (&[1, 2][..], &[][..]),
            (&[5, 6][..], &[1, 2][..]),
        ] {
            let (mut list, mut born) = (entities(old), entities(new));
            absorb(&mut list, &mut born);
            let mut all = [old, new].concat();
            all.sort_unstable();
            assert_eq!(list.iter().map(|e| e.id).collect::<Vec<_>>(), all);
            assert!(born.is_empty());
        }
    }
}
