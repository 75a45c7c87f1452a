//! The figures of a report that have a name: for `--require` and for `compare`. Comes in: a name, and a report as JSON.
//! Goes out: a number.

use serde_json::Value;
use std::fmt::Write as _;

/// What a figure is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds.
    Ms,
    /// Per cent.
    Percent,
    /// A number of its own.
    Count,
}

impl Unit {
    /// How it is written behind a number.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Ms => "ms",
            Self::Percent => "%",
            Self::Count => "",
        }
    }
}

/// A figure that has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// As flags have it.
    pub name: String,
    /// What it is counted in.
    pub unit: Unit,
    /// What it is, for people.
    pub help: String,
    /// Where it stands in the report, as a JSON pointer.
    path: String,
    /// Where it stands how many times were taken; where that is 0, nothing was measured.
    count: Option<String>,
}

/// Distributions: name, place in the report, what they are.
const TIMES: [(&str, &str, &str); 6] = [
    ("frame_age", "/frame_age_ms", "from a tick to decoding its frame"),
    ("input_to_frame", "/input_to_frame_ms", "from an input to the frame that confirms it"),
    ("frame_interval", "/frame_interval_ms", "from one frame to the next"),
    ("round_trip", "/round_trip_ms", "from a ping to its pong, less what it waited for a tick"),
    ("way_back", "/way_back_ms", "from a lost line to the next welcome"),
    ("generator.lateness", "/generator/tick_lateness_ms", "how late the bots themselves wake up"),
];

/// Shares of a distribution: name, and place below it.
const SHARES: [(&str, &str); 6] = [
    ("p50", "p50"),
    ("p90", "p90"),
    ("p95", "p95"),
    ("p99", "p99"),
    ("p99.9", "p99_9"),
    ("max", "max"),
];

/// All others: name, unit, place, what they are.
const OTHERS: [(&str, Unit, &str, &str); 29] = [
    ("connected", Unit::Count, "/bots/connected", "bots that were let in"),
    ("failed", Unit::Count, "/bots/failed", "bots that were never let in"),
    ("thrown_out", Unit::Count, "/bots/thrown_out", "bots that were let in and did not stay"),
    ("failed_share", Unit::Percent, "/bots/failed_percent", "the same, of those that tried"),
    ("thrown_out_share", Unit::Percent, "/bots/thrown_out_percent", "the same, of those let in"),
    (
        "lost_seats",
        Unit::Count,
        "/bots/lost_seats",
        "times that a bot came back to no seat of its own",
    ),
    (
        "still_away",
        Unit::Count,
        "/bots/still_away",
        "bots that lost their lines and were not back at the end",
    ),
    ("mismatches", Unit::Count, "/totals/mismatches", "checksums that differed"),
    ("unreadable", Unit::Count, "/totals/unreadable", "messages that could not be read"),
    (
        "late_inputs",
        Unit::Percent,
        "/totals/late_inputs_percent",
        "inputs that came after their tick",
    ),
    (
        "frames_on_time",
        Unit::Percent,
        "/frames_on_time_percent",
        "frames within one and a half ticks of the one before",
    ),
    (
        "frames_per_second",
        Unit::Count,
        "/per_player/frames_per_second",
        "frames per player and second",
    ),
    (
        "received_bytes_per_second",
        Unit::Count,
        "/per_player/received_bytes_per_second",
        "bytes received per player and second",
    ),
    (
        "sent_bytes_per_second",
        Unit::Count,
        "/per_player/sent_bytes_per_second",
        "bytes sent per player and second",
    ),
    (
        "corrections_per_second",
        Unit::Count,
        "/per_player/corrections_per_second",
        "corrections of the prediction per player and second",
    ),
    (
        "generator.cpu",
        Unit::Percent,
        "/generator/cpu_percent",
        "processor time of the bots, of all cores",
    ),
    ("server.tick_work.p50", Unit::Ms, "/server/tick_work_p50_ms", "work of a tick"),
    ("server.tick_work.p99", Unit::Ms, "/server/tick_work_p99_ms", "work of a tick"),
    ("server.tick_jitter.p50", Unit::Ms, "/server/tick_jitter_p50_ms", "how late a tick begins"),
    ("server.tick_jitter.p99", Unit::Ms, "/server/tick_jitter_p99_ms", "how late a tick begins"),
    (
        "server.tick_jitter.p99.9",
        Unit::Ms,
        "/server/tick_jitter_p99_9_ms",
        "how late a tick begins",
    ),
    ("server.ticks", Unit::Count, "/server/ticks", "ticks that were run"),
    (
        "server.ticks_late",
        Unit::Count,
        "/server/ticks_late",
        "times that more than one tick was due",
    ),
    ("server.ticks_dropped", Unit::Count, "/server/ticks_dropped", "ticks that were left out"),
    (
        "server.cpu",
        Unit::Percent,
        "/server/cpu_percent",
        "processor time of the server, of one core",
    ),
    ("server.memory_mb", Unit::Count, "/server/memory_mb", "memory of the server in MB"),
    (
        "server.delta_bytes_per_second",
        Unit::Count,
        "/server/delta_bytes_per_second",
        "bytes of frames that build on others, to all",
    ),
    (
        "server.keyframe_bytes_per_second",
        Unit::Count,
        "/server/keyframe_bytes_per_second",
        "bytes of keyframes, to all",
    ),
    (
        "server.told_bytes_per_second",
        Unit::Count,
        "/server/told_bytes_per_second",
        "bytes of everything else, to all",
    ),
];

impl Figure {
    /// All there are.
    pub fn all() -> Vec<Self> {
        let times = TIMES.iter().flat_map(|(name, place, help)| {
            SHARES.iter().map(move |(share, below)| Self {
                name: format!("{name}.{share}"),
                unit: Unit::Ms,
                help: (*help).to_owned(),
                path: format!("{place}/{below}"),
                count: Some(format!("{place}/count")),
            })
        });
        let others = OTHERS.iter().map(|&(name, unit, place, help)| Self {
            name: name.to_owned(),
            unit,
            help: help.to_owned(),
            path: place.to_owned(),
            count: None,
        });
        times.chain(others).collect()
    }

    /// All, and what only a search finds: no run and no step could keep to it.
    pub(crate) fn compared() -> Vec<Self> {
        let capacity = Self {
            name: "capacity".to_owned(),
            unit: Unit::Count,
            help: "the most bots that held".to_owned(),
            path: "/capacity/bots".to_owned(),
            // Without a step 0 is no capacity, and those of any step are more.
            count: Some("/capacity/steps/0/bots".to_owned()),
        };
        std::iter::once(capacity).chain(Self::all()).collect()
    }

    /// The one of this name, or a sentence with the nearest one.
    pub fn named(name: &str) -> Result<Self, String> {
        let all = Self::all();
        if let Some(found) = all.iter().find(|figure| figure.name == name) {
            return Ok(found.clone());
        }
        let nearest = all.iter().min_by_key(|figure| distance(&figure.name, name));
        let nearest = nearest.map(|figure| figure.name.as_str()).unwrap_or_default();
        Err(format!(
            "there is no figure {name:?}; did you mean {nearest}? --require help lists all"
        ))
    }

    /// Whether a report has a place for it, measured or not.
    pub(crate) fn has_place_in(&self, report: &Value) -> bool {
        report.pointer(&self.path).is_some()
    }

    /// What a report says of it; `None` where nothing was measured.
    pub fn of(&self, report: &Value) -> Option<f64> {
        let measured = self.count.as_ref().is_none_or(|count| {
            report.pointer(count).and_then(Value::as_f64).is_some_and(|count| count > 0.0)
        });
        report.pointer(&self.path)?.as_f64().filter(|_| measured)
    }
}

/// All names with what they are, for `--require help`.
pub fn list() -> String {
    let mut text = String::new();
    for (name, _, help) in TIMES {
        let shares = SHARES.map(|(share, _)| share).join(" ");
        writeln!(text, "{name}.SHARE (ms): {help}; SHARE is one of {shares}")
            .expect("a string has room");
    }
    for (name, unit, _, help) in OTHERS {
        let unit = if unit == Unit::Count { String::new() } else { format!(" ({})", unit.sign()) };
        writeln!(text, "{name}{unit}: {help}").expect("a string has room");
    }
    text
}

/// How many letters have to change, come or go to make one of the other.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.bytes().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, to) in b.bytes().enumerate() {
            let changed = corner + usize::from(from != to);
            corner = row[j + 1];
            row[j + 1] = changed.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_proposed() {
        assert_eq!(
            (distance("age", "age"), distance("age", "ages"), distance("kitten", "sitting")),
            (0, 1, 3)
        );
        let said = Figure::named("frame_agee.p99").unwrap_err();
        assert!(said.contains("did you mean frame_age.p99?"), "{said}");
        assert!(
            Figure::named("server.tick_wrok.p50").unwrap_err().contains("server.tick_work.p50")
        );
    }

    #[test]
    fn what_was_not_measured_is_no_number() {
        let report = serde_json::json!({ "frame_age_ms": { "count": 0, "p99": 0.0 }, "bots": { "failed": 2 } });
        assert_eq!(Figure::named("frame_age.p99").unwrap().of(&report), None);
        assert_eq!(Figure::named("failed").unwrap().of(&report), Some(2.0));
        assert_eq!(Figure::named("server.cpu").unwrap().of(&report), None);
    }
}
