//! A session as bytes between two ticks, and back, so that a match goes on where a server stopped that is started again.
//! Comes in: a session. Goes out: bytes; and from those, with what it is opened with anyway, a session of which everybody
//! is away and finds their seat again.
//!
//! What only makes things quicker or nicer begins anew: what was said, what computer pilots had in mind, counts, and the
//! ways that shots are judged by which a slow line has not seen yet. So does what delayed spectators have yet to see, which
//! would be as much again as the rest: they look at an empty world for as long as they are late, and what happened in
//! those seconds before is never told to them.

use super::door::Outbox;
use super::hosting::Hosting;
use super::players::Players;
use super::recording::Recorder;
use super::rounds::{Finished, Rounds};
use super::{Session, SessionConfig};
use serde::{Deserialize, Serialize};
use shared::checkpoint;
use shared::game::{Game, PlayerId, Setup, Tick};
use shared::wire::Protocol;
use shared::wire::message::Phase;

/// Of what follows here, and of what is in it. Counts up when any of it changes: what an older program wrote is none then.
pub(crate) const LAYOUT: u32 = 5;

/// `P` are the [`Players`], borrowed where it is written.
#[derive(Serialize, Deserialize)]
struct Checkpoint<S, P> {
    layout: u32,
    /// [`Protocol::hash`]: the same rules, rows and inputs.
    protocol: u64,
    /// Of the round that is on.
    setup: Setup<S>,
    luck: u64,
    tick: Tick,
    rounds: Rounds,
    /// [`Game::checkpoint`].
    game: Vec<u8>,
    players: P,
    /// Number, name and team.
    pilots: Vec<(PlayerId, String, u8)>,
    hired: u64,
    hosting: Hosting,
    locked: bool,
    /// How the round ended, while that is shown.
    finished: Option<Finished>,
}

impl<G: Game, O: Outbox> Session<G, O> {
    /// Where it stands. `None` where nobody is who could come back and no host has kept anybody out, and where the game
    /// has no checkpoints.
    pub fn checkpoint(&self) -> Option<Vec<u8>> {
        if self.players.len() == 0 && !self.locked && !self.hosting.keeps_anybody_out() {
            return None;
        }
        Some(checkpoint::write(&Checkpoint {
            layout: LAYOUT,
            protocol: Protocol::of::<G>().hash,
            setup: self.config.setup.clone(),
            luck: self.luck,
            tick: self.tick,
            rounds: self.rounds,
            game: self.game.checkpoint()?,
            players: &self.players,
            pilots: self
                .pilots
                .iter()
                .map(|(id, name, team)| (id, name.to_owned(), team))
                .collect(),
            hired: self.pilots.hired(),
            hosting: self.hosting.clone(),
            locked: self.locked,
            finished: self.finished.clone().filter(|_| self.rounds.is_still()),
        }))
    }

    /// Opens a session that goes on where a [`Session::checkpoint`] was taken; the world stands still until the first of
    /// its people is back. Where `config` has another setup than the round that is on, that is for the next round; all else
    /// of it holds at once. `None` where the bytes are no checkpoint of this game, these rules and this tick rate, which
    /// stays for as long as a session lasts.
    pub fn resume(config: SessionConfig<G::Settings>, checkpoint: &[u8]) -> Option<Self> {
        let kept: Checkpoint<G::Settings, Players<G::Input, O>> = checkpoint::read(checkpoint)?;
        if (kept.layout, kept.protocol) != (LAYOUT, Protocol::of::<G>().hash) {
            return None;
        }
        if kept.setup.tick_rate != config.setup.tick_rate {
            return None;
        }
        // Where nobody chose a seed, `config` has a new one that says nothing; a chosen one counts like any other setting.
        let seed = if config.seeded { config.setup.seed } else { kept.setup.seed };
        let wanted = Setup { seed, ..config.setup.clone() };
        let next = (wanted != kept.setup).then(|| config.clone());
        let mut session =
            Self::new(SessionConfig { setup: kept.setup, luck: kept.luck, ..config }).ok()?;
        let terms = &session.terms;
        session.game = G::resume(&terms.setup, &terms.rules, &kept.game)?;
        session.next = next;
        session.tick = kept.tick;
        session.rounds = kept.rounds;
        session.players = kept.players.away_since(kept.tick);
        session.pilots.rehire(kept.pilots, kept.hired);
        session.hosting = kept.hosting.opened_with(session.hosting.secret);
        session.finished = kept.finished;
        session.locked = kept.locked;
        session.awaits_people = true;
        if session.config.provided.records && session.rounds.phase == Phase::Play {
            session.recorder = Some(Recorder::new(false));
            session.talk.record(true);
        }
        tracing::info!(tick = session.tick, players = session.players.len(), "a match goes on");
        Some(session)
    }

    /// Whether the world stands still, as nobody is back yet since it went on from a checkpoint.
    pub(super) fn stands_still(&mut self) -> bool {
        self.awaits_people &= self.players.len() > 0 && self.players.here() == 0;
        self.awaits_people
    }
}
