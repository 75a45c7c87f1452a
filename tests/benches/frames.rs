//! Bytes and time per frame: the arena's real rules, flown by its brain, with the real comparison, views,
//! encoder and decoder, beside two plain ways of sending the same views. Every frame is decoded, and
//! compared with the world to the bit.
//!
//! ```sh
//! cargo bench -p tests --bench frames            # scenarios A, B and C
//! cargo bench -p tests --bench frames -- A 300   # one of them, so many ticks
//! ```

use server::session::interest::Interest;
use shared::arena::{Arena, Settings};
use shared::game::{Brain, Command, Game, PlayerId, Setup, Tick, View};
use shared::netcode::frame::{
    Changes, Encoder, FrameBits, Sight, TYPE_KEYFRAME, TYPE_MASK, ViewList,
};
use shared::netcode::history::History;
use shared::wire::bits::zigzag;
use shared::wire::{Rows, message};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Ticks before anything is measured: ships spread and meet.
const WARM_UP_TICKS: u32 = 150;

struct Scenario {
    name: &'static str,
    ships: u16,
    /// Side of the arena, u.
    size: u32,
    ticks: u32,
}

/// The densities of the trials that the targets come from: 14, 15 and 33 ships in a view.
const SCENARIOS: [Scenario; 3] = [
    Scenario { name: "A", ships: 100, size: 3600, ticks: 900 },
    Scenario { name: "B", ships: 1000, size: 11_380, ticks: 240 },
    Scenario { name: "C", ships: 1000, size: 7550, ticks: 240 },
];

struct Viewer {
    id: PlayerId,
    brain: <Arena as Game>::Brain,
    list: ViewList,
    client: History,
}

/// Sizes in bytes of one way of coding.
#[derive(Default)]
struct Sizes {
    all: Vec<u32>,
}

impl Sizes {
    fn mean(&self) -> f64 {
        self.all.iter().map(|&n| f64::from(n)).sum::<f64>() / self.all.len().max(1) as f64
    }

    fn p99(&mut self) -> u32 {
        self.all.sort_unstable();
        self.all.get(self.all.len() * 99 / 100).copied().unwrap_or(0)
    }
}

#[derive(Default)]
struct Figures {
    frames: Sizes,
    keyframes: Sizes,
    bincode: Sizes,
    varints: Sizes,
    purposes: FrameBits,
    visible: u64,
    pairs: u64,
    step: Duration,
    compare: Duration,
    grid: Duration,
    encode: Duration,
    encode_alone: Duration,
    decode: Duration,
    bincode_time: Duration,
    varint_time: Duration,
    mismatches: u64,
}

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    for scenario in &SCENARIOS {
        if arguments.first().is_some_and(|name| name != scenario.name) {
            continue;
        }
        let ticks = arguments.get(1).and_then(|n| n.parse().ok()).unwrap_or(scenario.ticks);
        run(scenario, ticks);
    }
}

fn run(scenario: &Scenario, ticks: u32) {
    let settings = Settings { size: scenario.size, ..Settings::default() };
    let setup = Setup::new(settings, 2026, 30);
    let rules = Arena::rules(&setup).expect("settings that make sense");
    let mut game = Arena::new(&setup, &rules);
    let mut viewers: Vec<Viewer> = (0..scenario.ships)
        .map(|n| {
            game.join(&rules, PlayerId(n));
            Viewer {
                id: PlayerId(n),
                brain: Brain::new(u64::from(n) + 1),
                list: ViewList::new(Arena::KINDS.len()),
                client: History::new(Arena::KINDS),
            }
        })
        .collect();
    let mut changes = Changes::new(Arena::KINDS);
    let mut interest = Interest::new(Arena::KINDS);
    let mut figures = Figures::default();
    let mut encoder = Encoder::new();
    let mut bytes = Vec::new();
    let mut events = Vec::new();
    for tick in 1..=WARM_UP_TICKS + ticks {
        let commands: Vec<_> = viewers.iter_mut().map(|v| v.think(&rules)).collect();
        let started = Instant::now();
        game.step(&rules, &commands, &mut events);
        let stepped = Instant::now();
        events.clear();
        changes.advance::<Arena>(tick, &rules, |rows| game.publish(rows));
        let compared = Instant::now();
        interest.rebuild(&changes);
        let gridded = Instant::now();

        let measured = tick > WARM_UP_TICKS;
        let lists: Vec<ViewList> =
            if measured { viewers.iter().map(|v| v.list.clone()).collect() } else { Vec::new() };
        bytes.clear();
        let mut ends = Vec::with_capacity(viewers.len());
        let encode_started = Instant::now();
        for viewer in &mut viewers {
            let sight = interest.sight(viewer.id, game.view(viewer.id));
            let list = &mut viewer.list;
            encoder.frame(list, &mut changes, &sight, false, Some(0.5), &mut bytes);
            ends.push(bytes.len());
        }
        let encoded = encode_started.elapsed();
        if measured {
            figures.step += stepped - started;
            figures.compare += compared - stepped;
            figures.grid += gridded - compared;
            figures.encode += encoded;
            figures.encode_alone += encode_without_looking(lists, &mut changes);
        }
        figures.decode_all(&rules, &mut viewers, &changes, &bytes, &ends, measured);
        if measured && tick % 30 == 0 {
            figures.keyframes(&mut changes, &interest, &game, &viewers);
        }
    }
    figures.print(scenario, ticks);
    assert_eq!(figures.mismatches, 0, "every frame is exact");
}

impl Viewer {
    fn think(&mut self, rules: &<Arena as Game>::Rules) -> Command<<Arena as Game>::Input> {
        let input = match self.client.newest() {
            Some((tick, rows)) => self.brain.think(rules, &View { tick, me: self.id, rows }),
            None => Default::default(),
        };
        Command { player: self.id, input }
    }
}

/// Sees what it has and nothing new: what is left of encoding without the interest step.
struct NothingNew;

impl Sight for NothingNew {
    fn keeps(&self, _: usize, _: u32) -> bool {
        true
    }

    fn offer(&self, _: &mut dyn FnMut(usize, u32)) {}
}

fn encode_without_looking(mut lists: Vec<ViewList>, changes: &mut Changes) -> Duration {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new();
    let started = Instant::now();
    for list in &mut lists {
        encoder.frame(list, changes, &NothingNew, false, Some(0.5), &mut bytes);
    }
    black_box(&bytes);
    started.elapsed()
}

impl Figures {
    fn decode_all(
        &mut self,
        rules: &<Arena as Game>::Rules,
        viewers: &mut [Viewer],
        changes: &Changes,
        bytes: &[u8],
        ends: &[usize],
        measured: bool,
    ) {
        let mut start = 0;
        for (viewer, &end) in viewers.iter_mut().zip(ends) {
            let frame = &bytes[start..end];
            start = end;
            let before = viewer.client.newest().map(|(tick, rows)| (tick, rows.clone()));
            let started = Instant::now();
            let read = viewer.client.take::<Arena>(rules, frame).expect("an honest frame");
            let decoded = started.elapsed();
            let (tick, rows) = viewer.client.newest().expect("taken");
            self.mismatches += u64::from(tick != changes.tick() || !is_true(rows, changes.now()));
            if !measured {
                continue;
            }
            self.pairs += 1;
            self.visible += rows.len() as u64;
            self.decode += decoded;
            if frame[0] & TYPE_MASK != TYPE_KEYFRAME {
                self.purposes.add(&read.bits);
                self.frames.all.push(frame.len() as u32);
            }
            let started = Instant::now();
            let full = whole_view(tick, rows);
            self.bincode_time += started.elapsed();
            self.bincode.all.push(full.len() as u32);
            let started = Instant::now();
            let difference = varint_difference(before.as_ref().map(|(_, rows)| rows), rows);
            self.varint_time += started.elapsed();
            self.varints.all.push(difference.len() as u32);
        }
    }

    fn keyframes(
        &mut self,
        changes: &mut Changes,
        interest: &Interest,
        game: &Arena,
        viewers: &[Viewer],
    ) {
        for viewer in viewers {
            let mut bytes = Vec::new();
            let sight = interest.sight(viewer.id, game.view(viewer.id));
            let mut list = ViewList::new(Arena::KINDS.len());
            Encoder::new().frame(&mut list, changes, &sight, true, None, &mut bytes);
            self.keyframes.all.push((bytes.len() * 100 / list.len().max(1)) as u32);
        }
    }

    fn print(&mut self, scenario: &Scenario, ticks: u32) {
        let pairs = self.pairs as f64;
        let visible = self.visible as f64 / pairs;
        let per_viewer = |d: Duration| d.as_nanos() as f64 / pairs;
        let mean = self.frames.mean();
        println!(
            "\n{}: {} ships, {ticks} ticks, {visible:.1} entities in view",
            scenario.name, scenario.ships
        );
        println!(
            "  {:<34} {:>9} {:>7} {:>12} {:>10}",
            "", "B/frame", "p99", "B/entity", "ns/entity"
        );
        let line = |what: &str, mean: f64, p99: u32, ns: f64| {
            println!(
                "  {what:<34} {mean:>9.1} {p99:>7} {:>12.3} {:>10.1}",
                mean / visible,
                ns / visible
            );
        };
        let alone = per_viewer(self.encode_alone);
        line("rule-coded frames", mean, self.frames.p99(), alone);
        line(
            "per-field varint differences",
            self.varints.mean(),
            self.varints.p99(),
            per_viewer(self.varint_time),
        );
        line(
            "full bincode",
            self.bincode.mean(),
            self.bincode.p99(),
            per_viewer(self.bincode_time),
        );
        println!(
            "  {:.1} times smaller than full bincode, {:.1} than varint differences",
            self.bincode.mean() / mean,
            self.varints.mean() / mean
        );
        let part = |bits: u64| bits as f64 / 8.0 / self.frames.all.len() as f64;
        let FrameBits { head, drops, steering, changes, enters, checksum } = self.purposes;
        println!(
            "  of which head {:.1}, drops {:.1}, steering {:.1}, changes {:.1}, enters {:.1}, checksum {:.1}",
            part(head),
            part(drops),
            part(steering),
            part(changes),
            part(enters),
            part(checksum)
        );
        println!("  keyframe: {:.1} B per entity in view", self.keyframes.mean() / 100.0);
        println!(
            "  interest: {:.2} µs per viewer; decode {:.1} ns per entity",
            (per_viewer(self.encode) - alone) / 1000.0,
            per_viewer(self.decode) / visible
        );
        let per_tick = |d: Duration| d.as_secs_f64() * 1000.0 / f64::from(ticks);
        println!(
            "  per tick: step {:.2} ms, compare {:.2} ms, grid {:.3} ms, all frames {:.2} ms",
            per_tick(self.step),
            per_tick(self.compare),
            per_tick(self.grid),
            per_tick(self.encode)
        );
        println!("  {} frames decoded, {} mismatches", self.pairs, self.mismatches);
    }
}

/// Whether every row is the world's row.
fn is_true(view: &Rows, world: &Rows) -> bool {
    view.tables().iter().zip(world.tables()).all(|(mine, all)| {
        mine.iter().all(|(id, row)| all.find_sorted(id).is_some_and(|i| all.row(i) == row))
    })
}

/// The obvious way: the whole view in bincode.
fn whole_view(tick: Tick, rows: &Rows) -> Vec<u8> {
    let tables: Vec<Vec<(u32, &[i32])>> =
        rows.tables().iter().map(|table| table.iter().collect()).collect();
    message::encode(&(tick, tables))
}

/// The usual way: for each entity a mask of the fields that changed and their differences as varints;
/// new ones whole, gone ones by id.
fn varint_difference(before: Option<&Rows>, now: &Rows) -> Vec<u8> {
    let mut out = vec![0; 3];
    for (kind, table) in now.tables().iter().enumerate() {
        let old = before.map(|rows| rows.table(kind));
        for (index, (id, row)) in table.iter().enumerate() {
            let same = old.filter(|old| old.ids().get(index) == Some(&id)).map(|_| index);
            let place = same.or_else(|| old.and_then(|old| old.find(id)));
            let zeros = [0; 31];
            let base = match (old, place) {
                (Some(old), Some(place)) => old.row(place),
                _ => &zeros[..row.len()],
            };
            let mask = (0..row.len()).fold(0, |mask, i| mask | u32::from(base[i] != row[i]) << i);
            if mask == 0 {
                continue;
            }
            leb128(&mut out, if place.is_some() { index as u32 } else { id });
            leb128(&mut out, mask);
            for i in (0..row.len()).filter(|i| mask & 1 << i != 0) {
                leb128(&mut out, zigzag(row[i].wrapping_sub(base[i])));
            }
        }
        let gone =
            old.into_iter().flat_map(|old| old.ids()).filter(|id| table.find(**id).is_none());
        gone.for_each(|&id| leb128(&mut out, id));
    }
    out
}

/// An integer in as few bytes as it needs, seven bits a byte (DWARF 5, section 7.6).
fn leb128(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
