//! A client's part in a session: what there is from the welcome on. Comes in: frames, and ticks whose inputs
//! are due. Goes out: those inputs, as messages and into the prediction.

use super::clocks::Clocks;
use super::history::History;
use super::prediction::Prediction;
use super::scene::{Helps, Scene};
use super::sent::Sent;
use super::uplink::Uplink;
use crate::game::{Game, LAG_STEPS, PlayerId, Setup, Tick};
use crate::wire::input::InputMessage;
use crate::wire::{Protocol, Role, Row};
use std::sync::Arc;

/// How far off the lag in inputs may be before it is said anew, in steps: every change costs everybody in
/// view some bytes.
const LAG_REST_STEPS: f64 = 1.2;
/// Missing ticks that are told at most, the oldest: eight seconds at 128 Hz.
const MISSING_MAX: u32 = 1024;

/// By how much a client's clock and the server's may differ, per time that passes: those of computers do by a tenth of
/// this. So a quick frame of long ago says little by little less of how late one is now, and a line that got worse is
/// seen for what it is for many minutes.
const CLOCK_DRIFT_MAX: f64 = 1e-4;

/// What there is once the server has let the player in.
pub(super) struct Joined<G: Game> {
    pub(super) me: PlayerId,
    pub(super) rate: f64,
    /// How far back the session takes others when it judges a shot.
    pub(super) rewind_ticks: u32,
    pub(super) rules: Arc<G::Rules>,
    pub(super) history: History,
    /// The newest tick that was decoded when the history began.
    decoded: Tick,
    pub(super) prediction: Prediction<G>,
    pub(super) clocks: Option<Clocks>,
    /// How far in the past others are drawn, as inputs say it: steps that do not flicker.
    pub(super) lag: i32,
    pub(super) sent: Sent<G>,
    /// The server's start by the shortest delay seen, in ms of our clock as it goes now.
    pub(super) server_start: f64,
    /// When a frame said something of it last, in ms.
    start_seen_at: f64,
    /// How late the newest frame was by that, in ms.
    pub(super) late_ms: f64,
    pub(super) uplink: Uplink,
    pub(super) scene: Scene,
    pub(super) helps: Helps,
    /// Whether pictures are made.
    pub(super) draws: bool,
    /// Whether nobody's input counts: the round is over.
    pub(super) still: bool,
}

impl<G: Game> Joined<G> {
    /// Let in as `me` at `now`, by a welcome that took `ping_ms`.
    pub(super) fn new(
        me: PlayerId,
        setup: &Setup<G::Settings>,
        rules: Arc<G::Rules>,
        ping_ms: f64,
        now: f64,
        helps: Helps,
        draws: bool,
    ) -> Self {
        Self {
            me,
            rate: f64::from(setup.tick_rate.max(1)),
            rewind_ticks: setup.rewind_ticks(),
            rules,
            history: Self::history(draws),
            draws,
            decoded: 0,
            prediction: Prediction::new(me),
            clocks: None,
            lag: 0,
            sent: Sent::new(),
            server_start: f64::INFINITY,
            start_seen_at: now,
            late_ms: 0.0,
            uplink: Uplink::new(ping_ms, now),
            scene: Scene::new(G::KINDS),
            helps,
            still: false,
        }
    }

    /// Whoever draws no pictures needs nothing but the newest tick.
    fn history(draws: bool) -> History {
        if draws { History::new(G::KINDS) } else { History::of_newest(G::KINDS) }
    }

    /// A new world under these rules; what is known of the line stays.
    pub(super) fn begin(&mut self, setup: &Setup<G::Settings>, rules: Arc<G::Rules>) {
        self.rewind_ticks = setup.rewind_ticks();
        self.rules = rules;
        self.decoded = self.decoded();
        self.history = Self::history(self.draws);
        self.prediction.begin();
        self.scene = Scene::new(G::KINDS);
    }

    /// A frame of `now` says that the server started at `start`, had it taken no time.
    pub(super) fn saw_start(&mut self, start: f64, now: f64) {
        let drift = (now - self.start_seen_at).max(0.0) * CLOCK_DRIFT_MAX;
        self.server_start = start.min(self.server_start + drift);
        self.start_seen_at = now;
    }

    /// The world stood still for so many ticks: what was done meanwhile is done anew when its ticks come, and what is
    /// known of the line stays.
    pub(super) fn fall_back(&mut self, ticks: u32) {
        self.server_start += f64::from(ticks) * 1000.0 / self.rate;
        let Some(clocks) = &mut self.clocks else { return };
        let next = clocks.fall_back(ticks);
        self.prediction.forget_from(next);
        self.sent.forget_from(next);
    }

    /// Where others are drawn, in ticks: at playback, but no further in the past than the server takes them
    /// back when it judges a shot. On a long line they are drawn a little ahead of what is known, so that
    /// what is aimed at is what is judged. Without interpolation: at the newest tick.
    pub(super) fn others_at(&self, clocks: &Clocks) -> f64 {
        if !self.helps.interpolation
            && let Some((newest, _)) = self.history.newest()
        {
            return f64::from(newest);
        }
        let judged = clocks.input.position() - f64::from(self.rewind_ticks);
        clocks.playback.position().max(judged)
    }

    /// The player's input for a tick, as a message unless it is left out: then the last one goes on, as it
    /// does at the server.
    pub(super) fn make_input(
        &mut self,
        protocol: &Protocol,
        tick: Tick,
        input: G::Input,
        now: f64,
    ) -> Option<Vec<u8>> {
        let input = if self.still { G::Input::default() } else { input };
        if !self.uplink.sends(tick)
            && let Some(last) = self.sent.newest()
        {
            let last = if self.still { input } else { last };
            self.prediction.input(&self.rules, tick, last);
            return None;
        }
        let mut fields = [0; crate::wire::field::FIELDS_MAX];
        let fields = &mut fields[..G::Input::FIELDS.len()];
        input.write(fields);
        if !self.still {
            self.say_lag(tick, fields);
        }
        let input = G::Input::read(fields);
        self.prediction.input(&self.rules, tick, input);
        self.sent.push(tick, now, input);
        let decoded = self.decoded() as u8;
        let mut bytes = Vec::with_capacity(16);
        InputMessage::new(tick, decoded, fields).encode(protocol.input, &mut bytes);
        Some(bytes)
    }

    /// Fills in how far before `tick` others are drawn, if the game's inputs have a field for it.
    fn say_lag(&mut self, tick: Tick, fields: &mut [i32]) {
        let Some(place) = G::Input::FIELDS.iter().position(|f| f.role == Role::Lag) else { return };
        let Some(clocks) = &self.clocks else { return };
        let exact = (f64::from(tick) - self.others_at(clocks)) * LAG_STEPS as f64;
        if (exact - f64::from(self.lag)).abs() > LAG_REST_STEPS {
            let most = self.rewind_ticks as i32 * LAG_STEPS as i32;
            self.lag = (exact.round() as i32).clamp(0, most.min(G::Input::FIELDS[place].max()));
        }
        fields[place] = self.lag;
    }

    /// The ticks that should be known at `now` and are not, the oldest first, each with how late it is in ms by the
    /// shortest delay seen. None while the oldest is no later than `usual_ms`.
    pub(super) fn missing(&self, now: f64, usual_ms: f64) -> impl Iterator<Item = (Tick, f64)> {
        let (newest, tick_ms) = (self.decoded(), 1000.0 / self.rate);
        let late = move |tick: Tick| now - self.server_start - f64::from(tick) * tick_ms;
        let ticks = (1..=MISSING_MAX).map(move |behind| newest.wrapping_add(behind));
        let overdue = late(newest.wrapping_add(1)) > usual_ms;
        ticks
            .map(move |tick| (tick, late(tick)))
            .take_while(move |&(_, late)| overdue && late > 0.0)
    }

    /// The newest tick that was decoded, 0 before the first.
    fn decoded(&self) -> Tick {
        self.history.newest().map_or(self.decoded, |(tick, _)| tick)
    }
}
