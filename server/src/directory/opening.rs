//! How sessions of one game are opened, and what nobody may open. Comes in: settings that somebody chose.
//! Goes out: a session before its first tick, or a sentence about what makes no sense.

use crate::config::Config;
use crate::net::outbox::ConnectionOutbox;
use crate::session::settings::{Mode, PilotCount, SessionSettings};
use crate::session::{Provided, Session, SessionConfig};
use crate::tick_loop::Ticked;
use serde::Serialize;
use serde_json::{Map, Value};
use shared::game::Game;
use shared::wire::{HostSecret, Protocol};
use utoipa::ToSchema;

/// The most computer pilots of a session that somebody created; more is refused with a sentence. Each costs
/// about as much as a person, and the whole server has but so many threads.
pub const CREATED_PILOTS_MAX: u16 = 200;
/// The most spectators of a session that somebody created; more is refused with a sentence.
pub const CREATED_SPECTATORS_MAX: u16 = 256;

/// The most ticks per second of a session that somebody created, unless the server's own sessions have more; more is
/// refused with a sentence. Everything that a session costs grows with it, and nobody sees more than a screen shows.
pub const CREATED_TICK_RATE_MAX: u16 = 60;

/// A session of any game.
pub type AnySession = Box<dyn Ticked<ConnectionOutbox>>;

type Open = dyn Fn(&SessionSettings, Opening<'_>) -> Result<AnySession, String> + Send + Sync;

/// What a session is opened with beside its settings.
pub(super) struct Opening<'a> {
    /// What it has from the server.
    pub(super) provided: Provided,
    /// From where it goes on.
    pub(super) checkpoint: Option<&'a [u8]>,
    /// Whether it begins anew where it cannot go on.
    pub(super) or_anew: bool,
}

impl Opening<'_> {
    /// As the server's settings have it.
    pub(super) fn of(config: &Config, host: Option<HostSecret>) -> Self {
        let provided = Provided {
            host,
            idle_s: config.idle_seconds,
            inactive_s: config.inactive_seconds,
            records: config.recordings_mib > 0,
        };
        Self { provided, checkpoint: None, or_anew: true }
    }
}

/// Opens sessions of one game.
pub struct Opener {
    open: Box<Open>,
    /// What the game is called.
    pub(super) game: &'static str,
    /// The game's own settings where nobody says anything else.
    pub(super) usual_game: Map<String, Value>,
    /// Its tables.
    pub(super) protocol: Protocol,
    /// Whether the game has checkpoints.
    pub(super) keeps_matches: bool,
}

impl core::fmt::Debug for Opener {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Opener({:x})", self.protocol.hash)
    }
}

impl Opener {
    /// For sessions of `G`, as `config` has them.
    pub fn of<G: Game>(config: &Config) -> Self {
        let open = |settings: &SessionSettings, opening: Opening<'_>| {
            let mut config = settings.config::<G>(rand::random())?;
            // Players know the seed, and what they can foresee they can cheat with.
            config.luck = rand::random();
            config.provided = opening.provided;
            let goes_on = opening.checkpoint.and_then(|from| Session::resume(config.clone(), from));
            let session: Session<G, ConnectionOutbox> = match goes_on {
                Some(session) => session,
                None if !opening.or_anew => {
                    return Err("Other rules, or another version, began it.".into());
                }
                None => {
                    if opening.checkpoint.is_some() {
                        tracing::warn!(
                            "a round is lost: other rules, or another version, began it"
                        );
                    }
                    Session::new(config)?
                }
            };
            Ok(Box::new(session) as AnySession)
        };
        let keeps_matches = has_checkpoints::<G>(&usual(config));
        let protocol = Protocol::of::<G>();
        let usual_game = usual_game::<G>();
        Self { open: Box::new(open), game: G::NAME, usual_game, protocol, keeps_matches }
    }

    /// A session before its first tick, or before the next one where it goes on from a checkpoint; what is none of this
    /// game and these rules counts as none. Its first round has a random seed unless the settings name one.
    pub(super) fn open(
        &self,
        settings: &SessionSettings,
        opening: Opening<'_>,
    ) -> Result<AnySession, String> {
        (self.open)(settings, opening)
    }
}

/// A game's usual settings by name; none where JSON has no such spelling of them. By way of a text, as that has an f32 as
/// short as people write it.
fn usual_game<G: Game>() -> Map<String, Value> {
    let text = serde_json::to_string(&G::Settings::default()).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// Whether a world of this game can be taken down, asked of an empty one of the usual settings. Rules may refuse seeds,
/// worlds without teams, and how many ticks a second has.
fn has_checkpoints<G: Game>(usual: &SessionSettings) -> bool {
    let quick = usual.config::<G>(0);
    if let Err(why) = &quick {
        tracing::error!(
            "quick play opens no session, as {} refuses the usual settings: {why}",
            G::NAME
        );
    }
    let teams = || SessionSettings { mode: Mode::Teams, ..usual.clone() }.config::<G>(0);
    let Ok(SessionConfig { setup, .. }) = quick.or_else(|_| teams()) else { return false };
    let rules = G::rules(&setup).expect("they were taken just now");
    G::new(&setup, &rules, 0).checkpoint().is_some()
}

/// What sessions are like that quick play opens.
pub(super) fn usual(config: &Config) -> SessionSettings {
    SessionSettings {
        mode: if config.teams == 0 { Mode::FreeForAll } else { Mode::Teams },
        // Whoever opens a session of teams and does not say how many has two.
        teams: if config.teams == 0 { SessionSettings::default().teams } else { config.teams },
        max_players: config.max_players,
        max_spectators: config.max_spectators,
        spectator_delay_s: config.spectator_delay_seconds,
        tick_rate: config.tick_rate,
        round_s: config.round_seconds,
        pilots: PilotCount::FillUpTo(config.pilots),
        rewind_ms: config.rewind_ms,
        seed: config.seed,
        ..SessionSettings::default()
    }
}

/// What a session has of which a visitor says nothing else: what quick play's have, as far as a visitor may choose that.
pub(super) fn offered(config: &Config, opener: Option<&Opener>) -> SessionSettings {
    let usual = usual(config);
    SessionSettings {
        name: title(opener.map_or("", |opener| opener.game)),
        game: opener.map(|opener| opener.usual_game.clone()).unwrap_or_default(),
        max_players: SessionSettings::default().max_players.min(config.max_players),
        pilots: PilotCount::FillUpTo(config.pilots.min(CREATED_PILOTS_MAX)),
        seed: None,
        ..usual
    }
}

/// A game's name as a word of its own.
pub(super) fn title(game: &str) -> String {
    let mut letters = game.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// The most that one visitor may have of this server in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Most {
    /// People who play.
    max_players: u16,
    /// People who watch.
    max_spectators: u16,
    /// Computer pilots.
    pilots: u16,
    /// Ticks per second.
    tick_rate: u16,
}

impl Most {
    pub(super) fn of(config: &Config) -> Self {
        Self {
            max_players: config.max_players,
            max_spectators: CREATED_SPECTATORS_MAX.max(config.max_spectators),
            pilots: CREATED_PILOTS_MAX,
            tick_rate: CREATED_TICK_RATE_MAX.max(config.tick_rate),
        }
    }
}

/// Whether settings that a visitor chose stay within what one visitor may take of this server; a sentence
/// about the first that does not.
pub(super) fn within_reason(settings: &SessionSettings, most: Most) -> Result<(), String> {
    let (PilotCount::FillUpTo(pilots) | PilotCount::Always(pilots)) = settings.pilots;
    for (what, value, most) in [
        ("max_players", settings.max_players, most.max_players),
        ("max_spectators", settings.max_spectators, most.max_spectators),
        ("pilots", pilots, most.pilots),
        ("tick_rate", settings.tick_rate, most.tick_rate),
    ] {
        if value > most {
            return Err(format!(
                "{what} is {value}, but at most {most} are allowed on this server."
            ));
        }
    }
    Ok(())
}
