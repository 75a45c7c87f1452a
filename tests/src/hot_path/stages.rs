//! The stages of a tick, each by itself, in a world that follows a script.

use super::script::Script;
use super::{ArenaRules, Input, SEED, setup};
use server::session::interest::Interest;
use shared::arena::{Arena, ArenaEvent};
use shared::game::{Command, Game, PlayerId, Tick};
use shared::netcode::frame::{Changes, Encoder, ViewList};
use shared::wire::{Row, Rows};

/// How many ticks early inputs come, as frames tell.
const MARGIN_TICKS: f64 = 0.75;

/// A world without seats and connections.
pub struct Stages<'a> {
    script: &'a Script,
    rules: ArenaRules,
    game: Arena,
    tick: Tick,
    commands: Vec<Command<Input>>,
    events: Vec<ArenaEvent>,
    changes: Changes,
    interest: Interest,
    encoder: Encoder,
    lists: Vec<ViewList>,
    bytes: Vec<u8>,
}

impl<'a> Stages<'a> {
    /// Everybody has joined, and no tick was yet.
    pub fn new(script: &'a Script) -> Self {
        let (setup, rules) = (setup(script.ships), script.rules());
        let mut game = Arena::new(&setup, &rules, SEED);
        (0..script.ships).for_each(|player| game.join(&rules, PlayerId(player), 0));
        let list = |_| ViewList::new();
        Self {
            script,
            rules,
            game,
            tick: 0,
            commands: Vec::new(),
            events: Vec::new(),
            changes: Changes::new(Arena::KINDS),
            interest: Interest::new(Arena::KINDS),
            encoder: Encoder::new(),
            lists: (0..script.ships).map(list).collect(),
            bytes: Vec::new(),
        }
    }

    /// Whether a tick is left.
    pub fn goes_on(&self) -> bool {
        self.tick < self.script.ticks
    }

    /// A whole tick.
    pub fn tick(&mut self) {
        self.steer();
        self.step();
        self.publish();
        self.interest();
        self.frames();
    }

    /// The tick begins, with what everybody said after the last one.
    pub fn steer(&mut self) {
        self.tick += 1;
        let said = if self.tick > 1 { self.script.said_after(self.tick - 1) } else { &[] };
        let input = |player| said.get(usize::from(player)).map(|said| Input::read(said.fields()));
        let command =
            |player| Command { player: PlayerId(player), input: input(player).unwrap_or_default() };
        self.commands.clear();
        self.commands.extend((0..self.script.ships).map(command));
        self.events.clear();
    }

    /// The game's step.
    #[inline(never)]
    pub fn step(&mut self) {
        self.game.step(&self.rules, &self.commands, &mut self.events);
    }

    /// The world becomes rows, which are compared with the last tick's.
    #[inline(never)]
    pub fn publish(&mut self) {
        let game = &self.game;
        self.changes.advance::<Arena>((self.tick, 0), &self.rules, |rows| game.publish(rows));
    }

    /// The world is sorted for views.
    #[inline(never)]
    pub fn interest(&mut self) {
        self.interest.rebuild(&self.changes);
    }

    /// Everybody's frame is written, by what each may see.
    #[inline(never)]
    pub fn frames(&mut self) {
        self.bytes.clear();
        for (player, list) in (0..).map(PlayerId).zip(&mut self.lists) {
            let sight = self.interest.sight(player, self.game.view(player));
            let (changes, out) = (&mut self.changes, &mut self.bytes);
            self.encoder.frame(list, changes, &sight, false, Some(MARGIN_TICKS), out);
        }
    }

    /// Bytes of the last tick's frames.
    pub fn frame_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// How many entities everybody has in view together.
    pub fn in_view(&self) -> usize {
        self.lists.iter().map(ViewList::len).sum()
    }

    /// The world as it is now.
    pub fn world(&self) -> &Rows {
        self.changes.now()
    }
}
