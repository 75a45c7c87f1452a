//! Players who do nothing, such as those of a forgotten tab. Comes in: when somebody last did something. Goes out: a
//! warning, and then they watch: the seat is somebody else's, and a round that nobody plays ends, and with it its
//! recording. They stay in the session, which their friends may be on the way to.

use super::Session;
use super::door::Outbox;
use shared::game::{Game, Tick};
use shared::wire::{Field, Role};

/// How long before they become spectators players are warned, in seconds.
pub const WARNING_SECONDS: u32 = 20;

/// When a player last did something.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Activity {
    last: Tick,
    /// What the last input does, as one number.
    steers: u64,
}

impl Activity {
    /// Somebody who has just come, and so has done something.
    pub(super) fn from(now: Tick) -> Self {
        Self { last: now, steers: 0 }
    }

    /// They did something.
    pub(super) fn act(&mut self, now: Tick) {
        self.last = now;
    }

    /// An input came. The same again is none of their doing, and neither is how far in the past they saw others.
    pub(super) fn steer(&mut self, table: &[Field], fields: &[i32], now: Tick) {
        // FNV-1a's step, a field at a time: where one field differs, so does the sum.
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        let own = table.iter().zip(fields).filter(|(field, _)| field.role != Role::Lag);
        let steers =
            own.fold(1_u64, |all, (_, &value)| (all ^ u64::from(value as u32)).wrapping_mul(PRIME));
        if steers != self.steers {
            *self = Self { last: now, steers };
        }
    }
}

impl<G: Game, O: Outbox> Session<G, O> {
    /// Warns players who do nothing, and lets them watch.
    pub(super) fn unseat_the_inactive(&mut self) {
        let (seconds, now) = (self.config.inactive_s, self.tick);
        if seconds == 0 {
            return;
        }
        let rate = u32::from(self.config.setup.tick_rate);
        let (over, warned) = (seconds * rate, seconds.saturating_sub(WARNING_SECONDS) * rate);
        // Who has just come is here from the next tick on.
        let idle = |activity: Activity| (now.wrapping_sub(activity.last) as i32).max(0) as u32;
        let playing = self.players.iter().filter(|p| p.watching.is_none() && p.link.is_some());
        let those = playing.map(|p| (p.id, idle(p.activity)));
        let those: Vec<_> = those.filter(|&(_, idle)| idle == warned || idle >= over).collect();
        for (id, idle) in those {
            if idle >= over {
                tracing::info!(player = id.0, "inactive");
                self.watch(id, true, false);
                self.notice(
                    id,
                    &format!("You did nothing for {seconds} seconds, so now you watch."),
                );
            } else {
                let text = format!(
                    "Are you there? Do something within {WARNING_SECONDS} seconds, or you only watch."
                );
                self.notice(id, &text);
            }
        }
    }
}
