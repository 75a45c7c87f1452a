//! Two runs side by side. Comes in: the JSON of two reports. Goes out: a text.

use crate::figures::Figure;
use serde_json::Value;
use std::fmt::Write as _;

/// Reads a report that `--json` wrote. Errors with a sentence.
pub fn read(text: &str) -> Result<Value, String> {
    let report: Value = serde_json::from_str(text).map_err(|error| format!("no JSON ({error})"))?;
    match report.get("bots") {
        Some(_) => Ok(report),
        None => Err("no report of client-bot".into()),
    }
}

/// Every figure that either run has, with the ratio of the second to the first.
pub fn table(a: &Value, b: &Value) -> String {
    let mut text = String::new();
    for (letter, report) in [("a", a), ("b", b)] {
        let of = |name: &str| report.get(name).and_then(Value::as_str).unwrap_or("?");
        let bots = report.pointer("/bots/connected").and_then(Value::as_f64).unwrap_or(0.0);
        let seconds = report.get("seconds").and_then(Value::as_f64).unwrap_or(0.0);
        let (game, url) = (of("game"), of("url"));
        writeln!(text, "{letter}: {game} at {url}, {bots} bots, {seconds:.1} s")
            .expect("a string has room");
        if let Some(why) = report.pointer("/generator/bottleneck").and_then(Value::as_str) {
            writeln!(text, "   the load generator was the bottleneck: {why}")
                .expect("a string has room");
        }
    }
    writeln!(text, "\n{:<32}{:>14}{:>14}{:>9}", "", "a", "b", "b / a").expect("a string has room");
    for figure in Figure::all() {
        let (a, b) = (figure.of(a), figure.of(b));
        if a.is_none() && b.is_none() {
            continue;
        }
        let number = |is: Option<f64>| is.map_or("-".to_owned(), |is| format!("{is:.2}"));
        let ratio = match (a, b) {
            (Some(a), Some(b)) if a != 0.0 => format!("{:.2}", b / a),
            _ => "-".to_owned(),
        };
        let sign = figure.unit.sign();
        let name = if sign.is_empty() { figure.name } else { format!("{} ({sign})", figure.name) };
        writeln!(text, "{name:<32}{:>14}{:>14}{ratio:>9}", number(a), number(b))
            .expect("a string has room");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn figures_of_both_runs_stand_side_by_side() {
        let run = |p99: f64, failed: u32| {
            json!({ "game": "arena", "url": "ws://host/play", "seconds": 30.0,
                    "bots": { "connected": 10, "failed": failed }, "frame_age_ms": { "count": 5, "p99": p99 } })
        };
        let text = table(&run(20.0, 0), &run(30.0, 1));
        let words = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).expect("a line for it");
            line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(words("frame_age.p99"), ["frame_age.p99", "(ms)", "20.00", "30.00", "1.50"]);
        assert_eq!(words("failed"), ["failed", "0.00", "1.00", "-"]);
        assert!(!text.contains("round_trip"), "{text}");
        assert!(!text.contains("bottleneck"), "{text}");
        let mut late = run(30.0, 1);
        late["generator"] = json!({ "bottleneck": "its bots woke up late" });
        let text = table(&run(20.0, 0), &late);
        let verdict = "b: arena at ws://host/play, 10 bots, 30.0 s\n   the load generator was the \
                       bottleneck: its bots woke up late\n";
        assert!(text.contains(verdict), "{text}");
        assert!(
            read("{}").unwrap_err().contains("no report")
                && read("x").unwrap_err().contains("no JSON")
        );
    }
}
