//! What sessions count. A session's own counts go up for as long as it lives; what came to them since the last
//! look is added here, so that nothing is lost with a session that ends.

use super::make::Maker;
use crate::directory::Leave;
use crate::session::Counts;
use crate::session::restraint::Restraint;
use prometheus::{Counter, IntCounter};

/// How a session stands, beside its status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measure {
    /// What happened in it so far.
    pub counts: Counts,
    /// People whose connections were lost and whose seats are kept.
    pub away: u32,
    /// Messages that wait in the outboxes of all connections, and in the fullest.
    pub outboxes: Depth,
    /// The same of messages that wait for a place in an outbox.
    pub mailboxes: Depth,
    /// What it gives up, as the server is overloaded.
    pub restraint: Restraint,
    /// About how many more people fit into its loop; of that a session knows nothing, who measures the loop does.
    pub room: Option<u32>,
}

/// How much waits in queues of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// In all of them.
    pub sum: usize,
    /// In the fullest.
    pub max: usize,
}

impl Depth {
    /// One more queue, in which so much waits.
    pub fn add(&mut self, waiting: usize) {
        self.merge(Self { sum: waiting, max: waiting });
    }

    /// More queues.
    pub fn merge(&mut self, other: Self) {
        self.sum += other.sum;
        self.max = self.max.max(other.max);
    }
}

/// What sessions count.
#[derive(Debug)]
pub struct Sessions {
    pub(crate) opened: IntCounter,
    pub(crate) ended: IntCounter,
    pub(crate) broken: IntCounter,
    /// By why they left.
    pub(crate) moved: [IntCounter; Leave::LABELS.len()],
    deltas: IntCounter,
    keyframes: IntCounter,
    catch_ups: IntCounter,
    withheld: IntCounter,
    used: IntCounter,
    late: IntCounter,
    early: IntCounter,
    duplicate: IntCounter,
    repeated: IntCounter,
    idle: IntCounter,
    resyncs: IntCounter,
    mismatches: IntCounter,
    wrong_fields: IntCounter,
    pauses: IntCounter,
    paused_seconds: Counter,
    /// Bytes into outboxes: frames that need what came before, keyframes, everything else.
    bytes: [IntCounter; 3],
}

impl Sessions {
    pub(super) fn new(make: &Maker) -> Self {
        let [ended, broken] = make.counts(
            "gamekeeper_sessions_ended_total",
            "Sessions that ended: that were over, or that broke.",
            "how",
            ["over", "broken"],
        );
        let [deltas, keyframes] = make.counts(
            "gamekeeper_frames_total",
            "Messages with frames that were handed to connections.",
            "kind",
            ["delta", "keyframe"],
        );
        let [used, late, early, duplicate] = make.counts(
            "gamekeeper_inputs_total",
            "Players' inputs by what became of them: used in their tick, come after it, come too far ahead, \
             or come twice.",
            "fate",
            ["used", "late", "early", "duplicate"],
        );
        let [repeated, idle] = make.counts(
            "gamekeeper_inputs_missing_total",
            "Ticks without an input of a player who is there: the last one was repeated, or the player did nothing.",
            "instead",
            ["repeated", "idle"],
        );
        Self {
            opened: make.count("gamekeeper_sessions_opened_total", "Sessions that were opened."),
            ended,
            broken,
            moved: make.counts(
                "gamekeeper_sessions_moved_total",
                "Sessions that another server of the site took, by why they left: as this one stopped, its operator \
                 wanted it, or there was too much to do.",
                "why",
                Leave::LABELS,
            ),
            deltas,
            keyframes,
            catch_ups: make.count(
                "gamekeeper_catch_ups_total",
                "Messages with ticks that had been withheld, instead of a keyframe.",
            ),
            withheld: make.count(
                "gamekeeper_frames_withheld_total",
                "Ticks of which a player got no frame at once: too much was under way, or ticks share messages.",
            ),
            used,
            late,
            early,
            duplicate,
            repeated,
            idle,
            resyncs: make.count("gamekeeper_resyncs_total", "Keyframes that clients asked for."),
            mismatches: make.count(
                "gamekeeper_mismatches_total",
                "Keyframes that clients asked for because a checksum differed.",
            ),
            wrong_fields: make.count(
                "gamekeeper_wrong_fields_total",
                "Fields that clients found wrong after a checksum had differed.",
            ),
            pauses: make.count(
                "gamekeeper_reader_pauses_total",
                "How often a player was sent nothing, as too much was under way to them or waited for their line.",
            ),
            paused_seconds: make.count_seconds(
                "gamekeeper_reader_pause_seconds_total",
                "For how long players were sent nothing for that reason.",
            ),
            bytes: make.counts(
                "gamekeeper_session_bytes_total",
                "Bytes of messages that sessions handed to connections, by content: frames that build on others, \
                 keyframes, and everything else that is told.",
                "content",
                ["deltas", "keyframes", "told"],
            ),
        }
    }

    /// A session counted so much more than `before`.
    pub(crate) fn add(&self, before: &Counts, now: &Counts, tick_rate: u16) {
        let more = |counter: &IntCounter, count: fn(&Counts) -> u64| {
            counter.inc_by(count(now).saturating_sub(count(before)));
        };
        more(&self.deltas, |c| c.frames - c.keyframes);
        more(&self.keyframes, |c| c.keyframes);
        more(&self.catch_ups, |c| c.catch_ups);
        more(&self.withheld, |c| c.frames_withheld);
        more(&self.used, |c| c.inputs_used);
        more(&self.late, |c| c.inputs_late);
        more(&self.early, |c| c.inputs_early);
        more(&self.duplicate, |c| c.inputs_replaced);
        more(&self.repeated, |c| c.inputs_repeated);
        more(&self.idle, |c| c.inputs_missing - c.inputs_repeated);
        more(&self.resyncs, |c| c.resyncs);
        more(&self.mismatches, |c| c.mismatches);
        more(&self.wrong_fields, |c| c.wrong_fields);
        more(&self.pauses, |c| c.pauses);
        let [deltas, keyframes, told] = &self.bytes;
        more(deltas, |c| c.frame_bytes - c.keyframe_bytes);
        more(keyframes, |c| c.keyframe_bytes);
        more(told, |c| c.told_bytes);
        let paused = now.paused_ticks.saturating_sub(before.paused_ticks);
        self.paused_seconds.inc_by(paused as f64 / f64::from(tick_rate.max(1)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    #[test]
    fn what_ended_sessions_counted_stays() {
        let metrics = Metrics::default();
        let sessions = &metrics.sessions;
        let counts =
            |frames, keyframes| Counts { frames, keyframes, paused_ticks: 15, ..Counts::default() };
        sessions.add(&Counts::default(), &counts(10, 2), 30);
        sessions.add(&counts(10, 2), &counts(15, 2), 30);
        sessions.add(&Counts::default(), &counts(3, 3), 30);
        assert_eq!((sessions.deltas.get(), sessions.keyframes.get()), (13, 5));
        assert_eq!(sessions.paused_seconds.get(), 1.0);
    }
}
