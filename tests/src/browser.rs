//! A real browser, driven over WebDriver. Pictures of what it showed are kept in `tests/screenshots`.

use crate::engine::{Engine, Processes};
use fantoccini::actions::{InputSource, MOUSE_BUTTON_LEFT, MouseActions, PointerAction};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

/// For how long a page may take to show what a test waits for, in ms. Only a failing test waits this long, so it is more
/// than a round and its result take, on a machine that is busy otherwise.
const PATIENCE_MS: u32 = 60_000;
/// For how long the browser lets a script run, in ms: longer than [`PATIENCE_MS`], so that a test says what it waited for.
const SCRIPT_MS: u32 = 90_000;
/// For how long a finger is down that clicks: some frames.
const PRESS: Duration = Duration::from_millis(80);
/// How often a driver is started before a test gives up, see [`Driver::of`]. One start in a hundred finds its
/// port taken where tests hold hundreds of connections.
const STARTS_MAX: usize = 10;

/// Flies by real key and pointer events: towards the nearest other ship, else up and down, firing at
/// what is in front. Only the hands are new; everything behind them is the page's own.
const AUTOPILOT: &str = r"
    const canvas = document.getElementById('arena');
    const held = new Set();
    const hold = (code, down) => {
        if (held.has(code) === down) return;
        down ? held.add(code) : held.delete(code);
        dispatchEvent(new KeyboardEvent(down ? 'keydown' : 'keyup', { code, bubbles: true }));
    };
    let last = { x: 0, y: 0, at: 0 }, aside = 0, side = 1;
    const look = () => {
        const me = gamekeeper.me(), ships = gamekeeper.ships(), now = performance.now();
        const own = ships.find((s) => s.own);
        if (!me || !own) { for (const code of [...held]) hold(code, false); return; }
        const others = ships.filter((s) => !s.own);
        others.sort((a, b) => Math.hypot(a.x - own.x, a.y - own.y) - Math.hypot(b.x - own.x, b.y - own.y));
        const goal = others[0] ?? { x: 0, y: 650 * Math.sign(Math.sin(now / 1500)) };
        const dx = goal.x - own.x, dy = goal.y - own.y, far = Math.hypot(dx, dy);
        const near = others.length ? 260 : 60;
        if (now - last.at > 500) {
            // A rock in the way is flown around, now on this side and now on that one.
            if (far > near && Math.hypot(own.x - last.x, own.y - last.y) < 30) [aside, side] = [now + 1000, -side];
            last = { x: own.x, y: own.y, at: now };
        }
        const [east, south] = now < aside ? [-dy * side, dx * side] : [dx, dy];
        const stroll = Math.sin(now / 900);
        hold('KeyD', far > near ? east > 30 : stroll > 0.3); hold('KeyA', far > near ? east < -30 : stroll < -0.3);
        hold('KeyS', far > near ? south > 30 : false); hold('KeyW', far > near ? south < -30 : false);
        hold('Space', others.length > 0);
        const box = canvas.getBoundingClientRect();
        const angle = Math.atan2(dy, dx), reach = 200;
        canvas.dispatchEvent(new PointerEvent('pointermove', {
            bubbles: true, pointerType: 'mouse', isPrimary: true,
            clientX: box.width / 2 + (own.x - me.x) + Math.cos(angle) * reach,
            clientY: box.height / 2 + (own.y - me.y) + Math.sin(angle) * reach,
        }));
    };
    setInterval(look, 30);
";

/// Keeps the next answer to what the page asks at a path from it. Once the answer is there, `held.release()` is, too, and
/// hands it over; it is read by then, so that the page has done all that it does about it before anything else happens.
const HOLD: &str = r"
    const [path] = arguments, ask = globalThis.fetch;
    const held = globalThis.held = {};
    globalThis.fetch = async (...asked) => {
        const answer = await ask(...asked);
        if (!asked[0].endsWith(path)) return answer;
        const { status } = answer, text = await answer.text();
        await new Promise((release) => { held.release = release; });
        globalThis.fetch = ask;
        return new Response(text || null, { status });
    };
";

/// A running WebDriver; it ends, with its browsers, when dropped.
pub struct Driver {
    engine: Engine,
    processes: Processes,
}

impl Driver {
    /// Chromium's. Panics with what to install when it cannot start.
    pub fn start() -> Self {
        Self::of(Engine::Chromium)
    }

    /// Starts one on a port of its own. Panics with what to install when it cannot.
    ///
    /// ChromeDriver lets the kernel choose a port for IPv6, wants the same for IPv4 and ends when somebody has
    /// it, a connection of another test, say. So it is started again, and chooses another.
    pub fn of(engine: Engine) -> Self {
        let processes = (0..STARTS_MAX).find_map(|_| engine.try_start());
        Self { engine, processes: processes.expect("a driver says its port") }
    }

    /// Opens a browser window that shows a page of this size, CSS pixels. `touch` makes it a phone, see
    /// [`Engine::capabilities`].
    pub async fn open(&self, width: u32, height: u32, touch: bool) -> Page {
        let mut capabilities = self.engine.capabilities(width, height, touch);
        // Tests make their own certificates.
        capabilities.insert("acceptInsecureCerts".into(), json!(true));
        capabilities.insert("timeouts".into(), json!({"script": SCRIPT_MS}));
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&self.processes.url)
            .await
            .expect("a browser starts; on Debian: apt-get install chromium firefox-esr");
        let page = Page { client };
        if !touch {
            // A window's size is with its frame and bars: what the page lacks is added.
            let lacks_width = f64::from(width) - page.number("innerWidth").await;
            let lacks_height = f64::from(height) - page.number("innerHeight").await;
            let (outer_width, outer_height) =
                (width + lacks_width as u32, height + lacks_height as u32);
            page.client.set_window_size(outer_width, outer_height).await.expect("a size");
        }
        page
    }
}

/// One browser window.
pub struct Page {
    /// For what is not below.
    pub client: Client,
}

impl Page {
    /// Loads the game, types a name, presses Play and waits until the ship flies.
    pub async fn play(&self, url: &str, name: &str) {
        self.goto(url).await;
        self.until("gamekeeper.state === 'start' && !document.getElementById('play').disabled")
            .await;
        let field =
            self.client.find(fantoccini::Locator::Id("name")).await.expect("a field for the name");
        field.clear().await.expect("it can be emptied");
        field.send_keys(name).await.expect("it takes letters");
        let button = self.client.find(fantoccini::Locator::Id("play")).await.expect("a button");
        button.click().await.expect("it can be clicked");
        self.until("gamekeeper.state === 'playing' && gamekeeper.me().alive").await;
    }

    /// Lets `AUTOPILOT` fly from now on.
    pub async fn fly(&self) {
        self.run(AUTOPILOT).await;
    }

    /// Clicks the element that a CSS selector finds, as people do: with a finger that is down for some frames. WebDriver's
    /// own click is over before the page has drawn again, and does not notice a button that is made anew meanwhile.
    pub async fn click(&self, selector: &str) {
        // In view, not covered, as by a panel that has not quite closed, and where it was a frame ago: one that is still on its
        // way has left the place before the finger is up.
        self.until(&format!(
            "(() => {{
                const element = document.querySelector('{selector}');
                element.scrollIntoView({{ block: 'nearest', behavior: 'instant' }});
                const box = element.getBoundingClientRect();
                const [place, at] = [`${{box.x}} ${{box.y}}`, document.timeline.currentTime];
                const before = element.stood;
                if (before?.place !== place) element.stood = {{ place, at }};
                if (before?.place !== place || before.at === at) return false;
                return element.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2));
            }})()"
        ))
        .await;
        let element = self.client.find(fantoccini::Locator::Css(selector)).await;
        let element = element.unwrap_or_else(|e| panic!("{selector}: {e}"));
        let button = MOUSE_BUTTON_LEFT;
        let press = MouseActions::new("mouse".into())
            .then(PointerAction::MoveToElement { element, duration: None, x: 0.0, y: 0.0 })
            .then(PointerAction::Down { button })
            .then(PointerAction::Pause { duration: PRESS })
            .then(PointerAction::Up { button });
        self.client.perform_actions(press).await.unwrap_or_else(|e| panic!("{selector}: {e}"));
    }

    /// Pulls the slider that a CSS selector finds to a value, a JavaScript expression that may speak of `slider`.
    pub async fn pull(&self, selector: &str, value: &str) {
        let script = format!(
            "const slider = document.querySelector('{selector}');
             slider.value = {value};
             for (const type of ['input', 'change']) slider.dispatchEvent(new Event(type));"
        );
        self.run(&script).await;
    }

    /// Types into the element that a CSS selector finds; keys beyond letters are WebDriver's code points.
    pub async fn keys(&self, selector: &str, text: &str) {
        let element = self.client.find(fantoccini::Locator::Css(selector)).await;
        let element = element.unwrap_or_else(|e| panic!("{selector}: {e}"));
        element.send_keys(text).await.unwrap_or_else(|e| panic!("{selector}: {e}"));
    }

    /// Presses a key where the keyboard's focus is; keys beyond letters are WebDriver's code points.
    pub async fn press(&self, key: &str) {
        let focused = self.client.active_element().await.expect("something has the focus");
        focused.send_keys(key).await.expect("it takes keys");
    }

    /// Runs a script.
    pub async fn run(&self, script: &str) {
        self.client.execute(script, vec![]).await.unwrap_or_else(|e| panic!("{script}: {e}"));
    }

    /// Keeps the next answer to what the page asks at `path` from it, until [`Self::release`]; `held.release` is there
    /// once it came.
    pub async fn hold(&self, path: &str) {
        self.client.execute(HOLD, vec![json!(path)]).await.expect("it is held");
    }

    /// Hands it over.
    pub async fn release(&self) {
        self.run("held.release()").await;
    }

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
    /// with the page's state when it takes longer than `PATIENCE_MS`.
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

    /// Closes the window. Panics when anything in the page went wrong that nobody caught.
    pub async fn close(self) {
        let errors = self.eval("globalThis.gamekeeper?.errors ?? []").await;
        assert_eq!(errors, json!([]), "uncaught in the page");
        self.client.close().await.expect("the browser closes");
    }
}
