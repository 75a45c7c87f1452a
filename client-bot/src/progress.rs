//! Tells how a run goes while it goes: a bar where there is a terminal, a plain line now and then where
//! there is none. Comes in: what bots put on the board. Goes out: text on stderr.

use crate::behaviour::Behaviour;
use crate::network::Preset;
use crate::report::Bytes;
use crate::tally::Sort;
use crate::window::{Counts, Times, Window};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::{Deserialize, Serialize};
use shared::netcode::client::Stats;
use std::collections::VecDeque;
use std::io::{IsTerminal, stderr};
use std::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Time between two refreshments of the bar.
pub(crate) const REFRESH: Duration = Duration::from_millis(250);
/// Time between two plain lines.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// Refreshments over which rates are taken: two seconds.
const RATE_SAMPLES: usize = 8;

/// What bots write up as they play; sums over all of them. Nobody waits for anybody here.
#[derive(Debug, Default)]
pub(crate) struct Board {
    playing: AtomicU32,
    present: AtomicU32,
    failed: AtomicU32,
    thrown_out: AtomicU32,
    frames: AtomicU64,
    bytes: AtomicU64,
    inputs: AtomicU64,
    corrections: AtomicU64,
    late_inputs: AtomicU64,
    mismatches: AtomicU64,
    refused: AtomicU64,
    /// Ticks per second of the sessions, the highest where they differ; 0 while nobody knows.
    tick_rate: AtomicU16,
    /// 99 per cent of the last second's frames were no older, in ms; 0 while nobody knows.
    frame_age_p99: AtomicU32,
    /// Times of the last second, by sort of bot.
    windows: [[Times<Window>; Behaviour::ALL.len()]; Preset::ALL.len()],
}

/// What the board says at a moment.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// Bots that are in the game.
    pub(crate) playing: u32,
    /// The same with those that left by themselves and join again.
    pub(crate) present: u32,
    /// Bots that were never let in, so far.
    pub(crate) failed: u32,
    /// Bots that were let in and did not stay, so far.
    pub(crate) thrown_out: u32,
    pub(crate) frames: u64,
    pub(crate) bytes: u64,
    pub(crate) inputs: u64,
    pub(crate) corrections: u64,
    pub(crate) late_inputs: u64,
    pub(crate) mismatches: u64,
    /// Messages that could not be read.
    pub(crate) refused: u64,
    pub(crate) tick_rate: u16,
}

impl Board {
    /// Where bots of a sort take times down.
    pub(crate) fn windows(&self, sort: Sort) -> &Times<Window> {
        &self.windows[sort.preset as usize][sort.behaviour as usize]
    }

    /// The times that came since the last call, by sort of bot.
    pub(crate) fn drain(&self) -> impl Iterator<Item = (Sort, Times<Counts>)> {
        let sorts = Preset::ALL.into_iter().flat_map(|preset| {
            Behaviour::ALL.into_iter().map(move |behaviour| Sort { preset, behaviour })
        });
        sorts.map(|sort| (sort, self.windows(sort).drain()))
    }

    /// A bot was let into a session of `tick_rate` ticks per second.
    pub(crate) fn joined(&self, tick_rate: u16) {
        self.playing.fetch_add(1, Relaxed);
        self.tick_rate.fetch_max(tick_rate, Relaxed);
    }

    /// A bot that was let in plays no more.
    pub(crate) fn left(&self) {
        self.playing.fetch_sub(1, Relaxed);
    }

    /// A bot is there from now on. Not told anew when one that left by itself is back.
    pub(crate) fn arrived(&self) {
        self.present.fetch_add(1, Relaxed);
    }

    /// A bot has lost its line, or its life is over.
    pub(crate) fn departed(&self) {
        self.present.fetch_sub(1, Relaxed);
    }

    /// A bot was thrown out, or failed.
    pub(crate) fn fell_out(&self, thrown_out: bool) {
        let count = if thrown_out { &self.thrown_out } else { &self.failed };
        count.fetch_add(1, Relaxed);
    }

    /// A bot was sent a message with so many frames. Told at once: sums told now and then, by all bots at about the same
    /// moments, would be of longer and shorter times than a second's rate is.
    pub(crate) fn heard(&self, frames: u32, bytes: usize) {
        self.frames.fetch_add(u64::from(frames), Relaxed);
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }

    /// A bot's figures were `before` and are `now`; but for what [`Self::heard`] tells.
    pub(crate) fn saw(&self, before: &Stats, now: &Stats) {
        self.inputs.fetch_add(now.inputs - before.inputs, Relaxed);
        self.corrections.fetch_add(now.corrections - before.corrections, Relaxed);
        self.late_inputs.fetch_add(now.late_inputs - before.late_inputs, Relaxed);
        self.mismatches.fetch_add(now.mismatches - before.mismatches, Relaxed);
        self.refused.fetch_add(now.refused - before.refused, Relaxed);
    }

    /// The last second's frames were, but for one per cent, no older than this, in ms.
    pub(crate) fn frames_were(&self, frame_age_p99: Option<f64>) {
        self.frame_age_p99.store(frame_age_p99.map_or(0, |ms| ms.ceil() as u32), Relaxed);
    }

    /// It stands so, as others have found.
    pub(crate) fn stands(&self, standing: Standing) {
        let Standing { playing, present, failed, thrown_out, frames, bytes, .. } = standing;
        let Standing { inputs, corrections, late_inputs, mismatches, refused, .. } = standing;
        let Standing { tick_rate, .. } = standing;
        self.playing.store(playing, Relaxed);
        self.present.store(present, Relaxed);
        self.failed.store(failed, Relaxed);
        self.thrown_out.store(thrown_out, Relaxed);
        self.frames.store(frames, Relaxed);
        self.bytes.store(bytes, Relaxed);
        self.inputs.store(inputs, Relaxed);
        self.corrections.store(corrections, Relaxed);
        self.late_inputs.store(late_inputs, Relaxed);
        self.mismatches.store(mismatches, Relaxed);
        self.refused.store(refused, Relaxed);
        self.tick_rate.store(tick_rate, Relaxed);
    }

    /// As it stands.
    pub(crate) fn standing(&self) -> Standing {
        Standing {
            playing: self.playing.load(Relaxed),
            present: self.present.load(Relaxed),
            failed: self.failed.load(Relaxed),
            thrown_out: self.thrown_out.load(Relaxed),
            frames: self.frames.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            inputs: self.inputs.load(Relaxed),
            corrections: self.corrections.load(Relaxed),
            late_inputs: self.late_inputs.load(Relaxed),
            mismatches: self.mismatches.load(Relaxed),
            refused: self.refused.load(Relaxed),
            tick_rate: self.tick_rate.load(Relaxed),
        }
    }
}

impl Standing {
    /// Bots that failed or were thrown out so far.
    pub(crate) fn fallen_out(&self) -> u32 {
        self.failed + self.thrown_out
    }

    /// Both together.
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            playing: self.playing + other.playing,
            present: self.present + other.present,
            failed: self.failed + other.failed,
            thrown_out: self.thrown_out + other.thrown_out,
            frames: self.frames + other.frames,
            bytes: self.bytes + other.bytes,
            inputs: self.inputs + other.inputs,
            corrections: self.corrections + other.corrections,
            late_inputs: self.late_inputs + other.late_inputs,
            mismatches: self.mismatches + other.mismatches,
            refused: self.refused + other.refused,
            tick_rate: self.tick_rate.max(other.tick_rate),
        }
    }
}

/// Shows how it goes.
#[derive(Debug)]
pub struct Progress {
    output: Output,
    /// (elapsed, frames, bytes), newest last.
    samples: VecDeque<(Duration, u64, u64)>,
}

#[derive(Debug)]
enum Output {
    Bar(ProgressBar),
    Lines { next: Duration },
    Nothing,
}

impl Progress {
    /// On stderr: a bar on a terminal, else lines. `duration` of 0 is without end.
    pub fn on_stderr(duration: Duration) -> Self {
        if !stderr().is_terminal() {
            return Self::with(Output::Lines { next: LINE_EVERY });
        }
        let (length, template) = match duration {
            Duration::ZERO => (None, "{spinner} {msg}"),
            some => (Some(some.as_millis() as u64), "{bar:24} {msg}"),
        };
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
        bar.set_style(ProgressStyle::with_template(template).expect("a template that makes sense"));
        Self::with(Output::Bar(bar))
    }

    /// Nowhere: for tests.
    pub fn nowhere() -> Self {
        Self::with(Output::Nothing)
    }

    fn with(output: Output) -> Self {
        Self { output, samples: VecDeque::with_capacity(RATE_SAMPLES + 1) }
    }

    /// Shows the board as it stands; called every [`REFRESH`].
    pub(crate) fn show(&mut self, board: &Board, set_out: u32, elapsed: Duration) {
        if matches!(self.output, Output::Nothing) {
            return;
        }
        let text = self.text(board, set_out, elapsed);
        match &mut self.output {
            Output::Bar(bar) => {
                bar.set_position(elapsed.as_millis() as u64);
                bar.set_message(text);
            }
            Output::Lines { next } if elapsed >= *next => {
                *next = elapsed + LINE_EVERY;
                eprintln!("{text}");
            }
            Output::Lines { .. } | Output::Nothing => {}
        }
    }

    /// Makes room for the report.
    pub(crate) fn clear(&self) {
        if let Output::Bar(bar) = &self.output {
            bar.finish_and_clear();
        }
    }

    fn text(&mut self, board: &Board, set_out: u32, elapsed: Duration) -> String {
        let (frames, bytes) = (board.frames.load(Relaxed), board.bytes.load(Relaxed));
        self.samples.push_back((elapsed, frames, bytes));
        if self.samples.len() > RATE_SAMPLES + 1 {
            self.samples.pop_front();
        }
        let (since, frames_then, bytes_then) = self.samples[0];
        let seconds = (elapsed - since).as_secs_f64().max(REFRESH.as_secs_f64());
        let frames_per_second = (frames - frames_then) as f64 / seconds;
        let rate = Bytes((bytes - bytes_then) as f64 / seconds);
        let playing = board.playing.load(Relaxed);
        let mut text = format!(
            "{} s: {playing} of {set_out} bots play, {frames_per_second:.0} frames/s, {rate}/s",
            elapsed.as_secs()
        );
        let frame_age_p99 = board.frame_age_p99.load(Relaxed);
        if frame_age_p99 > 0 {
            text += &format!(", frame age p99 {frame_age_p99} ms");
        }
        let fallen_out = board.standing().fallen_out();
        if fallen_out > 0 {
            text += &format!(", {fallen_out} failed or thrown out");
        }
        let mismatches = board.mismatches.load(Relaxed);
        if mismatches > 0 {
            text += &format!(", {mismatches} CHECKSUMS DIFFERED");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_of_the_last_two_seconds() {
        let (board, mut progress) = (Board::default(), Progress::nowhere());
        board.joined(30);
        board.joined(30);
        board.left();
        let mut text = String::new();
        for n in 0..40u32 {
            // Slow for the first five seconds, then 40 frames per second.
            let more = if n < 20 { 1 } else { 10 };
            (0..more).for_each(|_| board.heard(1, 100));
            text = progress.text(&board, 2, REFRESH * n);
        }
        assert_eq!(text, "9 s: 1 of 2 bots play, 40 frames/s, 4.0 kB/s");
        board.fell_out(true);
        text = progress.text(&board, 2, REFRESH * 40);
        assert!(text.ends_with(", 1 failed or thrown out"), "{text}");
        board.frames_were(Some(20.3));
        text = progress.text(&board, 2, REFRESH * 41);
        assert!(text.contains("/s, frame age p99 21 ms, 1 failed"), "{text}");
    }
}
