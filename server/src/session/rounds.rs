//! Rounds: warm-up, play, results, and again. Comes in: ticks. Goes out: phases, worlds that begin anew,
//! results. Without rounds a session is one endless game.

use super::door::Outbox;
use super::result::{Place, RoundResult};
use super::settings::{Mode, TEAMS_MAX};
use super::status::PhaseName;
use super::world::World;
use super::{Session, SessionConfig, Terms};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use shared::game::{Game, PlayerId, Setup, Tick};
use shared::wire::Visitor;
use shared::wire::message::{self, Phase, RESULTS_MAX, ResultLine, ServerMessage};
use std::sync::Arc;

/// How long nothing counts before the first round, in seconds, once there is somebody to play with.
pub const WARM_UP_SECONDS: u32 = 8;
/// How long a result is shown before the next round begins, in seconds.
pub const RESULTS_SECONDS: u32 = 12;
/// Seeds after the first that are tried when a game cannot make a world of that.
pub(crate) const SEEDS_TRIED: usize = 8;

/// Where a session is in its rounds.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Rounds {
    pub(super) phase: Phase,
    /// From 1; 0 before the first.
    pub(super) round: u32,
    /// When the phase ends, if anybody knows.
    pub(super) ends: Option<Tick>,
    /// When it began.
    began: Tick,
    /// What those who have left its teams won for them in this world, the first team's first.
    pub(super) left_behind: [i32; TEAMS_MAX as usize],
}

/// How the last round ended, for who comes while that is shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Finished {
    round: u32,
    teams: Vec<i32>,
    /// Best first.
    lines: Vec<ResultLine>,
    recorded: bool,
}

impl Finished {
    /// As a message for this player: the best, and the own line where it is not among them.
    pub(super) fn told_to(&self, player: PlayerId) -> Bytes {
        self.told(self.not_best().find(|line| line.player == player))
    }

    fn not_best(&self) -> impl Iterator<Item = &ResultLine> {
        self.lines.iter().skip(RESULTS_MAX)
    }

    fn told(&self, own: Option<&ResultLine>) -> Bytes {
        let best = self.lines.iter().take(RESULTS_MAX);
        let lines = best.chain(own).cloned().collect();
        let Self { round, recorded, .. } = *self;
        let teams = self.teams.clone();
        message::encode_control(&ServerMessage::Results { round, teams, lines, recorded }).into()
    }
}

impl Rounds {
    pub(super) fn new(round_s: u32) -> Self {
        let phase = if round_s == 0 { Phase::Endless } else { Phase::WarmUp };
        Self { phase, ..Self::default() }
    }

    /// For how many ticks the phase has lasted.
    pub(super) fn lasts(&self, now: Tick) -> Tick {
        now.wrapping_sub(self.began)
    }

    /// Whether nobody's input counts.
    pub(super) fn is_still(&self) -> bool {
        self.phase == Phase::Results
    }

    /// A tick passes in which nothing happens: the phase is as long as it was.
    pub(super) fn put_off(&mut self) {
        self.began = self.began.wrapping_add(1);
        self.ends = self.ends.map(|ends| ends.wrapping_add(1));
    }

    /// As everybody is told, to whom it happens `later` ticks later.
    pub(super) fn told(&self, later: Tick) -> ServerMessage {
        let ends = self.ends.map(|ends| ends.wrapping_add(later));
        ServerMessage::Phase { phase: self.phase, round: self.round, ends }
    }

    /// The phase as outsiders see it, and the seconds left.
    pub(super) fn status(&self, now: Tick, rate: u32) -> (PhaseName, Option<u32>) {
        let name = match self.phase {
            Phase::Endless => PhaseName::Endless,
            Phase::WarmUp => PhaseName::WarmUp,
            Phase::Play => PhaseName::Play,
            Phase::Results => PhaseName::Results,
        };
        (name, self.ends.map(|ends| ends.saturating_sub(now).div_ceil(rate)))
    }
}

impl<G: Game, O: Outbox> Session<G, O> {
    /// Goes on to the next phase when it is time.
    pub(super) fn turn_rounds(&mut self) {
        let people = self.players.playing();
        let enough = people > 0 && people + self.pilots.len() >= G::ROUND_PLAYERS_MIN;
        let due = self.rounds.ends.is_some_and(|ends| self.tick >= ends);
        match self.rounds.phase {
            Phase::Endless => {}
            Phase::WarmUp if !enough => {
                if self.rounds.ends.is_some() {
                    self.enter(Phase::WarmUp, None);
                }
            }
            Phase::WarmUp if self.rounds.ends.is_none() => {
                self.enter(Phase::WarmUp, Some(WARM_UP_SECONDS));
            }
            Phase::WarmUp if due && self.parting.is_none() => self.start_round(),
            // Everybody has left, or watches: there is nobody whose result it would be.
            Phase::Play if people == 0 => {
                self.abandon_recording();
                self.enter(Phase::WarmUp, None);
            }
            Phase::Play if due || self.game.is_over() => self.finish_round(),
            Phase::Results if due && self.parting.is_some() => self.end_with_the_server(),
            Phase::Results if due && enough => self.start_round(),
            Phase::Results if due => {
                self.begin();
                self.enter(Phase::WarmUp, None);
            }
            Phase::WarmUp | Phase::Play | Phase::Results => {}
        }
    }

    /// The next round begins now, or without rounds the world anew.
    pub(super) fn start_round(&mut self) {
        self.begin();
        self.rounds.round += 1;
        match self.config.round_s {
            0 => self.enter(Phase::Endless, None),
            seconds => self.enter(Phase::Play, Some(seconds)),
        }
        self.begin_recording();
    }

    fn enter(&mut self, phase: Phase, seconds: Option<u32>) {
        let ends = seconds.map(|seconds| self.tick.wrapping_add(self.config.ticks(seconds)));
        self.rounds = Rounds { phase, ends, began: self.tick, ..self.rounds };
        self.talk.phase(&self.rounds, self.config.delay_ticks());
    }

    /// A new world, by the settings that were left for it: everybody is in it from the next tick on.
    fn begin(&mut self) {
        let Setup { seed, teams, .. } = self.terms.setup;
        if let Some(next) = self.next.take() {
            self.config = SessionConfig { provided: self.config.provided, ..next };
        }
        let anew = !self.config.seeded && self.rounds.round > 0;
        let (setup, rules) = make_world(&self.config.setup, anew.then_some(seed), G::rules);
        self.config.setup.seed = setup.seed;
        self.luck = next_seed(self.luck);
        self.game = G::new(&setup, &rules, self.luck);
        self.terms = Arc::new(Terms { setup, rules });
        self.pilots.begin(self.luck);
        self.world = World::new(G::KINDS);
        self.deal_teams(teams);
        self.rounds.left_behind = [0; TEAMS_MAX as usize];
        self.talk.begin(&self.terms.setup);
        self.talk.about(&self.config, self.locked);
        self.past_begins();
        let delayed = self.past.is_some();
        for player in self.players.iter_mut() {
            let from_the_past = delayed && player.watching.is_some();
            if let Some(link) = player.link.as_mut().filter(|_| !from_the_past) {
                link.begin();
            }
        }
    }

    fn finish_round(&mut self) {
        let result = self.result();
        self.ranks_anew = true;
        self.enter(Phase::Results, Some(RESULTS_SECONDS));
        let line = |place: &Place| ResultLine {
            place: place.place,
            player: PlayerId(place.player),
            score: place.score,
            figures: self.figures(PlayerId(place.player)),
        };
        let lines: Vec<_> = result.places.iter().map(line).collect();
        let (round, teams, recorded) =
            (result.round, result.teams.clone(), self.config.provided.records);
        let finished = Finished { round, teams, lines, recorded };
        self.talk.results(finished.told(None));
        // Whoever is not among the best gets them again, with the own line.
        for own in finished.not_best() {
            if self.players.get(own.player).is_some_and(|player| player.link.is_some()) {
                self.talk.for_one(own.player, finished.told(Some(own)));
            }
        }
        self.finished = Some(finished);
        self.results.push(result);
        self.decide_recording();
    }

    /// What the game says of a player beside the points.
    fn figures(&self, id: PlayerId) -> Vec<i32> {
        let figures = self.game.figures(id);
        let (names, found) = (G::FIGURES, figures.len());
        assert_eq!(found, names.len(), "figures of a player are as many as FIGURES, {names:?}");
        figures
    }

    fn result(&self) -> RoundResult {
        let people = self.players.iter().filter(|player| player.watching.is_none());
        let people = people.map(|p| (p.id, p.name.as_str(), false, p.team, p.visitor));
        let pilots = self.pilots.iter();
        let pilots = pilots.map(|(id, name, team)| (id, name, true, team, Visitor::default()));
        let place = |(id, name, computer, team, visitor): (PlayerId, &str, _, _, _)| Place {
            place: 0,
            player: id.0,
            name: name.to_owned(),
            computer,
            team,
            score: self.game.score(id),
            figures: G::FIGURES
                .iter()
                .map(|name| (*name).to_owned())
                .zip(self.figures(id))
                .collect(),
            visitor,
        };
        let mut places: Vec<_> = people.chain(pilots).map(place).collect();
        places.sort_by(|a, b| b.score.cmp(&a.score).then(a.player.cmp(&b.player)));
        for index in 0..places.len() {
            let equal = index > 0 && places[index - 1].score == places[index].score;
            places[index].place = if equal { places[index - 1].place } else { (index + 1) as u16 };
        }
        let ticks = self.tick.wrapping_sub(self.rounds.began);
        RoundResult {
            name: self.config.name.clone(),
            mode: if self.config.setup.teams > 0 { Mode::Teams } else { Mode::FreeForAll },
            public: self.config.public,
            counts: self.config.public && self.config.provided.host.is_none(),
            round: self.rounds.round,
            seconds: ticks / u32::from(self.config.setup.tick_rate),
            teams: self.team_points(),
            places,
        }
    }
}

/// What the next round is played by: the same setup, with the next seed after `last` if there is one. A world that the game
/// cannot make of it is left out, as nobody has seen that seed; the setup's own was tried when its settings were chosen.
fn make_world<S: Clone, R>(
    setup: &Setup<S>,
    last: Option<u64>,
    make: impl Fn(&Setup<S>) -> Result<R, String>,
) -> (Setup<S>, R) {
    let following = core::iter::successors(last.map(next_seed), |&seed| Some(next_seed(seed)));
    following
        .take(SEEDS_TRIED)
        .chain([setup.seed])
        .find_map(|seed| {
            let setup = Setup { seed, ..setup.clone() };
            make(&setup).ok().map(|rules| (setup, rules))
        })
        .expect("settings are checked when they are made")
}

/// The seed of the next round: another world, which follows from the one before (SplitMix64, Steele, Lea
/// and Flood 2014).
pub(super) fn next_seed(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_of_which_no_world_can_be_made_is_left_out() {
        let setup = Setup::new((), 7, 30);
        let (one, two) = (next_seed(7), next_seed(next_seed(7)));
        let but = |refused: &[u64]| {
            let make = |setup: &Setup<()>| match refused.contains(&setup.seed) {
                true => Err(String::from("no way out")),
                false => Ok(setup.seed),
            };
            let (made, rules) = make_world(&setup, Some(7), make);
            assert_eq!(made.seed, rules);
            rules
        };
        assert_eq!((but(&[]), but(&[one])), (one, two));
        let all: Vec<_> =
            core::iter::successors(Some(one), |&seed| Some(next_seed(seed))).take(100).collect();
        assert_eq!(but(&all), 7);
        assert_eq!(make_world(&setup, None, |setup| Ok(setup.seed)).1, 7);
    }
}
