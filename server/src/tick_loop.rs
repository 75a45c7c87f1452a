//! Where the asynchronous side meets the synchronous one, and the only clock. Comes in: what all
//! connections tell one session, each with its time of arrival, through one bounded queue. Goes out:
//! the session's steps, at a fixed rate. It owns the session, so there is no lock around it, and it
//! waits for nothing but the clock.

use crate::session::Session;
use crate::session::door::{Outbox, ToSession};
use crate::session::result::RoundResult;
use crate::session::status::Status;
use crate::throttle::Throttle;
use shared::game::{Game, Tick};
use shared::wire::close::CloseCode;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// Ticks that are caught up at once after a delay. What is missing beyond that is dropped: the world
/// stood still, and players saw it.
pub const CATCH_UP_STEPS_MAX: u64 = 5;
/// Lines about dropped time per minute.
const LINES_PER_MINUTE: u32 = 6;

/// What a session is told, and when it arrived.
pub type Told<O> = (Instant, ToSession<O>);

/// What the loop drives: a session, or a test's stand-in.
pub trait Ticked<O>: Send {
    /// Ticks per second.
    fn tick_rate(&self) -> u16;
    /// The newest completed tick.
    fn tick_now(&self) -> Tick;
    /// Takes what somebody said; `at` in ticks since the start, the step of tick N being at N.
    fn handle(&mut self, told: ToSession<O>, at: f64);
    /// One step.
    fn tick(&mut self);
    /// Tells everybody that it is over.
    fn stop(&mut self, code: CloseCode, reason: &str);
    /// What it shows of itself.
    fn status(&self) -> Status {
        Status::default()
    }
    /// Results of rounds that ended since the last call.
    fn take_results(&mut self) -> Vec<RoundResult> {
        Vec::new()
    }
    /// Whether it is over, and a sentence why.
    fn over(&self) -> Option<&'static str> {
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

    fn tick(&mut self) {
        self.tick();
    }

    fn stop(&mut self, code: CloseCode, reason: &str) {
        self.stop(code, reason);
    }

    fn status(&self) -> Status {
        self.status()
    }

    fn take_results(&mut self) -> Vec<RoundResult> {
        self.take_results()
    }

    fn over(&self) -> Option<&'static str> {
        self.over()
    }
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
}

/// Runs a session until `stop` is cancelled, then tells its players.
pub async fn run<O, S: Ticked<O>>(
    mut session: S,
    mut queue: mpsc::Receiver<Told<O>>,
    counts: &TickCounts,
    stop: CancellationToken,
) {
    let lines = Throttle::new(LINES_PER_MINUTE, Duration::from_secs(60));
    let mut pace = Pace::new(session.tick_rate(), Instant::now());
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            () = sleep_until(pace.next_deadline()) => {}
        }
        let woke = Instant::now();
        let due = pace.due(woke);
        note(due, counts, &lines);
        // As many as there are now: a queue that fills as fast as it is drained holds up no tick.
        for _ in 0..queue.len() {
            let Ok((arrived, told)) = queue.try_recv() else { break };
            let at = pace.ticks_at(arrived).max(f64::from(session.tick_now()));
            session.handle(told, at);
        }
        for _ in 0..due.steps {
            session.tick();
        }
        counts.ticks.fetch_add(due.steps, Ordering::Relaxed);
        if due.steps > 1 {
            // The next deadline may have passed too, and sleeping until the past does not yield.
            tokio::task::yield_now().await;
        }
    }
    queue.close();
    while let Ok((_, told)) = queue.try_recv() {
        session.handle(told, f64::from(session.tick_now()));
    }
    session.stop(CloseCode::GoingAway, "The server stops; try again in a minute.");
}

fn note(due: Due, counts: &TickCounts, lines: &Throttle) {
    if due.steps > 1 {
        counts.late.fetch_add(1, Ordering::Relaxed);
    }
    if due.dropped > 0 {
        let all = counts.dropped.fetch_add(due.dropped, Ordering::Relaxed) + due.dropped;
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
    /// When tick 0 was; later with every dropped tick.
    start: Instant,
    /// Steps made, or about to be.
    done: u64,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Due {
    steps: u64,
    dropped: u64,
}

impl Pace {
    fn new(rate: u16, start: Instant) -> Self {
        Self { rate: u64::from(rate), start, done: 0 }
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
        at.saturating_duration_since(self.start).as_secs_f64() * self.rate as f64
    }

    fn span(&self, ticks: u64) -> Duration {
        let nanos = u128::from(ticks) * 1_000_000_000 / u128::from(self.rate);
        Duration::from_nanos(nanos as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::door::ConnectionId;
    use std::sync::{Arc, Mutex};

    /// Remembers when it ticked and what it was told.
    #[derive(Clone, Default)]
    struct Diary(Arc<Mutex<Entries>>);

    #[derive(Default)]
    struct Entries {
        ticks: Vec<Instant>,
        told: Vec<(u64, f64, Tick)>,
        stopped: Option<CloseCode>,
    }

    impl Ticked<()> for Diary {
        fn tick_rate(&self) -> u16 {
            30
        }

        fn tick_now(&self) -> Tick {
            self.0.lock().unwrap().ticks.len() as Tick
        }

        fn handle(&mut self, told: ToSession<()>, at: f64) {
            let ToSession::Leave { connection, .. } = told else {
                panic!("only leaves are told here")
            };
            let now = self.tick_now();
            self.0.lock().unwrap().told.push((connection.0, at, now));
        }

        fn tick(&mut self) {
            self.0.lock().unwrap().ticks.push(Instant::now());
        }

        fn stop(&mut self, code: CloseCode, _: &str) {
            self.0.lock().unwrap().stopped = Some(code);
        }
    }

    struct Story {
        diary: Diary,
        queue: mpsc::Sender<Told<()>>,
        counts: Arc<TickCounts>,
        stop: CancellationToken,
        start: Instant,
        task: tokio::task::JoinHandle<()>,
    }

    fn begin() -> Story {
        let (diary, counts) = (Diary::default(), Arc::new(TickCounts::default()));
        let (queue, receiver) = mpsc::channel(16);
        let stop = CancellationToken::new();
        let (session, counted, stopped) = (diary.clone(), Arc::clone(&counts), stop.clone());
        let task = tokio::spawn(async move { run(session, receiver, &counted, stopped).await });
        Story { diary, queue, counts, stop, start: Instant::now(), task }
    }

    #[tokio::test(start_paused = true)]
    async fn an_hour_has_all_its_ticks_and_each_is_in_time() {
        let story = begin();
        tokio::time::sleep(Duration::from_secs(3600) + Duration::from_millis(2)).await;
        let entries = story.diary.0.lock().unwrap();
        assert_eq!(entries.ticks.len(), 3600 * 30);
        for (n, tick) in entries.ticks.iter().enumerate() {
            let ideal = story.start + Duration::from_nanos((n as u64 + 1) * 1_000_000_000 / 30);
            let late = tick.saturating_duration_since(ideal);
            assert!(*tick >= ideal && late < Duration::from_millis(2), "tick {n}: {late:?}");
        }
        assert_eq!(story.counts.late.load(Ordering::Relaxed), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_told_comes_before_the_tick_with_its_time() {
        let story = begin();
        tokio::time::sleep(Duration::from_millis(10)).await;
        let leave = |n| {
            let connection = ConnectionId(n);
            (Instant::now(), ToSession::Leave { connection, keeps_seat: false })
        };
        story.queue.send(leave(1)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(40)).await;
        story.queue.send(leave(2)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(40)).await;
        let entries = story.diary.0.lock().unwrap();
        let [(1, first, 0), (2, second, 1)] = entries.told[..] else {
            panic!("{:?}", entries.told)
        };
        assert!((first - 0.3).abs() < 0.05 && (second - 1.5).abs() < 0.05, "{first} {second}");
    }

    #[tokio::test(start_paused = true)]
    async fn stopping_hears_everybody_and_tells_everybody() {
        let story = begin();
        let leave = ToSession::Leave { connection: ConnectionId(7), keeps_seat: false };
        let leave = (Instant::now(), leave);
        story.queue.send(leave).await.unwrap();
        story.stop.cancel();
        story.task.await.unwrap();
        let entries = story.diary.0.lock().unwrap();
        assert_eq!(entries.stopped, Some(CloseCode::GoingAway));
        assert_eq!(entries.told.len(), 1);
        assert!(story.queue.is_closed());
    }

    #[test]
    fn a_delay_is_caught_up_and_a_long_one_partly_dropped() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut pace = Pace::new(100, start);
        assert_eq!(pace.due(at(9)), Due { steps: 0, dropped: 0 });
        assert_eq!(pace.due(at(10)), Due { steps: 1, dropped: 0 });
        assert_eq!(pace.due(at(45)), Due { steps: 3, dropped: 0 });
        assert_eq!(pace.next_deadline(), at(50));
        assert_eq!(pace.due(at(250)), Due { steps: 5, dropped: 16 });
        // Nine ticks are done, and time goes on as if the sixteen had never been.
        assert_eq!(pace.next_deadline(), at(260));
        assert_eq!(pace.ticks_at(at(250)), 9.0);
        assert_eq!(pace.due(at(260)), Due { steps: 1, dropped: 0 });
    }

    #[test]
    fn every_deadline_makes_exactly_one_step_due() {
        for rate in 10..=128 {
            let mut pace = Pace::new(rate, Instant::now());
            for n in 0..1000 {
                let deadline = pace.next_deadline();
                let early = deadline - Duration::from_nanos(1);
                assert_eq!(pace.due(early), Due { steps: 0, dropped: 0 }, "{rate} {n}");
                assert_eq!(pace.due(deadline), Due { steps: 1, dropped: 0 }, "{rate} {n}");
            }
        }
    }
}
