//! What a round looked like, to be looked at again. Comes in: the messages that a spectator of everything would be sent.
//! Goes out: bytes, cut into chapters, each of which makes sense without those before it; and from bytes the messages,
//! from any tick on.
//!
//! ```text
//! chapter, as often as there are some:
//!   u32   bytes of the chapter after this
//!   u64   Protocol::hash of who wrote it
//!   u16   ticks per second
//!   u16   messages of the preface
//!   message, as often as there are some: u24 bytes of it, and these
//! ```
//!
//! All little end first. The preface is what somebody is told who comes: the welcome first. The first frame behind it is
//! a keyframe, and every frame ends a tick. Whoever reads on from the chapter before leaves the preface out.

use super::frame::{TYPE_DELTA, TYPE_KEYFRAME, TYPE_MASK};
use core::ops::Range;

/// Seconds of a chapter: a keyframe and a roster are sent so often, and whoever looks for a place in the recording has to
/// decode so much at most.
pub const CHAPTER_SECONDS: u16 = 10;
/// The most that is recorded of a round, in bytes; the rest of it is not. That is eight minutes of a thousand ships, or
/// hours of a few.
pub const RECORDING_BYTES_MAX: usize = 16 << 20;

const LENGTH_BYTES: usize = 4;
const HEAD_BYTES: usize = LENGTH_BYTES + 8 + 2 + 2;
const MESSAGE_LENGTH_BYTES: usize = 3;

/// A chapter that is being written.
#[derive(Debug)]
pub struct Chapter {
    bytes: Vec<u8>,
    preface: u16,
}

impl Chapter {
    /// An empty one.
    pub fn begin(protocol: u64, tick_rate: u16) -> Self {
        let mut bytes = vec![0; LENGTH_BYTES];
        bytes.extend(protocol.to_le_bytes());
        bytes.extend(tick_rate.to_le_bytes());
        bytes.extend([0, 0]);
        Self { bytes, preface: 0 }
    }

    /// What somebody has to be told who begins here.
    pub fn preface(&mut self, message: &[u8]) {
        debug_assert!(!is_frame(message), "a frame is no preface");
        self.preface += 1;
        self.message(message);
    }

    /// A message; a frame ends its tick.
    pub fn message(&mut self, message: &[u8]) {
        let length = (message.len() as u32).to_le_bytes();
        assert_eq!(length[MESSAGE_LENGTH_BYTES], 0, "a message is shorter than 16 MiB");
        self.bytes.extend(&length[..MESSAGE_LENGTH_BYTES]);
        self.bytes.extend(message);
    }

    /// All of it.
    pub fn end(mut self) -> Vec<u8> {
        let length = (self.bytes.len() - LENGTH_BYTES) as u32;
        self.bytes[..LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
        self.bytes[HEAD_BYTES - 2..HEAD_BYTES].copy_from_slice(&self.preface.to_le_bytes());
        self.bytes
    }

    /// How many bytes it has so far.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }
}

/// Why bytes are no recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordingError {
    /// Another version of the game, or another game.
    #[error("This match was recorded by another version of the game, which this page cannot show.")]
    OtherRules,
    /// Bytes that fit nothing.
    #[error("This is no recording, or only a part of one.")]
    Broken,
}

/// A recording that is looked at.
#[derive(Debug)]
pub struct Recording {
    bytes: Vec<u8>,
    tick_rate: u16,
    ticks: u32,
    chapters: Vec<ReadChapter>,
    /// Of the chapter at hand, and of what follows in it.
    chapter: usize,
    at: usize,
    /// Frames given so far.
    position: u32,
}

#[derive(Debug)]
struct ReadChapter {
    /// The first tick in it, from 0 at the recording's beginning.
    first: u32,
    preface: Range<usize>,
    rest: Range<usize>,
}

impl Recording {
    /// Reads one that was written under the rules with this [`crate::wire::Protocol::hash`]. Stands at its beginning.
    pub fn read(bytes: Vec<u8>, protocol: u64) -> Result<Self, RecordingError> {
        let (mut chapters, mut ticks, mut rate) = (Vec::new(), 0, 0);
        let mut left = &bytes[..];
        while !left.is_empty() {
            let start = bytes.len() - left.len();
            let (length, rest) = left.split_first_chunk().ok_or(RecordingError::Broken)?;
            let length = u32::from_le_bytes(*length) as usize;
            let chapter = rest.get(..length).ok_or(RecordingError::Broken)?;
            left = &rest[length..];
            let (hash, rest) = chapter.split_first_chunk().ok_or(RecordingError::Broken)?;
            if u64::from_le_bytes(*hash) != protocol {
                return Err(RecordingError::OtherRules);
            }
            let (tick_rate, rest) = rest.split_first_chunk().ok_or(RecordingError::Broken)?;
            rate = u16::from_le_bytes(*tick_rate);
            let preface = *rest.first_chunk().ok_or(RecordingError::Broken)?;
            let (begin, end) = (start + HEAD_BYTES, start + LENGTH_BYTES + length);
            let mut at = begin;
            for _ in 0..u16::from_le_bytes(preface) {
                at = next(&bytes[..end], at)?.end;
            }
            chapters.push(ReadChapter { first: ticks, preface: begin..at, rest: at..end });
            while at < end {
                let message = next(&bytes[..end], at)?;
                at = message.end;
                ticks += u32::from(is_frame(&bytes[message]));
            }
        }
        if rate == 0 || ticks == 0 {
            return Err(RecordingError::Broken);
        }
        let mut recording =
            Self { bytes, tick_rate: rate, ticks, chapters, chapter: 0, at: 0, position: 0 };
        recording.seek(0);
        Ok(recording)
    }

    /// Ticks per second.
    pub fn tick_rate(&self) -> u16 {
        self.tick_rate
    }

    /// How long it is.
    pub fn ticks(&self) -> u32 {
        self.ticks
    }

    /// How many ticks of it were given.
    pub fn position(&self) -> u32 {
        self.position
    }

    /// Goes to the chapter that a tick is in, counted from 0 at the beginning. What follows is for somebody who comes
    /// anew: its preface first.
    pub fn seek(&mut self, tick: u32) {
        let chapter = self.chapters.partition_point(|chapter| chapter.first <= tick).max(1) - 1;
        let ReadChapter { first, preface, .. } = &self.chapters[chapter];
        (self.chapter, self.at, self.position) = (chapter, preface.start, *first);
    }

    /// The next message; `None` at the end.
    pub fn next_message(&mut self) -> Option<&[u8]> {
        while self.at == self.chapters[self.chapter].rest.end {
            // Whoever has seen the chapter before knows what the preface says.
            self.at = self.chapters.get(self.chapter + 1)?.rest.start;
            self.chapter += 1;
        }
        let message = next(&self.bytes, self.at).expect("looked at as it was read");
        self.at = message.end;
        let message = &self.bytes[message];
        self.position += u32::from(is_frame(message));
        Some(message)
    }
}

/// Where the message is whose length stands at `at`.
fn next(bytes: &[u8], at: usize) -> Result<Range<usize>, RecordingError> {
    let rest = bytes.get(at..).ok_or(RecordingError::Broken)?;
    let &[a, b, c] = rest.first_chunk().ok_or(RecordingError::Broken)?;
    let begin = at + MESSAGE_LENGTH_BYTES;
    let end = begin + u32::from_le_bytes([a, b, c, 0]) as usize;
    if end > bytes.len() { Err(RecordingError::Broken) } else { Ok(begin..end) }
}

fn is_frame(message: &[u8]) -> bool {
    let kind = message.first().map(|first| first & TYPE_MASK);
    kind == Some(TYPE_DELTA) || kind == Some(TYPE_KEYFRAME)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HASH: u64 = 77;

    /// Three chapters of two ticks; a tick is an event and a frame.
    fn recorded() -> Vec<u8> {
        let chapter = |n: u8| {
            let mut chapter = Chapter::begin(HASH, 30);
            chapter.preface(&[0, 100 + n]);
            chapter.preface(&[0, 200 + n]);
            for tick in 0..2 {
                chapter.message(&[0, n, tick]);
                chapter.message(&[if tick == 0 { TYPE_KEYFRAME } else { TYPE_DELTA }, n, tick]);
            }
            chapter.end()
        };
        (0..3).flat_map(chapter).collect()
    }

    fn rest(recording: &mut Recording) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| recording.next_message().map(<[u8]>::to_vec)).collect()
    }

    #[test]
    fn whoever_reads_on_is_told_no_preface_again() {
        let mut recording = Recording::read(recorded(), HASH).unwrap();
        assert_eq!((recording.tick_rate(), recording.ticks(), recording.position()), (30, 6, 0));
        let all = rest(&mut recording);
        assert_eq!(all.len(), 2 + 3 * 4);
        assert_eq!(all[..2], [[0, 100], [0, 200]]);
        assert_eq!(recording.position(), 6);
        assert_eq!(recording.next_message(), None);
    }

    #[test]
    fn any_place_is_found_from_its_chapters_preface_on() {
        let mut recording = Recording::read(recorded(), HASH).unwrap();
        for (tick, first) in [(0, 0), (1, 0), (2, 2), (3, 2), (5, 4), (6, 4), (1000, 4)] {
            recording.seek(tick);
            assert_eq!(recording.position(), first);
            let rest = rest(&mut recording);
            let chapter = first as u8 / 2;
            assert_eq!(rest[0], [0, 100 + chapter]);
            assert_eq!(rest.len(), 2 + 4 * (3 - usize::from(chapter)));
        }
    }

    #[test]
    fn other_rules_and_parts_of_one_are_told_from_each_other() {
        let bytes = recorded();
        let other = Recording::read(bytes.clone(), HASH + 1).unwrap_err();
        assert_eq!(other, RecordingError::OtherRules);
        let chapter = bytes.len() / 3;
        for end in 0..bytes.len() {
            let read = Recording::read(bytes[..end].to_vec(), HASH);
            assert_eq!(read.is_ok(), end > 0 && end % chapter == 0, "{end}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(bytes: Vec<u8>, at in 0_usize..200, with: u8) {
            let _ = Recording::read(bytes, HASH);
            let mut bytes = recorded();
            let at = at % bytes.len();
            bytes[at] = with;
            if let Ok(mut recording) = Recording::read(bytes, HASH) {
                recording.seek(3);
                rest(&mut recording);
            }
        }
    }
}
