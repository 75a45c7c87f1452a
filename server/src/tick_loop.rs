//! Where the asynchronous side meets the synchronous one: a session sees no clock, and its loop makes ticks of its
//! lane's ([`Clock`]). Comes in: what all connections tell one session, each with its time of arrival, through one bounded
//! queue. Goes out: the session's steps, at a fixed rate, and what it shows of itself. It owns the session, so there is no
//! lock around it, and it waits for nothing but the clock.

mod pace;
mod progress;

use pace::{Due, Pace};
pub use progress::{AtWork, Progress};

use crate::lanes::Clock;
use crate::metrics::{Laps, Measure, Stage, TickTimes};
use crate::recent_times::RecentTimes;
use crate::session::door::{Outbox, ToSession};
use crate::session::recording::Recorded;
use crate::session::restraint::Restraint;
use crate::session::result::RoundResult;
use crate::session::status::Status;
use crate::session::{STOPPING, Session};
use crate::throttle::Throttle;
use shared::game::{Game, Tick};
use shared::wire::HostSecret;
use shared::wire::close::CloseCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Ticks that are caught up at once after a delay. What is missing beyond that is dropped: the world
/// stood still, and players saw it.
pub const CATCH_UP_STEPS_MAX: u64 = 5;
/// Lines about dropped time per minute.
const LINES_PER_MINUTE: u32 = 6;
/// How often a second what a session shows of itself is made anew, beside when somebody came or went.
pub const LOOKS_PER_SECOND: u16 = 2;

/// How many seconds pass between two checkpoints: so much of a match is lost when the process is killed, and nothing when it
/// is asked to stop. One takes a fifth of the time of a tick.
pub const CHECKPOINT_SECONDS: u16 = 5;

/// What a session is told, and when it arrived.
pub type Queued<O> = (Instant, ToSession<O>);

/// What the loop drives: a session, or a test's stand-in.
pub trait Ticked<O>: Send {
    /// Ticks per second.
    fn tick_rate(&self) -> u16;
    /// The newest completed tick.
    fn tick_now(&self) -> Tick;
    /// Takes what somebody said; `at` in ticks since the start, the step of tick N being at N.
    fn handle(&mut self, told: ToSession<O>, at: f64);
    /// One step; `lap` is to be called at the end of each stage.
    fn tick(&mut self, lap: &mut dyn FnMut(Stage));
    /// Tells everybody that it is over.
    fn stop(&mut self, code: CloseCode, reason: &str);
    /// What it shows of itself.
    fn status(&self) -> Status {
        Status::default()
    }
    /// Who shows this is its host; `None` where nobody can be.
    fn host(&self) -> Option<HostSecret> {
        None
    }
    /// Results of rounds that ended since the last call.
    fn take_results(&mut self) -> Vec<RoundResult> {
        Vec::new()
    }
    /// What was recorded since the last call; with `all` of the chapter at hand as well.
    fn take_recorded(&mut self, _all: bool) -> Vec<Recorded> {
        Vec::new()
    }
    /// How it stands, for the metrics.
    fn measure(&self) -> Measure {
        Measure::default()
    }
    /// Whether it is over, with what its people are told.
    fn over(&self) -> Option<(CloseCode, &'static str)> {
        None
    }
    /// From what it could go on in another process; `None` where it could not.
    fn checkpoint(&self) -> Option<Vec<u8>> {
        None
    }
}

impl<G: Game, O: Outbox> Ticked<O> for Session<G, O> {
    fn tick_rate(&self) -> u16 {
        self.tick_rate()
    }

    fn tick_now(&self) -> Tick {
        self.tick_now()
    }

    fn handle(&mut self, told: ToSession<O>, at: f64) {
        self.handle(told, at);
    }

    fn tick(&mut self, lap: &mut dyn FnMut(Stage)) {
        self.tick_in_laps(lap);
    }

    fn stop(&mut self, code: CloseCode, reason: &str) {
        self.stop(code, reason);
    }

    fn status(&self) -> Status {
        self.status()
    }

    fn host(&self) -> Option<HostSecret> {
        self.host()
    }

    fn take_results(&mut self) -> Vec<RoundResult> {
        self.take_results()
    }

    fn take_recorded(&mut self, all: bool) -> Vec<Recorded> {
        if all {
            self.end_chapter();
        }
        self.take_recorded()
    }

    fn measure(&self) -> Measure {
        self.measure()
    }

    fn over(&self) -> Option<(CloseCode, &'static str)> {
        self.over()
    }

    fn checkpoint(&self) -> Option<Vec<u8>> {
        self.checkpoint()
    }
}

/// Who is told what a session shows of itself. Called from the loop: it must not wait.
pub trait Watcher: Send {
    /// A new look, how the session stands, and who shows this is the host.
    fn status(&mut self, status: Status, measure: Measure, host: Option<HostSecret>);
    /// So many steps took so long together. What the session gives up from now on, if that changes.
    fn worked(&mut self, _busy: Duration, _steps: u64) -> Option<Restraint> {
        None
    }
    /// Whether a checkpoint would be kept.
    fn keeps(&self) -> bool {
        false
    }
    /// How players' connections end when it ends for the process's sake.
    fn why_stopped(&self) -> (CloseCode, &'static str) {
        STOPPING
    }
    /// Whether the last one would be, of a session that ends only for the process's sake.
    fn goes_on(&self) -> bool {
        self.keeps()
    }
    /// From what the session could go on; `None` where it could not any more.
    fn checkpoint(&mut self, _checkpoint: Option<Vec<u8>>) {}
    /// More of a round was recorded; what was of one that ended comes before its result, and what came after that behind it.
    fn recorded(&mut self, _recorded: Recorded) {}
    /// Rounds ended.
    fn results(&mut self, results: Vec<RoundResult>);
    /// Nothing more is taken from the queue, and everybody is about to be told this.
    fn over(&mut self, code: CloseCode, why: &'static str);
}

/// How a loop is doing.
#[derive(Debug, Default)]
pub struct TickCounts {
    /// Steps made.
    pub ticks: AtomicU64,
    /// Wake-ups that found more than one step due.
    pub late: AtomicU64,
    /// Steps' worth of time that was dropped.
    pub dropped: AtomicU64,
    /// Nanoseconds spent between waking up and sleeping again.
    pub busy_ns: AtomicU64,
    /// How far it is; that of the sum says nothing.
    pub progress: Progress,
    /// How long steps took since somebody last asked.
    pub times: RecentTimes,
    /// What counts along: the sum over all loops.
    all: Option<Arc<Self>>,
}

impl TickCounts {
    /// Counts of one loop, which `all` counts along.
    pub fn part_of(all: &Arc<Self>) -> Self {
        Self { all: Some(Arc::clone(all)), ..Self::default() }
    }

    /// Adds to one of the counts; what it was before.
    fn add(&self, count: fn(&Self) -> &AtomicU64, more: u64) -> u64 {
        if let Some(all) = &self.all {
            all.add(count, more);
        }
        count(self).fetch_add(more, Ordering::Relaxed)
    }
}

/// One session's loop.
pub struct TickLoop<'a, O: Outbox, C, W> {
    session: &'a mut dyn Ticked<O>,
    queue: mpsc::Receiver<Queued<O>>,
    clock: C,
    watcher: W,
    counts: &'a TickCounts,
    times: &'a TickTimes,
    /// How long a tick is.
    tick: Duration,
    pace: Pace,
    /// From which tick on the next look is due, and how many ticks later another one.
    next_look: Tick,
    look_ticks: u32,
    /// The same for checkpoints.
    next_checkpoint: Tick,
    checkpoint_ticks: u32,
    /// Keeps lines about dropped time apart.
    lines: Throttle,
}

impl<'a, O: Outbox, C: Clock, W: Watcher> TickLoop<'a, O, C, W> {
    /// A loop whose first tick is due a tick after `clock` lets it begin.
    pub fn new(
        session: &'a mut dyn Ticked<O>,
        queue: mpsc::Receiver<Queued<O>>,
        mut clock: C,
        watcher: W,
        counts: &'a TickCounts,
        times: &'a TickTimes,
    ) -> Self {
        let (rate, now) = (session.tick_rate(), session.tick_now());
        let tick = Duration::from_secs(1) / u32::from(rate);
        let checkpoint_ticks = u32::from(rate * CHECKPOINT_SECONDS);
        Self {
            tick,
            pace: Pace::new(rate, clock.begin(tick), now),
            next_look: 0,
            look_ticks: u32::from((rate / LOOKS_PER_SECOND).max(1)),
            next_checkpoint: now + checkpoint_ticks,
            checkpoint_ticks,
            lines: Throttle::new(LINES_PER_MINUTE, Duration::from_secs(60)),
            session,
            queue,
            clock,
            watcher,
            counts,
            times,
        }
    }

    /// Runs until the session is over or `stop` is cancelled, then tells its players. Gives the last checkpoint, where the
    /// session is over only for the process's sake, and where one would be kept; an empty one where there is nothing to go
    /// on with.
    pub async fn run(mut self, stop: CancellationToken) -> Option<Vec<u8>> {
        let (code, why) = loop {
            self.counts.progress.sleeps();
            tokio::select! {
                biased;
                () = stop.cancelled() => break self.watcher.why_stopped(),
                () = self.clock.until(self.pace.next_deadline()) => {}
            }
            let woke = Instant::now();
            self.counts.progress.begins(Stage::Drain);
            let mut laps = self.times.begin();
            let steps = self.catch_up(woke);
            self.take_in();
            laps.lap(Stage::Drain);
            self.step(steps, laps);
            self.counts.progress.publishes();
            self.account(woke, steps);
            self.publish_if_due();
            if let Some(told) = self.session.over() {
                break told;
            }
        };
        self.end(code, why)
    }

    /// How many steps are due. What is more than can be caught up is dropped, which the session is told.
    fn catch_up(&mut self, woke: Instant) -> u64 {
        let late = woke.saturating_duration_since(self.pace.next_deadline());
        let Due { steps, dropped } = self.pace.due(woke);
        self.times.woke(late, steps + dropped, self.tick);
        if steps > 1 {
            self.counts.add(|c| &c.late, 1);
        }
        if dropped > 0 {
            let all = self.counts.add(|c| &c.dropped, dropped) + dropped;
            if let Some(hidden) = self.lines.pass(Instant::now()) {
                let hidden = (hidden > 0).then_some(hidden);
                tracing::warn!(ticks = dropped, all, hidden, "fell behind and dropped time");
            }
            let ticks = u32::try_from(dropped).unwrap_or(u32::MAX);
            self.tell(ToSession::Dropped { ticks });
        }
        steps
    }

    /// Tells the session what has come since the last step.
    fn take_in(&mut self) {
        // As many as there are now: a queue that fills as fast as it is drained holds up no tick.
        for _ in 0..self.queue.len() {
            let Ok((arrived, told)) = self.queue.try_recv() else { break };
            let at = self.pace.ticks_at(arrived).max(f64::from(self.session.tick_now()));
            if matches!(told, ToSession::Join(_) | ToSession::Leave { .. } | ToSession::Act(_)) {
                self.next_look = 0;
            }
            self.session.handle(told, at);
        }
    }

    /// Tells the session what comes from here, as of its newest tick.
    fn tell(&mut self, told: ToSession<O>) {
        self.session.handle(told, f64::from(self.session.tick_now()));
    }

    /// Makes so many steps, of which the first one goes on with `laps`.
    fn step(&mut self, steps: u64, mut laps: Laps) {
        for step in 0..steps {
            if step > 0 {
                laps = self.times.begin();
            }
            let progress = &self.counts.progress;
            progress.begins(Stage::Seats);
            self.session.tick(&mut |stage| {
                laps.lap(stage);
                progress.begins(stage.next());
            });
            self.times.end(&laps);
        }
    }

    /// Counts what so many steps took since `woke`; what the session gives up for that, it is told.
    fn account(&mut self, woke: Instant, steps: u64) {
        self.counts.add(|c| &c.ticks, steps);
        let busy_ns = woke.elapsed().as_nanos() as u64;
        self.counts.add(|c| &c.busy_ns, busy_ns);
        self.counts.times.note(busy_ns, steps);
        if let Some(restraint) = self.watcher.worked(Duration::from_nanos(busy_ns), steps) {
            self.tell(ToSession::Restrain(restraint));
            self.next_look = 0;
        }
    }

    /// A look and a checkpoint, each when its time has come. What is in a checkpoint was published before, and what was
    /// published is in one at once: whoever goes on from it tells of no round twice, and forgets none.
    fn publish_if_due(&mut self) {
        let now = self.session.tick_now();
        if now >= self.next_look || now >= self.next_checkpoint {
            self.next_look = now + self.look_ticks;
            self.show();
            if self.publish(false) {
                self.next_checkpoint = now;
            }
        }
        if now >= self.next_checkpoint {
            self.next_checkpoint = now + self.checkpoint_ticks;
            if self.watcher.keeps() {
                self.watcher.checkpoint(self.session.checkpoint());
            }
        }
    }

    /// Publishes a look.
    fn show(&mut self) {
        let session = &self.session;
        self.watcher.status(session.status(), session.measure(), session.host());
    }

    /// Publishes what rounds came to, and their recordings, with `last` what there is of a chapter as well; whether a
    /// round ended.
    fn publish(&mut self, last: bool) -> bool {
        let mut recorded = self.session.take_recorded(last);
        let is_after = |recorded: &Recorded| matches!(recorded, Recorded::Afterwards(_));
        let after = recorded.iter().position(is_after).unwrap_or(recorded.len());
        let after = recorded.split_off(after);
        recorded.into_iter().for_each(|recorded| self.watcher.recorded(recorded));
        let results = self.session.take_results();
        let ended = !results.is_empty();
        if ended {
            self.watcher.results(results);
        }
        after.into_iter().for_each(|recorded| self.watcher.recorded(recorded));
        ended
    }

    /// Everybody is heard for the last time and told that it is over.
    fn end(mut self, code: CloseCode, why: &'static str) -> Option<Vec<u8>> {
        self.counts.progress.publishes();
        // Once it is over nobody looks for the end of a recording.
        self.publish(false);
        self.watcher.over(code, why);
        self.hear_the_last(code, why);
        let (code, why) = self.ended_by_wish(code).unwrap_or((code, why));
        self.show();
        self.publish(true);
        let goes_on = code.is_an_interruption() && self.watcher.goes_on();
        let checkpoint = goes_on.then(|| self.session.checkpoint().unwrap_or_default());
        self.session.stop(code, why);
        checkpoint
    }

    /// Takes what is in the queue, and nothing after that.
    fn hear_the_last(&mut self, code: CloseCode, why: &str) {
        self.queue.close();
        while let Ok((_, told)) = self.queue.try_recv() {
            match told {
                // No tick comes any more that would tell them which seat is theirs.
                ToSession::Join(mut who) => who.outbox.close(code, why),
                told => self.tell(told),
            }
        }
    }

    /// Who was told that the session has ended by their wish finds it ended, whatever became of the process.
    fn ended_by_wish(&mut self, code: CloseCode) -> Option<(CloseCode, &'static str)> {
        let ended = self.session.over().filter(|(wish, _)| !wish.is_an_interruption());
        let (code, why) = ended.filter(|_| code.is_an_interruption())?;
        self.watcher.over(code, why);
        Some((code, why))
    }
}

#[cfg(test)]
mod tests;
