//! Who is near whom: a uniform grid, filled anew each tick. Comes in: indices with places. Goes out:
//! the indices in the cells around a place, in an order that follows from how it was filled. Keeps
//! its memory from tick to tick.

use glam::Vec2;

/// Side of a cell at least, u: a ship's neighbours and a shot's path lie in one to four of them.
const CELL_MIN: f32 = 128.0;
/// Cells for each ship where that makes larger ones: more would be empty, and have to be fetched from memory for
/// nothing.
const CELLS_PER_SHIP: usize = 4;
const NOBODY: u32 = u32::MAX;

/// Per cell the index that was put in last, per index the one before it.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    half: f32,
    /// Along each side.
    columns: usize,
    /// Cells in a unit.
    per_unit: f32,
    heads: Vec<u32>,
    next: Vec<u32>,
}

impl Grid {
    /// An empty grid over a square of `2 * half` units; what lies outside counts to the edge.
    pub(super) fn new(half: f32) -> Self {
        let mut grid =
            Self { half, columns: 1, per_unit: 0.0, heads: Vec::new(), next: Vec::new() };
        grid.begin(0);
        grid
    }

    /// Removes everything, and is laid for about so many ships.
    pub(super) fn begin(&mut self, ships: usize) {
        let most = (2.0 * self.half / CELL_MIN) as usize;
        self.columns = (ships * CELLS_PER_SHIP).isqrt().min(most).max(1);
        self.per_unit = self.columns as f32 / (2.0 * self.half);
        self.heads.clear();
        self.heads.resize(self.columns * self.columns, NOBODY);
        self.next.clear();
    }

    /// Puts in the next index, counting from 0.
    pub(super) fn push(&mut self, at: Vec2) {
        let cell = self.column(at.y) * self.columns + self.column(at.x);
        self.next.push(self.heads[cell]);
        self.heads[cell] = self.next.len() as u32 - 1;
    }

    /// All indices in the cells that a rectangle touches.
    pub(super) fn around(&self, min: Vec2, max: Vec2) -> impl Iterator<Item = usize> {
        let (left, right) = (self.column(min.x), self.column(max.x));
        (self.column(min.y)..=self.column(max.y))
            .flat_map(move |y| y * self.columns + left..=y * self.columns + right)
            .flat_map(|cell| Chain { grid: self, at: self.heads[cell] })
    }

    fn column(&self, v: f32) -> usize {
        // A negative quotient becomes 0.
        (((v + self.half) * self.per_unit) as usize).min(self.columns - 1)
    }
}

struct Chain<'a> {
    grid: &'a Grid,
    at: u32,
}

impl Iterator for Chain<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.at == NOBODY {
            return None;
        }
        let index = self.at as usize;
        self.at = self.grid.next[index];
        Some(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_near_is_found_once() {
        let mut grid = Grid::new(1000.0);
        let places: Vec<Vec2> = (0..400)
            .map(|i| Vec2::new((i % 20) as f32, (i / 20) as f32) * 110.0 - 1050.0)
            .collect();
        // Laid for as many as there are, for fewer, and for more.
        for ships in [400, 0, 7, 5000] {
            grid.begin(ships);
            places.iter().for_each(|&at| grid.push(at));
            for &at in &places {
                let reach = Vec2::splat(200.0);
                let mut seen: Vec<usize> = grid.around(at - reach, at + reach).collect();
                seen.sort_unstable();
                assert!(seen.is_sorted_by(|a, b| a < b), "each once");
                for (i, other) in places.iter().enumerate() {
                    if (*other - at).abs().max_element() <= 200.0 {
                        assert!(seen.contains(&i));
                    }
                }
            }
        }
    }

    #[test]
    fn there_are_no_more_cells_than_ships_need() {
        let mut grid = Grid::new(5000.0);
        for (ships, columns) in [(0, 1), (1, 2), (8, 5), (100, 20), (1_000_000, 78)] {
            grid.begin(ships);
            assert_eq!((grid.columns, grid.heads.len()), (columns, columns * columns));
        }
    }
}
