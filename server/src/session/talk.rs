//! What players are told beside frames: who is there, how they stand, what is said and what happened.
//! Encoded once and shared by everybody who gets it.

use super::door::Outbox;
use super::pilots::Pilots;
use super::players::{Link, Player, Players};
use bytes::Bytes;
use serde::Serialize;
use shared::game::{Game, PlayerId, Setup, Tick};
use shared::wire::Row;
use shared::wire::message::{self, RosterEntry, STANDINGS_MAX, ServerMessage};

/// Lines of chat that a player may say at once; more come back with time.
const CHAT_LINES_BURST: u32 = 5;
/// Seconds until one more line is allowed.
const CHAT_SECONDS_PER_LINE: u32 = 2;
/// Lines beyond the allowance that are swallowed with a warning; the next one ends the connection.
const CHAT_LINES_SWALLOWED_MAX: u32 = 10;

/// Seconds between two standings on a slow line; else it is one.
const STANDINGS_SECONDS_EASED: u32 = 4;

/// How much a player may still say.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ChatAllowance {
    said: u32,
    swallowed: u32,
    since: Tick,
}

/// What became of a line.
pub(super) enum ChatVerdict {
    /// Everybody hears it.
    Said,
    /// Swallowed; the player was told why.
    Warned,
    /// Far too much.
    Flooding,
}

/// Messages on their way into mailboxes.
pub(super) struct Talk {
    rate: u32,
    joined: Vec<RosterEntry>,
    left: Vec<PlayerId>,
    for_everybody: Vec<Bytes>,
    ranking: Vec<(i32, PlayerId)>,
}

impl Talk {
    pub(super) fn new(tick_rate: u16) -> Self {
        Self {
            rate: u32::from(tick_rate),
            joined: Vec::new(),
            left: Vec::new(),
            for_everybody: Vec::new(),
            ranking: Vec::new(),
        }
    }

    pub(super) fn joined(&mut self, player: PlayerId, name: &str, computer: bool) {
        self.joined.push(entry(player, name, computer));
    }

    pub(super) fn left(&mut self, player: PlayerId) {
        self.left.push(player);
    }

    pub(super) fn event<E: Serialize>(&mut self, tick: Tick, event: &E) {
        let event = message::encode(event);
        self.for_everybody.push(encode(&ServerMessage::Event { tick, event }));
    }

    pub(super) fn chat<I: Row, O: Outbox>(
        &mut self,
        player: &mut Player<I, O>,
        tick: Tick,
        text: &str,
    ) -> ChatVerdict {
        let allowance = &mut player.chat;
        let earned = tick.wrapping_sub(allowance.since) / (CHAT_SECONDS_PER_LINE * self.rate);
        if earned > 0 {
            allowance.said = allowance.said.saturating_sub(earned);
            allowance.since = tick;
            allowance.swallowed = 0;
        }
        if allowance.said < CHAT_LINES_BURST {
            allowance.said += 1;
            let from = Some(player.id);
            self.for_everybody.push(encode(&ServerMessage::Chat {
                from,
                team: false,
                text: text.to_owned(),
            }));
            return ChatVerdict::Said;
        }
        allowance.swallowed += 1;
        if allowance.swallowed > CHAT_LINES_SWALLOWED_MAX {
            return ChatVerdict::Flooding;
        }
        if let (1, Some(link)) = (allowance.swallowed, &mut player.link) {
            link.mailbox.push(notice("Slow down: nobody heard that."));
        }
        ChatVerdict::Warned
    }

    /// Fills the mailboxes with what came up since the last tick, and with standings once a second.
    pub(super) fn deliver<G: Game, O: Outbox>(
        &mut self,
        tick: Tick,
        players: &mut Players<G::Input, O>,
        pilots: &Pilots<G>,
        score: impl Fn(PlayerId) -> i32,
    ) {
        if !self.joined.is_empty() || !self.left.is_empty() {
            self.for_everybody.push(encode(&ServerMessage::Roster {
                everybody: false,
                joined: core::mem::take(&mut self.joined),
                left: core::mem::take(&mut self.left),
            }));
        }
        if tick.is_multiple_of(self.rate) {
            let ids = players.iter().map(|p| p.id).chain(pilots.ids());
            self.ranking.clear();
            self.ranking.extend(ids.map(|id| (score(id), id)));
            self.ranking.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        }
        let mut gaps = false;
        for player in players.iter_mut() {
            let Some(link) = &mut player.link else { continue };
            for message in &self.for_everybody {
                link.mailbox.push(message.clone());
            }
            // Everybody has a turn of their own within the second, so that no tick sends to all.
            let eased = link.flow.ease().ticks_per_message() > 1;
            let pause = self.rate * if eased { STANDINGS_SECONDS_EASED } else { 1 };
            if (tick + u32::from(player.id.0)).is_multiple_of(pause) {
                self.standings(player.id, link);
            }
            gaps |= link.mailbox.has_forgotten();
        }
        self.for_everybody.clear();
        if gaps {
            summarise(players, pilots);
        }
    }

    fn standings<O: Outbox>(&self, player: PlayerId, link: &mut Link<O>) {
        let Some(place) = self.ranking.iter().position(|&(_, id)| id == player) else { return };
        let best = self.ranking.iter().take(STANDINGS_MAX).map(|&(score, id)| (id, score));
        let message = encode(&ServerMessage::Standings {
            best: best.collect(),
            rank: (place + 1) as u16,
            score: self.ranking[place].0,
            players: self.ranking.len() as u16,
            teams: Vec::new(),
        });
        if link.standings != message {
            link.standings = message.clone();
            link.mailbox.push(message);
        }
    }
}

/// Tells a player at a new connection what comes first: who they are, what the session is, who is there.
pub(super) fn welcome<I: Row, O: Outbox, S: Serialize>(
    player: &mut Player<I, O>,
    tick: Tick,
    setup: &Setup<S>,
    roster: Bytes,
) {
    let Some(link) = &mut player.link else { return };
    link.mailbox.push(encode(&ServerMessage::Welcome {
        player: player.id,
        name: player.name.clone(),
        tick,
        setup: message::encode(setup),
        seat: player.seat,
    }));
    link.mailbox.push(roster);
}

/// Those who missed messages get everybody's names anew and are told how much they missed.
fn summarise<G: Game, O: Outbox>(players: &mut Players<G::Input, O>, pilots: &Pilots<G>) {
    let roster = whole_roster(players, pilots);
    for link in players.iter_mut().filter_map(|player| player.link.as_mut()) {
        let forgotten = link.mailbox.take_forgotten();
        if forgotten > 0 {
            link.mailbox.push(roster.clone());
            link.mailbox
                .push(notice(&format!("Your line was slow: {forgotten} messages are lost.")));
        }
    }
}

/// Everybody's names; who is away is there all the same.
pub(super) fn whole_roster<G: Game, O: Outbox>(
    players: &Players<G::Input, O>,
    pilots: &Pilots<G>,
) -> Bytes {
    let people = players.iter().map(|p| (p.id, p.name.as_str(), false));
    let computers = pilots.iter().map(|(id, name)| (id, name, true));
    let joined = people.chain(computers).map(|(p, n, c)| entry(p, n, c)).collect();
    encode(&ServerMessage::Roster { everybody: true, joined, left: Vec::new() })
}

fn notice(text: &str) -> Bytes {
    encode(&ServerMessage::Chat { from: None, team: false, text: text.to_owned() })
}

fn encode(message: &ServerMessage) -> Bytes {
    message::encode_control(message).into()
}

fn entry(player: PlayerId, name: &str, computer: bool) -> RosterEntry {
    RosterEntry {
        player,
        name: name.to_owned(),
        computer,
        team: 0,
        watching: false,
        host: false,
        muted: false,
    }
}
