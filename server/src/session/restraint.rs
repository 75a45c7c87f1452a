//! What a session gives up so that an overloaded server keeps its ticks: a place in a list, which the session is told.
//! Comes in: a step, from whoever has a clock ([`crate::overload`]). Goes out: a floor under what `ease` takes
//! from each line, and whether anybody new is let in. The rules and their rate are in no step.

/// What one step gives. Ticks per message are at least these, reach is at most this.
#[derive(Clone, Copy, Debug)]
struct Given {
    kind: Kind,
    /// Ticks per message of those whose view is calm, of other players, and of spectators.
    calm: u32,
    players: u32,
    spectators: u32,
    /// Share of the view's width and height.
    reach: f32,
}

const fn given(kind: Kind, calm: u32, players: u32, spectators: u32, reach: f32) -> Given {
    Given { kind, calm, players, spectators, reach }
}

/// From the first thing that is given up to the last. The messages of players stay at 10 a second or more at 30
/// ticks a second, those of spectators at four, and half of width and height is a quarter of the area.
const STEPS: [Given; 8] = [
    given(Kind::Rate, 2, 1, 1, 1.0),
    given(Kind::Rate, 3, 2, 2, 1.0),
    given(Kind::Reach, 3, 2, 2, 0.8),
    given(Kind::Reach, 3, 2, 2, 0.64),
    given(Kind::Reach, 3, 2, 2, 0.5),
    given(Kind::Spectators, 3, 2, 4, 0.5),
    given(Kind::Spectators, 3, 2, 8, 0.5),
    given(Kind::Admission, 3, 2, 8, 0.5),
];

/// What somebody new is told while admission is closed; also the HTTP API's sentence.
pub const OVERLOADED: &str =
    "The server is busy, and those who play go first; try again in a minute.";

/// What is given up, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// How often players get a message: first of those around whom little happens.
    Rate,
    /// How far everybody sees.
    Reach,
    /// How often spectators get a message.
    Spectators,
    /// Whether somebody new is let in.
    Admission,
}

impl Kind {
    /// All of them, in their order.
    pub const ALL: [Self; 4] = [Self::Rate, Self::Reach, Self::Spectators, Self::Admission];
    /// Their names in metrics and in the operator's overview.
    pub const LABELS: [&'static str; 4] = ["rate", "reach", "spectators", "admission"];
}

/// How far a session is restrained; the default is not at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Restraint(u8);

impl Restraint {
    /// Places on the list, the one where nothing is given up included.
    pub const PLACES: usize = STEPS.len() + 1;
    /// Everything that may be given up is, and nobody new is let in.
    pub const MOST: Self = Self(STEPS.len() as u8);

    /// At this place from 0, or the last one.
    pub fn at(place: usize) -> Self {
        Self(place.min(STEPS.len()) as u8)
    }

    /// From 0, where nothing is given up.
    pub fn place(self) -> usize {
        usize::from(self.0)
    }

    /// Whether nobody new is let in.
    pub fn is_closed(self) -> bool {
        self.level(Kind::Admission) > 0
    }

    /// How many steps of a kind are taken.
    pub fn level(self, kind: Kind) -> usize {
        STEPS[..self.place()].iter().filter(|given| given.kind == kind).count()
    }

    /// The kind of the last step that was taken.
    pub fn newest(self) -> Option<Kind> {
        self.given().map(|given| given.kind)
    }

    /// The fewest ticks per message, of who plays in a calm view, plays, or watches.
    pub(super) fn ticks_per_message(self, watches: bool, calm: bool) -> u32 {
        self.given().map_or(1, |given| match (watches, calm) {
            (true, _) => given.spectators.max(given.players),
            (false, true) => given.calm,
            (false, false) => given.players,
        })
    }

    /// The largest share of a view's width and height.
    pub(super) fn reach(self) -> f32 {
        self.given().map_or(1.0, |given| given.reach)
    }

    fn given(self) -> Option<&'static Given> {
        STEPS.get(self.place().checked_sub(1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_gives_up_more_and_kinds_keep_their_order() {
        let all: Vec<_> = (0..Restraint::PLACES).map(Restraint::at).collect();
        for pair in all.windows(2) {
            let (less, more) = (pair[0], pair[1]);
            assert!(less.newest().map(|kind| kind as u8) <= more.newest().map(|kind| kind as u8));
            for (watches, calm) in [(false, false), (false, true), (true, false)] {
                let ticks = |at: Restraint| at.ticks_per_message(watches, calm);
                assert!(ticks(less) <= ticks(more));
            }
            assert!(less.reach() >= more.reach());
            assert_eq!(more.is_closed(), more == Restraint::MOST);
        }
        assert_eq!((all[0].ticks_per_message(false, true), all[0].reach()), (1, 1.0));
        assert_eq!(Restraint::at(99), Restraint::MOST);
        let levels = Kind::ALL.map(|kind| Restraint::MOST.level(kind));
        assert_eq!(levels.iter().sum::<usize>(), Restraint::MOST.place());
    }
}
