//! The bots as a program: flags in, report and exit status out. What a game adds to it is a `main` of one line.

use crate::compare;
use crate::config::{Command, Config, Results};
use crate::figures;
use crate::fleet;
use crate::part;
use crate::progress::Progress;
use crate::report::Report;
use crate::require::Requirement;
use clap::Parser;
use shared::game::Game;
use std::fs::{self, OpenOptions};
use std::io::{Write, stdout};
use std::path::Path;
use std::process::ExitCode;
use std::thread::available_parallelism;
use tokio::runtime::Builder;

/// Exit status when something did not go well.
const WENT_WRONG: u8 = 1;
/// Exit status when it could not begin; also what clap ends with on wrong flags.
const COULD_NOT_BEGIN: u8 = 2;

/// Does what the command line says: sends bots that play `G`, or lays two reports side by side. To be called by `main`,
/// which has nothing else to do.
pub fn main<G: Game>() -> ExitCode {
    let config = Config::parse();
    // On one core threads would only hand bots to each other.
    let one_core = available_parallelism().is_ok_and(|cores| cores.get() == 1);
    let mut builder =
        if one_core { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    match builder.enable_all().build() {
        Ok(runtime) => runtime.block_on(begin::<G>(config)),
        Err(error) => complain(COULD_NOT_BEGIN, &error.to_string()),
    }
}

async fn begin<G: Game>(config: Config) -> ExitCode {
    if let Some(Command::Compare { a, b }) = &config.command {
        return compare(a, b);
    }
    if config.results.require.contains(&Requirement::Help) {
        // Whoever closed our output does not want to read it.
        let _ = write!(stdout(), "{}", figures::list());
        return ExitCode::SUCCESS;
    }
    if config.part.is_some() {
        return match part::run::<G>(&config).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => complain(COULD_NOT_BEGIN, &error.to_string()),
        };
    }
    for file in [&config.results.json, &config.results.html].into_iter().flatten() {
        if let Err(error) = check_writable(file) {
            return complain(COULD_NOT_BEGIN, &format!("{}: {error}", file.display()));
        }
    }
    let progress = Progress::on_stderr(config.lasts());
    let report = match fleet::run::<G>(&config, interrupt(), progress).await {
        Ok(report) => report,
        Err(error) => return complain(COULD_NOT_BEGIN, &error.to_string()),
    };
    // Whoever closed our output does not want to read it.
    let _ = write!(stdout(), "{report}");
    let Results { json, html, .. } = &config.results;
    let texts = [(json, Report::to_json as fn(&Report) -> String), (html, Report::to_html)];
    for (file, text) in texts {
        if let Some(file) = file
            && let Err(error) = fs::write(file, text(&report))
        {
            return complain(WENT_WRONG, &format!("{}: {error}", file.display()));
        }
    }
    if report.ok { ExitCode::SUCCESS } else { ExitCode::from(WENT_WRONG) }
}

/// Two runs side by side.
fn compare(a: &Path, b: &Path) -> ExitCode {
    let read = |file: &Path| {
        let text = fs::read_to_string(file).map_err(|error| error.to_string());
        text.and_then(|text| compare::read(&text))
            .map_err(|why| format!("{}: {why}", file.display()))
    };
    match read(a).and_then(|a| Ok((a, read(b)?))) {
        Ok((a, b)) => {
            let _ = write!(stdout(), "{}", compare::table(&a, &b));
            ExitCode::SUCCESS
        }
        Err(why) => complain(COULD_NOT_BEGIN, &why),
    }
}

/// Ready when Ctrl-C is pressed; never when that cannot be learnt, as then it ends the process itself.
async fn interrupt() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}

/// Better to learn it now than after half an hour of playing.
fn check_writable(file: &Path) -> std::io::Result<()> {
    OpenOptions::new().append(true).create(true).open(file).map(drop)
}

fn complain(status: u8, sentence: &str) -> ExitCode {
    eprintln!("client-bot: {sentence}");
    ExitCode::from(status)
}
