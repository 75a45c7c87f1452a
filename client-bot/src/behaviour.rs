//! What bots do. Comes in: the words of `--behaviour`, and what a bot sees. Goes out: a behaviour per bot, and what
//! it makes of a view. No game is known here: whose an entity is, the game's tables say.

use crate::mix::{Mix, Shared};
use serde::{Deserialize, Serialize};
use shared::game::{Game, PlayerId};
use shared::wire::Role;
use shared::wire::rows::Rows;
use std::ops::Range;
use std::time::Duration;

/// How long a bot that churns stays, in ms. Short, as joining and leaving is what is tried.
const STAY_MS: Range<f64> = 2_000.0..6_000.0;
/// How long it is away then, in ms.
const AWAY_MS: Range<f64> = 250.0..1_500.0;
/// Time between two lines of a bot that chats, in ms: a server allows one every two seconds.
pub(crate) const CHAT_EVERY_MS: f64 = 5_000.0;

/// What a bot does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Behaviour {
    /// Plays as well as the game's brain can.
    Fight,
    /// Plays by the brain, which is shown nothing of others: it moves about and fights nobody.
    Wander,
    /// Is there, and does nothing.
    Idle,
    /// Watches.
    Spectate,
    /// Fights, and says a line every five seconds.
    Chat,
    /// Fights for some seconds, leaves, and joins again as somebody new.
    Churn,
}

/// One behaviour for all bots, or a mix of them with shares.
pub type Behaviours = Mix<Behaviour>;

impl Behaviour {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Fight, Self::Wander, Self::Idle, Self::Spectate, Self::Chat, Self::Churn];

    /// Its name, as flags and reports have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fight => "fight",
            Self::Wander => "wander",
            Self::Idle => "idle",
            Self::Spectate => "spectate",
            Self::Chat => "chat",
            Self::Churn => "churn",
        }
    }

    /// Whether it needs a brain.
    pub(crate) fn thinks(self) -> bool {
        !matches!(self, Self::Idle | Self::Spectate)
    }
}

impl Shared for Behaviour {
    const WHAT: &'static str = "behaviour";
    const ALL: &'static [Self] = &Self::ALL;

    fn name(self) -> &'static str {
        self.name()
    }
}

/// How long stay number `stay` of a bot that churns is; `phase` from 0 to 1 is other bots' at no time.
pub(crate) fn stay_ms(phase: f64, stay: u32) -> f64 {
    within(STAY_MS, phase, stay)
}

/// How long it is away after stay number `stay`.
pub(crate) fn away(phase: f64, stay: u32) -> Duration {
    Duration::from_secs_f64(within(AWAY_MS, phase, stay) / 1000.0)
}

/// Multiples of the golden ratio fall evenly into a range, however many there are.
fn within(range: Range<f64>, phase: f64, turn: u32) -> f64 {
    let chance = (phase + f64::from(turn) * 0.618_033_988_749_895).fract();
    range.start + (range.end - range.start) * chance
}

/// Copies into `kept`, cleared before, what is not somebody else's.
pub(crate) fn without_others<G: Game>(me: PlayerId, rows: &Rows, kept: &mut Rows) {
    kept.clear();
    for (index, kind) in G::KINDS.iter().enumerate() {
        let owner = kind.fields.iter().position(|field| field.role == Role::Owner);
        for (id, row) in rows.table(index).iter() {
            if owner.is_none_or(|cell| row[cell] == i32::from(me.0)) {
                kept.table_mut(index).push(id, row);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::arena::Arena;

    #[test]
    fn stays_are_of_many_lengths_within_bounds() {
        let stays: Vec<_> = (0..100).map(|turn| stay_ms(0.3, turn)).collect();
        assert!(stays.iter().all(|ms| STAY_MS.contains(ms)), "{stays:?}");
        assert!(stays.iter().any(|&ms| ms < 2_500.0) && stays.iter().any(|&ms| ms > 5_500.0));
        assert!((0..100).all(|turn| away(0.9, turn) <= Duration::from_millis(1_500)));
    }

    #[test]
    fn who_wanders_sees_nobody_else() {
        let (mut rows, mut kept) = (Rows::new(Arena::KINDS), Rows::new(Arena::KINDS));
        let owned = |kind: &shared::wire::Kind| {
            kind.fields.iter().position(|field| field.role == Role::Owner)
        };
        let (index, cell) =
            Arena::KINDS.iter().enumerate().find_map(|(i, k)| Some((i, owned(k)?))).unwrap();
        for owner in 1..=3 {
            let mut row = vec![0; Arena::KINDS[index].fields.len()];
            row[cell] = owner;
            rows.table_mut(index).push(10 + owner as u32, &row);
        }
        without_others::<Arena>(PlayerId(2), &rows, &mut kept);
        assert_eq!((kept.len(), kept.table(index).ids()), (1, &[12][..]));
    }
}
