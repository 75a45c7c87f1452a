//! Where those are whom a player does not see and may know of all the same: dots on a map, once a second. Of whom, the
//! game says ([`Game::circle`]). Written once for everybody in a circle.

use super::door::Outbox;
use super::{Session, talk};
use shared::game::{Circle, Game, PlayerId};
use shared::wire::message::ServerMessage;

/// Seconds between two messages.
const EVERY_SECONDS: u32 = 1;
/// The same on a slow line. Clients forget a place after [`shared::wire::message::WHEREABOUTS_SECONDS`].
const EVERY_SECONDS_EASED: u32 = 4;
/// The largest circle, in players. In a larger one nobody is told: it would be a tenth of all they are sent, for more
/// dots than anybody looks at.
const CIRCLE_MAX: usize = 64;

impl<G: Game, O: Outbox> Session<G, O> {
    /// Tells players where the others of their circle are, if it is time.
    pub(super) fn tell_whereabouts(&mut self) {
        if !self.tick.is_multiple_of(self.config.ticks(EVERY_SECONDS)) {
            return;
        }
        let circles = match self.game.circle() {
            Circle::Nobody => return,
            Circle::Team => 1..=self.terms.setup.teams,
            Circle::Everybody => 0..=0,
        };
        // What spectators look at is found anew before their frames.
        self.places.look(G::KINDS, self.world.changes.now());
        for circle in circles {
            let eased = self.tick.is_multiple_of(self.config.ticks(EVERY_SECONDS_EASED));
            self.tell_circle(circle, eased);
        }
    }

    /// Tells all of a team, or of all where `circle` is 0; those with a slow line too if `eased`.
    fn tell_circle(&mut self, circle: u8, eased: bool) {
        let belongs = |team: u8| circle == 0 || team == circle;
        let people = self.players.iter().filter(|p| p.watching.is_none()).map(|p| (p.id, p.team));
        let pilots = self.pilots.iter().map(|(id, _, team)| (id, team));
        let all: Vec<PlayerId> =
            people.chain(pilots).filter(|&(_, team)| belongs(team)).map(|(id, _)| id).collect();
        if !(2..=CIRCLE_MAX).contains(&all.len()) {
            return;
        }
        let place = |id| self.places.of(id).map(|(x, y)| (id, x.round() as i32, y.round() as i32));
        let places = all.into_iter().filter_map(place).collect();
        let message = talk::encode(&ServerMessage::Whereabouts { places });
        for player in self.players.iter_mut() {
            let (plays, team) = (player.watching.is_none(), player.team);
            let Some(link) = player.link.as_mut().filter(|_| plays && belongs(team)) else {
                continue;
            };
            if eased || link.flow.ease().ticks_per_message() <= 1 {
                link.mailbox.push(message.clone());
            }
        }
    }
}
