//! Lines on their way to stderr. Comes in: lines, from whichever thread has something to say; none of them ever waits.
//! Goes out: the same lines, in their order, by one thread that may wait for whoever reads them.
//!
//! `tracing-appender` has such a thread, too. But where the queue is full at the end it says so on stdout, and whoever
//! reads no stderr (a paused terminal, a stuck journal) mostly reads no stdout: the process would never end.

use crate::lanes;
use anyhow::{Context, Result};
use parking_lot::{Condvar, Mutex};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tracing_subscriber::fmt::MakeWriter;

/// Lines that wait for the thread that writes, while it has at most as many in its hands. Further ones are left out,
/// counted, and in their place stands how many they were.
pub const LINES_WAITING_MAX: usize = 1024;
/// For how long what was said is waited for when the process ends; then the rest is left out.
pub(super) const FINISH_WAIT: Duration = Duration::from_secs(1);
/// The same after a panic, which may be about to end the process in a way that nobody else can wait for: a second one while
/// the first unwinds aborts it.
pub(super) const PANIC_WAIT: Duration = Duration::from_millis(100);

/// Where lines are handed in.
#[derive(Clone, Debug)]
pub(super) struct LineWriter(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// Somebody waits to hear that there is a line: the thread that writes.
    has_lines: Condvar,
    /// Somebody waits to hear that there is none any more.
    is_done: Condvar,
    /// Lines that were left out, since the start.
    left_out: AtomicU64,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: Vec<Box<[u8]>>,
    /// Lines that came after these, when there was no room.
    left_out: u64,
    /// Whether some are being written right now.
    are_written: bool,
}

impl LineWriter {
    /// Starts the thread, which writes into `out`, and what `notice` makes of the number of those left out. Errors when
    /// the system has no room for it.
    pub(super) fn start(
        out: impl Write + Send + 'static,
        notice: impl Fn(u64) -> String + Send + 'static,
    ) -> Result<Self> {
        let shared = Arc::<Shared>::default();
        let writer = Self(Arc::clone(&shared));
        let thread = std::thread::Builder::new().name("log".into());
        let write = move || {
            lanes::give_way();
            shared.write(out, notice);
        };
        thread.spawn(write).context("the system has no room for a thread that writes the log")?;
        Ok(writer)
    }

    /// Hands in a line, with its end. Never waits.
    pub(super) fn add(&self, line: impl Into<Box<[u8]>>) {
        let mut waiting = self.0.waiting.lock();
        if waiting.lines.len() == LINES_WAITING_MAX {
            waiting.left_out += 1;
            self.0.left_out.fetch_add(1, Ordering::Relaxed);
            return;
        }
        waiting.lines.push(line.into());
        // The thread takes all that there are, so it knows of those behind the first.
        if waiting.lines.len() == 1 {
            self.0.has_lines.notify_one();
        }
    }

    /// Lines that did not get out, since the start.
    pub(super) fn left_out(&self) -> u64 {
        self.0.left_out.load(Ordering::Relaxed)
    }

    /// Waits until everything is written, for so long at most.
    pub(super) fn finish(&self, most: Duration) {
        let mut waiting = self.0.waiting.lock();
        let has_some = |waiting: &mut Waiting| waiting.are_written || !waiting.lines.is_empty();
        self.0.is_done.wait_while_for(&mut waiting, has_some, most);
    }
}

impl Shared {
    /// Writes, without end.
    fn write(&self, mut out: impl Write, notice: impl Fn(u64) -> String) {
        let mut untold = 0;
        loop {
            let (lines, left_out) = self.take();
            for line in lines {
                // Whoever closed stderr wants no log.
                if out.write_all(&line).is_err() {
                    untold += 1;
                    self.left_out.fetch_add(1, Ordering::Relaxed);
                }
            }
            untold += left_out;
            if untold > 0 && out.write_all(notice(untold).as_bytes()).is_ok() {
                untold = 0;
            }
        }
    }

    /// What waits, as soon as something does, and how many lines came after it and were left out.
    fn take(&self) -> (Vec<Box<[u8]>>, u64) {
        let mut waiting = self.waiting.lock();
        waiting.are_written = false;
        if waiting.lines.is_empty() {
            self.is_done.notify_all();
        }
        while waiting.lines.is_empty() {
            self.has_lines.wait(&mut waiting);
        }
        waiting.are_written = true;
        (std::mem::take(&mut waiting.lines), std::mem::take(&mut waiting.left_out))
    }
}

/// For lines of text: each is handed in with one call.
impl Write for LineWriter {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.add(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for LineWriter {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    /// Somebody who reads a line when the story says so.
    struct Slow(SyncSender<Vec<u8>>);

    impl Write for Slow {
        fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
            self.0.send(line.to_vec()).map_err(|_| std::io::ErrorKind::BrokenPipe)?;
            Ok(line.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn slow() -> (LineWriter, Receiver<Vec<u8>>) {
        let (send, receive) = sync_channel(0);
        let notice = |left_out| format!("{left_out} left out");
        (LineWriter::start(Slow(send), notice).unwrap(), receive)
    }

    /// Hands in a line, of which the thread has hold when this returns.
    fn add_and_see_taken(writer: &LineWriter, line: &str) {
        writer.add(line.as_bytes());
        while !writer.0.waiting.lock().lines.is_empty() {
            std::thread::yield_now();
        }
    }

    #[test]
    fn what_has_no_room_is_counted_and_told_in_its_place() {
        let (writer, reader) = slow();
        let read = || String::from_utf8(reader.recv().unwrap()).unwrap();
        add_and_see_taken(&writer, "first");
        (0..LINES_WAITING_MAX + 3).for_each(|n| writer.add(n.to_string().into_bytes()));
        assert_eq!(writer.left_out(), 3);
        assert_eq!(read(), "first");
        (0..LINES_WAITING_MAX).for_each(|n| assert_eq!(read(), n.to_string()));
        assert_eq!(read(), "3 left out");
        writer.add(*b"after");
        assert_eq!(read(), "after");
        writer.finish(FINISH_WAIT);
    }

    #[test]
    fn the_end_waits_for_whoever_reads_and_not_for_long_where_nobody_does() {
        let (writer, reader) = slow();
        (0..100).for_each(|n| writer.add(n.to_string().into_bytes()));
        let reading = std::thread::spawn(move || reader.iter().take(100).count());
        writer.finish(FINISH_WAIT);
        assert_eq!(reading.join().unwrap(), 100);

        let (writer, reader) = slow();
        writer.add(*b"never read");
        writer.finish(FINISH_WAIT);
        assert_eq!(reader.recv().unwrap(), b"never read", "it would have been written");
    }

    #[test]
    fn lines_that_cannot_be_written_hold_nobody_up() {
        let (writer, reader) = slow();
        drop(reader);
        (0..3).for_each(|_| writer.add(*b"nobody is there"));
        writer.finish(FINISH_WAIT);
        assert_eq!(writer.left_out(), 3);
    }
}
