//! Who may see what. Comes in: the world's rows, once a tick. Goes out: for one player, which entities
//! come into view and which stay in it.
//!
//! Entities with a place lie in a grid of square cells, sorted into them by counting; a player's view
//! looks at the few cells under its rectangle. What is in view stays until it is beyond the margin, so
//! that nothing at the edge comes and goes with every tick.

use shared::game::{Focus, PlayerId};
use shared::netcode::frame::{Changes, Part, Sight};
use shared::wire::{Kind, Role};
use std::collections::VecDeque;

/// Side of a cell in the game's units. Between 128 and 256 measured best for views of some 1,600 by 900
/// units; larger ones look at too much, smaller ones at too many cells.
const CELL_UNITS: f32 = 256.0;
/// Cells along one side at most; in a larger world cells grow.
const CELLS_MAX: usize = 256;

/// Where somebody looks who sees everything.
const EVERYWHERE: Focus =
    Focus { x: 0.0, y: 0.0, half_width: f32::INFINITY, half_height: f32::INFINITY, margin: 0.0 };

/// How the engine reads a kind's rows.
#[derive(Clone, Copy, Debug)]
enum KindLayout {
    /// In view of who looks at its place.
    Placed(PlaceFields),
    /// In view of its owner, whom this field names.
    Private { owner: usize },
    /// In everybody's view.
    Everywhere,
}

/// Field indices of x and y, and units per step of each.
#[derive(Clone, Copy, Debug)]
struct PlaceFields {
    x: usize,
    y: usize,
    x_step: f32,
    y_step: f32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    x: f32,
    y: f32,
    kind: u32,
    slot: u32,
}

/// The world's entities by place and by owner, at one tick.
pub struct Interest {
    kinds: Vec<KindLayout>,
    /// Where the grid starts and where the last places are, how wide its cells are, and how many there are along each
    /// side.
    left: f32,
    top: f32,
    right: f32,
    bottom: f32,
    cell: f32,
    columns: usize,
    lines: usize,
    /// For every cell where its entries start; one more for the end.
    starts: Vec<u32>,
    entries: Vec<Entry>,
    unsorted: Vec<Entry>,
    /// Private entities, ascending by owner.
    private: Vec<(PlayerId, u32, u32)>,
    /// Entities without a place, shown to everybody: (kind, slot).
    everywhere: Vec<(u32, u32)>,
    /// Of this tick and of as many before as `Changes` keeps steps of, newest first.
    places_by_tick: VecDeque<PlacesOfTick>,
    /// Ticks whose memory is free.
    spare: Vec<PlacesOfTick>,
}

/// Where everything was at a tick, by slot: all that decides what stays in view.
#[derive(Debug)]
enum KindPlaces {
    /// Places in units.
    Places(Vec<(f32, f32)>),
    /// Whose they are.
    Owners(Vec<PlayerId>),
    /// In everybody's view.
    Everywhere,
}

type PlacesOfTick = Vec<KindPlaces>;

impl Interest {
    /// An empty world of such entities.
    pub fn new(kinds: &[Kind]) -> Self {
        let kinds: Vec<_> = kinds.iter().map(KindLayout::of).collect();
        let nothing = kinds.iter().map(KindLayout::nowhere).collect();
        Self {
            kinds,
            left: 0.0,
            top: 0.0,
            right: 0.0,
            bottom: 0.0,
            cell: CELL_UNITS,
            columns: 0,
            lines: 0,
            starts: Vec::new(),
            entries: Vec::new(),
            unsorted: Vec::new(),
            private: Vec::new(),
            everywhere: Vec::new(),
            places_by_tick: VecDeque::from([nothing]),
            spare: Vec::new(),
        }
    }

    /// Sorts the world of this tick.
    pub fn rebuild(&mut self, changes: &Changes) {
        self.unsorted.clear();
        self.private.clear();
        self.everywhere.clear();
        let past = changes.past_ticks().min(self.places_by_tick.len());
        self.spare.extend(self.places_by_tick.drain(past..));
        let spare = self.spare.pop();
        let mut places =
            spare.unwrap_or_else(|| self.kinds.iter().map(KindLayout::nowhere).collect());
        for (kind, layout) in self.kinds.iter().enumerate() {
            let rows = changes.now().table(kind).iter().map(|(_, row)| row);
            let rows = rows.zip(changes.slots(kind).iter().copied());
            let slot_count = changes.slot_count(kind);
            let places = &mut places[kind];
            let kind = kind as u32;
            match (layout, places) {
                (KindLayout::Placed(layout), KindPlaces::Places(places)) => {
                    places.resize(slot_count, (0.0, 0.0));
                    self.unsorted.extend(rows.map(|(row, slot)| {
                        let (x, y) = layout.place_of(row);
                        places[slot as usize] = (x, y);
                        Entry { x, y, kind, slot }
                    }));
                }
                (&KindLayout::Private { owner }, KindPlaces::Owners(owners)) => {
                    owners.resize(slot_count, PlayerId(0));
                    self.private.extend(rows.map(|(row, slot)| {
                        let owner = PlayerId(row[owner] as u16);
                        owners[slot as usize] = owner;
                        (owner, kind, slot)
                    }));
                }
                (KindLayout::Everywhere, KindPlaces::Everywhere) => {
                    self.everywhere.extend(rows.map(|(_, slot)| (kind, slot)));
                }
                _ => unreachable!("memory was made for this layout"),
            }
        }
        self.places_by_tick.push_front(places);
        self.private.sort_unstable();
        self.lay_grid();
        self.sort_into_cells();
    }

    /// Fits the grid around all places.
    fn lay_grid(&mut self) {
        let (mut left, mut top) = (f32::INFINITY, f32::INFINITY);
        let (mut right, mut bottom) = (f32::NEG_INFINITY, f32::NEG_INFINITY);
        for entry in &self.unsorted {
            left = left.min(entry.x);
            right = right.max(entry.x);
            top = top.min(entry.y);
            bottom = bottom.max(entry.y);
        }
        if self.unsorted.is_empty() {
            (self.columns, self.lines) = (0, 0);
            return;
        }
        let side = (right - left).max(bottom - top);
        self.cell = CELL_UNITS.max(side / (CELLS_MAX - 1) as f32);
        (self.left, self.top, self.right, self.bottom) = (left, top, right, bottom);
        self.columns = ((right - left) / self.cell) as usize + 1;
        self.lines = ((bottom - top) / self.cell) as usize + 1;
    }

    fn sort_into_cells(&mut self) {
        self.starts.clear();
        self.starts.resize(self.columns * self.lines + 1, 0);
        for i in 0..self.unsorted.len() {
            let entry = self.unsorted[i];
            let cell = self.cell_of(entry.x, entry.y);
            self.starts[cell] += 1;
        }
        let mut sum = 0;
        for start in &mut self.starts {
            sum += *start;
            *start = sum;
        }
        // All of them are written below.
        self.entries.resize(self.unsorted.len(), Entry::default());
        for i in (0..self.unsorted.len()).rev() {
            let entry = self.unsorted[i];
            let cell = self.cell_of(entry.x, entry.y);
            self.starts[cell] -= 1;
            self.entries[self.starts[cell] as usize] = entry;
        }
    }

    fn cell_of(&self, x: f32, y: f32) -> usize {
        let column = ((x - self.left) / self.cell) as usize;
        let line = ((y - self.top) / self.cell) as usize;
        line * self.columns + column
    }

    /// What `player`, looking at `focus`, may see.
    pub fn sight(&self, player: PlayerId, focus: Focus) -> PlayerSight<'_> {
        if self.is_all_within(focus) {
            self.sight_ago(0, player, EVERYWHERE).among_others()
        } else {
            self.sight_ago(0, player, focus)
        }
    }

    /// All that is nobody's private matter, as somebody sees it who is nobody.
    pub fn everything(&self) -> PlayerSight<'_> {
        self.sight_ago(0, PlayerId::NOBODY, EVERYWHERE).among_others()
    }

    /// Whether whoever looks at `focus` sees everything.
    fn is_all_within(&self, focus: Focus) -> bool {
        let holds = |middle: f32, half: f32, from: f32, to: f32| {
            middle - half <= from && to <= middle + half
        };
        self.entries.is_empty()
            || holds(focus.x, focus.half_width, self.left, self.right)
                && holds(focus.y, focus.half_height, self.top, self.bottom)
    }

    /// What the player, who looked at `focus` so many ticks ago, was to keep then. Panics where `Changes` did
    /// not keep the step of that tick.
    pub fn sight_ago(&self, ticks: usize, player: PlayerId, focus: Focus) -> PlayerSight<'_> {
        let places = &self.places_by_tick[ticks];
        PlayerSight { interest: self, places, player, focus, shared: false }
    }
}

impl KindLayout {
    fn of(kind: &Kind) -> Self {
        if kind.private {
            let owner = kind.field_with(Role::Owner).expect("private kinds have an owner");
            return Self::Private { owner };
        }
        match (kind.field_with(Role::X), kind.field_with(Role::Y)) {
            (Some(x), Some(y)) => {
                let (x_step, y_step) = (kind.fields[x].step, kind.fields[y].step);
                Self::Placed(PlaceFields { x, y, x_step, y_step })
            }
            _ => Self::Everywhere,
        }
    }

    fn nowhere(&self) -> KindPlaces {
        match self {
            Self::Placed(_) => KindPlaces::Places(Vec::new()),
            Self::Private { .. } => KindPlaces::Owners(Vec::new()),
            Self::Everywhere => KindPlaces::Everywhere,
        }
    }
}

impl PlaceFields {
    /// In units.
    fn place_of(self, row: &[i32]) -> (f32, f32) {
        (row[self.x] as f32 * self.x_step, row[self.y] as f32 * self.y_step)
    }
}

/// One player's eyes.
pub struct PlayerSight<'a> {
    interest: &'a Interest,
    places: &'a PlacesOfTick,
    player: PlayerId,
    focus: Focus,
    shared: bool,
}

impl PlayerSight<'_> {
    /// The same, where others are likely to look at just the same.
    pub fn among_others(self) -> Self {
        Self { shared: true, ..self }
    }

    fn holds(&self, x: f32, y: f32, margin: f32) -> bool {
        (x - self.focus.x).abs() <= self.focus.half_width + margin
            && (y - self.focus.y).abs() <= self.focus.half_height + margin
    }

    fn offer_own(&self, mut visit: impl FnMut(usize, u32)) {
        // What is nobody's is not everybody's who is nobody.
        if self.player == PlayerId::NOBODY {
            return;
        }
        let private = &self.interest.private;
        let mine = private.partition_point(|&(owner, ..)| owner < self.player);
        let mine = private[mine..].iter().take_while(|&&(owner, ..)| owner == self.player);
        mine.for_each(|&(_, kind, slot)| visit(kind as usize, slot));
    }

    fn offer_public(&self, mut visit: impl FnMut(usize, u32)) {
        let grid = self.interest;
        for &(kind, slot) in &grid.everywhere {
            visit(kind as usize, slot);
        }
        let range = |middle: f32, half: f32, start: f32, count: usize| {
            let first = ((middle - half - start) / grid.cell).max(0.0) as usize;
            let last = ((middle + half - start) / grid.cell).floor();
            let end = if last < 0.0 { 0 } else { (last as usize).saturating_add(1).min(count) };
            first.min(end)..end
        };
        let Focus { x, y, half_width, half_height, .. } = self.focus;
        let columns = range(x, half_width, grid.left, grid.columns);
        for line in range(y, half_height, grid.top, grid.lines) {
            let first = grid.starts[line * grid.columns + columns.start] as usize;
            let end = grid.starts[line * grid.columns + columns.end] as usize;
            for entry in &grid.entries[first..end] {
                if self.holds(entry.x, entry.y, 0.0) {
                    visit(entry.kind as usize, entry.slot);
                }
            }
        }
    }
}

impl Sight for PlayerSight<'_> {
    #[inline]
    fn keeps(&self, kind: usize, slot: u32) -> bool {
        match &self.places[kind] {
            KindPlaces::Places(places) => {
                let (x, y) = places[slot as usize];
                self.holds(x, y, self.focus.margin)
            }
            KindPlaces::Owners(owners) => owners[slot as usize] == self.player,
            KindPlaces::Everywhere => true,
        }
    }

    fn offer(&self, which: Part, visit: impl FnMut(usize, u32)) {
        match which {
            Part::Public => self.offer_public(visit),
            Part::Private => self.offer_own(visit),
        }
    }

    fn shared(&self) -> Option<Focus> {
        self.shared.then_some(self.focus)
    }
}
