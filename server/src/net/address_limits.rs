//! How often an address may do what costs something, and how much of it at a time. What counts as one address is what
//! counts as one for connections: of IPv6 the /64 network, and the /48 around it has a larger bucket of its own.
//!
//! Look-ups of codes that do not exist draw from one bucket, whichever way they are asked for. Once it is
//! empty every look-up from there is refused for a while, also of codes that exist: so a refusal tells
//! nothing about the guess. A look-up itself is one of a whole number in a hash map, and takes as long
//! whether the guess was close or not.

use super::limits::{Bucket, Limits, Rate};
use super::places::Places;
use super::registry::{Crowd, crowds};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::time::{Duration, Instant};

/// Addresses that are told apart. When there are more, those whose buckets are full again are forgotten, and
/// where that frees no place the rest of the world shares one bucket.
pub const ADDRESSES_MAX: usize = 4096;

/// All limits per address.
#[derive(Debug)]
pub struct AddressLimits {
    /// Requests to the API.
    pub(crate) requests: PerAddress,
    /// Sessions created.
    pub(crate) creations: PerAddress,
    /// Tickets.
    pub(crate) tickets: PerAddress,
    /// WebSockets without one.
    pub(crate) joins: PerAddress,
    /// Sessions that visitors opened and that are still there.
    pub(crate) sessions: Arc<Places>,
    /// Requests that came through a proxy and are not answered to the last byte. Each holds a connection of the proxy's, so
    /// one client has no more of them than it could have connections of its own that have joined nothing.
    pub(crate) passed_on: Arc<Places>,
    /// Lines in the lobby.
    pub(crate) chat: PerAddress,
    /// Codes and tickets that do not exist.
    pub guesses: PerAddress,
    /// Event streams and long polls.
    pub(crate) listeners: Arc<Places>,
    /// The same of whoever operates the server: whatever others do, there is room to watch it.
    pub(crate) operators: Arc<Places>,
}

/// Somebody has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooOften {
    /// For so long.
    pub after: Duration,
}

/// Why a look-up found nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotFound {
    /// There is no such thing.
    Unknown,
    /// That address guessed too often; whether it is there is not said.
    TooOften(TooOften),
}

impl AddressLimits {
    /// As `limits` say.
    pub fn new(limits: &Limits) -> Self {
        Self {
            requests: PerAddress::new(limits.api_rate),
            creations: PerAddress::new(limits.create_rate),
            tickets: PerAddress::new(limits.ticket_rate),
            joins: PerAddress::new(limits.joins()),
            sessions: Places::new(usize::MAX, limits.max_sessions_per_address),
            passed_on: Places::new(usize::MAX, limits.max_unjoined_per_address),
            chat: PerAddress::new(limits.chat_rate),
            guesses: PerAddress::new(limits.guess_rate),
            listeners: Places::new(limits.max_listeners, limits.max_listeners_per_address),
            operators: Places::new(limits.max_operator_listeners, limits.max_operator_listeners),
        }
    }
}

#[doc(hidden)]
impl AddressLimits {
    /// How many requests of this client proxies have under way here, for tests.
    pub fn passes_on(&self, client: IpAddr) -> usize {
        self.passed_on.held_by(client)
    }
}

/// A bucket for each address.
#[derive(Debug)]
pub struct PerAddress {
    rate: Rate,
    buckets: Mutex<Buckets>,
}

#[derive(Debug)]
struct Buckets {
    each: HashMap<Crowd, Bucket>,
    rest: Bucket,
}

impl PerAddress {
    pub(crate) fn new(rate: Rate) -> Self {
        let rest = Bucket::new(rate.per_second, rate.burst);
        Self { rate, buckets: Mutex::new(Buckets { each: HashMap::new(), rest }) }
    }

    /// Counts one request from `address`, or says how long to wait.
    pub fn take(&self, address: IpAddr) -> Result<(), TooOften> {
        let now = Instant::now();
        let mut buckets = self.buckets.lock();
        self.check(&mut buckets, address, now)?;
        self.count(&mut buckets, address, now);
        Ok(())
    }

    /// Looks something up for `address` that only who knows it should find: what is not there counts, and
    /// when too much was not there nothing is looked up. One at a time, so that many at once are no way round.
    pub fn look_up<T>(
        &self,
        address: IpAddr,
        find: impl FnOnce() -> Option<T>,
    ) -> Result<T, NotFound> {
        let now = Instant::now();
        let mut buckets = self.buckets.lock();
        self.check(&mut buckets, address, now).map_err(NotFound::TooOften)?;
        find().ok_or_else(|| {
            self.count(&mut buckets, address, now);
            NotFound::Unknown
        })
    }

    fn check(&self, buckets: &mut Buckets, address: IpAddr, now: Instant) -> Result<(), TooOften> {
        for crowd in crowds(address) {
            let after = self.bucket(buckets, crowd, now).wait(1.0, now);
            if !after.is_zero() {
                return Err(TooOften { after });
            }
        }
        Ok(())
    }

    fn count(&self, buckets: &mut Buckets, address: IpAddr, now: Instant) {
        for crowd in crowds(address) {
            self.bucket(buckets, crowd, now).take(1.0, now);
        }
    }

    fn bucket<'a>(&self, buckets: &'a mut Buckets, crowd: Crowd, now: Instant) -> &'a mut Bucket {
        let known = buckets.each.contains_key(&crowd);
        if !known && buckets.each.len() >= ADDRESSES_MAX {
            buckets.each.retain(|_, bucket| !bucket.is_full(now));
        }
        if !known && buckets.each.len() >= ADDRESSES_MAX {
            return &mut buckets.rest;
        }
        let (Rate { burst, per_second }, times) = (self.rate, crowd.times as f64);
        buckets.each.entry(crowd).or_insert_with(|| Bucket::new(per_second * times, burst * times))
    }
}

#[cfg(test)]
mod tests {
    use super::super::limits::SITE_SHARE;
    use super::*;

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    #[tokio::test(start_paused = true)]
    async fn each_address_has_its_own_bucket() {
        let limit = PerAddress::new(Rate::one_per(2.0, 3));
        assert!((0..3).all(|_| limit.take(address(1)).is_ok()));
        assert_eq!(limit.take(address(1)), Err(TooOften { after: Duration::from_secs(2) }));
        assert!(limit.take(address(2)).is_ok());
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(limit.take(address(1)).is_ok() && limit.take(address(1)).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn many_networks_of_one_site_have_a_larger_bucket_together() {
        let limit = PerAddress::new(Rate::one_per(8.0, 2));
        let network = |n: u16| IpAddr::from([0x2001, 0xdb8, 1, n, 0, 0, 0, 0]);
        let most = 2 * SITE_SHARE as u16;
        for n in 0..most {
            assert_eq!(limit.look_up(network(n), || None::<u8>), Err(NotFound::Unknown));
        }
        let after = Duration::from_secs(8) / SITE_SHARE as u32;
        assert_eq!(limit.take(network(most)), Err(TooOften { after }));
        assert!(limit.look_up(network(0), || Some(7)).is_err());
        assert!(limit.take(IpAddr::from([0x2001, 0xdb8, 2, 0, 0, 0, 0, 0])).is_ok());
        tokio::time::advance(after).await;
        assert!(limit.take(network(most)).is_ok() && limit.take(network(most)).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn many_addresses_share_what_is_left_until_others_have_rested() {
        let limit = PerAddress::new(Rate::one_per(1.0, 2));
        for number in 0..ADDRESSES_MAX as u32 {
            limit.take(address(number)).unwrap();
        }
        let further = |n: u32| limit.take(address(1 << 20 | n)).is_ok();
        assert!(further(0) && further(1) && !further(2) && !further(0));
        assert_eq!(limit.buckets.lock().each.len(), ADDRESSES_MAX);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(further(2) && further(3));
        assert_eq!(limit.buckets.lock().each.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_guesser_is_told_nothing_also_of_what_is_there() {
        let limit = PerAddress::new(Rate::one_per(6.0, 10));
        for _ in 0..100 {
            assert_eq!(limit.look_up(address(1), || Some(7)), Ok(7));
        }
        for _ in 0..10 {
            assert_eq!(limit.look_up(address(1), || None::<u8>), Err(NotFound::Unknown));
        }
        let refused = Err(NotFound::TooOften(TooOften { after: Duration::from_secs(6) }));
        assert_eq!(
            limit.look_up(address(1), || -> Option<u8> { panic!("nothing is looked up") }),
            refused
        );
        assert_eq!(limit.look_up(address(2), || Some(7)), Ok(7));
        tokio::time::advance(Duration::from_secs(6)).await;
        assert_eq!(limit.look_up(address(1), || Some(7)), Ok(7));
    }
}
