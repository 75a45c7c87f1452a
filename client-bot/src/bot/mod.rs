//! One bot's life, in one task: it says hello, does what its behaviour wants until it is called back or the line ends,
//! and hands over what it saw. It wakes for what arrives and once per tick for its own clock; the client decides what
//! is due. On a network that is made up, it also wakes for what that held back; on a perfect one nothing is queued.
//!
//! By stages: `opening`, `hearing`, `saying`; here is the life that they are part of.

mod hearing;
mod opening;
mod saying;

use crate::behaviour::{self, Behaviour};
use crate::coming_back::{self, Tries};
use crate::doors::Doors;
use crate::ending::Ending;
use crate::held::Held;
use crate::line::{self, Socket};
use crate::network::Preset;
use crate::progress::Board;
use crate::tally::{Life, Sort, add_stats};
use crate::window::{Times, Window};
pub(crate) use opening::live;
use serde::{Deserialize, Serialize};
use shared::game::{Game, PlayerId, Tick};
use shared::netcode::client::{Client, Stats};
use shared::netcode::shelf::Shelf;
use shared::wire::close::CloseCode;
use shared::wire::rows::Rows;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};
use tokio_tungstenite::tungstenite::Message;

/// For how long the server may say nothing, or not let a bot in; then the bot gives up, as the page does. A server sends
/// frames all the time.
const SILENCE_MAX_MS: f64 = 8_000.0;
/// For how long the server may take nothing of what a bot says; then the bot gives up. Until then its
/// messages wait in the client, about one per tick.
const WRITE_WAIT_MS: f64 = 10_000.0;
/// The pause between two looks at the clock before the welcome says how long a tick is.
const WAITING_PERIOD: Duration = Duration::from_millis(100);
/// The pause between two looks at the client's figures. Shorter than between two of its pings, so that
/// no round trip is missed.
const LOOK_MS: f64 = 500.0;
/// Time between two pings of a client, in ms; a client does not send the next while it waits for an answer.
const PING_EVERY_MS: f64 = 1_000.0;
/// What the server is told when a bot leaves.
const GOODBYE: &str = "The bot has played enough.";

/// What all bots share, but for `stop`.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    /// The ways in.
    pub(crate) doors: Arc<Doors>,
    /// Whether who loses the line comes back.
    pub(crate) come_back: bool,
    /// Where progress is told.
    pub(crate) board: Arc<Board>,
    /// Ends when the bot is to come back.
    pub(crate) stop: watch::Receiver<()>,
    /// The start of the clients' clocks.
    pub(crate) epoch: Instant,
}

impl Surroundings {
    /// For bots that go in through `doors`; clients' clocks start now.
    pub(crate) fn new(doors: Doors, come_back: bool) -> Self {
        Self {
            doors: Arc::new(doors),
            come_back,
            board: Arc::new(Board::default()),
            stop: watch::channel(()).1,
            epoch: Instant::now(),
        }
    }

    /// Time by the clients' clocks, in ms.
    fn now_ms(&self) -> f64 {
        self.ms(Instant::now())
    }

    /// A time by the clients' clocks, in ms.
    fn ms(&self, at: Instant) -> f64 {
        at.duration_since(self.epoch).as_secs_f64() * 1000.0
    }

    /// A time of the clients' clocks as the timer knows it.
    fn at(&self, ms: f64) -> Instant {
        self.epoch + Duration::from_secs_f64(ms / 1000.0)
    }
}

/// Who a bot is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Errand {
    /// From 0; no two bots of a run have the same.
    pub(crate) number: u32,
    /// Its network.
    pub(crate) preset: Preset,
    /// What it does.
    pub(crate) behaviour: Behaviour,
}

impl Errand {
    pub(crate) fn watches(self) -> bool {
        self.behaviour == Behaviour::Spectate
    }
}

struct Bot<G: Game> {
    errand: Errand,
    client: Client<G>,
    /// The rules that all bots share.
    shelf: Arc<Shelf<G>>,
    brain: G::Brain,
    /// What a bot that wanders is shown.
    own: Rows,
    line: Socket,
    /// The code of the session that the line leads to, if the server tells it.
    session: Option<String>,
    /// Who it is there, once it was let in and until it leaves by itself.
    seat: Option<PlayerId>,
    /// How often it came back and was somebody else.
    lost_seats: u32,
    /// What the made-up network holds back, if there is one.
    held: Option<Held<Event, Vec<u8>>>,
    /// Whether the line has nothing more to give.
    ended: bool,
    around: Surroundings,
    timer: Pin<Box<Sleep>>,
    next_wake: Instant,
    period: Duration,
    /// Where in a tick the bot looks at the clock, so that not all bots do at the same moment: 0 to 1.
    phase: f64,
    hello_ms: f64,
    joined_ms: Option<f64>,
    /// How often it was let in.
    joined: u32,
    /// How often it left by itself and joined again.
    stays: u32,
    /// The time in the game before the present connection, in ms.
    played_ms: f64,
    /// When the last connection was lost, until the bot is back; where it left by itself, when it found no other.
    lost_ms: Option<f64>,
    /// Whether the board counts it as present.
    present: bool,
    tries: Tries,
    /// When the line was opened, or something came.
    heard_ms: f64,
    frame_ms: Option<f64>,
    /// Since when the kernel takes nothing.
    blocked_ms: Option<f64>,
    look_ms: f64,
    /// When it said its last line.
    chat_ms: f64,
    /// The figures of clients before the present one.
    past: Stats,
    /// The client's figures at the last look.
    seen: Stats,
    thought: Option<Tick>,
    sent_bytes: u64,
}

/// What a bot wakes up for.
#[derive(Debug)]
enum Event {
    Heard(Message),
    Timer,
    Ended(Ending),
}

/// Why a bot plays no more on its line.
enum Pause {
    /// The line, or the run, is at its end.
    End(Ending),
    /// The bot has stayed long enough, and joins again.
    Stayed,
}

impl<G: Game> Bot<G> {
    async fn live(mut self) -> Life {
        let ending = loop {
            let pause = self.play().await;
            let end_ms = self.stop_counting();
            if matches!(pause, Pause::End(Ending::Closed { .. })) {
                line::answer_close(&mut self.line).await;
            }
            let next = match pause {
                Pause::Stayed => self.churn().await,
                Pause::End(end) if self.around.come_back && coming_back::is_worth_it(&end) => {
                    self.lost_line(end_ms);
                    self.come_back(end).await
                }
                Pause::End(end) => Err(end),
            };
            if let Err(ending) = next {
                break ending;
            }
        };
        self.depart();
        match &ending {
            Ending::CalledBack | Ending::NoWelcome => {
                line::close(&mut self.line, CloseCode::Normal, GOODBYE).await;
            }
            Ending::Closed { .. } | Ending::NoLine(_) | Ending::Broken(_) => {}
        }
        if let Some(lost) = self.lost_ms {
            self.windows().way_back.record(self.now_ms() - lost);
        }
        if ending != Ending::CalledBack {
            self.around.board.fell_out(self.joined > 0);
        }
        let mut stats = self.past;
        add_stats(&mut stats, &self.seen);
        Life {
            errand: self.errand,
            ending,
            played_ms: (self.joined > 0).then_some(self.played_ms),
            joins: self.joined,
            returns: self.joined.saturating_sub(1 + self.stays),
            lost_seats: self.lost_seats,
            away: self.lost_ms.is_some(),
            stats,
            sent_bytes: self.sent_bytes,
        }
    }

    /// The time in the game, up to now, counts, and with it what has not come; it begins anew with the next welcome.
    /// Gives the time.
    fn stop_counting(&mut self) -> f64 {
        let now_ms = self.now_ms();
        self.look(now_ms);
        if let Some(joined) = self.joined_ms.take() {
            self.saw_nothing(now_ms);
            self.played_ms += now_ms - joined;
            self.around.board.left();
        }
        now_ms
    }

    /// The line was lost then, and the bot is to come back.
    fn lost_line(&mut self, end_ms: f64) {
        // What was heard last counts: of a server that says nothing the line lasted no time.
        self.tries.lost(Duration::from_secs_f64((self.heard_ms - self.hello_ms) / 1000.0));
        self.is_away(end_ms);
    }

    /// It wants to be in the game, and has had no line since then.
    fn is_away(&mut self, since_ms: f64) {
        self.depart();
        if self.joined > 0 {
            self.lost_ms.get_or_insert(since_ms);
        }
    }

    /// It is present no longer, if it was.
    fn depart(&mut self) {
        if std::mem::take(&mut self.present) {
            self.around.board.departed();
        }
    }

    async fn play(&mut self) -> Pause {
        self.hello_ms = self.now_ms();
        self.heard_ms = self.hello_ms;
        let hello = self.client.hello(self.hello_ms);
        if let Err(error) = self.say(hello) {
            return Pause::End(Ending::broken(error));
        }
        loop {
            match poll_fn(|cx| self.poll_event(cx)).await {
                Event::Heard(Message::Binary(bytes)) => self.hear(&bytes),
                Event::Heard(Message::Close(frame)) => return Pause::End(Ending::closed(frame)),
                Event::Heard(Message::Text(_)) => {
                    let text = "text came on a binary protocol";
                    return Pause::End(Ending::Broken(text.into()));
                }
                // tungstenite answers pings by itself, and hands out frames to nobody who does not ask.
                Event::Heard(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                Event::Timer => {
                    self.keep_time();
                    let now_ms = self.now_ms();
                    self.go_on(now_ms);
                    if let Some(ending) = self.too_long(now_ms) {
                        return Pause::End(ending);
                    }
                }
                Event::Ended(ending) => return Pause::End(ending),
            }
            // No more than an atomic read; an error means that the bot is called back.
            if self.around.stop.has_changed().unwrap_or(true) {
                return Pause::End(Ending::CalledBack);
            }
            if self.has_stayed() {
                return Pause::Stayed;
            }
        }
    }

    /// Whether a bot that churns has been here for long enough.
    fn has_stayed(&self) -> bool {
        self.errand.behaviour == Behaviour::Churn
            && self.joined_ms.is_some_and(|since| {
                self.now_ms() - since >= behaviour::stay_ms(self.phase, self.stays)
            })
    }

    fn now_ms(&self) -> f64 {
        self.around.now_ms()
    }

    /// Where it takes times down.
    fn windows(&self) -> &Times<Window> {
        let Errand { preset, behaviour, .. } = self.errand;
        self.around.board.windows(Sort { preset, behaviour })
    }
}
