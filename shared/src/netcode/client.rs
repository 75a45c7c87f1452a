//! The whole client, for browsers and bots. Comes in: the server's messages, what the player does, and
//! the time. Goes out: messages to the server, news to tell, and a picture to draw.
//!
//! Times are milliseconds of any clock that does not go backwards.

use super::clocks::Clocks;
use super::frame::{TYPE_DELTA, TYPE_KEYFRAME, TYPE_MASK};
use super::joined::Joined;
pub use super::scene::Helps;
use super::scene::{Moments, Scene};
use super::shelf::Shelf;
pub use super::told::{Contents, News, Overdue, Stats};
use crate::game::{Game, PlayerId, Setup, Tick, View};
use crate::wire::message::{self, ClientMessage, Hello, Phase, ServerMessage};
use crate::wire::{Protocol, Rows, WireError};
use std::collections::VecDeque;
use std::sync::Arc;

/// Time between two measurements of the round trip.
const PING_MS: f64 = 1000.0;
/// For how long an answer to a measurement is waited for before the next one is made.
const PONG_PATIENCE_MS: f64 = 10_000.0;
/// Time between two wishes for a keyframe.
const RESYNC_MS: f64 = 1000.0;
/// What comes within so many ticks, or messages' worth of ticks, of when it should is not overdue: a tick and a half, as
/// for frames on time.
const OVERDUE_TICKS: f64 = 1.5;
/// News that wait to be told; when nobody asks for them the oldest go.
const NEWS_MAX: usize = 1024;
/// Samples that wait to be taken.
const SAMPLES_MAX: usize = 1024;

/// A setup, and the rules that follow from it.
type WithRules<G> = (Setup<<G as Game>::Settings>, Arc<<G as Game>::Rules>);

/// A client of any game.
pub struct Client<G: Game> {
    /// What a connection begins with; the seat is what the last welcome gave, to have the same again.
    hello: Hello,
    protocol: Protocol,
    now: f64,
    /// Up to when errors have faded.
    faded_at: f64,
    outdated: bool,
    input: G::Input,
    joined: Option<Joined<G>>,
    outgoing: VecDeque<Vec<u8>>,
    news: VecDeque<News<G::Event>>,
    confirmations: VecDeque<f64>,
    stats: Stats,
    helps: Helps,
    draws: bool,
    shelf: Option<Arc<Shelf<G>>>,
    hello_at: f64,
    /// The shortest round trip of this connection, in ms.
    ping_least: f64,
    ping_sent: Option<(u32, f64)>,
    ping_next: f64,
    ping_nonce: u32,
    resync_at: Option<f64>,
}

impl<G: Game> Client<G> {
    /// A client that will introduce itself as `name`.
    pub fn new(name: &str) -> Self {
        let protocol = Protocol::of::<G>();
        Self {
            hello: Hello::new(protocol.hash, name),
            protocol,
            now: 0.0,
            faded_at: 0.0,
            outdated: false,
            input: G::Input::default(),
            joined: None,
            outgoing: VecDeque::new(),
            news: VecDeque::new(),
            confirmations: VecDeque::new(),
            stats: Stats::default(),
            helps: Helps::default(),
            draws: true,
            shelf: None,
            hello_at: 0.0,
            ping_least: f64::INFINITY,
            ping_sent: None,
            ping_next: 0.0,
            ping_nonce: 0,
            resync_at: None,
        }
    }

    /// The same for whoever looks at no pictures, such as a bot: [`Self::draw`] never makes one, and what only pictures
    /// need, the rows of past ticks above all, is not kept. Everything else is as it is with them. To be said before
    /// the welcome.
    pub fn without_pictures(self) -> Self {
        Self { draws: false, ..self }
    }

    /// The same with rules from a shelf, which other clients of this process share. To be said before the welcome.
    pub fn sharing(self, shelf: Arc<Shelf<G>>) -> Self {
        Self { shelf: Some(shelf), ..self }
    }

    /// A connection has opened: forgets the last one, but for the seat, and gives the first message to
    /// send. Who was let in before asks for the same seat.
    pub fn hello(&mut self, now: f64) -> Vec<u8> {
        (self.now, self.faded_at) = (now, now);
        if let Some(last) = self.joined.take() {
            self.stats.corrections += last.prediction.corrections();
        }
        self.outgoing.clear();
        self.hello_at = now;
        self.ping_least = f64::INFINITY;
        self.ping_sent = None;
        self.ping_next = now;
        self.resync_at = None;
        message::encode_control(&ClientMessage::Hello(self.hello.clone()))
    }

    /// How the client introduces itself from the next connection on: to be set before [`Self::hello`].
    pub fn introduction(&mut self) -> &mut Hello {
        &mut self.hello
    }

    /// A message came. An error tells that it could not be read; the client has then done what there is
    /// to do about it.
    pub fn receive(&mut self, bytes: &[u8], now: f64) -> Result<(), WireError> {
        self.now = self.now.max(now);
        self.stats.bytes += bytes.len() as u64;
        let Some(&first) = bytes.first() else { return Err(WireError::Truncated) };
        let result = match first & TYPE_MASK {
            message::TYPE => self.control(&bytes[1..]),
            TYPE_DELTA | TYPE_KEYFRAME => self.frame(bytes),
            other => Err(WireError::UnknownType(other)),
        };
        self.stats.refused += u64::from(result.is_err());
        result
    }

    /// Time goes on: makes the inputs that are due. Call it at least once per tick or drawn frame.
    pub fn advance(&mut self, now: f64) {
        self.now = self.now.max(now);
        // Not since `self.now`: messages between two calls move that as well.
        let passed = (now - self.faded_at).max(0.0);
        self.faded_at = self.faded_at.max(now);
        let Some(joined) = &mut self.joined else { return };
        let thirtieths = (passed * 0.03) as f32;
        joined.prediction.fade(thirtieths);
        joined.scene.fade(thirtieths);
        let Some(clocks) = &mut joined.clocks else { return };
        for tick in clocks.inputs_due(now) {
            if let Some(bytes) = joined.make_input(&self.protocol, tick, self.input, now) {
                self.outgoing.push_back(bytes);
                self.stats.inputs += 1;
            }
        }
        // Together with an input: what the server reads at once came, for it, when the last of it did.
        if now < self.ping_next || self.outgoing.is_empty() {
            return;
        }
        self.ping_next = now + PING_MS;
        let waited = self.ping_sent.map(|(_, at)| now - at);
        if let Some(waited) = waited {
            joined.uplink.waiting(waited, joined.late_ms);
        }
        if waited.is_none_or(|waited| waited >= PONG_PATIENCE_MS) {
            self.ping_nonce = self.ping_nonce.wrapping_add(1);
            self.ping_sent = Some((self.ping_nonce, now));
            let ping = ClientMessage::Ping { nonce: self.ping_nonce };
            self.outgoing.push_back(message::encode_control(&ping));
        }
    }

    /// The next message to send.
    pub fn outgoing(&mut self) -> Option<Vec<u8>> {
        self.outgoing.pop_front()
    }

    /// What the player does from now on.
    pub fn set_input(&mut self, input: G::Input) {
        self.input = input;
    }

    /// What helps the pictures from now on.
    pub fn set_helps(&mut self, helps: Helps) {
        self.helps = helps;
        if let Some(joined) = &mut self.joined {
            joined.helps = helps;
        }
    }

    /// What helps the pictures.
    pub fn helps(&self) -> Helps {
        self.helps
    }

    /// Says a line to everybody, or to the own team.
    pub fn chat(&mut self, text: &str, team: bool) {
        self.say(&ClientMessage::Chat { team, text: text.to_owned() });
    }

    /// Says something that is no input.
    pub fn say(&mut self, message: &ClientMessage) {
        self.outgoing.push_back(message::encode_control(message));
    }

    /// The next piece of news.
    pub fn news(&mut self) -> Option<News<G::Event>> {
        self.news.pop_front()
    }

    /// The next time from when an input was due to decoding the frame whose tick used it, in ms.
    pub fn confirmation(&mut self) -> Option<f64> {
        self.confirmations.pop_front()
    }

    /// What should be here at `now` and is not. For whoever stops listening: the longest waits of all, those that are not
    /// over, are in no figure else.
    pub fn overdue(&self, now: f64) -> Overdue {
        let Some(joined) = &self.joined else { return Overdue::default() };
        let usual_ms = OVERDUE_TICKS * f64::from(self.stats.together.max(1)) * 1000.0 / joined.rate;
        let missing: Vec<_> = joined.missing(now, usual_ms).collect();
        let ticks = missing.first().zip(missing.last()).map(|(first, last)| first.0..=last.0);
        let waited = self.ping_sent.map(|(_, at)| now - at);
        Overdue {
            frames_ms: missing.iter().map(|(_, late)| late + self.ping_least / 2.0).collect(),
            inputs_ms: ticks.into_iter().flat_map(|ticks| joined.sent.waits(ticks, now)).collect(),
            ping_ms: waited.filter(|&waited| waited > self.stats.ping_ms + usual_ms),
        }
    }

    /// Whether the server has a world that these rules cannot make: it is of another build, though it calls its rules
    /// the same. To go on is of no use then.
    pub fn is_outdated(&self) -> bool {
        self.outdated
    }

    /// Who the player is, once let in.
    pub fn me(&self) -> Option<PlayerId> {
        self.joined.as_ref().map(|j| j.me)
    }

    /// The session's rules, once let in.
    pub fn rules(&self) -> Option<&G::Rules> {
        self.joined.as_ref().map(|j| &*j.rules)
    }

    /// What the player sees, as the server last told: for brains.
    pub fn view(&self) -> Option<View<'_>> {
        let joined = self.joined.as_ref()?;
        let (tick, rows) = joined.history.newest()?;
        Some(View { tick, me: joined.me, rows })
    }

    /// The own steered entities at the tick of the newest input.
    pub fn predicted(&self) -> Option<(Tick, &Rows)> {
        let prediction = &self.joined.as_ref()?.prediction;
        Some((prediction.tick(), prediction.newest()?))
    }

    /// Makes the picture of now. `None` while there is nothing to see.
    pub fn draw(&mut self, now: f64) -> Option<&Scene> {
        self.now = self.now.max(now);
        let joined = self.joined.as_mut().filter(|joined| joined.draws)?;
        let clocks = joined.clocks.as_ref()?;
        let moments = Moments {
            playback: joined.others_at(clocks),
            input: clocks.input.position(),
            prediction: joined.helps.prediction,
            interpolation: joined.helps.interpolation,
            // Nothing that is done now counts while the world stands still.
            now: if joined.still { G::Input::default() } else { self.input },
        };
        let Joined { rules, me, history, prediction, scene, .. } = joined;
        scene.compose::<G>(rules, *me, history, prediction, &moments).then_some(&joined.scene)
    }

    /// What is known of the connection.
    pub fn stats(&self) -> Stats {
        let mut stats = self.stats;
        let Some(joined) = &self.joined else { return stats };
        let tick_ms = 1000.0 / joined.rate;
        stats.tick_rate = joined.rate as u16;
        stats.corrections = self.stats.corrections + joined.prediction.corrections();
        stats.input_every = joined.uplink.every();
        if let (Some(clocks), Some((newest, _))) = (&joined.clocks, joined.history.newest()) {
            let newest = f64::from(newest);
            stats.jitter_ms = clocks.playback.jitter() * tick_ms;
            stats.input_margin_ms = clocks.input.slack().unwrap_or(0.0) * tick_ms;
            stats.playback_delay_ms = (newest - joined.others_at(clocks)) * tick_ms;
            // The shortest delay of a frame goes with the shortest round trip, not with the last.
            stats.frame_age_ms =
                self.now - joined.server_start - newest * tick_ms + self.ping_least / 2.0;
        }
        stats
    }

    /// Changes the newest rows: for tests that want to see it heal.
    pub fn corrupt(&mut self, change: impl FnOnce(&mut Rows)) {
        if let Some(rows) = self.joined.as_mut().and_then(|j| j.history.newest_mut()) {
            change(rows);
        }
    }

    fn control(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        let said = message::decode(bytes);
        if let Ok(said) = &said {
            *self.stats.contents.of(said) += bytes.len() as u64 + 1;
        }
        let said = said?;
        match &said {
            ServerMessage::Welcome { player, setup, seat, .. } => {
                self.welcome(*player, setup)?;
                self.hello.seat = Some(*seat);
            }
            ServerMessage::Begin { setup } => self.begin(setup)?,
            ServerMessage::Phase { phase, .. } => {
                if let Some(joined) = &mut self.joined {
                    joined.still = *phase == Phase::Results;
                }
            }
            ServerMessage::Host { secret } => self.hello.host = Some(*secret),
            ServerMessage::Dropped { ticks } => {
                self.joined.iter_mut().for_each(|joined| joined.fall_back(*ticks));
                return Ok(());
            }
            _ => {}
        }
        let news = match said {
            ServerMessage::Event { tick, event } => {
                News::Event { tick, event: message::decode(&event)? }
            }
            ServerMessage::Pong { nonce, waited_us } => {
                if let Some((sent, at)) = self.ping_sent
                    && sent == nonce
                {
                    let took = (self.now - at - f64::from(waited_us) / 1000.0).max(0.0);
                    self.took_round_trip(took);
                    self.ping_sent = None;
                    if let Some(joined) = &mut self.joined {
                        joined.uplink.measured(took, joined.late_ms, self.now);
                    }
                }
                return Ok(());
            }
            said => News::Said(said),
        };
        if self.news.len() == NEWS_MAX {
            self.news.pop_front();
        }
        self.news.push_back(news);
        Ok(())
    }

    /// What a setup says, and the rules that follow from it.
    fn setup(&mut self, bytes: &[u8]) -> Result<WithRules<G>, WireError> {
        let made = self.make(bytes);
        self.outdated = made.is_err();
        made
    }

    fn make(&self, bytes: &[u8]) -> Result<WithRules<G>, WireError> {
        let setup: Setup<G::Settings> = message::decode(bytes)?;
        let make = || G::rules(&setup).map_err(|_| WireError::BadControl);
        let rules = match &self.shelf {
            Some(shelf) => shelf.take(bytes, make),
            None => make().map(Arc::new),
        }?;
        Ok((setup, rules))
    }

    fn welcome(&mut self, me: PlayerId, setup: &[u8]) -> Result<(), WireError> {
        let (setup, rules) = self.setup(setup)?;
        self.took_round_trip(self.now - self.hello_at);
        self.joined = Some(Joined::new(
            me,
            &setup,
            rules,
            self.stats.ping_ms,
            self.now,
            self.helps,
            self.draws,
        ));
        Ok(())
    }

    /// The world begins anew under other rules; the clocks go on.
    fn begin(&mut self, setup: &[u8]) -> Result<(), WireError> {
        let (setup, rules) = self.setup(setup)?;
        let Some(joined) = &mut self.joined else { return Err(WireError::BadControl) };
        self.stats.corrections += joined.prediction.corrections();
        joined.begin(&setup, rules);
        Ok(())
    }

    fn took_round_trip(&mut self, ms: f64) {
        self.stats.ping_ms = ms;
        self.ping_least = self.ping_least.min(ms);
    }

    fn frame(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        let now = self.now;
        let Some(joined) = &mut self.joined else { return Err(WireError::BadControl) };
        let Joined { history, rules, sent, me, .. } = joined;
        // Of ticks that come together each shows its own input: the older ones have waited the longest.
        let each = |tick: Tick, rows: &Rows| {
            if let Some(took) = sent.confirmed(*me, tick, rows, now) {
                if self.confirmations.len() == SAMPLES_MAX {
                    self.confirmations.pop_front();
                }
                self.confirmations.push_back(took);
            }
        };
        let decoded = match history.take_each::<G>(rules, bytes, each) {
            Ok(decoded) => decoded,
            Err(error) => {
                self.ask_for_keyframe(error == WireError::Checksum);
                return Err(error);
            }
        };
        let contents = &mut self.stats.contents;
        *(if decoded.keyframe { &mut contents.keyframes } else { &mut contents.deltas }) +=
            bytes.len() as u64;
        self.stats.frames += u64::from(decoded.frames);
        self.stats.together = decoded.frames;
        self.stats.frame_bits.add(&decoded.bits);
        self.stats.keyframes += u64::from(decoded.keyframe);
        if decoded.keyframe {
            self.resync_at = None;
            for difference in joined.history.take_explained() {
                let mismatch = ClientMessage::Mismatch { tick: decoded.tick, difference };
                self.outgoing.push_back(message::encode_control(&mismatch));
            }
        }
        let tick = decoded.tick;
        let tick_ms = 1000.0 / joined.rate;
        let start = now - f64::from(tick) * tick_ms;
        joined.saw_start(start, now);
        joined.late_ms = start - joined.server_start;
        let clocks = joined
            .clocks
            .get_or_insert_with(|| Clocks::new(tick, self.stats.ping_ms, joined.rate, now));
        clocks.playback.advance(now);
        // Of ticks that come together the first one counts: it is drawn first.
        let first = f64::from(tick) - f64::from(decoded.frames - 1);
        clocks.playback.sample(first - clocks.playback.position());
        if let Some(margin) = decoded.margin {
            clocks.input.advance(now);
            clocks.input.sample(margin);
            joined.uplink.margin(margin);
            self.stats.late_inputs += u64::from(margin < 0.0);
        }
        let (_, rows) = joined.history.newest().expect("just taken");
        joined.prediction.correct(&joined.rules, tick, rows);
        if joined.draws {
            joined.scene.saw::<G>(tick, rows);
        }
        Ok(())
    }

    /// At most one wish a second; until the keyframe comes, frames are refused.
    fn ask_for_keyframe(&mut self, mismatch: bool) {
        self.stats.mismatches += u64::from(mismatch);
        if self.resync_at.is_some_and(|at| self.now - at < RESYNC_MS) {
            return;
        }
        self.resync_at = Some(self.now);
        self.stats.resyncs += 1;
        let newest = self.joined.as_ref().and_then(|j| j.history.newest());
        let tick = newest.map_or(0, |(tick, _)| tick);
        self.outgoing.push_back(message::encode_control(&ClientMessage::Resync { tick, mismatch }));
    }
}

#[cfg(test)]
mod tests;
