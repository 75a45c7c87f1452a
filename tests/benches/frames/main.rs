//! Bytes and time per frame: the arena's real rules, flown by its brain, with the real comparison, views,
//! encoder and decoder, beside two plain ways of sending the same views. Every frame is decoded, and
//! compared with the world to the bit.
//!
//! ```sh
//! cargo bench -p tests --bench frames                    # scenarios A, B and C
//! cargo bench -p tests --bench frames -- A 300           # one of them, so many ticks
//! cargo bench -p tests --bench frames -- soak 10000000   # so many frames of B, decoded and compared
//! ```

mod figures;
mod others;

use figures::Figures;
use server::session::interest::Interest;
use shared::arena::{Arena, Settings};
use shared::game::{Brain, Command, Game, PlayerId, Setup, View};
use shared::netcode::frame::{Changes, Encoder, PAST_TICKS, Part, Sight, ViewList};
use shared::netcode::history::History;
use shared::wire::Rows;
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

/// Frames of a soak unless told otherwise.
const SOAK_FRAMES: u64 = 10_000_000;

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

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let number = arguments.get(1).and_then(|n| n.parse().ok());
    if arguments.first().is_some_and(|first| first == "soak") {
        return soak(&SCENARIOS[1], number.unwrap_or(SOAK_FRAMES));
    }
    for scenario in &SCENARIOS {
        if arguments.first().is_none_or(|name| name == scenario.name) {
            let ticks = number.map_or(scenario.ticks, |n| n as u32);
            measure(scenario, ticks);
        }
    }
}

/// A scenario at work.
struct Running {
    rules: <Arena as Game>::Rules,
    game: Arena,
    viewers: Vec<Viewer>,
    changes: Changes,
    interest: Interest,
    encoder: Encoder,
    /// Of the last tick: all viewers' frames, and where each ends.
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// What a tick's parts took.
#[derive(Default)]
struct Took {
    step: Duration,
    compare: Duration,
    grid: Duration,
    encode: Duration,
}

impl Running {
    fn new(scenario: &Scenario) -> Self {
        let settings = Settings { size: scenario.size, ..Settings::default() };
        let setup = Setup::new(settings, 2026, 30);
        let rules = Arena::rules(&setup).expect("settings that make sense");
        let mut game = Arena::new(&setup, &rules, setup.seed);
        let viewer = |n| {
            game.join(&rules, PlayerId(n), 0);
            Viewer {
                id: PlayerId(n),
                brain: Brain::new(u64::from(n) + 1),
                list: ViewList::new(),
                client: History::new(Arena::KINDS),
            }
        };
        Self {
            viewers: (0..scenario.ships).map(viewer).collect(),
            rules,
            game,
            changes: Changes::new(Arena::KINDS),
            interest: Interest::new(Arena::KINDS),
            encoder: Encoder::new(),
            bytes: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Everybody thinks, the world moves, and everybody's frame is written.
    fn tick(&mut self, tick: u32) -> Took {
        let commands: Vec<_> = self.viewers.iter_mut().map(|v| v.think(&self.rules)).collect();
        let mut events = Vec::new();
        let started = Instant::now();
        self.game.step(&self.rules, &commands, &mut events);
        let stepped = Instant::now();
        let game = &self.game;
        self.changes.advance::<Arena>((tick, PAST_TICKS), &self.rules, |rows| game.publish(rows));
        let compared = Instant::now();
        self.interest.rebuild(&self.changes);
        let gridded = Instant::now();
        self.bytes.clear();
        self.ends.clear();
        let (encoder, changes, out) = (&mut self.encoder, &mut self.changes, &mut self.bytes);
        for viewer in &mut self.viewers {
            let sight = self.interest.sight(viewer.id, self.game.view(viewer.id));
            encoder.frame(&mut viewer.list, changes, &sight, false, Some(0.5), out);
            self.ends.push(out.len());
        }
        Took {
            step: stepped - started,
            compare: compared - stepped,
            grid: gridded - compared,
            encode: gridded.elapsed(),
        }
    }

    fn frame(&self, viewer: usize) -> &[u8] {
        let start = if viewer == 0 { 0 } else { self.ends[viewer - 1] };
        &self.bytes[start..self.ends[viewer]]
    }
}

fn measure(scenario: &Scenario, ticks: u32) {
    let mut running = Running::new(scenario);
    let mut figures = Figures::default();
    for tick in 1..=WARM_UP_TICKS + ticks {
        let lists: Vec<ViewList> = running.viewers.iter().map(|v| v.list.clone()).collect();
        let took = running.tick(tick);
        let measured = tick > WARM_UP_TICKS;
        if measured {
            let alone = encode_without_looking(lists, &mut running);
            figures.took(&took, alone);
        }
        figures.decode_all(&mut running, measured);
        if measured && tick % 30 == 0 {
            figures.keyframes(&mut running);
        }
        figures.gaps(&mut running, tick);
    }
    figures.print(scenario, ticks);
    assert_eq!(figures.mismatches, 0, "every frame is exact");
}

/// Decodes so many frames and compares each with the world.
fn soak(scenario: &Scenario, frames: u64) {
    let mut running = Running::new(scenario);
    let (mut tick, mut decoded, mut bytes) = (0, 0, 0);
    while decoded < frames {
        tick += 1;
        running.tick(tick);
        bytes += running.bytes.len() as u64;
        for index in 0..running.viewers.len() {
            let frame = running.frame(index).to_vec();
            let viewer = &mut running.viewers[index];
            viewer.client.take::<Arena>(&running.rules, &frame).expect("an honest frame");
            let (of, rows) = viewer.client.newest().expect("taken");
            assert!(of == tick && is_true(rows, running.changes.now()), "tick {tick} of {index}");
            decoded += 1;
        }
    }
    println!("{decoded} frames of {} decoded and exact, {bytes} bytes", scenario.name);
}

/// Whether every row is the world's row.
fn is_true(view: &Rows, world: &Rows) -> bool {
    view.tables().iter().zip(world.tables()).all(|(mine, all)| {
        mine.iter().all(|(id, row)| all.find(id).is_some_and(|i| all.row(i) == row))
    })
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

    fn offer(&self, _: Part, _: impl FnMut(usize, u32)) {}
}

/// Encodes the last tick once more, for lists as they were before it.
fn encode_without_looking(mut lists: Vec<ViewList>, running: &mut Running) -> Duration {
    let mut bytes = Vec::with_capacity(2 * running.bytes.len());
    let (encoder, changes) = (&mut running.encoder, &mut running.changes);
    let started = Instant::now();
    for list in &mut lists {
        encoder.frame(list, changes, &NothingNew, false, Some(0.5), &mut bytes);
    }
    black_box(&bytes);
    started.elapsed()
}
