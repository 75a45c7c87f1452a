//! One run: a contender on the server's core, the load on the other one, and what both say after some seconds.

use super::contender::Contender;
use super::load::{Counted, Talk};
use super::scene::Scene;
use super::second::Second;
use super::sights;
use crate::process::{self, LOAD_CORE, Process, SERVER_CORE, free_address, installed, on_core};
use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, PipeReader, pipe};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

/// Bots that set out per second.
const RAMP: u32 = 150;
/// From the last bot's setting out to the measurement.
const SETTLE: Duration = Duration::from_secs(4);
/// For how long bots play on after it.
const AFTER: Duration = Duration::from_secs(1);
/// Bytes of a WebSocket header from a server: up to 125 bytes of message, up to 65,535.
const HEADERS: [(f64, f64); 2] = [(125.0, 2.0), (65_535.0, 4.0)];
/// And above.
const HEADER_MAX: f64 = 10.0;

/// What a run told.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// The server's processor time per player and second, µs.
    pub(crate) cpu_us: f64,
    /// Its share of its core.
    pub(crate) cpu_share: f64,
    /// Bytes of messages per player and second.
    pub(crate) payload: f64,
    /// The same with WebSocket's headers.
    pub(crate) wire: f64,
    /// Messages per player and second.
    pub(crate) messages: f64,
    /// When messages came, in the mean over the seconds.
    pub(crate) second: Second,
    /// What the server has in memory, in bytes.
    pub(crate) memory: u64,
    /// Moving entities in a player's view, in the mean.
    pub(crate) view: Option<f64>,
    /// The load's share of its core.
    pub(crate) load_share: f64,
    /// The share of the server's core that went to something else, which should be next to nothing.
    pub(crate) disturbed: f64,
    /// Players who were not there at the end.
    pub(crate) lost: f64,
}

/// Lines that a process prints.
struct Views(Arc<Mutex<Vec<f64>>>);

impl Views {
    /// Reads `lines` until they end.
    fn of(lines: PipeReader) -> Self {
        let views = Arc::<Mutex<Vec<f64>>>::default();
        let kept = Arc::clone(&views);
        spawn(move || {
            for line in BufReader::new(lines).lines().map_while(Result::ok) {
                if let Some(view) = sights::read(&line) {
                    kept.lock().unwrap_or_else(PoisonError::into_inner).push(view);
                }
            }
        });
        Self(views)
    }

    fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn mean(&self) -> Option<f64> {
        let views = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (!views.is_empty()).then(|| views.iter().sum::<f64>() / views.len() as f64)
    }
}

/// A look at both processes, and at the server's core.
struct Look {
    at: Instant,
    server: Duration,
    load: Duration,
    core: Duration,
}

impl Look {
    fn at(server: &Process, load: &Process) -> Result<Self> {
        Ok(Self {
            at: Instant::now(),
            server: process::cpu(server.id())?,
            load: process::cpu(load.id())?,
            core: process::busy(SERVER_CORE)?,
        })
    }
}

/// Runs `contender` in `scene` for so many seconds. `message` is what a message of this server has on the wire, in
/// bytes, for the floor.
pub(crate) fn run(
    contender: Contender,
    scene: Scene,
    seconds: u32,
    message: usize,
) -> Result<Outcome> {
    let address = free_address()?;
    let (lines, writer) = pipe()?;
    let mut command = server(contender, scene, address, message)?;
    let mut server = Process::start(command.stdout(writer))?;
    // The command has an end of the pipe as well, and lines end when nobody has one.
    drop(command);
    let views = Views::of(lines);
    server.listens_on(address)?;
    let outcome = match contender {
        Contender::Ours => with_bots(&server, &views, scene, address, seconds),
        _ => with_load(&server, &views, contender.talk(), scene, address, seconds, message),
    };
    let outcome = outcome.with_context(|| format!("{} in a {}", contender.title(), scene.title()));
    server.end()?;
    outcome
}

/// How a contender is started.
fn server(
    contender: Contender,
    scene: Scene,
    address: SocketAddr,
    message: usize,
) -> Result<Command> {
    let own = |part: &str| -> Result<Command> {
        let mut command = on_core(SERVER_CORE, std::env::current_exe()?);
        command.args(["against", part, "--scene", &name(scene), "--address"]);
        command.arg(address.to_string());
        Ok(command)
    };
    let node = |file: &str| -> Result<Command> {
        let mut command = on_core(SERVER_CORE, installed("others/node")?);
        command.arg(installed("others")?.join(file)).env("NODE_ENV", "production");
        let (players, side) = (scene.players().to_string(), scene.side().to_string());
        let sight = if scene.is_room() { "all" } else { "view" };
        command.args([&address.port().to_string(), &players, &side, sight]);
        Ok(command)
    };
    Ok(match contender {
        Contender::Ours => own("ours")?,
        Contender::Obvious => own("obvious")?,
        Contender::Colyseus => node("colyseus.mjs")?,
        Contender::NodeWs => node("ws.mjs")?,
        Contender::Floor => {
            let mut command = on_core(SERVER_CORE, std::env::current_exe()?);
            command.args(["floor", "--bind", &address.to_string()]);
            command.args(["--bytes", &message.to_string()]);
            command
        }
    })
}

fn name(scene: Scene) -> String {
    scene.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// The others' load, which says itself when it measures.
fn with_load(
    server: &Process,
    views: &Views,
    talk: Talk,
    scene: Scene,
    address: SocketAddr,
    seconds: u32,
    message: usize,
) -> Result<Outcome> {
    let (lines, writer) = pipe()?;
    let mut command = on_core(LOAD_CORE, std::env::current_exe()?);
    let talk = talk.to_possible_value().map(|value| value.get_name().to_owned());
    command.args(["against", "load", "--scene", &name(scene), "--address", &address.to_string()]);
    command.args(["--talk", &talk.unwrap_or_default(), "--seconds", &seconds.to_string()]);
    command.args(["--message-bytes", &message.to_string()]);
    let load = Process::start(command.stdout(writer))?;
    drop(command);
    let mut lines = BufReader::new(lines).lines();
    let mut line = || lines.next().context("the load ended early")?.context("no line");
    ensure!(line()? == "measuring", "the load says something else");
    views.forget();
    let before = Look::at(server, &load)?;
    let counted: Counted = serde_json::from_str(&line()?)?;
    let after = Look::at(server, &load)?;
    let memory = process::memory(server.id())?;
    load.finish()?;
    let player_seconds = f64::from(scene.players()) * counted.seconds;
    let shares = Shares::between(&before, &after);
    Ok(Outcome {
        cpu_us: shares.server * 1e6 / f64::from(scene.players()),
        cpu_share: shares.server,
        payload: counted.payload as f64 / player_seconds,
        wire: counted.wire as f64 / player_seconds,
        messages: counted.messages as f64 / player_seconds,
        second: Second::mean(&counted.each)
            .context("there was no second in which messages came")?,
        memory,
        view: views.mean(),
        load_share: shares.load,
        disturbed: shares.disturbed,
        lost: counted.lost as f64,
    })
}

/// This server's load: its bots.
fn with_bots(
    server: &Process,
    views: &Views,
    scene: Scene,
    address: SocketAddr,
    seconds: u32,
) -> Result<Outcome> {
    let players = u32::from(scene.players());
    let joining = Duration::from_secs(1) * players / RAMP + SETTLE;
    let measured = Duration::from_secs(seconds.into());
    let duration = joining + measured + AFTER;
    let report = std::env::temp_dir().join(format!("against-{}.json", std::process::id()));
    let mut command = on_core(LOAD_CORE, process::program("client-bot")?);
    command.args(["--url", &format!("ws://{address}/play"), "--metrics", "none"]);
    command.args(["--bots", &players.to_string(), "--ramp", &RAMP.to_string()]);
    command.args(["--duration", &duration.as_secs_f64().to_string(), "--json"]).arg(&report);
    let bots = Process::start(command.stdout(Stdio::null()).stderr(Stdio::null()))?;
    sleep(joining);
    views.forget();
    let before = Look::at(server, &bots)?;
    sleep(measured);
    let after = Look::at(server, &bots)?;
    let (view, memory) = (views.mean(), process::memory(server.id())?);
    // It fails when anything was out of the ordinary, such as a load core that is full; its report says how it was.
    let _ = bots.finish();
    let text = fs::read_to_string(&report).context("the bots left no report")?;
    fs::remove_file(&report)?;
    ensure!(!text.is_empty(), "the bots never played; are all programs built of the same sources?");
    let report: Value = serde_json::from_str(&text)?;
    let number = |place: &str| {
        report.pointer(place).and_then(Value::as_f64).with_context(|| format!("no {place}"))
    };
    let shares = Shares::between(&before, &after);
    let seconds = Seconds::of(&report, joining.as_secs_f64(), players)?;
    let (messages, payload) =
        (seconds.frames / f64::from(players), seconds.bytes / f64::from(players));
    let mean = payload / messages.max(1.0);
    let header = HEADERS.iter().find(|(most, _)| mean <= *most).map_or(HEADER_MAX, |h| h.1);
    Ok(Outcome {
        cpu_us: shares.server * 1e6 / f64::from(players),
        cpu_share: shares.server,
        payload,
        wire: payload + messages * header,
        messages,
        second: seconds.mean,
        memory,
        view,
        load_share: shares.load,
        disturbed: shares.disturbed,
        lost: f64::from(players) - number("/bots/connected")? + number("/bots/thrown_out")?,
    })
}

/// What the bots' report tells of the seconds in which everybody played; what joining takes is not among it, as it is
/// not with the others.
struct Seconds {
    /// Frames per second, to all.
    frames: f64,
    /// Bytes per second, to all.
    bytes: f64,
    /// When they came, in the mean.
    mean: Second,
}

impl Seconds {
    fn of(report: &Value, from: f64, players: u32) -> Result<Self> {
        let samples = report["over_time"].as_array().context("a report without seconds")?;
        let (mut frames, mut bytes, mut each) = (0.0, 0.0, Vec::new());
        for sample in samples {
            let number = |place: &str| sample.pointer(place).and_then(Value::as_f64);
            let number = |place: &str| number(place).with_context(|| format!("no {place}"));
            if number("/at_s")? < from + 1.0 || number("/playing")? < f64::from(players) {
                continue;
            }
            frames += number("/frames_per_second")?;
            bytes += number("/received_bytes_per_second")?;
            each.push(Second {
                on_time: number("/frames_on_time_percent")? / 100.0,
                interval_p99_ms: number("/frame_interval_ms/p99")?,
            });
        }
        let mean = Second::mean(&each).context("there was no second in which all bots played")?;
        let count = each.len() as f64;
        Ok(Self { frames: frames / count, bytes: bytes / count, mean })
    }
}

/// Processor time between two looks, per second.
struct Shares {
    server: f64,
    load: f64,
    disturbed: f64,
}

impl Shares {
    fn between(before: &Look, after: &Look) -> Self {
        let seconds = (after.at - before.at).as_secs_f64();
        let share = |before: Duration, after: Duration| {
            after.saturating_sub(before).as_secs_f64() / seconds
        };
        let server = share(before.server, after.server);
        Self {
            server,
            load: share(before.load, after.load),
            disturbed: (share(before.core, after.core) - server).max(0.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_counts_are_the_seconds_in_which_all_play() {
        let second = |at: f64, playing: u32, on_time: Option<f64>| {
            json!({ "at_s": at, "playing": playing, "frames_per_second": 60.0, "received_bytes_per_second": 900.0,
                    "frames_on_time_percent": on_time, "frame_interval_ms": { "p99": 40.0 } })
        };
        let report = |seconds: &[Value]| json!({ "over_time": seconds });
        let early = second(5.9, 2, Some(10.0));
        let few = second(6.5, 1, Some(20.0));
        let both = [second(7.0, 2, Some(100.0)), second(8.0, 2, Some(50.0))];
        let all = [&[early.clone(), few.clone()], &both[..]].concat();
        let seconds = Seconds::of(&report(&all), 5.0, 2).expect("two of them count");
        assert_eq!((seconds.frames, seconds.bytes), (60.0, 900.0));
        assert_eq!(seconds.mean, Second { on_time: 0.75, interval_p99_ms: 40.0 });
        assert!(Seconds::of(&report(&[early, few]), 5.0, 2).is_err());
        assert!(Seconds::of(&report(&[second(7.0, 2, None)]), 5.0, 2).is_err());
    }
}
