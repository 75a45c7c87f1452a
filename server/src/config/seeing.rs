//! What the server tells of itself.

use clap::Args;

/// What the server tells of itself.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Seeing inside")]
pub struct Seeing {
    /// What goes into the log: error, warn, info, debug, or a filter as tracing-subscriber has it.
    #[arg(long, env = "GAMEKEEPER_LOG", value_name = "FILTER", default_value = "info")]
    pub log: String,
}

impl Default for Seeing {
    fn default() -> Self {
        Self { log: "info".into() }
    }
}
