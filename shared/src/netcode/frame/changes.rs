//! Two ticks compared, once for everybody. Comes in: the world's rows of every tick. Goes out: for
//! each entity what its receivers have to be told, ready to be copied: nothing, a fragment, or that it
//! is gone; and the whole row for those who do not have it yet.
//!
//! Entities live in slots, small numbers per kind that stay with an entity for as long as it lives, so
//! that receivers' lists and marks need no search. A slot is given out again only one tick after its
//! entity went, when every list that is kept up to date has let go of it.

use super::shared::Shared;
use super::step::{SlotFate, Span, Spawned, Step};
use super::{Parts, fragment};
use crate::game::{Fate, Game, Tick};
use crate::wire::bits::{BitWriter, GOLOMB_MAX};
use crate::wire::{Kind, Rows, Treatment, record, rows::entity_hash};
use std::collections::VecDeque;

/// Steps of the past that are kept at most, in ticks, for receivers that missed that many. Sixteen differences are
/// about as long as a keyframe; past that a keyframe is the shorter way.
pub const PAST_TICKS: usize = 16;

/// Entities of one kind at once, so that slots and their number fit 16 bits. With more the session stops
/// loudly.
pub const ENTITIES_MAX: usize = u16::MAX as usize;

const NONE: u32 = u32::MAX;

/// The slots of one kind.
#[derive(Debug, Default)]
struct KindSlots {
    /// Row indices of the tick, by slot; [`NONE`] when nothing is there.
    rows: Vec<u32>,
    /// Hashes, by slot; of ticks that carry checksums only.
    hashes: Vec<u32>,
    /// Records that were needed in this tick, by slot: bytes, and how many bits of them; 0 when it was not.
    records: Vec<(Span, u32)>,
    of_row: Vec<u32>,
    of_row_before: Vec<u32>,
    free: Vec<u32>,
    gone: Vec<u32>,
}

impl KindSlots {
    fn allocate(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            assert!(self.rows.len() < ENTITIES_MAX, "at most {ENTITIES_MAX} entities of a kind");
            self.rows.push(NONE);
            self.hashes.push(0);
            self.records.push(Default::default());
            (self.rows.len() - 1) as u32
        })
    }
}

/// The world's rows of the last two ticks, all that differs between them, and what differed between those
/// before.
#[derive(Debug)]
pub struct Changes {
    kinds: &'static [Kind],
    parts: Parts,
    before: Rows,
    now: Rows,
    per_kind: Vec<KindSlots>,
    step: Step,
    /// The steps before, newest first, as far back as was wanted.
    past: VecDeque<Step>,
    /// Steps whose memory is free.
    spare: Vec<Step>,
    records: Vec<u8>,
    scratch: Vec<u8>,
    expected_spawn: Rows,
    /// What this tick's receivers were sent already.
    pub(super) shared: Shared,
}

impl Changes {
    /// An empty world before its first tick.
    pub fn new(kinds: &'static [Kind]) -> Self {
        Self {
            kinds,
            parts: Parts::of(kinds),
            before: Rows::new(kinds),
            now: Rows::new(kinds),
            per_kind: kinds.iter().map(|_| KindSlots::default()).collect(),
            step: Step::new(kinds.len()),
            past: VecDeque::new(),
            spare: Vec::new(),
            records: Vec::new(),
            scratch: Vec::new(),
            expected_spawn: Rows::new(kinds),
            shared: Shared::default(),
        }
    }

    /// Takes the world's rows at `tick` from `publish` and compares them with those of the tick
    /// before. Of the steps before this one so many are kept as receivers lack, `lacking`, at most
    /// [`PAST_TICKS`]; where nobody lacks any, the same memory serves every tick and stays in the caches.
    /// Panics when the game breaks its promises: ids that do not ascend or are 2^31 or more, a static row
    /// that changed, a public entity that spawns a private one or the other way round, a field out of its range (looked at
    /// when an entity appears, and of all that are there in the ticks that have a checksum).
    pub fn advance<G: Game>(
        &mut self,
        (tick, lacking): (Tick, usize),
        rules: &G::Rules,
        publish: impl FnOnce(&mut Rows),
    ) {
        self.shared.clear();
        self.turn_over(lacking.min(PAST_TICKS));
        self.step.begin(tick);
        core::mem::swap(&mut self.before, &mut self.now);
        self.now.clear();
        publish(&mut self.now);
        self.records.clear();
        for kind in 0..self.kinds.len() {
            let ids = self.now.table(kind).ids();
            let name = self.kinds[kind].name;
            if let Some(two) = ids.windows(2).find(|two| two[0] >= two[1]) {
                let [a, b] = [two[0], two[1]];
                panic!("{name}: {a} stands before {b}, but ids ascend and are there once");
            }
            assert!(ids.last().is_none_or(|&id| id < GOLOMB_MAX), "{name}: ids are below 2^31");
            self.compare::<G>(kind, rules);
        }
        for spawn in &mut self.step.spawned {
            spawn.slot = self.per_kind[spawn.kind as usize].of_row[spawn.slot as usize];
        }
        if tick.is_multiple_of(super::CHECKSUM_TICKS) {
            self.hash_all();
        }
    }

    /// The newest step joins the past, of which so many are kept.
    fn turn_over(&mut self, kept: usize) {
        self.spare.extend(self.past.drain(kept.saturating_sub(1).min(self.past.len())..));
        if kept > 0 {
            let fresh = self.spare.pop().unwrap_or_else(|| Step::new(self.kinds.len()));
            self.past.push_front(core::mem::replace(&mut self.step, fresh));
        }
    }

    /// Merges the two ticks' tables of one kind, both ascending by id.
    fn compare<G: Game>(&mut self, kind: usize, rules: &G::Rules) {
        let place = &mut self.per_kind[kind];
        place.free.append(&mut place.gone);
        place.records.fill(Default::default());
        self.step.kinds[kind].fit(place.rows.len());
        core::mem::swap(&mut place.of_row, &mut place.of_row_before);
        place.of_row.clear();
        let (before_len, now_len) = (self.before.table(kind).len(), self.now.table(kind).len());
        let (mut i, mut j) = (0, 0);
        while i < before_len || j < now_len {
            let before_id = self.before.table(kind).ids().get(i).copied();
            let now_id = self.now.table(kind).ids().get(j).copied();
            let was = before_id.is_some() && (now_id.is_none() || before_id <= now_id);
            let is = now_id.is_some() && (before_id.is_none() || now_id <= before_id);
            if was {
                self.go_on::<G>(kind, i, is.then_some(j), rules);
            } else {
                self.appear(kind, j);
            }
            i += usize::from(was);
            j += usize::from(is);
        }
    }

    /// An entity that was not there: `j` is its row.
    fn appear(&mut self, kind: usize, j: usize) {
        let place = &mut self.per_kind[kind];
        let slot = place.allocate();
        place.rows[slot as usize] = j as u32;
        place.of_row.push(slot);
        self.step.kinds[kind].fit(place.rows.len());
        let table = self.now.table(kind);
        self.kinds[kind].check_row(table.ids()[j], table.row(j));
        self.step.appear(kind, slot, table.ids()[j]);
    }

    /// An entity that was there: `i` is its old row, `j` its new one.
    fn go_on<G: Game>(&mut self, kind: usize, i: usize, j: Option<usize>, rules: &G::Rules) {
        let spec = &self.kinds[kind];
        let old = self.before.table(kind).row(i);
        let id = self.before.table(kind).ids()[i];
        let mut expected = [0; crate::wire::field::FIELDS_MAX];
        let expected = &mut expected[..old.len()];
        expected.copy_from_slice(old);
        let leads = spec.leads();
        if let Some(j) = j {
            expected[..leads].copy_from_slice(&self.now.table(kind).row(j)[..leads]);
        }
        self.expected_spawn.clear();
        let mut fate =
            match (G::expect(rules, kind, id, old, expected, &mut self.expected_spawn), j) {
                (Fate::Ends, _) => SlotFate::Ended,
                (Fate::Stays, Some(_)) => SlotFate::Stays,
                (Fate::Stays, None) => SlotFate::Dropped,
            };
        // An entity that is dropped spawns nothing; every other one what was expected of it, or it
        // has to be said that it did not: in the fragment, or by a drop when there is none.
        let (mut nothing, mut spawned) = (false, Span::default());
        if fate != SlotFate::Dropped && !self.expected_spawn.is_empty() {
            let spawns = self.kinds.iter().zip(self.expected_spawn.tables());
            for (other, _) in spawns.filter(|(_, table)| !table.is_empty()) {
                let fits = other.private == spec.private;
                assert!(fits, "{} {id} spawns a {}: one is private", spec.name, other.name);
            }
            let all = &mut self.step.spawned;
            let found = find_spawned(&self.expected_spawn, &self.before, &self.now, all);
            nothing = found.is_none();
            spawned = found.unwrap_or_default();
            if nothing && fate == SlotFate::Ended {
                fate = SlotFate::Dropped;
            }
        }
        self.scratch.clear();
        let mut writer = BitWriter::new(&mut self.scratch);
        let new = if fate == SlotFate::Stays { j } else { None };
        let told = new.is_some_and(|j| {
            let new = self.now.table(kind).row(j);
            fragment::put(&mut writer, spec, id, old, new, expected, nothing)
        });
        assert!(
            !told || spec.treatment != Treatment::Static,
            "{} {id}: a static row changed",
            spec.name
        );
        if new.is_none() && fragment::has_bit_each(spec) {
            // Receivers that still have it are told nothing about an entity that ends by the rules.
            writer.put(0, 2);
        }
        let bits = writer.finish_words(0);
        let place = &mut self.per_kind[kind];
        let slot = place.of_row_before[i];
        let by_index = told && !fragment::has_bit_each(spec);
        self.step.set(kind, (slot, id), fate, (&self.scratch, bits, by_index), spawned);
        if let Some(j) = j {
            place.rows[slot as usize] = j as u32;
            place.of_row.push(slot);
        } else {
            place.rows[slot as usize] = NONE;
            place.gone.push(slot);
        }
    }

    fn hash_all(&mut self) {
        for (kind, place) in self.per_kind.iter_mut().enumerate() {
            for ((id, row), &slot) in self.now.table(kind).iter().zip(&place.of_row) {
                self.kinds[kind].check_row(id, row);
                place.hashes[slot as usize] = entity_hash(kind, id, row);
            }
        }
    }

    /// The game's kinds.
    pub fn kinds(&self) -> &'static [Kind] {
        self.kinds
    }

    /// The parts of frames.
    pub fn parts(&self) -> Parts {
        self.parts
    }

    /// The tick that was compared last.
    pub fn tick(&self) -> Tick {
        self.step.tick
    }

    /// The world at that tick.
    pub fn now(&self) -> &Rows {
        &self.now
    }

    /// What led to that tick.
    pub fn step(&self) -> &Step {
        &self.step
    }

    /// How many steps before the newest one are kept.
    pub fn past_ticks(&self) -> usize {
        self.past.len()
    }

    /// What led to the tick so many ticks ago, from 1, if it is kept.
    pub fn step_ago(&self, ticks: usize) -> Option<&Step> {
        self.past.get(ticks.checked_sub(1)?)
    }

    /// The slots of a kind's rows, in row order.
    pub fn slots(&self, kind: usize) -> &[u32] {
        &self.per_kind[kind].of_row
    }

    /// How many slots a kind has ever needed at once: marks are this long.
    pub fn slot_count(&self, kind: usize) -> usize {
        self.per_kind[kind].rows.len()
    }

    /// The entity's row at the tick. Panics when it is gone.
    #[inline]
    pub fn row(&self, kind: usize, slot: u32) -> &[i32] {
        self.now.table(kind).row(self.per_kind[kind].rows[slot as usize] as usize)
    }

    /// The entity's id.
    pub fn id(&self, kind: usize, slot: u32) -> u32 {
        self.step.kinds[kind].ids[slot as usize]
    }

    /// The entity's hash; valid in ticks that carry checksums only.
    #[inline]
    pub fn hash(&self, kind: usize, slot: u32) -> u32 {
        self.per_kind[kind].hashes[slot as usize]
    }

    /// Appends the whole row: its place by the distance from that of `near`, of the same kind, and all else
    /// encoded once per tick however many need it.
    pub fn put_record(
        &mut self,
        kind: usize,
        slot: u32,
        near: Option<u32>,
        writer: &mut BitWriter<'_>,
    ) {
        let known = self.per_kind[kind].records[slot as usize];
        let (span, bits) = if known.1 > 0 { known } else { self.encode_record(kind, slot) };
        writer.append(span.of(&self.records), bits);
        let (fields, near) = (self.kinds[kind].fields, near.map(|slot| self.row(kind, slot)));
        record::put_place(writer, fields, self.row(kind, slot), near);
    }

    fn encode_record(&mut self, kind: usize, slot: u32) -> (Span, u32) {
        let start = self.records.len();
        let fields = self.kinds[kind].fields;
        let row = self.per_kind[kind].rows[slot as usize] as usize;
        let mut record = BitWriter::new(&mut self.records);
        record::put_placeless(&mut record, fields, self.now.table(kind).row(row));
        let bits = record.finish_words(start);
        let span = Span { start: start as u32, len: (self.records.len() - start) as u32 };
        self.per_kind[kind].records[slot as usize] = (span, bits);
        (span, bits)
    }
}

/// Appends to `found` the row indices of `now` that are just what the rules would spawn; nothing when
/// any of them is missing or different.
fn find_spawned(
    expected: &Rows,
    before: &Rows,
    now: &Rows,
    found: &mut Vec<Spawned>,
) -> Option<Span> {
    let start = found.len();
    for (kind, table) in expected.tables().iter().enumerate() {
        for (id, row) in table.iter() {
            let index = now.table(kind).find(id).filter(|&index| {
                now.table(kind).row(index) == row && before.table(kind).find(id).is_none()
            });
            let Some(index) = index else {
                found.truncate(start);
                return None;
            };
            found.push(Spawned { kind: kind as u32, slot: index as u32 });
        }
    }
    Some(Span { start: start as u32, len: (found.len() - start) as u32 })
}
