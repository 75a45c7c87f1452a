//! Those who do nothing, such as a forgotten tab. Comes in: when somebody last did something. Goes out: a warning, and then
//! they watch instead of playing, where there is a place to watch: the seat is somebody else's, and a round that nobody
//! plays ends, and with it its recording. They stay in the session, which their friends may be on the way to, for as long
//! as that is likely.

use super::Session;
use super::door::Outbox;
use shared::game::{Game, Tick};
use shared::wire::{Field, Role};

/// How long before they become spectators players are warned, in seconds.
const WARNING_SECONDS: u32 = 20;
/// Where nobody has done anything for so long, in seconds, nobody is taken to be there, whoever is connected.
const FORGOTTEN_SECONDS: u32 = 3600;

/// When somebody last did something.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Activity {
    last: Tick,
    /// What the last input does, as one number.
    steers: u64,
    /// Whether they were warned since.
    is_warned: bool,
}

impl Activity {
    /// Somebody who has just come, and so has done something.
    pub(super) fn from(now: Tick) -> Self {
        Self { last: now, ..Self::default() }
    }

    /// They did something.
    pub(super) fn act(&mut self, now: Tick) {
        (self.last, self.is_warned) = (now, false);
    }

    /// An input came. The same again is none of their doing, and neither is how far in the past they saw others.
    pub(super) fn steer(&mut self, table: &[Field], fields: &[i32], now: Tick) {
        // FNV-1a's step, a field at a time: where one field differs, so does the sum.
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        let own = table.iter().zip(fields).filter(|(field, _)| field.role != Role::Lag);
        let steers =
            own.fold(1_u64, |all, (_, &value)| (all ^ u64::from(value as u32)).wrapping_mul(PRIME));
        if steers != self.steers {
            *self = Self { last: now, steers, is_warned: false };
        }
    }

    /// For how many ticks they have done nothing.
    fn idle(self, now: Tick) -> Tick {
        // Who has just come is here from the next tick on.
        (now.wrapping_sub(self.last) as i32).max(0) as Tick
    }
}

impl<G: Game, O: Outbox> Session<G, O> {
    /// Warns players who do nothing, and lets them watch; looked at once a second.
    pub(super) fn unseat_the_inactive(&mut self) {
        let (seconds, now) = (self.config.provided.inactive_s, self.tick);
        if seconds == 0 || !now.is_multiple_of(self.config.ticks(1)) {
            return;
        }
        let mut places = self.config.spectators_max.saturating_sub(self.players.watching());
        if places == 0 {
            return;
        }
        let (warning, over) = (self.config.ticks(WARNING_SECONDS), self.config.ticks(seconds));
        let (mut warned, mut unseated) = (Vec::new(), Vec::new());
        let playing = self.players.iter_mut().filter(|p| p.watching.is_none() && p.link.is_some());
        for player in playing {
            let idle = player.activity.idle(now);
            if !player.activity.is_warned && idle + warning >= over {
                // So that this much is left, also for who was away when it was due.
                player.activity.last = now.wrapping_add(warning).wrapping_sub(over);
                player.activity.is_warned = true;
                warned.push(player.id);
            } else if idle >= over && places > 0 {
                places -= 1;
                unseated.push(player.id);
            }
        }
        for id in warned {
            let text = format!(
                "Are you there? Do something within {WARNING_SECONDS} seconds, or you only watch."
            );
            self.notice(id, &text);
        }
        for id in unseated {
            tracing::info!(player = id.0, "inactive");
            self.watch(id, true, false);
            self.notice(id, &format!("You did nothing for {seconds} seconds, so now you watch."));
        }
    }

    /// Whether somebody is here, and not only a tab that was forgotten.
    pub(super) fn is_anybody_here(&self) -> bool {
        let most = self.config.ticks(FORGOTTEN_SECONDS);
        let counts = |activity: Activity| {
            self.config.provided.inactive_s == 0 || activity.idle(self.tick) < most
        };
        self.players.iter().any(|player| counts(player.activity))
    }
}
