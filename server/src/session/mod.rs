//! One running game that people join: synchronous, without a clock, a socket or a lock. Comes in: what
//! the session is [told](door::ToSession), and ticks. Goes out: one frame per player and tick, and
//! messages, into each player's [`Outbox`].
//!
//! A session is a function of its setup and of what it was told, by tick: nothing enters except
//! through [`Session::handle`] and [`Session::tick`].
//!
//! In the order of the flow: [`settings`] are what people choose, `config` is what a session is opened with. All that
//! it is told comes through the [`door`]. `members` lets people in and out and has computer pilots fill up; `players`
//! has everybody's seat and the link to who is here, `pilots` flies for the others. A tick begins with who goes and
//! comes: `inactive` has players watch who do nothing, `teams` keeps teams even, [`rounds`] begins a world or ends one
//! with a [`result`]. `commands` makes everybody's command of the inputs that came; `flow` heard what they confirm.
//! What the game then publishes is the `world`: what changed, and in [`interest`] who may see what. What is told
//! beside frames goes through `talk` (`roster` and `standings` are its own, `chunk` is their memory) or `whereabouts`
//! and waits in each player's `mailbox`. `frames` sends both, where `flow` has the window open, and no more than
//! `ease` leaves to a slow line and [`restraint`] to an overloaded server. `healing` is for clients whose rows went
//! wrong.
//!
//! Beside it: `watching` is who only looks, `past` what they see where that is delayed. `hosting` does what the
//! [`acts`] of host and operator are; `allowance` bounds how often somebody does what costs something. [`recording`]
//! keeps a round to be looked at, `checkpoint` a session to go on with; [`inspect`] shows it to the operator,
//! [`status`] to whoever is not in it. `parting` ends it when the server is about to stop.

pub mod acts;
mod allowance;
mod checkpoint;
mod chunk;
mod commands;
mod config;
pub mod door;
mod ease;
mod flow;
mod frames;
mod healing;
mod hosting;
mod inactive;
pub mod inspect;
pub mod interest;
mod mailbox;
mod members;
mod parting;
mod past;
mod pilots;
mod players;
pub mod recording;
pub mod restraint;
pub mod result;
mod roster;
pub mod rounds;
pub mod settings;
mod standings;
pub mod status;
mod talk;
mod teams;
mod watching;
mod whereabouts;
mod world;

use crate::metrics::{Depth, Measure, Stage};
pub(crate) use checkpoint::LAYOUT as CHECKPOINT_LAYOUT;
pub use config::{Counts, Provided, SessionConfig};
use door::{ConnectionId, Outbox, ToSession};
use frames::{FrameWriter, Viewer};
use healing::Complaints;
use hosting::Hosting;
use parting::Parting;
pub use parting::{MOVING, STOPPING};
use past::Past;
use pilots::Pilots;
pub use players::SEAT_GRACE_SECONDS;
use players::{Player, Players};
use recording::{Recorded, Recorder};
use restraint::Restraint;
use result::RoundResult;
use rounds::{Finished, Rounds};
use settings::Mode;
use shared::game::{Command, Focus, Game, PlayerId, Setup, Tick};
use shared::netcode::frame::Changes;
use shared::wire::HostSecret;
use shared::wire::close::CloseCode;
use status::Status;
use std::sync::Arc;
use talk::{ChatVerdict, Talk};
use watching::Places;
use world::World;

/// What a round's world follows from.
pub(crate) struct Terms<G: Game> {
    pub(crate) setup: Setup<G::Settings>,
    pub(crate) rules: G::Rules,
}

/// One running game.
pub struct Session<G: Game, O: Outbox> {
    config: SessionConfig<G::Settings>,
    /// What it becomes with the next round.
    next: Option<SessionConfig<G::Settings>>,
    terms: Arc<Terms<G>>,
    /// What happens by chance in this round follows from it.
    luck: u64,
    game: G,
    tick: Tick,
    players: Players<G::Input, O>,
    pilots: Pilots<G>,
    commands: Vec<Command<G::Input>>,
    events: Vec<G::Event>,
    world: World,
    frames: FrameWriter,
    talk: Talk,
    rounds: Rounds,
    finished: Option<Finished>,
    hosting: Hosting,
    locked: bool,
    /// What is given up, as the server is overloaded.
    restraint: Restraint,
    /// What frames took lately on average, in bytes per player and tick.
    usual_bytes: f32,
    /// The most ticks that somebody's next frame has to catch up on.
    lacking: usize,
    /// What spectators see, where that is delayed.
    past: Option<Past<G>>,
    places: Places,
    /// Since when nobody has been here.
    idle_since: Option<Tick>,
    /// Set while nobody is back since it went on from a checkpoint.
    awaits_people: bool,
    /// Whether a round has just ended, and everybody is to see how they stood.
    ranks_anew: bool,
    /// Set once the server is about to stop.
    parting: Option<Parting>,
    /// Why it is over.
    ended: Option<(CloseCode, &'static str)>,
    results: Vec<RoundResult>,
    /// The round that is on, where rounds are recorded.
    recorder: Option<Recorder>,
    recorded: Vec<Recorded>,
    counts: Counts,
    complaints: Complaints,
}

impl<G: Game, O: Outbox> Session<G, O> {
    /// Opens a session before its first tick. Errors with a sentence when the game refuses its settings.
    pub fn new(config: SessionConfig<G::Settings>) -> Result<Self, String> {
        let setup = config.setup.clone();
        let rules = G::rules(&setup)?;
        let mut session = Self {
            game: G::new(&setup, &rules, config.luck),
            pilots: Pilots::new(config.luck),
            talk: Talk::new(setup.tick_rate),
            rounds: Rounds::new(config.round_s),
            finished: None,
            hosting: Hosting::new(config.provided.host),
            terms: Arc::new(Terms { setup, rules }),
            luck: config.luck,
            config,
            next: None,
            tick: 0,
            players: Players::new(),
            commands: Vec::new(),
            events: Vec::new(),
            world: World::new(G::KINDS),
            frames: FrameWriter::new(),
            locked: false,
            restraint: Restraint::default(),
            usual_bytes: 0.0,
            lacking: 0,
            past: None,
            places: Places::default(),
            idle_since: None,
            awaits_people: false,
            ranks_anew: false,
            parting: None,
            ended: None,
            results: Vec::new(),
            recorder: None,
            recorded: Vec::new(),
            counts: Counts::default(),
            complaints: Complaints::default(),
        };
        session.past_begins();
        Ok(session)
    }

    /// Ticks per second.
    pub fn tick_rate(&self) -> u16 {
        self.config.setup.tick_rate
    }

    /// The newest tick that was stepped.
    pub fn tick_now(&self) -> Tick {
        self.tick
    }

    /// How many people play or watch, those included who are away; computer pilots are not counted.
    pub fn players(&self) -> usize {
        self.players.len()
    }

    /// How many of them watch.
    pub fn spectators(&self) -> usize {
        self.players.watching()
    }

    /// How many of them are away: their connections were lost and their seats are kept.
    pub fn away(&self) -> usize {
        self.players.len() - self.players.here()
    }

    /// What the session shows of itself.
    pub fn status(&self) -> Status {
        let rate = u32::from(self.config.setup.tick_rate);
        let (phase, phase_left_s) = self.rounds.status(self.tick, rate);
        let host = self.hosting.player.and_then(|host| self.players.get(host));
        let teams = self.terms.setup.teams > 0;
        Status {
            name: self.config.name.clone(),
            mode: if teams { Mode::Teams } else { Mode::FreeForAll },
            public: self.config.public,
            locked: self.locked,
            players: self.players.playing() as u16,
            max_players: self.config.players_max as u16,
            pilots: self.pilots.len() as u16,
            spectators: self.players.watching() as u16,
            max_spectators: self.config.spectators_max as u16,
            tick_rate: self.config.setup.tick_rate,
            round: self.rounds.round,
            phase,
            phase_left_s,
            host: host.map(|player| player.name.clone()),
        }
    }

    /// Who shows this is the host; `None` where nobody can be.
    pub fn host(&self) -> Option<HostSecret> {
        self.hosting.secret
    }

    /// Results of rounds that ended since the last call.
    pub fn take_results(&mut self) -> Vec<RoundResult> {
        core::mem::take(&mut self.results)
    }

    /// Whether the session is over, with what its people are told.
    pub fn over(&self) -> Option<(CloseCode, &'static str)> {
        self.ended
    }

    /// How many computer pilots fly.
    pub fn pilots(&self) -> usize {
        self.pilots.len()
    }

    /// What happened so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// How it stands, for the metrics.
    pub fn measure(&self) -> Measure {
        let (mut outboxes, mut mailboxes) = (Depth::default(), Depth::default());
        for link in self.players.links() {
            outboxes.add(link.outbox.waiting());
            mailboxes.add(link.mailbox.len());
        }
        Measure {
            counts: self.counts,
            away: self.away() as u32,
            outboxes,
            mailboxes,
            restraint: self.restraint,
            room: None,
        }
    }

    /// The rules of this session.
    pub fn rules(&self) -> &G::Rules {
        &self.terms.rules
    }

    /// What a player looks at.
    pub fn focus(&self, player: PlayerId) -> Focus {
        let size = self.game.view(PlayerId::NOBODY);
        let watching = self.players.get(player).and_then(|player| player.watching);
        match watching {
            Some(mut watching) => {
                watching::focus(&mut watching, self.leader_shown(), &self.places, size)
            }
            None => self.game.view(player),
        }
    }

    /// What a player's line is given: ticks per message, and the share of the view's width and height that
    /// is shown. `None` for nobody who is here.
    pub fn given(&self, player: PlayerId) -> Option<(u32, f32)> {
        let ease = self.players.get(player)?.link.as_ref()?.flow.ease();
        Some((ease.ticks_per_message(), ease.reach()))
    }

    /// How many points a player has.
    pub fn score(&self, player: PlayerId) -> i32 {
        self.game.score(player)
    }

    /// Whether somebody watches rather than plays.
    pub fn is_watching(&self, player: PlayerId) -> bool {
        self.players.get(player).is_some_and(|player| player.watching.is_some())
    }

    /// The world as spectators' frames have it, for tests and tools.
    pub fn shown_to_spectators(&self) -> &Changes {
        &self.past.as_ref().map_or(&self.world, |past| &past.world).changes
    }

    /// The world as its players' frames have it, for tests and tools.
    pub fn world(&self) -> &Changes {
        &self.world.changes
    }

    /// Takes what somebody said. `at`: when it arrived, in ticks since the session's start; the step of
    /// tick N is at N.
    pub fn handle(&mut self, told: ToSession<O>, at: f64) {
        match told {
            ToSession::Join(newcomer) => self.join(*newcomer),
            ToSession::Input { connection, message } => self.input(connection, &message, at),
            ToSession::Chat { connection, team, text } => {
                self.hear(connection, |talk, player, tick| talk.chat(player, tick, team, &text));
            }
            ToSession::Emote { connection, emote } => {
                self.hear(connection, |talk, player, tick| talk.emote(player, tick, emote));
            }
            ToSession::Look { connection, look } => self.look(connection, look),
            ToSession::Watch { connection, watch } => self.wants_to_watch(connection, watch),
            ToSession::Team { connection, team } => self.wants_team(connection, team),
            ToSession::Act(act) => self.act(act),
            ToSession::Inspect(what) => self.inspect(what),
            ToSession::Announce { text } => self.announce(&text),
            ToSession::Part { seconds } => self.part_within(seconds),
            ToSession::Restrain(restraint) => self.restraint = restraint,
            ToSession::Dropped { ticks } => self.tell_of_dropped(ticks),
            ToSession::Resync { connection, tick, mismatch } => {
                self.resync(connection, tick, mismatch);
            }
            ToSession::Mismatch { connection, tick, difference } => {
                self.mismatch(connection, tick, &difference);
            }
            ToSession::Leave { connection, keeps_seat } => self.leave(connection, keeps_seat),
        }
    }

    /// One tick: inputs, step, rows, views, frames, outboxes.
    pub fn tick(&mut self) {
        self.tick_in_laps(&mut |_| {});
    }

    /// One tick; `lap` is called at the end of each stage, by whoever has a clock.
    pub fn tick_in_laps(&mut self, lap: &mut dyn FnMut(Stage)) {
        self.free_lost_seats();
        self.unseat_the_inactive();
        self.fill_up();
        self.turn_rounds();
        lap(Stage::Seats);
        self.gather_commands();
        lap(Stage::Inputs);
        self.tick = self.tick.wrapping_add(1);
        if self.stands_still() {
            self.rounds.put_off();
        } else {
            self.game.step(&self.terms.rules, &self.commands, &mut self.events);
        }
        lap(Stage::Step);
        let game = &self.game;
        let at = (self.tick, self.lacking);
        self.world.publish::<G>(at, &self.terms.rules, |rows| game.publish(rows));
        lap(Stage::Publish);
        self.world.sort();
        lap(Stage::Interest);
        self.talk();
        lap(Stage::Talk);
        self.send_frames();
        self.record();
        lap(Stage::Frames);
        self.drop_the_unresponsive();
        self.look_for_life();
        self.part();
        lap(Stage::Seats);
    }

    /// Tells everybody why and ends every connection.
    pub fn stop(&mut self, code: CloseCode, reason: &str) {
        for link in self.players.links_mut() {
            link.outbox.close(code, reason);
        }
        let everybody: Vec<_> = self.players.iter().map(|p| p.id).collect();
        everybody.into_iter().for_each(|player| self.free(player));
    }

    /// Somebody says something, or shows a sign.
    fn hear(
        &mut self,
        connection: ConnectionId,
        say: impl FnOnce(&mut Talk, &mut Player<G::Input, O>, Tick) -> ChatVerdict,
    ) {
        let Some(player) = self.players.at_mut(connection) else { return };
        player.activity.act(self.tick);
        match say(&mut self.talk, player, self.tick) {
            ChatVerdict::Heard | ChatVerdict::Warned => {}
            ChatVerdict::Flooding => {
                let reason = "Too much chat in too short a time.";
                self.expel(connection, CloseCode::Kicked, reason, false);
            }
        }
    }

    /// What was said and what happened goes into mailboxes: encoded once, handed to everybody.
    fn talk(&mut self) {
        // Shots that were in the air when a round ended fly on, and change nothing of how it ended.
        let still = self.rounds.is_still();
        for event in self.events.drain(..).filter(|_| !still) {
            self.talk.event::<G>(self.tick, &event);
        }
        let ended = core::mem::take(&mut self.ranks_anew);
        let ranks = ended || (!still && self.talk.is_ranking_due(self.tick));
        if ranks {
            let people = self.players.iter().filter(|p| p.watching.is_none()).map(|p| p.id);
            let all = people.chain(self.pilots.ids()).map(|id| (self.game.score(id), id));
            self.talk.rank(all, self.team_points());
        }
        let late = self.show_the_past(ranks);
        if self.talk.deliver(self.tick, &mut self.players, late.as_ref()) {
            self.summarise();
        }
        self.tell_whereabouts();
    }

    /// A frame for everybody whose window is open.
    fn send_frames(&mut self) {
        let tick_ms = 1000.0 / f64::from(self.config.setup.tick_rate);
        let leader = self.leader_shown();
        let size = self.game.view(PlayerId::NOBODY);
        if self.players.watching() > 0 {
            let shown = self.past.as_ref().map_or(&self.world, |past| &past.world);
            self.places.look(G::KINDS, shown.changes.now());
        }
        let (mut lately, mut links) = (0.0, 0_u16);
        self.lacking = 0;
        for player in self.players.iter_mut() {
            let Some(link) = &mut player.link else { continue };
            // Calm is a view in which no more happens than in most.
            let (watches, calm) = (player.watching.is_some(), link.lately <= self.usual_bytes);
            let together = self.restraint.ticks_per_message(watches, calm);
            link.flow.ease_mut().hold(together, self.restraint.reach());
            (lately, links) = (lately + link.lately, links + 1);
            link.flow.tick(tick_ms);
            let (world, focus) = match &mut player.watching {
                None => (&mut self.world, self.game.view(player.id)),
                Some(watching) => {
                    let past = self.past.as_mut().map(|past| &mut past.world);
                    let focus = watching::focus(watching, leader, &self.places, size);
                    (past.unwrap_or(&mut self.world), focus)
                }
            };
            let viewer = Viewer { player: player.id, focus, watches };
            self.frames.send(link, &mut player.inputs, world, viewer, &mut self.counts);
            self.lacking = self.lacking.max(link.lacks());
        }
        self.usual_bytes = lately / f32::from(links.max(1));
    }

    /// A session in which nobody has been for long is over.
    fn look_for_life(&mut self) {
        if self.config.provided.idle_s == 0 || self.is_anybody_here() {
            self.idle_since = None;
            return;
        }
        let since = *self.idle_since.get_or_insert(self.tick);
        if self.tick.wrapping_sub(since) >= self.config.ticks(self.config.provided.idle_s) {
            self.ended = Some((CloseCode::Ended, "Nobody was here any more."));
        }
    }
}
