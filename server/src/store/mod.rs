//! Results that outlive their sessions: SQLite on a thread of its own. Comes in: results, questions. Goes
//! out: answers. Nobody waits for the disk but who asked it something; a result that finds the queue full, or
//! a disk that refuses it, is counted and logged and is then only where its session keeps its last ones.

mod json;
mod leaderboard;
mod operator;
mod recordings;
mod results;
mod schema;
mod sessions;

pub use leaderboard::{LEADERBOARD_MAX, LeaderboardRow, Period};
pub use operator::{AUDIT_MAX, Deed, KeptBan, WRONG_TOKEN, WRONG_TOKENS_MAX};
pub use recordings::RecordingId;
pub use results::{LISTED_LINES, RESULTS_MAX, VISITORS_RESULTS_MAX};
pub use schema::{FILE_NAME, OpenError};
pub use sessions::OpenSession;

use crate::code::SessionCode;
use crate::lanes::give_way;
use crate::session::recording::Recorded;
use crate::session::result::RoundResult;
use crate::throttle::Throttle;
use rusqlite::Connection;
use schema::LOCK_WAIT;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Duration, Instant};
use utoipa::ToSchema;

/// Results and questions that wait for the disk. A result that finds it full is lost.
pub const QUEUE_MAX: usize = 256;
/// Questions find it full earlier, and are answered with "busy": they leave room for this many results.
const FOR_RESULTS: usize = QUEUE_MAX / 2;
/// For how long after it was kept a session goes on from a checkpoint, in ms. Whoever was there has given up by then, and the
/// round begins anew.
pub const CHECKPOINT_LIFE_MS: u64 = 10 * 60 * 1000;
/// Lines per minute about what was lost, for each kind of it, and about what cannot be read.
const LINES_PER_MINUTE: u32 = 6;

/// A round's result, and when it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct KeptResult {
    /// How the round ended.
    #[serde(flatten)]
    pub result: RoundResult,
    /// When the round ended, in ms since 1970 (UTC).
    pub at: u64,
    /// Under which name its recording is kept, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub recording: Option<RecordingId>,
}

/// The time of day, in ms since 1970 (UTC).
pub fn unix_ms() -> u64 {
    // A clock before 1970 is a broken one.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// Asks the thread that has the database. Cheap to clone; the thread ends with the last clone.
#[derive(Clone, Debug)]
pub struct Store {
    jobs: mpsc::Sender<Job>,
    troubles: Arc<Troubles>,
    bans: Arc<[KeptBan]>,
    /// Whether it is on a disk.
    on_disk: bool,
}

#[derive(Debug)]
struct Troubles {
    /// What could not be kept since the start: results, and everything else.
    lost_results: AtomicU64,
    lost_writes: AtomicU64,
    /// By [`What`]: of checkpoints there are so many that they would hide a ban.
    lines: [Throttle; What::Deed as usize + 1],
    unread: Throttle,
}

/// What the thread does with the database.
type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// What there is to keep. What comes later makes up for a checkpoint or a chapter that was lost; a result is lost for
/// good, and the rest with the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// A round's result.
    Result,
    /// That a session is open, or over.
    Session,
    Checkpoint,
    /// A part of a recording.
    Chapter,
    Bans,
    /// What the operator did.
    Deed,
}

impl core::fmt::Display for What {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Result => "a result",
            Self::Session => "that a session is open, or over,",
            Self::Checkpoint => "where a session stands",
            Self::Chapter => "a part of a recording",
            Self::Bans => "bans",
            Self::Deed => "a line of the audit log",
        })
    }
}

/// The store has no answer now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the results cannot be read now")]
pub struct NoAnswer;

impl Store {
    /// Opens the database in the folder `data`, which is made if it is missing, or one in memory. Errors with
    /// a sentence when that is not possible, or a newer version of this program wrote it.
    pub fn open(data: Option<&Path>) -> Result<Self, OpenError> {
        let lock = data.map(|folder| schema::lock(folder, LOCK_WAIT)).transpose()?;
        let connection = schema::open(data)?;
        let bans = operator::bans(&connection, unix_ms()).map_err(|error| {
            OpenError::Database(data.unwrap_or(Path::new(":memory:")).to_owned(), error)
        })?;
        let (jobs, waiting) = mpsc::channel(QUEUE_MAX);
        let throttle = || Throttle::new(LINES_PER_MINUTE, Duration::from_secs(60));
        let (lines, unread) = (std::array::from_fn(|_| throttle()), throttle());
        let (lost_results, lost_writes) = Default::default();
        let troubles = Arc::new(Troubles { lost_results, lost_writes, lines, unread });
        let thread = std::thread::Builder::new().name("store".into());
        let work = move || {
            give_way();
            work(connection, waiting);
            drop(lock);
        };
        thread.spawn(work).map_err(OpenError::Thread)?;
        Ok(Self { jobs, troubles, bans: bans.into(), on_disk: data.is_some() })
    }

    /// Keeps a result, if it can. Never waits.
    pub fn keep(&self, code: SessionCode, result: KeptResult) {
        self.tell(What::Result, move |db| results::keep(db, code, &result));
    }

    /// The bans that were there when the store was opened and had not ended.
    pub fn bans_at_start(&self) -> &[KeptBan] {
        &self.bans
    }

    /// Keeps bans, each in the place of the one that its address had, and forgets those of the addresses `gone`. All of it
    /// is one write. Never waits.
    pub fn keep_bans(&self, bans: Vec<KeptBan>, gone: Vec<IpAddr>) {
        self.tell(What::Bans, move |db| operator::keep_bans(db, &bans, &gone));
    }

    /// The bans that hold, and what is remembered of those that were lifted.
    #[cfg(test)]
    pub(crate) async fn bans(&self) -> Result<Vec<KeptBan>, NoAnswer> {
        self.ask(|db| operator::bans(db, unix_ms())).await
    }

    /// Keeps what the operator did. Never waits.
    pub fn note(&self, deed: Deed) {
        self.tell(What::Deed, move |db| operator::note(db, &deed));
    }

    /// The newest lines of the audit log, newest first, at most [`AUDIT_MAX`] and a few.
    pub async fn audit(&self, limit: u32) -> Result<Vec<Deed>, NoAnswer> {
        self.ask(move |db| operator::audit(db, limit)).await
    }

    /// Results that could not be kept since the start.
    pub fn lost_results(&self) -> u64 {
        self.troubles.lost_results.load(Ordering::Relaxed)
    }

    /// What else could not be kept since the start.
    pub fn lost_writes(&self) -> u64 {
        self.troubles.lost_writes.load(Ordering::Relaxed)
    }

    /// Results and questions that wait for the disk.
    pub fn waiting(&self) -> usize {
        self.jobs.max_capacity() - self.jobs.capacity()
    }

    /// Whether there is still somebody who keeps results and answers questions.
    pub fn is_working(&self) -> bool {
        !self.jobs.is_closed()
    }

    /// The newest results of public sessions, newest first, with their first [`LISTED_LINES`].
    pub async fn recent(&self, limit: u32) -> Result<Vec<KeptResult>, NoAnswer> {
        self.ask(move |db| results::recent(db, limit)).await
    }

    /// The newest results of one session, newest first, with their first [`LISTED_LINES`]; or that of the round of this
    /// number with all of them, if one is asked for.
    pub async fn of(
        &self,
        code: SessionCode,
        round: Option<u32>,
        limit: u32,
    ) -> Result<Vec<KeptResult>, NoAnswer> {
        self.ask(move |db| results::of(db, code, round, limit)).await
    }

    /// The best rounds of people that count since the period began, which ends at `now`, in ms since
    /// 1970. At most [`LEADERBOARD_MAX`] rows.
    pub async fn leaderboard(
        &self,
        period: Period,
        limit: u32,
        now: u64,
    ) -> Result<Vec<LeaderboardRow>, NoAnswer> {
        self.ask(move |db| leaderboard::best(db, period, limit, now)).await
    }

    /// Keeps that a session is open. `is_kept` is true from now on, and false again where the disk has too much to do, or
    /// refuses it. Never waits.
    pub fn remember(&self, session: OpenSession, is_kept: &Arc<AtomicBool>) {
        is_kept.store(true, Ordering::Relaxed);
        let after = Arc::clone(is_kept);
        let remember = move |db: &mut Connection| {
            let done = sessions::remember(db, &session);
            after.fetch_and(done.is_ok(), Ordering::Relaxed);
            done
        };
        if !self.tell(What::Session, remember) {
            is_kept.store(false, Ordering::Relaxed);
        }
    }

    /// Keeps that a session is over. Never waits.
    pub fn forget(&self, code: SessionCode) {
        self.tell(What::Session, move |db| sessions::forget(db, code));
    }

    /// Keeps more of a recording; the oldest make room where all together take more than `most` bytes. Never waits: while
    /// the disk has much to do a chapter is left out.
    pub fn record(&self, code: SessionCode, recorded: Recorded, most: u64) {
        if self.has_time_for(What::Chapter) {
            let keep = move |db: &mut _| recordings::keep(db, code, &recorded, unix_ms(), most);
            self.tell(What::Chapter, keep);
        }
    }

    /// A chapter, from 0, of a recording of a round that has a result.
    pub async fn chapter(&self, id: RecordingId, number: u32) -> Result<Option<Vec<u8>>, NoAnswer> {
        self.ask(move |db| recordings::chapter(db, id, number)).await
    }

    /// Whether what is kept is there after the process.
    pub fn outlives_the_process(&self) -> bool {
        self.on_disk
    }

    /// Keeps where a session stands; `None` where there is nothing to go on with. Never waits: while the disk has much to
    /// do this one is left out, as the next one comes soon.
    pub fn keep_checkpoint(&self, code: SessionCode, checkpoint: Option<Vec<u8>>) {
        if self.has_time_for(What::Checkpoint) {
            self.tell(What::Checkpoint, write_checkpoint(code, checkpoint));
        }
    }

    /// Keeps where a session stands that ends with the process; `None` where it begins anew. Waits until there is room for it.
    pub async fn keep_last_checkpoint(&self, code: SessionCode, checkpoint: Option<Vec<u8>>) {
        let job = self.job(What::Checkpoint, write_checkpoint(code, checkpoint));
        if self.jobs.send(job).await.is_err() {
            self.troubles.note(What::Checkpoint, "the store broke");
        }
    }

    /// Where a session stood when the process ended, if that is no longer ago than [`CHECKPOINT_LIFE_MS`].
    pub async fn checkpoint(&self, code: SessionCode) -> Result<Option<Vec<u8>>, NoAnswer> {
        let since = unix_ms().saturating_sub(CHECKPOINT_LIFE_MS);
        self.ask(move |db| sessions::checkpoint(db, code, since)).await
    }

    /// The sessions that were open when the server last ended, however it did.
    pub async fn open_sessions(&self) -> Result<Vec<OpenSession>, NoAnswer> {
        self.ask(|db| sessions::all(db)).await
    }

    /// Done once everything kept so far is on the disk, all of it in the one file that a backup takes.
    pub async fn settled(&self) -> Result<(), NoAnswer> {
        let (done, waiting) = oneshot::channel();
        let settle: Job = Box::new(move |db| {
            if let Err(error) = db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
                tracing::warn!(%error, "the last results are beside the database, in its -wal file");
            }
            // Nobody waits any more when it took too long.
            let _ = done.send(());
        });
        self.jobs.send(settle).await.map_err(|_| NoAnswer)?;
        waiting.await.map_err(|_| NoAnswer)
    }

    /// Whether there is room for what may be left out; what is left out is lost.
    fn has_time_for(&self, what: What) -> bool {
        let has_time = self.jobs.capacity() > FOR_RESULTS;
        if !has_time {
            self.troubles.note(what, "the disk has much to do");
        }
        has_time
    }

    /// Writes something without waiting for it; whether there was room for that.
    fn tell(
        &self,
        what: What,
        write: impl FnOnce(&mut Connection) -> rusqlite::Result<()> + Send + 'static,
    ) -> bool {
        let is_told = self.jobs.try_send(self.job(what, write)).is_ok();
        if !is_told {
            self.troubles.note(what, "the disk is too slow, or the store broke");
        }
        is_told
    }

    fn job(
        &self,
        what: What,
        write: impl FnOnce(&mut Connection) -> rusqlite::Result<()> + Send + 'static,
    ) -> Job {
        let troubles = Arc::clone(&self.troubles);
        Box::new(move |db| {
            if let Err(error) = write(db) {
                troubles.note(what, &error.to_string());
            }
        })
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, NoAnswer> {
        let (answer, waiting) = oneshot::channel();
        let troubles = Arc::clone(&self.troubles);
        let ask: Job = Box::new(move |db| {
            let said = question(db);
            if let Err(error) = &said {
                troubles.tell(&format!("the store cannot be read: {error}"));
            }
            // Nobody waits any more when the peer went away.
            drop(answer.send(said.map_err(|_| NoAnswer)));
        });
        if self.jobs.capacity() <= FOR_RESULTS {
            return Err(NoAnswer);
        }
        self.jobs.try_send(ask).map_err(|_| NoAnswer)?;
        waiting.await.unwrap_or(Err(NoAnswer))
    }
}

fn write_checkpoint(
    code: SessionCode,
    checkpoint: Option<Vec<u8>>,
) -> impl FnOnce(&mut Connection) -> rusqlite::Result<()> + Send + 'static {
    let at = unix_ms();
    move |db| sessions::keep_checkpoint(db, code, at, checkpoint.as_deref())
}

impl Troubles {
    /// Says what is wrong, a few times a minute: anybody can ask for what cannot be read.
    fn tell(&self, wrong: &str) {
        if let Some(hidden) = self.unread.pass(Instant::now()) {
            let hidden = (hidden > 0).then_some(hidden);
            tracing::warn!(hidden, "{wrong}");
        }
    }

    /// Counts something as lost, and says so, a few times a minute.
    fn note(&self, what: What, why: &str) {
        let lost = match what {
            What::Result => &self.lost_results,
            _ => &self.lost_writes,
        };
        let lost = lost.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(hidden) = self.lines[what as usize].pass(Instant::now()) {
            let hidden = (hidden > 0).then_some(hidden);
            tracing::error!(lost, hidden, "{what} could not be kept: {why}");
        }
    }
}

/// What the thread does until nobody can ask any more.
fn work(mut db: Connection, mut waiting: mpsc::Receiver<Job>) {
    while let Some(job) = waiting.blocking_recv() {
        job(&mut db);
    }
}

#[cfg(test)]
mod tests;
