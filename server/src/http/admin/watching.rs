//! Sessions that somebody watches. Comes in: what a session shows when it is asked. Goes out: its people once a second and
//! its map three times a second, encoded once however many watch. Who is too slow gets the newest and not all of it.

use super::Operator;
use crate::code::SessionCode;
use crate::directory::{Entry, SessionInfo};
use crate::session::inspect::{Inspection, LineFigures, Map, Person};
use crate::store::unix_ms;
use axum::body::Bytes;
use parking_lot::Mutex;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::watch;
use tokio::time::{Duration, Instant, MissedTickBehavior, interval};

/// How often a map is drawn.
const MAP_EVERY: Duration = Duration::from_millis(333);
/// Maps for each look at the people.
const MAPS_PER_LOOK: u32 = 3;

/// What a person's line has, in this order; a computer pilot's ends after the points.
const COLUMNS: [&str; 14] = [
    "number",
    "name",
    "flags",
    "team",
    "score",
    "ping_ms",
    "age_ms",
    "bytes_per_s",
    "resyncs",
    "mismatches",
    "keyframes",
    "ease",
    "address",
    "away",
];
const COMPUTER: u8 = 1;
const HOST: u8 = 2;
const WATCHING: u8 = 4;
const MUTED: u8 = 8;

/// All sessions that somebody watches.
#[derive(Debug, Default)]
pub(super) struct WatchedSessions(Mutex<HashMap<SessionCode, Channels>>);

/// The newest of one session, as JSON; empty before the first.
#[derive(Debug)]
struct Channels {
    people: watch::Sender<Bytes>,
    map: watch::Sender<Bytes>,
}

/// What one viewer hears of a session.
#[derive(Debug)]
pub(super) struct View {
    pub(super) people: watch::Receiver<Bytes>,
    pub(super) map: Option<watch::Receiver<Bytes>>,
}

/// What is told of a session's inside.
#[derive(Serialize)]
struct Inside<'a> {
    at: u64,
    tick: u32,
    #[serde(flatten)]
    info: SessionInfo,
    frames: u64,
    keyframes: u64,
    mismatches: u64,
    inputs_late: u64,
    inputs_missing: u64,
    columns: [&'static str; 14],
    people: Vec<Row<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Row<'a> {
    Computer(u16, &'a str, u8, u8, i32),
    Person(Cells<'a>),
}

/// A person's line of the table.
#[derive(Serialize)]
struct Cells<'a>(
    u16,
    &'a str,
    u8,
    u8,
    i32,
    Option<u32>,
    Option<u32>,
    Option<u64>,
    u32,
    u32,
    u32,
    u8,
    Option<String>,
    bool,
);

#[derive(Serialize)]
struct FromAbove<'a> {
    tick: u32,
    kinds: &'a [(&'static str, bool)],
    entities: &'a [i32],
    left_out: usize,
    /// In hexadecimal digits.
    setup: String,
}

/// Bytes that went to each connection, as of the last look.
#[derive(Debug, Default)]
struct Rates {
    at: Option<Instant>,
    bytes: HashMap<u64, u64>,
}

impl Operator {
    /// Watches a session from now on, with its map or without.
    pub(super) fn watch(self: &Arc<Self>, entry: &Arc<Entry>, map: bool) -> View {
        let mut watched = self.watched.0.lock();
        let channels = watched.entry(entry.code).or_insert_with(|| {
            tokio::spawn(Arc::clone(self).look(Arc::clone(entry)));
            Channels {
                people: watch::Sender::new(Bytes::new()),
                map: watch::Sender::new(Bytes::new()),
            }
        });
        View { people: channels.people.subscribe(), map: map.then(|| channels.map.subscribe()) }
    }

    /// One session's people as JSON; `None` when it does not answer.
    pub(super) async fn people_of(&self, entry: &Entry) -> Option<Bytes> {
        let found = self.inspect(entry, true, false).await.ok()?;
        Some(people(entry, &found, &mut Rates::default()))
    }

    /// Looks at a session until nobody watches any more, or it is over.
    async fn look(self: Arc<Self>, entry: Arc<Entry>) {
        let mut beat = interval(MAP_EVERY);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut rates = Rates::default();
        for turn in 0_u32.. {
            tokio::select! {
                () = self.common.stop.cancelled() => break,
                _ = beat.tick() => {}
            }
            let Some((for_people, for_map)) = self.listeners(entry.code) else { return };
            let with_people = for_people && turn % MAPS_PER_LOOK == 0;
            if !with_people && !for_map {
                continue;
            }
            match self.inspect(&entry, with_people, for_map).await {
                Ok(found) => self.tell(&entry, &found, with_people, &mut rates),
                Err(_) if entry.handle.queue.is_closed() => break,
                // A session that falls behind has better things to do.
                Err(_) => {}
            }
        }
        self.watched.0.lock().remove(&entry.code);
    }

    /// Whether somebody wants people, and the map; `None`, and it is watched no more, when nobody wants anything.
    fn listeners(&self, code: SessionCode) -> Option<(bool, bool)> {
        let mut watched = self.watched.0.lock();
        let channels = watched.get(&code)?;
        let wanted = (channels.people.receiver_count() > 0, channels.map.receiver_count() > 0);
        if wanted == (false, false) {
            watched.remove(&code);
            return None;
        }
        Some(wanted)
    }

    fn tell(&self, entry: &Entry, found: &Inspection, with_people: bool, rates: &mut Rates) {
        // Encoded before the lock, under which others subscribe.
        let people = with_people.then(|| people(entry, found, rates));
        let map = found.map.as_ref().map(|map| from_above(found.tick, map));
        let watched = self.watched.0.lock();
        let Some(channels) = watched.get(&entry.code) else { return };
        people.into_iter().for_each(|json| drop(channels.people.send_replace(json)));
        map.into_iter().for_each(|json| drop(channels.map.send_replace(json)));
    }
}

fn people(entry: &Entry, found: &Inspection, rates: &mut Rates) -> Bytes {
    let now = Instant::now();
    let passed = rates.at.replace(now).map(|at| now - at);
    let mut bytes = HashMap::new();
    let rate = |line: &LineFigures| {
        let before = rates.bytes.get(&line.connection)?;
        Some((line.bytes.saturating_sub(*before) as f64 / passed?.as_secs_f64().max(0.001)) as u64)
    };
    let rows = found.people.iter().map(|person| row(person, rate)).collect();
    let lines = found.people.iter().filter_map(|person| person.line);
    bytes.extend(lines.map(|line| (line.connection, line.bytes)));
    rates.bytes = bytes;
    let counts = &found.counts;
    let inside = Inside {
        at: unix_ms(),
        tick: found.tick,
        info: entry.info(),
        frames: counts.frames,
        keyframes: counts.keyframes,
        mismatches: counts.mismatches,
        inputs_late: counts.inputs_late,
        inputs_missing: counts.inputs_missing,
        columns: COLUMNS,
        people: rows,
    };
    serde_json::to_vec(&inside).expect("plain values").into()
}

fn row(person: &Person, rate: impl Fn(&LineFigures) -> Option<u64>) -> Row<'_> {
    let Person { number, ref name, computer, team, score, host, watching, muted, .. } = *person;
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    let flags =
        flag(computer, COMPUTER) | flag(host, HOST) | flag(watching, WATCHING) | flag(muted, MUTED);
    if computer {
        return Row::Computer(number, name, flags, team, score);
    }
    let line = person.line.as_ref();
    let whole = |ms: f32| ms.round() as u32;
    Row::Person(Cells(
        number,
        name,
        flags,
        team,
        score,
        line.and_then(|line| line.ping_ms).map(whole),
        line.map(|line| whole(line.age_ms)),
        line.and_then(rate),
        person.corrections.resyncs,
        person.corrections.mismatches,
        line.map_or(0, |line| line.keyframes),
        line.map_or(0, |line| line.ease),
        person.address.map(|address| address.to_string()),
        line.is_none(),
    ))
}

fn from_above(tick: u32, map: &Map) -> Bytes {
    let Map { kinds, entities, left_out, setup } = map;
    let setup = setup.iter().map(|byte| format!("{byte:02x}")).collect();
    let above = FromAbove { tick, kinds, entities, left_out: *left_out, setup };
    serde_json::to_vec(&above).expect("plain values").into()
}
