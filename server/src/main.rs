//! The binary: flags to configuration, configuration to a running arena, signals to a proper end.

use anyhow::Result;
use clap::Parser;
use server::Server;
use server::config::Config;
use server::logging::Logs;
use server::net::listener;
use shared::arena::Arena;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::process::ExitCode;
use tokio::net::TcpListener;

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
    let logs = Logs::install(&config)?;
    raise_descriptor_limit(config.limits.max_connections);
    let listener = listen(config.bind)?;
    let shutdown = stop_signal()?;
    let server = Server::of::<Arena>(&config)?.with_logs(logs);
    announce(listener.local_addr()?);
    server.run(listener, shutdown).await
}

fn listen(address: SocketAddr) -> Result<TcpListener> {
    listener::bind(address).map_err(|error| {
        let (ip, port) = (address.ip(), address.port());
        match error.kind() {
            ErrorKind::AddrInUse => anyhow::anyhow!(
                "Port {port} is taken by another program; stop that one, or choose another port, \
                 such as: --bind {}",
                SocketAddr::new(ip, port.checked_add(1).unwrap_or(8080))
            ),
            ErrorKind::PermissionDenied => anyhow::anyhow!(
                "This user may not listen on port {port}; choose one above 1023, such as: --bind {}",
                SocketAddr::new(ip, 8080)
            ),
            ErrorKind::AddrNotAvailable => anyhow::anyhow!(
                "This machine has no address {ip}; choose one that it has, or all, with: --bind {}",
                SocketAddr::new(Config::BIND.ip(), port)
            ),
            _ => anyhow::anyhow!("Cannot listen on {address}: {error}."),
        }
    })
}

/// Says which addresses to open.
fn announce(bound: SocketAddr) {
    let port = bound.port();
    println!(
        "Gamekeeper is running. Open this in a browser, and share it with whoever shall play:"
    );
    if bound.ip().is_loopback() {
        println!("  http://localhost:{port}   (this machine only)");
    } else if !bound.ip().is_unspecified() {
        println!("  http://{bound}");
    } else {
        println!("  http://localhost:{port}   (this machine)");
        if let Some(own) = own_address() {
            println!("  http://{}   (this network)", SocketAddr::new(own, port));
        }
    }
    println!("Ctrl-C stops it.");
}

/// The address under which others in the network reach this machine, if it is in one: the one that a
/// packet to the outside would come from. Connecting a UDP socket sends none.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // 192.0.2.0/24 is set aside for documentation (RFC 5737): it is always outside, and never there.
    socket.connect("192.0.2.1:9").ok()?;
    let own = socket.local_addr().ok()?.ip();
    (!own.is_loopback() && !own.is_unspecified()).then_some(own)
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
