//! The terrain: round rocks that never move. Comes in: size, density and seed. Goes out: which rock
//! a circle touches, and where a path meets one. Never sent; both ends compute it.

use super::tuning::{ROCK_GAP, ROCK_RADIUS_MAX, ROCK_RADIUS_MIN, SHIP_RADIUS};
use glam::Vec2;
use rand::RngExt;
use rand_pcg::Pcg32;

/// Side of a cell of the map, u: with it a ship's neighbourhood is one cell.
const CELL: f32 = 256.0;
/// A rock is listed in every cell that a circle of this radius touching it may have its middle in.
const REACH: f32 = SHIP_RADIUS + 1.0;
/// A place is drawn at most so often for one rock; a full arena simply gets fewer rocks.
const TRIES: usize = 12;

/// One rock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rock {
    /// Middle, u from the middle of the arena.
    pub at: Vec2,
    /// Radius, u.
    pub radius: f32,
}

/// All rocks, and which of them are near a cell.
#[derive(Clone, Debug)]
pub struct Rocks {
    all: Vec<Rock>,
    half: f32,
    columns: usize,
    /// Cell `c` lists `near[starts[c]..starts[c + 1]]`.
    starts: Vec<u32>,
    near: Vec<Rock>,
}

impl Rocks {
    /// `count` rocks in a square of `2 * half` units, apart from each other and from the walls.
    pub fn scatter(half: f32, count: usize, mut random: Pcg32) -> Self {
        let mut rocks = Self::empty(half);
        // While rocks are drawn, each is kept in the cell of its middle only.
        let mut by_cell: Vec<Vec<Rock>> = vec![Vec::new(); rocks.columns * rocks.columns];
        for _ in 0..count {
            for _ in 0..TRIES {
                // The square makes small rocks common and big ones rare.
                let share = random.random::<f32>();
                let span = ROCK_RADIUS_MAX - ROCK_RADIUS_MIN;
                let radius = libm::roundf(ROCK_RADIUS_MIN + span * share * share);
                let room = half - radius - ROCK_GAP;
                let at = rocks.draw(&mut random, room);
                let reach = radius + ROCK_GAP + ROCK_RADIUS_MAX;
                let free = rocks.cells(at - reach, at + reach).all(|cell| {
                    by_cell[cell]
                        .iter()
                        .all(|r| r.at.distance_squared(at) >= square(r.radius + radius + ROCK_GAP))
                });
                if free {
                    let rock = Rock { at, radius };
                    by_cell[rocks.cell(at)].push(rock);
                    rocks.all.push(rock);
                    break;
                }
            }
        }
        rocks.map();
        rocks
    }

    fn empty(half: f32) -> Self {
        let columns = (2.0 * half / CELL) as usize + 1;
        Self { all: Vec::new(), half, columns, starts: Vec::new(), near: Vec::new() }
    }

    /// Whole units: nothing to round, and easy to read in a test.
    fn draw(&self, random: &mut Pcg32, room: f32) -> Vec2 {
        let mut one = || libm::roundf((random.random::<f32>() * 2.0 - 1.0) * room);
        Vec2::new(one(), one())
    }

    /// Lists every rock in all the cells it reaches into.
    fn map(&mut self) {
        let mut by_cell: Vec<Vec<Rock>> = vec![Vec::new(); self.columns * self.columns];
        for rock in &self.all {
            let reach = Vec2::splat(rock.radius + REACH);
            for cell in self.cells(rock.at - reach, rock.at + reach) {
                by_cell[cell].push(*rock);
            }
        }
        self.starts = Vec::with_capacity(by_cell.len() + 1);
        self.starts.push(0);
        for list in &by_cell {
            self.near.extend_from_slice(list);
            self.starts.push(self.near.len() as u32);
        }
    }

    fn column(&self, v: f32) -> usize {
        // A negative or NaN quotient becomes 0.
        (((v + self.half) / CELL) as usize).min(self.columns - 1)
    }

    fn cell(&self, at: Vec2) -> usize {
        self.column(at.y) * self.columns + self.column(at.x)
    }

    fn cells(&self, min: Vec2, max: Vec2) -> impl Iterator<Item = usize> + use<> {
        let columns = self.columns;
        let (left, right) = (self.column(min.x), self.column(max.x));
        (self.column(min.y)..=self.column(max.y))
            .flat_map(move |y| (left..=right).map(move |x| y * columns + x))
    }

    fn in_cell(&self, cell: usize) -> &[Rock] {
        &self.near[self.starts[cell] as usize..self.starts[cell + 1] as usize]
    }

    /// All rocks, in the order in which they were drawn.
    pub fn all(&self) -> &[Rock] {
        &self.all
    }

    /// The rocks that a ship at `at` may touch, and some more.
    #[inline]
    pub fn around(&self, at: Vec2) -> &[Rock] {
        self.in_cell(self.cell(at))
    }

    /// Whether a circle of `radius` at `at` touches no rock.
    pub fn free(&self, at: Vec2, radius: f32) -> bool {
        let reach = Vec2::splat(radius);
        self.cells(at - reach, at + reach).all(|cell| {
            self.in_cell(cell)
                .iter()
                .all(|rock| rock.at.distance_squared(at) >= square(rock.radius + radius))
        })
    }

    /// Where a circle of `radius` on its way from `from` to `to` first touches a rock, as a share of
    /// the way, and which rock it is; 0 when it does so from the start.
    pub fn first_on_path(&self, from: Vec2, to: Vec2, radius: f32) -> Option<(f32, Rock)> {
        let mut first: Option<(f32, Rock)> = None;
        let reach = Vec2::splat(radius);
        for cell in self.cells(from.min(to) - reach, from.max(to) + reach) {
            for rock in self.in_cell(cell) {
                if let Some(share) = meeting(from - rock.at, to - from, rock.radius + radius)
                    && first.is_none_or(|(best, _)| share < best)
                {
                    first = Some((share, *rock));
                }
            }
        }
        first
    }
}

/// Where a point that starts at `from` and travels `way` first comes within `radius` of the origin,
/// as a share of the way from 0 to 1.
pub fn meeting(from: Vec2, way: Vec2, radius: f32) -> Option<f32> {
    let c = from.length_squared() - square(radius);
    if c <= 0.0 {
        return Some(0.0);
    }
    let b = from.dot(way);
    let a = way.length_squared();
    let d = b * b - a * c;
    // Outside and not approaching, or passing by.
    if b >= 0.0 || d < 0.0 {
        return None;
    }
    let share = (-b - d.sqrt()) / a;
    (share <= 1.0).then_some(share.max(0.0))
}

fn square(v: f32) -> f32 {
    v * v
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Rocks {
        Rocks::scatter(2000.0, 80, Pcg32::new(7, 1))
    }

    #[test]
    fn rocks_keep_apart_and_repeat() {
        let rocks = some();
        assert!(rocks.all().len() > 60, "only {} fitted", rocks.all().len());
        assert_eq!(rocks.all(), some().all());
        for (i, a) in rocks.all().iter().enumerate() {
            assert!(a.at.abs().max_element() + a.radius + ROCK_GAP <= 2000.0);
            for b in &rocks.all()[..i] {
                assert!(a.at.distance(b.at) >= a.radius + b.radius + ROCK_GAP - 0.01);
            }
        }
    }

    #[test]
    fn the_map_agrees_with_looking_at_every_rock() {
        let rocks = some();
        let mut random = Pcg32::new(3, 1);
        for _ in 0..20_000 {
            let at = rocks.draw(&mut random, 2000.0);
            let touches = |r: &&Rock| r.at.distance(at) < r.radius + SHIP_RADIUS;
            assert_eq!(rocks.all().iter().find(touches), rocks.around(at).iter().find(touches));
            assert_eq!(rocks.free(at, SHIP_RADIUS), !rocks.all().iter().any(|r| touches(&r)));
            let to = at + rocks.draw(&mut random, 700.0);
            let seen = rocks.first_on_path(at, to, 4.0).map(|(share, _)| share);
            let truth = rocks
                .all()
                .iter()
                .filter_map(|r| meeting(at - r.at, to - at, r.radius + 4.0))
                .min_by(f32::total_cmp);
            assert_eq!(seen, truth);
        }
    }

    #[test]
    fn a_path_meets_a_circle() {
        let v = Vec2::new;
        assert_eq!(meeting(v(-10.0, 0.0), v(20.0, 0.0), 5.0), Some(0.25));
        assert_eq!(meeting(v(-10.0, 0.0), v(4.0, 0.0), 5.0), None);
        assert_eq!(meeting(v(-10.0, 0.0), v(-20.0, 0.0), 5.0), None);
        assert_eq!(meeting(v(3.0, 0.0), v(0.0, 0.0), 5.0), Some(0.0));
        assert_eq!(meeting(v(9.0, 0.0), v(0.0, 0.0), 5.0), None);
        assert_eq!(meeting(v(-10.0, 6.0), v(20.0, 0.0), 5.0), None);
    }
}
