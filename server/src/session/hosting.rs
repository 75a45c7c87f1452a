//! Who runs the session, and what they may do. Comes in: secrets, and what the host wants. Goes out:
//! people shown out, doors locked, settings for the next round; a new host when the old one is gone.

use super::acts::{Act, ActError, HostAction, OperatorAction, Order};
use super::door::Outbox;
use super::players::Player;
use super::{Session, settings::SessionSettings};
use serde::{Deserialize, Serialize};
use shared::game::{Game, PlayerId, Tick};
use shared::wire::close::CloseCode;
use shared::wire::message::{NAME_CHARS_MAX, ServerMessage, clean_name};
use shared::wire::{HostSecret, Visitor};
use std::net::IpAddr;

/// The most people a session remembers as banned; beyond it the oldest ban is forgotten.
const BANS_MAX: usize = 256;

/// Between two actions of a host that make a world, or check whether one can be made, there are at least so
/// many seconds: the largest takes some milliseconds of the tick loop, and whoever opens a session is a host.
const WORLD_SECONDS: u32 = 1;

/// Who runs a session.
#[derive(Debug, Default)]
pub(super) struct Hosting {
    /// Who shows this is the host; `None` where nobody is and nobody can be.
    pub(super) secret: Option<HostSecret>,
    /// The host, while they are in the session.
    pub(super) player: Option<PlayerId>,
    pub(super) bans: Vec<Ban>,
    /// Since when there is none, where nobody was there to take over when the last one left.
    vacant_since: Option<Tick>,
    /// When the host last had a world made or checked.
    world_at: Option<Tick>,
}

/// Somebody who is not let in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Ban {
    visitor: Visitor,
    network: Option<IpAddr>,
}

impl Hosting {
    pub(super) fn new(secret: Option<HostSecret>) -> Self {
        Self { secret, ..Self::default() }
    }

    /// Whether somebody shows the host's secret.
    pub(super) fn is_shown(&self, secret: Option<HostSecret>) -> bool {
        secret.is_some() && self.secret == secret
    }

    /// Whether somebody who has had a seat since `joined` would be the host now, had they not been away.
    pub(super) fn awaits(&self, joined: Tick) -> bool {
        self.vacant_since.is_some_and(|since| joined <= since)
    }

    /// Whether somebody is banned: by what they are known by, or by where they come from. That counts as
    /// long as nobody who is welcome comes from the same address.
    pub(super) fn bars(
        &self,
        visitor: Visitor,
        network: Option<IpAddr>,
        mut present: impl Iterator<Item = Option<IpAddr>>,
    ) -> bool {
        let known = |ban: &Ban| ban.visitor.is_known() && ban.visitor == visitor;
        let near = |ban: &Ban| ban.network.is_some() && ban.network == network;
        self.bans.iter().any(known)
            || (self.bans.iter().any(near) && !present.any(|other| other == network))
    }
}

impl<G: Game, O: Outbox> Session<G, O> {
    /// Does what the host or the operator wants, and tells what came of it.
    pub(super) fn act(&mut self, Act { order, answer }: Act) {
        let done = match order {
            Order::Host(secret, action) if self.hosting.is_shown(Some(secret)) => {
                tracing::info!(?action, "the host acts");
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
                if self.hosting.bans.len() == BANS_MAX {
                    self.hosting.bans.remove(0);
                }
                self.hosting.bans.push(ban);
                let reason = "The host of the session has banned you from it.";
                self.show_out(PlayerId(player), CloseCode::Banned, reason);
            }
            HostAction::Mute { player, muted } => {
                self.somebody(player)?.muted = muted;
                self.tell_of(PlayerId(player));
            }
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

    fn somebody(&mut self, player: u16) -> Result<&mut Player<G::Input, O>, ActError> {
        self.players.with_id(PlayerId(player)).ok_or(ActError::NobodyThere)
    }

    /// Whether a world may be made for the host now, which then counts as done.
    fn take_world(&mut self) -> Result<(), ActError> {
        let pause = WORLD_SECONDS * u32::from(self.config.setup.tick_rate);
        if self.hosting.world_at.is_some_and(|at| self.tick.wrapping_sub(at) < pause) {
            let sentence = "One moment: a world takes time to make. Try again in a second.";
            return Err(ActError::Refused(sentence.into()));
        }
        self.hosting.world_at = Some(self.tick);
        Ok(())
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
        let player = self.players.with_id(id).ok_or(ActError::NobodyThere)?;
        let (plays, own) = (player.watching.is_none(), player.team);
        let teams = self.terms.setup.teams;
        if !plays || team == 0 || team > teams {
            let sentence = format!("Teams go from 1 to {teams}, and who watches is in none.");
            return Err(ActError::Refused(sentence));
        }
        if own != team {
            self.move_to_team(id, team);
        }
        Ok(())
    }

    fn show_out(&mut self, id: PlayerId, code: CloseCode, reason: &str) {
        let link = self.players.with_id(id).and_then(|player| player.link.as_ref());
        match link.map(|link| link.connection) {
            Some(connection) => self.expel(connection, code, reason, false),
            None => self.free(id),
        }
    }

    /// Makes somebody the host: the secret is theirs from now on, and nobody else's.
    pub(super) fn make_host(&mut self, id: PlayerId) {
        let last = self.hosting.player.replace(id);
        self.hosting.vacant_since = None;
        let Some(player) = self.players.with_id(id) else { return };
        let secret = player.host_secret;
        self.hosting.secret = Some(secret);
        if let Some(link) = &mut player.link {
            link.mailbox.push(super::talk::encode(&ServerMessage::Host { secret }));
        }
        for id in last.into_iter().chain([id]) {
            self.tell_of(id);
        }
    }

    /// The host has shown the secret on joining.
    pub(super) fn host_is_here(&mut self, id: PlayerId) {
        let last = self.hosting.player.replace(id);
        self.hosting.vacant_since = None;
        for id in last.into_iter().filter(|&last| last != id).chain([id]) {
            self.tell_of(id);
        }
    }

    /// Somebody has left for good. When it was the host, whoever has been here longest takes over; where nobody is who could
    /// be told, the secret stays the last host's, and whoever comes back to a seat first takes over.
    pub(super) fn take_over(&mut self, gone: PlayerId) {
        if self.hosting.player != Some(gone) {
            return;
        }
        self.hosting.player = None;
        self.hosting.vacant_since = Some(self.tick.wrapping_add(1));
        let present = self.players.iter().filter(|player| player.link.is_some());
        let longest = present.min_by_key(|p| (p.watching.is_some(), p.joined, p.id));
        if let Some(heir) = longest.map(|player| player.id) {
            self.make_host(heir);
        }
    }
}
