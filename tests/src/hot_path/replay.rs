//! A whole session that is told what a script says, with outboxes that keep nothing.

use super::script::{Script, tell};
use super::setup;
use server::metrics::Stage;
use server::session::door::{ConnectionId, Newcomer, Outbox, ToSession};
use server::session::{Counts, Session, SessionConfig};
use shared::arena::Arena;
use shared::game::Tick;
use shared::wire::close::CloseCode;
use shared::wire::{HostSecret, Rows, SeatToken};

/// An outbox that takes everything and keeps nothing.
#[derive(Clone, Copy, Debug)]
pub struct Sink;

impl Outbox for Sink {
    fn has_room(&self) -> bool {
        true
    }

    fn push<'a>(&mut self, _: impl Iterator<Item = &'a [u8]>) -> bool {
        true
    }

    fn waiting(&self) -> usize {
        0
    }

    fn close(&mut self, code: CloseCode, reason: &str) {
        panic!("nobody is sent away: {code:?}, {reason}");
    }
}

/// The connection of a player: they come in order, so their numbers agree.
pub(super) fn connection(player: u16) -> ConnectionId {
    ConnectionId(u64::from(player) + 1)
}

/// A session that everybody has just joined.
pub(super) fn open<O: Outbox>(ships: u16, outbox: impl Fn(u16) -> O) -> Session<Arena, O> {
    let players_max = usize::from(ships);
    let config = SessionConfig { players_max, ..SessionConfig::new(setup(ships)) };
    let mut session = Session::new(config).expect("settings that make sense");
    for player in 0..ships {
        let secret = u128::from(player).to_le_bytes();
        let newcomer = Newcomer {
            connection: connection(player),
            network: None,
            address: None,
            name: format!("Ship {player}"),
            seat: None,
            visitor: Default::default(),
            host: None,
            watch: false,
            fresh: SeatToken(secret),
            fresh_host: HostSecret(secret),
            outbox: outbox(player),
        };
        session.handle(ToSession::Join(Box::new(newcomer)), 0.0);
    }
    session
}

/// A session that follows a script.
pub struct Replay<'a> {
    script: &'a Script,
    session: Session<Arena, Sink>,
}

impl<'a> Replay<'a> {
    /// Everybody has joined, and no tick was yet.
    pub fn new(script: &'a Script) -> Self {
        Self { script, session: open(script.ships, |_| Sink) }
    }

    /// Whether a tick is left.
    pub fn goes_on(&self) -> bool {
        self.session.tick_now() < self.script.ticks
    }

    /// The next tick.
    #[inline(never)]
    pub fn tick(&mut self) {
        self.session.tick();
    }

    /// The next tick; `lap` is called at the end of each stage.
    pub fn tick_in_laps(&mut self, lap: &mut dyn FnMut(Stage)) {
        self.session.tick_in_laps(lap);
    }

    /// What everybody says after it.
    #[inline(never)]
    pub fn hear(&mut self) {
        let said = self.script.said_after(self.session.tick_now());
        tell(&mut self.session, said);
    }

    /// The session as bytes.
    pub fn checkpoint(&self) -> Vec<u8> {
        self.session.checkpoint().expect("everybody is there")
    }

    /// The newest tick.
    pub fn now(&self) -> Tick {
        self.session.tick_now()
    }

    /// What happened so far.
    pub fn counts(&self) -> Counts {
        self.session.counts()
    }

    /// The world as it is now.
    pub fn world(&self) -> &Rows {
        self.session.world().now()
    }
}
