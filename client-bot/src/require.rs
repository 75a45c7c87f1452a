//! What a run has to keep to. Comes in: the words of `--require`. Goes out: whether a report does.

use crate::figures::{Figure, Unit};
use serde::Serialize;
use serde_json::Value;
use std::fmt;
use std::str::FromStr;

/// How a figure has to stand to a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Less,
    AtMost,
    More,
    AtLeast,
    Equal,
}

/// Written forms; the longer before those that they begin with.
const RELATIONS: [(&str, Relation); 5] = [
    ("<=", Relation::AtMost),
    (">=", Relation::AtLeast),
    ("<", Relation::Less),
    (">", Relation::More),
    ("=", Relation::Equal),
];

/// A requirement, such as `frame_age.p99<80ms`; or the wish to see the names there are.
#[derive(Clone, Debug, PartialEq)]
pub enum Requirement {
    /// `help`.
    Help,
    /// One that a run has to keep to.
    Bound(Bound),
}

/// How a figure has to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    figure: Figure,
    relation: Relation,
    /// In the figure's unit.
    limit: f64,
    text: String,
}

/// What became of a requirement.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// As it was asked for.
    pub requirement: String,
    /// What was measured, in the figure's unit; nothing where it was not.
    pub measured: Option<f64>,
    /// "ms", "%" or nothing.
    pub unit: &'static str,
    /// Whether the run kept to it.
    pub met: bool,
}

impl FromStr for Requirement {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "help" {
            return Ok(Self::Help);
        }
        let found = RELATIONS
            .iter()
            .filter_map(|&(sign, relation)| Some((text.find(sign)?, sign, relation)));
        let Some((at, sign, relation)) =
            found.min_by_key(|&(at, sign, _)| (at, usize::MAX - sign.len()))
        else {
            return Err("a requirement looks like frame_age.p99<80ms; help lists the names".into());
        };
        let (name, value) = (text[..at].trim(), text[at + sign.len()..].trim());
        let figure = Figure::named(name)?;
        let digits = value.trim_end_matches(|c: char| c.is_alphabetic() || c == '%');
        let factor = match (figure.unit, value[digits.len()..].trim()) {
            (Unit::Ms, "s") => 1000.0,
            (Unit::Ms, "ms") | (Unit::Percent, "%") | (Unit::Count, "") => 1.0,
            (Unit::Ms, _) => {
                return Err(format!("{name} is a time: write ms or s behind the number"));
            }
            (Unit::Percent, _) => {
                return Err(format!("{name} is a share: write % behind the number"));
            }
            (Unit::Count, _) => return Err(format!("{name} is a plain number, without a unit")),
        };
        let limit = digits.trim().parse::<f64>().ok().filter(|limit| limit.is_finite());
        let limit = limit.ok_or_else(|| format!("{digits:?} is no number"))? * factor;
        Ok(Self::Bound(Bound { figure, relation, limit, text: text.trim().to_owned() }))
    }
}

impl Bound {
    /// What a report makes of it. What was not measured is not met.
    pub fn judge(&self, report: &Value) -> Outcome {
        let measured = self.figure.of(report);
        let met = measured.is_some_and(|is| match self.relation {
            Relation::Less => is < self.limit,
            Relation::AtMost => is <= self.limit,
            Relation::More => is > self.limit,
            Relation::AtLeast => is >= self.limit,
            Relation::Equal => is == self.limit,
        });
        Outcome { requirement: self.text.clone(), measured, unit: self.figure.unit.sign(), met }
    }

    /// Whether a report could say it at all.
    pub(crate) fn has_place_in(&self, report: &Value) -> bool {
        self.figure.has_place_in(report)
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { requirement, measured, unit, met } = self;
        let verdict = if *met { "met" } else { "NOT MET" };
        match measured {
            Some(is) => {
                let is = format!("{is:.2}");
                let is = is.trim_end_matches('0').trim_end_matches('.');
                let space = if unit.is_empty() { "" } else { " " };
                write!(f, "{requirement}: {verdict}, {is}{space}{unit}")
            }
            None => write!(f, "{requirement}: {verdict}, nothing was measured"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn judge(text: &str) -> Outcome {
        let report = json!({
            "frame_age_ms": { "count": 9, "p99": 80.0, "p99_9": 1500.0 }, "bots": { "failed": 0 },
            "totals": { "late_inputs_percent": 2.5 },
        });
        match text.parse() {
            Ok(Requirement::Bound(bound)) => bound.judge(&report),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn figures_are_held_against_numbers_with_units() {
        for (text, met) in [
            ("frame_age.p99<80ms", false),
            ("frame_age.p99<=80ms", true),
            ("frame_age.p99 < 0.1s", true),
            ("frame_age.p99.9>=1.5s", true),
            ("frame_age.p99.9>1500 ms", false),
            ("failed=0", true),
            ("late_inputs<2.5%", false),
            ("late_inputs<=3 %", true),
            ("round_trip.p50<1s", false),
        ] {
            assert_eq!(judge(text).met, met, "{text}");
        }
        assert_eq!(judge("frame_age.p99<80ms").to_string(), "frame_age.p99<80ms: NOT MET, 80 ms");
        let said = judge("round_trip.p50<1s").to_string();
        assert!(said.ends_with("NOT MET, nothing was measured"), "{said}");
    }

    #[test]
    fn nonsense_gets_a_sentence() {
        for (text, part) in [
            ("frame_age.p99", "looks like"),
            ("frame_age.p98<80ms", "did you mean frame_age.p9"),
            ("frame_age.p99<80", "write ms or s"),
            ("frame_age.p99<80%", "write ms or s"),
            ("late_inputs<2", "write %"),
            ("failed<2ms", "without a unit"),
            ("failed<", "no number"),
            ("failed<inf", "without a unit"),
        ] {
            let said = text.parse::<Requirement>().unwrap_err();
            assert!(said.contains(part), "{text}: {said}");
        }
        assert_eq!("help".parse(), Ok(Requirement::Help));
    }
}
