//! Players who do nothing, such as those of a forgotten tab. Comes in: when somebody last did something. Goes out: a
//! warning, and the end of their connection: they would hold a seat, and with it a match that nobody plays, and its
//! recordings would take the place of others. Spectators may watch for as long as they like.

use super::Session;
use super::door::Outbox;
use super::talk;
use core::hash::Hasher;
use shared::game::{Game, Tick};
use shared::wire::close::CloseCode;
use shared::wire::{Field, Role};
use std::hash::DefaultHasher;

/// How long before they are shown out players are warned, in seconds.
pub const WARNING_SECONDS: u32 = 20;

/// When a player last did something.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Activity {
    last: Tick,
    /// A hash of what the last input does.
    steers: u64,
}

impl Activity {
    /// Somebody who comes, and so does something.
    pub(super) fn from(now: Tick) -> Self {
        Self { last: now, steers: 0 }
    }

    /// They did something.
    pub(super) fn act(&mut self, now: Tick) {
        self.last = now;
    }

    /// An input came. The same again is none of their doing, and neither is how far in the past they saw others.
    pub(super) fn steer(&mut self, table: &[Field], fields: &[i32], now: Tick) {
        let mut hasher = DefaultHasher::new();
        let own = table.iter().zip(fields).filter(|(field, _)| field.role != Role::Lag);
        own.for_each(|(_, &value)| hasher.write_i32(value));
        let steers = hasher.finish();
        if steers != self.steers {
            *self = Self { last: now, steers };
        }
    }
}

impl<G: Game, O: Outbox> Session<G, O> {
    /// Warns players who do nothing, and shows them out.
    pub(super) fn show_out_the_inactive(&mut self) {
        let (seconds, now) = (self.config.inactive_s, self.tick);
        if seconds == 0 {
            return;
        }
        let rate = u32::from(self.config.setup.tick_rate);
        let warned_after = seconds.saturating_sub(WARNING_SECONDS) * rate;
        let mut over = Vec::new();
        for player in self.players.iter_mut().filter(|player| player.watching.is_none()) {
            let Some(link) = &mut player.link else { continue };
            let idle = now.wrapping_sub(player.activity.last);
            if idle >= seconds * rate {
                over.push(link.connection);
            } else if idle == warned_after {
                let text = format!(
                    "Are you there? Do something within {WARNING_SECONDS} seconds, or your seat is freed."
                );
                link.mailbox.push(talk::notice(&text));
            }
        }
        for connection in over {
            let reason =
                format!("You did nothing for {seconds} seconds, so your seat is free for others.");
            self.expel(connection, CloseCode::Inactive, &reason, false);
        }
    }
}
