//! Looks at the server's metrics once a second, beside everything else. Comes in: where they are. Goes out: the newest
//! look, and what there was over the whole run.

use crate::config::{Config, METRICS_PATH, Metrics};
use crate::doors::Doors;
use crate::fleet::CannotBegin;
use crate::line::Target;
use crate::metrics::{Scrape, ServerFigures};
use crate::over_time::SAMPLE_EVERY;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

/// The server's metrics, if it has any for us.
#[derive(Debug, Default)]
pub(crate) struct Watched(Option<Eye>);

#[derive(Debug)]
struct Eye {
    target: Target,
    first: Scrape,
    looks: watch::Receiver<Scrape>,
    looking: JoinHandle<()>,
}

impl Watched {
    /// Where the flags say, or beside the address if they answer there.
    pub(crate) async fn find(config: &Config, doors: &Doors) -> Result<Self, CannotBegin> {
        let address = match &config.results.metrics {
            Some(Metrics::None) => return Ok(Self::default()),
            Some(Metrics::At(address)) => address.clone(),
            None => doors.target().address().beside(METRICS_PATH),
        };
        let look = async {
            let target = Target::find(&address, config.tls_ca.as_deref()).await;
            let target = target.map_err(|error| error.to_string())?;
            let first = Scrape::at(&target).await?;
            Ok((target, first))
        };
        let (target, first) = match look.await {
            Ok(found) => found,
            Err(_) if config.results.metrics.is_none() => return Ok(Self::default()),
            Err(why) => return Err(CannotBegin::NoMetrics { url: address.to_string(), why }),
        };
        let (tell, looks) = watch::channel(first.clone());
        let looking = tokio::spawn(keep_looking(target.clone(), tell));
        Ok(Self(Some(Eye { target, first, looks, looking })))
    }

    /// The look before the run.
    pub(crate) fn first(&self) -> Option<Scrape> {
        self.0.as_ref().map(|eye| eye.first.clone())
    }

    /// A look that came since the last call.
    pub(crate) fn newest(&mut self) -> Option<Scrape> {
        let eye = self.0.as_mut()?;
        // An error would mean that nobody looks any more.
        eye.looks.has_changed().unwrap_or(false).then(|| eye.looks.borrow_and_update().clone())
    }

    /// Over the whole run, up to now; or to the last look, if the server answers no more.
    pub(crate) async fn whole(&mut self) -> Option<ServerFigures> {
        let eye = self.0.as_ref()?;
        eye.looking.abort();
        let now = Scrape::at(&eye.target).await;
        let last = eye.looks.borrow();
        now.map_or_else(|_| last.clone(), |now| now.after(&last)).since(&eye.first)
    }
}

impl Drop for Eye {
    fn drop(&mut self) {
        self.looking.abort();
    }
}

/// Until nobody wants to know.
async fn keep_looking(target: Target, tell: watch::Sender<Scrape>) {
    let mut pause = interval(SAMPLE_EVERY);
    pause.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !tell.is_closed() {
        pause.tick().await;
        // A look that fails leaves a gap in what is told over time.
        if let Ok(look) = Scrape::at(&target).await {
            let look = look.after(&tell.borrow());
            tell.send_replace(look);
        }
    }
}
