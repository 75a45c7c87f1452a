//! Rows side by side: a table per kind, ids beside one flat run of integers. The world at a tick, a
//! player's view and a client's list are all this.

use super::field::Kind;
use super::row::Row;
use serde::{Deserialize, Serialize};

/// All entities of one kind: `ids[i]` goes with the `i`-th run of `width` integers.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    width: usize,
    ids: Vec<u32>,
    cells: Vec<i32>,
}

impl Table {
    /// An empty table for rows of `width` integers.
    pub fn new(width: usize) -> Self {
        Self { width, ids: Vec::new(), cells: Vec::new() }
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The ids, in row order.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// The `index`-th row's integers. Panics past the end.
    #[inline]
    pub fn row(&self, index: usize) -> &[i32] {
        &self.cells[index * self.width..(index + 1) * self.width]
    }

    /// The `index`-th row's integers, to change. Panics past the end.
    #[inline]
    pub fn row_mut(&mut self, index: usize) -> &mut [i32] {
        &mut self.cells[index * self.width..(index + 1) * self.width]
    }

    /// The `index`-th row as its struct. Panics past the end.
    #[inline]
    pub fn get<R: Row>(&self, index: usize) -> R {
        R::read(self.row(index))
    }

    /// Appends a row. Panics when `cells` is not as wide as the table.
    #[inline]
    pub fn push(&mut self, id: u32, cells: &[i32]) {
        assert_eq!(cells.len(), self.width, "a row as wide as its table");
        self.ids.push(id);
        self.cells.extend_from_slice(cells);
    }

    /// Appends a struct as a row.
    #[inline]
    pub fn push_row<R: Row>(&mut self, id: u32, row: &R) {
        assert_eq!(R::FIELDS.len(), self.width, "a row as wide as its table");
        self.ids.push(id);
        let start = self.cells.len();
        self.cells.resize(start + self.width, 0);
        row.write(&mut self.cells[start..]);
    }

    /// Puts a row where its id belongs in a table whose ids ascend. Panics when `cells` is not as wide as the table.
    pub fn insert(&mut self, id: u32, cells: &[i32]) {
        let len = self.ids.len();
        let at = match self.ids.last() {
            Some(&last) if last > id => self.ids.partition_point(|&other| other < id),
            _ => len,
        };
        self.push(id, cells);
        // Most come behind all others.
        if at < len {
            let (start, width) = (at * self.width, self.width);
            self.ids.copy_within(at..len, at + 1);
            self.ids[at] = id;
            self.cells.copy_within(start..len * width, start + width);
            self.cells[start..start + width].copy_from_slice(cells);
        }
    }

    /// Removes a row; those behind it move up. Panics past the end.
    pub fn remove(&mut self, index: usize) {
        self.ids.remove(index);
        self.cells.drain(index * self.width..(index + 1) * self.width);
    }

    /// Removes all rows and keeps the memory.
    pub fn clear(&mut self) {
        self.ids.clear();
        self.cells.clear();
    }

    /// Ids and integers, in row order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &[i32])> {
        self.ids.iter().copied().zip(self.cells.chunks_exact(self.width.max(1)))
    }

    /// Ids and structs, in row order.
    pub fn rows<R: Row>(&self) -> impl Iterator<Item = (u32, R)> {
        self.iter().map(|(id, cells)| (id, R::read(cells)))
    }

    /// Where `id` stands in a table whose ids ascend.
    pub fn find(&self, id: u32) -> Option<usize> {
        self.ids.binary_search(&id).ok()
    }
}

// By hand, as the derived `clone_from` allocates anew, and a client copies its rows every tick.
impl Clone for Table {
    fn clone(&self) -> Self {
        Self { width: self.width, ids: self.ids.clone(), cells: self.cells.clone() }
    }

    fn clone_from(&mut self, other: &Self) {
        self.width = other.width;
        self.ids.clone_from(&other.ids);
        self.cells.clone_from(&other.cells);
    }
}

/// A table per kind, in the game's order of kinds.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    tables: Vec<Table>,
}

impl Clone for Rows {
    fn clone(&self) -> Self {
        Self { tables: self.tables.clone() }
    }

    fn clone_from(&mut self, other: &Self) {
        self.tables.clone_from(&other.tables);
    }
}

impl Rows {
    /// Empty tables for `kinds`.
    pub fn new(kinds: &[Kind]) -> Self {
        Self { tables: kinds.iter().map(|k| Table::new(k.fields.len())).collect() }
    }

    /// The table of a kind, by its index among the game's kinds.
    #[inline]
    pub fn table(&self, kind: usize) -> &Table {
        &self.tables[kind]
    }

    /// The table of a kind, to change. Panics where the game has no such kind.
    #[inline]
    pub fn table_mut(&mut self, kind: usize) -> &mut Table {
        let kinds = self.tables.len();
        self.tables
            .get_mut(kind)
            .unwrap_or_else(|| panic!("there is no kind {kind}: the game has {kinds}"))
    }

    /// All tables, in order of kinds.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// Whether these are rows of `kinds`, by ascending ids and all in range: what was read from elsewhere may be anything.
    pub fn are_of(&self, kinds: &[Kind]) -> bool {
        let fits = |(table, kind): (&Table, &Kind)| {
            table.width == kind.fields.len()
                && table.cells.len() == table.ids.len() * table.width
                && table.ids.is_sorted_by(|a, b| a < b)
                && table.iter().all(|(_, row)| kind.contains(row))
        };
        self.tables.len() == kinds.len() && self.tables.iter().zip(kinds).all(fits)
    }

    /// Rows of all kinds together.
    pub fn len(&self) -> usize {
        self.tables.iter().map(Table::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.tables.iter().all(Table::is_empty)
    }

    /// Removes all rows and keeps the memory.
    pub fn clear(&mut self) {
        self.tables.iter_mut().for_each(Table::clear);
    }

    /// Appends all rows of `other`, which has the same kinds.
    pub fn append(&mut self, other: &Self) {
        for (table, more) in self.tables.iter_mut().zip(&other.tables) {
            table.ids.extend_from_slice(&more.ids);
            table.cells.extend_from_slice(&more.cells);
        }
    }

    /// A hash that does not depend on the order of rows within a kind: the wrapping sum of
    /// [`entity_hash`] over all rows.
    pub fn checksum(&self) -> u32 {
        self.tables.iter().enumerate().fold(0u32, |sum, (kind, table)| {
            table.iter().fold(sum, |sum, (id, row)| sum.wrapping_add(entity_hash(kind, id, row)))
        })
    }
}

/// 32 bits of FNV-1a, folded from 64, over kind, id and fields as little-endian 32-bit words, a word
/// at a time (FNV's constants: Fowler, Noll, Vo, draft-eastlake-fnv).
pub fn entity_hash(kind: usize, id: u32, row: &[i32]) -> u32 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let mix = |hash: u64, word: u32| {
        let mixed = (hash ^ u64::from(word)).wrapping_mul(PRIME);
        mixed ^ (mixed >> 32)
    };
    let start = mix(mix(OFFSET, kind as u32), id);
    let hash = row.iter().fold(start, |hash, &cell| mix(hash, cell as u32));
    (hash ^ (hash >> 32)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stay_in_the_order_of_their_ids() {
        let mut t = Table::new(2);
        for id in [5, 1, 9, 3] {
            t.insert(id, &[id as i32, -(id as i32)]);
        }
        assert_eq!(t.ids(), &[1, 3, 5, 9]);
        assert!(t.iter().all(|(id, row)| row == [id as i32, -(id as i32)]));
        t.remove(1);
        t.remove(0);
        assert_eq!((t.ids(), t.row(0), t.row(1)), (&[5, 9][..], &[5, -5][..], &[9, -9][..]));
        assert_eq!((t.find(9), t.find(3)), (Some(1), None));
    }

    #[test]
    fn the_checksum_ignores_order_and_sees_a_bit() {
        let hash = |order: &[(u32, i32)]| {
            let mut rows = Rows { tables: vec![Table::new(1)] };
            order.iter().for_each(|&(id, v)| rows.table_mut(0).push(id, &[v]));
            rows.checksum()
        };
        assert_eq!(hash(&[(1, 5), (2, 6)]), hash(&[(2, 6), (1, 5)]));
        assert_ne!(hash(&[(1, 5), (2, 6)]), hash(&[(1, 5), (2, 7)]));
        assert_ne!(hash(&[(1, 5), (2, 6)]), hash(&[(1, 6), (2, 5)]));
    }
}
