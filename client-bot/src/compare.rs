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
        let url = word(report, "url");
        let bots = report.pointer("/bots/connected").and_then(Value::as_f64).unwrap_or(0.0);
        let seconds = report.get("seconds").and_then(Value::as_f64).unwrap_or(0.0);
        let game = word(report, "game");
        writeln!(text, "{letter}: {game} at {url}, {bots} bots, {seconds:.1} s")
            .expect("a string has room");
        if let Some(capacity) = capacity(report) {
            writeln!(text, "   a search for the capacity: {}", found(capacity))
                .expect("a string has room");
        }
        if let Some(why) = report.pointer("/generator/bottleneck").and_then(Value::as_str) {
            writeln!(text, "   the load generator was the bottleneck: {why}")
                .expect("a string has room");
        }
    }
    for difference in differences(a, b) {
        writeln!(text, "not alike: {difference}").expect("a string has room");
    }
    writeln!(text, "\n{:<32}{:>14}{:>14}{:>9}", "", "a", "b", "b / a").expect("a string has room");
    for figure in Figure::compared() {
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

fn word<'a>(report: &'a Value, name: &str) -> &'a str {
    report.get(name).and_then(Value::as_str).unwrap_or("?")
}

/// What a search found; `None` for a run.
fn capacity(report: &Value) -> Option<&Value> {
    report.get("capacity").filter(|capacity| capacity.is_object())
}

/// What held, and what did not.
fn found(capacity: &Value) -> String {
    let bots = |name: &str| capacity.get(name).and_then(Value::as_u64);
    let tried = capacity["steps"].as_array().is_some_and(|steps| !steps.is_empty());
    let (Some(held), true) = (bots("bots"), tried) else {
        return "it ended before its first step did".to_owned();
    };
    match bots("broke") {
        Some(broke) => {
            let reason = capacity["reason"].as_str().unwrap_or("?");
            format!("{held} bots held; with {broke}: {reason}")
        }
        None => format!("{held} bots held, and no load broke"),
    }
}

/// Why figures of one are hardly to be held against those of the other.
fn differences(a: &Value, b: &Value) -> Vec<String> {
    let kind = |report| if capacity(report).is_some() { "a search" } else { "a run" };
    // 0 is of a run in which nobody was let in.
    let rate =
        |report: &Value| report.get("tick_rate").and_then(Value::as_u64).filter(|&is| is > 0);
    let mut differences = Vec::new();
    let (of_a, of_b) = (kind(a), kind(b));
    if of_a != of_b {
        differences.push(format!("a is {of_a} and b {of_b}"));
    }
    let (of_a, of_b) = (word(a, "game"), word(b, "game"));
    if of_a != of_b {
        differences.push(format!("a played {of_a} and b {of_b}"));
    }
    if let (Some(of_a), Some(of_b)) = (rate(a), rate(b))
        && of_a != of_b
    {
        differences.push(format!("a had {of_a} ticks per second and b {of_b}"));
    }
    differences
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

    #[test]
    fn two_searches_are_told_by_what_they_found() {
        let search = |bots: u32, broke: Option<u32>| {
            let steps: Vec<_> = (0..bots).step_by(50).map(|n| json!({ "bots": n + 50 })).collect();
            json!({ "game": "arena", "url": "ws://host/play", "seconds": 30.0, "bots": { "connected": bots },
                    "capacity": { "bots": bots, "broke": broke, "reason": "failed=0: NOT MET, 2", "steps": steps } })
        };
        let text = table(&search(200, Some(210)), &search(300, None));
        let told = "   a search for the capacity: 200 bots held; with 210: failed=0: NOT MET, 2\n";
        assert!(text.contains(told), "{text}");
        assert!(text.contains("   a search for the capacity: 300 bots held, and no load broke\n"));
        let line = text.lines().find(|line| line.starts_with("capacity")).expect("a line for it");
        let words: Vec<_> = line.split_whitespace().collect();
        assert_eq!(words, ["capacity", "200.00", "300.00", "1.50"]);
        assert!(!text.contains("not alike"), "{text}");
        // One that ended before its first step did has found nothing: that is no 0.
        let text = table(&search(200, Some(210)), &search(0, None));
        assert!(text.contains("it ended before its first step did"), "{text}");
        let line = text.lines().find(|line| line.starts_with("capacity")).expect("a line for it");
        let words: Vec<_> = line.split_whitespace().collect();
        assert_eq!(words, ["capacity", "200.00", "-", "-"]);
    }

    #[test]
    fn what_is_not_alike_is_said() {
        let run = |game: &str, rate: u32| json!({ "game": game, "bots": {}, "tick_rate": rate, "capacity": null });
        let mut search = run("arena", 30);
        search["capacity"] = json!({ "bots": 0, "steps": [] });
        let said = differences(&run("buoys", 20), &search);
        let all = [
            "a is a run and b a search",
            "a played buoys and b arena",
            "a had 20 ticks per second and b 30",
        ];
        assert_eq!(said, all);
        assert!(
            table(&run("buoys", 20), &search).contains("\nnot alike: a is a run and b a search\n")
        );
        assert_eq!(differences(&run("buoys", 20), &run("buoys", 0)), [""; 0]);
    }
}
