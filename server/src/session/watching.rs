//! Spectators: who watches, where they look, and when they may play. They have a seat of their own, a
//! number and a name like everybody, and no ship.

use super::door::{ConnectionId, Outbox};
use super::past::{LatePhase, Past, Shown};
use super::players::Watching;
use super::{Session, Terms, talk};
use shared::game::{Focus, Game, PlayerId, Tick};
use shared::wire::message::Look;
use shared::wire::{Kind, Role, Rows, Treatment};
use std::sync::Arc;

/// Between two changes of what somebody does, from playing to watching or from team to team, there are at
/// least so many seconds: each change is told to everybody and gives a fresh ship.
const CHANGE_SECONDS: u32 = 2;

/// What somebody is told who changes too often.
pub(super) const TOO_SOON: &str = "One moment: not so soon after the last change.";

impl<G: Game, O: Outbox> Session<G, O> {
    /// A spectator looks somewhere else.
    pub(super) fn look(&mut self, connection: ConnectionId, look: Look) {
        let Some(player) = self.players.at_mut(connection) else { return };
        player.activity.act(self.tick);
        if let Some(watching) = &mut player.watching {
            watching.look = look;
        }
    }

    /// Somebody wants to watch, or to play.
    pub(super) fn wants_to_watch(&mut self, connection: ConnectionId, watch: bool) {
        let Some(player) = self.players.at_mut(connection) else { return };
        player.activity.act(self.tick);
        if player.watching.is_some() == watch {
            return;
        }
        let id = player.id;
        let is_host = self.hosting.player == Some(id);
        if watch && self.players.watching() >= self.config.spectators_max {
            self.notice(id, "All places to watch are taken.");
        } else if !watch && !is_host && self.players.playing() >= self.config.players_max {
            self.notice(id, "All seats are taken.");
        } else if !self.may_change(id) {
            self.notice(id, TOO_SOON);
        } else {
            self.watch(id, watch, true);
        }
    }

    /// Somebody watches from now on, or plays, as they `wanted` or not.
    pub(super) fn watch(&mut self, id: PlayerId, watch: bool, wanted: bool) {
        let watching = watch.then(|| self.stop_playing(id, wanted));
        self.set_watching(id, watching);
        self.tell_of(id);
        self.show_world(id);
        // It is another world's; of the same one they know.
        if self.past.is_some() {
            self.tell_results(id);
        }
    }

    /// Whether it is long enough since somebody changed what they do; if so this is another change.
    pub(super) fn may_change(&mut self, id: PlayerId) -> bool {
        let (now, pause) = (self.tick, self.config.ticks(CHANGE_SECONDS));
        self.players.get_mut(id).is_some_and(|player| player.changed.take(now, pause))
    }

    /// The player of a new seat, or of one that becomes another: watches or plays from now on.
    pub(super) fn set_watching(&mut self, id: PlayerId, watching: Option<Watching>) {
        let watch = watching.is_some();
        let team = if watch { 0 } else { self.smallest_team() };
        let player = self.players.get_mut(id).expect("somebody has this number");
        player.team = team;
        player.watching = watching;
        if !watch {
            self.game.join(&self.terms.rules, id, team);
        }
    }

    /// Begins or ends keeping the past, as the settings have it, with a new world. What is kept goes on into it; where
    /// it is to be seen with another delay, whoever watches sees the end of the last one first.
    pub(super) fn past_begins(&mut self) {
        let (delay, terms) = (self.config.delay_ticks(), Arc::clone(&self.terms));
        if let Some(past) = &mut self.past {
            past.begins(delay, terms);
        } else if delay > 0 {
            self.past = Some(Past::new(delay, terms));
            self.show_all_watchers();
        }
    }

    /// Spectators see another world than before.
    fn show_all_watchers(&mut self) {
        let those = self.players.iter().filter(|player| player.watching.is_some());
        let those: Vec<_> = those.map(|player| player.id).collect();
        for id in those {
            self.show_world(id);
            self.tell_results(id);
        }
    }

    /// The past goes on by a tick, in which everybody was `ranked` or not; gives what those who see it are told
    /// with it, and `None` where nothing is delayed.
    pub(super) fn show_the_past(&mut self, ranked: bool) -> Option<Shown> {
        if let Some(past) = self.past.take_if(|past| past.is_over()) {
            self.past = past.next();
            self.show_all_watchers();
        }
        let Some(past) = &mut self.past else {
            self.talk.forget_the_past();
            return None;
        };
        let told = self.talk.take_told_later(ranked);
        let shown = past.advance(&mut self.world, &mut self.frames, told, self.lacking);
        if shown.begins {
            for player in self.players.iter_mut().filter(|player| player.watching.is_some()) {
                player.link.iter_mut().for_each(|link| link.begin());
            }
        }
        Some(shown)
    }

    /// Setup and rules of the world that somebody sees, and by how many ticks it is late.
    pub(super) fn shown_to(&self, id: PlayerId) -> (Arc<Terms<G>>, Tick) {
        let watches = self.players.get(id).is_some_and(|player| player.watching.is_some());
        match &self.past {
            Some(past) if watches => (Arc::clone(&past.terms), past.delay()),
            _ => (Arc::clone(&self.terms), 0),
        }
    }

    /// Where the rounds are in the world that somebody sees, and how the last one ended while that is shown.
    pub(super) fn phase_shown_to(&self, id: PlayerId) -> LatePhase {
        let (_, later) = self.shown_to(id);
        if later > 0 {
            let seen = self.past.as_ref().and_then(|past| past.phase.clone());
            let phase = || talk::encode(&self.rounds.told(later));
            return seen.unwrap_or_else(|| LatePhase { phase: phase(), results: None });
        }
        let finished = self.finished.as_ref().filter(|_| self.rounds.is_still());
        let results = finished.map(|finished| finished.told_to(id));
        LatePhase { phase: talk::encode(&self.rounds.told(0)), results }
    }

    /// Tells somebody how the round ended, while that is shown to them.
    pub(super) fn tell_results(&mut self, id: PlayerId) {
        let results = self.phase_shown_to(id).results;
        let link = self.players.link_of(id);
        if let Some((link, results)) = link.zip(results) {
            link.mailbox.push(results);
        }
    }

    /// Who leads in the world that spectators see.
    pub(super) fn leader_shown(&self) -> Option<PlayerId> {
        self.past.as_ref().map_or(self.talk.leader(), |past| past.standings.leader)
    }

    /// Shows somebody their world from its beginning.
    pub(super) fn show_world(&mut self, id: PlayerId) {
        let (terms, _) = self.shown_to(id);
        let phase = self.phase_shown_to(id).phase;
        if let Some(link) = self.players.link_of(id) {
            link.mailbox.push(talk::begin(&terms.setup));
            link.mailbox.push(phase);
            link.begin();
        }
    }

    /// Gives what they watch first, from where they were.
    fn stop_playing(&mut self, id: PlayerId, wanted: bool) -> Watching {
        let Focus { x, y, .. } = self.game.view(id);
        self.leave_game(id, wanted);
        self.talk.roster.plays_no_more(id);
        Watching { look: Look::Leader, at: (x, y) }
    }
}

/// Where everybody is who steers something, by their numbers: made once a tick for all spectators, and once a second for
/// all who are told of others.
#[derive(Debug, Default)]
pub(super) struct Places(Vec<(PlayerId, (f32, f32))>);

impl Places {
    /// Looks at the rows that spectators are shown.
    pub(super) fn look(&mut self, kinds: &[Kind], rows: &Rows) {
        self.0.clear();
        let steered = |kind: &Kind| matches!(kind.treatment, Treatment::Steered { .. });
        for (kind, table) in kinds.iter().zip(rows.tables()).filter(|(kind, _)| steered(kind)) {
            let fields =
                (kind.field_with(Role::Owner), kind.field_with(Role::X), kind.field_with(Role::Y));
            let (Some(owner), Some(x), Some(y)) = fields else { continue };
            let units = |field: usize, row: &[i32]| kind.fields[field].to_units(row[field]);
            let place = |row: &[i32]| (PlayerId(row[owner] as u16), (units(x, row), units(y, row)));
            self.0.extend(table.iter().map(|(_, row)| place(row)));
        }
        self.0.sort_unstable_by_key(|(player, _)| *player);
    }

    /// Where somebody is, in the game's units; `None` for who steers nothing now.
    pub(super) fn of(&self, player: PlayerId) -> Option<(f32, f32)> {
        let found = self.0.binary_search_by_key(&player, |(player, _)| *player);
        found.ok().map(|index| self.0[index].1)
    }
}

/// What a spectator sees: the place where they look, or whom they follow, or where that one was last. `size`
/// is how much anybody sees.
pub(super) fn focus(
    watching: &mut Watching,
    leader: Option<PlayerId>,
    places: &Places,
    size: Focus,
) -> Focus {
    let followed = match watching.look {
        Look::Leader => leader.and_then(|leader| places.of(leader)),
        Look::Player(player) => places.of(player),
        Look::Place { x, y } => Some((x as f32, y as f32)),
    };
    if let Some(at) = followed {
        watching.at = at;
    }
    let (x, y) = watching.at;
    Focus { x, y, ..size }
}
