//! How people reach the server.

use clap::Args;

/// How people reach the server.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Reaching it")]
pub struct Reach {}
