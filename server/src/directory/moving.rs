//! Sessions that move between servers of a site. Comes in: that one is to leave, or one that another server gives away.
//! Goes out: the same session, from its last checkpoint, there or here.

use super::opening::Opening;
use super::{Directory, Entry, Leave, NoSession};
use crate::code::{Letter, SessionCode};
use crate::overload::LoadReport;
use crate::session::CHECKPOINT_LAYOUT;
use crate::site::Leaving;
use crate::store::OpenSession;
use std::sync::Arc;
use tokio::time::{Duration, timeout};

/// For how long sessions are awaited that are to go on on another server of the site. Of a server that stops, what is not
/// there by then waits for its next start.
pub(crate) const HAND_OVER_WAIT: Duration = Duration::from_secs(20);

impl Directory {
    /// Whether the game can be taken down and go on elsewhere.
    pub(super) fn can_move(&self) -> bool {
        self.opener.as_ref().is_some_and(|opener| opener.keeps_matches)
    }

    /// Servers of the site that a session can move to.
    pub(crate) fn ways_out(&self) -> usize {
        if self.can_move() { self.site.takers() } else { 0 }
    }

    /// Hands all sessions over, as the server stops.
    pub(crate) async fn hand_all_over(&self) {
        // Whoever was opening one is done; see `open`.
        drop(self.choosing.lock());
        self.hand_over(self.entries(), Leave::Stop).await;
    }

    /// Hands sessions over to the other servers of the site, where there are some that take them. What none takes goes on
    /// here, or waits for the next start. Done when each is there or here.
    pub(crate) async fn hand_over(&self, mut entries: Vec<Arc<Entry>>, why: Leave) {
        if self.ways_out() == 0 {
            return;
        }
        // One that leaves already is waited for already.
        entries.retain(|entry| entry.kept().is_some() && entry.leave.set(why).is_ok());
        for entry in &entries {
            self.site.is_about_to_leave(entry.code);
            entry.stop.cancel();
        }
        for entry in &entries {
            entry.moved.notified().await;
        }
    }

    /// Sees to it that a session goes on that has not ended for its own sake. Where it is to leave, on another server of the
    /// site, or here if none takes it and the process lasts, or nothing would be kept of it; else after the next start.
    pub(super) async fn part_with(self: &Arc<Self>, entry: &Entry, checkpoint: Vec<u8>) {
        if let Some(&why) = entry.leave.get()
            && let Some(session) = entry.kept()
        {
            let to = if let Leave::Load(to) = why { Some(to) } else { None };
            let people = entry.look().status.people();
            let leaving = Leaving { session: &session, people, checkpoint: &checkpoint, to };
            if self.site.hand_over(leaving, self.goes_on_with()).await {
                self.metrics.sessions.moved[why.index()].inc();
                self.store.forget(entry.code);
                return;
            }
            if !self.stopping.is_draining() || !self.store.outlives_the_process() {
                if let Err(why) = self.go_on(session, &checkpoint) {
                    tracing::warn!("a match is lost: {why}");
                }
                return;
            }
        }
        let keeping = self.store.keep_last_checkpoint(entry.code, some_of(checkpoint));
        // The end of the process waits for this, and must not wait for a disk that never answers.
        if timeout(self.live.get().limits.stop_wait, keeping).await.is_err() {
            tracing::warn!("the disk is too slow: a match goes on from some seconds before");
        }
    }

    /// What other servers of the site are told of how busy this one is.
    pub(crate) fn load_report(&self) -> LoadReport {
        let takes = self.can_move() && !self.stopping.is_draining();
        let left = self.live.get().max_sessions.saturating_sub(self.len());
        let report = self.overload.report(if takes { left as u32 } else { 0 });
        LoadReport { goes_on_with: self.goes_on_with(), ..report }
    }

    /// Of which matches this server can go on: those of the same game and rules, in the same layout.
    fn goes_on_with(&self) -> Option<(u64, u32)> {
        self.opener.as_ref().map(|opener| (opener.protocol.hash, CHECKPOINT_LAYOUT))
    }

    /// The server of the site that took a session which was here.
    pub(crate) fn taker(&self, code: SessionCode) -> Option<Letter> {
        self.site.taker(code).filter(|_| self.get(code).is_none())
    }

    /// Goes on with a session that another server of the site hands over. Errors when there is no room, or where it would
    /// not go on as the game and these rules are others.
    pub(crate) fn take(
        self: &Arc<Self>,
        session: OpenSession,
        checkpoint: &[u8],
    ) -> Result<(), NoSession> {
        let _choosing = self.choosing.lock();
        if self.stopping.is_draining() {
            return Err(NoSession::Stopping);
        }
        if self.sessions.len() >= self.live.get().max_sessions {
            return Err(NoSession::Full);
        }
        self.go_on(session, checkpoint)
    }

    /// Runs a session from where it was taken down.
    fn go_on(self: &Arc<Self>, session: OpenSession, checkpoint: &[u8]) -> Result<(), NoSession> {
        let opener = self.opener.as_ref().ok_or(NoSession::Closed)?;
        let OpenSession { code, settings, host } = session;
        if self.sessions.contains_key(&code) {
            return Err(NoSession::Refused("That session is here already.".into()));
        }
        let opening = Opening {
            checkpoint: some_of(checkpoint),
            or_anew: checkpoint.is_empty(),
            ..Opening::of(&self.live.get(), host)
        };
        let opened = opener.open(&settings, opening).map_err(NoSession::Refused)?;
        let entry = self.run(code, opened, opener.protocol, settings);
        entry.comes_from_elsewhere();
        if self.store.outlives_the_process() {
            // It makes its own only in some seconds.
            self.store.keep_checkpoint(code, some_of(checkpoint.to_vec()));
        }
        if self.stopping.is_draining() {
            // It was on its way when the others were told.
            let drain_s = self.live.get().stopping.drain_seconds(self.keeps_matches());
            let drain = Duration::from_secs(drain_s.into());
            self.part_from(&entry, self.stopping.left().unwrap_or_default().min(drain));
        }
        Ok(())
    }

    /// Codes of the sessions that were taken over from other servers, those included that were opened here and have
    /// come back.
    pub(crate) fn taken(&self) -> Vec<String> {
        let entries = self.entries();
        let taken = entries.iter().filter(|entry| self.has_been_elsewhere(entry));
        taken.map(|entry| entry.code.to_string()).collect()
    }

    /// Whether a session was on another server before.
    pub(crate) fn has_been_elsewhere(&self, entry: &Entry) -> bool {
        entry.is_from_elsewhere() || self.site.is_taken(entry.code)
    }

    /// Codes of the public sessions that let nobody new in, as they have more to do than they can.
    pub(crate) fn closed(&self) -> Vec<String> {
        let entries = self.entries();
        let closed = entries.iter().filter(|entry| entry.is_closed());
        closed.map(|entry| entry.code.to_string()).collect()
    }
}

/// A checkpoint that is one: of a session in which nobody is and nothing was forbidden there is none, and it begins anew.
fn some_of<T: AsRef<[u8]>>(checkpoint: T) -> Option<T> {
    (!checkpoint.as_ref().is_empty()).then_some(checkpoint)
}
