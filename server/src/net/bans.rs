//! Addresses that the server's operator lets nobody in from, for a time. Comes in: bans, from the operator and from the
//! store at the start. Goes out: whether an address is barred, and for how long. They end by the wall clock, so that a
//! restart neither shortens nor lengthens one.

use super::registry::network;
use crate::store::{KeptBan, Store, unix_ms};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

/// The most bans at once; another one is refused with a sentence until one has ended or is lifted.
pub const BANS_MAX: usize = 1000;
/// The longest ban: ten years.
pub const BAN_MINUTES_MAX: u32 = 10 * 366 * 24 * 60;

/// What is said to who is banned.
pub const BANNED: &str = "This address is banned from the server.";

/// All bans of the server.
#[derive(Debug)]
pub struct Bans {
    all: RwLock<HashMap<IpAddr, KeptBan>>,
    store: Store,
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
        Self { all: RwLock::new(all), store, ahead_ms: AtomicU64::new(0) }
    }

    /// For how long nobody is let in from `address`; `None` where it is not banned.
    pub fn bars(&self, address: IpAddr) -> Option<Duration> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        if all.is_empty() {
            return None;
        }
        let left = all.get(&network(address))?.until.checked_sub(self.now())?;
        (left > 0).then_some(Duration::from_millis(left))
    }

    /// Bans an address (of IPv6: its /64 network) from now on, for so many minutes; a ban that it has is replaced.
    pub fn add(&self, address: IpAddr, minutes: u32, reason: &str) -> Result<KeptBan, TooManyBans> {
        let since = self.now();
        let until = since + u64::from(minutes.min(BAN_MINUTES_MAX)) * 60_000;
        let ban = KeptBan { address: network(address), since, until, reason: reason.to_owned() };
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, ban| ban.until > since);
        if all.len() >= BANS_MAX && !all.contains_key(&ban.address) {
            return Err(TooManyBans);
        }
        all.insert(ban.address, ban.clone());
        self.store.keep_ban(ban.clone());
        Ok(ban)
    }

    /// Lifts a ban; whether there was one.
    pub fn lift(&self, address: IpAddr) -> bool {
        let address = network(address);
        let had = self.all.write().unwrap_or_else(PoisonError::into_inner).remove(&address);
        self.store.forget_ban(address);
        had.is_some_and(|ban| ban.until > self.now())
    }

    /// Those that hold now, the one that ends next first.
    pub fn list(&self) -> Vec<KeptBan> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        let mut list: Vec<_> = all.values().filter(|ban| ban.until > self.now()).cloned().collect();
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
