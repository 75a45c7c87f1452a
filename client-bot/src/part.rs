//! This program as one of several processes, which the parent in `parts` started. Comes in: which bot sets out and which
//! says goodbye, on its standard input. Goes out: what each bot and each second was like, on its standard output.

use crate::bot::{self, Surroundings};
use crate::config::{Config, Part};
use crate::doors::Doors;
use crate::fleet::{CannotBegin, allow_files};
use crate::line::Target;
use crate::over_time::SAMPLE_EVERY;
use crate::parts::{Command, LINES_MAX, Said};
use crate::progress::Board;
use shared::game::Game;
use shared::netcode::shelf::Shelf;
use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::sync::Arc;
use std::thread;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::interval;

/// Plays as one of several processes: sends bots out and calls them back as the parent says, and tells it of each second
/// and of each bot that is back. Returns when the parent's end of the line is closed, and all bots are back.
pub(crate) async fn run<G: Game>(config: &Config) -> Result<(), CannotBegin> {
    let part = config.part.unwrap_or(Part { at: 0, of: 1 });
    allow_files(u64::from(config.most().div_ceil(part.of)))?;
    let unreachable = |error| CannotBegin::Unreachable { url: config.url.to_string(), error };
    let target = Target::find(&config.url, config.tls_ca.as_deref()).await.map_err(unreachable)?;
    let doors = Doors::new(target, config).await.map_err(CannotBegin::NoSession)?;
    let around = Surroundings::new(doors, config.come_back);
    let (shelf, mut commands) = (Arc::new(Shelf::<G>::default()), commands());
    let (mut bots, mut stops) = (JoinSet::new(), BTreeMap::new());
    let mut sample = interval(SAMPLE_EVERY);
    // Ctrl-C in a terminal is for all processes; the parent says what comes of it.
    let deaf = tokio::spawn(async { while tokio::signal::ctrl_c().await.is_ok() {} });
    let mut called_back = false;
    loop {
        let said = tokio::select! {
            command = commands.recv(), if !called_back => {
                match command {
                    Some(Command::SetOut(number)) => {
                        let (stop, stopped) = watch::channel(());
                        let around = Surroundings { stop: stopped, ..around.clone() };
                        let errand = config.errand(number);
                        bots.spawn(bot::live(errand, None, around, Arc::clone(&shelf)));
                        stops.insert(number, stop);
                    }
                    Some(Command::ComeBack(number)) => drop(stops.remove(&number)),
                    None => {
                        stops.clear();
                        called_back = true;
                    }
                }
                continue;
            }
            life = bots.join_next(), if called_back || !bots.is_empty() => match life {
                Some(Ok(life)) => Said::Life(Box::new(life)),
                // A bot that panics is a mistake of ours, and nothing that follows could be trusted.
                Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
                None => break,
            },
            _ = sample.tick() => second(&around.board),
        };
        if say(&said).is_err() {
            break;
        }
    }
    deaf.abort();
    // A parent that does not listen any longer needs no last second.
    let _ = say(&second(&around.board));
    Ok(())
}

fn second(board: &Board) -> Said {
    let times = board.drain().filter(|(_, times)| !times.is_empty()).collect();
    Said::Second { standing: board.standing(), times }
}

/// Commands on the standard input; no more when it ends.
fn commands() -> mpsc::Receiver<Command> {
    let (tell, commands) = mpsc::channel(LINES_MAX);
    thread::spawn(move || {
        let lines = io::stdin().lock().lines().map_while(Result::ok);
        // Anything else there would be a mistake of ours, and ends it.
        for command in lines.map_while(|line| line.parse().ok()) {
            if tell.blocking_send(command).is_err() {
                return;
            }
        }
    });
    commands
}

/// Writes a line for the parent.
fn say(said: &Said) -> io::Result<()> {
    let line = serde_json::to_string(said).expect("numbers and texts");
    let mut output = io::stdout().lock();
    writeln!(output, "{line}")?;
    output.flush()
}
