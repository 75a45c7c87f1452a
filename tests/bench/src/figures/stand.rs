//! The server that is looked at: started on its core with nothing that gives up detail, asked over a Unix socket of its
//! own, so that questions are the same whether the game speaks TLS or not. Comes in: what it is to be like. Goes out:
//! its answers, processor time and memory.

use super::look::Scrape;
use crate::process::{Process, SERVER_CORE, free_address, on_core, program};
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use shared::arena::Settings;
use std::fs;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// For how long an answer may take; then the run has failed. A server that has too much to do answers late.
const ANSWER_WAIT: Duration = Duration::from_secs(10);
/// Connections that it takes, far more than any figure needs.
const CONNECTIONS_MAX: &str = "12000";
/// Sessions that it takes.
const SESSIONS_MAX: &str = "2000";
/// Seats of a world beyond its players: quick play counts somebody who comes in twice for a moment, and would open
/// another world for the last of them.
const SPARE_SEATS: u32 = 400;
/// The seed of sessions that quick play opens.
const SEED: &str = "7";

/// Folders that were made by this process.
static FOLDERS: AtomicU32 = AtomicU32::new(0);

/// A folder of its own for one run, removed with all that is in it when dropped.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("gamekeeper-figures-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).with_context(|| path.display().to_string())?;
        Ok(Self(path))
    }

    /// A file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is some kilobytes that the system clears away.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A certificate of this machine's, believed by whoever is given its file.
#[derive(Debug)]
pub(crate) struct Certificate {
    pub(crate) file: PathBuf,
    key: PathBuf,
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Stand {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    pub(crate) certificate: Option<Certificate>,
    /// The other server of its site, where there is one.
    pub(crate) neighbour: Option<Box<Self>>,
    /// The path at that one that leads to the world here, where bots come through it.
    path: Option<String>,
    socket: PathBuf,
    /// Removed after the process has ended.
    pub(crate) folder: Folder,
}

impl Stand {
    /// Starts one, with TLS or without, and `more` settings.
    pub(crate) fn start(tls: bool, more: &[&str]) -> Result<Self> {
        Self::start_at(free_address()?, tls, more)
    }

    fn start_at(address: SocketAddr, tls: bool, more: &[&str]) -> Result<Self> {
        let folder = Folder::new()?;
        let certificate = if tls { Some(certify(&folder)?) } else { None };
        let socket = folder.file("server.sock");
        let bind = format!("{address},unix:{}", socket.display());
        let mut command = on_core(SERVER_CORE, program("server")?);
        command.args(["--bind", &bind, "--log", "warn", "--metrics", "everyone", "--seed", SEED]);
        command.args(["--pilots", "0", "--round-seconds", "0", "--overload", "no"]);
        command.args(["--max-connections", CONNECTIONS_MAX, "--max-per-address", CONNECTIONS_MAX]);
        command.args(["--max-sessions", SESSIONS_MAX]).args(more);
        if let Some(Certificate { file, key }) = &certificate {
            command.arg("--tls-cert").arg(file).arg("--tls-key").arg(key);
        }
        let mut process = Process::start(command.stdout(Stdio::null()))?;
        process.listens_on(address)?;
        Ok(Self { process, address, certificate, neighbour: None, path: None, socket, folder })
    }

    /// One with a session that has room for so many players, in an arena as large as they need for lively play: quick
    /// play leads there.
    pub(crate) fn with_world(tls: bool, players: u32) -> Result<Self> {
        let seats = players + SPARE_SEATS;
        let stand = Self::start(tls, &["--max-players", &seats.to_string()])?;
        stand.open_world(players)?;
        Ok(stand)
    }

    /// The same as one of two servers of a site, with bots that come straight to it or through the other one.
    pub(crate) fn of_site(through: bool, players: u32) -> Result<Self> {
        let (seats, addresses) = (players + SPARE_SEATS, [free_address()?, free_address()?]);
        let list = format!("A=http://{},B=http://{}", addresses[0], addresses[1]);
        let start = |address, letter| {
            let seats = seats.to_string();
            let more = ["--site", &list, "--site-letter", letter, "--max-players", &seats];
            Self::start_at(
                address,
                false,
                &[&more[..], &["--trusted-proxies", "127.0.0.1"]].concat(),
            )
        };
        let (mut stand, other) = (start(addresses[0], "A")?, start(addresses[1], "B")?);
        let code = stand.open_world(players)?;
        stand.neighbour = Some(Box::new(other));
        stand.path = through.then(|| format!("/play/{code}"));
        Ok(stand)
    }

    /// Opens a session for so many players; its code.
    fn open_world(&self, players: u32) -> Result<String> {
        let seats = players + SPARE_SEATS;
        let game = json!({ "size": Settings::for_players(players as usize).size });
        let wish = json!({ "name": "Figures", "max_players": seats, "round_s": 0, "seed": 7,
                           "pilots": { "fill_up_to": 0 }, "game": game });
        let answer = self.ask("POST", "/api/sessions", &wish.to_string())?;
        let opened: Value = serde_json::from_str(&answer)?;
        Ok(opened["code"].as_str().with_context(|| format!("no session: {answer}"))?.to_owned())
    }

    /// Where bots play.
    pub(crate) fn url(&self) -> String {
        if let Some((other, path)) = self.neighbour.as_ref().zip(self.path.as_ref()) {
            return format!("ws://{}{path}", other.address);
        }
        let scheme = if self.certificate.is_some() { "wss" } else { "ws" };
        format!("{scheme}://{}/play", self.address)
    }

    /// What it tells of itself now.
    pub(crate) fn look(&self) -> Result<Scrape> {
        Ok(Scrape::read(&self.ask("GET", "/metrics", "")?))
    }

    /// Its answer, if it is a good one.
    fn ask(&self, method: &str, path: &str, body: &str) -> Result<String> {
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(ANSWER_WAIT))?;
        let head =
            "HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json";
        write!(stream, "{method} {path} {head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("that is no HTTP")?;
        if !["HTTP/1.1 200", "HTTP/1.1 201"].iter().any(|good| head.starts_with(good)) {
            bail!("{method} {path}: {} {body}", head.lines().next().unwrap_or_default());
        }
        ensure!(!head.to_ascii_lowercase().contains("transfer-encoding"), "its length is not told");
        Ok(body.to_owned())
    }
}

fn certify(folder: &Folder) -> Result<Certificate> {
    let made =
        rcgen::generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()])?;
    let write = |name: &str, text: String| -> Result<PathBuf> {
        let path = folder.file(name);
        fs::write(&path, text)?;
        Ok(path)
    };
    Ok(Certificate {
        file: write("certificate.pem", made.cert.pem())?,
        key: write("key.pem", made.signing_key.serialize_pem())?,
    })
}

/// The folder as text, for flags.
pub(crate) fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is no UTF-8")
}
