//! Stories about time: ticks on time, late ones, and the end.

use super::*;
use crate::lanes::SystemClock;
use crate::metrics::Metrics;
use crate::session::acts::{Act, HostAction, Order};
use crate::session::door::{ConnectionId, Newcomer};
use crate::session::settings::Mode;
use crate::session::{Provided, SessionConfig};
use parking_lot::Mutex;
use shared::arena::{Arena, Settings};
use shared::game::Setup;
use shared::wire::{SeatToken, Visitor};

const SECRET: HostSecret = HostSecret([0x11; 16]);

/// A connection that takes nothing, and remembers how it was closed.
#[derive(Clone, Debug, Default)]
struct Line(Arc<Mutex<Option<CloseCode>>>);

impl Line {
    fn closed(&self) -> Option<CloseCode> {
        *self.0.lock()
    }
}

impl Outbox for Line {
    fn has_room(&self) -> bool {
        false
    }

    fn push<'a>(&mut self, _: impl Iterator<Item = &'a [u8]>) -> bool {
        false
    }

    fn waiting(&self) -> usize {
        0
    }

    fn close(&mut self, code: CloseCode, _: &str) {
        self.0.lock().get_or_insert(code);
    }
}

/// Remembers when it ticked and what it was told.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Entries>>);

#[derive(Default)]
struct Entries {
    ticks: Vec<Instant>,
    told: Vec<(u64, f64, Tick)>,
    /// How many ticks were dropped, after which.
    dropped: Vec<(u32, Tick)>,
    stopped: Option<CloseCode>,
    looks: usize,
    over: Option<CloseCode>,
    ends_after: Option<usize>,
    /// Whether nothing is kept of what ends for the process's sake.
    forgets: bool,
    /// After which ticks it had to show a checkpoint that is kept.
    kept: Vec<Tick>,
    /// After so many ticks a round ends.
    round_ends: Option<usize>,
    /// What was published, in its order.
    published: Vec<&'static str>,
}

impl Watcher for Diary {
    fn status(&mut self, _: Status, _: Measure, _: Option<HostSecret>) {
        self.0.lock().looks += 1;
    }

    fn results(&mut self, _: Vec<RoundResult>) {
        self.0.lock().published.push("result");
    }

    fn recorded(&mut self, recorded: Recorded) {
        let what = if matches!(recorded, Recorded::GoesOn(_)) { "chapter" } else { "afterwards" };
        self.0.lock().published.push(what);
    }

    fn over(&mut self, code: CloseCode, _: &'static str) {
        let mut entries = self.0.lock();
        entries.over = Some(code);
        entries.published.push("over");
    }

    fn keeps(&self) -> bool {
        !self.0.lock().forgets
    }

    fn checkpoint(&mut self, checkpoint: Option<Vec<u8>>) {
        let tick = Tick::from_le_bytes(checkpoint.unwrap().try_into().unwrap());
        self.0.lock().kept.push(tick);
    }
}

impl Ticked<Line> for Diary {
    fn tick_rate(&self) -> u16 {
        30
    }

    fn tick_now(&self) -> Tick {
        self.0.lock().ticks.len() as Tick
    }

    fn handle(&mut self, told: ToSession<Line>, at: f64) {
        let now = self.tick_now();
        let mut entries = self.0.lock();
        match told {
            ToSession::Leave { connection, .. } => entries.told.push((connection.0, at, now)),
            ToSession::Dropped { ticks } => entries.dropped.push((ticks, now)),
            _ => panic!("nothing else is told here"),
        }
    }

    fn tick(&mut self, _: &mut dyn FnMut(Stage)) {
        self.0.lock().ticks.push(Instant::now());
    }

    fn stop(&mut self, code: CloseCode, _: &str) {
        self.0.lock().stopped = Some(code);
    }

    fn status(&self) -> Status {
        Status::default()
    }

    fn take_results(&mut self) -> Vec<RoundResult> {
        let mut entries = self.0.lock();
        let ticks = entries.ticks.len();
        let ended = entries.round_ends.take_if(|ends| *ends <= ticks);
        let places = Vec::new();
        let result = || RoundResult {
            name: "Arena 1".into(),
            mode: Mode::FreeForAll,
            public: true,
            counts: true,
            round: 1,
            seconds: 1,
            teams: Vec::new(),
            places,
        };
        ended.map(|_| result()).into_iter().collect()
    }

    fn take_recorded(&mut self, _: bool) -> Vec<Recorded> {
        let entries = self.0.lock();
        let ended = entries.round_ends.is_some_and(|ends| ends <= entries.ticks.len());
        let chapters = || vec![Recorded::GoesOn(vec![1]), Recorded::Afterwards(vec![2])];
        if ended { chapters() } else { Vec::new() }
    }

    fn over(&self) -> Option<(CloseCode, &'static str)> {
        let entries = self.0.lock();
        let over = entries.ends_after.is_some_and(|most| entries.ticks.len() >= most);
        over.then_some((CloseCode::Ended, "Enough."))
    }

    fn checkpoint(&self) -> Option<Vec<u8>> {
        Some(self.tick_now().to_le_bytes().into())
    }
}

struct Story {
    diary: Diary,
    queue: mpsc::Sender<Queued<Line>>,
    counts: Arc<TickCounts>,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
    start: Instant,
    task: tokio::task::JoinHandle<Option<Vec<u8>>>,
}

fn begin() -> Story {
    let diary = Diary::default();
    begin_with(diary.clone(), diary)
}

/// The same with a session of its own, of which the diary only hears.
fn begin_with(mut session: impl Ticked<Line> + 'static, diary: Diary) -> Story {
    let counts = Arc::new(TickCounts::default());
    let (queue, receiver) = mpsc::channel(16);
    let stop = CancellationToken::new();
    let (counted, stopped, watcher) = (Arc::clone(&counts), stop.clone(), diary.clone());
    let metrics = Arc::<Metrics>::default();
    let measured = Arc::clone(&metrics);
    let task = tokio::spawn(async move {
        let times = &measured.ticks;
        let ticking = TickLoop::new(&mut session, receiver, SystemClock, watcher, &counted, times);
        ticking.run(stopped).await
    });
    Story { diary, queue, counts, metrics, stop, start: Instant::now(), task }
}

#[tokio::test(start_paused = true)]
async fn an_hour_has_all_its_ticks_and_each_is_in_time() {
    let story = begin();
    tokio::time::sleep(Duration::from_secs(3600) + Duration::from_millis(2)).await;
    let entries = story.diary.0.lock();
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
    let entries = story.diary.0.lock();
    let [(1, first, 0), (2, second, 1)] = entries.told[..] else { panic!("{:?}", entries.told) };
    assert!((first - 0.3).abs() < 0.05 && (second - 1.5).abs() < 0.05, "{first} {second}");
}

#[tokio::test(start_paused = true)]
async fn a_session_is_told_of_time_that_was_dropped_before_the_ticks_that_are_late() {
    let story = begin();
    tokio::time::sleep(Duration::from_millis(150)).await;
    tokio::time::advance(Duration::from_secs(1)).await;
    tokio::time::sleep(Duration::from_millis(150)).await;
    let entries = story.diary.0.lock();
    let dropped = 30 - CATCH_UP_STEPS_MAX as u32;
    assert_eq!(entries.dropped, [(dropped, 4)]);
    assert_eq!(entries.ticks.len(), 4 + CATCH_UP_STEPS_MAX as usize + 4);
    assert_eq!(story.metrics.ticks.woken(), 4 + 30 + 4, "each was late, and not the wake-up");
}

#[tokio::test(start_paused = true)]
async fn stopping_hears_everybody_and_tells_everybody() {
    let story = begin();
    let leave = ToSession::Leave { connection: ConnectionId(7), keeps_seat: false };
    let leave = (Instant::now(), leave);
    story.queue.send(leave).await.unwrap();
    story.stop.cancel();
    story.task.await.unwrap();
    let entries = story.diary.0.lock();
    assert_eq!(entries.stopped, Some(CloseCode::GoingAway));
    assert_eq!(entries.over, entries.stopped);
    assert_eq!(entries.told.len(), 1);
    assert!(story.queue.is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_over_ends_its_loop() {
    let story = begin();
    story.diary.0.lock().ends_after = Some(45);
    story.task.await.unwrap();
    let entries = story.diary.0.lock();
    assert_eq!((entries.ticks.len(), entries.stopped), (45, Some(CloseCode::Ended)));
    assert_eq!(entries.over, entries.stopped);
    // After ticks 1, 16 and 31, and once more at the end.
    assert_eq!(entries.looks, 4);
}

#[tokio::test(start_paused = true)]
async fn checkpoints_are_shown_now_and_then_and_before_an_end_that_is_none() {
    let story = begin();
    let tick = Duration::from_secs(1) / 30;
    tokio::time::sleep(Duration::from_secs(11) + tick / 2).await;
    story.stop.cancel();
    assert_eq!(story.task.await.unwrap(), Some(330_u32.to_le_bytes().into()));
    assert_eq!(story.diary.0.lock().kept, [150, 300]);

    let over = begin();
    over.diary.0.lock().ends_after = Some(45);
    assert_eq!(over.task.await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn what_was_published_is_in_a_checkpoint_at_once() {
    let story = begin();
    story.diary.0.lock().round_ends = Some(40);
    tokio::time::sleep(Duration::from_secs(5) + Duration::from_millis(1)).await;
    // The round's end is seen after tick 46; from there it is five seconds to the next one.
    assert_eq!(story.diary.0.lock().kept, [46]);
    assert_eq!(story.diary.0.lock().published, ["chapter", "result", "afterwards"]);
}

#[tokio::test(start_paused = true)]
async fn a_round_that_ended_just_before_the_session_has_its_recording() {
    let story = begin();
    {
        let mut entries = story.diary.0.lock();
        (entries.round_ends, entries.ends_after) = (Some(40), Some(42));
    }
    story.task.await.unwrap();
    let published = &story.diary.0.lock().published;
    assert_eq!(published[..], ["chapter", "result", "afterwards", "over"]);
}

fn config() -> SessionConfig<Settings> {
    let setup = Setup::new(Settings::default(), 1, 30);
    let provided = Provided { host: Some(SECRET), ..Provided::default() };
    SessionConfig { provided, ..SessionConfig::new(setup) }
}

/// A real session.
fn begin_arena() -> Story {
    let session = Session::<Arena, Line>::new(config()).expect("settings that make sense");
    begin_with(session, Diary::default())
}

impl Story {
    async fn tell(&self, told: ToSession<Line>) {
        self.queue.send((Instant::now(), told)).await.unwrap();
    }

    /// Somebody comes; their connection.
    async fn join(&self, number: u64) -> Line {
        let line = Line::default();
        self.tell(ToSession::Join(Box::new(Newcomer {
            connection: ConnectionId(number),
            network: None,
            address: None,
            name: format!("guest {number}"),
            seat: None,
            visitor: Visitor::default(),
            host: None,
            watch: false,
            fresh: SeatToken([number as u8; 16]),
            fresh_host: HostSecret([number as u8; 16]),
            outbox: line.clone(),
        })))
        .await;
        line
    }
}

#[tokio::test(start_paused = true)]
async fn who_comes_after_the_last_tick_is_sent_away_and_in_no_checkpoint() {
    let story = begin_arena();
    let there = story.join(1).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let late = story.join(2).await;
    story.stop.cancel();
    let checkpoint = story.task.await.unwrap().expect("it goes on");
    let going_away = Some(CloseCode::GoingAway);
    assert_eq!((there.closed(), late.closed()), (going_away, going_away));
    let resumed = Session::<Arena, Line>::resume(config(), &checkpoint).expect("it is one");
    assert_eq!(resumed.players(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_end_that_is_wished_for_after_the_last_tick_is_one() {
    let story = begin_arena();
    let there = story.join(1).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let (sender, answers) = std::sync::mpsc::channel();
    let answer = Box::new(move |done| sender.send(done).unwrap());
    let order = Order::Host(SECRET, HostAction::End);
    story.tell(ToSession::Act(Act { order, answer })).await;
    story.stop.cancel();
    assert_eq!(story.task.await.unwrap(), None, "nothing goes on");
    assert_eq!(answers.try_recv(), Ok(Ok(())));
    let over = story.diary.0.lock().over;
    assert_eq!((there.closed(), over), (Some(CloseCode::Ended), Some(CloseCode::Ended)));
}

#[tokio::test(start_paused = true)]
async fn where_nobody_is_an_interrupted_session_goes_on_empty_if_it_goes_on() {
    for (forgets, checkpoint) in [(false, Some(Vec::new())), (true, None)] {
        let story = begin_arena();
        story.diary.0.lock().forgets = forgets;
        story.stop.cancel();
        assert_eq!(story.task.await.unwrap(), checkpoint);
        assert_eq!(story.diary.0.lock().over, Some(CloseCode::GoingAway));
    }
}

#[test]
fn loops_are_counted_each_and_together() {
    let all = Arc::new(TickCounts::default());
    let (one, two) = (TickCounts::part_of(&all), TickCounts::part_of(&all));
    one.add(|c| &c.ticks, 3);
    two.add(|c| &c.ticks, 4);
    two.add(|c| &c.late, 1);
    let ticks = |counts: &TickCounts| counts.ticks.load(Ordering::Relaxed);
    assert_eq!((ticks(&one), ticks(&two), ticks(&all)), (3, 4, 7));
    assert_eq!(all.late.load(Ordering::Relaxed), 1);
}
