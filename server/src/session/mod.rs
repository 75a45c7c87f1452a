//! One running game that people join: synchronous, without a clock, a socket or a lock. Comes in: what
//! the session is [told](door::ToSession), and ticks. Goes out: one frame per player and tick, and
//! messages, into each player's [`Outbox`].
//!
//! A session is a function of its setup and of what it was told, by tick: nothing enters except
//! through [`Session::handle`] and [`Session::tick`].

pub mod acts;
pub mod door;
mod ease;
mod flow;
mod frames;
mod healing;
pub mod interest;
mod mailbox;
mod members;
mod pilots;
mod players;
pub mod result;
pub mod settings;
pub mod status;
mod talk;

use door::{ConnectionId, Outbox, ToSession};
use frames::FrameWriter;
use healing::Complaints;
use interest::Interest;
use pilots::Pilots;
use players::Players;
pub use players::SEAT_GRACE_SECONDS;
use result::RoundResult;
use settings::PilotCount;
use shared::game::{Command, Focus, Game, LAG_STEPS, PlayerId, Setup, Tick};
use shared::netcode::frame::Changes;
use shared::netcode::inputs::{Offer, PLAYBACK_TICKS_MAX, Source};
use shared::wire::close::CloseCode;
use shared::wire::field::FIELDS_MAX;
use shared::wire::input::InputMessage;
use shared::wire::{Field, HostSecret, Role, Row};
use status::Status;
use talk::Talk;

/// What a session is opened with.
#[derive(Clone, Debug)]
pub struct SessionConfig<S> {
    /// The game's settings, the seed and the tick rate; players are sent this.
    pub setup: Setup<S>,
    /// What the session is called.
    pub name: String,
    /// Whether it is in the list.
    pub public: bool,
    /// The most people who play at once, those included whose seats are kept; a further one is told so.
    pub players_max: usize,
    /// The most people who watch at once.
    pub spectators_max: usize,
    /// By how many seconds what spectators see is delayed.
    pub spectator_delay_s: u32,
    /// How many computer pilots there are.
    pub pilots: PilotCount,
    /// Length of a round, in seconds; 0 is a game without rounds.
    pub round_s: u32,
    /// Whether players may change teams.
    pub switch_teams: bool,
    /// Whether every round has the setup's seed; else only the first, and each further one another that
    /// follows from it.
    pub seeded: bool,
    /// Who shows this is the host; `None` is a session without one.
    pub host: Option<HostSecret>,
    /// A session in which nobody is for this long is over, in seconds; 0 is never.
    pub idle_s: u32,
}

impl<S> SessionConfig<S> {
    /// An endless game of everybody against everybody, without pilots, that never ends by itself.
    pub fn new(setup: Setup<S>) -> Self {
        Self {
            setup,
            name: "Arena".into(),
            public: true,
            players_max: 64,
            spectators_max: 32,
            spectator_delay_s: 0,
            pilots: PilotCount::Always(0),
            round_s: 0,
            switch_teams: true,
            seeded: false,
            host: None,
            idle_s: 0,
        }
    }
}

/// What happened in a session since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages of frames committed, keyframes included.
    pub frames: u64,
    /// Keyframes among them.
    pub keyframes: u64,
    /// How often a player was given ticks that had been withheld, rather than a keyframe.
    pub catch_ups: u64,
    /// Bytes of all frames.
    pub frame_bytes: u64,
    /// Ticks of which a player got no frame at once: the window was shut, the outbox full, or several ticks
    /// share a message.
    pub frames_withheld: u64,
    /// Inputs used in their tick.
    pub inputs_used: u64,
    /// Ticks in which a player's last input was repeated or none was left to repeat.
    pub inputs_missing: u64,
    /// Inputs that came after their tick.
    pub inputs_late: u64,
    /// Inputs dropped because they were a repetition or too far ahead.
    pub inputs_refused: u64,
    /// Keyframes that clients asked for.
    pub resyncs: u64,
    /// Those asked for because a checksum differed.
    pub mismatches: u64,
    /// Fields that clients found wrong then; each is logged with kind and field.
    pub wrong_fields: u64,
}

/// One running game.
pub struct Session<G: Game, O: Outbox> {
    config: SessionConfig<G::Settings>,
    rules: G::Rules,
    game: G,
    tick: Tick,
    players: Players<G::Input, O>,
    pilots: Pilots<G>,
    commands: Vec<Command<G::Input>>,
    events: Vec<G::Event>,
    changes: Changes,
    interest: Interest,
    frames: FrameWriter,
    talk: Talk,
    counts: Counts,
    complaints: Complaints,
}

impl<G: Game, O: Outbox> Session<G, O> {
    /// Opens a session before its first tick. Errors with a sentence when the game refuses its settings.
    pub fn new(config: SessionConfig<G::Settings>) -> Result<Self, String> {
        let rules = G::rules(&config.setup)?;
        Ok(Self {
            game: G::new(&config.setup, &rules),
            pilots: Pilots::new(config.setup.seed),
            talk: Talk::new(config.setup.tick_rate),
            rules,
            config,
            tick: 0,
            players: Players::new(),
            commands: Vec::new(),
            events: Vec::new(),
            changes: Changes::new(G::KINDS),
            interest: Interest::new(G::KINDS),
            frames: FrameWriter::new(),
            counts: Counts::default(),
            complaints: Complaints::default(),
        })
    }

    /// Ticks per second.
    pub fn tick_rate(&self) -> u16 {
        self.config.setup.tick_rate
    }

    /// The newest tick that was stepped.
    pub fn tick_now(&self) -> Tick {
        self.tick
    }

    /// How many people play, those included who are away; computer pilots are not counted.
    pub fn players(&self) -> usize {
        self.players.len()
    }

    /// How many of them are away: their connections were lost and their seats are kept.
    pub fn away(&self) -> usize {
        self.players.len() - self.players.here()
    }

    /// What the session shows of itself.
    pub fn status(&self) -> Status {
        Status::default()
    }

    /// Results of rounds that ended since the last call.
    pub fn take_results(&mut self) -> Vec<RoundResult> {
        Vec::new()
    }

    /// Whether the session is over, and a sentence why: nobody is in it any more.
    pub fn over(&self) -> Option<&'static str> {
        None
    }

    /// How many computer pilots fly.
    pub fn pilots(&self) -> usize {
        self.pilots.len()
    }

    /// What happened so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The rules of this session.
    pub fn rules(&self) -> &G::Rules {
        &self.rules
    }

    /// What a player looks at.
    pub fn focus(&self, player: PlayerId) -> Focus {
        self.game.view(player)
    }

    /// What a player's line is given: ticks per message, and the share of the view's width and height that
    /// is shown. `None` for nobody who is here.
    pub fn given(&self, player: PlayerId) -> Option<(u32, f32)> {
        let player = self.players.iter().find(|p| p.id == player)?;
        let ease = player.link.as_ref()?.flow.ease();
        Some((ease.ticks_per_message(), ease.reach()))
    }

    /// How many points a player has.
    pub fn score(&self, player: PlayerId) -> i32 {
        self.game.score(player)
    }

    /// The world as its players' frames have it, for tests and tools.
    pub fn world(&self) -> &Changes {
        &self.changes
    }

    /// Takes what somebody said. `at`: when it arrived, in ticks since the session's start; the step of
    /// tick N is at N.
    pub fn handle(&mut self, told: ToSession<O>, at: f64) {
        match told {
            ToSession::Join(newcomer) => self.join(*newcomer),
            ToSession::Input { connection, message } => self.input(connection, &message, at),
            ToSession::Chat { connection, text, .. } => self.chat(connection, &text),
            ToSession::Emote { .. }
            | ToSession::Look { .. }
            | ToSession::Watch { .. }
            | ToSession::Team { .. }
            | ToSession::Act(_) => {}
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
        self.free_lost_seats();
        self.fill_up();
        self.gather_commands();
        self.tick = self.tick.wrapping_add(1);
        self.game.step(&self.rules, &self.commands, &mut self.events);
        let game = &self.game;
        self.changes.advance::<G>(self.tick, &self.rules, |rows| game.publish(rows));
        self.interest.rebuild(&self.changes);
        self.talk();
        self.send_frames();
        self.drop_the_unresponsive();
    }

    /// Tells everybody why and ends every connection.
    pub fn stop(&mut self, code: CloseCode, reason: &str) {
        for link in self.players.iter_mut().filter_map(|player| player.link.as_mut()) {
            link.outbox.close(code, reason);
        }
        let everybody: Vec<_> = self.players.iter().map(|p| p.id).collect();
        everybody.into_iter().for_each(|player| self.free(player));
    }

    fn input(&mut self, connection: ConnectionId, message: &InputMessage, at: f64) {
        let Some(player) = self.players.get_mut(connection) else { return };
        // Who has something to do has had the welcome.
        player.shown = None;
        let Some(link) = &mut player.link else { return };
        let tick_ms = 1000.0 / f64::from(self.config.setup.tick_rate);
        let seen = link.flow.acknowledge(message.decoded, message.tick, at, tick_ms);
        let mut fields = [0; FIELDS_MAX];
        let fields = &mut fields[..G::Input::FIELDS.len()];
        fields.copy_from_slice(message.fields());
        let ahead = message.tick.wrapping_sub(seen);
        bound_lag(G::Input::FIELDS, fields, ahead, self.config.setup.rewind_ticks());
        match player.inputs.offer(message.tick, G::Input::read(fields), at) {
            Offer::Kept => {}
            Offer::Late => self.counts.inputs_late += 1,
            Offer::Early | Offer::Repeated => self.counts.inputs_refused += 1,
            Offer::Absurd => {
                let reason = "An input was for a tick minutes away from the session's.";
                self.expel(connection, CloseCode::BadValue, reason, false);
            }
        }
    }

    fn chat(&mut self, connection: ConnectionId, text: &str) {
        let Some(player) = self.players.get_mut(connection) else { return };
        match self.talk.chat(player, self.tick, text) {
            talk::ChatVerdict::Said | talk::ChatVerdict::Warned => {}
            talk::ChatVerdict::Flooding => {
                let reason = "Too much chat in too short a time.";
                self.expel(connection, CloseCode::Kicked, reason, false);
            }
        }
    }

    /// One command for everybody who plays, in order of their numbers.
    fn gather_commands(&mut self) {
        self.commands.clear();
        for player in self.players.iter_mut() {
            let (input, source) = player.inputs.take();
            match source {
                Source::Sent => self.counts.inputs_used += 1,
                // Nobody misses the inputs of a player who is away.
                _ if player.link.is_none() => {}
                Source::Repeated | Source::Idle => self.counts.inputs_missing += 1,
            }
            self.commands.push(Command { player: player.id, input });
        }
        let (game, rules) = (&self.game, &self.rules);
        let (changes, interest) = (&self.changes, &self.interest);
        self.pilots.think(rules, changes, interest, |id| game.view(id), &mut self.commands);
        self.commands.sort_unstable_by_key(|c| c.player);
    }

    /// What was said and what happened goes into mailboxes: encoded once, handed to everybody.
    fn talk(&mut self) {
        for event in self.events.drain(..) {
            self.talk.event(self.tick, &event);
        }
        let (game, players, pilots) = (&self.game, &mut self.players, &self.pilots);
        self.talk.deliver(self.tick, players, pilots, |id: PlayerId| game.score(id));
    }

    /// A frame for everybody whose window is open.
    fn send_frames(&mut self) {
        let tick_ms = 1000.0 / f64::from(self.config.setup.tick_rate);
        for player in self.players.iter_mut() {
            let Some(link) = &mut player.link else { continue };
            link.flow.tick(tick_ms);
            let focus = self.game.view(player.id);
            let world = (&mut self.changes, &self.interest);
            let looks = (player.id, focus);
            self.frames.send(link, &mut player.inputs, world, looks, &mut self.counts);
        }
    }
}

/// Believes no player who claims to see others further in the past than the frames that it confirms allow
/// (`ahead`: from the newest of them to the input's tick), nor than anybody may.
fn bound_lag(table: &[Field], fields: &mut [i32], ahead: Tick, rewind_ticks: u32) {
    let ticks = ahead.saturating_add(PLAYBACK_TICKS_MAX).min(rewind_ticks);
    let most = ticks as i32 * LAG_STEPS as i32;
    for (field, value) in table.iter().zip(fields) {
        if field.role == Role::Lag {
            *value = (*value).min(most);
        }
    }
}
