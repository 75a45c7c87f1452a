//! One picture. Comes in: the decoded ticks, the prediction, and two positions in time. Goes out: every
//! entity in units, where it is to be drawn now.
//!
//! Three times meet in it. Others' steered entities are drawn at the **playback** position, a little in
//! the past, between two ticks that are known. The own ones are drawn at the **input** position, where
//! the player's hands are. What flies by rule alone (shots) is drawn at the input position as well, since
//! that is where it will meet the own ship; coming into view at the playback position, at its shooter's
//! muzzle, it glides over within [`GLIDE_TICKS`].

use super::going_on::GoingOn;
use super::history::History;
use super::prediction::{PREDICT_TICKS_MAX, Prediction, is_own, pick};
use super::smoothing::Offsets;
use crate::game::{Game, PlayerId, Tick};
use crate::wire::{Field, Kind, Role, Rows, Treatment};

/// How long it takes an entity that flies by rule from the playback position to the input position, in
/// ticks.
pub const GLIDE_TICKS: f32 = 8.0;
/// For how many ticks without news others go on by the rules and their last inputs; then they wait.
pub const EXTRAPOLATE_TICKS_MAX: u32 = 5;

/// All entities of a kind, in units.
#[derive(Clone, Debug, Default)]
pub struct SceneTable {
    width: usize,
    ids: Vec<u32>,
    units: Vec<f32>,
    own: Vec<bool>,
}

impl SceneTable {
    /// How many.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Id, fields in units (angles in radians), and whether it is the player's own.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &[f32], bool)> {
        let rows = self.units.chunks_exact(self.width.max(1));
        self.ids.iter().zip(rows).zip(&self.own).map(|((&id, row), &own)| (id, row, own))
    }

    fn push(&mut self, id: u32, own: bool) -> &mut [f32] {
        self.ids.push(id);
        self.own.push(own);
        let start = self.units.len();
        self.units.resize(start + self.width, 0.0);
        &mut self.units[start..]
    }
}

/// What helps a picture against the line's delay. Both are on in play; without one a person sees what it
/// is for. Inputs are made and sent all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Helps {
    /// Own entities, and what flies by rule, run ahead of the server. Without it all is drawn where others
    /// are, from the server's rows alone.
    pub prediction: bool,
    /// Others are drawn between two known ticks. Without it the newest rows are drawn as they are, also
    /// where these are older than the server takes others back for a shot.
    pub interpolation: bool,
}

impl Default for Helps {
    fn default() -> Self {
        Self { prediction: true, interpolation: true }
    }
}

/// When what is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Moments<I> {
    /// Where others are drawn, in ticks.
    pub playback: f64,
    /// Where the own entities are drawn, in ticks.
    pub input: f64,
    /// Whether anything is drawn at `input`; if not, all is at `playback`.
    pub prediction: bool,
    /// Whether others are smoothed where news are not what was expected.
    pub interpolation: bool,
    /// What the player does just now: the part of a tick after the last input follows it.
    pub now: I,
}

/// A picture of the world, and what it needs to be made again cheaply.
pub struct Scene {
    tables: Vec<SceneTable>,
    waiting: bool,
    /// What flies by rule and what is the player's own, `ahead_by` ticks past `ahead_base`, and the tick
    /// after that.
    ahead: Rows,
    tip: Rows,
    ahead_base: Tick,
    ahead_by: u32,
    /// The newest rows and, tick by tick, what the rules and the last inputs make of them.
    beyond: Vec<Rows>,
    beyond_base: Tick,
    /// The same as it was before the last news.
    stale: Vec<Rows>,
    stale_base: Tick,
    /// How far beside their places others are drawn since news were not what had been expected.
    offsets: Offsets,
    /// When each entity that flies by rule was first there.
    first_seen: Vec<(usize, u32, Tick)>,
    going: GoingOn,
}

impl Scene {
    /// An empty picture.
    pub fn new(kinds: &[Kind]) -> Self {
        let table = |k: &Kind| SceneTable { width: k.fields.len(), ..SceneTable::default() };
        Self {
            tables: kinds.iter().map(table).collect(),
            waiting: false,
            ahead: Rows::new(kinds),
            tip: Rows::new(kinds),
            ahead_base: 0,
            ahead_by: u32::MAX,
            beyond: Vec::new(),
            beyond_base: 0,
            stale: Vec::new(),
            stale_base: 0,
            offsets: Offsets::default(),
            first_seen: Vec::new(),
            going: GoingOn::new(kinds),
        }
    }

    /// The entities of a kind.
    pub fn table(&self, kind: usize) -> &SceneTable {
        &self.tables[kind]
    }

    /// Whether news are overdue so long that others stand still.
    pub fn is_waiting(&self) -> bool {
        self.waiting
    }

    /// New rows are there: remembers what came into being.
    pub fn saw<G: Game>(&mut self, tick: Tick, rows: &Rows) {
        let flies = |kind: usize| G::KINDS[kind].treatment == Treatment::Ballistic;
        self.first_seen.retain(|&(kind, id, _)| rows.table(kind).find(id).is_some());
        for kind in (0..G::KINDS.len()).filter(|&k| flies(k)) {
            for &id in rows.table(kind).ids() {
                if !self.first_seen.iter().any(|&(k, i, _)| (k, i) == (kind, id)) {
                    self.first_seen.push((kind, id, tick));
                }
            }
        }
        self.ahead_by = u32::MAX;
    }

    /// Makes the picture. False while nothing is known.
    pub fn compose<G: Game>(
        &mut self,
        rules: &G::Rules,
        me: PlayerId,
        history: &History,
        prediction: &Prediction<G>,
        moments: &Moments<G::Input>,
    ) -> bool {
        let Some((newest, rows)) = history.newest() else { return false };
        if moments.prediction {
            self.run_ahead::<G>(rules, me, newest, rows, prediction, moments);
        }
        if self.run_beyond::<G>(rules, newest, rows, moments.playback) && moments.interpolation {
            self.absorb_news::<G>(me, history, moments.playback);
        }
        for (kind, spec) in G::KINDS.iter().enumerate() {
            let table = &mut self.tables[kind];
            table.ids.clear();
            table.units.clear();
            table.own.clear();
            if spec.private {
                for (id, row) in rows.table(kind).iter() {
                    blend(spec, row, row, 0.0, table.push(id, true));
                }
                continue;
            }
            self.compose_others::<G>(kind, me, history, newest, moments);
            if moments.prediction {
                self.compose_ahead::<G>(kind, me, history, newest, prediction, moments);
            }
        }
        true
    }

    /// What is drawn at the playback position: all but what is predicted.
    fn compose_others<G: Game>(
        &mut self,
        kind: usize,
        me: PlayerId,
        history: &History,
        newest: Tick,
        moments: &Moments<G::Input>,
    ) {
        let spec = &G::KINDS[kind];
        if moments.prediction && spec.treatment == Treatment::Ballistic {
            return;
        }
        let Some((t0, t1, share)) = around(history, &self.beyond, newest, moments.playback) else {
            return;
        };
        let (t0, t1) = (t0.table(kind), t1.table(kind));
        for (id, row) in t0.iter() {
            let own = is_own(spec, row, me);
            if moments.prediction && own && spec.leads() > 0 {
                continue;
            }
            let next = t1.find(id).map_or(row, |i| t1.row(i));
            let units = self.tables[kind].push(id, own);
            blend(spec, row, next, share, units);
            if let Some(offset) = self.offsets.of(kind, id) {
                offset.shift(spec, units);
            }
        }
    }

    /// The own steered entities and all that fly by rule.
    fn compose_ahead<G: Game>(
        &mut self,
        kind: usize,
        me: PlayerId,
        history: &History,
        newest: Tick,
        prediction: &Prediction<G>,
        moments: &Moments<G::Input>,
    ) {
        let spec = &G::KINDS[kind];
        let flies = spec.treatment == Treatment::Ballistic;
        let reached = newest.wrapping_add(self.ahead_by);
        let share = (moments.input - f64::from(reached)).clamp(0.0, 1.0) as f32;
        let past = around(history, &self.beyond, newest, moments.playback);
        let offset = prediction.offset();
        for (id, row) in self.ahead.table(kind).iter() {
            let own = is_own(spec, row, me);
            if !flies && !own {
                continue;
            }
            let tip = self.tip.table(kind);
            let next = tip.find(id).map_or(row, |i| tip.row(i));
            if own {
                let units = self.tables[kind].push(id, true);
                blend(spec, row, next, share, units);
                if !flies {
                    offset.shift(spec, units);
                }
                continue;
            }
            let first = self.first_seen.iter().find(|&&(k, i, _)| (k, i) == (kind, id));
            let since = first.map_or(GLIDE_TICKS, |f| (moments.playback - f64::from(f.2)) as f32);
            if since < 0.0 {
                continue;
            }
            let units = self.tables[kind].push(id, false);
            blend(spec, row, next, share, units);
            let behind = past.and_then(|(t0, t1, share)| {
                let (t0, t1) = (t0.table(kind), t1.table(kind));
                let row = t0.row(t0.find(id)?);
                Some((row, t1.find(id).map_or(row, |i| t1.row(i)), share))
            });
            if let Some((row, next, share)) = behind.filter(|_| since < GLIDE_TICKS) {
                glide(spec, row, next, share, since / GLIDE_TICKS, units);
            }
        }
    }

    /// Runs the own entities and everything that flies by rule up to the input position.
    fn run_ahead<G: Game>(
        &mut self,
        rules: &G::Rules,
        me: PlayerId,
        newest: Tick,
        rows: &Rows,
        prediction: &Prediction<G>,
        moments: &Moments<G::Input>,
    ) {
        let by = (moments.input - f64::from(newest)).max(0.0) as u32;
        let by = by.min(PREDICT_TICKS_MAX);
        if (self.ahead_base, self.ahead_by) != (newest, by) {
            pick(G::KINDS, rows, &mut self.ahead, |kind, row| {
                kind.treatment == Treatment::Ballistic || kind.leads() > 0 && is_own(kind, row, me)
            });
            for tick in 1..=by {
                let input = prediction.inputs().at(newest.wrapping_add(tick));
                self.going.by_input::<G>(rules, &mut self.ahead, &input, |_, _| true);
            }
            (self.ahead_base, self.ahead_by) = (newest, by);
        }
        self.tip.clone_from(&self.ahead);
        self.going.by_input::<G>(rules, &mut self.tip, &moments.now, |_, _| true);
    }

    /// When playback has run out of news: what the rules make of the newest rows. True when these are new.
    fn run_beyond<G: Game>(
        &mut self,
        rules: &G::Rules,
        newest: Tick,
        rows: &Rows,
        playback: f64,
    ) -> bool {
        let news = self.beyond.is_empty() || self.beyond_base != newest;
        if news {
            core::mem::swap(&mut self.beyond, &mut self.stale);
            (self.stale_base, self.beyond_base) = (self.beyond_base, newest);
            self.beyond.truncate(1);
            match self.beyond.first_mut() {
                Some(first) => first.clone_from(rows),
                None => self.beyond.push(rows.clone()),
            }
        }
        let over = playback - f64::from(newest);
        self.waiting = over > f64::from(EXTRAPOLATE_TICKS_MAX);
        let needed = (over.max(0.0).ceil() as usize).min(EXTRAPOLATE_TICKS_MAX as usize);
        while self.beyond.len() <= needed {
            let mut next = self.beyond.last().expect("begins with the newest").clone();
            self.going.by_input::<G>(rules, &mut next, &G::Input::default(), |_, _| false);
            self.beyond.push(next);
        }
        news
    }

    /// News came where others had been drawn past what was known: they stay where they are in the picture
    /// and move over by and by.
    fn absorb_news<G: Game>(&mut self, me: PlayerId, history: &History, playback: f64) {
        if self.stale.is_empty() || playback <= f64::from(self.stale_base) {
            return;
        }
        let was = past(&self.stale, playback - f64::from(self.stale_base));
        let Some((now0, now1, now)) = around(history, &self.beyond, self.beyond_base, playback)
        else {
            return;
        };
        for (kind, spec) in G::KINDS.iter().enumerate().filter(|(_, spec)| spec.leads() > 0) {
            let Some((x, y)) = spec.field_with(Role::X).zip(spec.field_with(Role::Y)) else {
                continue;
            };
            let drawn = |rows: (&Rows, &Rows), id: u32, share: f32| {
                let (t0, t1) = (rows.0.table(kind), rows.1.table(kind));
                let row = t0.row(t0.find(id)?);
                let next = t1.find(id).map_or(row, |i| t1.row(i));
                let place = |i: usize| between(&spec.fields[i], row[i], next[i], share);
                Some((place(x), place(y)))
            };
            for (id, row) in now0.table(kind).iter() {
                if is_own(spec, row, me) {
                    continue;
                }
                let Some((was_x, was_y)) = drawn((was.0, was.1), id, was.2) else { continue };
                let Some((x, y)) = drawn((now0, now1), id, now) else { continue };
                if (was_x, was_y) != (x, y) {
                    self.offsets.absorb(kind, id, was_x - x, was_y - y);
                }
            }
        }
    }

    /// Time passes, in 1/30 s: offsets fade.
    pub fn fade(&mut self, thirtieths: f32) {
        self.offsets.fade(thirtieths);
    }
}

/// The rows around a position that may lie past the newest tick.
fn around<'a>(
    history: &'a History,
    beyond: &'a [Rows],
    newest: Tick,
    position: f64,
) -> Option<(&'a Rows, &'a Rows, f32)> {
    let over = position - f64::from(newest);
    if over <= 0.0 { history.around(position) } else { Some(past(beyond, over)) }
}

/// The rows around a position `over` ticks past the first of `rows`, which are a tick apart.
fn past(rows: &[Rows], over: f64) -> (&Rows, &Rows, f32) {
    let last = rows.len() - 1;
    let whole = over.floor().min(f64::from(EXTRAPOLATE_TICKS_MAX));
    let share = (over - whole).clamp(0.0, 1.0) as f32;
    (&rows[(whole as usize).min(last)], &rows[(whole as usize + 1).min(last)], share)
}

/// Fields between two rows, in units: places and angles move, all else is as in the earlier row.
fn blend(kind: &Kind, row: &[i32], next: &[i32], share: f32, units: &mut [f32]) {
    for (i, field) in kind.fields.iter().enumerate() {
        units[i] = match field.role {
            Role::X | Role::Y | Role::Angle => between(field, row[i], next[i], share),
            Role::Plain | Role::Owner | Role::Lag => field.to_units(row[i]),
        };
    }
}

fn between(field: &Field, from: i32, to: i32, share: f32) -> f32 {
    (from as f32 + field.difference(from, to) as f32 * share) * field.step
}

/// Moves places from where the entity is at playback to where it is in `units`, by `share`.
fn glide(kind: &Kind, row: &[i32], next: &[i32], at: f32, share: f32, units: &mut [f32]) {
    for (i, field) in kind.fields.iter().enumerate() {
        if matches!(field.role, Role::X | Role::Y) {
            let behind = between(field, row[i], next[i], at);
            units[i] = behind + (units[i] - behind) * share;
        }
    }
}
