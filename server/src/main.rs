//! The binary: flags to configuration, configuration to a running arena, signals to a proper end.

mod announce;

use anyhow::Result;
use clap::Parser;
use server::Server;
use server::config::Config;
use server::net::listeners::Listeners;
use shared::arena::Arena;
use std::io::IsTerminal;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// Descriptors that the process needs beside one per connection.
const DESCRIPTORS_EXTRA: u64 = 64;

#[tokio::main]
async fn main() -> ExitCode {
    let config = Config::parse();
    match serve(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(config: Config) -> Result<()> {
    let filter = EnvFilter::try_new(&config.seeing.log)
        .map_err(|why| anyhow::anyhow!("--log {:?} is no filter: {why}", config.seeing.log))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    raise_descriptor_limit(config.limits.max_connections);
    let listeners = Listeners::open(&config.reach)?;
    let shutdown = stop_signal()?;
    let server = Server::of::<Arena>(&config)?;
    announce::announce(&listeners, &config.reach);
    server.run(listeners, shutdown).await
}

/// Done at Ctrl-C or SIGTERM. From the call on, not only once it is awaited, neither kills the process.
#[cfg(unix)]
fn stop_signal() -> Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Done at Ctrl-C. From the call on, not only once it is awaited, that does not kill the process.
#[cfg(windows)]
fn stop_signal() -> Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}

/// Every connection is a descriptor, and many systems grant only 1024 until asked for more.
fn raise_descriptor_limit(connections: usize) {
    let wanted = connections as u64 + DESCRIPTORS_EXTRA;
    match rlimit::increase_nofile_limit(wanted) {
        Ok(granted) if granted < wanted => {
            tracing::warn!(granted, wanted, "the system grants fewer open files than connections");
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "cannot raise the limit of open files"),
    }
}
