//! Every decoder against any bytes. Comes in: bytes. Goes out: whether they were taken, or a panic that
//! says what does not hold.
//!
//! libFuzzer's targets in `fuzz/` and the tests in `tests/hostile_bytes.rs` call the same functions. They
//! work on a session that is recorded anew by every process, so that no change of the protocol or of a
//! game's rules leaves them with bytes of yesterday. [`seeds`] gives honest inputs to begin with, and
//! [`mutate`] spoils them.

pub mod http;
pub mod mutate;
pub mod seeds;
mod server_message;

use crate::world::World;
use server::session::settings::PilotCount;
use server::session::{Provided, SessionConfig};
use shared::game::{Game, Setup, Tick};
use shared::netcode::conditions::Conditions;
use shared::netcode::frame::{self, Decoded, NO_MARGIN, Parts, TYPE_DELTA};
use shared::netcode::going_on::GoingOn;
use shared::netcode::history::History;
use shared::wire::bits::BitWriter;
use shared::wire::message::{self, CHAT_BYTES_MAX, ClientMessage, NAME_CHARS_MAX};
use shared::wire::{HostSecret, Protocol, Rows, Said, Treatment, WireError};

/// Of the recorded session; its rules follow from it.
const SEED: u64 = 77;
/// Computer pilots in it.
const PILOTS: usize = 60;
/// How long it is, in ms.
const RECORDED_MS: f64 = 8000.0;
/// Recorded frames between two that can be decoded against, at most.
const BASELINE_EVERY: usize = 20;
/// Empty deltas that follow on a frame that was taken: what it says goes on by the rules.
const GOES_ON_TICKS: usize = 8;
/// Rows that one row may leave behind in a tick, itself included: a ship fires a few shots at most.
const ROWS_PER_ROW_MAX: usize = 8;

/// What all targets of a game share.
pub struct Targets<G: Game> {
    protocol: Protocol,
    rules: G::Rules,
    /// What a guest was sent: the welcome, a keyframe, and so on.
    heard: Vec<Vec<u8>>,
    /// What the guest said.
    said: Vec<Vec<u8>>,
    /// Some ticks of the guest's and their rows.
    baselines: Vec<Baseline>,
}

/// A tick that frames are decoded against.
struct Baseline {
    tick: Tick,
    rows: Rows,
    /// The frame that really came next.
    next: Vec<u8>,
}

impl<G: Game> Default for Targets<G> {
    fn default() -> Self {
        Self::new()
    }
}

impl<G: Game> Targets<G> {
    /// Records a lively session.
    pub fn new() -> Self {
        let setup = Setup::new(G::Settings::default(), SEED, 30);
        let pilots = PilotCount::FillUpTo(PILOTS as u16);
        let host = HostSecret([7; 16]);
        let provided = Provided { host: Some(host), ..Provided::default() };
        let config = SessionConfig::new(setup.clone());
        let mut world =
            World::<G>::open(SessionConfig { round_s: 3600, pilots, provided, ..config });
        let guest = world.join_as("guest", Conditions::default(), |hello| hello.host = Some(host));
        world.guests[guest].records = true;
        world.run(RECORDED_MS);
        world.guests[guest].client.chat("good game", false);
        world.guests[guest].client.say(&ClientMessage::Emote(1));
        world.run(RECORDED_MS / 10.0);
        let rules = G::rules(&setup).expect("default settings");
        let heard = core::mem::take(&mut world.guests[guest].recorded);
        let said = core::mem::take(&mut world.guests[guest].said);
        let baselines = baselines::<G>(&rules, &heard);
        Self { protocol: Protocol::of::<G>(), rules, heard, said, baselines }
    }

    /// What the server reads: a message comes back as it was, and an input has one spelling.
    pub fn client_message(&self, bytes: &[u8]) -> bool {
        let Ok(said) = Said::read(bytes, &self.protocol) else { return false };
        let again = said.write(&self.protocol);
        assert_eq!(Said::read(&again, &self.protocol).as_ref(), Ok(&said), "from {bytes:?}");
        match &said {
            Said::Input(message) => {
                assert_eq!(again, bytes, "an input with two spellings");
                let in_range = |(field, &value): (&shared::wire::Field, _)| field.contains(value);
                assert!(self.protocol.input.iter().zip(message.fields()).all(in_range));
            }
            Said::Control(message) => {
                assert!(again.len() <= bytes.len(), "{message:?} has a shorter spelling than ours");
                check_texts(message);
            }
        }
        true
    }

    /// What a client makes of a frame. The first byte picks what it is decoded against, the rest is the
    /// frame. Decoding is a function of its arguments, leads to rows in their ranges, and they can go on.
    pub fn frame(&self, bytes: &[u8]) -> bool {
        let Some((&pick, frame)) = bytes.split_first() else { return false };
        let nothing = Rows::default();
        let baseline = self.baselines.get(usize::from(pick) % (self.baselines.len() + 1));
        let (tick, before) = baseline.map_or((None, &nothing), |b| (Some(b.tick), &b.rows));
        let mut rows = Rows::new(G::KINDS);
        let decoded = self.decode(before, tick, frame, &mut rows);
        // What the rows' memory held before makes no difference.
        let mut again = baseline.map_or_else(|| Rows::new(G::KINDS), |b| b.rows.clone());
        let twice = self.decode(before, tick, frame, &mut again);
        assert_eq!(decoded, twice);
        let Ok((decoded, used)) = decoded else { return false };
        assert!(rows == again, "the same frame led to other rows");
        let parts = decoded.bits;
        let told = parts.head + parts.drops + parts.steering + parts.changes + parts.enters;
        assert_eq!(told + parts.checksum, used as u64 * 8, "bits that nobody accounted for");
        check_rows::<G>(&rows, ROWS_PER_ROW_MAX * before.len() + frame.len());
        self.goes_on(decoded.tick, rows);
        true
    }

    /// Reads the frame at the front of `bytes`; tells as well how many of them it took.
    fn decode(
        &self,
        before: &Rows,
        tick: Option<Tick>,
        bytes: &[u8],
        rows: &mut Rows,
    ) -> Result<(Decoded, usize), WireError> {
        let (mut going, mut rest) = (GoingOn::new(G::KINDS), bytes);
        let decoded = frame::decode::<G>(&self.rules, &mut going, before, tick, &mut rest, rows)?;
        Ok((decoded, bytes.len() - rest.len()))
    }

    /// Frames that say nothing follow: whatever the rows are, the rules take them on.
    fn goes_on(&self, mut tick: Tick, mut rows: Rows) {
        for _ in 0..GOES_ON_TICKS {
            let mut next = Rows::new(G::KINDS);
            let frame = empty_delta::<G>(tick, &rows);
            let decoded = self.decode(&rows, Some(tick), &frame, &mut next);
            let (decoded, _) = decoded.expect("a frame that says nothing");
            assert_eq!(decoded.tick, tick.wrapping_add(1));
            check_rows::<G>(&next, ROWS_PER_ROW_MAX * rows.len());
            (tick, rows) = (decoded.tick, next);
        }
    }
}

fn baselines<G: Game>(rules: &G::Rules, heard: &[Vec<u8>]) -> Vec<Baseline> {
    let mut history = History::new(G::KINDS);
    let mut baselines = Vec::new();
    let frames: Vec<_> = heard.iter().filter(|m| m[0] != message::TYPE).collect();
    for (n, pair) in frames.windows(2).enumerate() {
        history.take::<G>(rules, pair[0]).expect("as sent");
        if n % BASELINE_EVERY == 0 {
            let (tick, rows) = history.newest().expect("just taken");
            baselines.push(Baseline { tick, rows: rows.clone(), next: pair[1].clone() });
        }
    }
    baselines
}

/// The frame after `tick` in which everything goes on as it is expected to.
fn empty_delta<G: Game>(tick: Tick, rows: &Rows) -> Vec<u8> {
    let mut frame = Vec::new();
    let mut writer = BitWriter::new(&mut frame);
    writer.put(u64::from(TYPE_DELTA), 3);
    writer.put(u64::from(tick.wrapping_add(1)) & 31, 5);
    writer.put(u64::from(NO_MARGIN as u8), 8);
    let parts = Parts::of(G::KINDS);
    for which in parts.all() {
        for kind in parts.kinds(which) {
            let count = rows.table(kind).len();
            if count == 0 {
                continue;
            }
            // None is dropped.
            writer.golomb(0, 0);
            match G::KINDS[kind].treatment {
                Treatment::Static => {}
                Treatment::Steered { .. } => (0..count).for_each(|_| writer.put(0, 2)),
                Treatment::Ballistic | Treatment::Plain => writer.golomb(0, 0),
            }
        }
        // Nothing enters.
        writer.flag(false);
    }
    // No checksum.
    writer.flag(false);
    writer.finish();
    frame
}

/// Rows are within their fields' ranges, in the order of their ids, and no more than so many.
fn check_rows<G: Game>(rows: &Rows, most: usize) {
    for (table, spec) in rows.tables().iter().zip(G::KINDS) {
        assert!(table.ids().is_sorted(), "{}", spec.name);
        for (id, row) in table.iter() {
            assert!(spec.contains(row), "{} {id} is {row:?}", spec.name);
        }
    }
    assert!(rows.len() <= most, "{} rows, and at most {most} could be", rows.len());
}

/// What the server makes of names and lines is short, and stays as it is when it is cleaned once more.
fn check_texts(message: &ClientMessage) {
    match message {
        ClientMessage::Hello(hello) => {
            let name = &hello.name;
            let Some(clean) = message::clean_name(name) else { return };
            assert!((1..=NAME_CHARS_MAX).contains(&clean.chars().count()), "{clean:?}");
            assert_eq!(message::clean_name(&clean).as_ref(), Some(&clean), "of {name:?}");
        }
        ClientMessage::Chat { text, .. } => {
            let Some(clean) = message::clean_chat(text) else { return };
            assert!((1..=CHAT_BYTES_MAX).contains(&clean.len()), "{clean:?}");
            assert_eq!(message::clean_chat(&clean).as_ref(), Some(&clean), "of {text:?}");
        }
        ClientMessage::Resync { .. }
        | ClientMessage::Ping { .. }
        | ClientMessage::Mismatch { .. }
        | ClientMessage::Look(_)
        | ClientMessage::Watch(_)
        | ClientMessage::Team(_)
        | ClientMessage::Emote(_) => {}
    }
}
