//! All sessions of this process, by code. Comes in: wishes for a session (one of this code, any, a new one
//! like this). Goes out: an [`Entry`] to join through, and lists. Each session has a tick loop of its own in
//! a task of its own: what breaks in it ends that session and no other.
//!
//! Looking a code up takes as long whether it is close to one that exists or not: codes are compared as
//! whole numbers behind a keyed hash. How often an address may ask for one that does not exist is bounded in
//! [`crate::net::address_limits`].

mod adopted;
mod entry;
mod listing;
mod loads;
mod moving;
mod opening;
mod running;
mod tickets;
mod watchdog;

use adopted::Adopted;
pub use adopted::open;
pub use entry::{Entry, Promise, RESULTS_KEPT, SessionHandle, SessionInfo};
pub(crate) use entry::{Leave, Look, Told};
pub use listing::{LIST_EVERY, ListEvent, SessionList};
pub(crate) use moving::HAND_OVER_WAIT;
pub use opening::{
    AnySession, CREATED_PILOTS_MAX, CREATED_SPECTATORS_MAX, CREATED_TICK_RATE_MAX, Opener,
};
pub use tickets::{TICKETS_MAX, Ticket, Tickets};

use crate::code::SessionCode;
use crate::lanes::Lanes;
use crate::live::Live;
use crate::metrics::Metrics;
use crate::overload::Overload;
use crate::session::door::ToSession;
use crate::session::restraint::OVERLOADED;
use crate::session::settings::{Mode, SessionSettings};
use crate::site::Site;
use crate::stopping::Stopping;
use crate::store::{OpenSession, Store};
use crate::tick_loop::TickCounts;
use dashmap::DashMap;
use listing::Listing;
pub(crate) use opening::Most;
use opening::Opening;
use parking_lot::Mutex;
use shared::wire::{HostSecret, Protocol};
use std::sync::Arc;
use tokio::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// All sessions.
#[derive(Debug)]
pub struct Directory {
    sessions: DashMap<SessionCode, Arc<Entry>>,
    opener: Option<Opener>,
    live: Arc<Live>,
    site: Arc<Site>,
    /// What tests and benches handed in.
    adopted: Adopted,
    /// Held while sessions are counted, chosen or opened, so that no two who come at once both open one.
    choosing: Mutex<()>,
    listing: Listing,
    /// Tickets that nobody has used yet.
    pub tickets: Tickets,
    /// What sessions count and how long their ticks take.
    pub metrics: Arc<Metrics>,
    /// The sum over all sessions there ever were.
    pub ticks: Arc<TickCounts>,
    /// What is given up when there is too much to do.
    pub overload: Arc<Overload>,
    pub(crate) lanes: Lanes,
    store: Store,
    stopping: Arc<Stopping>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Why there is no session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoSession {
    /// There are as many as there may be.
    Full,
    /// A sentence about what makes no sense in the settings.
    Refused(String),
    /// This server opens none.
    Closed,
    /// This server is about to stop.
    Stopping,
    /// There is more to do than this server can: nobody new is let in.
    Overloaded,
    /// Where it is, or on all lanes, a tick does not end: nobody would get in.
    Stuck,
}

impl core::fmt::Display for NoSession {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Full => {
                "All sessions that fit on this server are taken; try again in a few minutes."
            }
            Self::Refused(sentence) => sentence,
            Self::Closed => "This server opens no further sessions.",
            Self::Overloaded => OVERLOADED,
            Self::Stuck => "This game stands still at the moment; try again in a few minutes.",
            Self::Stopping => "The server is about to stop; try again in a minute.",
        })
    }
}

/// One in so many of all sessions is for quick play alone, which opens one where those that are there are full: visitors'
/// own sessions, of which nobody has to let anybody in, never take all.
pub const QUICK_PLAYS_SHARE: usize = 8;

impl Directory {
    /// An empty directory that opens sessions by `opener`, if at all, and lets `store` keep their results.
    pub fn new(
        live: Arc<Live>,
        site: Arc<Site>,
        opener: Option<Opener>,
        store: Store,
        stopping: Arc<Stopping>,
        stop: CancellationToken,
    ) -> Self {
        let lanes = Lanes::start(live.get().threads());
        Self {
            sessions: DashMap::new(),
            opener,
            adopted: Adopted::default(),
            choosing: Mutex::default(),
            listing: Listing::new(),
            tickets: Tickets::new(live.get().limits.ticket_life),
            overload: Arc::new(Overload::new(Arc::clone(&live), lanes.len())),
            lanes,
            live,
            site,
            metrics: Arc::default(),
            ticks: Arc::default(),
            store,
            stopping,
            stop,
            tasks: TaskTracker::new(),
        }
    }

    /// The session with this code.
    pub fn get(&self, code: SessionCode) -> Option<Arc<Entry>> {
        self.sessions.get(&code).map(|entry| Arc::clone(&entry))
    }

    /// All of them, in no order.
    pub fn entries(&self) -> Vec<Arc<Entry>> {
        self.sessions.iter().map(|entry| Arc::clone(entry.value())).collect()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// Whether a visitor may have a session like this; a sentence if not.
    pub fn check(&self, settings: &SessionSettings) -> Result<(), String> {
        opening::within_reason(settings, Most::of(&self.live.get()))
    }

    /// Opens a session that a visitor described, with them as its host.
    pub fn create(
        self: &Arc<Self>,
        settings: SessionSettings,
        host: HostSecret,
    ) -> Result<Arc<Entry>, NoSession> {
        self.check(&settings).map_err(NoSession::Refused)?;
        self.is_let_in()?;
        let _choosing = self.choosing.lock();
        let max = self.live.get().max_sessions;
        let visitors = self.sessions.iter().filter(|entry| entry.is_visitors).count();
        if visitors >= max - max / QUICK_PLAYS_SHARE {
            return Err(NoSession::Full);
        }
        self.open(settings, Some(host))
    }

    /// Quick play: the fullest public session with room that is `not` one of these, of several those with the usual settings
    /// first; a new one where there is none. With it comes a place in it.
    pub fn quick(
        self: &Arc<Self>,
        not: &[SessionCode],
    ) -> Result<(Arc<Entry>, Promise), NoSession> {
        let _choosing = self.choosing.lock();
        if self.stopping.is_draining() {
            return Err(NoSession::Stopping);
        }
        if let Some(adopted) = self.to_adopted() {
            return adopted;
        }
        self.is_let_in()?;
        self.tickets.prune();
        let usual = self.usual();
        let meant = self.entries().into_iter().filter(|entry| !not.contains(&entry.code));
        let open = meant.filter_map(|entry| {
            let people = entry.people_if_open()?;
            Some(((people, entry.look_at_settings(|settings| is_usual(settings, &usual))), entry))
        });
        let fullest = open.max_by_key(|(rank, _)| *rank);
        let entry = match fullest {
            Some((_, entry)) => entry,
            None => {
                let name = self.free_name();
                self.open(SessionSettings { name, ..usual }, None)?
            }
        };
        let promise = entry.promise();
        Ok((entry, promise))
    }

    /// Whether quick play that leads to none of these leads to people who play.
    pub(crate) fn has_company(&self, not: &[SessionCode]) -> bool {
        let company = |entry: &Arc<Entry>| entry.people_if_open().is_some_and(|people| people > 0);
        self.entries().iter().any(|entry| !not.contains(&entry.code) && company(entry))
    }

    /// Whether there is time for anybody new, wherever they go, and a lane that gets on. Whoever turns somebody away for it
    /// counts that: another server of the site may let them in.
    fn is_let_in(&self) -> Result<(), NoSession> {
        if self.overload.is_closed() {
            return Err(NoSession::Overloaded);
        }
        if self.lanes.stuck() == self.lanes.len() { Err(NoSession::Stuck) } else { Ok(()) }
    }

    /// How many more people find a place, as far as that is known without a look at the machine as a whole.
    pub(crate) fn seats_left(&self) -> u32 {
        let config = self.live.get();
        let entries = self.entries();
        let unopened = match &self.opener {
            Some(_) => config.max_sessions.saturating_sub(entries.len()) as u32,
            None => 0,
        };
        let inside = entries.iter().map(|entry| entry.room()).fold(0, u32::saturating_add);
        inside.saturating_add(unopened.saturating_mul(config.max_players.into()))
    }

    /// The game's tables; `None` where there is neither a game to open sessions of nor a session.
    pub fn protocol(&self) -> Option<Protocol> {
        let opened = self.opener.as_ref().map(|opener| opener.protocol);
        opened.or_else(|| self.adopted_protocol())
    }

    /// Whether there is room for somebody new who does not care where.
    pub fn has_room(&self) -> bool {
        let opens = self.opener.is_some() && self.len() < self.live.get().max_sessions;
        opens || self.entries().iter().any(|entry| entry.people_if_open().is_some())
    }

    /// Whether the matches that are on go on after the next start of the server.
    pub(crate) fn keeps_matches(&self) -> bool {
        self.can_move() && self.store.outlives_the_process()
    }

    /// Tells every session that the server stops within so many seconds; none opens any more. Done when the last
    /// one has ended.
    pub(crate) async fn part(&self, seconds: u32) {
        // Whoever was opening one is done; see `open`.
        drop(self.choosing.lock());
        for entry in self.entries() {
            // A session that takes nothing has ended.
            let _ = entry.handle.tell(ToSession::Part { seconds }).await;
        }
        self.ended().await;
    }

    /// Tells one that has only just begun here.
    fn part_from(&self, entry: &Entry, left: Duration) {
        let seconds = left.as_secs() as u32;
        let told = entry.handle.try_tell(ToSession::Part { seconds });
        told.expect("a new queue has room");
    }

    /// Waits until every session has told its players, or is given up; the server is stopping.
    pub(crate) async fn ended(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn open(
        self: &Arc<Self>,
        settings: SessionSettings,
        host: Option<HostSecret>,
    ) -> Result<Arc<Entry>, NoSession> {
        let opener = self.opener.as_ref().ok_or(NoSession::Closed)?;
        if self.stopping.is_draining() {
            return Err(NoSession::Stopping);
        }
        let config = self.live.get();
        if self.sessions.len() >= config.max_sessions {
            return Err(NoSession::Full);
        }
        let opening = Opening::of(&config, host);
        let session = opener.open(&settings, opening);
        let session = session.map_err(NoSession::Refused)?;
        Ok(self.run(self.fresh_code(), session, opener.protocol, settings))
    }

    /// Opens the sessions again that were open when the server last ended: they go on where they stood, if that was lately
    /// and is something that this program understands.
    pub(crate) async fn reopen(self: &Arc<Self>) {
        let (Some(opener), Ok(sessions)) = (&self.opener, self.store.open_sessions().await) else {
            return;
        };
        let config = self.live.get();
        for OpenSession { code, settings, host } in sessions {
            if let Some(there) = self.site.taker(code) {
                // The end of this process came before the disk knew.
                tracing::info!(session = ?code, %there, "is on another server by now");
                self.store.forget(code);
                continue;
            }
            let session = if self.len() < config.max_sessions {
                let checkpoint = self.store.checkpoint(code).await.unwrap_or_default();
                let checkpoint = checkpoint.as_deref();
                opener.open(&settings, Opening { checkpoint, ..Opening::of(&config, host) })
            } else {
                Err("there are as many sessions as there may be".into())
            };
            match session {
                Ok(session) => drop(self.run(code, session, opener.protocol, settings)),
                Err(why) => {
                    tracing::warn!(session = ?code, "does not open again: {why}");
                    self.store.forget(code);
                }
            }
        }
    }

    /// What a visitor's session has of which they say nothing else, and the most that they may say.
    pub(crate) fn offer(&self) -> (SessionSettings, Most) {
        let config = self.live.get();
        (opening::offered(&config, self.opener.as_ref()), Most::of(&config))
    }

    /// What the game is called that sessions are opened of.
    fn game(&self) -> &'static str {
        self.opener.as_ref().map_or("", |opener| opener.game)
    }

    /// What quick play opens.
    fn usual(&self) -> SessionSettings {
        opening::usual(&self.live.get())
    }

    fn fresh_code(&self) -> SessionCode {
        // One in a quadrillion would be taken, and must not be taken twice.
        std::iter::repeat_with(|| self.site.fresh_code())
            .find(|code| !self.sessions.contains_key(code))
            .expect("there is no end to them")
    }

    /// The game's name and the smallest number that no session has.
    fn free_name(&self) -> String {
        let game = opening::title(self.game());
        let here = self.entries().into_iter().map(|entry| entry.info());
        let taken: Vec<_> = here.chain(self.site.sessions()).map(|info| info.status.name).collect();
        let names = (1..).map(|number| format!("{game} {number}"));
        names.into_iter().find(|name| !taken.contains(name)).expect("there is no end to them")
    }
}

/// Whether settings are much like those that quick play would choose.
fn is_usual(settings: &SessionSettings, usual: &SessionSettings) -> bool {
    let teams = |of: &SessionSettings| (of.mode == Mode::Teams).then_some(of.teams);
    teams(settings) == teams(usual) && settings.round_s == usual.round_s && settings.game.is_empty()
}
