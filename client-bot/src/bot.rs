//! One bot's life on one WebSocket, in one task: it says hello, plays by the game's brain until it is
//! called back or the line ends, and hands over what it saw. It wakes for what arrives and once per
//! tick for its own clock; the client decides what is due. On a network that is made up, it also wakes
//! for what that held back; on a perfect one nothing is queued.

use crate::coming_back;
use crate::ending::Ending;
use crate::held::Held;
use crate::line::{self, Line, Place};
use crate::network::Preset;
use crate::progress::Board;
use crate::tally::{Latencies, Life};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use shared::game::{Brain, Game, Tick};
use shared::netcode::client::{Client, Stats};
use shared::wire::close::CloseCode;
use shared::wire::message;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_tungstenite::tungstenite::{self, Message};

/// For how long the server may take to let a bot in; then the bot gives up.
const WELCOME_WAIT_MS: f64 = 10_000.0;
/// For how long the server may take nothing of what a bot says; then the bot gives up. Until then its
/// messages wait in the client, about one per tick.
const WRITE_WAIT_MS: f64 = 10_000.0;
/// The pause between two looks at the clock before the welcome says how long a tick is.
const WAITING_PERIOD: Duration = Duration::from_millis(100);
/// The pause between two looks at the client's figures. Shorter than between two of its pings, so that
/// no round trip is missed.
const LOOK_MS: f64 = 500.0;
/// What the server is told when a bot leaves.
const GOODBYE: &str = "The bot has played enough.";

/// What all bots share.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    /// Where the server is.
    pub(crate) place: Arc<Place>,
    /// Whether who loses the line comes back.
    pub(crate) come_back: bool,
    /// Where progress is told.
    pub(crate) board: Arc<Board>,
    /// Changes once, when everybody is to come back.
    pub(crate) stop: watch::Receiver<()>,
    /// The start of the clients' clocks.
    pub(crate) epoch: Instant,
}

impl Surroundings {
    /// Time by the clients' clocks, in ms.
    fn now_ms(&self) -> f64 {
        self.epoch.elapsed().as_secs_f64() * 1000.0
    }

    /// A time of the clients' clocks as the timer knows it.
    fn at(&self, ms: f64) -> Instant {
        self.epoch + Duration::from_secs_f64(ms / 1000.0)
    }
}

/// Lives bot `number`'s life on such a network; `opened` when somebody has opened its line already.
pub(crate) async fn live<G: Game>(
    number: u32,
    preset: Preset,
    opened: Option<Line>,
    mut around: Surroundings,
) -> Life {
    let line = match opened {
        Some(line) => Ok(line),
        None => tokio::select! {
            line = around.place.open() => line,
            _ = around.stop.changed() => return Life::without_a_line(preset, Ending::CalledBack),
        },
    };
    match line {
        Ok(line) => Bot::<G>::new(number, preset, line, around).live().await,
        Err(error) => {
            around.board.fell_out();
            Life::without_a_line(preset, Ending::NoLine(error.to_string()))
        }
    }
}

struct Bot<G: Game> {
    number: u32,
    client: Client<G>,
    brain: G::Brain,
    line: Line,
    preset: Preset,
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
    /// The time in the game before the present connection, in ms.
    played_ms: f64,
    /// When the last connection was lost, until the bot is back.
    lost_ms: Option<f64>,
    frame_ms: Option<f64>,
    /// Since when the kernel takes nothing.
    blocked_ms: Option<f64>,
    look_ms: f64,
    /// The client's figures at the last look.
    seen: Stats,
    thought: Option<Tick>,
    sent_bytes: u64,
    latencies: Latencies,
}

/// What a bot wakes up for.
#[derive(Debug)]
enum Event {
    Heard(Message),
    Timer,
    Ended(Ending),
}

impl<G: Game> Bot<G> {
    fn new(number: u32, preset: Preset, line: Line, around: Surroundings) -> Self {
        let next_wake = Instant::now() + WAITING_PERIOD;
        // Multiples of the golden ratio fall evenly into a circle, however many there are.
        let phase = (f64::from(number) * 0.618_033_988_749_895).fract();
        Self {
            number,
            client: Client::new(&format!("Bot {}", number + 1)),
            brain: G::Brain::new(u64::from(number)),
            line,
            preset,
            held: Held::of_bot(number, phase, preset),
            ended: false,
            around,
            timer: Box::pin(sleep_until(next_wake)),
            next_wake,
            period: WAITING_PERIOD,
            phase,
            hello_ms: 0.0,
            joined_ms: None,
            joined: 0,
            played_ms: 0.0,
            lost_ms: None,
            frame_ms: None,
            blocked_ms: None,
            look_ms: 0.0,
            seen: Stats::default(),
            thought: None,
            sent_bytes: 0,
            latencies: Latencies::new(),
        }
    }

    async fn live(mut self) -> Life {
        let ending = loop {
            let ending = self.play().await;
            self.stop_counting();
            if !self.around.come_back || !coming_back::is_worth_it(&ending) {
                break ending;
            }
            if let Err(ending) = self.come_back(ending).await {
                break ending;
            }
        };
        match &ending {
            Ending::CalledBack | Ending::NoWelcome => {
                line::close(&mut self.line, CloseCode::Normal, GOODBYE).await;
            }
            Ending::Closed { .. } => line::answer_close(&mut self.line).await,
            Ending::NoLine(_) | Ending::Broken(_) => {}
        }
        if ending != Ending::CalledBack {
            self.around.board.fell_out();
        }
        Life {
            preset: self.preset,
            ending,
            played_ms: (self.joined > 0).then_some(self.played_ms),
            returns: self.joined.saturating_sub(1),
            stats: self.seen,
            sent_bytes: self.sent_bytes,
            latencies: Some(self.latencies),
        }
    }

    /// The time in the game, up to now, counts; it begins anew with the next welcome.
    fn stop_counting(&mut self) {
        let now_ms = self.now_ms();
        self.look(now_ms);
        if let Some(joined) = self.joined_ms.take() {
            self.played_ms += now_ms - joined;
            self.lost_ms = Some(now_ms);
            self.around.board.left();
        }
    }

    /// Opens another line, however long it takes within reason; else how the bot's life ended.
    async fn come_back(&mut self, lost: Ending) -> Result<(), Ending> {
        let until = Instant::now() + coming_back::GIVE_UP;
        for attempt in 0.. {
            // Where in a tick a bot looks at the clock is spread evenly; so is this.
            let chance = (self.phase + f64::from(attempt) * 0.618_033_988_749_895).fract();
            let wake = Instant::now() + coming_back::wait(&lost, attempt, chance);
            if wake > until {
                break;
            }
            let mut stop = self.around.stop.clone();
            let again = async {
                sleep_until(wake).await;
                self.around.place.open().await
            };
            let line = tokio::select! {
                line = again => line,
                _ = stop.changed() => return Err(Ending::CalledBack),
            };
            if let Ok(line) = line {
                self.line = line;
                self.held = Held::of_bot(self.number, self.phase, self.preset);
                (self.ended, self.blocked_ms, self.frame_ms) = (false, None, None);
                self.period = WAITING_PERIOD;
                self.set_timer();
                return Ok(());
            }
        }
        Err(lost)
    }

    async fn play(&mut self) -> Ending {
        self.hello_ms = self.now_ms();
        let hello = self.client.hello(self.hello_ms);
        if let Err(error) = self.say(hello) {
            return Ending::broken(error);
        }
        loop {
            match poll_fn(|cx| self.poll_event(cx)).await {
                Event::Heard(Message::Binary(bytes)) => self.hear(&bytes),
                Event::Heard(Message::Close(frame)) => return Ending::closed(frame),
                Event::Heard(Message::Text(_)) => {
                    return Ending::Broken("text came on a binary protocol".into());
                }
                // tungstenite answers pings by itself, and hands out frames to nobody who does not ask.
                Event::Heard(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                Event::Timer => {
                    let now_ms = self.now_ms();
                    self.set_timer();
                    self.go_on(now_ms);
                    if let Some(ending) = self.too_long(now_ms) {
                        return ending;
                    }
                }
                Event::Ended(ending) => return ending,
            }
            // No more than an atomic read; an error means that nobody is left who could call.
            if self.around.stop.has_changed().unwrap_or(true) {
                return Ending::CalledBack;
            }
        }
    }

    /// Reads before it writes: when both fail, the server's last words are what tells why.
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        loop {
            if let Poll::Ready(event) = self.poll_heard(cx) {
                return Poll::Ready(event);
            }
            let blocked = match self.poll_write(cx) {
                Ok(blocked) => blocked,
                // What is still to be heard tells why.
                Err(_) if self.ended => true,
                Err(error) => return Poll::Ready(Event::Ended(Ending::broken(error))),
            };
            let Some(held) = &self.held else {
                return self.timer.as_mut().poll(cx).map(|()| Event::Timer);
            };
            // What waits for the kernel is woken by the kernel.
            let next_ms = if blocked { held.heard.next_ms() } else { held.next_ms() };
            let next = next_ms.map_or(self.next_wake, |ms| self.around.at(ms));
            let wake = next.min(self.next_wake);
            if self.timer.deadline() != wake {
                self.timer.as_mut().reset(wake);
            }
            ready!(self.timer.as_mut().poll(cx));
            if Instant::now() >= self.next_wake {
                return Poll::Ready(Event::Timer);
            }
        }
    }

    /// What the bot hears next: what the line gives, or what the network has held back for long enough.
    fn poll_heard(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        let Some(held) = &mut self.held else { return poll_line(&mut self.line, cx) };
        let now_ms = self.around.now_ms();
        while !self.ended
            && !held.heard.is_full()
            && let Poll::Ready(event) = poll_line(&mut self.line, cx)
        {
            self.ended = matches!(event, Event::Ended(_) | Event::Heard(Message::Close(_)));
            let bytes = if let Event::Heard(message) = &event { message.len() } else { 0 };
            held.heard.put(now_ms, bytes, event);
        }
        held.heard.take(now_ms).map_or(Poll::Pending, Poll::Ready)
    }

    /// Writes as much as the line takes of what the client has to say; whether the kernel has to take
    /// some of it before there can be more.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<bool, tungstenite::Error> {
        let mut blocked = false;
        if let Some(held) = &mut self.held {
            let now_ms = self.around.now_ms();
            while !held.said.is_full()
                && let Some(message) = self.client.outgoing()
            {
                held.said.put(now_ms, message.len(), message);
            }
        }
        loop {
            match self.line.poll_ready_unpin(cx)? {
                Poll::Ready(()) => {}
                Poll::Pending => {
                    blocked = true;
                    break;
                }
            }
            let Some(message) = self.outgoing() else { break };
            self.write(message)?;
        }
        blocked |= self.line.poll_flush_unpin(cx)?.is_pending();
        if !blocked {
            self.blocked_ms = None;
        } else if self.blocked_ms.is_none() {
            self.blocked_ms = Some(self.now_ms());
        }
        Ok(blocked)
    }

    /// What is to be written next.
    fn outgoing(&mut self) -> Option<Vec<u8>> {
        match &mut self.held {
            Some(held) => held.said.take(self.around.now_ms()),
            None => self.client.outgoing(),
        }
    }

    /// Says something: over the made-up network, if there is one.
    fn say(&mut self, message: Vec<u8>) -> Result<(), tungstenite::Error> {
        match &mut self.held {
            Some(held) => {
                held.said.put(self.around.now_ms(), message.len(), message);
                Ok(())
            }
            None => self.write(message),
        }
    }

    fn write(&mut self, message: Vec<u8>) -> Result<(), tungstenite::Error> {
        self.sent_bytes += message.len() as u64;
        self.line.start_send_unpin(Message::Binary(Bytes::from(message)))
    }

    fn hear(&mut self, bytes: &[u8]) {
        let now_ms = self.now_ms();
        // The client counts what it cannot read, and asks for what it needs then.
        let read = self.client.receive(bytes, now_ms).is_ok();
        if read && bytes[0] != message::TYPE {
            self.saw_frame(now_ms);
        } else if self.joined_ms.is_none() && self.client.me().is_some() {
            self.joined(now_ms);
        }
        // A bot does not care who won; unheard, the news would fill the client's memory.
        while self.client.news().is_some() {}
        self.go_on(now_ms);
    }

    fn joined(&mut self, now_ms: f64) {
        self.joined_ms = Some(now_ms);
        self.joined += 1;
        if let Some(lost) = self.lost_ms.take() {
            self.latencies.way_back.record(now_ms - lost);
        }
        self.around.board.joined();
        // The first round trip includes the wait for the session's tick: not one to report.
        self.seen = self.client.stats();
        self.period = Duration::from_secs(1) / u32::from(self.seen.tick_rate.max(1));
        self.next_wake = Instant::now() + self.period.mul_f64(self.phase);
        self.timer.as_mut().reset(self.next_wake);
    }

    fn saw_frame(&mut self, now_ms: f64) {
        if let Some(last) = self.frame_ms.replace(now_ms) {
            self.latencies.frame_interval.record(now_ms - last);
        }
        self.latencies.frame_age.record(self.client.stats().frame_age_ms);
        while let Some(took) = self.client.confirmation() {
            self.latencies.input_to_frame.record(took);
        }
        if let Some((view, rules)) = self.client.view().zip(self.client.rules())
            && self.thought != Some(view.tick)
        {
            self.thought = Some(view.tick);
            let input = self.brain.think(rules, &view);
            self.client.set_input(input);
        }
    }

    fn go_on(&mut self, now_ms: f64) {
        self.client.advance(now_ms);
        if now_ms - self.look_ms >= LOOK_MS {
            self.look(now_ms);
        }
    }

    /// Looks at the client's figures: tells the board what is new, and takes a new round trip down.
    fn look(&mut self, now_ms: f64) {
        self.look_ms = now_ms;
        let stats = self.client.stats();
        if self.joined_ms.is_some() && stats.ping_ms != self.seen.ping_ms {
            self.latencies.round_trip.record(stats.ping_ms);
        }
        self.around.board.saw(&self.seen, &stats);
        self.seen = stats;
    }

    fn set_timer(&mut self) {
        let now = Instant::now();
        self.next_wake += self.period;
        if self.next_wake <= now {
            self.next_wake = now + self.period;
        }
        self.timer.as_mut().reset(self.next_wake);
    }

    /// Whether the server takes too long over something.
    fn too_long(&self, now_ms: f64) -> Option<Ending> {
        if self.joined_ms.is_none() && now_ms - self.hello_ms >= WELCOME_WAIT_MS {
            return Some(Ending::NoWelcome);
        }
        let stuck = self.blocked_ms.is_some_and(|since| now_ms - since >= WRITE_WAIT_MS);
        stuck.then(|| Ending::Broken("the server took nothing of what was sent".into()))
    }

    fn now_ms(&self) -> f64 {
        self.around.now_ms()
    }
}

/// The next message of the line, or its end.
fn poll_line(line: &mut Line, cx: &mut Context<'_>) -> Poll<Event> {
    line.poll_next_unpin(cx).map(|next| match next {
        Some(Ok(message)) => Event::Heard(message),
        Some(Err(error)) => Event::Ended(Ending::broken(error)),
        None => Event::Ended(Ending::vanished()),
    })
}
