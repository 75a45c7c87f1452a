//! Who comes and goes: people to their seats, people who lost their line, and computer pilots for company.

use super::door::{ConnectionId, Newcomer, Outbox};
use super::players::{Link, SEAT_GRACE_SECONDS};
use super::{Session, flow, talk};
use shared::game::{Game, PlayerId, Tick};
use shared::wire::SeatToken;
use shared::wire::close::CloseCode;

impl<G: Game, O: Outbox> Session<G, O> {
    /// Somebody comes, or comes back: who shows the token of a seat has it, with all that belongs to it.
    pub(super) fn join(&mut self, newcomer: Newcomer<O>) {
        let Newcomer { connection, name, seat, fresh, mut outbox, .. } = newcomer;
        let first = self.tick.wrapping_add(1);
        let known = seat.and_then(|seat| self.players.with_seat(seat));
        let most = self.config.players_max;
        if known.is_none() && self.players.len() >= most {
            outbox.close(CloseCode::TryLater, &format!("All {most} seats are taken; try later."));
            return;
        }
        let id = known.unwrap_or_else(|| self.seat(name, fresh, first));
        let link = Link::new(connection, outbox, G::KINDS.len(), first);
        if let Some(mut last) = self.players.link(id, (known.and(seat), fresh), link, first) {
            let reason = "The same seat was taken from another connection.";
            last.outbox.close(CloseCode::Replaced, reason);
        }
        let roster = talk::whole_roster(&self.players, &self.pilots);
        let player = self.players.with_id(id).expect("just linked");
        tracing::info!(player = id.0, name = %player.name, back = known.is_some(), "joined");
        talk::welcome(player, self.tick, &self.config.setup, roster);
    }

    /// A seat for somebody new.
    fn seat(&mut self, name: String, fresh: SeatToken, first: Tick) -> PlayerId {
        let id = self.players.free_id(|id| self.pilots.has(id));
        self.game.join(&self.rules, id, 0);
        self.talk.joined(id, &name, false);
        self.players.insert(id, name, fresh, first);
        id
    }

    /// A connection is no more, and with it its player, unless the seat is kept.
    pub(super) fn leave(&mut self, connection: ConnectionId, keeps_seat: bool) {
        let Some(player) = self.players.unlink(connection, self.tick) else { return };
        let id = player.id;
        if keeps_seat {
            tracing::info!(player = id.0, name = %player.name, "away");
        } else {
            self.free(id);
        }
    }

    /// The player leaves for good.
    pub(super) fn free(&mut self, id: PlayerId) {
        let player = self.players.remove(id);
        tracing::info!(player = id.0, name = %player.name, "left");
        self.game.leave(&self.rules, id);
        self.talk.left(id);
    }

    /// Whoever was away for [`SEAT_GRACE_SECONDS`] leaves.
    pub(super) fn free_lost_seats(&mut self) {
        let grace = SEAT_GRACE_SECONDS * u32::from(self.config.setup.tick_rate);
        while let Some(id) = self.players.lost(self.tick, grace) {
            self.free(id);
        }
    }

    /// Ends a connection for a reason of ours.
    pub(super) fn expel(
        &mut self,
        connection: ConnectionId,
        code: CloseCode,
        reason: &str,
        keeps_seat: bool,
    ) {
        if let Some(player) = self.players.get_mut(connection)
            && let Some(link) = &mut player.link
        {
            tracing::info!(player = player.id.0, code = code.code(), reason, "expelled");
            link.outbox.close(code, reason);
        }
        self.leave(connection, keeps_seat);
    }

    /// Computer pilots come and go so that people never fly alone.
    pub(super) fn fill_up(&mut self) {
        let wanted = self.config.pilots.beside(self.players.len());
        while self.pilots.len() > wanted {
            let id = self.pilots.remove_newest().expect("there are more than wanted");
            self.game.leave(&self.rules, id);
            self.talk.left(id);
        }
        while self.pilots.len() < wanted {
            let id = self.players.free_id(|id| self.pilots.has(id));
            let name = self.pilots.add(id);
            self.game.join(&self.rules, id, 0);
            self.talk.joined(id, name, true);
        }
    }

    /// Who confirms nothing has a dead line, whatever the socket says, and may come back on another.
    pub(super) fn drop_the_unresponsive(&mut self) {
        let (tick, rate) = (self.tick, self.config.setup.tick_rate);
        let silent = self.players.links().filter(|link| link.flow.is_unresponsive(tick, rate));
        let silent: Vec<_> = silent.map(|link| link.connection).collect();
        for connection in silent {
            let seconds = flow::UNRESPONSIVE_SECONDS;
            let reason = format!("No frame was confirmed for {seconds} seconds.");
            self.expel(connection, CloseCode::Unresponsive, &reason, true);
        }
    }
}
