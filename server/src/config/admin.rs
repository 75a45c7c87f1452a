//! Who operates the server.

use clap::Args;

/// Who operates the server.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Operating it")]
pub struct Admin {}
