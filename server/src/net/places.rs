//! Places that are held for a while, of which no address may have all. Comes in: who wants one. Goes out: one, or which limit
//! that would break. What counts as one address is what counts as one for connections, and the /48 around an IPv6 network may
//! have some times as many.

use super::registry::{Crowd, crowds};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// So many places in all, and so many for each address.
#[derive(Debug)]
pub(crate) struct Places {
    max: usize,
    max_each: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    all: usize,
    each: HashMap<Crowd, usize>,
}

/// One of them, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    address: IpAddr,
    is_held: AtomicBool,
}

/// Why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// All are held.
    Full,
    /// That address holds as many as one may.
    AddressFull,
}

impl Places {
    pub(super) fn new(max: usize, max_each: usize) -> Arc<Self> {
        Arc::new(Self { max, max_each, held: Mutex::default() })
    }

    /// A place for whoever is at `address`.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Result<Place, NoPlace> {
        let mut held = self.held.lock();
        if held.all >= self.max {
            return Err(NoPlace::Full);
        }
        let has_all = |crowd: Crowd| {
            let own = held.each.get(&crowd).copied().unwrap_or_default();
            own >= self.max_each.saturating_mul(crowd.times)
        };
        if crowds(address).any(has_all) {
            return Err(NoPlace::AddressFull);
        }
        held.all += 1;
        crowds(address).for_each(|crowd| *held.each.entry(crowd).or_default() += 1);
        Ok(Place { places: Arc::clone(self), address, is_held: AtomicBool::new(true) })
    }
}

impl Places {
    /// How many an address holds.
    pub(super) fn held_by(&self, address: IpAddr) -> usize {
        let held = self.held.lock();
        crowds(address).last().and_then(|own| held.each.get(&own).copied()).unwrap_or_default()
    }
}

impl Place {
    /// Gives it back before it is dropped.
    pub(super) fn give_back(&self) {
        if !self.is_held.swap(false, Ordering::Relaxed) {
            return;
        }
        let mut held = self.places.held.lock();
        held.all -= 1;
        for crowd in crowds(self.address) {
            if let Some(own) = held.each.get_mut(&crowd) {
                *own -= 1;
                if *own == 0 {
                    held.each.remove(&crowd);
                }
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.give_back();
    }
}

#[cfg(test)]
mod tests {
    use super::super::limits::SITE_SHARE;
    use super::*;

    #[test]
    fn places_are_bounded_for_each_and_together() {
        let places = Places::new(3, 2);
        let take = |number: u32| places.take(IpAddr::V4(number.into()));
        let (one, two) = (take(1).unwrap(), take(1).unwrap());
        assert_eq!(take(1).unwrap_err(), NoPlace::AddressFull);
        let three = take(2).unwrap();
        assert_eq!(take(3).unwrap_err(), NoPlace::Full);
        two.give_back();
        let _four = take(3).unwrap();
        // It is given back once.
        drop((one, two, three));
        assert!(take(1).is_ok() && take(4).is_ok());
        assert_eq!(places.held.lock().all, 1);
    }

    #[test]
    fn many_networks_of_one_site_have_a_limit_together() {
        let places = Places::new(usize::MAX, 1);
        let take = |n: u16| places.take(IpAddr::from([0x2001, 0xdb8, 1, n, 0, 0, 0, 1]));
        let held: Vec<_> = (0..SITE_SHARE as u16).map(|n| take(n).unwrap()).collect();
        assert_eq!(take(SITE_SHARE as u16).unwrap_err(), NoPlace::AddressFull);
        assert!(places.take(IpAddr::from([0x2001, 0xdb8, 2, 0, 0, 0, 0, 1])).is_ok());
        drop(held);
        assert!(places.held.lock().each.is_empty());
    }
}
