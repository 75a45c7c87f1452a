//! A computer pilot.

use super::rows::Controls;
use super::{Arena, Rules};
use crate::game::{Brain, View};

/// A pilot.
#[derive(Clone, Debug)]
pub struct ArenaBrain;

impl Brain<Arena> for ArenaBrain {
    fn new(_seed: u64) -> Self {
        Self
    }

    fn think(&mut self, _rules: &Rules, _view: &View<'_>) -> Controls {
        Controls::default()
    }
}
