//! What the parts of the server have in common: the front with its connections, the API, and the operator's part look at
//! and work with the same sessions, results, limits and bans.

use crate::config::Config;
use crate::directory::{Directory, Opener};
use crate::live::Live;
use crate::net::address_limits::AddressLimits;
use crate::net::bans::Bans;
use crate::net::refusal::Refusals;
use crate::net::registry::Registry;
use crate::site::Site;
use crate::stopping::Stopping;
use crate::store::Store;
use anyhow::Result;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// One of each for the whole server.
#[derive(Debug)]
pub struct Common {
    /// What the server's operator has set, as of now.
    pub live: Arc<Live>,
    /// Whether the server is about to stop.
    pub stopping: Arc<Stopping>,
    /// Cancelled when the server is to stop.
    pub stop: CancellationToken,
    /// All sessions, with what they count and measure.
    pub directory: Arc<Directory>,
    /// The other servers, where several are one site.
    pub site: Arc<Site>,
    /// Results, bans, the audit log.
    pub store: Store,
    /// How often each address may do what costs something.
    pub address_limits: AddressLimits,
    /// Addresses from which nobody is let in.
    pub bans: Bans,
    /// Who is connected.
    pub registry: Arc<Registry>,
    /// What was refused how often.
    pub refusals: Refusals,
}

impl Common {
    /// Of a server that opens sessions by `opener`, if at all. Errors when results cannot be kept where `config` says.
    pub(crate) fn new(config: &Config, opener: Option<Opener>) -> Result<Self> {
        let store = Store::open(config.data.as_deref())?;
        match &config.data {
            Some(folder) => {
                tracing::info!(folder = %folder.display(), "results and open sessions are kept on disk")
            }
            None => tracing::info!(
                "results and sessions are kept in memory, until the server stops; --data keeps them"
            ),
        }
        let stop = CancellationToken::new();
        let live = Arc::new(Live::new(config.clone()));
        let stopping = Arc::new(Stopping::default());
        let site = Arc::new(Site::new(config, Arc::clone(&live)));
        let directory = Directory::new(
            Arc::clone(&live),
            Arc::clone(&site),
            opener,
            store.clone(),
            Arc::clone(&stopping),
            stop.clone(),
        );
        Ok(Self {
            live,
            stopping,
            stop,
            directory: Arc::new(directory),
            site,
            address_limits: AddressLimits::new(&config.limits),
            bans: Bans::new(store.clone()),
            store,
            registry: Arc::default(),
            refusals: Refusals::default(),
        })
    }
}
