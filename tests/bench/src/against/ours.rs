//! This server as a contender: the library that the `server` program is made of, with its settings read as that
//! program reads them, and the arena that ships. Two things differ, for which that program has no flag: how large the
//! arena of quick play is, and that in a room everybody sees all of it. Bots notice neither.

use super::scene::{SEED, Scene};
use super::sights::Sights;
use anyhow::{Result, anyhow};
use serde::{Deserialize, Serialize};
use server::Server;
use server::config::{self, Config};
use server::http::ARENA;
use server::logging::Logs;
use server::net::listeners::Listeners;
use shared::arena::{Arena, ArenaBrain, ArenaEvent, Controls, Rules};
use shared::game::{Audience, Brain, Command, Fate, Focus, Game, PlayerId, Setup, View};
use shared::wire::{Kind, Rows};
use std::future::pending;
use std::net::SocketAddr;
use std::sync::{Mutex, OnceLock};

/// The scene of this process: the engine makes games by their type, so it cannot be handed over.
static SCENE: OnceLock<Scene> = OnceLock::new();
/// Why there is one.
const SET: &str = "set before anything is served";

/// The arena in a scene. To bots it is the arena.
pub(crate) struct Staged {
    arena: Arena,
    sights: Mutex<Sights>,
}

/// The arena's settings, with the scene's size unless told otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Settings(shared::arena::Settings);

impl Default for Settings {
    fn default() -> Self {
        let size = SCENE.get().expect(SET).side();
        Self(shared::arena::Settings { size, ..shared::arena::Settings::default() })
    }
}

/// The arena's pilot.
pub(crate) struct Pilot(ArenaBrain);

impl Brain<Staged> for Pilot {
    fn new(seed: u64) -> Self {
        Self(ArenaBrain::new(seed))
    }

    fn think(&mut self, rules: &Rules, view: &View<'_>) -> Controls {
        self.0.think(rules, view)
    }
}

fn plain(setup: &Setup<Settings>) -> Setup<shared::arena::Settings> {
    let Setup { settings, seed, tick_rate, rewind_ms, teams } = setup;
    Setup {
        settings: settings.0.clone(),
        seed: *seed,
        tick_rate: *tick_rate,
        rewind_ms: *rewind_ms,
        teams: *teams,
    }
}

impl Game for Staged {
    const NAME: &'static str = Arena::NAME;
    const RULES_VERSION: u32 = Arena::RULES_VERSION;
    const KINDS: &'static [Kind] = Arena::KINDS;
    const FIGURES: &'static [&'static str] = Arena::FIGURES;

    type Settings = Settings;
    type Rules = Rules;
    type Input = Controls;
    type Event = ArenaEvent;
    type Brain = Pilot;

    fn rules(setup: &Setup<Settings>) -> Result<Rules, String> {
        Arena::rules(&plain(setup))
    }

    fn new(setup: &Setup<Settings>, rules: &Rules, luck: u64) -> Self {
        Self { arena: Arena::new(&plain(setup), rules, luck), sights: Mutex::default() }
    }

    fn join(&mut self, rules: &Rules, player: PlayerId, team: u8) {
        self.arena.join(rules, player, team);
    }

    fn leave(&mut self, rules: &Rules, player: PlayerId) {
        self.arena.leave(rules, player);
    }

    fn step(
        &mut self,
        rules: &Rules,
        commands: &[Command<Controls>],
        events: &mut Vec<ArenaEvent>,
    ) {
        self.arena.step(rules, commands, events);
    }

    fn publish(&self, rows: &mut Rows) {
        self.arena.publish(rows);
        if let Ok(mut sights) = self.sights.lock() {
            let scene = SCENE.get().expect(SET);
            sights.tick(rows, |x, y| scene.focus(x, y));
        }
    }

    fn view(&self, player: PlayerId) -> Focus {
        let focus = self.arena.view(player);
        SCENE.get().expect(SET).focus(focus.x, focus.y)
    }

    fn audience(event: &ArenaEvent) -> Audience {
        Arena::audience(event)
    }

    fn score(&self, player: PlayerId) -> i32 {
        self.arena.score(player)
    }

    fn figures(&self, player: PlayerId) -> Vec<i32> {
        self.arena.figures(player)
    }

    fn expect(
        rules: &Rules,
        kind: usize,
        id: u32,
        before: &[i32],
        after: &mut [i32],
        spawned: &mut Rows,
    ) -> Fate {
        Arena::expect(rules, kind, id, before, after, spawned)
    }
}

/// Serves until it is ended: no computer pilots, no rounds, nothing given up, all in one session.
pub(crate) fn serve(scene: Scene, address: SocketAddr) -> Result<()> {
    SCENE.get_or_init(|| scene);
    let flags = format!(
        "gamekeeper --bind {address} --pilots 0 --round-seconds 0 --overload no --seed {SEED} --max-players {} --log warn",
        Config::MAX_PLAYERS.max(scene.players())
    );
    let loaded = config::load(flags.split(' ').map(Into::into), &[]).map_err(|e| anyhow!("{e}"))?;
    server::runtime()?.block_on(run(&loaded.config))
}

/// As the `server` program does it, but for signals.
async fn run(config: &Config) -> Result<()> {
    let logs = Logs::install(config)?;
    let listeners = Listeners::open(&config.reach)?;
    Server::of::<Staged>(config, &ARENA)?.with_logs(logs).run(listeners, pending()).await
}
