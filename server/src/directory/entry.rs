//! One session as the rest of the server knows it. Comes in: what its tick loop publishes. Goes out: plain
//! values for lists and look-ups. Nothing here makes the tick wait for longer than a value is copied.

use super::NoSession;
use crate::code::{Letter, SessionCode};
use crate::lanes::{Lane, Sockets};
use crate::metrics::Measure;
use crate::net::outbox::ConnectionOutbox;
use crate::net::places::Place;
use crate::session::door::ToSession;
use crate::session::result::RoundResult;
use crate::session::settings::SessionSettings;
use crate::session::status::Status;
use crate::store::{KeptResult, OpenSession, Store, unix_ms};
use crate::tick_loop::{Queued, TickCounts};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use shared::wire::close::CloseCode;
use shared::wire::{HostSecret, Protocol};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::sync::mpsc::error::{SendError, TrySendError};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

/// Results of its last rounds that a session is asked for; older ones are in the store at most.
pub const RESULTS_KEPT: usize = 20;

/// A session of the directory.
#[derive(Debug)]
pub struct Entry {
    /// What names it.
    pub code: SessionCode,
    /// How it is told things.
    pub handle: Arc<SessionHandle>,
    /// How its loop is doing.
    pub ticks: Arc<TickCounts>,
    pub(super) stop: CancellationToken,
    shown: Mutex<Look>,
    settings: Mutex<SessionSettings>,
    results: Mutex<VecDeque<KeptResult>>,
    /// What the store was given of it, for the next start; `None` where nothing is kept.
    kept: Mutex<Option<OpenSession>>,
    /// Whether the store has that, as far as is known.
    is_kept: Arc<AtomicBool>,
    promised: Arc<AtomicUsize>,
    /// Why it ends here to go on on another server of the site, if it does.
    pub(super) leave: OnceLock<Leave>,
    /// Since when it is here.
    since: Instant,
    /// Whether another server of the site handed it over.
    from_elsewhere: AtomicBool,
    /// Whether a visitor opened it, and not quick play.
    pub(super) is_visitors: bool,
    /// What it takes of the sessions that its opener's address may have.
    place: OnceLock<Place>,
    /// Whether its tick does not end, as far as is known.
    is_stuck: AtomicBool,
    /// Told when it is there, or goes on here as none took it.
    pub(super) moved: Notify,
}

/// Why a session moves to another server of the site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// This server stops; whoever takes it has it.
    Stop,
    /// The operator wants it, wherever it goes.
    Operator,
    /// There is too much to do here, and less on this server.
    Load(Letter),
}

impl Leave {
    /// Their names in the metrics.
    pub(crate) const LABELS: [&'static str; 3] = ["stop", "operator", "load"];

    /// Which of the names is its own.
    pub(crate) fn index(self) -> usize {
        match self {
            Self::Stop => 0,
            Self::Operator => 1,
            Self::Load(_) => 2,
        }
    }
}

/// What its loop last showed of a session.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) status: Status,
    pub(crate) measure: Measure,
    /// When it did.
    pub(crate) since: Instant,
}

/// What is shown of a session: its code and its status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionInfo {
    /// Ten letters and digits in two groups of five.
    pub code: String,
    /// The rest.
    #[serde(flatten)]
    pub status: Status,
}

/// What a session of the directory is told.
pub(crate) type Told = ToSession<ConnectionOutbox>;

/// What a connection has to know of a session to feed it.
#[derive(Clone, Debug)]
pub struct SessionHandle {
    /// Where it runs, and everybody who is in it.
    pub lane: Arc<Lane>,
    /// Where its loop looks for what they say.
    pub sockets: Arc<Sockets>,
    /// The session's queue.
    pub queue: mpsc::Sender<Queued<ConnectionOutbox>>,
    /// The game's tables.
    pub protocol: Protocol,
    /// Ticks per second: how often an honest client speaks.
    pub tick_rate: u16,
    /// What who is in it is told once it takes nothing more; empty until then, and for good when it broke.
    pub ending: Arc<OnceLock<(CloseCode, &'static str)>>,
}

impl SessionHandle {
    /// Tells the session something, as of now, once its queue has room. Errors when it takes nothing more.
    pub(crate) async fn tell(&self, told: Told) -> Result<(), SendError<Queued<ConnectionOutbox>>> {
        self.queue.send((Instant::now(), told)).await
    }

    /// The same at once; errors as well where there is no room.
    pub(crate) fn try_tell(
        &self,
        told: Told,
    ) -> Result<(), TrySendError<Queued<ConnectionOutbox>>> {
        self.queue.try_send((Instant::now(), told))
    }
}

/// A place promised to somebody on the way into a session: it counts as taken for as long as this lives.
#[derive(Debug)]
pub struct Promise(Arc<AtomicUsize>);

impl Drop for Promise {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Entry {
    pub(super) fn new(
        code: SessionCode,
        handle: Arc<SessionHandle>,
        ticks: TickCounts,
        stop: CancellationToken,
        settings: SessionSettings,
        status: Status,
        is_visitors: bool,
    ) -> Self {
        Self {
            code,
            handle,
            ticks: Arc::new(ticks),
            stop,
            shown: Mutex::new(Look::new(status, Measure::default())),
            settings: Mutex::new(settings),
            results: Mutex::default(),
            kept: Mutex::default(),
            is_kept: Arc::default(),
            promised: Arc::default(),
            leave: OnceLock::new(),
            since: Instant::now(),
            from_elsewhere: AtomicBool::new(false),
            is_visitors,
            place: OnceLock::new(),
            is_stuck: AtomicBool::new(false),
            moved: Notify::new(),
        }
    }

    /// What is shown of it now.
    pub fn info(&self) -> SessionInfo {
        let shown = self.shown.lock();
        let mut status = shown.status.clone();
        // Seconds pass between two looks as well.
        let passed = shown.since.elapsed().as_secs() as u32;
        status.phase_left_s = status.phase_left_s.map(|left| left.saturating_sub(passed));
        SessionInfo { code: self.code.to_string(), status }
    }

    /// How it stood at the last look.
    pub(crate) fn look(&self) -> Look {
        self.shown.lock().clone()
    }

    /// Whether its tick does not end, as far as is known.
    pub(super) fn is_stuck(&self) -> bool {
        self.is_stuck.load(Ordering::Relaxed)
    }

    /// From now on it does not, or it did after all.
    pub(super) fn is_now_stuck(&self, stuck: bool) {
        self.is_stuck.store(stuck, Ordering::Relaxed);
    }

    /// Errors where nobody gets in now, as a tick on its lane does not end.
    pub(crate) fn lets_in(&self) -> Result<(), NoSession> {
        if self.handle.lane.is_stuck() { Err(NoSession::Stuck) } else { Ok(()) }
    }

    /// It counts for the address of whoever opened it, until it is over.
    pub(crate) fn takes(&self, place: Place) {
        self.place.set(place).expect("a session is opened once");
    }

    /// For how long it has been here.
    pub(crate) fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Another server of the site handed it over.
    pub(super) fn comes_from_elsewhere(&self) {
        self.from_elsewhere.store(true, Ordering::Relaxed);
    }

    /// Whether another server of the site handed it over.
    pub(super) fn is_from_elsewhere(&self) -> bool {
        self.from_elsewhere.load(Ordering::Relaxed)
    }

    /// Whether it ends here to go on on another server of the site.
    pub(super) fn leaves(&self) -> bool {
        self.leave.get().is_some()
    }

    /// Whether it is in the list.
    pub fn is_public(&self) -> bool {
        self.shown.lock().status.public
    }

    /// What it was opened with, or changed to.
    pub fn settings(&self) -> SessionSettings {
        self.settings.lock().clone()
    }

    /// What `look` makes of them, without a copy.
    pub(super) fn look_at_settings<T>(&self, look: impl FnOnce(&SessionSettings) -> T) -> T {
        look(&self.settings.lock())
    }

    /// The settings are others from now on.
    pub fn change_settings(&self, change: impl FnOnce(&mut SessionSettings)) {
        change(&mut self.settings.lock());
    }

    /// The newest results, newest first, at most [`RESULTS_KEPT`].
    pub fn results(&self) -> Vec<KeptResult> {
        self.results.lock().iter().cloned().collect()
    }

    /// Has the store keep what there is to keep of it, if that is not what it has.
    pub(super) fn keep_open(&self, host: Option<HostSecret>, store: &Store) {
        let settings = self.settings.lock();
        let mut kept = self.kept.lock();
        let is_same = |kept: &OpenSession| kept.host == host && kept.settings == *settings;
        if !self.is_kept.load(Ordering::Relaxed) || !kept.as_ref().is_some_and(is_same) {
            let now = OpenSession { code: self.code, settings: settings.clone(), host };
            store.remember(now.clone(), &self.is_kept);
            *kept = Some(now);
        }
    }

    /// With what it can be opened again; `None` where nothing is kept.
    pub(super) fn kept(&self) -> Option<OpenSession> {
        self.kept.lock().clone()
    }

    /// Promises somebody a place.
    pub fn promise(&self) -> Promise {
        self.promised.fetch_add(1, Ordering::Relaxed);
        Promise(Arc::clone(&self.promised))
    }

    /// People who play and people who are on their way, where somebody may still come in.
    pub(super) fn people_if_open(&self) -> Option<usize> {
        let shown = self.shown.lock();
        let people = usize::from(shown.status.players) + self.promised.load(Ordering::Relaxed);
        let open = shown.status.public
            && !shown.status.locked
            && !shown.measure.restraint.is_closed()
            && self.lets_in().is_ok()
            && people < usize::from(shown.status.max_players);
        open.then_some(people)
    }

    /// Whether it is in the list and lets nobody new in, as there is too much to do.
    pub(super) fn is_closed(&self) -> bool {
        let shown = self.shown.lock();
        shown.status.public && shown.measure.restraint.is_closed()
    }

    /// How many more people it takes: seats that are free, and that its loop has time for as far as that is known.
    pub(super) fn room(&self) -> u32 {
        if self.lets_in().is_err() {
            return 0;
        }
        let shown = self.shown.lock();
        let people = usize::from(shown.status.players) + self.promised.load(Ordering::Relaxed);
        let seats = usize::from(shown.status.max_players).saturating_sub(people) as u32;
        shown.measure.room.unwrap_or(seats).min(seats)
    }

    /// Takes a new look; whether a list has to be made anew.
    pub(super) fn show(&self, status: Status, measure: Measure) -> bool {
        let mut shown = self.shown.lock();
        let now = Instant::now();
        let differs = shown.differs(&status, now);
        *shown = Look { status, measure, since: now };
        differs
    }

    /// Keeps results, the oldest first; answers them with their time.
    pub(super) fn keep(&self, results: Vec<RoundResult>) -> Vec<KeptResult> {
        let at = unix_ms();
        let kept: Vec<_> =
            results.into_iter().map(|result| KeptResult { result, at, recording: None }).collect();
        let mut all = self.results.lock();
        for result in &kept {
            all.push_front(result.clone());
        }
        all.truncate(RESULTS_KEPT);
        kept
    }
}

/// Seconds by which a phase's end may move before that is news.
const PHASE_SLACK_S: u32 = 2;

impl Look {
    fn new(status: Status, measure: Measure) -> Self {
        Self { status, measure, since: Instant::now() }
    }

    /// Whether anybody who counts seconds by themselves would see a difference.
    fn differs(&self, status: &Status, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.since).as_secs() as u32;
        let same_end = match (self.status.phase_left_s, status.phase_left_s) {
            (Some(before), Some(left)) => {
                before.saturating_sub(passed).abs_diff(left) <= PHASE_SLACK_S
            }
            (before, left) => before == left,
        };
        let same_time = Status { phase_left_s: self.status.phase_left_s, ..status.clone() };
        !same_end || self.status != same_time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(left: Option<u32>, players: u16) -> Look {
        let status = Status { phase_left_s: left, players, ..Status::default() };
        Look::new(status, Measure::default())
    }

    #[test]
    fn passing_seconds_are_no_news_and_people_are() {
        let before = shown(Some(100), 3);
        let later = before.since + Duration::from_secs(10);
        let differs = |left, players| before.differs(&shown(left, players).status, later);
        assert!(!differs(Some(90), 3) && !differs(Some(91), 3));
        assert!(differs(Some(100), 3), "the clock was set back");
        assert!(differs(None, 3) && differs(Some(90), 4));
    }
}
