//! What servers of a site say of how busy they are. Comes in: own figures and another server's. Goes out: how many people
//! would fit there.

use serde::{Deserialize, Serialize};

/// How busy a server is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct LoadReport {
    /// People in all of its sessions.
    pub(crate) people: u32,
    /// The share of its cores that is at work, or of its lanes' time where that is more, over some seconds.
    pub(crate) load: f64,
    /// The share at which it begins to give up detail.
    pub(crate) begins: f64,
    /// About how many more people fit before that; `None` as long as it does not know what people cost.
    pub(crate) room: Option<u32>,
    /// How many more sessions it may have.
    pub(crate) sessions_left: u32,
    /// Of which matches it can go on: the protocol's hash and the layout of checkpoints; `None` where it does not say.
    #[serde(default)]
    pub(crate) goes_on_with: Option<(u64, u32)>,
}

impl LoadReport {
    /// About how many more people fit on the server of this report. Where it does not know, as nobody was there yet, they
    /// are taken to cost what they cost on the server of the report `known`.
    pub(crate) fn fits(&self, known: &Self) -> u32 {
        if self.sessions_left == 0 {
            return 0;
        }
        self.room.unwrap_or_else(|| {
            let one = known.load / f64::from(known.people.max(1));
            // A quotient without bound becomes the highest number, as does one by nothing.
            ((self.begins - self.load) / one.max(f64::MIN_POSITIVE)).max(0.0) as u32
        })
    }

    /// Whether matches of a server that can go on with `own` may go on there, as far as it says.
    pub(crate) fn may_take(&self, own: Option<(u64, u32)>) -> bool {
        self.goes_on_with.is_none() || self.goes_on_with == own
    }

    /// A session with so many people more is there from now on.
    pub(crate) fn take(&mut self, people: u32) {
        self.people = self.people.saturating_add(people);
        self.room = self.room.map(|room| room.saturating_sub(people));
        self.sessions_left = self.sessions_left.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_knows_says_so_and_who_does_not_is_judged_by_what_people_cost_elsewhere() {
        let known = LoadReport { people: 100, load: 0.5, begins: 0.6, ..LoadReport::default() };
        let fresh =
            LoadReport { load: 0.1, begins: 0.6, sessions_left: 3, ..LoadReport::default() };
        assert_eq!(fresh.fits(&known), 100);
        assert_eq!(LoadReport { load: 0.7, ..fresh }.fits(&known), 0);
        assert_eq!(LoadReport { room: Some(7), ..fresh }.fits(&known), 7);
        assert_eq!(LoadReport { sessions_left: 0, ..fresh }.fits(&known), 0);
        assert_eq!(fresh.fits(&LoadReport::default()), u32::MAX, "nothing costs anything");
    }
}
