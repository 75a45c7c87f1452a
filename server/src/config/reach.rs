//! How people reach the server.

use clap::Args;

/// How people reach the server.
#[derive(Args, Clone, Debug, Default)]
pub struct Reach {}
