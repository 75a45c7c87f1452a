//! What every door does: netcode's client of some game, and messages that wait for the socket.

use crate::{news, panics};
use shared::game::{Game, PlayerId};
use shared::netcode::client;
use shared::wire::input;
use shared::wire::message::{ClientMessage, Hello, LOOK_UNITS_MAX, Look};
use std::collections::VecDeque;

/// How many [`Player::figures`] there are.
pub const FIGURES: usize = 22;

/// One player of `G` at one page. Times are the page's `performance.now()`, in milliseconds.
pub struct Player<G: Game> {
    /// The client.
    pub client: client::Client<G>,
    /// Messages that wait for the socket and must not be lost.
    held: VecDeque<Vec<u8>>,
}

impl<G: Game> Player<G> {
    /// A client that will introduce itself as `name`, which the server cleans or refuses.
    pub fn new(name: &str) -> Self {
        panics::tell();
        Self { client: client::Client::new(name), held: VecDeque::new() }
    }

    /// A WebSocket has opened: forgets the last connection and gives the first message to send.
    pub fn hello(&mut self, now: f64) -> Vec<u8> {
        self.held.clear();
        self.client.hello(now)
    }

    /// A binary message has come. False when the page can go on no more: it is of another build than the server.
    pub fn receive(&mut self, bytes: &[u8], now: f64) -> bool {
        // What cannot be read is counted, and a keyframe asked for where that helps; a page can do no
        // more about it.
        let _ = self.client.receive(bytes, now);
        !self.client.is_outdated()
    }

    /// The next message to send, until there is none. With `hold` the socket is behind: inputs made
    /// meanwhile are dropped, as the server would only find them late, and all else waits.
    pub fn outgoing(&mut self, hold: bool) -> Option<Vec<u8>> {
        if !hold {
            return self.held.pop_front().or_else(|| self.client.outgoing());
        }
        while let Some(message) = self.client.outgoing() {
            if message.first() != Some(&input::TYPE) {
                self.held.push_back(message);
            }
        }
        None
    }

    /// The next piece of news as a JSON object, see [`news`].
    pub fn news(&mut self) -> Option<String> {
        std::iter::from_fn(|| self.client.news()).find_map(|piece| news::to_json::<G>(&piece))
    }

    /// What is known of the connection, in the order of `STATS` in `www/rows.js`: ping, jitter, age of the newest rows,
    /// earliness of inputs, all ms; corrections, keyframes, mismatches, frames, bytes; how far behind others are drawn,
    /// ms; ticks per second; late inputs; messages that could not be read; inputs; and of the bytes those of frames, by
    /// what they are for: head, drops, steering, changes, enters, checksum; ticks of the last message; in how many ticks
    /// an input is sent.
    pub fn figures(&self) -> [f64; FIGURES] {
        let s = self.client.stats();
        [
            s.ping_ms,
            s.jitter_ms,
            s.frame_age_ms,
            s.input_margin_ms,
            s.corrections as f64,
            s.keyframes as f64,
            s.mismatches as f64,
            s.frames as f64,
            s.bytes as f64,
            s.playback_delay_ms,
            f64::from(s.tick_rate),
            s.late_inputs as f64,
            s.refused as f64,
            s.inputs as f64,
            s.frame_bits.head as f64 / 8.0,
            s.frame_bits.drops as f64 / 8.0,
            s.frame_bits.steering as f64 / 8.0,
            s.frame_bits.changes as f64 / 8.0,
            s.frame_bits.enters as f64 / 8.0,
            s.frame_bits.checksum as f64 / 8.0,
            f64::from(s.together),
            f64::from(s.input_every),
        ]
    }
}

/// What a player says, whatever the game: who they are, and all that is no input.
pub trait Talk {
    /// How the player introduces themselves; to be changed before `hello`.
    fn introduction(&mut self) -> &mut Hello;

    /// Says something that is no input.
    fn say(&mut self, message: &ClientMessage);

    /// By what this browser is known again, 32 hexadecimal digits; to be said before `hello`. What is none
    /// is not said.
    fn set_visitor(&mut self, hex: &str) {
        self.introduction().visitor = hex.parse().unwrap_or_default();
    }

    /// The secret of the session's host, 32 hexadecimal digits; to be said before `hello`.
    fn set_host(&mut self, hex: &str) {
        self.introduction().host = hex.parse().ok();
    }

    /// Whether to come as a spectator; to be said before `hello`.
    fn set_watch(&mut self, watch: bool) {
        self.introduction().watch = watch;
    }

    /// Says a line to everybody, or to the own team.
    fn chat(&mut self, text: &str, team: bool) {
        self.say(&ClientMessage::Chat { team, text: text.to_owned() });
    }

    /// Wants to watch, or to play.
    fn watch(&mut self, watch: bool) {
        self.say(&ClientMessage::Watch(watch));
    }

    /// Wants to be in this team, from 1.
    fn team(&mut self, team: u8) {
        self.say(&ClientMessage::Team(team));
    }

    /// Looks at whoever leads, while watching.
    fn look_at_leader(&mut self) {
        self.say(&ClientMessage::Look(Look::Leader));
    }

    /// Looks at a player, while watching.
    fn look_at_player(&mut self, player: u16) {
        self.say(&ClientMessage::Look(Look::Player(PlayerId(player))));
    }

    /// Looks at a place in units, while watching: at the nearest that one may look at.
    fn look_at_place(&mut self, x: f32, y: f32) {
        // A float that is none becomes 0.
        let whole = |units: f32| (units as i32).clamp(-LOOK_UNITS_MAX, LOOK_UNITS_MAX);
        self.say(&ClientMessage::Look(Look::Place { x: whole(x), y: whole(y) }));
    }
}

impl<G: Game> Talk for Player<G> {
    fn introduction(&mut self) -> &mut Hello {
        self.client.introduction()
    }

    fn say(&mut self, message: &ClientMessage) {
        self.client.say(message);
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use shared::game::{Command, PlayerId, Setup};
    use shared::netcode::frame::{Changes, Encoder, Part, Parts, Sight, ViewList};
    use shared::wire::message::{ServerMessage, encode, encode_control};
    use shared::wire::{Kind, SeatToken};

    /// Everything is in view.
    struct Everything(&'static [Kind], Vec<Vec<u32>>);

    impl Sight for Everything {
        fn keeps(&self, _kind: usize, _slot: u32) -> bool {
            true
        }

        fn offer(&self, which: Part, mut visit: impl FnMut(usize, u32)) {
            for kind in Parts::of(self.0).kinds(which) {
                self.1[kind].iter().for_each(|&slot| visit(kind, slot));
            }
        }
    }

    /// What a server says first to `me`, who is alone in a world of its first tick: the welcome and a frame.
    pub(crate) fn first_messages<G: Game>(me: PlayerId, settings: G::Settings) -> [Vec<u8>; 2] {
        let setup = Setup::new(settings, 4, 30);
        let rules = G::rules(&setup).expect("the usual settings");
        let mut game = G::new(&setup, &rules, setup.seed);
        game.join(&rules, me, 0);
        game.step(&rules, &[Command { player: me, input: G::Input::default() }], &mut Vec::new());
        let mut changes = Changes::new(G::KINDS);
        changes.advance::<G>((1, 0), &rules, |rows| game.publish(rows));
        let (mut frame, mut list) = (Vec::new(), ViewList::new());
        let slots = (0..G::KINDS.len()).map(|kind| changes.slots(kind).to_vec());
        let everything = Everything(G::KINDS, slots.collect());
        Encoder::new().frame(&mut list, &mut changes, &everything, true, None, &mut frame);
        let (name, setup, seat) = ("Ann".to_owned(), encode(&setup), SeatToken([9; 16]));
        let welcome = ServerMessage::Welcome { player: me, name, tick: 1, setup, seat };
        [encode_control(&welcome), frame]
    }
}
