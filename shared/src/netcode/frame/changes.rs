//! Two ticks compared, once for everybody. Comes in: the world's rows of every tick. Goes out: for
//! each entity what its receivers have to be told, ready to be copied: nothing, a fragment, or that it
//! is gone; and the whole row for those who do not have it yet.
//!
//! Entities live in slots, small numbers per kind that stay with an entity for as long as it lives, so
//! that receivers' lists and marks need no search. A slot is given out again only one tick after its
//! entity went, when every list that is kept up to date has let go of it.

use super::fragment;
use crate::game::{Fate, Game, Tick};
use crate::wire::{Kind, Rows, bits, rows::entity_hash, varint};

const NONE: u32 = u32::MAX;

/// What happened to an entity between the last tick and this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotFate {
    /// No entity has this slot.
    Absent,
    /// It was not there in the last tick.
    New,
    /// It goes on, by its fragment or as expected.
    Stays,
    /// It is gone, and the rules alone say so: receivers need not be told. (Should the world hold an
    /// entity of the same id all the same, receivers lose the old one and are shown the other.)
    Ended,
    /// It is gone, and nobody could have known.
    Dropped,
}

/// An entity that the rules spawn from another, as expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spawned {
    /// Index of its kind.
    pub kind: u32,
    /// Its slot.
    pub slot: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: u32,
    len: u32,
}

impl Span {
    const UNKNOWN: Self = Self { start: NONE, len: 0 };

    fn of<'a, T>(&self, all: &'a [T]) -> &'a [T] {
        &all[self.start as usize..(self.start + self.len) as usize]
    }
}

/// One entity's place in the comparison.
#[derive(Clone, Copy, Debug)]
struct Slot {
    fate: SlotFate,
    /// Row index in the tick's table; [`NONE`] when gone.
    row: u32,
    hash: u32,
    fragment: Span,
    spawned: Span,
    record: Span,
}

impl Slot {
    const ABSENT: Self = Self {
        fate: SlotFate::Absent,
        row: NONE,
        hash: 0,
        fragment: Span { start: 0, len: 0 },
        spawned: Span { start: 0, len: 0 },
        record: Span::UNKNOWN,
    };
}

#[derive(Debug, Default)]
struct KindSlots {
    slots: Vec<Slot>,
    of_row: Vec<u32>,
    of_row_before: Vec<u32>,
    free: Vec<u32>,
    gone: Vec<u32>,
}

impl KindSlots {
    fn allocate(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::ABSENT);
            (self.slots.len() - 1) as u32
        })
    }
}

/// The world's rows of the last two ticks and all that differs between them.
#[derive(Debug)]
pub struct Changes {
    kinds: &'static [Kind],
    tick: Tick,
    before: Rows,
    now: Rows,
    per_kind: Vec<KindSlots>,
    fragments: Vec<u8>,
    /// While comparing, `slot` is a row index of `now`.
    spawned: Vec<Spawned>,
    records: Vec<u8>,
    expected_spawn: Rows,
}

impl Changes {
    /// An empty world before its first tick.
    pub fn new(kinds: &'static [Kind]) -> Self {
        Self {
            kinds,
            tick: 0,
            before: Rows::new(kinds),
            now: Rows::new(kinds),
            per_kind: kinds.iter().map(|_| KindSlots::default()).collect(),
            fragments: Vec::new(),
            spawned: Vec::new(),
            records: Vec::new(),
            expected_spawn: Rows::new(kinds),
        }
    }

    /// Takes the world's rows at `tick` from `publish` and compares them with those of the tick
    /// before. Panics when the game breaks its promises: ids that do not ascend, a static row that
    /// changed.
    pub fn advance<G: Game>(
        &mut self,
        tick: Tick,
        rules: &G::Rules,
        publish: impl FnOnce(&mut Rows),
    ) {
        self.tick = tick;
        core::mem::swap(&mut self.before, &mut self.now);
        self.now.clear();
        publish(&mut self.now);
        self.fragments.clear();
        self.spawned.clear();
        self.records.clear();
        for kind in 0..self.kinds.len() {
            let ids = self.now.table(kind).ids();
            assert!(ids.is_sorted_by(|a, b| a < b), "{}: ids ascend", self.kinds[kind].name);
            self.compare::<G>(kind, rules);
        }
        for spawn in &mut self.spawned {
            spawn.slot = self.per_kind[spawn.kind as usize].of_row[spawn.slot as usize];
        }
        if tick.is_multiple_of(super::CHECKSUM_TICKS) {
            self.hash_all();
        }
    }

    /// Merges the two ticks' tables of one kind, both ascending by id.
    fn compare<G: Game>(&mut self, kind: usize, rules: &G::Rules) {
        let place = &mut self.per_kind[kind];
        for slot in place.gone.drain(..) {
            place.slots[slot as usize] = Slot::ABSENT;
            place.free.push(slot);
        }
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
                let place = &mut self.per_kind[kind];
                let slot = place.allocate();
                place.slots[slot as usize] =
                    Slot { fate: SlotFate::New, row: j as u32, ..Slot::ABSENT };
                place.of_row.push(slot);
            }
            i += usize::from(was);
            j += usize::from(is);
        }
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
        let fate = G::expect(rules, kind, id, old, expected, &mut self.expected_spawn);
        let slot = self.per_kind[kind].of_row_before[i];
        let mut entry = Slot { row: j.map_or(NONE, |j| j as u32), ..Slot::ABSENT };
        entry.fate = match (fate, j) {
            (Fate::Ends, _) => SlotFate::Ended,
            (Fate::Stays, Some(_)) => SlotFate::Stays,
            (Fate::Stays, None) => SlotFate::Dropped,
        };
        // An entity that is dropped spawns nothing; every other one what was expected of it, or it
        // has to be said that it did not: in the fragment, or by a drop when there is none.
        let mut nothing = false;
        if entry.fate != SlotFate::Dropped && !self.expected_spawn.is_empty() {
            let found =
                find_spawned(&self.expected_spawn, &self.before, &self.now, &mut self.spawned);
            nothing = found.is_none();
            entry.spawned = found.unwrap_or_default();
            if nothing && entry.fate == SlotFate::Ended {
                entry.fate = SlotFate::Dropped;
            }
        }
        if entry.fate == SlotFate::Stays {
            let new = self.now.table(kind).row(j.expect("it stays"));
            let start = self.fragments.len();
            fragment::put(&mut self.fragments, spec, old, new, expected, nothing);
            entry.fragment =
                Span { start: start as u32, len: (self.fragments.len() - start) as u32 };
            assert!(
                entry.fragment.len == 0 || spec.treatment != crate::wire::Treatment::Static,
                "{} {id}: a static row changed",
                spec.name
            );
        }
        let place = &mut self.per_kind[kind];
        place.slots[slot as usize] = entry;
        if j.is_some() {
            place.of_row.push(slot);
        } else {
            place.gone.push(slot);
        }
    }

    fn hash_all(&mut self) {
        for (kind, place) in self.per_kind.iter_mut().enumerate() {
            for ((id, row), &slot) in self.now.table(kind).iter().zip(&place.of_row) {
                place.slots[slot as usize].hash = entity_hash(kind, id, row);
            }
        }
    }

    /// The game's kinds.
    pub fn kinds(&self) -> &'static [Kind] {
        self.kinds
    }

    /// The tick that was compared last.
    pub fn tick(&self) -> Tick {
        self.tick
    }

    /// The world at that tick.
    pub fn now(&self) -> &Rows {
        &self.now
    }

    /// The slots of a kind's rows, in row order.
    pub fn slots(&self, kind: usize) -> &[u32] {
        &self.per_kind[kind].of_row
    }

    /// How many slots a kind has ever needed at once: marks are this long.
    pub fn slot_count(&self, kind: usize) -> usize {
        self.per_kind[kind].slots.len()
    }

    /// What happened to the entity in a slot.
    #[inline]
    pub fn fate(&self, kind: usize, slot: u32) -> SlotFate {
        self.per_kind[kind].slots[slot as usize].fate
    }

    /// The entity's row at the tick. Panics when it is gone.
    #[inline]
    pub fn row(&self, kind: usize, slot: u32) -> &[i32] {
        self.now.table(kind).row(self.per_kind[kind].slots[slot as usize].row as usize)
    }

    /// The entity's id. Panics when it is gone.
    pub fn id(&self, kind: usize, slot: u32) -> u32 {
        self.now.table(kind).ids()[self.per_kind[kind].slots[slot as usize].row as usize]
    }

    /// What those who have the entity are told about it; empty when it is as expected.
    #[inline]
    pub fn fragment(&self, kind: usize, slot: u32) -> &[u8] {
        self.per_kind[kind].slots[slot as usize].fragment.of(&self.fragments)
    }

    /// What the entity spawned just as expected.
    #[inline]
    pub fn spawned(&self, kind: usize, slot: u32) -> &[Spawned] {
        self.per_kind[kind].slots[slot as usize].spawned.of(&self.spawned)
    }

    /// The entity's hash; valid in ticks that carry checksums only.
    pub fn hash(&self, kind: usize, slot: u32) -> u32 {
        self.per_kind[kind].slots[slot as usize].hash
    }

    /// Appends id and whole row, encoded once per tick however many need it.
    pub fn put_record(&mut self, kind: usize, slot: u32, out: &mut Vec<u8>) {
        let span = self.per_kind[kind].slots[slot as usize].record;
        if span.start != NONE {
            out.extend_from_slice(span.of(&self.records));
            return;
        }
        let start = self.records.len();
        let (id, spec) = (self.id(kind, slot), &self.kinds[kind]);
        varint::put(&mut self.records, id);
        let row = self.per_kind[kind].slots[slot as usize].row as usize;
        bits::put(&mut self.records, spec.fields, self.now.table(kind).row(row));
        let span = Span { start: start as u32, len: (self.records.len() - start) as u32 };
        self.per_kind[kind].slots[slot as usize].record = span;
        out.extend_from_slice(span.of(&self.records));
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
            let index = now.table(kind).find_sorted(id).filter(|&index| {
                now.table(kind).row(index) == row && before.table(kind).find_sorted(id).is_none()
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
