//! The server's own figures. Comes in: what its `/metrics` says, once a second. Goes out: how it was between two looks.

use crate::http;
use crate::line::Target;
use serde::Serialize;
use std::collections::BTreeMap;
use tokio::time::Instant;

const WORK: &str = "gamekeeper_tick_work_seconds";
const JITTER: &str = "gamekeeper_tick_start_jitter_seconds";
const STARTED: &str = "process_start_time_seconds";
const BYTES: &str = "gamekeeper_session_bytes_total";

/// What a server's metrics said at a moment.
#[derive(Clone, Debug)]
pub(crate) struct Scrape {
    at: Instant,
    /// By name and labels, as they stand in the text.
    values: BTreeMap<String, f64>,
    /// What had been counted, by the last look at it, when a count began anew. What is no count has a value here as well,
    /// and nobody asks for it.
    ended: BTreeMap<String, f64>,
}

/// How the server was between two looks; nothing where it does not tell. Percentiles are interpolated within the server's
/// buckets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ServerFigures {
    /// Time between the looks, in seconds.
    pub seconds: f64,
    /// Ticks that were run.
    pub ticks: Option<f64>,
    /// Work of a tick, in ms: half of them took no longer.
    pub tick_work_p50_ms: Option<f64>,
    /// 99 per cent.
    pub tick_work_p99_ms: Option<f64>,
    /// How late a tick began, in ms: half of them no later.
    pub tick_jitter_p50_ms: Option<f64>,
    /// 99 per cent.
    pub tick_jitter_p99_ms: Option<f64>,
    /// 99.9 per cent.
    pub tick_jitter_p99_9_ms: Option<f64>,
    /// How often more than one tick was due.
    pub ticks_late: Option<f64>,
    /// Ticks that were left out.
    pub ticks_dropped: Option<f64>,
    /// Processor time, in per cent of one core.
    pub cpu_percent: Option<f64>,
    /// Memory in use, in MB.
    pub memory_mb: Option<f64>,
    /// Bytes of frames that build on others, per second.
    pub delta_bytes_per_second: Option<f64>,
    /// Bytes of keyframes, per second.
    pub keyframe_bytes_per_second: Option<f64>,
    /// Bytes of everything else, per second.
    pub told_bytes_per_second: Option<f64>,
}

impl ServerFigures {
    /// How often more than one tick was due, per second.
    pub(crate) fn ticks_late_per_second(&self) -> Option<f64> {
        self.ticks_late.map(|ticks| ticks / self.seconds)
    }

    /// Ticks that were left out, per second.
    pub(crate) fn ticks_dropped_per_second(&self) -> Option<f64> {
        self.ticks_dropped.map(|ticks| ticks / self.seconds)
    }
}

impl Scrape {
    /// Asks the server. Errors with a sentence.
    pub(crate) async fn at(target: &Target) -> Result<Self, String> {
        let answer = http::ask(target, &target.address().path, None).await;
        let answer = answer.map_err(|error| error.to_string())?;
        let look = Self::read(&answer.body, Instant::now());
        match answer.status {
            200 if look.values.contains_key(&format!("{WORK}_count")) => Ok(look),
            200 => Err("what answers there has no metrics of a Gamekeeper server".into()),
            status => Err(format!("it answers with HTTP status {status}")),
        }
    }

    fn read(text: &str, at: Instant) -> Self {
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        let samples = samples.filter_map(|line| line.rsplit_once(' '));
        let values =
            samples.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)));
        Self { at, values: values.collect(), ended: BTreeMap::new() }
    }

    /// The look that comes after `last`. Where the server was started anew it counts from 0: what it had counted before
    /// stays counted. Where it does not tell when it was started, a count that has fallen shows it.
    pub(crate) fn after(mut self, last: &Self) -> Self {
        self.ended.clone_from(&last.ended);
        let started = self.get(STARTED).zip(last.get(STARTED));
        let anew = started.map(|(now, before)| now != before);
        for (name, before) in &last.values {
            let fell = || self.values.get(name).is_some_and(|now| now < before);
            if anew.unwrap_or_else(fell) {
                *self.ended.entry(name.clone()).or_default() += before;
            }
        }
        self
    }

    fn get(&self, name: &str) -> Option<f64> {
        self.values.get(name).copied()
    }

    /// What a count is, those of earlier starts of the server with it.
    fn total(&self, name: &str) -> Option<f64> {
        Some(self.get(name)? + self.ended.get(name).copied().unwrap_or(0.0))
    }

    /// What happened since then; nothing is known where that is the same look.
    pub(crate) fn since(&self, before: &Self) -> Option<ServerFigures> {
        let seconds = (self.at - before.at).as_secs_f64();
        if seconds <= 0.0 {
            return None;
        }
        let count = |name: &str| Some(self.total(name)? - before.total(name)?);
        let bytes = |content: &str| {
            count(&format!("{BYTES}{{content=\"{content}\"}}")).map(|bytes| bytes / seconds)
        };
        let time = |name, quantile| self.quantile(before, name, quantile).map(|s| s * 1000.0);
        Some(ServerFigures {
            seconds,
            ticks: count("gamekeeper_ticks_total"),
            tick_work_p50_ms: time(WORK, 0.5),
            tick_work_p99_ms: time(WORK, 0.99),
            tick_jitter_p50_ms: time(JITTER, 0.5),
            tick_jitter_p99_ms: time(JITTER, 0.99),
            tick_jitter_p99_9_ms: time(JITTER, 0.999),
            ticks_late: count("gamekeeper_ticks_late_total"),
            ticks_dropped: count("gamekeeper_ticks_dropped_total"),
            cpu_percent: count("process_cpu_seconds_total").map(|used| 100.0 * used / seconds),
            memory_mb: self.get("process_resident_memory_bytes").map(|bytes| bytes / 1e6),
            delta_bytes_per_second: bytes("deltas"),
            keyframe_bytes_per_second: bytes("keyframes"),
            told_bytes_per_second: bytes("told"),
        })
    }

    /// What a share of `quantile` of a histogram's times since then did not exceed, in seconds; of times beyond the last
    /// bound it is that bound.
    fn quantile(&self, before: &Self, name: &str, quantile: f64) -> Option<f64> {
        let prefix = format!("{name}_bucket{{le=\"");
        let buckets =
            self.values.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix));
        let mut buckets: Vec<(f64, f64)> = buckets
            .filter_map(|(key, _)| {
                let bound = key[prefix.len()..].strip_suffix("\"}")?;
                let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().ok()? };
                Some((bound, self.total(key)? - before.total(key).unwrap_or(0.0)))
            })
            .collect();
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        let all = buckets.last().map(|&(_, count)| count).filter(|&count| count > 0.0)?;
        let wanted = all * quantile;
        let (mut low, mut below) = (0.0, 0.0);
        for (bound, count) in buckets {
            if count >= wanted && count > below {
                let share = (wanted - below) / (count - below);
                return Some(if bound.is_finite() { low + (bound - low) * share } else { low });
            }
            (low, below) = (bound, count);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn text(ticks: u32, buckets: [u32; 3], cpu: f64) -> String {
        let [fast, slow, all] = buckets;
        format!(
            "# TYPE {WORK} histogram\n{WORK}_bucket{{le=\"0.001\"}} {fast}\n{WORK}_bucket{{le=\"0.002\"}} {slow}\n\
             {WORK}_bucket{{le=\"+Inf\"}} {all}\n{WORK}_count {all}\ngamekeeper_ticks_total {ticks}\n\
             process_cpu_seconds_total {cpu}\n{BYTES}{{content=\"deltas\"}} {}\n",
            ticks * 100
        )
    }

    #[test]
    fn figures_are_of_the_time_between_two_looks() {
        let start = Instant::now();
        let before = Scrape::read(&text(100, [100, 100, 100], 1.0), start);
        let now = Scrape::read(&text(200, [150, 199, 200], 2.0), start + Duration::from_secs(2));
        let figures = now.since(&before).expect("two looks");
        assert_eq!((figures.ticks, figures.cpu_percent), (Some(100.0), Some(50.0)));
        assert_eq!((figures.seconds, figures.delta_bytes_per_second), (2.0, Some(5000.0)));
        // Fifty of a hundred below 1 ms, 49 more below 2, one above that.
        assert_eq!(figures.tick_work_p50_ms, Some(1.0));
        assert_eq!(figures.tick_work_p99_ms, Some(2.0));
        assert_eq!((figures.tick_jitter_p99_ms, figures.memory_mb), (None, None));
    }

    /// Nothing that was not told is a measured 0.
    #[test]
    fn what_is_not_told_is_not_known() {
        let start = Instant::now();
        let before = Scrape::read(&text(100, [100, 100, 100], 1.0), start);
        assert_eq!(before.since(&before), None, "the same look twice");
        let now = Scrape::read(&text(200, [150, 199, 200], 2.0), start + Duration::from_secs(2));
        let figures = now.since(&before).expect("two looks");
        assert_eq!((figures.ticks_dropped, figures.keyframe_bytes_per_second), (None, None));
    }

    #[test]
    fn a_server_that_was_started_anew_goes_on_counting() {
        let start = Instant::now();
        let at = |second, text: &str| Scrape::read(text, start + Duration::from_secs(second));
        let first = at(0, &text(100, [100, 100, 100], 1.0));
        let last = at(9, &text(400, [100, 400, 400], 4.0)).after(&first);
        // The new one has run for fifty ticks, all of them fast.
        let anew = at(11, &text(50, [50, 50, 50], 0.5)).after(&last);
        let second = anew.since(&last).expect("two looks");
        assert_eq!((second.ticks, second.cpu_percent), (Some(50.0), Some(25.0)));
        let later = at(20, &text(150, [150, 150, 150], 1.5)).after(&anew);
        let whole = later.since(&first).expect("two looks");
        assert_eq!((whole.ticks, whole.cpu_percent), (Some(450.0), Some(22.5)));
        // 150 of 450 took less than 1 ms, and 300 less than 2.
        assert_eq!(whole.tick_work_p50_ms, Some(1.25));
    }
}
