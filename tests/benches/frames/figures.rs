//! What is measured, and how it is printed.

use crate::others::{varint_difference, whole_view};
use crate::{Running, Scenario, Took, is_true};
use shared::arena::Arena;
use shared::game::Game;
use shared::netcode::frame::{FrameBits, PAST_TICKS, TYPE_KEYFRAME, TYPE_MASK, ViewList};
use std::time::{Duration, Instant};

/// How often somebody misses ticks.
const GAP_EVERY: u32 = 20;
/// Missed ticks whose catching up is measured.
const GAPS: [usize; 5] = [1, 2, 4, 8, PAST_TICKS];

/// Sizes in bytes of one way of coding.
#[derive(Default)]
pub(crate) struct Sizes {
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
pub(crate) struct Figures {
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
    pub(crate) mismatches: u64,
    aside: Vec<ViewList>,
    caught_up: [Sizes; GAPS.len()],
    afresh: Sizes,
}

impl Figures {
    pub(crate) fn took(&mut self, took: &Took, alone: Duration) {
        self.step += took.step;
        self.compare += took.compare;
        self.grid += took.grid;
        self.encode += took.encode;
        self.encode_alone += alone;
    }

    pub(crate) fn decode_all(&mut self, running: &mut Running, measured: bool) {
        for index in 0..running.viewers.len() {
            let frame = running.frame(index).to_vec();
            let viewer = &mut running.viewers[index];
            let before = viewer.client.newest().map(|(tick, rows)| (tick, rows.clone()));
            let started = Instant::now();
            let read =
                viewer.client.take::<Arena>(&running.rules, &frame).expect("an honest frame");
            let decoded = started.elapsed();
            let (tick, rows) = viewer.client.newest().expect("taken");
            let exact = tick == running.changes.tick() && is_true(rows, running.changes.now());
            self.mismatches += u64::from(!exact);
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

    pub(crate) fn keyframes(&mut self, running: &mut Running) {
        let Running { viewers, interest, game, changes, encoder, .. } = running;
        for viewer in viewers.iter() {
            let mut bytes = Vec::new();
            let sight = interest.sight(viewer.id, game.view(viewer.id));
            let mut list = ViewList::new();
            encoder.frame(&mut list, changes, &sight, true, None, &mut bytes);
            self.keyframes.all.push((bytes.len() * 100 / list.len().max(1)) as u32);
        }
    }

    /// What it takes to bring somebody up to date who missed some ticks. Every [`GAP_EVERY`] ticks the lists
    /// are put aside, and brought to later ticks.
    pub(crate) fn gaps(&mut self, running: &mut Running, tick: u32) {
        if tick.is_multiple_of(GAP_EVERY) {
            self.aside = running.viewers.iter().map(|v| v.list.clone()).collect();
        }
        let missed = (tick % GAP_EVERY) as usize;
        let Some(gap) = GAPS.iter().position(|&gap| gap + 1 == missed) else { return };
        let Running { viewers, interest, game, changes, encoder, .. } = running;
        for (viewer, aside) in viewers.iter().zip(&self.aside) {
            let focus = game.view(viewer.id);
            let (mut list, mut bytes) = (aside.clone(), Vec::new());
            for ago in (1..missed).rev() {
                let step = changes.step_ago(ago).expect("as many are kept");
                let sight = interest.sight_ago(ago, viewer.id, focus);
                encoder.catch_up(&mut list, Arena::KINDS, step, &sight, &mut bytes);
            }
            let sight = interest.sight(viewer.id, focus);
            encoder.frame(&mut list, changes, &sight, false, Some(0.5), &mut bytes);
            self.caught_up[gap].all.push(bytes.len() as u32);
            bytes.clear();
            encoder.frame(&mut ViewList::new(), changes, &sight, true, None, &mut bytes);
            self.afresh.all.push(bytes.len() as u32);
        }
    }

    pub(crate) fn print(&mut self, scenario: &Scenario, ticks: u32) {
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
        line("rule-coded frames", mean, self.frames.p99(), per_viewer(self.encode));
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
        println!("  keyframe: {:.2} B per entity in view", self.keyframes.mean() / 100.0);
        let caught_up: Vec<String> = GAPS
            .iter()
            .zip(&self.caught_up)
            .map(|(gap, sizes)| format!("{gap}: {:.0} B", sizes.mean()))
            .collect();
        println!(
            "  after missed ticks: {}; a keyframe: {:.0} B",
            caught_up.join(", "),
            self.afresh.mean()
        );
        println!(
            "  of that what changed {:.1} ns per entity, what enters and leaves {:.2} µs per viewer; decode {:.1} ns per entity",
            alone / visible,
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
