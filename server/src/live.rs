//! The settings as they are now: a reload puts others in their place while everything runs.

use crate::config::Config;
use arc_swap::ArcSwap;
use std::sync::Arc;

/// The current settings. What should follow a reload asks at the time of use, and keeps the answer for no longer
/// than one request or one connection.
#[derive(Debug)]
pub struct Live(ArcSwap<Config>);

impl Live {
    /// These, until others take their place.
    pub fn new(config: Config) -> Self {
        Self(ArcSwap::from_pointee(config))
    }

    /// The current ones.
    pub fn get(&self) -> Arc<Config> {
        self.0.load_full()
    }

    /// From now on these.
    pub fn replace(&self, config: Config) {
        self.0.store(Arc::new(config));
    }
}
