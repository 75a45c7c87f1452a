//! Who operates the server.

use clap::Args;

/// Who operates the server.
#[derive(Args, Clone, Debug, Default)]
pub struct Admin {}
