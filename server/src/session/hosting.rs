//! Who runs the session, and what they may do. Comes in: secrets, and what the host wants. Goes out:
//! people shown out, doors locked, settings for the next round; a new host when the old one is gone.

use super::acts::{Act, ActError, HostAction, OperatorAction, Order};
use super::allowance::Pause;
use super::door::Outbox;
use super::players::Player;
use super::rounds::next_seed;
use super::{Session, settings::SessionSettings};
use serde::{Deserialize, Serialize};
use shared::game::{Game, PlayerId, Tick};
use shared::wire::close::CloseCode;
use shared::wire::message::{NAME_CHARS_MAX, ServerMessage, clean_name};
use shared::wire::{HostSecret, Visitor};
use std::net::IpAddr;

/// The most people a session remembers as banned; beyond it the oldest ban is forgotten.
const BANS_MAX: usize = 256;

/// The most people a session remembers as muted; beyond it the oldest is heard again in their next seat.
const MUTES_MAX: usize = 256;

/// Between two actions of a host that make a world, or check whether one can be made, there are at least so
/// many seconds: the largest takes some milliseconds of the tick loop, and whoever opens a session is a host.
const WORLD_SECONDS: u32 = 1;

/// Who runs a session. What is written of it goes into a checkpoint.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Hosting {
    /// Who shows this is the host; `None` where nobody is and nobody can be. A session is opened with it.
    #[serde(skip)]
    pub(super) secret: Option<HostSecret>,
    /// The host, while they are in the session.
    pub(super) player: Option<PlayerId>,
    bans: Vec<Ban>,
    /// By what they are known again whom nobody is to hear, in their next seat neither.
    mutes: Vec<Visitor>,
    /// The host who has left without handing over, and may yet come back.
    last: Option<LastHost>,
    /// Whether the host has put somebody into a team: nobody but pilots is moved then, until there are more teams or fewer.
    pub(super) arranges_teams: bool,
    /// Since when there is none, where nobody was there to take over when the last one left.
    vacant_since: Option<Tick>,
    /// Since the host last had a world made or checked.
    #[serde(skip)]
    worlds: Pause,
}

/// A host who has left: a page that is loaded again says goodbye first, as one that is closed does.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct LastHost {
    secret: HostSecret,
    left: Tick,
}

/// Somebody who is not let in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Ban {
    visitor: Visitor,
    network: Option<IpAddr>,
}

impl Hosting {
    pub(super) fn new(secret: Option<HostSecret>) -> Self {
        Self::default().opened_with(secret)
    }

    /// The same, where the host is whoever shows this.
    pub(super) fn opened_with(self, secret: Option<HostSecret>) -> Self {
        Self { secret, ..self }
    }

    /// Whether somebody shows the host's secret.
    pub(super) fn is_shown(&self, secret: Option<HostSecret>) -> bool {
        secret.is_some() && self.secret == secret
    }

    /// Whether somebody shows the secret of the host who left less than `grace` ticks ago.
    pub(super) fn awaits_last(&self, secret: Option<HostSecret>, now: Tick, grace: Tick) -> bool {
        let still = self.last.filter(|last| now.wrapping_sub(last.left) < grace);
        still.is_some_and(|last| secret == Some(last.secret))
    }

    /// Whether somebody shows that they are the host. What the last host shows in time is the secret again, and nobody
    /// else's.
    pub(super) fn recognises(&mut self, shown: Option<HostSecret>, now: Tick, grace: Tick) -> bool {
        if self.awaits_last(shown, now, grace) {
            (self.secret, self.last) = (shown, None);
        }
        self.is_shown(shown)
    }

    /// The host has left at `now`.
    fn leaves(&mut self, now: Tick, grace: Tick) {
        self.player = None;
        self.vacant_since = Some(now.wrapping_add(1));
        // While an older host may still come back, whoever took over meanwhile has only kept the place.
        if self.last.is_none_or(|last| now.wrapping_sub(last.left) >= grace) {
            self.last = self.secret.map(|secret| LastHost { secret, left: now });
        }
    }

    /// Whether there is anybody whom a host has banned or muted.
    pub(super) fn keeps_anybody_out(&self) -> bool {
        !self.bans.is_empty() || !self.mutes.is_empty()
    }

    /// Whether nobody is to hear somebody who comes.
    pub(super) fn mutes(&self, visitor: Visitor) -> bool {
        visitor.is_known() && self.mutes.contains(&visitor)
    }

    /// Whether somebody who has had a seat since `joined` would be the host now, had they not been away.
    pub(super) fn awaits(&self, joined: Tick) -> bool {
        self.vacant_since.is_some_and(|since| joined <= since)
    }

    /// Whether somebody is banned: by what they are known by, or by where they come from. That counts as
    /// long as nobody of those who are `present` and welcome comes from the same address.
    pub(super) fn bars(
        &self,
        visitor: Visitor,
        network: Option<IpAddr>,
        mut present: impl Iterator<Item = (Visitor, Option<IpAddr>)>,
    ) -> bool {
        let near = |ban: &Ban| ban.network.is_some() && ban.network == network;
        self.knows(visitor)
            || (self.bans.iter().any(near)
                && !present.any(|(other, from)| from == network && !self.knows(other)))
    }

    /// Whether somebody is banned by what they are known by.
    fn knows(&self, visitor: Visitor) -> bool {
        visitor.is_known() && self.bans.iter().any(|ban| ban.visitor == visitor)
    }
}

/// Puts one more at the end of a list in which there are at most so many; where it is full the oldest is forgotten.
fn remember<T>(list: &mut Vec<T>, one: T, most: usize) {
    if list.len() == most {
        list.remove(0);
    }
    list.push(one);
}

impl<G: Game, O: Outbox> Session<G, O> {
    /// Does what the host or the operator wants, and tells what came of it.
    pub(super) fn act(&mut self, Act { order, answer }: Act) {
        let done = match order {
            Order::Host(secret, action) if self.hosting.is_shown(Some(secret)) => {
                let host = self.hosting.player.and_then(|host| self.players.get_mut(host));
                host.into_iter().for_each(|host| host.activity.act(self.tick));
                self.do_act(action)
            }
            Order::Host(..) => Err(ActError::NotHost),
            Order::Operator(action) => self.operate(action),
        };
        answer(done);
    }

    /// What the operator says is done; the audit log has it.
    fn operate(&mut self, action: OperatorAction) -> Result<(), ActError> {
        match action {
            OperatorAction::Kick { player, reason } => {
                self.somebody(player)?;
                self.show_out(PlayerId(player), CloseCode::Kicked, &reason);
            }
            OperatorAction::ShowOut { address, reason } => {
                let from_there = self.players.iter().filter(|p| p.address == Some(address));
                let from_there: Vec<_> = from_there.map(|player| player.id).collect();
                for id in from_there {
                    self.show_out(id, CloseCode::Banned, &reason);
                }
            }
            OperatorAction::End => {
                self.ended =
                    Some((CloseCode::Ended, "The operator of the server has ended this session."));
            }
            OperatorAction::AsHost(action) => self.do_act(action)?,
        }
        Ok(())
    }

    fn do_act(&mut self, action: HostAction) -> Result<(), ActError> {
        match action {
            HostAction::Rename { name } => {
                let sentence =
                    || format!("A name has 1 to {NAME_CHARS_MAX} letters that can be seen.");
                self.config.name =
                    clean_name(&name).ok_or_else(|| ActError::Refused(sentence()))?;
                if let Some(next) = &mut self.next {
                    next.name.clone_from(&self.config.name);
                }
                self.talk.about(&self.config, self.locked);
            }
            HostAction::Change { settings } => self.change(&settings)?,
            HostAction::Lock { locked } => {
                self.locked = locked;
                self.talk.about(&self.config, self.locked);
            }
            HostAction::Kick { player } => {
                self.somebody(player)?;
                let reason = "The host of the session has shown you out.";
                self.show_out(PlayerId(player), CloseCode::Kicked, reason);
            }
            HostAction::Ban { player } => {
                let who = self.somebody(player)?;
                let ban = Ban { visitor: who.visitor, network: who.network };
                // A host who tries things out in a second window stays, and gets in again.
                let host = self.hosting.player.filter(|host| host.0 != player);
                let same = self.same_browser(player);
                if host.is_none_or(|host| !same.contains(&host)) {
                    remember(&mut self.hosting.bans, ban, BANS_MAX);
                }
                let reason = "The host of the session has banned you from it.";
                for id in same.into_iter().filter(|id| Some(*id) != host) {
                    self.show_out(id, CloseCode::Banned, reason);
                }
            }
            HostAction::Mute { player, muted } => self.mute(player, muted)?,
            HostAction::Move { player, team } => self.move_by_host(PlayerId(player), team)?,
            HostAction::NextRound => {
                self.take_world()?;
                self.start_round();
            }
            HostAction::HandOver { player } => {
                self.somebody(player)?;
                self.make_host(PlayerId(player));
            }
            HostAction::End => {
                self.ended = Some((CloseCode::Ended, "The host has ended the session."))
            }
        }
        Ok(())
    }

    fn mute(&mut self, player: u16, muted: bool) -> Result<(), ActError> {
        let visitor = self.somebody(player)?.visitor;
        self.hosting.mutes.retain(|&other| other != visitor);
        if muted && visitor.is_known() {
            remember(&mut self.hosting.mutes, visitor, MUTES_MAX);
        }
        for id in self.same_browser(player) {
            self.players.get_mut(id).expect("they are there").muted = muted;
            self.tell_of(id);
        }
        Ok(())
    }

    /// A player's seat, and all others that the same browser has.
    fn same_browser(&self, player: u16) -> Vec<PlayerId> {
        let visitor = self.somebody(player).map_or(Visitor::default(), |player| player.visitor);
        let same = |p: &&Player<G::Input, O>| {
            p.id.0 == player || (visitor.is_known() && p.visitor == visitor)
        };
        self.players.iter().filter(same).map(|player| player.id).collect()
    }

    fn somebody(&self, player: u16) -> Result<&Player<G::Input, O>, ActError> {
        self.players.get(PlayerId(player)).ok_or(ActError::NobodyThere)
    }

    /// Whether a world may be made for the host now, which then counts as done.
    fn take_world(&mut self) -> Result<(), ActError> {
        if self.hosting.worlds.take(self.tick, self.config.ticks(WORLD_SECONDS)) {
            return Ok(());
        }
        let sentence = "One moment: a world takes time to make. Try again in a second.";
        Err(ActError::Refused(sentence.into()))
    }

    fn change(&mut self, settings: &SessionSettings) -> Result<(), ActError> {
        self.take_world()?;
        let seed = self.terms.setup.seed;
        let next = settings.config::<G>(seed).map_err(ActError::Refused)?;
        let rate = self.config.setup.tick_rate;
        if next.setup.tick_rate != rate {
            let sentence = format!("tick_rate stays {rate} for as long as the session lasts.");
            return Err(ActError::Refused(sentence));
        }
        self.next = Some(next);
        if self.config.round_s == 0 {
            self.start_round();
        }
        Ok(())
    }

    fn move_by_host(&mut self, id: PlayerId, team: u8) -> Result<(), ActError> {
        let player = self.somebody(id.0)?;
        let (plays, own) = (player.watching.is_none(), player.team);
        let teams = self.terms.setup.teams;
        if !plays || team == 0 || team > teams {
            let sentence = format!("Teams go from 1 to {teams}, and who watches is in none.");
            return Err(ActError::Refused(sentence));
        }
        if own != team {
            self.hosting.arranges_teams = true;
            self.move_to_team(id, team, false);
            let sentence =
                "The host has put you into another team, in which you begin with 0 points.";
            self.notice(id, sentence);
        }
        Ok(())
    }

    fn show_out(&mut self, id: PlayerId, code: CloseCode, reason: &str) {
        let hosted = self.hosting.secret.filter(|_| self.hosting.player == Some(id));
        let link = self.players.get(id).and_then(|player| player.link.as_ref());
        match link.map(|link| link.connection) {
            Some(connection) => self.expel(connection, code, reason, false),
            None => self.free(id),
        }
        // Who is shown out as host does not come back as one, where nobody was there to take over neither.
        self.hosting.last.take_if(|last| Some(last.secret) == hosted);
        if hosted.is_some() && self.hosting.secret == hosted {
            // A session that has a host keeps having one to be: nobody knows this, until somebody takes over.
            let half = |seed: u64| seed.to_le_bytes();
            let first = next_seed(self.luck.wrapping_add(self.tick.into()));
            let secret = [half(first), half(next_seed(first))].concat();
            self.hosting.secret = Some(HostSecret(secret.try_into().expect("twice eight bytes")));
        }
    }

    /// Makes somebody the host: the secret is theirs from now on, and nobody else's.
    pub(super) fn make_host(&mut self, id: PlayerId) {
        let last = self.hosting.player.replace(id);
        self.hosting.vacant_since = None;
        let Some(player) = self.players.get(id) else { return };
        self.hosting.secret = Some(player.host_secret);
        self.tell_secret(id);
        for id in last.into_iter().chain([id]) {
            self.tell_of(id);
        }
    }

    /// Tells the host by what they show that they are.
    pub(super) fn tell_secret(&mut self, id: PlayerId) {
        let Some(secret) = self.hosting.secret else { return };
        let link = self.players.link_of(id);
        let told = super::talk::encode(&ServerMessage::Host { secret });
        link.into_iter().for_each(|link| link.mailbox.push(told.clone()));
    }

    /// The host has shown the secret on joining.
    pub(super) fn host_is_here(&mut self, id: PlayerId) {
        let last = self.hosting.player.replace(id);
        self.hosting.vacant_since = None;
        for id in last.into_iter().filter(|&last| last != id).chain([id]) {
            self.tell_of(id);
        }
    }

    /// Whether there is a host with a connection.
    pub(super) fn is_host_here(&self) -> bool {
        let host = self.hosting.player.and_then(|host| self.players.get(host));
        host.is_some_and(|host| host.link.is_some())
    }

    /// Somebody has left for good. When it was the host, another window of the same browser takes over, or else whoever has been
    /// here longest, until the last host is back; where nobody is who could be told, the secret stays the last host's, and whoever comes back to a seat first
    /// takes over.
    pub(super) fn take_over(&mut self, gone: PlayerId, visitor: Visitor) {
        if self.hosting.player != Some(gone) {
            return;
        }
        self.hosting.leaves(self.tick, self.grace_ticks());
        let present = self.players.iter().filter(|player| player.link.is_some());
        let is_other = |other: Visitor| !(visitor.is_known() && other == visitor);
        let longest =
            present.min_by_key(|p| (is_other(p.visitor), p.watching.is_some(), p.joined, p.id));
        if let Some(heir) = longest.map(|player| player.id) {
            self.make_host(heir);
        }
    }
}
