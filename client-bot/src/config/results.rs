//! What is measured besides, what it is held against, and where it is written.

use crate::address::{Address, PLAY_PATH};
use crate::require::{Bound, Requirement};
use clap::Args;
use std::path::PathBuf;
use std::str::FromStr;

/// Where a server has its own figures.
pub(crate) const METRICS_PATH: &str = "/metrics";

/// What is measured besides, and what becomes of it.
#[derive(Args, Clone, Debug)]
pub struct Results {
    /// Where the server's own figures are: once a second they go into the report. When absent, /metrics beside the
    /// address if it answers; none asks for none.
    #[arg(long, value_name = "ADDRESS|none")]
    pub metrics: Option<Metrics>,

    /// What the run has to keep to, such as frame_age.p99<80ms; may be given several times. Else the exit status is 1.
    /// help lists the names.
    #[arg(long, value_name = "REQUIREMENT")]
    pub require: Vec<Requirement>,

    /// Also writes the report as JSON into this file.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Also writes the report into this file as one HTML page with plots, which needs no network to be read.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

impl Results {
    /// What the run has to keep to.
    pub(crate) fn bounds(&self) -> impl Iterator<Item = &Bound> {
        self.require.iter().filter_map(|requirement| match requirement {
            Requirement::Bound(bound) => Some(bound),
            Requirement::Help => None,
        })
    }
}

/// Where the server's own figures are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Metrics {
    /// They are not asked for.
    None,
    /// There.
    At(Address),
}

impl FromStr for Metrics {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::None);
        }
        let address: Address = text.parse()?;
        let bare = address.path == PLAY_PATH;
        Ok(Self::At(if bare { address.beside(METRICS_PATH) } else { address }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_beside_the_page_or_where_one_says() {
        let at = |text: &str| match text.parse() {
            Ok(Metrics::At(address)) => address.to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(at("http://host:9100"), "ws://host:9100/metrics");
        assert_eq!(at("http://host:9100/own"), "ws://host:9100/own");
        assert_eq!("none".parse(), Ok(Metrics::None));
    }
}
