//! Who plays: one entry per person, in order of their numbers.

use super::door::{ConnectionId, Outbox};
use super::flow::Flow;
use super::mailbox::Mailbox;
use super::talk::ChatAllowance;
use bytes::Bytes;
use shared::game::{PlayerId, Tick};
use shared::netcode::frame::ViewList;
use shared::netcode::inputs::InputRing;
use shared::wire::Row;
use std::collections::HashMap;

/// A person in a session.
pub(super) struct Player<I, O> {
    pub(super) id: PlayerId,
    pub(super) connection: ConnectionId,
    pub(super) name: String,
    pub(super) inputs: InputRing<I>,
    /// What the client has after the last frame committed to its outbox.
    pub(super) list: ViewList,
    pub(super) flow: Flow,
    pub(super) mailbox: Mailbox,
    pub(super) chat: ChatAllowance,
    /// The last standings that went out, so that the same are not sent twice.
    pub(super) standings: Bytes,
    pub(super) outbox: O,
}

impl<I: Row, O: Outbox> Player<I, O> {
    pub(super) fn new(
        connection: ConnectionId,
        name: String,
        outbox: O,
        kinds: usize,
        first: Tick,
    ) -> Self {
        Self {
            id: PlayerId::default(),
            connection,
            name,
            inputs: InputRing::new(first),
            list: ViewList::new(kinds),
            flow: Flow::new(first),
            mailbox: Mailbox::default(),
            chat: ChatAllowance::default(),
            standings: Bytes::new(),
            outbox,
        }
    }
}

/// Everybody, ascending by number, and found by connection.
pub(super) struct Players<I, O> {
    all: Vec<Player<I, O>>,
    by_connection: HashMap<ConnectionId, PlayerId>,
    /// Counts through all numbers before one comes again: at one join a second that takes 18 hours.
    next_id: u16,
}

impl<I: Row, O: Outbox> Players<I, O> {
    pub(super) fn new() -> Self {
        Self { all: Vec::new(), by_connection: HashMap::new(), next_id: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Player<I, O>> {
        self.all.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Player<I, O>> {
        self.all.iter_mut()
    }

    /// The next number that neither a person nor, as `taken` tells, a computer pilot has.
    pub(super) fn free_id(&mut self, taken: impl Fn(PlayerId) -> bool) -> PlayerId {
        loop {
            let id = PlayerId(self.next_id);
            self.next_id = self.next_id.wrapping_add(1);
            if self.index(id).is_err() && !taken(id) {
                return id;
            }
        }
    }

    pub(super) fn insert(&mut self, player: Player<I, O>) {
        let place = self.index(player.id).expect_err("a number is given out once");
        self.by_connection.insert(player.connection, player.id);
        self.all.insert(place, player);
    }

    pub(super) fn remove(&mut self, connection: ConnectionId) -> Option<Player<I, O>> {
        let id = self.by_connection.remove(&connection)?;
        Some(self.all.remove(self.index(id).expect("both maps agree")))
    }

    pub(super) fn get_mut(&mut self, connection: ConnectionId) -> Option<&mut Player<I, O>> {
        let id = *self.by_connection.get(&connection)?;
        let place = self.index(id).expect("both maps agree");
        Some(&mut self.all[place])
    }

    fn index(&self, id: PlayerId) -> Result<usize, usize> {
        self.all.binary_search_by_key(&id, |p| p.id)
    }
}
