//! Who has the token. Comes in: addresses and what they show. Goes out: whether it is the token. What is compared are
//! hashes with a salt of this process, in constant time, so that neither the token's length nor how close a guess was
//! shows in the time that it takes.

use crate::config::Secret;
use crate::net::address_limits::{NotFound, PerAddress, TooOften};
use crate::net::limits::{Bucket, Rate};
use parking_lot::{Mutex, RwLock};
use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use std::net::IpAddr;
use tokio::sync::watch;
use tokio::time::Instant;

/// Wrong tokens that one address may show; after that every token from there is refused for a while, the right one too.
pub const TOKEN_TRIES: Rate = Rate::one_per(30.0, 10);
/// The same for all addresses together, but for those that have shown the right one: who guesses from many addresses
/// does not lock the operator out of a page that is open.
pub const TOKEN_TRIES_IN_ALL: Rate = Rate::one_per(3.0, 200);
/// Addresses that have shown the right token and are remembered; beyond it the one that first did is forgotten.
const KNOWN_MAX: usize = 64;

/// Looks at tokens.
#[derive(Debug)]
pub(super) struct Gate {
    key: RwLock<Option<Key>>,
    each: PerAddress,
    all: Mutex<Bucket>,
    known: Mutex<VecDeque<IpAddr>>,
    /// Counts tokens that were set: who listens by an older one has to go.
    version: watch::Sender<u64>,
}

/// What a token is recognised by.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    salt: [u8; 16],
    hash: [u8; 32],
}

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoEntry {
    /// No token is set.
    Off,
    /// Nothing was shown.
    Missing,
    /// Something else was shown.
    Wrong,
    /// Too much that was wrong came from there; what it was this time is not said.
    TooOften(TooOften),
}

impl Default for Gate {
    fn default() -> Self {
        let Rate { burst, per_second } = TOKEN_TRIES_IN_ALL;
        Self {
            key: RwLock::default(),
            each: PerAddress::new(TOKEN_TRIES),
            all: Mutex::new(Bucket::new(per_second, burst)),
            known: Mutex::default(),
            version: watch::Sender::new(0),
        }
    }
}

impl Gate {
    /// From now on this is the token; `None` shuts the gate for good.
    pub(super) fn set(&self, token: Option<&Secret>) {
        let mut key = self.key.write();
        let same = match (&*key, token) {
            (Some(key), Some(token)) => key.is_of(token.reveal()),
            (None, None) => true,
            _ => false,
        };
        if same {
            return;
        }
        *key = token.map(|token| Key::of(token.reveal()));
        self.known.lock().clear();
        self.version.send_modify(|version| *version += 1);
    }

    pub(super) fn is_on(&self) -> bool {
        self.key.read().is_some()
    }

    /// Changes when another token is set.
    pub(super) fn version(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// Whether somebody at `from` who shows this has the token.
    pub(super) fn enter(&self, from: IpAddr, shown: Option<&str>) -> Result<(), NoEntry> {
        let key = self.key.read().clone();
        let key = key.ok_or(NoEntry::Off)?;
        let shown = shown.ok_or(NoEntry::Missing)?;
        let now = Instant::now();
        let is_known = self.known.lock().contains(&from);
        let mut all = self.all.lock();
        let after = all.wait(1.0, now);
        if !is_known && !after.is_zero() {
            return Err(NoEntry::TooOften(TooOften { after }));
        }
        match self.each.look_up(from, || key.is_of(shown).then_some(())) {
            Ok(()) => {
                if !is_known {
                    let mut known = self.known.lock();
                    known.truncate(KNOWN_MAX - 1);
                    known.push_front(from);
                }
                Ok(())
            }
            Err(NotFound::Unknown) => {
                all.take(1.0, now);
                Err(NoEntry::Wrong)
            }
            Err(NotFound::TooOften(often)) => Err(NoEntry::TooOften(often)),
        }
    }
}

impl Key {
    fn of(token: &str) -> Self {
        let salt = rand::random();
        Self { salt, hash: hash(&salt, token) }
    }

    fn is_of(&self, shown: &str) -> bool {
        let shown = hash(&self.salt, shown);
        let differences = self.hash.iter().zip(&shown).fold(0, |all, (a, b)| all | (a ^ b));
        differences == 0
    }
}

fn hash(salt: &[u8; 16], token: &str) -> [u8; 32] {
    Sha256::new().chain_update(salt).chain_update(token).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{Duration, advance};

    const TOKEN: &str = "a-token-of-an-operator";

    fn address(n: u32) -> IpAddr {
        IpAddr::V4(n.into())
    }

    fn gate() -> Gate {
        let gate = Gate::default();
        gate.set(Some(&TOKEN.parse().unwrap()));
        gate
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_there_without_a_token() {
        let gate = Gate::default();
        assert_eq!(gate.enter(address(1), Some("")), Err(NoEntry::Off));
        gate.set(Some(&TOKEN.parse().unwrap()));
        assert_eq!(gate.enter(address(1), None), Err(NoEntry::Missing));
        assert_eq!(gate.enter(address(1), Some(TOKEN)), Ok(()));
        let mut version = gate.version();
        gate.set(Some(&TOKEN.parse().unwrap()));
        assert!(!version.has_changed().unwrap(), "the same token again");
        gate.set(Some(&"another-token-entirely".parse().unwrap()));
        assert!(version.has_changed().unwrap() && version.borrow_and_update().eq(&2));
        assert_eq!(gate.enter(address(1), Some(TOKEN)), Err(NoEntry::Wrong));
        gate.set(None);
        assert_eq!(gate.enter(address(1), Some(TOKEN)), Err(NoEntry::Off));
    }

    #[tokio::test(start_paused = true)]
    async fn who_guesses_is_refused_the_right_one_too_and_others_are_not() {
        let gate = gate();
        for n in 0..10 {
            assert_eq!(gate.enter(address(1), Some(&format!("{TOKEN}{n}"))), Err(NoEntry::Wrong));
        }
        let refused = NoEntry::TooOften(TooOften { after: Duration::from_secs(30) });
        assert_eq!(gate.enter(address(1), Some(TOKEN)), Err(refused));
        assert_eq!(gate.enter(address(2), Some(TOKEN)), Ok(()));
        advance(Duration::from_secs(30)).await;
        assert_eq!(gate.enter(address(1), Some(TOKEN)), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn guesses_from_many_addresses_lock_out_nobody_who_is_in() {
        let gate = gate();
        assert_eq!(gate.enter(address(1), Some(TOKEN)), Ok(()));
        let wrong = (10..1000)
            .take_while(|&n| gate.enter(address(n), Some("guess")) == Err(NoEntry::Wrong));
        assert_eq!(wrong.count(), TOKEN_TRIES_IN_ALL.burst as usize);
        assert!(matches!(gate.enter(address(2), Some(TOKEN)), Err(NoEntry::TooOften(_))));
        assert_eq!(gate.enter(address(1), Some(TOKEN)), Ok(()));
        advance(Duration::from_secs(3)).await;
        assert_eq!(gate.enter(address(2), Some(TOKEN)), Ok(()));
    }
}
