//! Who is there, as everybody is told: the whole list for who comes, and what is new of it for everybody else. A recording
//! gets a list of its own, of those who play and of nothing that passes between people.

use super::Session;
use super::door::Outbox;
use super::pilots::Pilots;
use super::players::Player;
use super::talk::encode;
use bytes::Bytes;
use shared::game::{Game, PlayerId};
use shared::wire::message::{RosterEntry, ServerMessage};

/// What is new of who is there, since it was told last.
#[derive(Debug, Default)]
pub(super) struct RosterNews {
    /// Who came, or is not what they were before.
    joined: Vec<RosterEntry>,
    left: Vec<PlayerId>,
    /// Who played and does not any more: they left, or they watch.
    plays_no_more: Vec<PlayerId>,
}

impl RosterNews {
    /// Somebody is there, or is not what they were before.
    pub(super) fn changed(&mut self, entry: RosterEntry) {
        self.joined.retain(|other| other.player != entry.player);
        self.joined.push(entry);
    }

    /// Somebody is there no more, who `played` until now or watched.
    pub(super) fn left(&mut self, player: PlayerId, played: bool) {
        self.joined.retain(|other| other.player != player);
        self.left.push(player);
        if played {
            self.plays_no_more(player);
        }
    }

    /// Somebody who played plays no more.
    pub(super) fn plays_no_more(&mut self, player: PlayerId) {
        self.plays_no_more.push(player);
    }

    /// What of it is recorded, if anything is; to be asked for before [`Self::take`].
    pub(super) fn recorded(&self) -> Option<Bytes> {
        let joined: Vec<_> = self.joined.iter().cloned().filter_map(as_recorded).collect();
        let left = self.plays_no_more.clone();
        let any = !joined.is_empty() || !left.is_empty();
        any.then(|| encode(&ServerMessage::Roster { everybody: false, joined, left }))
    }

    /// What everybody is told, if there is anything.
    pub(super) fn take(&mut self) -> Option<Bytes> {
        let Self { joined, left, plays_no_more } = self;
        plays_no_more.clear();
        if joined.is_empty() && left.is_empty() {
            return None;
        }
        let (joined, left) = (core::mem::take(joined), core::mem::take(left));
        Some(encode(&ServerMessage::Roster { everybody: false, joined, left }))
    }
}

impl<I, O> Player<I, O> {
    /// The player's line in the roster, while `host` is the host.
    pub(super) fn entry(&self, host: Option<PlayerId>) -> RosterEntry {
        RosterEntry {
            player: self.id,
            name: self.name.clone(),
            computer: false,
            team: self.team,
            watching: self.watching.is_some(),
            host: host == Some(self.id),
            muted: self.muted,
        }
    }
}

/// A computer pilot's line in the roster.
fn pilot((player, name, team): (PlayerId, &str, u8)) -> RosterEntry {
    let name = name.to_owned();
    let (watching, host, muted) = (false, false, false);
    RosterEntry { player, name, computer: true, team, watching, host, muted }
}

/// A line as a recording has it: who watches is nobody's business later, nor what a host did about whom.
fn as_recorded(entry: RosterEntry) -> Option<RosterEntry> {
    (!entry.watching).then_some(RosterEntry { host: false, muted: false, ..entry })
}

fn whole<G: Game>(people: impl Iterator<Item = RosterEntry>, pilots: &Pilots<G>) -> Bytes {
    let joined = people.chain(pilots.iter().map(pilot)).collect();
    encode(&ServerMessage::Roster { everybody: true, joined, left: Vec::new() })
}

impl<G: Game, O: Outbox> Session<G, O> {
    /// Everybody's names; who is away is there all the same.
    pub(super) fn whole_roster(&self) -> Bytes {
        whole(self.players.iter().map(|player| player.entry(self.hosting.player)), &self.pilots)
    }

    /// The same as a recording has it.
    pub(super) fn recorded_roster(&self) -> Bytes {
        let people = self.players.iter().map(|player| player.entry(None));
        whole(people.filter_map(as_recorded), &self.pilots)
    }

    /// Somebody is there, or is not what they were before.
    pub(super) fn tell_of(&mut self, id: PlayerId) {
        let host = self.hosting.player;
        let entry = match self.players.get(id) {
            Some(player) => Some(player.entry(host)),
            None => self.pilots.iter().find(|(pilot, ..)| *pilot == id).map(pilot),
        };
        entry.into_iter().for_each(|entry| self.talk.roster.changed(entry));
    }
}
