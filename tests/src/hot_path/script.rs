//! What everybody said and was sent. Recorded once from a real session whose clients decode their frames and
//! whose brains think about them; the session that is told the same again does the same again.

use super::replay::{connection, open};
use super::{ANSWER_TICKS, ArenaRules, Input, setup};
use crate::network::MemoryOutbox;
use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use server::session::Session;
use server::session::door::ToSession;
use shared::arena::{Arena, ArenaBrain};
use shared::game::{Brain, Game, PlayerId, Tick, View};
use shared::netcode::history::History;
use shared::wire::field::FIELDS_MAX;
use shared::wire::input::{self, InputMessage};
use shared::wire::message;
use shared::wire::{Row, Rows};
use std::fs;
use std::path::Path;

/// All that was said and sent in a session.
#[derive(Debug, PartialEq)]
pub struct Script {
    /// How many ships.
    pub ships: u16,
    /// How many ticks.
    pub ticks: u32,
    /// What each player said after each tick, by tick and player.
    said: Vec<InputMessage>,
    /// The frames that each player was sent.
    streams: Vec<Vec<Bytes>>,
}

/// A player of the recording.
struct Client {
    outbox: MemoryOutbox,
    history: History,
    brain: ArenaBrain,
    frames: Vec<Bytes>,
}

impl Script {
    /// Plays so many ticks with so many ships.
    pub fn record(ships: u16, ticks: u32) -> Self {
        let client = |player: u16| Client {
            outbox: MemoryOutbox::default(),
            history: History::new(Arena::KINDS),
            brain: ArenaBrain::new(u64::from(player) + 1),
            frames: Vec::new(),
        };
        let mut clients: Vec<_> = (0..ships).map(client).collect();
        let mut session = open(ships, |player| clients[usize::from(player)].outbox.clone());
        let mut said = Vec::new();
        for _ in 0..ticks {
            session.tick();
            let first = said.len();
            for (player, client) in (0..).zip(&mut clients) {
                said.push(client.answer(PlayerId(player), session.rules()));
            }
            tell(&mut session, &said[first..]);
        }
        let streams = clients.into_iter().map(|client| client.frames).collect();
        Self { ships, ticks, said, streams }
    }

    /// What everybody said after a tick, by player.
    pub(super) fn said_after(&self, tick: Tick) -> &[InputMessage] {
        let all = usize::from(self.ships);
        &self.said[(tick as usize - 1) * all..][..all]
    }

    /// How many frames everybody was sent together, and how many bytes.
    pub fn frames(&self) -> (u64, u64) {
        let all = || self.streams.iter().flatten();
        (all().count() as u64, all().map(|frame| frame.len() as u64).sum())
    }

    /// The frames that one player was sent.
    pub fn stream(&self, player: u16) -> &[Bytes] {
        &self.streams[usize::from(player)]
    }

    /// All that one player was sent as `determinism_wasm::decode` takes it, with the arena's side in units.
    pub fn stream_in_one(&self, player: u16) -> (u32, Vec<u8>) {
        let mut out = Vec::new();
        self.stream(player).iter().for_each(|frame| put(&mut out, frame));
        (setup(self.ships).settings.size, out)
    }

    /// The rules of the session.
    pub fn rules(&self) -> ArenaRules {
        Arena::rules(&setup(self.ships)).expect("settings that make sense")
    }

    /// Decodes all that one player was sent, as its client does; what it has in the end.
    #[inline(never)]
    pub fn decode(&self, rules: &ArenaRules, player: u16) -> (Tick, Rows) {
        let mut history = History::new(Arena::KINDS);
        for frame in self.stream(player) {
            history.take::<Arena>(rules, frame).expect("an honest frame");
        }
        let (tick, rows) = history.newest().expect("a frame was decoded");
        (tick, rows.clone())
    }

    /// Writes it into a file.
    pub fn save(&self, path: &Path) -> anyhow::Result<()> {
        let mut out = Vec::new();
        out.extend_from_slice(&u32::from(self.ships).to_le_bytes());
        out.extend_from_slice(&self.ticks.to_le_bytes());
        for said in &self.said {
            let mut bytes = Vec::new();
            said.encode(Input::FIELDS, &mut bytes);
            put(&mut out, &bytes);
        }
        for stream in &self.streams {
            out.extend_from_slice(&(stream.len() as u32).to_le_bytes());
            stream.iter().for_each(|frame| put(&mut out, frame));
        }
        fs::write(path, out).with_context(|| format!("{}", path.display()))
    }

    /// Reads what [`Self::save`] wrote.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("{}", path.display()))?;
        let mut rest = &bytes[..];
        let ships = u16::try_from(number(&mut rest)?)?;
        let ticks = number(&mut rest)?;
        let mut said = Vec::new();
        for _ in 0..ticks as usize * usize::from(ships) {
            let message = take(&mut rest)?;
            ensure!(message.first() == Some(&input::TYPE), "not an input");
            said.push(InputMessage::decode(&message[1..], Input::FIELDS)?);
        }
        let mut streams = Vec::new();
        for _ in 0..ships {
            let frames =
                (0..number(&mut rest)?).map(|_| take(&mut rest).map(Bytes::copy_from_slice));
            streams.push(frames.collect::<anyhow::Result<_>>()?);
        }
        ensure!(rest.is_empty(), "more than a script");
        Ok(Self { ships, ticks, said, streams })
    }
}

impl Client {
    /// Decodes what came, and says what the brain makes of it, in the tick that follows.
    fn answer(&mut self, me: PlayerId, rules: &ArenaRules) -> InputMessage {
        for bytes in self.outbox.drain() {
            if bytes[0] != message::TYPE {
                self.history.take::<Arena>(rules, &bytes).expect("an honest frame");
                self.frames.push(bytes);
            }
        }
        let (tick, rows) = self.history.newest().expect("a frame in every tick");
        let input = self.brain.think(rules, &View { tick, me, rows });
        let mut fields = [0; FIELDS_MAX];
        let fields = &mut fields[..Input::FIELDS.len()];
        input.write(fields);
        InputMessage::new(tick + 1, tick as u8, fields)
    }
}

/// Tells a session what everybody said after its newest tick.
pub(super) fn tell<O: server::session::door::Outbox>(
    session: &mut Session<Arena, O>,
    said: &[InputMessage],
) {
    let at = f64::from(session.tick_now()) + ANSWER_TICKS;
    for (player, &message) in (0..).zip(said) {
        session.handle(ToSession::Input { connection: connection(player), message }, at);
    }
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(bytes);
}

fn number(rest: &mut &[u8]) -> anyhow::Result<u32> {
    let Some((first, others)) = rest.split_first_chunk() else { bail!("it ends too early") };
    *rest = others;
    Ok(u32::from_le_bytes(*first))
}

fn take<'a>(rest: &mut &'a [u8]) -> anyhow::Result<&'a [u8]> {
    let len = number(rest)? as usize;
    let Some((first, others)) = rest.split_at_checked(len) else { bail!("it ends too early") };
    *rest = others;
    Ok(first)
}
