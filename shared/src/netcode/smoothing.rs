//! Errors that fade instead of jumping. Comes in: by how much a picture would jump as better knowledge
//! arrives. Goes out: what to add to the true place for now.

use crate::wire::{Kind, Role};

/// What is left of an offset of the own after 1/30 s.
pub const OWN_KEPT: f32 = 0.86;
/// The same of others'. Less, as they are aimed at: what is drawn beside its place is missed.
pub const OTHERS_KEPT: f32 = 0.5;
/// An offset of more units than this is not kept: it is a jump of the world's, not an error.
pub const OFFSET_UNITS_MAX: f32 = 150.0;
/// An offset of fewer units than this is nothing.
const OFFSET_UNITS_MIN: f32 = 0.05;

/// How far beside its place something is drawn, in units.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Offset {
    /// To the east.
    pub x: f32,
    /// To the south.
    pub y: f32,
}

impl Offset {
    /// Better knowledge moves the place by (-x, -y): the picture stays where it was.
    pub fn absorb(&mut self, x: f32, y: f32) {
        let (x, y) = (self.x + x, self.y + y);
        let far = x * x + y * y > OFFSET_UNITS_MAX * OFFSET_UNITS_MAX;
        *self = if far { Self::default() } else { Self { x, y } };
    }

    /// Time passes, in 1/30 s; `kept` is left after one.
    pub fn fade(&mut self, kept: f32, thirtieths: f32) {
        let kept = libm::powf(kept, thirtieths);
        *self = Self { x: self.x * kept, y: self.y * kept };
    }

    fn is_nothing(&self) -> bool {
        self.x.abs() < OFFSET_UNITS_MIN && self.y.abs() < OFFSET_UNITS_MIN
    }

    /// Moves a place.
    pub(super) fn shift(&self, kind: &Kind, units: &mut [f32]) {
        for (field, value) in kind.fields.iter().zip(units) {
            match field.role {
                Role::X => *value += self.x,
                Role::Y => *value += self.y,
                _ => {}
            }
        }
    }
}

/// Offsets of many entities, by kind and id.
#[derive(Clone, Debug, Default)]
pub(super) struct Offsets(Vec<(usize, u32, Offset)>);

impl Offsets {
    pub(super) fn of(&self, kind: usize, id: u32) -> Option<&Offset> {
        self.0.iter().find(|o| (o.0, o.1) == (kind, id)).map(|o| &o.2)
    }

    /// See [`Offset::absorb`].
    pub(super) fn absorb(&mut self, kind: usize, id: u32, x: f32, y: f32) {
        let known = self.0.iter().position(|o| (o.0, o.1) == (kind, id));
        let place = known.unwrap_or_else(|| {
            self.0.push((kind, id, Offset::default()));
            self.0.len() - 1
        });
        self.0[place].2.absorb(x, y);
    }

    /// Time passes, in 1/30 s.
    pub(super) fn fade(&mut self, thirtieths: f32) {
        self.0.iter_mut().for_each(|(_, _, offset)| offset.fade(OTHERS_KEPT, thirtieths));
        self.0.retain(|(_, _, offset)| !offset.is_nothing());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_fades_and_a_jump_is_shown_at_once() {
        let mut offsets = Offsets::default();
        offsets.absorb(0, 7, 30.0, -40.0);
        assert_eq!(offsets.of(0, 7), Some(&Offset { x: 30.0, y: -40.0 }));
        offsets.fade(1.0);
        assert!(offsets.of(0, 7).is_some_and(|o| (14.0..16.0).contains(&o.x)));
        offsets.fade(60.0);
        assert_eq!(offsets.of(0, 7), None);
        offsets.absorb(0, 7, 160.0, 0.0);
        assert_eq!(offsets.of(0, 7), Some(&Offset::default()));
    }
}
