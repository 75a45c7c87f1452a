//! How sessions of one game are opened, and what nobody may open. Comes in: settings that somebody chose.
//! Goes out: a session before its first tick, or a sentence about what makes no sense.

use crate::config::Config;
use crate::net::outbox::ConnectionOutbox;
use crate::session::Session;
use crate::session::settings::{Mode, PilotCount, SessionSettings};
use crate::tick_loop::Ticked;
use shared::game::Game;
use shared::wire::{HostSecret, Protocol};

/// The most computer pilots of a session that somebody created; more is refused with a sentence. Each costs
/// about as much as a person, and the whole server has but so many threads.
pub const CREATED_PILOTS_MAX: u16 = 200;
/// The most spectators of a session that somebody created; more is refused with a sentence.
pub const CREATED_SPECTATORS_MAX: u16 = 256;

/// A session of any game.
pub type AnySession = Box<dyn Ticked<ConnectionOutbox>>;

type Open = dyn Fn(&SessionSettings, Option<HostSecret>, u64, u32) -> Result<AnySession, String>
    + Send
    + Sync;

/// Opens sessions of one game.
pub struct Opener {
    open: Box<Open>,
    /// The game's tables.
    pub(super) protocol: Protocol,
}

impl core::fmt::Debug for Opener {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Opener({:x})", self.protocol.hash)
    }
}

impl Opener {
    /// For sessions of `G`.
    pub fn of<G: Game>() -> Self {
        let open = move |settings: &SessionSettings, host, seed, idle_s| {
            let mut config = settings.config::<G>(seed)?;
            config.host = host;
            // Players know the seed, and what they can foresee they can cheat with.
            config.luck = rand::random();
            config.idle_s = idle_s;
            Ok(Box::new(Session::<G, ConnectionOutbox>::new(config)?) as AnySession)
        };
        Self { open: Box::new(open), protocol: Protocol::of::<G>() }
    }

    /// A session before its first tick; its first round has the seed `seed` unless the settings name one. It ends when
    /// nobody was there for `idle_s` seconds.
    pub(super) fn open(
        &self,
        settings: &SessionSettings,
        host: Option<HostSecret>,
        seed: u64,
        idle_s: u32,
    ) -> Result<AnySession, String> {
        (self.open)(settings, host, seed, idle_s)
    }
}

/// What sessions are like that quick play opens.
pub(super) fn usual(config: &Config) -> SessionSettings {
    SessionSettings {
        mode: Mode::FreeForAll,
        max_players: config.max_players,
        tick_rate: config.tick_rate,
        round_s: config.round_seconds,
        pilots: PilotCount::FillUpTo(config.pilots),
        rewind_ms: config.rewind_ms,
        seed: config.seed,
        ..SessionSettings::default()
    }
}

/// Whether settings that a visitor chose stay within what one visitor may take of this server; a sentence
/// about the first that does not.
pub(super) fn within_reason(settings: &SessionSettings, players_max: u16) -> Result<(), String> {
    let (PilotCount::FillUpTo(pilots) | PilotCount::Always(pilots)) = settings.pilots;
    for (what, value, most) in [
        ("max_players", settings.max_players, players_max),
        ("max_spectators", settings.max_spectators, CREATED_SPECTATORS_MAX),
        ("pilots", pilots, CREATED_PILOTS_MAX),
    ] {
        if value > most {
            return Err(format!(
                "{what} is {value}, but at most {most} are allowed on this server."
            ));
        }
    }
    Ok(())
}
