//! Clients whose rows went wrong. Comes in: their wishes for a keyframe, and what they found wrong then. Goes
//! out: keyframes, at most one a second each, counts, and lines in the log for a developer to find the cause.

use super::Session;
use super::door::{ConnectionId, Outbox};
use shared::game::{Game, Tick};
use shared::netcode::suspect::DIFFERENCES_MAX;
use shared::wire::message::Difference;

/// Lines about wrong rows that a session writes into the log in a minute; what is beyond is counted and
/// not written, as clients may claim what they like.
const LINES_PER_MINUTE: u32 = 60;

/// What was written about wrong rows in this minute.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    since: Tick,
    written: u32,
}

impl Complaints {
    /// Whether one more line may be written.
    fn pass(&mut self, now: Tick, rate: u16) -> bool {
        if now.wrapping_sub(self.since) >= 60 * u32::from(rate) {
            *self = Self { since: now, written: 0 };
        }
        self.written += 1;
        self.written <= LINES_PER_MINUTE
    }
}

impl<G: Game, O: Outbox> Session<G, O> {
    /// A client wants a keyframe.
    pub(super) fn resync(&mut self, connection: ConnectionId, tick: Tick, mismatch: bool) {
        let Some(player) = self.players.at_mut(connection) else { return };
        self.counts.resyncs += 1;
        self.counts.mismatches += u64::from(mismatch);
        player.corrections.resyncs += 1;
        player.corrections.mismatches += u32::from(mismatch);
        let (now, rate) = (self.tick, self.config.setup.tick_rate);
        let Some(link) = &mut player.link else { return };
        if link.flow.start_afresh(now, rate) {
            link.explanations = if mismatch { DIFFERENCES_MAX } else { 0 };
            // A line for each wish that is granted, as a client may ask as often as it likes; and none for one
            // without the rules, which asks every second.
            if mismatch && self.complaints.pass(now, rate) {
                tracing::warn!(
                    player = player.id.0,
                    tick,
                    now,
                    "keyframe asked for: rows were wrong"
                );
            }
        }
    }

    /// A client tells what was wrong. Only as much is heard as belongs to a keyframe that was granted.
    pub(super) fn mismatch(&mut self, connection: ConnectionId, tick: Tick, found: &Difference) {
        let Some(player) = self.players.at_mut(connection) else { return };
        let Some(link) = &mut player.link else { return };
        let Some(kind) = G::KINDS.get(usize::from(found.kind)) else { return };
        let Some(field) = kind.fields.get(usize::from(found.field)) else { return };
        if link.explanations == 0 {
            return;
        }
        link.explanations -= 1;
        self.counts.wrong_fields += 1;
        if self.complaints.pass(self.tick, self.config.setup.tick_rate) {
            let (player, Difference { id, had, is, .. }) = (player.id.0, *found);
            let (kind, field) = (kind.name, field.name);
            tracing::warn!(player, tick, kind, id, field, had, is, "a row was wrong");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_so_many_lines() {
        let mut complaints = Complaints::default();
        let written = (0..1800).filter(|&tick| complaints.pass(tick, 30)).count();
        assert_eq!(written, LINES_PER_MINUTE as usize);
        assert!(complaints.pass(1800, 30));
    }
}
