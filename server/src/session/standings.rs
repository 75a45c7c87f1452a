//! How everybody stands. Comes in: everybody's points, once a second. Goes out: each player's message. Nothing
//! here asks for memory or looks at everybody for a single player.

use shared::game::PlayerId;
use shared::wire::message::{self, STANDINGS_MAX, ServerMessage};

/// Who is where.
pub(super) struct Standings {
    /// Highest first.
    ranking: Vec<(i32, PlayerId)>,
    /// Places in that, from 0, ascending by player.
    places: Vec<(PlayerId, u16)>,
    /// The message, of which rank and score are each player's own.
    message: ServerMessage,
    bytes: Vec<u8>,
}

impl Standings {
    pub(super) fn new() -> Self {
        let (best, teams) = (Vec::new(), Vec::new());
        Self {
            ranking: Vec::new(),
            places: Vec::new(),
            message: ServerMessage::Standings { best, rank: 0, score: 0, players: 0, teams },
            bytes: Vec::new(),
        }
    }

    /// Whoever leads.
    pub(super) fn leader(&self) -> Option<PlayerId> {
        self.ranking.first().map(|&(_, player)| player)
    }

    /// Ranks everybody who plays.
    pub(super) fn rank(
        &mut self,
        everybody: impl Iterator<Item = (i32, PlayerId)>,
        points: Vec<i32>,
    ) {
        self.ranking.clear();
        self.ranking.extend(everybody);
        self.ranking.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        self.places.clear();
        self.places
            .extend(self.ranking.iter().zip(0..).map(|(&(_, player), place)| (player, place)));
        self.places.sort_unstable();
        if let ServerMessage::Standings { best, players, teams, .. } = &mut self.message {
            best.clear();
            let first = self.ranking.iter().take(STANDINGS_MAX);
            best.extend(first.map(|&(score, player)| (player, score)));
            *players = self.ranking.len() as u16;
            *teams = points;
        }
    }

    /// What a player is told.
    pub(super) fn of(&mut self, player: PlayerId) -> &[u8] {
        let found = self.places.binary_search_by_key(&player, |&(id, _)| id);
        let place = found.ok().map(|index| self.places[index].1);
        if let ServerMessage::Standings { rank, score, .. } = &mut self.message {
            *rank = place.map_or(0, |place| place + 1);
            *score = place.map_or(0, |place| self.ranking[usize::from(place)].0);
        }
        self.bytes.clear();
        message::put_control(&mut self.bytes, &self.message);
        &self.bytes
    }
}
