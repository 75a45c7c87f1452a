//! Gates in a game's way, for stories in which a step does not return. A gate has a number, which stands in the game's
//! settings; 0 is none.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard};

static SHUT: Mutex<BTreeSet<u8>> = Mutex::new(BTreeSet::new());
static OPENED: Condvar = Condvar::new();

/// A gate that is shut until this is dropped, also by a story that fails.
#[derive(Debug)]
pub struct Shut(u8);

/// Shuts a gate: whoever comes to it waits.
pub fn shut(gate: u8) -> Shut {
    assert!(gate > 0 && all().insert(gate), "one story has it at a time");
    Shut(gate)
}

/// Goes through a gate, once it is open.
pub fn pass(gate: u8) {
    drop(OPENED.wait_while(all(), |shut| shut.contains(&gate)));
}

fn all() -> MutexGuard<'static, BTreeSet<u8>> {
    SHUT.lock().expect("nobody panics with it")
}

impl Drop for Shut {
    fn drop(&mut self) {
        all().remove(&self.0);
        OPENED.notify_all();
    }
}
