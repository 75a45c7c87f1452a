//! One session's life in the directory. Comes in: a session before its first tick. Goes out: an entry that can be found, a
//! tick loop in a task of its own, and what that publishes to whoever wants to know.

use super::{AnySession, Directory, Entry, SessionHandle};
use crate::code::SessionCode;
use crate::lanes::LanePlace;
use crate::metrics::Measure;
use crate::net::limits::SESSION_QUEUE_MAX;
use crate::net::outbox::ConnectionOutbox;
use crate::overload::LoopWatch;
use crate::session::recording::Recorded;
use crate::session::restraint::Restraint;
use crate::session::result::RoundResult;
use crate::session::settings::SessionSettings;
use crate::session::status::Status;
use crate::session::{Counts, MOVING, STOPPING};
use crate::tick_loop::{Queued, TickCounts, TickLoop, Watcher};
use shared::wire::close::CloseCode;
use shared::wire::{HostSecret, Protocol};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Duration, sleep};
use tracing::Instrument;

/// In so many pauses a stopping server waits for a loop: one during which the machine stands still is one, however long.
const STOP_PAUSES: u32 = 6;
/// How many times as long it waits for one that was not seen to be stuck.
const UNSEEN_STOP_WAITS: u32 = 5;

impl Directory {
    /// Runs a session under a code that no other one has.
    pub(super) fn run(
        self: &Arc<Self>,
        code: SessionCode,
        session: AnySession,
        protocol: Protocol,
        settings: SessionSettings,
    ) -> Arc<Entry> {
        let (queue, told) = mpsc::channel(SESSION_QUEUE_MAX);
        let status = session.status();
        let place = self.lanes.place(status.people());
        let handle = SessionHandle {
            lane: Arc::clone(place.lane()),
            sockets: Arc::clone(place.sockets()),
            queue,
            protocol,
            tick_rate: session.tick_rate(),
            ending: Arc::default(),
        };
        let (ticks, stop) = (TickCounts::part_of(&self.ticks), self.stop.child_token());
        let host = session.host();
        let entry =
            Entry::new(code, Arc::new(handle), ticks, stop, settings, status, host.is_some());
        let entry = Arc::new(entry);
        if self.lasts(code) {
            entry.keep_open(host, &self.store);
        }
        self.sessions.insert(code, Arc::clone(&entry));
        self.metrics.sessions.opened.inc();
        tracing::info!(session = code.for_log(entry.is_public()), "a session opens");
        self.listing.note();
        self.tasks.spawn(Arc::clone(self).live(place, Arc::clone(&entry), session, told));
        entry
    }

    /// Whether the next start opens a session again.
    fn lasts(&self, code: SessionCode) -> bool {
        !self.is_adopted(code) && self.opener.is_some()
    }

    /// From a session's first tick until it is in the list no more.
    async fn live(
        self: Arc<Self>,
        place: LanePlace,
        entry: Arc<Entry>,
        mut session: AnySession,
        told: mpsc::Receiver<Queued<ConnectionOutbox>>,
    ) {
        let lasts = self.lasts(entry.code);
        let reporter = Reporter {
            directory: Arc::clone(&self),
            entry: Arc::clone(&entry),
            lasts,
            ended: false,
            counted: Counts::default(),
            watch: LoopWatch::new(
                Arc::clone(&self.overload),
                place.lane().number,
                entry.handle.tick_rate,
            ),
        };
        let metrics = Arc::clone(&self.metrics);
        // Of the highest level, so that it is around every line, whatever gets into the log.
        let span = tracing::error_span!("session", code = entry.code.for_log(entry.is_public()));
        let (ticks, stop) = (Arc::clone(&entry.ticks), entry.stop.clone());
        // A task of its own, so that a panic ends there. What it leaves behind is dropped whole.
        let clock = place.clock();
        let ticking = async move {
            let times = &metrics.ticks;
            let ticking = TickLoop::new(&mut *session, told, clock, reporter, &ticks, times);
            ticking.run(stop).await
        };
        let ticking = place.spawn(ticking.instrument(span));
        let mut ended = self.end_of(ticking, &entry).await;
        // From now on its lane sees its lines off, whatever disk and neighbours take.
        drop(place);
        // It would get stuck in the same tick again, or break.
        let broken = ended == LoopEnd::Broke || (ended == LoopEnd::Lost && entry.is_stuck());
        if broken && lasts {
            self.store.forget(entry.code);
        }
        if let LoopEnd::Over(checkpoint) = &mut ended
            && let Some(checkpoint) = checkpoint.take()
        {
            self.part_with(&entry, checkpoint).await;
        }
        self.site.has_moved(entry.code);
        entry.moved.notify_one();
        let public = entry.is_public();
        self.sessions.remove_if(&entry.code, |_, there| Arc::ptr_eq(there, &entry));
        self.listing.note();
        let session = entry.code.for_log(public);
        match ended {
            LoopEnd::Over(_) => {
                self.metrics.sessions.ended.inc();
                tracing::info!(session, "a session ends");
            }
            LoopEnd::Broke => {
                self.metrics.sessions.broken.inc();
                tracing::error!(
                    session,
                    "a session broke; its players were sent away, the others play on"
                );
            }
            LoopEnd::Lost => {
                self.metrics.sessions.broken.inc();
                let lost =
                    if broken { "it is lost" } else { "what came since it was last kept is lost" };
                tracing::error!(
                    session,
                    "the server stops, and a tick on this session's thread does not end: {lost}"
                );
            }
        }
    }

    /// How a loop ended. Once the server stops that is awaited for so long as a stop waits: the process ends with a thread
    /// that does not. Of one that got on until then it may only be that much has to be written down at once.
    async fn end_of(&self, ticking: JoinHandle<Option<Vec<u8>>>, entry: &Entry) -> LoopEnd {
        let patience = async {
            self.stop.cancelled().await;
            let known = entry.handle.lane.is_stuck();
            let wait = self.live.get().limits.stop_wait * if known { 1 } else { UNSEEN_STOP_WAITS };
            for _ in 0..STOP_PAUSES {
                sleep(wait / STOP_PAUSES).await;
            }
        };
        tokio::select! {
            biased;
            ended = ticking => ended.map_or(LoopEnd::Broke, LoopEnd::Over),
            () = patience => LoopEnd::Lost,
        }
    }
}

/// How a session's loop ended.
#[derive(PartialEq, Eq)]
enum LoopEnd {
    /// It was over, or is to go on elsewhere or later, from this.
    Over(Option<Vec<u8>>),
    /// Something in it panicked.
    Broke,
    /// It did not: the process ends without it.
    Lost,
}

/// Takes what one tick loop publishes to whoever wants to know.
struct Reporter {
    directory: Arc<Directory>,
    entry: Arc<Entry>,
    /// Whether the next start opens it again.
    lasts: bool,
    /// Whether it is over for its own sake.
    ended: bool,
    /// What is in the metrics already.
    counted: Counts,
    /// How much of its time the loop needs.
    watch: LoopWatch,
}

impl Watcher for Reporter {
    fn worked(&mut self, busy: Duration, steps: u64) -> Option<Restraint> {
        self.watch.worked(busy, steps)
    }

    fn status(&mut self, status: Status, mut measure: Measure, host: Option<HostSecret>) {
        if self.lasts {
            self.entry.keep_open(host, &self.directory.store);
        }
        let Measure { counts, .. } = measure;
        let tick_rate = self.entry.handle.tick_rate;
        self.directory.metrics.sessions.add(&self.counted, &counts, tick_rate);
        self.directory.overload.refuse(counts.turned_away - self.counted.turned_away);
        self.counted = counts;
        measure.room = self.watch.room(status.people());
        if self.entry.show(status, measure) {
            self.directory.listing.note();
        }
    }

    fn keeps(&self) -> bool {
        self.lasts && self.directory.store.outlives_the_process()
    }

    fn why_stopped(&self) -> (CloseCode, &'static str) {
        if self.entry.leaves() { MOVING } else { STOPPING }
    }

    fn goes_on(&self) -> bool {
        self.keeps() || (self.lasts && self.entry.leaves())
    }

    fn checkpoint(&mut self, checkpoint: Option<Vec<u8>>) {
        self.directory.store.keep_checkpoint(self.entry.code, checkpoint);
    }

    fn recorded(&mut self, recorded: Recorded) {
        if self.ended && matches!(recorded, Recorded::Begins(_) | Recorded::GoesOn(_)) {
            // Of a round that nobody ended there is no result, and so nobody would ever look at it.
            return;
        }
        let most = self.directory.live.get().recordings_bytes();
        self.directory.store.record(self.entry.code, recorded, most);
    }

    fn results(&mut self, results: Vec<RoundResult>) {
        for kept in self.entry.keep(results) {
            self.directory.store.keep(self.entry.code, kept);
        }
    }

    fn over(&mut self, code: CloseCode, why: &'static str) {
        // From now on nobody finds it, and who already has it is told why it takes nothing.
        let _ = self.entry.handle.ending.set((code, why));
        self.ended = !code.is_an_interruption();
        if self.lasts && self.ended {
            // What is still told of it does not bring it back.
            self.lasts = false;
            self.directory.store.forget(self.entry.code);
        }
        self.directory.sessions.remove(&self.entry.code);
        self.directory.listing.note();
    }
}
