//! Rules that many clients of one process share. Comes in: the bytes of a setup. Goes out: the rules that follow from
//! them, made once for as long as anybody has them: a thousand bots in one session have one terrain between them, in
//! memory and in the processor's caches.

use crate::game::Game;
use std::fmt;
use std::sync::{Arc, Mutex, Weak};

/// The rules that clients have in use, by the bytes of their setups.
pub struct Shelf<G: Game>(Mutex<Vec<Entry<G>>>);

type Entry<G> = (Vec<u8>, Weak<<G as Game>::Rules>);

impl<G: Game> Default for Shelf<G> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<G: Game> fmt::Debug for Shelf<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shelf")
    }
}

impl<G: Game> Shelf<G> {
    /// The rules of `setup`: those that somebody has, or what `make` makes of it. What nobody has any more is forgotten.
    /// Errors are those of `make`.
    pub fn take<E>(
        &self,
        setup: &[u8],
        make: impl FnOnce() -> Result<G::Rules, E>,
    ) -> Result<Arc<G::Rules>, E> {
        // Whoever panicked while making rules left the list as it was.
        let mut all = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let found = all.iter().find(|(of, _)| of == setup);
        if let Some(rules) = found.and_then(|(_, rules)| rules.upgrade()) {
            return Ok(rules);
        }
        let rules = Arc::new(make()?);
        all.retain(|(_, rules)| rules.strong_count() > 0);
        all.push((setup.to_owned(), Arc::downgrade(&rules)));
        Ok(rules)
    }
}
