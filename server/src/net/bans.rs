//! Addresses that the server's operator lets nobody in from, for a time. Comes in: bans, from the operator, from the
//! store at the start, and from the other servers of the site. Goes out: whether an address is barred, and for how long.
//! They end by the wall clock, so that a restart neither shortens nor lengthens one.
//!
//! Servers of a site tell each other all that they know, and of each address the newest word holds: a ban, or that it was
//! lifted. So that a server that was away brings no ban back, one that was lifted is remembered for as long as it would
//! have held.

use super::registry::network;
use crate::store::{KeptBan, Store, unix_ms};
use parking_lot::{RwLock, RwLockWriteGuard};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The most bans at once; another one is refused with a sentence until one has ended or is lifted.
pub const BANS_MAX: usize = 1000;
/// The most that were lifted and are remembered; beyond it those are forgotten that would end first.
pub const LIFTED_MAX: usize = 1000;
/// The longest ban: ten years.
pub const BAN_MINUTES_MAX: u32 = 10 * 366 * 24 * 60;

/// What is said to who is banned.
pub const BANNED: &str = "This address is banned from the server.";

/// All bans of the server.
#[derive(Debug)]
pub struct Bans {
    all: RwLock<HashMap<IpAddr, KeptBan>>,
    store: Store,
    /// Another one after each change, and after each start.
    version: AtomicU64,
    /// By how much the clock is ahead, in ms: tests need not wait for a ban to end.
    ahead_ms: AtomicU64,
}

/// There are [`BANS_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("There are {BANS_MAX} bans already; lift some that are no longer needed.")]
pub struct TooManyBans;

impl Bans {
    /// Those that the store has kept.
    pub fn new(store: Store) -> Self {
        let all = store.bans_at_start().iter().map(|ban| (ban.address, ban.clone())).collect();
        let (all, version) = (RwLock::new(all), AtomicU64::new(rand::random()));
        Self { all, store, version, ahead_ms: AtomicU64::new(0) }
    }

    /// For how long nobody is let in from `address`; `None` where it is not banned.
    pub fn bars(&self, address: IpAddr) -> Option<Duration> {
        let all = self.all.read();
        if all.is_empty() {
            return None;
        }
        let ban = all.get(&network(address)).filter(|ban| !ban.lifted)?;
        let left = ban.until.checked_sub(self.now())?;
        (left > 0).then_some(Duration::from_millis(left))
    }

    /// Bans an address (of IPv6: its /64 network) from now on, for so many minutes; a ban that it has is replaced.
    pub fn add(&self, address: IpAddr, minutes: u32, reason: &str) -> Result<KeptBan, TooManyBans> {
        let (address, now) = (network(address), self.now());
        let mut all = self.begin_change(now);
        if !is_room_for(&all, address) {
            return Err(TooManyBans);
        }
        let ban = KeptBan {
            address,
            since: newest_word(&all, address, now),
            until: now + u64::from(minutes.min(BAN_MINUTES_MAX)) * 60_000,
            reason: reason.to_owned(),
            lifted: false,
        };
        self.keep(&mut all, vec![ban.clone()]);
        Ok(ban)
    }

    /// Lifts a ban; whether there was one.
    pub fn lift(&self, address: IpAddr) -> bool {
        let (address, now) = (network(address), self.now());
        let mut all = self.begin_change(now);
        let Some(had) = all.get(&address).filter(|ban| !ban.lifted).cloned() else { return false };
        let since = newest_word(&all, address, now);
        let lifted = KeptBan { since, lifted: true, reason: String::new(), ..had };
        self.keep(&mut all, vec![lifted]);
        true
    }

    /// Takes over what another server of the site knows and this one does not; the bans that hold since then.
    pub fn learn(&self, told: Vec<KeptBan>) -> Vec<KeptBan> {
        let now = self.now();
        let mut all = self.begin_change(now);
        let (mut fresh, mut left_out) = (Vec::new(), 0);
        let mut room = LIFTED_MAX.saturating_sub(all.values().filter(|ban| ban.lifted).count());
        for ban in told {
            let ban = KeptBan { address: network(ban.address), ..ban };
            let word = |ban: &KeptBan| (ban.since, ban.lifted);
            let known = all.get(&ban.address);
            if ban.until <= now || known.is_some_and(|known| word(known) >= word(&ban)) {
                continue;
            }
            if ban.lifted && known.is_none() {
                // Only to be remembered; where that is too much it would be forgotten and told again and again.
                if room == 0 {
                    continue;
                }
                room -= 1;
            }
            if !ban.lifted && !is_room_for(&all, ban.address) {
                left_out += 1;
                continue;
            }
            // Further ones count it, and it is not taken over twice.
            all.insert(ban.address, ban.clone());
            fresh.push(ban);
        }
        if !fresh.is_empty() {
            self.keep(&mut all, fresh.clone());
        }
        if left_out > 0 {
            tracing::warn!(
                count = left_out,
                "bans of another server do not hold here: {TooManyBans}"
            );
        }
        fresh.retain(|ban| !ban.lifted);
        fresh
    }

    /// All that is known, what was lifted included, for another server of the site.
    pub fn known(&self) -> Vec<KeptBan> {
        let all = self.all.read();
        all.values().cloned().collect()
    }

    /// Is another one when [`Self::known`] may have changed.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Those that hold now, the one that ends next first.
    pub fn list(&self) -> Vec<KeptBan> {
        let now = self.now();
        let mut list = self.known();
        list.retain(|ban| ban.until > now && !ban.lifted);
        list.sort_by_key(|ban| (ban.until, ban.address));
        list
    }

    /// Sets the clock by which bans end ahead, for tests.
    pub fn pass(&self, time: Duration) {
        self.ahead_ms.fetch_add(time.as_millis() as u64, Ordering::Relaxed);
    }

    fn now(&self) -> u64 {
        unix_ms() + self.ahead_ms.load(Ordering::Relaxed)
    }

    /// All of them, without those that have ended. The store forgets these at its next start.
    fn begin_change(&self, now: u64) -> RwLockWriteGuard<'_, HashMap<IpAddr, KeptBan>> {
        let mut all = self.all.write();
        all.retain(|_, ban| ban.until > now);
        all
    }

    fn keep(&self, all: &mut HashMap<IpAddr, KeptBan>, bans: Vec<KeptBan>) {
        all.extend(bans.iter().map(|ban| (ban.address, ban.clone())));
        let gone = too_many_lifted(all);
        all.retain(|address, _| !gone.contains(address));
        self.store.keep_bans(bans, gone);
        self.version.fetch_add(1, Ordering::Release);
    }
}

/// Those beyond [`LIFTED_MAX`] that were lifted and would end first.
fn too_many_lifted(all: &HashMap<IpAddr, KeptBan>) -> Vec<IpAddr> {
    let lifted = all.values().filter(|ban| ban.lifted);
    let mut lifted: Vec<_> = lifted.map(|ban| (ban.until, ban.address)).collect();
    let beyond = lifted.len().saturating_sub(LIFTED_MAX);
    lifted.sort_unstable();
    lifted.truncate(beyond);
    lifted.into_iter().map(|(_, address)| address).collect()
}

/// Whether a ban of `address` is no more than there may be.
fn is_room_for(all: &HashMap<IpAddr, KeptBan>, address: IpAddr) -> bool {
    let others = all.values().filter(|ban| !ban.lifted && ban.address != address);
    others.count() < BANS_MAX
}

/// A time for what is said of `address` now: later than what was said before, even by a server whose clock is ahead.
fn newest_word(all: &HashMap<IpAddr, KeptBan>, address: IpAddr, now: u64) -> u64 {
    all.get(&address).map_or(now, |known| now.max(known.since.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_ban_holds_for_its_network_and_for_its_time() {
        let bans = Bans::new(Store::open(None).unwrap());
        assert_eq!(bans.bars(address("192.0.2.1")), None);
        bans.add(address("192.0.2.1"), 10, "test").unwrap();
        bans.add(address("2001:db8:0:1::7"), 20, "test").unwrap();
        assert!(bans.bars(address("::ffff:192.0.2.1")).unwrap() <= Duration::from_secs(600));
        assert!(bans.bars(address("2001:db8:0:1::8")).is_some());
        assert_eq!(bans.bars(address("2001:db8:0:2::7")), None);
        assert_eq!(bans.list().len(), 2);
        bans.pass(Duration::from_secs(601));
        assert_eq!(bans.bars(address("192.0.2.1")), None);
        assert_eq!(bans.list().len(), 1);
        assert!(bans.lift(address("2001:db8:0:1::99")) && !bans.lift(address("192.0.2.1")));
        assert_eq!(bans.bars(address("2001:db8:0:1::7")), None);
    }

    #[test]
    fn of_each_address_the_newest_word_holds_on_all_servers() {
        let [a, b] = [(); 2].map(|()| Bans::new(Store::open(None).unwrap()));
        let (one, other) = (address("192.0.2.1"), address("2001:db8:0:1::7"));
        let before = a.version();
        a.add(one, 10, "test").unwrap();
        assert_ne!(a.version(), before);
        assert_eq!(b.learn(a.known()), a.list());
        assert_eq!(b.learn(a.known()), [], "it is known by now");
        let known = b.version();
        b.learn(a.known());
        assert_eq!(b.version(), known, "no news, so nobody has to ask");
        // The other one lifts it, with a clock that is behind, and an old word does not bring it back.
        a.pass(Duration::from_secs(300));
        a.add(one, 20, "again").unwrap();
        let old = a.known();
        b.learn(old.clone());
        assert!(b.lift(one) && !b.lift(one) && b.bars(one).is_none());
        assert_eq!((b.learn(old.clone()), b.list()), (vec![], vec![]));
        assert_eq!((a.learn(b.known()), a.bars(one)), (vec![], None));
        assert_eq!(a.learn(old), []);
        // Banned anew it is banned, and what has ended is not learned.
        a.add(one, 30, "for good").unwrap();
        a.add(other, 1, "").unwrap();
        assert_eq!(b.learn(a.known()).len(), 2);
        b.pass(Duration::from_secs(900));
        b.lift(other);
        let c = Bans::new(Store::open(None).unwrap());
        c.pass(Duration::from_secs(900));
        assert_eq!(c.learn(b.known()).len(), 1);
        assert!(c.bars(one).is_some() && c.bars(other).is_none());
    }

    #[test]
    fn what_was_lifted_is_remembered_within_bounds() {
        let bans = Bans::new(Store::open(None).unwrap());
        let nth = |n: u32| IpAddr::V4((0x0a00_0000 | n).into());
        for n in 0..=LIFTED_MAX as u32 {
            bans.add(nth(n), n + 1, "").unwrap();
            assert!(bans.lift(nth(n)));
        }
        assert_eq!((bans.known().len(), bans.list().len()), (LIFTED_MAX, 0));
        assert!(bans.known().iter().all(|ban| ban.address != nth(0)), "it would have ended first");
        // Nor is more learned; what holds here is lifted all the same.
        let other = Bans::new(Store::open(None).unwrap());
        for n in 0..3 {
            other.add(nth(5000 + n), 5000, "").unwrap();
        }
        bans.learn(other.known());
        assert_eq!(bans.list().len(), 3);
        assert!(other.lift(nth(5000)));
        other.add(nth(6000), 1, "").unwrap();
        assert!(other.lift(nth(6000)));
        bans.learn(other.known());
        let version = bans.version();
        assert_eq!((bans.known().len(), bans.list().len()), (LIFTED_MAX + 2, 2));
        bans.learn(other.known());
        assert_eq!(bans.version(), version, "nothing is learned again and again");
    }

    #[tokio::test]
    async fn all_that_is_learned_at_once_is_kept_whatever_waits_for_the_disk() {
        let nth = |n: usize| IpAddr::V4((0x0a00_0000 | n as u32).into());
        let ban = |n| KeptBan {
            address: nth(n),
            since: 1,
            until: unix_ms() + 60_000,
            reason: String::new(),
            lifted: n >= BANS_MAX,
        };
        let store = Store::open(None).unwrap();
        let bans = Bans::new(store.clone());
        assert_eq!(bans.learn((0..BANS_MAX + LIFTED_MAX).map(ban).collect()).len(), BANS_MAX);
        let has = |code| store.of(code, None, 1);
        // There is room for questions, as there is for results.
        assert_eq!(has(crate::code::SessionCode::random()).await.unwrap(), []);
        assert!(store.waiting() < crate::store::QUEUE_MAX / 2);
        assert_eq!(store.bans().await.unwrap().len(), BANS_MAX + LIFTED_MAX);
    }

    #[test]
    fn there_are_only_so_many_and_ended_ones_make_room() {
        let bans = Bans::new(Store::open(None).unwrap());
        let nth = |n: u32| IpAddr::V4((0x0a00_0000 | n).into());
        for n in 0..BANS_MAX as u32 {
            bans.add(nth(n), 1, "").unwrap();
        }
        assert_eq!(bans.add(nth(1 << 20), 1, ""), Err(TooManyBans));
        assert!(bans.add(nth(3), 2, "longer").is_ok());
        bans.pass(Duration::from_secs(61));
        assert!(bans.add(nth(1 << 20), 1, "").is_ok());
        assert_eq!(bans.list().len(), 2);
    }
}
