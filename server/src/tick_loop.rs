//! Where the asynchronous side meets the synchronous one, and the only clock. Comes in: what all
//! connections tell one session, each with its time of arrival, through one bounded queue. Goes out:
//! the session's steps, at a fixed rate, and what it shows of itself. It owns the session, so there is no
//! lock around it, and it waits for nothing but the clock.

use crate::lanes::Clock;
use crate::metrics::{Measure, Stage, TickTimes};
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

/// Runs a session until it is over or `stop` is cancelled, then tells its players. Gives the last checkpoint, where the
/// session is over only for the process's sake, and where one would be kept; an empty one where there is nothing to go on with.
pub async fn run<O: Outbox>(
    session: &mut dyn Ticked<O>,
    mut queue: mpsc::Receiver<Queued<O>>,
    mut clock: impl Clock,
    counts: &TickCounts,
    times: &TickTimes,
    stop: CancellationToken,
    mut watcher: impl Watcher,
) -> Option<Vec<u8>> {
    let look_ticks = u32::from((session.tick_rate() / LOOKS_PER_SECOND).max(1));
    let checkpoint_ticks = u32::from(session.tick_rate() * CHECKPOINT_SECONDS);
    let mut next_look = 0;
    let mut next_checkpoint = session.tick_now() + checkpoint_ticks;
    let lines = Throttle::new(LINES_PER_MINUTE, Duration::from_secs(60));
    let tick = Duration::from_secs(1) / u32::from(session.tick_rate());
    let mut pace = Pace::new(session.tick_rate(), clock.begin(tick), session.tick_now());
    let (mut code, mut why) = loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break watcher.why_stopped(),
            () = clock.until(pace.next_deadline()) => {}
        }
        let woke = Instant::now();
        let late = woke.saturating_duration_since(pace.next_deadline());
        let mut laps = times.begin();
        let due = pace.due(woke);
        times.woke(late, due.steps + due.dropped, tick);
        note(due, counts, &lines);
        if due.dropped > 0 {
            let ticks = u32::try_from(due.dropped).unwrap_or(u32::MAX);
            session.handle(ToSession::Dropped { ticks }, f64::from(session.tick_now()));
        }
        // As many as there are now: a queue that fills as fast as it is drained holds up no tick.
        for _ in 0..queue.len() {
            let Ok((arrived, told)) = queue.try_recv() else { break };
            let at = pace.ticks_at(arrived).max(f64::from(session.tick_now()));
            if matches!(told, ToSession::Join(_) | ToSession::Leave { .. } | ToSession::Act(_)) {
                next_look = 0;
            }
            session.handle(told, at);
        }
        laps.lap(Stage::Drain);
        for step in 0..due.steps {
            if step > 0 {
                laps = times.begin();
            }
            session.tick(&mut |stage| laps.lap(stage));
            times.end(&laps);
        }
        counts.add(|c| &c.ticks, due.steps);
        let busy_ns = woke.elapsed().as_nanos() as u64;
        counts.add(|c| &c.busy_ns, busy_ns);
        counts.times.note(busy_ns, due.steps);
        if let Some(restraint) = watcher.worked(Duration::from_nanos(busy_ns), due.steps) {
            session.handle(ToSession::Restrain(restraint), f64::from(session.tick_now()));
            next_look = 0;
        }
        let now = session.tick_now();
        // What is in a checkpoint was published before, and what was published is in one at once: whoever goes on from it
        // tells of no round twice, and forgets none.
        if now >= next_look || now >= next_checkpoint {
            next_look = now + look_ticks;
            if look_at(session, &mut watcher, false) {
                next_checkpoint = now;
            }
        }
        if now >= next_checkpoint {
            next_checkpoint = now + checkpoint_ticks;
            if watcher.keeps() {
                watcher.checkpoint(session.checkpoint());
            }
        }
        if let Some(told) = session.over() {
            break told;
        }
    };
    // Once it is over nobody looks for the end of a recording.
    publish(session, &mut watcher, false);
    watcher.over(code, why);
    queue.close();
    while let Ok((_, told)) = queue.try_recv() {
        match told {
            // No tick comes any more that would tell them which seat is theirs.
            ToSession::Join(mut who) => who.outbox.close(code, why),
            told => session.handle(told, f64::from(session.tick_now())),
        }
    }
    // Who was told that the session has ended by their wish finds it ended, whatever became of the process.
    if code.is_an_interruption()
        && let Some(ended) = session.over().filter(|(code, _)| !code.is_an_interruption())
    {
        (code, why) = ended;
        watcher.over(code, why);
    }
    look_at(session, &mut watcher, true);
    let goes_on = code.is_an_interruption() && watcher.goes_on();
    let checkpoint = goes_on.then(|| session.checkpoint().unwrap_or_default());
    session.stop(code, why);
    checkpoint
}

/// Publishes all that there is to know; whether a round ended.
fn look_at<O>(session: &mut dyn Ticked<O>, watcher: &mut impl Watcher, last: bool) -> bool {
    watcher.status(session.status(), session.measure(), session.host());
    publish(session, watcher, last)
}

/// Publishes what rounds came to, and their recordings; whether one ended.
fn publish<O>(session: &mut dyn Ticked<O>, watcher: &mut impl Watcher, last: bool) -> bool {
    let mut recorded = session.take_recorded(last);
    let is_after = |recorded: &Recorded| matches!(recorded, Recorded::Afterwards(_));
    let after = recorded.iter().position(is_after).unwrap_or(recorded.len());
    let after = recorded.split_off(after);
    recorded.into_iter().for_each(|recorded| watcher.recorded(recorded));
    let results = session.take_results();
    let ended = !results.is_empty();
    if ended {
        watcher.results(results);
    }
    after.into_iter().for_each(|recorded| watcher.recorded(recorded));
    ended
}

fn note(due: Due, counts: &TickCounts, lines: &Throttle) {
    if due.steps > 1 {
        counts.add(|c| &c.late, 1);
    }
    if due.dropped > 0 {
        let all = counts.add(|c| &c.dropped, due.dropped) + due.dropped;
        if let Some(hidden) = lines.pass(Instant::now()) {
            let hidden = (hidden > 0).then_some(hidden);
            tracing::warn!(ticks = due.dropped, all, hidden, "fell behind and dropped time");
        }
    }
}

/// Which step is due when. Every deadline is computed from the start, so errors never add up.
#[derive(Debug)]
struct Pace {
    rate: u64,
    /// When the first tick's step was due, less a tick; later with every dropped tick.
    start: Instant,
    /// The tick before the first one: 0, unless the session goes on from a checkpoint.
    first: Tick,
    /// Steps made since, or about to be.
    done: u64,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Due {
    steps: u64,
    dropped: u64,
}

impl Pace {
    fn new(rate: u16, start: Instant, first: Tick) -> Self {
        Self { rate: u64::from(rate), start, first, done: 0 }
    }

    /// When the next step is due.
    fn next_deadline(&self) -> Instant {
        self.start + self.span(self.done + 1)
    }

    /// The steps that are due at `now`, counted as done.
    fn due(&mut self, now: Instant) -> Due {
        let nanos = now.saturating_duration_since(self.start).as_nanos();
        let passed = (nanos * u128::from(self.rate) / 1_000_000_000) as u64;
        // A deadline is rounded down to a nanosecond, so it may count as not quite reached.
        let passed = passed + u64::from(now >= self.start + self.span(passed + 1));
        let missing = passed.saturating_sub(self.done);
        let steps = missing.min(CATCH_UP_STEPS_MAX);
        let dropped = missing - steps;
        self.done += steps;
        self.start += self.span(dropped);
        Due { steps, dropped }
    }

    /// The time of `at` in ticks.
    fn ticks_at(&self, at: Instant) -> f64 {
        let since = at.saturating_duration_since(self.start);
        f64::from(self.first) + since.as_secs_f64() * self.rate as f64
    }

    fn span(&self, ticks: u64) -> Duration {
        let nanos = u128::from(ticks) * 1_000_000_000 / u128::from(self.rate);
        Duration::from_nanos(nanos as u64)
    }
}

#[cfg(test)]
mod tests;
