//! The arena as bytes between two ticks, and back: its rows, and what stands in none of them, which is the generator, who
//! flies what, and which ids rest. Ways of past ticks are left out: for as long as shooters may reach back, they hit after
//! a resume what is there now. So is whose shot hit whom last.

use super::rows::{KINDS, PICKUP, PILOT, SHIP, SHOT};
use super::rules::Rules;
use super::world::{Arena, Entity, Player, Record};
use crate::checkpoint;
use crate::game::PlayerId;
use crate::wire::{Row, Rows, Table};
use rand_pcg::Pcg32;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

#[derive(Serialize, Deserialize)]
struct Checkpoint {
    rows: Rows,
    /// Of each pilot in turn what is in no row: the id of the ship, the team, and the record.
    players: Vec<(Option<u32>, u8, Record)>,
    random: Pcg32,
    now: u32,
    resting_ids: VecDeque<(u32, u32)>,
    next_ship: u32,
    next_pickup: u32,
}

impl Arena {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut rows = Rows::new(KINDS);
        self.write(&mut rows);
        checkpoint::write(&Checkpoint {
            rows,
            players: self.players.iter().map(|p| (p.ship, p.team, p.record)).collect(),
            random: self.random.clone(),
            now: self.now,
            resting_ids: self.resting_ids.clone(),
            next_ship: self.next_ship,
            next_pickup: self.next_pickup,
        })
    }

    /// `None` where the bytes are no arena.
    pub(super) fn from_bytes(rules: &Rules, bytes: &[u8]) -> Option<Self> {
        let kept: Checkpoint = checkpoint::read(bytes)?;
        let rows = Some(kept.rows).filter(|rows| rows.are_of(KINDS))?;
        let pilots = entities(rows.table(PILOT));
        if pilots.len() != kept.players.len() {
            return None;
        }
        let mut players = Vec::new();
        for (Entity { id, row: pilot }, (ship, team, record)) in
            pilots.into_iter().zip(kept.players)
        {
            let id = PlayerId(id.try_into().ok()?);
            players.push(Player { id, ship, ship_at: 0, team, hurt: None, pilot, record });
        }
        Some(Self {
            random: kept.random,
            ships: entities(rows.table(SHIP)),
            shots: entities(rows.table(SHOT)),
            pickups: entities(rows.table(PICKUP)),
            players,
            now: kept.now,
            resting_ids: kept.resting_ids,
            next_ship: kept.next_ship,
            next_pickup: kept.next_pickup,
            ..Self::empty(rules, 0)
        })
    }
}

fn entities<R: Row>(table: &Table) -> Vec<Entity<R>> {
    let ids = table.ids().iter();
    ids.enumerate().map(|(index, &id)| Entity { id, row: table.get(index) }).collect()
}
