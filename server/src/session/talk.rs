//! What players are told beside frames: who is there, how they stand, what is said and what happened.
//! Encoded once and shared by everybody who gets it. What happened in the world, and how everybody stands in it,
//! reaches spectators as late as the world itself does; who is there and what is said does not wait.

use super::SessionConfig;
use super::allowance::Taken;
use super::chunk::Chunk;
use super::door::Outbox;
use super::past::{LatePhase, LateStandings, Shown, ToldLater};
use super::players::{Player, Players};
use super::roster::RosterNews;
use super::rounds::Rounds;
use super::standings::Standings;
use bytes::Bytes;
use serde::Serialize;
use shared::game::{Audience, Game, PlayerId, Setup, Tick};
use shared::wire::Row;
use shared::wire::message::{self, HISTORY_MAX, ServerMessage};
use std::collections::VecDeque;

/// Seconds between two standings on a slow line; else it is one.
const STANDINGS_SECONDS_EASED: u32 = 4;

/// Events a second that everybody is told of though they mainly concern two, in the long run: more than the kill feed
/// shows. Of further ones only the two are told, so that what a session says grows with its players and not with their
/// square.
const EVENTS_PER_SECOND: u32 = 4;
/// How many of them there may be at once.
const EVENTS_AT_ONCE: u32 = 12;

/// Events of which everybody is told at once, where that is the game's wish, and how many more in each tick. The rest is
/// told to nobody: a mailbox holds 256 messages, for the eight ticks of a slow line's message and for lines that pause.
const EVENTS_FOR_ALL_AT_ONCE: u32 = 64;
const EVENTS_FOR_ALL_PER_TICK: u32 = 8;

/// What becomes of a line or a sign.
pub(super) enum ChatVerdict {
    /// It is heard.
    Heard,
    /// Swallowed; the player was told why.
    Warned,
    /// Far too much.
    Flooding,
}

/// Messages on their way into mailboxes.
pub(super) struct Talk {
    rate: u32,
    pub(super) roster: RosterNews,
    /// What the session is now, if it was something else before; told once, however often it changed.
    about: Option<Bytes>,
    for_everybody: Vec<Bytes>,
    for_team: Vec<(u8, Bytes)>,
    /// What happened in the world, as players are told and as spectators are told later.
    of_the_world: Vec<Bytes>,
    later: ToldLater,
    /// What happened to two of many, and only they are told.
    for_two: Vec<([PlayerId; 2], Bytes)>,
    /// What one player is told after what everybody is.
    for_one: Vec<(PlayerId, Bytes)>,
    /// How many more events everybody may be told of that mainly concern two, in ticks' worth of them.
    leisure: u32,
    /// How many more events there may be now of which everybody is told by the game's wish.
    events_for_all: u32,
    /// Whether there ever were more events than can be told of.
    was_flooded: bool,
    standings: Standings,
    /// What small messages are cut from, and where they are written first.
    chunk: Chunk,
    bytes: Vec<u8>,
    event: Vec<u8>,
    /// Whether the standings are those of a world that is gone.
    outdated: bool,
    history: VecDeque<(String, String)>,
    /// What is recorded of it; `None` while nothing is.
    recorded: Option<Vec<Bytes>>,
}

impl Talk {
    pub(super) fn new(tick_rate: u16) -> Self {
        Self {
            rate: u32::from(tick_rate),
            roster: RosterNews::default(),
            about: None,
            for_everybody: Vec::new(),
            for_team: Vec::new(),
            of_the_world: Vec::new(),
            later: ToldLater::default(),
            for_two: Vec::new(),
            for_one: Vec::new(),
            leisure: EVENTS_AT_ONCE * u32::from(tick_rate),
            events_for_all: EVENTS_FOR_ALL_AT_ONCE,
            was_flooded: false,
            standings: Standings::new(),
            chunk: Chunk::default(),
            bytes: Vec::new(),
            event: Vec::new(),
            outdated: false,
            history: VecDeque::new(),
            recorded: None,
        }
    }

    /// Something happened; see [`Game::audience`].
    pub(super) fn event<G: Game>(&mut self, tick: Tick, event: &G::Event) {
        let mut bytes = core::mem::take(&mut self.event);
        bytes.clear();
        message::put(&mut bytes, event);
        let told = ServerMessage::Event { tick, event: bytes };
        self.bytes.clear();
        message::put_control(&mut self.bytes, &told);
        // Back again, with its memory.
        if let ServerMessage::Event { event, .. } = told {
            self.event = event;
        }
        let message = self.chunk.cut(&self.bytes);
        match G::audience(event) {
            Audience::Mainly(two) if self.leisure < self.rate => self.for_two.push((two, message)),
            Audience::Mainly(_) => {
                self.leisure -= self.rate;
                self.of_the_world(message);
            }
            Audience::Everybody if self.events_for_all == 0 => self.flooded("everybody"),
            Audience::Everybody => {
                self.events_for_all -= 1;
                self.of_the_world(message);
            }
        }
    }

    /// Says once in a session that the game has more events than it can tell of.
    fn flooded(&mut self, audience: &str) {
        if !core::mem::replace(&mut self.was_flooded, true) {
            tracing::warn!("too many events for {audience}: some are told to nobody");
        }
    }

    /// Something that one player is told after what everybody is.
    pub(super) fn for_one(&mut self, player: PlayerId, message: Bytes) {
        self.for_one.push((player, message));
    }

    /// Something that happened in the world.
    pub(super) fn of_the_world(&mut self, message: Bytes) {
        self.of_the_world_and_later(message.clone(), message);
    }

    /// The same, where those who see the world later are told something else.
    fn of_the_world_and_later(&mut self, message: Bytes, later: Bytes) {
        self.later.messages.push(later);
        self.recorded.iter_mut().for_each(|recorded| recorded.push(message.clone()));
        self.of_the_world.push(message);
    }

    /// Whether what happens from now on is recorded.
    pub(super) fn record(&mut self, records: bool) {
        self.recorded = records.then(Vec::new);
    }

    /// What was to be recorded since the last call.
    pub(super) fn take_recorded(&mut self) -> Vec<Bytes> {
        self.recorded.as_mut().map(core::mem::take).unwrap_or_default()
    }

    /// How a player stands, as they are told.
    pub(super) fn standings_of(&mut self, player: PlayerId) -> &[u8] {
        self.standings.of(player)
    }

    /// A phase begins, for spectators `later` ticks later.
    pub(super) fn phase(&mut self, rounds: &Rounds, later: Tick) {
        let phase = encode(&rounds.told(later));
        self.later.phase = Some(LatePhase { phase: phase.clone(), results: None });
        self.of_the_world_and_later(encode(&rounds.told(0)), phase);
    }

    /// The round has ended like this, and the phase in which that is shown has begun.
    pub(super) fn results(&mut self, message: Bytes) {
        self.later.phase.iter_mut().for_each(|phase| phase.results = Some(message.clone()));
        self.of_the_world(message);
    }

    /// The world begins anew, and everybody is told at once how they stand in it.
    pub(super) fn begin<S: Serialize>(&mut self, setup: &Setup<S>) {
        self.outdated = true;
        self.of_the_world(begin(setup));
    }

    /// The session is called otherwise, or is open to others than before.
    pub(super) fn about<S>(&mut self, config: &SessionConfig<S>, locked: bool) {
        self.about = Some(about(config, locked));
    }

    /// What happened in the world, for those who see it later; with how everybody stands, if they were just `ranked`.
    pub(super) fn take_told_later(&mut self, ranked: bool) -> ToldLater {
        if ranked {
            let message = Bytes::copy_from_slice(self.standings.of(PlayerId::NOBODY));
            self.later.standings = Some(LateStandings { message, leader: self.leader() });
        }
        core::mem::take(&mut self.later)
    }

    /// Nobody sees it later.
    pub(super) fn forget_the_past(&mut self) {
        self.later.messages.clear();
        self.later.phase = None;
    }

    /// Whoever leads.
    pub(super) fn leader(&self) -> Option<PlayerId> {
        self.standings.leader()
    }

    /// Whether a player may say one more thing.
    fn allow<I: Row, O: Outbox>(&self, player: &mut Player<I, O>, tick: Tick) -> ChatVerdict {
        let muted = player.muted;
        let first = match player.chat.take(tick, self.rate, muted) {
            Taken::Granted => return ChatVerdict::Heard,
            Taken::TooMuch => return ChatVerdict::Flooding,
            Taken::Swallowed { first } => first,
        };
        if let (true, Some(link)) = (first, &mut player.link) {
            let muted_text = "The host has muted you: nobody hears that.";
            let text = if muted { muted_text } else { "Slow down: nobody heard that." };
            link.mailbox.push(notice(text));
        }
        ChatVerdict::Warned
    }

    pub(super) fn chat<I: Row, O: Outbox>(
        &mut self,
        player: &mut Player<I, O>,
        tick: Tick,
        to_team: bool,
        text: &str,
    ) -> ChatVerdict {
        let verdict = self.allow(player, tick);
        if matches!(verdict, ChatVerdict::Heard) {
            let team = to_team && player.team > 0;
            let from = Some(player.id);
            let line = encode(&ServerMessage::Chat { from, team, text: text.to_owned() });
            if team {
                self.for_team.push((player.team, line));
            } else {
                self.for_everybody.push(line);
                if self.history.len() == HISTORY_MAX {
                    self.history.pop_front();
                }
                self.history.push_back((player.name.clone(), text.to_owned()));
            }
        }
        verdict
    }

    pub(super) fn emote<I: Row, O: Outbox>(
        &mut self,
        player: &mut Player<I, O>,
        tick: Tick,
        emote: u8,
    ) -> ChatVerdict {
        let verdict = self.allow(player, tick);
        if matches!(verdict, ChatVerdict::Heard) {
            self.for_everybody.push(encode(&ServerMessage::Emote { from: player.id, emote }));
        }
        verdict
    }

    /// Ranks everybody who plays.
    pub(super) fn rank(
        &mut self,
        everybody: impl Iterator<Item = (i32, PlayerId)>,
        teams: Vec<i32>,
    ) {
        self.standings.rank(everybody, teams);
    }

    /// Whether it is time to rank.
    pub(super) fn is_ranking_due(&self, tick: Tick) -> bool {
        self.outdated || tick.is_multiple_of(self.rate)
    }

    /// Fills the mailboxes with what came up since the last tick, and with standings once a second. Those
    /// who see the past get `late` in place of what happened in the world and of how everybody stands. True when
    /// somebody missed messages and has to be told everything anew.
    pub(super) fn deliver<I: Row, O: Outbox>(
        &mut self,
        tick: Tick,
        players: &mut Players<I, O>,
        late: Option<&Shown>,
    ) -> bool {
        if let Some(recorded) = &mut self.recorded {
            recorded.extend(self.roster.recorded());
        }
        self.for_everybody.extend(self.roster.take());
        self.for_everybody.extend(self.about.take());
        let most = EVENTS_AT_ONCE * self.rate;
        self.leisure = (self.leisure + EVENTS_PER_SECOND).min(most);
        self.events_for_all =
            (self.events_for_all + EVENTS_FOR_ALL_PER_TICK).min(EVENTS_FOR_ALL_AT_ONCE);
        self.tell_what_happened(players, late);
        let mut gaps = false;
        for player in players.iter_mut() {
            let Some(link) = &mut player.link else { continue };
            let late = late.filter(|_| player.watching.is_some());
            let team = self.for_team.iter().filter(|(team, _)| *team == player.team);
            let all = self.for_everybody.iter().chain(team.map(|(_, line)| line));
            all.for_each(|message| link.mailbox.push(message.clone()));
            // Everybody has a turn of their own within the second, so that no tick sends to all.
            let eased = link.flow.ease().ticks_per_message() > 1;
            let pause = self.rate * if eased { STANDINGS_SECONDS_EASED } else { 1 };
            let anew = late.map_or(self.outdated, |late| late.begins);
            if anew || (tick + u32::from(player.id.0)).is_multiple_of(pause) {
                let standings = match late {
                    Some(late) => &late.standings[..],
                    None => self.standings.of(player.id),
                };
                if !standings.is_empty() && link.standings != standings {
                    link.standings.clear();
                    link.standings.extend_from_slice(standings);
                    link.mailbox.push(self.chunk.cut(standings));
                }
            }
            gaps |= link.mailbox.has_forgotten();
        }
        self.for_everybody.clear();
        self.for_team.clear();
        self.outdated = false;
        gaps
    }

    /// First of all, before the roster: whoever lost a ship by leaving is still known by name.
    fn tell_what_happened<I: Row, O: Outbox>(
        &mut self,
        players: &mut Players<I, O>,
        late: Option<&Shown>,
    ) {
        if late.is_some() || !self.of_the_world.is_empty() {
            for player in players.iter_mut() {
                let Some(link) = &mut player.link else { continue };
                let late = late.filter(|_| player.watching.is_some());
                let world = late.map_or(&self.of_the_world, |late| &late.told);
                world.iter().for_each(|message| link.mailbox.push(message.clone()));
            }
            self.of_the_world.clear();
        }
        let mut all_fit = true;
        for (two, message) in self.for_two.drain(..) {
            // One player may be both.
            let [a, b] = two;
            for id in [Some(a), (a != b).then_some(b)].into_iter().flatten() {
                if let Some(link) = players.link_of(id) {
                    all_fit &= link.mailbox.push_event(&message);
                }
            }
        }
        if !all_fit {
            self.flooded("one player");
        }
        // After what everybody was told, as it may be more of that.
        for (player, message) in self.for_one.drain(..) {
            if let Some(link) = players.link_of(player) {
                link.mailbox.push(message);
            }
        }
    }

    /// What was said lately, if anything was.
    pub(super) fn history(&self) -> Option<Bytes> {
        let lines = self.history.iter().cloned().collect();
        (!self.history.is_empty()).then(|| encode(&ServerMessage::History { lines }))
    }
}

/// What a session is called and whether it is open.
pub(super) fn about<S>(config: &SessionConfig<S>, locked: bool) -> Bytes {
    encode(&ServerMessage::About {
        name: config.name.clone(),
        public: config.public,
        locked,
        switch_teams: config.switch_teams,
        delay_s: config.spectator_delay_s as u8,
    })
}

/// The world begins anew with this setup.
pub(super) fn begin<S: Serialize>(setup: &Setup<S>) -> Bytes {
    encode(&ServerMessage::Begin { setup: message::encode(setup) })
}

/// A line of the server's own.
pub(super) fn notice(text: &str) -> Bytes {
    encode(&ServerMessage::Chat { from: None, team: false, text: text.to_owned() })
}

/// A whole message.
pub(super) fn encode(message: &ServerMessage) -> Bytes {
    message::encode_control(message).into()
}

#[cfg(test)]
mod tests {
    use super::super::door::{ConnectionId, Newcomer};
    use super::super::players::Link;
    use super::*;
    use shared::arena::{Arena, ArenaEvent, Controls};
    use shared::wire::{HostSecret, SeatToken, Visitor};

    struct Nowhere;

    impl Outbox for Nowhere {
        fn has_room(&self) -> bool {
            false
        }

        fn push<'a>(&mut self, _: impl Iterator<Item = &'a [u8]>) -> bool {
            false
        }

        fn waiting(&self) -> usize {
            0
        }

        fn close(&mut self, _: shared::wire::close::CloseCode, _: &str) {}
    }

    #[test]
    fn everybody_is_told_of_what_can_be_read_and_two_of_everything() {
        let mut talk = Talk::new(30);
        let mut nobody = Players::<Controls, Nowhere>::new();
        let (mut all, mut two) = (Vec::new(), 0);
        for tick in 0..90 {
            for _ in 0..10 {
                let kill =
                    ArenaEvent::Kill { killer: Some(PlayerId(1)), victim: PlayerId(2), streak: 1 };
                talk.event::<Arena>(tick, &kill);
            }
            all.push(talk.of_the_world.len() as u32);
            two += talk.for_two.len();
            assert!(talk.for_two.iter().all(|(who, _)| *who == [PlayerId(2), PlayerId(1)]));
            talk.deliver(tick, &mut nobody, None);
        }
        let told: u32 = all.iter().sum();
        assert_eq!(two, 900 - told as usize);
        assert_eq!(all[0] + all[1], EVENTS_AT_ONCE);
        // Three seconds, less the tick before the first.
        assert_eq!(told, EVENTS_AT_ONCE + EVENTS_PER_SECOND * 3 - 1);
    }

    /// Somebody who has come.
    fn newcomer(players: &mut Players<Controls, Nowhere>) -> PlayerId {
        let id = players.free_id(|_| false);
        let who = Newcomer {
            connection: ConnectionId(1),
            network: None,
            address: None,
            name: String::from("Ada"),
            seat: None,
            visitor: Visitor::default(),
            host: None,
            watch: false,
            fresh: SeatToken([0; 16]),
            fresh_host: HostSecret([0; 16]),
            outbox: Nowhere,
        };
        players.insert(id, &who, 1);
        let link = Link::new(ConnectionId(1), Nowhere, 1);
        players.link(id, (None, SeatToken([0; 16])), (None, None), link, 1);
        id
    }

    #[test]
    fn what_happens_to_one_player_a_hundred_times_a_tick_crowds_nothing_out() {
        let mut talk = Talk::new(30);
        let mut players = Players::<Controls, Nowhere>::new();
        let killer = newcomer(&mut players);
        let kill = ArenaEvent::Kill { killer: Some(killer), victim: PlayerId(7), streak: 1 };
        for tick in 0..10 {
            (0..100).for_each(|_| talk.event::<Arena>(tick, &kill));
            let line = notice(&format!("{tick}"));
            talk.for_one(killer, line);
            assert!(!talk.deliver(tick, &mut players, None), "all was forgotten in tick {tick}");
        }
        let mailbox = &players.link_of(killer).expect("here").mailbox;
        let said: Vec<ServerMessage> =
            mailbox.messages().map(|m| message::decode(&m[1..]).expect("a message")).collect();
        let events = said.iter().filter(|m| matches!(m, ServerMessage::Event { .. })).count();
        let lines = said.iter().filter(|m| matches!(m, ServerMessage::Chat { .. })).count();
        assert_eq!(lines, 10);
        assert!((100..200).contains(&events), "{events} events");
    }

    #[test]
    fn whoever_fled_is_known_by_name_when_it_is_told_who_shot_them() {
        let mut talk = Talk::new(30);
        let mut players = Players::<Controls, Nowhere>::new();
        let killer = newcomer(&mut players);
        let victim = PlayerId(7);
        let kill = ArenaEvent::Kill { killer: Some(killer), victim, streak: 1 };
        // The last of these is too many for everybody to be told.
        for _ in 0..=EVENTS_AT_ONCE {
            talk.event::<Arena>(1, &kill);
        }
        assert_eq!(talk.for_two.len(), 1);
        talk.roster.left(victim, true);
        talk.deliver(1, &mut players, None);
        let mailbox = &players.link_of(killer).expect("here").mailbox;
        let told: Vec<ServerMessage> =
            mailbox.messages().map(|m| message::decode(&m[1..]).expect("a message")).collect();
        let (last, events) = told.split_last().expect("something is told");
        assert!(
            matches!(last, ServerMessage::Roster { left, .. } if *left == [victim]),
            "{last:?}"
        );
        assert_eq!(events.len() as u32, EVENTS_AT_ONCE + 1);
        assert!(events.iter().all(|m| matches!(m, ServerMessage::Event { .. })), "{told:?}");
    }
}
