//! The list of public sessions for those who watch it: made once for all of them, when something in it
//! changed, and not too often.

use super::Directory;
use super::entry::SessionInfo;
use crate::http::sse::event;
use bytes::Bytes;
use serde::Serialize;
use std::collections::HashSet;
use std::sync::Arc;
use tokio::sync::{Notify, watch};
use tokio::time::{Duration, sleep};
use utoipa::ToSchema;

/// The shortest time between two lists; what changes meanwhile is in the next one.
pub const LIST_EVERY: Duration = Duration::from_millis(500);

/// All public sessions.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SessionList {
    /// Another one after every change; what `after` is for.
    pub version: u64,
    /// The sessions, the fullest first.
    pub sessions: Vec<SessionInfo>,
}

/// The newest list, as what every listener is sent.
#[derive(Clone, Debug)]
pub struct ListEvent {
    /// [`SessionList::version`].
    pub version: u64,
    /// The whole [`SessionList`], as an event.
    pub event: Bytes,
}

impl ListEvent {
    fn of(list: &SessionList) -> Self {
        Self { version: list.version, event: event("sessions", list) }
    }
}

/// Whom to tell of changes.
#[derive(Debug)]
pub(super) struct Listing {
    changed: Notify,
    news: watch::Sender<ListEvent>,
}

impl Listing {
    pub(super) fn new() -> Self {
        let empty = SessionList { version: 1, sessions: Vec::new() };
        Self { changed: Notify::new(), news: watch::Sender::new(ListEvent::of(&empty)) }
    }

    /// Something in the list is no longer as it was.
    pub(super) fn note(&self) {
        self.changed.notify_one();
    }
}

impl Directory {
    /// The list as of now; where several servers are one site, of all of them.
    pub fn list(&self) -> SessionList {
        let SessionList { version, mut sessions } = self.own_list();
        // One that has just come over is in that server's last list as well.
        let here: HashSet<_> = sessions.iter().map(|info| info.code.clone()).collect();
        sessions.extend(self.site.sessions().into_iter().filter(|info| !here.contains(&info.code)));
        sort(&mut sessions);
        SessionList { version, sessions }
    }

    /// The same, of this server alone.
    pub(crate) fn own_list(&self) -> SessionList {
        let version = self.listing.news.borrow().version;
        let mut sessions: Vec<_> = self.entries().iter().map(|entry| entry.info()).collect();
        sessions.retain(|info| info.status.public);
        sort(&mut sessions);
        SessionList { version, sessions }
    }

    /// Something of another server's list is no longer as it was.
    pub(crate) fn relist(&self) {
        self.listing.note();
    }

    /// The newest list, and every later one.
    pub fn news(&self) -> watch::Receiver<ListEvent> {
        self.listing.news.subscribe()
    }

    /// Makes lists for as long as the server runs.
    pub(crate) async fn keep_listing(self: Arc<Self>) {
        let stop = self.stop.clone();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.listing.changed.notified() => {}
            }
            let mut list = self.list();
            list.version += 1;
            self.listing.news.send_replace(ListEvent::of(&list));
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(LIST_EVERY) => {}
            }
        }
    }
}

/// The fullest first.
fn sort(sessions: &mut [SessionInfo]) {
    sessions.sort_by(|a, b| {
        let order = b.status.players.cmp(&a.status.players);
        order.then_with(|| a.status.name.cmp(&b.status.name)).then_with(|| a.code.cmp(&b.code))
    });
}
