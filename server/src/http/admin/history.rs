//! How the server and its sessions have been doing for the last ten minutes. Comes in: counts, looked at once a second by
//! one task, however many watch. Goes out: one overview for all of them, and rings of samples.

use super::Operator;
use crate::code::SessionCode;
use crate::directory::{Entry, Look};
use crate::metrics::process::{Usage, usage};
use crate::recent_times::Taken;
use crate::session::restraint::{Kind, Restraint};
use crate::session::status::Status;
use crate::store::unix_ms;
use crate::tick_loop::TickCounts;
use axum::body::Bytes;
use parking_lot::Mutex;
use serde::Serialize;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::Ordering;
use tokio::sync::watch;
use tokio::time::{Duration, Instant, MissedTickBehavior, interval};

/// How often everything is looked at.
pub const SAMPLE_EVERY: Duration = Duration::from_secs(1);
/// Samples that are kept of the server and of each session: ten minutes' worth. The oldest make room.
pub const HISTORY_SAMPLES: usize = 600;

/// What a sample of a session has, in this order.
pub(super) const SESSION_FIELDS: [&str; 8] = [
    "at",
    "players",
    "tick_median_us",
    "tick_longest_us",
    "busy_permille",
    "late",
    "dropped",
    "bytes_per_s",
];
/// What a sample of the server has, in this order.
pub(super) const SERVER_FIELDS: [&str; 10] = [
    "at",
    "players",
    "tick_median_us",
    "tick_longest_us",
    "busy_permille",
    "late",
    "dropped",
    "bytes_per_s",
    "cpu_permille",
    "memory_bytes",
];

/// What is known of the last ten minutes.
#[derive(Debug)]
pub(super) struct History {
    kept: Mutex<Kept>,
    /// The newest overview as JSON; empty before the first.
    overview: watch::Sender<Bytes>,
}

#[derive(Debug, Default)]
struct Kept {
    server: VecDeque<[u64; 10]>,
    sessions: HashMap<SessionCode, Followed>,
    usage: Usage,
    at: Option<Instant>,
}

/// What is kept of a session.
#[derive(Debug, Default)]
struct Followed {
    samples: VecDeque<[u64; 8]>,
    last: Option<Counted>,
}

/// Counts of a session as they were at the last look.
#[derive(Clone, Copy, Debug)]
struct Counted {
    late: u64,
    dropped: u64,
    busy_ns: u64,
    frame_bytes: u64,
    /// When the session showed how many bytes: it does so at times of its own.
    shown: Instant,
}

/// How a session, or all of them, did in the last second.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Pulse {
    /// How long half of the ticks took at most, in µs.
    tick_median_us: u64,
    /// How long the longest took, in µs.
    tick_longest_us: u64,
    /// Of a second, how many thousandths its loop was at work.
    busy_permille: u64,
    /// Wake-ups that came too late.
    late: u64,
    /// Ticks that were left out.
    dropped: u64,
    /// Bytes of frames a second.
    bytes_per_s: u64,
}

#[derive(Serialize)]
struct SessionRow<'a> {
    code: String,
    #[serde(flatten)]
    status: &'a Status,
    #[serde(flatten)]
    pulse: Pulse,
    #[serde(flatten)]
    spared: Spared,
}

/// What is given up, as there is too much to do, and how much more there is time for.
#[derive(Clone, Copy, Debug, Serialize)]
struct Spared {
    /// How many steps are taken, of how many.
    overload_steps: usize,
    overload_steps_max: usize,
    /// The kind of the last one: rate, reach, spectators, admission; absent where there is none.
    overload: Option<&'static str>,
    /// About how many more people fit before anybody is given less; absent as long as it is not known.
    room: Option<u32>,
}

impl Spared {
    fn of(restraint: Restraint, room: Option<u32>) -> Self {
        Self {
            overload_steps: restraint.place(),
            overload_steps_max: Restraint::MOST.place(),
            overload: restraint.newest().map(|kind| Kind::LABELS[kind as usize]),
            room,
        }
    }
}

/// The overview. See docs/api.md.
#[derive(Serialize)]
struct Overview<'a> {
    at: u64,
    version: &'static str,
    uptime_s: u64,
    /// Seconds until the server ends what still goes on; absent while it is not stopping.
    draining_s: Option<u64>,
    cores: usize,
    cpu_permille: Option<u64>,
    memory_bytes: Option<u64>,
    connections: usize,
    connections_max: usize,
    players: u64,
    spectators: u64,
    pilots: u64,
    bans: usize,
    /// Servers of the site that a session can move to.
    ways_out: usize,
    log_filter: Option<String>,
    #[serde(flatten)]
    pulse: Pulse,
    /// Of the session that gives up most.
    #[serde(flatten)]
    spared: Spared,
    sessions: Vec<SessionRow<'a>>,
}

/// What is asked for when the past is asked for: names of numbers, and the numbers, oldest first.
#[derive(Debug, Serialize)]
pub(super) struct Past {
    every_s: u64,
    fields: &'static [&'static str],
    samples: Vec<Vec<u64>>,
}

impl Default for History {
    fn default() -> Self {
        Self { kept: Mutex::default(), overview: watch::Sender::new(Bytes::new()) }
    }
}

impl History {
    /// The newest overview as JSON, and all later ones; empty before the first.
    pub(super) fn overview(&self) -> watch::Receiver<Bytes> {
        self.overview.subscribe()
    }

    /// The last ten minutes of the server.
    pub(super) fn of_server(&self) -> Past {
        Past::of(&SERVER_FIELDS, self.kept.lock().server.iter().map(|sample| &sample[..]))
    }

    /// The last ten minutes of a session; `None` when nothing is known of it.
    pub(super) fn of_session(&self, code: SessionCode) -> Option<Past> {
        let kept = self.kept.lock();
        let samples = &kept.sessions.get(&code)?.samples;
        Some(Past::of(&SESSION_FIELDS, samples.iter().map(|sample| &sample[..])))
    }
}

impl Past {
    fn of<'a>(fields: &'static [&'static str], samples: impl Iterator<Item = &'a [u64]>) -> Self {
        let samples = samples.map(<[u64]>::to_vec).collect();
        Self { every_s: SAMPLE_EVERY.as_secs(), fields, samples }
    }
}

/// Looks at everything once a second until the server stops, where there is an operator to look.
pub(super) async fn keep(operator: &Operator) {
    let mut beat = interval(SAMPLE_EVERY);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = operator.common.stop.cancelled() => return,
            _ = beat.tick() => {}
        }
        if operator.is_on() {
            sample(operator);
        }
    }
}

fn sample(operator: &Operator) {
    let entries = operator.common.directory.entries();
    let now = Instant::now();
    let history = &operator.history;
    let mut kept = history.kept.lock();
    let passed =
        kept.at.replace(now).map_or(SAMPLE_EVERY, |at| now - at).max(Duration::from_millis(1));
    let mut sum = Pulse::default();
    let (mut people, mut spectators, mut pilots) = (0, 0, 0);
    let mut lines = Vec::new();
    let overload = &operator.common.directory.overload;
    let mut tightest = overload.restraint();
    let all: Vec<_> = entries.iter().map(|entry| (entry, entry.info())).collect();
    kept.sessions.retain(|code, _| entries.iter().any(|entry| entry.code == *code));
    for (entry, info) in &all {
        let look = entry.look();
        let pulse = kept.sessions.entry(entry.code).or_default().look(entry, &look, passed);
        sum.add(pulse);
        people += u64::from(info.status.players);
        spectators += u64::from(info.status.spectators);
        pilots += u64::from(info.status.pilots);
        tightest = tightest.max(look.measure.restraint);
        let spared = Spared::of(look.measure.restraint, look.measure.room);
        lines.push(SessionRow { code: info.code.clone(), status: &info.status, pulse, spared });
    }
    lines.sort_by(|a, b| b.status.players.cmp(&a.status.players).then_with(|| a.code.cmp(&b.code)));
    let before = std::mem::replace(&mut kept.usage, usage());
    let cpu_permille = kept.usage.cpu_ms.zip(before.cpu_ms);
    let cpu_permille = cpu_permille
        .map(|(now, before)| now.saturating_sub(before) * 1000 / passed.as_millis().max(1) as u64);
    let memory_bytes = kept.usage.memory_bytes;
    let at = unix_ms();
    let sample = [
        at,
        people + spectators,
        sum.tick_median_us,
        sum.tick_longest_us,
        sum.busy_permille,
        sum.late,
        sum.dropped,
        sum.bytes_per_s,
        cpu_permille.unwrap_or(0),
        memory_bytes.unwrap_or(0),
    ];
    push(&mut kept.server, sample);
    drop(kept);
    let overview = Overview {
        at,
        version: env!("CARGO_PKG_VERSION"),
        uptime_s: operator.started.elapsed().as_secs(),
        draining_s: operator.common.stopping.left().map(|left| left.as_secs()),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        cpu_permille,
        memory_bytes,
        connections: operator.common.registry.open(),
        connections_max: operator.common.live.get().limits.max_connections,
        players: people,
        spectators,
        pilots,
        bans: operator.common.bans.list().len(),
        ways_out: operator.common.directory.ways_out(),
        log_filter: operator.logs.get().map(crate::logging::Logs::filter),
        pulse: sum,
        spared: Spared::of(tightest, overload.room()),
        sessions: lines,
    };
    let json = serde_json::to_vec(&overview).expect("plain values");
    history.overview.send_replace(json.into());
}

impl Counted {
    /// Bytes of frames a second; none where the session has shown nothing new.
    fn bytes_per_s_since(&self, last: &Self) -> u64 {
        let bytes = self.frame_bytes.saturating_sub(last.frame_bytes);
        match self.shown - last.shown {
            Duration::ZERO => 0,
            passed => (bytes as f64 / passed.as_secs_f64()) as u64,
        }
    }
}

impl Followed {
    fn look(&mut self, entry: &Entry, look: &Look, passed: Duration) -> Pulse {
        let count = |one: fn(&TickCounts) -> &std::sync::atomic::AtomicU64| {
            one(&entry.ticks).load(Ordering::Relaxed)
        };
        let now = Counted {
            late: count(|c| &c.late),
            dropped: count(|c| &c.dropped),
            busy_ns: count(|c| &c.busy_ns),
            frame_bytes: look.measure.counts.frame_bytes,
            shown: look.since,
        };
        let last = self.last.replace(now).unwrap_or(now);
        // One that was to move and goes on here after all counts from 0 again.
        let more = |one: fn(&Counted) -> u64| one(&now).saturating_sub(one(&last));
        let Taken { median_ns, longest_ns } = entry.ticks.times.take();
        let pulse = Pulse {
            tick_median_us: median_ns / 1000,
            tick_longest_us: longest_ns / 1000,
            busy_permille: (u128::from(more(|counted| counted.busy_ns)) * 1000 / passed.as_nanos())
                as u64,
            late: more(|counted| counted.late),
            dropped: more(|counted| counted.dropped),
            bytes_per_s: now.bytes_per_s_since(&last),
        };
        let people = u64::from(look.status.players) + u64::from(look.status.spectators);
        let Pulse { tick_median_us, tick_longest_us, busy_permille, late, dropped, bytes_per_s } =
            pulse;
        push(
            &mut self.samples,
            [
                unix_ms(),
                people,
                tick_median_us,
                tick_longest_us,
                busy_permille,
                late,
                dropped,
                bytes_per_s,
            ],
        );
        pulse
    }
}

impl Pulse {
    /// Of all sessions together: the worst times, the sums of everything else.
    fn add(&mut self, other: Self) {
        self.tick_median_us = self.tick_median_us.max(other.tick_median_us);
        self.tick_longest_us = self.tick_longest_us.max(other.tick_longest_us);
        self.busy_permille += other.busy_permille;
        self.late += other.late;
        self.dropped += other.dropped;
        self.bytes_per_s += other.bytes_per_s;
    }
}

fn push<T>(ring: &mut VecDeque<T>, sample: T) {
    if ring.len() == HISTORY_SAMPLES {
        ring.pop_front();
    }
    ring.push_back(sample);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_those_of_a_second_whenever_a_session_showed_them() {
        let start = Instant::now();
        let counted = |frame_bytes, ms| {
            let shown = start + Duration::from_millis(ms);
            Counted { late: 0, dropped: 0, busy_ns: 0, frame_bytes, shown }
        };
        let first = counted(1000, 0);
        assert_eq!(counted(1600, 500).bytes_per_s_since(&first), 1200);
        assert_eq!(counted(2800, 1500).bytes_per_s_since(&first), 1200);
        assert_eq!(first.bytes_per_s_since(&first), 0);
    }
}
