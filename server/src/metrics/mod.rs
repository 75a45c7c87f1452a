//! What the server counts and measures, for Prometheus. Comes in: what happens, as it happens, at the price of
//! an atomic addition; what a session counted, twice a second; and at each look at them, how things stand. Goes
//! out: text. Nothing in it is about a person: no address, no name, no session's code, and every label has a
//! fixed set of values.

mod make;
mod network;
mod overload;
pub(crate) mod process;
mod sessions;
mod standing;
mod ticks;

pub use network::{CloseBy, Network, Request};
pub use sessions::{Depth, Measure, Sessions};
pub use ticks::{Laps, Stage, TickTimes};

use crate::net::Front;
use make::Maker;
use parking_lot::Mutex;
use prometheus::{Registry, TextEncoder};
use standing::Standing;

/// The content type of the text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All metrics.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Connections and their bytes.
    pub network: Network,
    /// What sessions count.
    pub sessions: Sessions,
    /// How long ticks take.
    pub ticks: TickTimes,
    /// Held while the text is made, so that two looks at once do not count anything twice.
    standing: Mutex<Standing>,
}

impl Metrics {
    /// The text, as of now. Takes some tenths of a millisecond, and reads `/proc`: not for a task that others
    /// wait for.
    pub fn text(&self, front: &Front) -> String {
        let standing = self.standing.lock();
        standing.look(front);
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .expect("names and labels are ours")
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let make = Maker(Registry::new());
        Self {
            network: Network::new(&make),
            sessions: Sessions::new(&make),
            ticks: TickTimes::new(&make),
            standing: Mutex::new(Standing::new(&make)),
            registry: make.0,
        }
    }
}
