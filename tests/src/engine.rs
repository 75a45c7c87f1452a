//! The browsers that tests drive, and what starts each one's WebDriver.

use crate::reach::Folder;
use serde_json::{Map, Value, json};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long a driver that does not say when it listens is left alone between two looks.
const LOOK: Duration = Duration::from_millis(20);
/// The screen that WebKit draws to where there is none, in pixels.
const SCREEN: &str = "1600x1200x24";

/// Whose code lays out the page and runs its JavaScript and WebAssembly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// As in Chrome, Edge and Opera.
    Chromium,
    /// As in Firefox.
    Gecko,
    /// As in Safari, and in every browser of an iPhone.
    WebKit,
}

/// The processes of a driver; they end when dropped, with the browsers that they started.
pub struct Processes {
    /// Each leads a group of its own.
    leaders: Vec<Child>,
    /// Where the driver listens.
    pub url: String,
    /// What browsers leave behind goes with it.
    _folder: Folder,
}

impl Engine {
    /// Starts the driver once. `None` when the port that it chose was taken.
    pub fn try_start(self) -> Option<Processes> {
        let folder = Folder::new();
        let path = folder.path().to_owned();
        // What is dropped before it listens is ended and waited for, too.
        let mut started = Processes { leaders: Vec::new(), url: String::new(), _folder: folder };
        let port = match self {
            Self::Chromium => {
                let driver = started.start(
                    Command::new("chromedriver").arg("--port=0").env("TMPDIR", path),
                    "apt-get install chromium chromium-driver",
                );
                said(driver, |line| {
                    let (_, port) = line.split_once("started successfully on port ")?;
                    port.trim_end_matches('.').parse::<u16>().ok()
                })?
            }
            Self::Gecko => {
                let program = Path::new(env!("CARGO_MANIFEST_DIR"))
                    .join("../target/tools/geckodriver/bin/geckodriver");
                let driver = started.start(
                    Command::new(program)
                        .args(["--port", "0", "--websocket-port", "0"])
                        .arg("--profile-root")
                        .arg(&path)
                        .env("HOME", path)
                        .stderr(Stdio::null()),
                    "tests/run --prepare",
                );
                said(driver, |line| {
                    let (_, address) = line.split_once("Listening on ")?;
                    address.rsplit_once(':')?.1.parse::<u16>().ok()
                })?
            }
            Self::WebKit => {
                let screen = started.start(
                    Command::new("Xvfb")
                        .args(["-displayfd", "1", "-nolisten", "tcp"])
                        .args(["-screen", "0", SCREEN])
                        .stderr(Stdio::null()),
                    "apt-get install xvfb",
                );
                let screen = said(screen, |line| line.parse::<u32>().ok())?;
                // It does not say which port it has, so it is told one.
                let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
                let port = free.local_addr().expect("bound").port();
                drop(free);
                let driver = started.start(
                    Command::new("WebKitWebDriver")
                        .arg(format!("--port={port}"))
                        .env("DISPLAY", format!(":{screen}"))
                        // Drawn without OpenGL: one page in fifty crashes within Debian 12's software renderer
                        // (Mesa 22.3), where threads of WebKit's free what others use.
                        .env("WEBKIT_DISABLE_COMPOSITING_MODE", "1")
                        .env("TMPDIR", &path)
                        .env("HOME", path)
                        .stderr(Stdio::null()),
                    "apt-get install webkit2gtk-driver",
                );
                while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
                    if driver.try_wait().expect("a child").is_some() {
                        return None;
                    }
                    std::thread::sleep(LOOK);
                }
                port
            }
        };
        started.url = format!("http://127.0.0.1:{port}");
        Some(started)
    }

    /// What a browser of this kind is asked for, beside what all are: a page of this size, CSS pixels. `touch`
    /// makes it a phone, which only Chromium can be.
    pub fn capabilities(self, width: u32, height: u32, touch: bool) -> Map<String, Value> {
        assert!(!touch || self == Self::Chromium, "{self:?} is no phone");
        let mut capabilities = Map::new();
        match self {
            Self::Chromium => {
                let mut options = json!({
                    "args": [
                        "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
                        "--disable-component-update", "--disable-sync", "--no-first-run", "--mute-audio",
                        "--hide-scrollbars", "--autoplay-policy=no-user-gesture-required",
                        format!("--window-size={width},{height}"),
                    ],
                });
                if touch {
                    options["mobileEmulation"] = json!({
                        "deviceMetrics": {"width": width, "height": height, "pixelRatio": 2.0, "touch": true},
                    });
                }
                capabilities.insert("goog:chromeOptions".into(), options);
                capabilities.insert("goog:loggingPrefs".into(), json!({"browser": "ALL"}));
            }
            Self::Gecko => {
                let options = json!({"args": ["-headless"]});
                capabilities.insert("moz:firefoxOptions".into(), options);
            }
            Self::WebKit => {}
        }
        capabilities
    }
}

impl Processes {
    fn start(&mut self, command: &mut Command, install: &str) -> &mut Child {
        let child = command.stdout(Stdio::piped()).process_group(0).spawn();
        let child = child
            .unwrap_or_else(|e| panic!("{:?}: {e}; on Debian: {install}", command.get_program()));
        self.leaders.push(child);
        self.leaders.last_mut().expect("just added")
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for leader in self.leaders.iter_mut().rev() {
            // The whole group: a browser outlives a driver that is ended alone. They may have ended already.
            let group = format!("-{}", leader.id());
            let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
            let _ = leader.wait();
        }
    }
}

/// What `find` sees in the first line of a process in which it sees anything; `None` when it ends before. What
/// it says later is read and left, as geckodriver ends when nobody listens.
fn said<T>(process: &mut Child, find: impl Fn(&str) -> Option<T>) -> Option<T> {
    let out = BufReader::new(process.stdout.take().expect("piped"));
    let mut lines = out.lines().map_while(Result::ok);
    let found = lines.find_map(|line| find(&line));
    std::thread::spawn(move || lines.for_each(drop));
    found
}
