//! The networks that bots can be given. Comes in: the words of `--network`. Goes out: a preset per bot.

use crate::mix::{Mix, Shared};
use serde::{Deserialize, Serialize};
use shared::netcode::conditions::Conditions;

/// A network that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// Nothing is held back.
    Perfect,
    /// [`Conditions::GOOD`].
    Good,
    /// [`Conditions::MOBILE`].
    Mobile,
    /// [`Conditions::AWFUL`].
    Awful,
}

/// One preset for all bots, or a mix of them with shares.
pub type Network = Mix<Preset>;

impl Preset {
    /// All of them, the best first.
    pub const ALL: [Self; 4] = [Self::Perfect, Self::Good, Self::Mobile, Self::Awful];

    /// Its name, as flags and reports have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Perfect => "perfect",
            Self::Good => "good",
            Self::Mobile => "mobile",
            Self::Awful => "awful",
        }
    }

    /// What the line is like, one way.
    pub fn conditions(self) -> Conditions {
        match self {
            Self::Perfect => Conditions::PERFECT,
            Self::Good => Conditions::GOOD,
            Self::Mobile => Conditions::MOBILE,
            Self::Awful => Conditions::AWFUL,
        }
    }
}

impl Shared for Preset {
    const WHAT: &'static str = "network";
    const ALL: &'static [Self] = &Self::ALL;

    fn name(self) -> &'static str {
        self.name()
    }
}
