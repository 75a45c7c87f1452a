//! The round as a spectator of everything is told it, in chapters, for whoever keeps recordings. Comes in: what the round's
//! players are told, and the world. Goes out: a chapter every [`CHAPTER_SECONDS`] and one when the result is there.
//!
//! What was said is left out, and so is who watches, who is the host and who is muted.

use super::door::Outbox;
use super::{Session, talk};
use shared::game::{Game, PlayerId};
use shared::netcode::frame::ViewList;
use shared::netcode::recording::{CHAPTER_SECONDS, Chapter, RECORDING_BYTES_MAX};
use shared::wire::message::{self, Phase, ServerMessage};
use shared::wire::{Protocol, SeatToken};

/// For how long a recording goes on after the round's end, in seconds: long enough to see who won.
const AFTERWARDS_SECONDS: u32 = 3;

/// What there is of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// The first chapter of the next round's.
    Begins(Vec<u8>),
    /// A further chapter, before there is a result.
    GoesOn(Vec<u8>),
    /// A further chapter, from after that.
    Afterwards(Vec<u8>),
    /// The round has no end that anybody keeps, and so nobody will look at its recording.
    Abandoned,
}

/// A round that is being recorded.
pub(super) struct Recorder {
    chapter: Option<Chapter>,
    /// Ticks of that chapter.
    ticks: u32,
    list: ViewList,
    frame: Vec<u8>,
    /// Whether nothing of this round was given away yet.
    begins: bool,
    /// Bytes given away.
    bytes: usize,
    /// Whether the round has a result.
    decided: bool,
}

impl Recorder {
    /// Of a round that `begins`, or goes on from where another process left it.
    pub(super) fn new(begins: bool) -> Self {
        let (list, frame) = (ViewList::new(), Vec::new());
        Self { chapter: None, ticks: 0, list, frame, begins, bytes: 0, decided: false }
    }
}

impl<G: Game, O: Outbox> Session<G, O> {
    /// What was recorded since the last call.
    pub fn take_recorded(&mut self) -> Vec<Recorded> {
        core::mem::take(&mut self.recorded)
    }

    /// A round begins.
    pub(super) fn begin_recording(&mut self) {
        self.abandon_recording();
        let records = self.config.provided.records && self.rounds.phase == Phase::Play;
        self.recorder = records.then(|| Recorder::new(true));
        self.talk.record(records);
    }

    /// The round that was recorded is none.
    pub(super) fn abandon_recording(&mut self) {
        if self.recorder.take().is_some_and(|recorder| !recorder.decided) {
            self.recorded.push(Recorded::Abandoned);
        }
        self.talk.record(false);
    }

    /// The round has a result: of each there is something to be seen, however short it was.
    pub(super) fn decide_recording(&mut self) {
        self.end_chapter();
        self.recorder.iter_mut().for_each(|recorder| recorder.decided = true);
    }

    /// A tick passes.
    pub(super) fn record(&mut self) {
        let told = self.talk.take_recorded();
        // Nothing is to be seen while the world waits for its people.
        if self.awaits_people {
            return;
        }
        let Some(mut recorder) = self.recorder.take() else { return };
        let mut chapter = match recorder.chapter.take() {
            Some(chapter) => chapter,
            None => {
                (recorder.ticks, recorder.list) = (0, ViewList::new());
                self.preface()
            }
        };
        told.iter().for_each(|message| chapter.message(message));
        if recorder.ticks > 0 && self.tick.is_multiple_of(self.config.ticks(1)) {
            chapter.message(self.talk.standings_of(PlayerId::NOBODY));
        }
        recorder.frame.clear();
        let (list, frame) = (&mut recorder.list, &mut recorder.frame);
        self.frames.of_everything(list, &mut self.world, frame);
        chapter.message(&recorder.frame);
        recorder.ticks += 1;
        let is_over = self.rounds.phase == Phase::Results
            && self.rounds.lasts(self.tick) >= self.config.ticks(AFTERWARDS_SECONDS);
        let is_full = recorder.bytes + chapter.bytes() > RECORDING_BYTES_MAX;
        let is_long = recorder.ticks == self.config.ticks(CHAPTER_SECONDS.into());
        recorder.chapter = Some(chapter);
        self.recorder = Some(recorder);
        if is_over || is_full || is_long {
            self.end_chapter();
        }
        if is_over || is_full {
            self.recorder = None;
            self.talk.record(false);
        }
    }

    /// What there is of the chapter at hand is one.
    pub fn end_chapter(&mut self) {
        let Some(recorder) = &mut self.recorder else { return };
        let Some(chapter) = recorder.chapter.take() else { return };
        let chapter = chapter.end();
        recorder.bytes += chapter.len();
        let begins = core::mem::take(&mut recorder.begins);
        self.recorded.push(match begins {
            true => Recorded::Begins(chapter),
            false if recorder.decided => Recorded::Afterwards(chapter),
            false => Recorded::GoesOn(chapter),
        });
    }

    /// A chapter with what somebody is told who comes now, to see everything and be nobody.
    fn preface(&mut self) -> Chapter {
        let rate = self.config.setup.tick_rate;
        let mut chapter = Chapter::begin(Protocol::of::<G>().hash, rate);
        chapter.preface(&talk::encode(&ServerMessage::Welcome {
            player: PlayerId::NOBODY,
            name: String::new(),
            tick: self.tick,
            setup: message::encode(&self.terms.setup),
            seat: SeatToken([0; 16]),
        }));
        chapter.preface(&talk::about(&self.config, self.locked));
        chapter.preface(&talk::encode(&self.rounds.told(0)));
        chapter.preface(&self.recorded_roster());
        chapter.preface(self.talk.standings_of(PlayerId::NOBODY));
        chapter
    }
}
