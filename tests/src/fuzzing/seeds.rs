//! Honest inputs for the targets, out of the recorded session: where mutations begin, and the corpus of
//! libFuzzer.

use super::server_message::{KNOWN_MESSAGES, act, forge};
use super::{Targets, empty_delta, http};
use shared::game::{Game, Tick};
use shared::netcode::frame::{TYPE_KEYFRAME, TYPE_MASK};
use shared::wire::input;
use shared::wire::message::{self, ClientMessage, Difference, Hello, Look, ServerMessage};
use shared::wire::{Rows, Said, SeatToken};
use std::path::{Path, PathBuf};

/// Inputs of the recorded guest among the seeds.
const INPUTS: usize = 4;
/// Recorded messages that one seed lets through.
const REAL_MESSAGES: usize = 40;

/// Recorded frames that one seed has as forged ones.
const FORGED_FRAMES: usize = 30;

/// Frames behind the keyframe of a seed that is about the last ticks there can be.
const RUN_OVER_TICKS: usize = 8;

/// Control messages of a server in the order of their numbers.
const CONTROL_NAMES: [&str; 15] = [
    "welcome",
    "roster",
    "standings",
    "chat",
    "event",
    "pong",
    "history",
    "about",
    "phase",
    "begin",
    "results",
    "emote",
    "host",
    "dropped",
    "whereabouts",
];

/// What an input is about, and its bytes.
pub type Seed = (String, Vec<u8>);

/// Where the corpus of a target is kept.
pub fn corpus_folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target)
}

fn seed(name: &str, bytes: Vec<u8>) -> Seed {
    (name.to_owned(), bytes)
}

impl<G: Game> Targets<G> {
    /// For [`Self::client_message`].
    pub fn client_message_seeds(&self) -> Vec<Seed> {
        let control = |message| Said::Control(message).write(&self.protocol);
        let hello = |seat| {
            let hello = Hello::new(self.protocol.hash, "Zoë 👾 \u{202e}");
            ClientMessage::Hello(Hello { seat, ..hello })
        };
        let difference = Difference { kind: 0, id: 7, field: 3, had: -9, is: 4000 };
        let mut seeds = vec![
            seed("hello", control(hello(None))),
            seed("hello_with_seat", control(hello(Some(SeatToken([7; 16]))))),
            seed(
                "chat",
                control(ClientMessage::Chat { team: true, text: " good\tgame\u{301} ".into() }),
            ),
            seed("resync", control(ClientMessage::Resync { tick: 70_000, mismatch: true })),
            seed("mismatch", control(ClientMessage::Mismatch { tick: 70_000, difference })),
            seed("look", control(ClientMessage::Look(Look::Place { x: -9, y: 1 << 19 }))),
            seed("watch", control(ClientMessage::Watch(true))),
            seed("team", control(ClientMessage::Team(2))),
            seed("emote", control(ClientMessage::Emote(7))),
            seed("ping", control(ClientMessage::Ping { nonce: 300 })),
        ];
        // Those of a lively player: ticks apart, with other keys and aims.
        let inputs = self.said.iter().filter(|m| m[0] == input::TYPE);
        let some = inputs.step_by(self.said.len() / INPUTS).take(INPUTS).enumerate();
        seeds.extend(some.map(|(n, bytes)| seed(&format!("input_{n}"), bytes.clone())));
        seeds
    }

    /// For [`Self::frame`].
    pub fn frame_seeds(&self) -> Vec<Seed> {
        let next = |(n, baseline): (usize, &super::Baseline)| {
            let bytes = [&[n as u8], &baseline.next[..]].concat();
            (format!("delta_{n}"), bytes)
        };
        let mut seeds: Vec<_> = self.baselines.iter().enumerate().map(next).collect();
        let keyframe = self.keyframe();
        let nothing = self.baselines.len() as u8;
        seeds.push(seed("keyframe_before_all", [&[nothing], keyframe].concat()));
        seeds.push(seed("keyframe_of_an_older_tick", [&[1], keyframe].concat()));
        seeds
    }

    /// For [`Self::server_message`].
    pub fn server_message_seeds(&self) -> Vec<Seed> {
        let real = vec![act::REAL; REAL_MESSAGES];
        let slow = real.iter().flat_map(|&act| [act, act::TIME, 1]).collect();
        let welcome = forge(&self.heard[0]);
        let keyframe = forge(self.keyframe());
        let silence = [&[act::REAL, act::TIME, 255, act::TIME, 30], &real[..4]].concat();
        let again = [&[act::HELLO, act::TIME, 2], &welcome[..], &keyframe].concat();
        let mut seeds = vec![
            seed("real_messages", real.clone()),
            seed("real_messages_slowly", slow),
            seed("a_long_silence", silence),
            seed("welcome", welcome),
            seed("keyframe_again", keyframe),
            seed("another_connection", again),
            seed("ticks_run_over", self.ticks_run_over()),
        ];
        // No session that is recorded here stands still. Nothing stands still for four years.
        for (name, ticks) in [("dropped", 25), ("dropped_for_ever", u32::MAX)] {
            let dropped = forge(&message::encode_control(&ServerMessage::Dropped { ticks }));
            seeds.push(seed(name, [&real[..2], &dropped, &[act::TIME, 2], &real[..2]].concat()));
        }
        // The frames that would come next, as forged ones, and one of each kind of control message.
        let is_frame = |m: &&Vec<u8>| m[0] != message::TYPE;
        let frames = self.heard[KNOWN_MESSAGES..].iter().filter(is_frame).take(FORGED_FRAMES);
        seeds.push(seed("frames", frames.flat_map(|frame| forge(frame)).collect()));
        for message in self.heard.iter().filter(|m| !is_frame(m)) {
            let name = CONTROL_NAMES[usize::from(message[1])];
            if seeds.iter().all(|(other, _)| *other != name) {
                seeds.push(seed(name, forge(message)));
            }
        }
        seeds
    }

    /// The seeds of every target, by its name.
    pub fn all_seeds(&self) -> [(&'static str, Vec<Seed>); 4] {
        [
            ("client_message", self.client_message_seeds()),
            ("server_message", self.server_message_seeds()),
            ("frame", self.frame_seeds()),
            ("http", http::seeds()),
        ]
    }

    /// A keyframe shortly before the last tick that there can be, and frames from there on.
    fn ticks_run_over(&self) -> Vec<u8> {
        let mut keyframe = self.keyframe().to_vec();
        let mut tick = Tick::MAX - 2;
        keyframe[1..5].copy_from_slice(&tick.to_le_bytes());
        let mut rows = Rows::new(G::KINDS);
        let nothing = Rows::default();
        self.decode(&nothing, None, &keyframe, &mut rows).expect("as sent");
        let mut bytes = forge(&keyframe);
        for _ in 0..RUN_OVER_TICKS {
            let delta = empty_delta::<G>(tick, &rows);
            let before = core::mem::replace(&mut rows, Rows::new(G::KINDS));
            self.decode(&before, Some(tick), &delta, &mut rows).expect("a frame that says nothing");
            tick = tick.wrapping_add(1);
            bytes.extend([&forge(&delta)[..], &[act::TIME, 1]].concat());
        }
        bytes
    }

    fn keyframe(&self) -> &[u8] {
        let is_keyframe = |m: &&Vec<u8>| m[0] & TYPE_MASK == TYPE_KEYFRAME;
        self.heard.iter().find(is_keyframe).expect("the first frame is one")
    }
}
