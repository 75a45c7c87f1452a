//! Who plays: one entry per person, in order of their numbers. A person is here, with a [`Link`], or
//! away: the connection was lost, and the seat is kept for a while.

use super::allowance::{ChatAllowance, Pause};
use super::door::{ConnectionId, Newcomer, Outbox};
use super::flow::Flow;
use super::inactive::Activity;
use super::inspect::Corrections;
use super::mailbox::Mailbox;
use serde::{Deserialize, Serialize};
use shared::game::{Focus, PlayerId, Tick};
use shared::netcode::frame::ViewList;
use shared::netcode::inputs::InputBuffer;
use shared::wire::message::Look;
use shared::wire::{HostSecret, Row, SeatToken, Visitor};
use std::collections::HashMap;
use std::net::IpAddr;

/// For how long the seat of a player whose connection was lost is kept, in seconds; then the player
/// leaves. A page that was cut off tries again after 10 seconds at the latest, so it has several tries.
pub const SEAT_GRACE_SECONDS: u32 = 30;
/// A seat is kept no longer than so many times the player's time in the session: else whoever joins and
/// hangs up in a loop would hold every seat without a connection.
const SEAT_GRACE_TIMES: u32 = 10;

/// A person in a session. What is written of them is all that another process has to know, see `checkpoint`.
#[derive(Serialize, Deserialize)]
#[serde(bound(serialize = "", deserialize = "I: Row"))]
pub(super) struct Player<I, O> {
    pub(super) id: PlayerId,
    pub(super) name: String,
    /// Who shows this gets the seat.
    pub(super) seat: SeatToken,
    /// What the player came back with last, until something is heard: the welcome with the new token may
    /// have been lost with the line.
    pub(super) shown: Option<SeatToken>,
    #[serde(skip, default = "no_inputs")]
    pub(super) inputs: InputBuffer<I>,
    /// Outlives a connection, so that coming back is no way around it.
    #[serde(skip)]
    pub(super) chat: ChatAllowance,
    /// `None` while the player is away.
    #[serde(skip)]
    pub(super) link: Option<Link<O>>,
    /// Whether they are away as the server was: that says nothing of how long they wanted to stay.
    #[serde(skip)]
    pub(super) cut_off: bool,
    /// By what they are known again, if they said so.
    pub(super) visitor: Visitor,
    /// Where they come from, if that tells anything.
    pub(super) network: Option<IpAddr>,
    /// The address that the server's operator sees.
    pub(super) address: Option<IpAddr>,
    /// The host's secret, should they become host.
    pub(super) host_secret: HostSecret,
    /// From 1; 0 where there are no teams, and for who watches.
    pub(super) team: u8,
    /// Where they look, if they watch rather than play.
    pub(super) watching: Option<Watching>,
    /// Whether the host lets nobody hear them.
    pub(super) muted: bool,
    /// What went wrong with their rows.
    #[serde(skip)]
    pub(super) corrections: Corrections,
    /// Since they last became a player, a spectator or one of another team by their own wish.
    #[serde(skip)]
    pub(super) changed: Pause,
    /// When they were last put into another team because teams were uneven.
    #[serde(skip)]
    pub(super) moved: Option<Tick>,
    /// Since when the player has had a seat.
    pub(super) joined: Tick,
    /// Since when the player has been here, or away.
    #[serde(skip)]
    since: Tick,
    /// Outlives a connection, too: a line that breaks is none of their doing.
    #[serde(skip)]
    pub(super) activity: Activity,
}

fn no_inputs<I: Row>() -> InputBuffer<I> {
    InputBuffer::new(0)
}

/// Where a spectator looks.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Watching {
    /// What they chose.
    pub(super) look: Look,
    /// Where that was in the last tick, for when whoever they follow is not there.
    pub(super) at: (f32, f32),
}

/// What a player has for as long as one connection lasts.
pub(super) struct Link<O> {
    pub(super) connection: ConnectionId,
    /// What the client has after the last frame committed to its outbox.
    pub(super) list: ViewList,
    /// Where the player looked in the last tick, and the share of the reach that is open there.
    pub(super) looked: Focus,
    pub(super) look: f32,
    /// Where the player looked in the ticks since the last frame, oldest first; no longer than can be caught up on.
    pub(super) missed: Vec<Focus>,
    pub(super) flow: Flow,
    /// Whether the last tick's frame found the window shut or the outbox full.
    pub(super) paused: bool,
    /// Fields that the client may still tell were wrong.
    pub(super) explanations: usize,
    pub(super) mailbox: Mailbox,
    /// The last standings that went out, so that the same are not sent twice.
    pub(super) standings: Vec<u8>,
    /// Bytes of its frames per tick lately, keyframes left out.
    pub(super) lately: f32,
    /// What was handed to the outbox, and keyframes among it.
    pub(super) bytes: u64,
    pub(super) keyframes: u32,
    pub(super) outbox: O,
}

impl<O: Outbox> Link<O> {
    /// The world begins anew: what the client has is worth nothing.
    pub(super) fn begin(&mut self) {
        self.list = ViewList::new();
        self.looked = Focus::default();
        self.missed.clear();
        self.flow.lost();
    }

    /// How many ticks the next frame has to catch up on.
    pub(super) fn lacks(&self) -> usize {
        if self.flow.wants_keyframe() { 0 } else { self.missed.len() }
    }

    /// A connection whose first frame is that of tick `first`.
    pub(super) fn new(connection: ConnectionId, outbox: O, first: Tick) -> Self {
        Self {
            connection,
            list: ViewList::new(),
            looked: Focus::default(),
            look: 1.0,
            missed: Vec::new(),
            flow: Flow::new(first),
            paused: false,
            explanations: 0,
            mailbox: Mailbox::default(),
            standings: Vec::new(),
            lately: 0.0,
            bytes: 0,
            keyframes: 0,
            outbox,
        }
    }
}

/// Everybody, ascending by number, and found by connection.
#[derive(Serialize, Deserialize)]
#[serde(bound(serialize = "", deserialize = "I: Row"))]
pub(super) struct Players<I, O> {
    all: Vec<Player<I, O>>,
    /// Of those who are here.
    #[serde(skip)]
    by_connection: HashMap<ConnectionId, PlayerId>,
    /// Counts through all numbers before one comes again: at one join a second that takes 18 hours.
    next_id: u16,
}

impl<I: Row, O: Outbox> Players<I, O> {
    pub(super) fn new() -> Self {
        Self { all: Vec::new(), by_connection: HashMap::new(), next_id: 0 }
    }

    /// The same people, of whom another process wrote, away from `now` on.
    pub(super) fn away_since(mut self, now: Tick) -> Self {
        for player in &mut self.all {
            (player.inputs, player.since) = (InputBuffer::new(now), now);
            player.activity = Activity::from(now);
            player.cut_off = true;
        }
        self
    }

    /// How many seats are taken, those kept for somebody included.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// How many play, those included who are away.
    pub(super) fn playing(&self) -> usize {
        self.all.iter().filter(|player| player.watching.is_none()).count()
    }

    /// How many watch.
    pub(super) fn watching(&self) -> usize {
        self.len() - self.playing()
    }

    /// How many are here.
    pub(super) fn here(&self) -> usize {
        self.by_connection.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Player<I, O>> {
        self.all.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Player<I, O>> {
        self.all.iter_mut()
    }

    /// The connections of those who are here.
    pub(super) fn links(&self) -> impl Iterator<Item = &Link<O>> {
        self.all.iter().filter_map(|player| player.link.as_ref())
    }

    /// The same, to tell them something.
    pub(super) fn links_mut(&mut self) -> impl Iterator<Item = &mut Link<O>> {
        self.all.iter_mut().filter_map(|player| player.link.as_mut())
    }

    /// The next number that neither a person nor, as `taken` tells, a computer pilot has.
    pub(super) fn free_id(&mut self, taken: impl Fn(PlayerId) -> bool) -> PlayerId {
        loop {
            let id = PlayerId(self.next_id);
            self.next_id = self.next_id.wrapping_add(1);
            if id != PlayerId::NOBODY && self.index(id).is_err() && !taken(id) {
                return id;
            }
        }
    }

    /// Gives somebody new a seat, `id`, which nobody has; away until [`Self::link`].
    pub(super) fn insert(&mut self, id: PlayerId, who: &Newcomer<O>, first: Tick) {
        let place = self.index(id).expect_err("a number is given out once");
        let player = Player {
            id,
            name: who.name.clone(),
            seat: who.fresh,
            shown: None,
            inputs: InputBuffer::new(first),
            chat: ChatAllowance::default(),
            link: None,
            cut_off: false,
            visitor: who.visitor,
            network: who.network,
            address: who.address,
            host_secret: who.fresh_host,
            team: 0,
            watching: None,
            muted: false,
            corrections: Corrections::default(),
            changed: Pause::default(),
            moved: None,
            joined: first,
            since: first,
            activity: Activity::from(first),
        };
        self.all.insert(place, player);
    }

    /// Whose seat this is the token of.
    pub(super) fn id_of_seat(&self, seat: SeatToken) -> Option<PlayerId> {
        let is_its = |p: &&Player<I, O>| p.seat == seat || p.shown.as_ref() == Some(&seat);
        self.all.iter().find(is_its).map(|player| player.id)
    }

    /// Connects the player `id`, from the tick `first` on, who showed `shown` and whose seat is `seat`'s from
    /// now on, and who comes from there; gives back the connection that had the seat until now.
    pub(super) fn link(
        &mut self,
        id: PlayerId,
        (shown, seat): (Option<SeatToken>, SeatToken),
        (network, address): (Option<IpAddr>, Option<IpAddr>),
        link: Link<O>,
        first: Tick,
    ) -> Option<Link<O>> {
        let place = self.index(id).expect("somebody has this number");
        let player = &mut self.all[place];
        self.by_connection.insert(link.connection, id);
        (player.shown, player.seat) = (shown, seat);
        (player.network, player.address) = (network, address);
        player.inputs = InputBuffer::new(first);
        player.since = first;
        player.cut_off = false;
        let last = player.link.replace(link);
        if let Some(last) = &last {
            self.by_connection.remove(&last.connection);
        }
        last
    }

    /// Takes the connection from the player who had it; away from `now` on.
    pub(super) fn unlink(
        &mut self,
        connection: ConnectionId,
        now: Tick,
    ) -> Option<&mut Player<I, O>> {
        let id = self.by_connection.remove(&connection)?;
        let place = self.index(id).expect("both maps agree");
        let player = &mut self.all[place];
        player.link = None;
        player.since = now;
        Some(player)
    }

    /// Somebody who has been away for `ticks`, or too long for a short visit.
    pub(super) fn lost(&self, now: Tick, ticks: u32) -> Option<PlayerId> {
        let kept = |p: &Player<I, O>| match p.cut_off {
            true => ticks,
            false => ticks.min(p.since.saturating_sub(p.joined).saturating_mul(SEAT_GRACE_TIMES)),
        };
        let lost = |p: &&Player<I, O>| p.link.is_none() && now.wrapping_sub(p.since) >= kept(p);
        self.all.iter().find(lost).map(|player| player.id)
    }

    /// Frees the seat of `id`.
    pub(super) fn remove(&mut self, id: PlayerId) -> Player<I, O> {
        let place = self.index(id).expect("somebody has this number");
        let player = self.all.remove(place);
        if let Some(link) = &player.link {
            self.by_connection.remove(&link.connection);
        }
        player
    }

    /// The player at a connection, to be changed.
    pub(super) fn at_mut(&mut self, connection: ConnectionId) -> Option<&mut Player<I, O>> {
        let id = *self.by_connection.get(&connection)?;
        self.get_mut(id)
    }

    /// The player with a number.
    pub(super) fn get(&self, id: PlayerId) -> Option<&Player<I, O>> {
        let place = self.index(id).ok()?;
        Some(&self.all[place])
    }

    /// The same, to be changed.
    pub(super) fn get_mut(&mut self, id: PlayerId) -> Option<&mut Player<I, O>> {
        let place = self.index(id).ok()?;
        Some(&mut self.all[place])
    }

    /// The connection of whom has this number, if they are here and have one.
    pub(super) fn link_of(&mut self, id: PlayerId) -> Option<&mut Link<O>> {
        self.get_mut(id)?.link.as_mut()
    }

    /// Where somebody is, or would be. Numbers are given out in turn, so with nobody gone they say it themselves; a search
    /// through thousands of players would fetch ten of them from memory.
    fn index(&self, id: PlayerId) -> Result<usize, usize> {
        let first = self.all.first().map_or(0, |player| player.id.0);
        let guess = usize::from(id.0.wrapping_sub(first));
        if self.all.get(guess).is_some_and(|player| player.id == id) {
            return Ok(guess);
        }
        self.all.binary_search_by_key(&id, |p| p.id)
    }
}
