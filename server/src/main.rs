//! The binary: settings from where they come, a running arena from them, and signals to a reload or a proper end.

mod signals;

use anyhow::Result;
use server::Server;
use server::config::{self, Config, LoadError, Loaded, Todo};
use server::logging::Logs;
use server::net::listener;
use shared::arena::Arena;
use signals::{Signals, Told};
use std::future::pending;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::process::ExitCode;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::{Duration, sleep};

/// Descriptors that the process needs beside one per connection.
const DESCRIPTORS_EXTRA: u64 = 64;

/// For how long goodbyes are waited for when the server is to stop at once.
const AT_ONCE: Duration = Duration::from_millis(300);

fn main() -> ExitCode {
    let loaded = match config::load(std::env::args_os()) {
        Ok(loaded) => loaded,
        // Help and version are among them, each with its own status.
        Err(LoadError::Flags(error)) => error.exit(),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let done = match loaded.command {
        Some(Todo::Check { .. }) => {
            check(&loaded);
            Ok(())
        }
        None => serve(loaded),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why:#}");
            ExitCode::FAILURE
        }
    }
}

/// Says that the settings, which were read by now, make sense.
fn check(loaded: &Loaded) {
    loaded.warnings.iter().for_each(|warning| println!("Perhaps a mistake: {warning}."));
    match &loaded.file {
        Some(file) => println!("{} makes sense.", file.display()),
        None => println!("The settings make sense; no file was named."),
    }
}

#[tokio::main]
async fn serve(loaded: Loaded) -> Result<()> {
    let config = &loaded.config;
    let logs = Logs::install(config)?;
    loaded.warnings.iter().for_each(|warning| tracing::warn!("perhaps a mistake: {warning}"));
    raise_descriptor_limit(config.limits.max_connections);
    let listener = listen(config.bind)?;
    let signals = Signals::listen()?;
    let server = Server::of::<Arena>(config)?.with_logs(logs);
    announce(listener.local_addr()?);
    let (stop, stopped) = oneshot::channel();
    tokio::spawn(obey(signals, server.clone(), loaded, stop));
    // An error would be the end of the task that listens to signals, which is no reason to stop.
    server
        .run(listener, async {
            if stopped.await.is_err() {
                pending().await
            }
        })
        .await
}

/// Does what signals say.
async fn obey(mut signals: Signals, server: Server, mut loaded: Loaded, stop: oneshot::Sender<()>) {
    let mut stop = Some(stop);
    loop {
        match (signals.next().await, stop.take()) {
            (Told::Stop, Some(stop)) => {
                println!("Stopping; once more Ctrl-C stops it at once.");
                // Fails only when it has stopped by itself.
                let _ = stop.send(());
            }
            (Told::Stop, None) => {
                server.front.stop.cancel();
                sleep(AT_ONCE).await;
                tracing::warn!("stopped at once");
                std::process::exit(1);
            }
            (Told::Reload, still) => {
                stop = still;
                reload(&server, &mut loaded);
            }
        }
    }
}

/// Reads the settings again and says what came of it.
fn reload(server: &Server, loaded: &mut Loaded) {
    let changes = match loaded.reload() {
        Ok(changes) => changes,
        Err(why) => {
            tracing::error!("the settings stay as they are, as these make no sense: {why}");
            return;
        }
    };
    raise_descriptor_limit(loaded.config.limits.max_connections);
    server.reload(loaded.config.clone());
    let list = |keys: &[String]| if keys.is_empty() { "none".into() } else { keys.join(", ") };
    tracing::info!(changed = list(&changes.taken), "settings were read again");
    if !changes.need_restart.is_empty() {
        tracing::warn!(changed = list(&changes.need_restart), "these change with the next start");
    }
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
