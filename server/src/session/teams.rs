//! Teams, kept even. Comes in: who comes, goes and wants to change. Goes out: a team for everybody who
//! plays; computer pilots move over to make room for people, and before a round people do where there are none.

use super::Session;
use super::door::{ConnectionId, Outbox};
use super::settings::TEAMS_MAX;
use super::watching::TOO_SOON;
use core::cmp::Reverse;
use shared::game::{Game, PlayerId};

/// What somebody is told who was moved before a round.
const MOVED: &str = "Teams were uneven: you are in another one now.";

/// How many are in a team.
#[derive(Clone, Copy, Debug, Default)]
struct Size {
    all: usize,
    people: usize,
}

impl<G: Game, O: Outbox> Session<G, O> {
    /// How many teams there are.
    fn teams(&self) -> u8 {
        self.terms.setup.teams
    }

    /// Of every team, the first one's first.
    fn team_sizes(&self) -> [Size; TEAMS_MAX as usize] {
        let mut sizes = [Size::default(); TEAMS_MAX as usize];
        for player in self.players.iter().filter(|player| player.team > 0) {
            let size = &mut sizes[usize::from(player.team) - 1];
            size.all += 1;
            size.people += 1;
        }
        for (_, _, team) in self.pilots.iter().filter(|&(.., team)| team > 0) {
            sizes[usize::from(team) - 1].all += 1;
        }
        sizes
    }

    /// The team for somebody new: the smallest, of such the one with the fewest people; 0 without teams.
    pub(super) fn smallest_team(&self) -> u8 {
        self.smallest_of(&self.team_sizes())
    }

    fn smallest_of(&self, sizes: &[Size]) -> u8 {
        let teams = (1..=self.teams()).map(|team| (sizes[usize::from(team) - 1], team));
        teams.min_by_key(|(size, team)| (size.all, size.people, *team)).map_or(0, |(_, team)| team)
    }

    /// The pilot who goes first: the newest of the largest team that has one.
    pub(super) fn newest_pilot(&self) -> Option<PlayerId> {
        let sizes = self.team_sizes();
        let mut teams: Vec<u8> = (1..=self.teams()).collect();
        teams.sort_by_key(|team| Reverse(sizes[usize::from(*team) - 1].all));
        let of = |team| self.pilots.newest_of(team);
        if teams.is_empty() { of(0) } else { teams.into_iter().find_map(of) }
    }

    /// Everybody who plays joins the game, which has just begun; there were `before` teams in the last one. Who has a team
    /// keeps it, as long as teams are even.
    pub(super) fn deal_teams(&mut self, before: u8) {
        let teams = self.teams();
        let mut everybody: Vec<_> =
            self.players.iter().filter(|p| p.watching.is_none()).map(|p| (p.id, p.team)).collect();
        everybody.extend(self.pilots.iter().map(|(id, _, team)| (id, team)));
        // Who has none that there is gets one when the others are counted.
        let lost = |team: u8| team > teams || (team == 0 && teams > 0);
        let homeless: Vec<_> =
            everybody.iter().filter(|(_, team)| lost(*team)).map(|(id, _)| *id).collect();
        homeless.iter().for_each(|&id| self.set_team(id, 0));
        for id in homeless {
            self.set_team(id, self.smallest_team());
        }
        self.hosting.arranges_teams &= teams == before;
        let people = teams != before || (self.config.switch_teams && !self.hosting.arranges_teams);
        while let Some((id, team)) = self.next_move(people) {
            self.set_team(id, team);
            if let Some(player) = self.players.get_mut(id) {
                player.moved = Some(self.tick);
                self.notice(id, MOVED);
            }
        }
        for (id, last) in everybody {
            let team = self.team_of(id);
            self.game.join(&self.terms.rules, id, team);
            if team != last {
                self.tell_of(id);
            }
        }
    }

    fn team_of(&self, id: PlayerId) -> u8 {
        match self.players.get(id) {
            Some(player) => player.team,
            None => self.pilots.team_of(id).unwrap_or(0),
        }
    }

    /// Somebody plays no more, or for another team, as they want it or not. What they won for theirs stays with it, and
    /// what they lost.
    pub(super) fn leave_game(&mut self, id: PlayerId, wanted: bool) {
        let team = self.team_of(id);
        if team > 0 {
            let points = &mut self.rounds.left_behind[usize::from(team) - 1];
            *points = points.saturating_add(self.game.score(id));
        }
        match wanted {
            true => self.game.leave(&self.terms.rules, id),
            false => self.game.take_out(&self.terms.rules, id),
        }
    }

    fn set_team(&mut self, id: PlayerId, team: u8) {
        match self.players.get_mut(id) {
            Some(player) => player.team = team,
            None => self.pilots.set_team(id, team),
        }
    }

    /// Puts somebody who plays into a team: the points are lost, so that nobody changes for the winners'.
    pub(super) fn move_to_team(&mut self, id: PlayerId, team: u8, wanted: bool) {
        self.leave_game(id, wanted);
        self.set_team(id, team);
        self.game.join(&self.terms.rules, id, team);
        self.tell_of(id);
    }

    /// One pilot moves over when teams are uneven; people do before a round only.
    pub(super) fn even_out(&mut self) {
        if let Some((pilot, team)) = self.next_move(false) {
            self.move_to_team(pilot, team, false);
        }
    }

    /// Who goes where next, if teams are uneven: from the largest that somebody can be taken from to the smallest. A pilot
    /// goes first; of `people` whoever is here, of those whoever was moved longest ago or never, and of those who came
    /// last.
    fn next_move(&self, people: bool) -> Option<(PlayerId, u8)> {
        let sizes = self.team_sizes();
        let size = |team: u8| sizes[usize::from(team) - 1].all;
        let smallest = self.smallest_of(&sizes);
        let is_crowded = |team: &u8| size(*team) > size(smallest) + 1;
        let mut crowded: Vec<u8> = (1..=self.teams()).filter(is_crowded).collect();
        crowded.sort_by_key(|&team| (Reverse(size(team)), self.pilots.newest_of(team).is_none()));
        let person = |team: u8| {
            let its = self.players.iter().filter(|p| people && p.team == team);
            its.min_by_key(|p| (p.link.is_none(), p.moved, Reverse((p.joined, p.id)))).map(|p| p.id)
        };
        let from = |team: u8| self.pilots.newest_of(team).or_else(|| person(team));
        crowded.into_iter().find_map(from).map(|id| (id, smallest))
    }

    /// Whether one more person may be in a team: no team has more than its share of all ships.
    pub(super) fn has_room(&self, team: u8) -> bool {
        let sizes = self.team_sizes();
        let all: usize = sizes.iter().map(|size| size.all).sum();
        sizes[usize::from(team) - 1].people < all.div_ceil(usize::from(self.teams()))
    }

    /// Somebody wants to be in another team.
    pub(super) fn wants_team(&mut self, connection: ConnectionId, team: u8) {
        let (teams, open) = (self.teams(), self.config.switch_teams);
        let Some(player) = self.players.at_mut(connection) else { return };
        if team == 0 || team > teams || player.team == team || player.watching.is_some() {
            return;
        }
        let id = player.id;
        player.activity.act(self.tick);
        if !open {
            self.notice(id, "Teams are fixed here.");
        } else if !self.has_room(team) {
            self.notice(id, "That team is full: teams stay even.");
        } else if !self.may_change(id) {
            self.notice(id, TOO_SOON);
        } else {
            self.move_to_team(id, team, true);
        }
    }

    /// Points of the teams, the first team's first; empty without teams. Where the game does not say, it is what its players
    /// have and what those who left it had.
    pub(super) fn team_points(&self) -> Vec<i32> {
        let mut points = self.rounds.left_behind[..usize::from(self.teams())].to_vec();
        let people = self.players.iter().map(|player| (player.id, player.team));
        let pilots = self.pilots.iter().map(|(id, _, team)| (id, team));
        for (id, team) in people.chain(pilots).filter(|&(_, team)| team > 0) {
            let points = &mut points[usize::from(team) - 1];
            *points = points.saturating_add(self.game.score(id));
        }
        for (points, team) in points.iter_mut().zip(1..) {
            *points = self.game.team_score(team).unwrap_or(*points);
        }
        points
    }
}
