//! A server as a program: settings from where they come, a running server of one game from them, and signals to a
//! reload or a proper end. What a game adds to it is a `main` of one line.

mod announce;
mod health;
mod signals;

use crate::Server;
use crate::config::{self, Config, LoadError, Loaded, Todo};
use crate::http::Build;
use crate::lanes::LANE_DESCRIPTORS;
use crate::logging::Logs;
use crate::net::limits::LOCAL_CONNECTIONS_EXTRA;
use crate::net::listeners::Listeners;
use crate::net::tls::Tls;
use anyhow::Result;
use shared::game::Game;
use signals::{Signal, Signals};
use std::fmt::Display;
use std::io::{self, Write};
use std::panic;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::time::{Duration, sleep};

/// Descriptors that the process needs beside those of connections and lanes.
const DESCRIPTORS_EXTRA: u64 = 64;

/// For how long goodbyes are waited for when the server is to stop at once.
const AT_ONCE: Duration = Duration::from_millis(300);

/// Does what the command line says: serves `G` with `page` for players until it is told to stop, or checks settings, or
/// asks a running server whether it is well. To be called by `main`, which has nothing else to do.
pub fn main<G: Game>(page: &'static Build) -> ExitCode {
    let loaded = match config::load(std::env::args_os(), G::USUAL_SETTINGS) {
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
        Some(Todo::Health) => health::ask(&loaded.config.reach),
        None => match Logs::install(&loaded.config) {
            Ok(logs) => return run::<G>(loaded, page, logs),
            Err(why) => Err(why),
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the server. From here on nobody but the log's own thread writes to stderr.
fn run<G: Game>(loaded: Loaded, page: &'static Build, logs: Logs) -> ExitCode {
    let written = Written(logs.clone());
    let hook = logs.clone();
    panic::set_hook(Box::new(move |panic| hook.say_panic(panic)));
    let ran = crate::runtime()
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(serve::<G>(loaded, page, logs)));
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            written.0.say(&format!("{why:#}"));
            ExitCode::FAILURE
        }
    }
}

/// When this goes, at the end or as something broke, what was said is written first.
struct Written(Logs);

impl Drop for Written {
    fn drop(&mut self) {
        self.0.finish();
    }
}

/// Says that the settings, which were read by now, make sense.
fn check(loaded: &Loaded) {
    loaded.warnings.iter().for_each(|warning| say(format_args!("Perhaps a mistake: {warning}.")));
    match &loaded.file {
        Some(file) => say(format_args!("{} makes sense.", file.display())),
        None => say("The settings make sense; no file was named."),
    }
}

async fn serve<G: Game>(loaded: Loaded, page: &'static Build, logs: Logs) -> Result<()> {
    // First, as one that nobody listens to ends the process.
    let signals = Signals::listen()?;
    let config = &loaded.config;
    loaded.warnings.iter().for_each(|warning| tracing::warn!("perhaps a mistake: {warning}"));
    raise_descriptor_limit(config);
    let listeners = Listeners::open(&config.reach)?;
    let tls = listeners.tls();
    let server = Server::of::<G>(config, page)?.with_logs(logs);
    announce::announce(&listeners, &config.reach);
    let (stop, stopped) = oneshot::channel();
    tokio::spawn(obey(signals, server.clone(), loaded, tls, stop));
    // An error is the end of the task that listens to signals: better to stop well than to heed none any more.
    server.run(listeners, async { drop(stopped.await) }).await
}

/// Says something to whoever started the program. Where nobody can read it any more that is nothing to stop for.
fn say(line: impl Display) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// The same while the server runs, which goes on where somebody could read it and does not: a paused terminal.
fn say_aside(lines: String) {
    // Without room for a thread nothing is said.
    let _ = std::thread::Builder::new().spawn(move || say(lines));
}

/// Does what signals say.
async fn obey(
    mut signals: Signals,
    server: Server,
    mut loaded: Loaded,
    tls: Option<Arc<Tls>>,
    stop: oneshot::Sender<()>,
) {
    let mut stop = Some(stop);
    loop {
        match (signals.next().await, stop.take()) {
            (Signal::Stop, Some(stop)) => {
                // Fails only when it has stopped by itself.
                let _ = stop.send(());
                say_aside("Stopping; once more Ctrl-C stops it at once.".into());
            }
            (Signal::Stop, None) => {
                server.common.stop.cancel();
                tracing::warn!("stopped at once");
                // Which is also the time that the log has.
                sleep(AT_ONCE).await;
                std::process::exit(1);
            }
            (Signal::Reload, still) => {
                stop = still;
                reload(&server, &mut loaded);
                // It would be looked at by itself, but whoever asks wants to know now.
                match tls.as_deref().map(Tls::reload) {
                    Some(Ok(true)) => tracing::info!("the certificate is a new one"),
                    Some(Err(why)) => tracing::error!("the certificate stays as it is: {why:#}"),
                    Some(Ok(false)) | None => {}
                }
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
    raise_descriptor_limit(&loaded.config);
    server.reload(loaded.config.clone());
    let list = |keys: &[String]| if keys.is_empty() { "none".into() } else { keys.join(", ") };
    tracing::info!(changed = list(&changes.taken), "settings were read again");
    if !changes.need_restart.is_empty() {
        tracing::warn!(changed = list(&changes.need_restart), "these change with the next start");
    }
}

/// Every connection is a descriptor, and one that is passed on two; every lane has a few. Many systems grant only 1024 until
/// asked for more.
fn raise_descriptor_limit(config: &Config) {
    let each = if config.site.site.is_empty() { 1 } else { 2 };
    let connections = config.limits.max_connections.saturating_add(LOCAL_CONNECTIONS_EXTRA) as u64;
    let others = config.threads() as u64 * LANE_DESCRIPTORS + DESCRIPTORS_EXTRA;
    let wanted = connections.saturating_mul(each).saturating_add(others);
    match rlimit::increase_nofile_limit(wanted) {
        Ok(granted) if granted < wanted => {
            tracing::warn!(granted, wanted, "the system grants fewer open files than connections");
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "cannot raise the limit of open files"),
    }
}
