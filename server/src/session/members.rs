//! Who comes and goes: people to their seats, people who lost their line, and computer pilots for company.

use super::door::{ConnectionId, Newcomer, Outbox};
use super::players::{Link, SEAT_GRACE_SECONDS, Watching};
use super::restraint::OVERLOADED;
use super::{Session, flow, parting, talk};
use bytes::Bytes;
use shared::game::{Game, PlayerId};
use shared::wire::close::CloseCode;
use shared::wire::message::{self, ServerMessage};

impl<G: Game, O: Outbox> Session<G, O> {
    /// Somebody comes, or comes back: who shows the token of a seat has it, with all that belongs to it.
    pub(super) fn join(&mut self, mut who: Newcomer<O>) {
        let first = self.tick.wrapping_add(1);
        let known = who.seat.and_then(|seat| self.players.id_of_seat(seat));
        if known.is_none()
            && let Err((code, reason)) = self.admit(&who)
        {
            self.counts.turned_away += u64::from(code == CloseCode::TryLater);
            who.outbox.close(code, &reason);
            return;
        }
        let id = known.unwrap_or_else(|| self.seat(&who));
        let (seat, fresh) = (known.and(who.seat), who.fresh);
        let from = (who.network, who.address);
        let link = Link::new(who.connection, who.outbox, first);
        if let Some(mut last) = self.players.link(id, (seat, fresh), from, link, first) {
            let reason = "The same seat was taken from another connection.";
            last.outbox.close(CloseCode::Replaced, reason);
        }
        if self.hosting.recognises(who.host, self.tick, self.grace_ticks()) {
            self.host_is_here(id);
        }
        let player = self.players.get(id).expect("just linked");
        let joined = player.joined;
        tracing::info!(player = id.0, name = %player.name, back = known.is_some(), "joined");
        self.welcome(id);
        // Who was here when the host left, but away, could not be told.
        if known.is_some() && self.hosting.awaits(joined) {
            self.make_host(id);
        }
    }

    /// Whether somebody new is let in, or why not.
    fn admit(&self, who: &Newcomer<O>) -> Result<(), (CloseCode, String)> {
        if self.parting.is_some() {
            return Err((CloseCode::GoingAway, parting::NOBODY_NEW.into()));
        }
        let is_host = self.hosting.is_shown(who.host);
        if is_host && !self.is_host_here() {
            return Ok(());
        }
        let present = self.players.iter().map(|player| (player.visitor, player.network));
        if !is_host && self.hosting.bars(who.visitor, who.network, present) {
            return Err((CloseCode::Banned, "You are banned from this session.".into()));
        }
        if self.hosting.awaits_last(who.host, self.tick, self.grace_ticks()) {
            return Ok(());
        }
        if self.restraint.is_closed() {
            return Err((CloseCode::TryLater, OVERLOADED.into()));
        }
        // A host in a second window, or friends with whom the secret is shared, take what there is room for.
        if self.locked && !is_host {
            return Err((CloseCode::Locked, "The session is locked: nobody new is let in.".into()));
        }
        let (there, most, what) = if who.watch {
            (self.players.watching(), self.config.spectators_max, "places to watch")
        } else {
            (self.players.playing(), self.config.players_max, "seats")
        };
        if there >= most {
            return Err((CloseCode::SessionFull, format!("All {most} {what} are taken.")));
        }
        Ok(())
    }

    /// A seat for somebody new.
    fn seat(&mut self, who: &Newcomer<O>) -> PlayerId {
        let id = self.players.free_id(|id| self.pilots.has(id));
        self.players.insert(id, who, self.tick.wrapping_add(1));
        self.set_watching(id, who.watch.then(Watching::default));
        let muted = self.hosting.mutes(who.visitor);
        self.players.get_mut(id).expect("just inserted").muted = muted;
        self.tell_of(id);
        id
    }

    /// Tells a player at a new connection what comes first: who they are, what the session is, who is there.
    fn welcome(&mut self, id: PlayerId) {
        let roster = self.whole_roster();
        let (terms, _) = self.shown_to(id);
        let (about, history) = (talk::about(&self.config, self.locked), self.talk.history());
        let phase = self.phase_shown_to(id).phase;
        let tick = self.tick;
        let player = self.players.get_mut(id).expect("just linked");
        let welcome = talk::encode(&ServerMessage::Welcome {
            player: id,
            name: player.name.clone(),
            tick,
            setup: message::encode(&terms.setup),
            seat: player.seat,
        });
        let Some(link) = &mut player.link else { return };
        let first = [welcome, about, phase, roster];
        first.into_iter().chain(history).for_each(|message| link.mailbox.push(message));
        self.tell_standing(id);
    }

    /// Tells somebody what stands until it changes, where it concerns them.
    fn tell_standing(&mut self, id: PlayerId) {
        // Why nothing obeys, between two rounds.
        self.tell_results(id);
        if self.hosting.player == Some(id) {
            self.tell_secret(id);
        }
    }

    /// Those who missed messages are told everything anew, and how much they missed.
    pub(super) fn summarise(&mut self) {
        let roster = self.whole_roster();
        let gaps = |link: &Link<O>| link.mailbox.has_forgotten();
        let those = self.players.iter().filter(|p| p.link.as_ref().is_some_and(gaps));
        let those: Vec<_> = those.map(|player| player.id).collect();
        for id in those {
            let about = talk::about(&self.config, self.locked);
            let Some(link) = self.players.link_of(id) else { continue };
            let forgotten = link.mailbox.take_forgotten();
            let text = format!("Your line was slow: {forgotten} messages are lost.");
            let summary = [about, roster.clone(), talk::notice(&text)];
            summary.into_iter().for_each(|message| link.mailbox.push(message));
            // So that they are sent again when it is the player's turn, though they are the same.
            link.standings.clear();
            self.show_world(id);
            self.tell_standing(id);
        }
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
        if self.players.get(id).is_some_and(|player| player.watching.is_none()) {
            self.leave_game(id, true);
        }
        let player = self.players.remove(id);
        tracing::info!(player = id.0, name = %player.name, "left");
        self.talk.roster.left(id, player.watching.is_none());
        self.take_over(id, player.visitor);
    }

    /// Whoever was away for [`SEAT_GRACE_SECONDS`] leaves.
    pub(super) fn free_lost_seats(&mut self) {
        while let Some(id) = self.players.lost(self.tick, self.grace_ticks()) {
            self.free(id);
        }
    }

    /// For how many ticks whoever is gone finds again what was theirs.
    pub(super) fn grace_ticks(&self) -> u32 {
        self.config.ticks(SEAT_GRACE_SECONDS)
    }

    /// Ends a connection for a reason of ours.
    pub(super) fn expel(
        &mut self,
        connection: ConnectionId,
        code: CloseCode,
        reason: &str,
        keeps_seat: bool,
    ) {
        if let Some(player) = self.players.at_mut(connection)
            && let Some(link) = &mut player.link
        {
            tracing::info!(player = player.id.0, code = code.code(), reason, "expelled");
            link.outbox.close(code, reason);
        }
        self.leave(connection, keeps_seat);
    }

    /// Computer pilots come and go so that people never fly alone.
    pub(super) fn fill_up(&mut self) {
        let wanted = self.config.pilots.beside(self.players.playing());
        while self.pilots.len() > wanted {
            let id = self.newest_pilot().expect("there are more than wanted");
            self.leave_game(id, false);
            self.pilots.remove(id);
            self.talk.roster.left(id, true);
        }
        while self.pilots.len() < wanted {
            let id = self.players.free_id(|id| self.pilots.has(id));
            let team = self.smallest_team();
            self.pilots.add(id, team);
            self.game.join(&self.terms.rules, id, team);
            self.tell_of(id);
        }
        self.even_out();
    }

    /// Tells one player something from the server.
    pub(super) fn notice(&mut self, id: PlayerId, text: &str) {
        let link = self.players.link_of(id);
        link.into_iter().for_each(|link| link.mailbox.push(talk::notice(text)));
    }

    /// Tells everybody something from the server.
    pub(super) fn announce(&mut self, text: &str) {
        self.tell_all(&talk::notice(text));
    }

    /// The loop dropped so many ticks' worth of time: everybody's clocks are put back by as much.
    pub(super) fn tell_of_dropped(&mut self, ticks: u32) {
        self.tell_all(&talk::encode(&ServerMessage::Dropped { ticks }));
    }

    fn tell_all(&mut self, message: &Bytes) {
        self.players.links_mut().for_each(|link| link.mailbox.push(message.clone()));
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
