//! What everybody does. Comes in: inputs, as they arrive. Goes out: one command for everybody who plays, once a
//! tick.

use super::Session;
use super::door::{ConnectionId, Outbox};
use shared::game::{Command, Game, LAG_STEPS, Tick};
use shared::netcode::inputs::{Offer, PLAYBACK_TICKS_MAX, Source};
use shared::wire::close::CloseCode;
use shared::wire::field::FIELDS_MAX;
use shared::wire::input::InputMessage;
use shared::wire::{Field, Role, Row};

impl<G: Game, O: Outbox> Session<G, O> {
    /// An input came, perhaps too late or too early.
    pub(super) fn input(&mut self, connection: ConnectionId, message: &InputMessage, at: f64) {
        let Some(player) = self.players.at_mut(connection) else { return };
        // Who has something to do has had the welcome.
        player.shown = None;
        let Some(link) = &mut player.link else { return };
        let tick_ms = 1000.0 / f64::from(self.config.setup.tick_rate);
        let seen = link.flow.acknowledge(message.decoded, message.tick, at, tick_ms);
        let mut fields = [0; FIELDS_MAX];
        let fields = &mut fields[..G::Input::FIELDS.len()];
        fields.copy_from_slice(message.fields());
        let ahead = message.tick.wrapping_sub(seen);
        bound_lag(G::Input::FIELDS, fields, ahead, self.config.setup.rewind_ticks());
        player.activity.steer(G::Input::FIELDS, fields, self.tick);
        match player.inputs.offer(message.tick, G::Input::read(fields), at) {
            Offer::Kept => {}
            Offer::Late => self.counts.inputs_late += 1,
            Offer::Replaced => self.counts.inputs_replaced += 1,
            Offer::Early => self.counts.inputs_early += 1,
            Offer::Absurd => {
                let reason = "An input was for a tick minutes away from the session's.";
                self.expel(connection, CloseCode::BadValue, reason, false);
            }
        }
    }

    /// One command for everybody who plays, in order of their numbers; to do nothing, once a round is over.
    pub(super) fn gather_commands(&mut self) {
        self.commands.clear();
        let still = self.rounds.is_still();
        for player in self.players.iter_mut() {
            let (input, source) = player.inputs.take();
            if player.watching.is_some() {
                continue;
            }
            match source {
                Source::Sent => self.counts.inputs_used += 1,
                // Nobody misses the inputs of a player who is away.
                _ if player.link.is_none() => {}
                Source::Repeated => {
                    self.counts.inputs_missing += 1;
                    self.counts.inputs_repeated += 1;
                }
                Source::Idle => self.counts.inputs_missing += 1,
            }
            let input = if still { G::Input::default() } else { input };
            self.commands.push(Command { player: player.id, input });
        }
        if still {
            let idle = |player| Command { player, input: G::Input::default() };
            self.commands.extend(self.pilots.ids().map(idle));
        } else {
            let (game, rules, world) = (&self.game, &self.terms.rules, &self.world);
            self.pilots.think(rules, world, |id| game.view(id), &mut self.commands);
        }
        self.commands.sort_unstable_by_key(|c| c.player);
    }
}

/// Believes no player who claims to see others further in the past than the frames that it confirms allow
/// (`ahead`: from the newest of them to the input's tick), nor than anybody may.
fn bound_lag(table: &[Field], fields: &mut [i32], ahead: Tick, rewind_ticks: u32) {
    let ticks = ahead.saturating_add(PLAYBACK_TICKS_MAX).min(rewind_ticks);
    let most = ticks as i32 * LAG_STEPS as i32;
    for (field, value) in table.iter().zip(fields) {
        if field.role == Role::Lag {
            *value = (*value).min(most);
        }
    }
}
