//! What is given up as there is too much to do, and how much more there is time for.

use super::make::Maker;
use super::standing::raise;
use crate::directory::Directory;
use crate::session::restraint::Kind;
use prometheus::{Gauge, IntCounter, IntGauge};

/// Levels and counts of the governor.
#[derive(Debug)]
pub(super) struct OverloadMetrics {
    levels: [IntGauge; Kind::ALL.len()],
    /// Steps that were taken, and that were given back.
    changes: [IntCounter; 2],
    room: Gauge,
}

impl OverloadMetrics {
    pub(super) fn new(make: &Maker) -> Self {
        let room = make.level_seconds(
            "gamekeeper_room_people",
            "About how many more people fit before anybody is given less; NaN as long as that is not known.",
        );
        room.set(f64::NAN);
        Self {
            levels: make.levels(
                "gamekeeper_overload_level",
                "Steps of what is given up as there is too much to do, in the session that gives up most: messages \
                 per second, how far people see, spectators' messages, and letting anybody new in.",
                "kind",
                Kind::LABELS,
            ),
            changes: make.counts(
                "gamekeeper_overload_changes_total",
                "Steps of what sessions give up that were taken, and that were given back.",
                "direction",
                ["taken", "given_back"],
            ),
            room,
        }
    }

    pub(super) fn look(&self, directory: &Directory) {
        let overload = &directory.overload;
        let entries = directory.entries();
        let all = entries.iter().map(|entry| entry.look().measure.restraint);
        let tightest = all.fold(overload.restraint(), Ord::max);
        for (gauge, kind) in self.levels.iter().zip(Kind::ALL) {
            gauge.set(tightest.level(kind) as i64);
        }
        for (counter, count) in self.changes.iter().zip(overload.changes()) {
            raise(counter, count);
        }
        self.room.set(overload.room().map_or(f64::NAN, f64::from));
    }
}
