//! What a guest was told, looked up: the newest of each kind, and who is there.

use crate::guest::Guest;
use shared::game::{Game, PlayerId, Setup, Tick};
use shared::netcode::client::News;
use shared::wire::HostSecret;
use shared::wire::message::{self, Phase, ResultLine, RosterEntry, ServerMessage};
use std::collections::BTreeMap;

/// Whether a message answers the ping with this nonce, however long that waited.
pub fn is_pong(message: &[u8], nonce: u32) -> bool {
    let Some((&message::TYPE, body)) = message.split_first() else { return false };
    let said = message::decode(body);
    matches!(said, Ok(ServerMessage::Pong { nonce: of, .. }) if of == nonce)
}

impl<G: Game> Guest<G> {
    /// What the server said, but for events.
    pub fn said_to(&self) -> impl Iterator<Item = &ServerMessage> {
        self.news.iter().filter_map(|news| match news {
            News::Said(said) => Some(said),
            News::Event { .. } => None,
        })
    }

    /// Who is there, as this guest has it.
    pub fn roster(&self) -> BTreeMap<PlayerId, RosterEntry> {
        let mut all = BTreeMap::new();
        for said in self.said_to() {
            let ServerMessage::Roster { everybody, joined, left } = said else { continue };
            if *everybody {
                all.clear();
            }
            left.iter().for_each(|id| drop(all.remove(id)));
            all.extend(joined.iter().map(|entry| (entry.player, entry.clone())));
        }
        all
    }

    /// The guest's own line in it.
    pub fn entry(&self) -> RosterEntry {
        let me = self.client.me().expect("let in");
        self.roster().remove(&me).expect("everybody is in the roster")
    }

    /// The setups of all worlds that it was let into, in turn.
    pub fn setups(&self) -> Vec<Setup<G::Settings>> {
        let told = self.said_to().filter_map(|said| match said {
            ServerMessage::Welcome { setup, .. } | ServerMessage::Begin { setup } => Some(setup),
            _ => None,
        });
        told.map(|setup| message::decode(setup).expect("a setup")).collect()
    }

    /// All phases that were told: which, of which round, until when.
    pub fn phases(&self) -> Vec<(Phase, u32, Option<Tick>)> {
        let told = self.said_to().filter_map(|said| match said {
            ServerMessage::Phase { phase, round, ends } => Some((*phase, *round, *ends)),
            _ => None,
        });
        told.collect()
    }

    /// All results that were told: teams' points and lines.
    pub fn results(&self) -> Vec<(Vec<i32>, Vec<ResultLine>)> {
        let told = self.said_to().filter_map(|said| match said {
            ServerMessage::Results { teams, lines, .. } => Some((teams.clone(), lines.clone())),
            _ => None,
        });
        told.collect()
    }

    /// The lines of chat, and who said each.
    pub fn lines(&self) -> Vec<(Option<PlayerId>, String)> {
        let told = self.said_to().filter_map(|said| match said {
            ServerMessage::Chat { from, text, .. } => Some((*from, text.clone())),
            _ => None,
        });
        told.collect()
    }

    /// The secret of the session's host, if this guest was given it.
    pub fn host_secret(&self) -> Option<HostSecret> {
        let told = self.said_to().filter_map(|said| match said {
            ServerMessage::Host { secret } => Some(*secret),
            _ => None,
        });
        told.last()
    }
}
