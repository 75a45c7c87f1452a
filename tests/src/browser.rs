//! A real Chromium, driven over WebDriver. Pictures of what it showed are kept in `tests/screenshots`.

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// For how long a page may take to show what a test waits for, in ms. Only a failing test waits this
/// long.
const PATIENCE_MS: u32 = 20_000;

/// A running ChromeDriver; it ends, with its browsers, when dropped.
pub struct Driver {
    process: Child,
    url: String,
}

impl Driver {
    /// Starts it on a port of its own. Panics with what to install when it cannot.
    pub fn start() -> Self {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("chromedriver starts; on Debian: apt-get install chromium chromium-driver");
        let out = BufReader::new(process.stdout.take().expect("piped"));
        let port = out.lines().map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        let port = port.expect("chromedriver says its port");
        Self { process, url: format!("http://127.0.0.1:{port}") }
    }

    /// Opens a browser window of this size. `touch` makes it a phone.
    pub async fn open(&self, width: u32, height: u32, touch: bool) -> Page {
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
        let mut capabilities = serde_json::Map::new();
        capabilities.insert("goog:chromeOptions".into(), options);
        capabilities.insert("goog:loggingPrefs".into(), json!({"browser": "ALL"}));
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&self.url)
            .await
            .expect("chromium starts; on Debian: apt-get install chromium");
        Page { client }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The whole group: a browser outlives a driver that is ended alone. They may have ended already.
        let group = format!("-{}", self.process.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.process.wait();
    }
}

/// One browser window.
pub struct Page {
    /// For what is not below.
    pub client: Client,
}

impl Page {
    /// Loads an address.
    pub async fn goto(&self, url: &str) {
        self.client.goto(url).await.expect("the page loads");
    }

    /// What a JavaScript expression gives.
    pub async fn eval(&self, expression: &str) -> Value {
        let script = format!("return ({expression});");
        self.client.execute(&script, vec![]).await.unwrap_or_else(|e| panic!("{expression}: {e}"))
    }

    /// A number that a JavaScript expression gives.
    pub async fn number(&self, expression: &str) -> f64 {
        let value = self.eval(expression).await;
        value.as_f64().unwrap_or_else(|| panic!("{expression} is {value}"))
    }

    /// Waits until an expression is truthy, looking once per drawn frame; returns what it was. Panics
    /// with the page's state when it takes longer than [`PATIENCE_MS`].
    pub async fn until(&self, expression: &str) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             const end = performance.now() + {PATIENCE_MS};
             const look = () => {{
                 let value; try {{ value = ({expression}); }} catch (error) {{ value = undefined; }}
                 if (value) return done(value);
                 if (performance.now() > end) return done(null);
                 setTimeout(look, 15);
             }};
             look();"
        );
        let value = self.client.execute_async(&script, vec![]).await;
        let value = value.unwrap_or_else(|e| panic!("{expression}: {e}"));
        if value.is_null() {
            self.picture("failed").await;
            let state = self.eval("JSON.stringify(globalThis.gamekeeper ?? null)").await;
            panic!("never became true: {expression}; {state}");
        }
        value
    }

    /// Keeps a picture as `tests/screenshots/NAME.png`.
    pub async fn picture(&self, name: &str) {
        let png = self.client.screenshot().await.expect("a picture");
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("screenshots");
        std::fs::create_dir_all(&folder).expect("a folder for pictures");
        std::fs::write(folder.join(format!("{name}.png")), png).expect("room for a picture");
    }

    /// Closes the window.
    pub async fn close(self) {
        self.client.close().await.expect("the browser closes");
    }
}
