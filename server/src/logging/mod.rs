//! The log. Comes in: what the code says through `tracing`, within the spans of connections and sessions. Goes
//! out: lines on stderr, as text or JSON; the newest lines to whoever asks; every line to whoever listens. Nobody who
//! says something waits for somebody who reads it: `writer.rs` has a thread for that.
//!
//! Only what is said through `tracing` gets in. Libraries that use the `log` crate do not: at level trace some
//! of them print whole messages, and with them chat and tokens.

mod lines;
#[cfg(feature = "otel")]
mod otel;
mod writer;

pub use writer::LINES_WAITING_MAX;

use crate::config::{Config, LogFormat};
use anyhow::{Context, Result, anyhow};
use lines::KeepLines;
use parking_lot::Mutex;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::collections::VecDeque;
use std::io::{IsTerminal, stderr};
use std::panic::PanicHookInfo;
use std::sync::Arc;
use tokio::sync::broadcast;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};
use writer::LineWriter;

/// Lines that are kept for whoever looks at the log; older ones are forgotten.
pub const LINES_KEPT: usize = 500;
/// Lines that somebody who listens may be behind; then they miss some.
pub const LINES_BEHIND_MAX: usize = 256;

/// The newest lines of the log, all further ones, and what gets into it.
#[derive(Clone)]
pub struct Logs {
    kept: Arc<Kept>,
    filter: Arc<Mutex<String>>,
    /// `None` where nothing is written.
    change: Option<reload::Handle<EnvFilter, Registry>>,
    /// Likewise.
    writer: Option<LineWriter>,
    #[cfg(feature = "otel")]
    traces: Option<otel::Traces>,
}

/// Lines as JSON.
#[derive(Debug)]
struct Kept {
    newest: Mutex<VecDeque<Arc<str>>>,
    listeners: broadcast::Sender<Arc<str>>,
}

impl Logs {
    /// No log: nothing is written, nothing is kept.
    pub fn none() -> Self {
        Self {
            kept: Arc::new(Kept::new()),
            filter: Arc::new(Mutex::new("off".into())),
            change: None,
            writer: None,
            #[cfg(feature = "otel")]
            traces: None,
        }
    }

    /// From now on the process logs as `config` says. Errors when its filter is none, or when there is a log
    /// already.
    pub fn install(config: &Config) -> Result<Self> {
        let seeing = &config.seeing;
        let filter = EnvFilter::try_new(&seeing.log)
            .map_err(|why| anyhow!("--log {:?} is no filter: {why}", seeing.log))?;
        let (filter, change) = reload::Layer::new(filter);
        let kept = Arc::new(Kept::new());
        let (writer, text, json) = match seeing.log_format {
            LogFormat::Text => {
                let writer = LineWriter::start(stderr(), lines::left_out_as_text)?;
                let text = fmt::layer().with_ansi(stderr().is_terminal());
                (writer.clone(), Some(text.with_writer(writer)), None)
            }
            LogFormat::Json => {
                let writer = LineWriter::start(stderr(), lines::left_out_as_json)?;
                (writer.clone(), None, Some(writer))
            }
        };
        let keep = KeepLines { kept: Arc::clone(&kept), written: json };
        let all = tracing_subscriber::registry().with(filter).with(text).with(keep);
        #[cfg(feature = "otel")]
        let (all, traces) = {
            let traces = seeing.otel_endpoint.as_deref().map(otel::Traces::to).transpose()?;
            (all.with(traces.as_ref().map(otel::Traces::layer)), traces)
        };
        #[cfg(not(feature = "otel"))]
        if seeing.otel_endpoint.is_some() {
            return Err(anyhow!(
                "--otel-endpoint needs a binary that was built with: cargo build --features otel"
            ));
        }
        // Not `init`, which would let in what libraries say through the `log` crate.
        tracing::subscriber::set_global_default(all).context("there is a log already")?;
        Ok(Self {
            kept,
            filter: Arc::new(Mutex::new(seeing.log.clone())),
            change: Some(change),
            writer: Some(writer),
            #[cfg(feature = "otel")]
            traces,
        })
    }

    /// Changes what gets into the log, from the next line on. Errors with a sentence.
    pub fn set_filter(&self, filter: &str) -> Result<(), String> {
        let Some(change) = &self.change else { return Err("This server keeps no log.".into()) };
        let parsed = EnvFilter::try_new(filter)
            .map_err(|why| format!("{filter:?} is no filter of the log: {why}"))?;
        let mut now = self.filter.lock();
        change.reload(parsed).map_err(|why| why.to_string())?;
        *now = filter.to_owned();
        Ok(())
    }

    /// What gets into the log.
    pub fn filter(&self) -> String {
        self.filter.lock().clone()
    }

    /// The newest lines, at most [`LINES_KEPT`], the oldest first: JSON objects with `at` (ms since 1970, UTC),
    /// `level`, `target`, `message`, `fields` and `spans`, the outermost first.
    pub fn recent(&self) -> Vec<Arc<str>> {
        self.kept.newest.lock().iter().cloned().collect()
    }

    /// Every further line, as in [`Self::recent`]. Who is [`LINES_BEHIND_MAX`] lines behind misses some.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<str>> {
        self.kept.listeners.subscribe()
    }

    /// Lines that did not get to stderr, as [`LINES_WAITING_MAX`] waited for whoever reads it, or nobody does.
    pub fn left_out(&self) -> u64 {
        self.writer.as_ref().map_or(0, LineWriter::left_out)
    }

    /// Says on stderr, whatever the filter, why the process cannot go on.
    pub fn say(&self, text: &str) {
        self.writer.iter().for_each(|writer| writer.add(format!("{text}\n").into_bytes()));
    }

    /// Says of a panic what the standard library would say; but its own hook writes by itself, and a lane is not to wait
    /// for whoever reads stderr, or for a tenth of a second only.
    pub fn say_panic(&self, panic: &PanicHookInfo<'_>) {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("<unnamed>");
        let backtrace = Backtrace::capture();
        match backtrace.status() {
            BacktraceStatus::Captured => self.say(&format!("thread '{name}' {panic}\n{backtrace}")),
            _ => self.say(&format!("thread '{name}' {panic}")),
        }
        self.writer.iter().for_each(|writer| writer.finish(writer::PANIC_WAIT));
    }

    /// Hands out what is still to be written, and to be sent elsewhere; the process is about to end. May wait for a few
    /// seconds.
    pub fn finish(&self) {
        #[cfg(feature = "otel")]
        self.traces.iter().for_each(otel::Traces::finish);
        self.writer.iter().for_each(|writer| writer.finish(writer::FINISH_WAIT));
    }
}

impl core::fmt::Debug for Logs {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Logs({})", self.filter())
    }
}

impl Kept {
    fn new() -> Self {
        Self {
            newest: Mutex::new(VecDeque::with_capacity(LINES_KEPT)),
            listeners: broadcast::Sender::new(LINES_BEHIND_MAX),
        }
    }

    fn add(&self, line: Arc<str>) {
        let mut newest = self.newest.lock();
        if newest.len() == LINES_KEPT {
            newest.pop_front();
        }
        newest.push_back(Arc::clone(&line));
        // Under the lock, so that whoever asks for both misses and doubles none. Nobody may listen.
        let _ = self.listeners.send(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_lines_are_kept_and_told() {
        let logs = Logs::none();
        let mut heard = logs.subscribe();
        (0..LINES_KEPT + 3).for_each(|n| logs.kept.add(n.to_string().into()));
        let kept = logs.recent();
        assert_eq!((kept.len(), &*kept[0]), (LINES_KEPT, "3"));
        assert!(heard.try_recv().is_err(), "whoever is far behind is told so");
        assert_eq!(&*heard.try_recv().unwrap(), &*(LINES_KEPT + 3 - LINES_BEHIND_MAX).to_string());
    }

    #[test]
    fn without_a_log_there_is_no_filter_to_change() {
        assert!(Logs::none().set_filter("debug").is_err());
    }
}
