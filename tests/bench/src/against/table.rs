//! The table: medians over the rounds, and how many times as much as this server each takes.

use super::contender::Contender;
use super::run::Outcome;
use super::scene::{RATE, Scene};
use crate::process::median;

/// Above this share of its core a server has no more to give, and what it takes says nothing.
const FULL: f64 = 0.97;
/// Below this share of the rate messages are fewer than asked for.
const SLOW: f64 = 0.95;
/// Above this share of its core the load may be what is late.
const LOAD_FULL: f64 = 0.95;

/// Above this share of the server's core for something else a run is disturbed.
const DISTURBED: f64 = 0.1;

const HEAD: &str = "| | CPU per player-second, µs | × ours | bytes per player-second | × ours | on the wire | ticks/s | on time | interval p99, ms | memory, MB | in view | |
|---|---|---|---|---|---|---|---|---|---|---|---|";

/// The medians of a contender's rounds.
struct Medians {
    contender: Contender,
    cpu: f64,
    share: f64,
    payload: f64,
    wire: f64,
    messages: f64,
    on_time: f64,
    interval: f64,
    memory: f64,
    view: Option<f64>,
    load: f64,
    disturbed: f64,
    lost: f64,
}

impl Medians {
    fn of(contender: Contender, outcomes: &[Outcome]) -> Self {
        let of = |what: fn(&Outcome) -> f64| median(outcomes.iter().map(what).collect());
        let views: Vec<f64> = outcomes.iter().filter_map(|outcome| outcome.view).collect();
        Self {
            contender,
            cpu: of(|o| o.cpu_us),
            share: of(|o| o.cpu_share),
            payload: of(|o| o.payload),
            wire: of(|o| o.wire),
            messages: of(|o| o.messages),
            on_time: of(|o| o.second.on_time),
            interval: of(|o| o.second.interval_p99_ms),
            memory: of(|o| o.memory as f64),
            view: (!views.is_empty()).then(|| median(views)),
            load: of(|o| o.load_share),
            disturbed: of(|o| o.disturbed),
            lost: of(|o| o.lost),
        }
    }

    /// Whether it could do the work at all.
    fn carries(&self) -> bool {
        self.share < FULL && self.messages >= SLOW * f64::from(RATE) && self.lost == 0.0
    }

    fn remark(&self) -> String {
        let mut remarks = Vec::new();
        let is_disturbed = self.disturbed > DISTURBED;
        if !self.carries() {
            // Whoever is given half a core cannot be blamed for half the messages.
            let verdict = if is_disturbed { "fell behind" } else { "**cannot carry it**" };
            remarks.push(format!(
                "{verdict}: {:.0} % of its core, {:.1} of {RATE} ticks/s",
                100.0 * self.share,
                self.messages
            ));
        }
        if self.lost > 0.0 {
            remarks.push(format!("{:.0} players lost", self.lost));
        }
        if self.load > LOAD_FULL {
            remarks.push(format!("load core at {:.0} %: times are the load's", 100.0 * self.load));
        }
        if is_disturbed {
            remarks.push(format!(
                "**disturbed**: something else had {:.0} % of its core",
                100.0 * self.disturbed
            ));
        }
        remarks.join("; ")
    }

    fn line(&self, ours: Option<&Self>) -> String {
        let times = |mine: f64, ours: Option<f64>| match ours {
            Some(ours) if ours > 0.0 => format!("{:.2}", mine / ours),
            _ => "–".into(),
        };
        format!(
            "| {} | {:.1} | {} | {:.0} | {} | {:.0} | {:.1} | {:.1} % | {:.1} | {:.0} | {} | {} |",
            self.contender.title(),
            self.cpu,
            times(self.cpu, ours.map(|ours| ours.cpu)),
            self.payload,
            times(self.payload, ours.map(|ours| ours.payload)),
            self.wire,
            self.messages,
            100.0 * self.on_time,
            self.interval,
            self.memory / 1e6,
            self.view.map_or("–".into(), |view| format!("{view:.1}")),
            self.remark(),
        )
    }
}

/// A scene's table, and a sentence on how far ahead of the best of the others this server is.
pub(crate) fn table(scene: Scene, outcomes: &[(Contender, Vec<Outcome>)]) -> String {
    let medians: Vec<_> = outcomes
        .iter()
        .filter(|(_, outcomes)| !outcomes.is_empty())
        .map(|(contender, outcomes)| Medians::of(*contender, outcomes))
        .collect();
    let ours = medians.iter().find(|medians| medians.contender == Contender::Ours);
    let mut text = format!("### {}\n\n{HEAD}\n", capital(scene.title()));
    for medians in &medians {
        text += &medians.line(ours);
        text.push('\n');
    }
    let rivals = || medians.iter().filter(|m| m.contender.is_rival() && m.carries());
    let best = |what: fn(&Medians) -> f64| rivals().map(what).min_by(f64::total_cmp);
    if let (Some(ours), Some(cpu), Some(bytes)) = (ours, best(|m| m.cpu), best(|m| m.payload)) {
        text += &format!(
            "\nAgainst the best of the others that carry it: {:.1} times fewer bytes, {:.1} times less CPU.\n",
            bytes / ours.payload,
            cpu / ours.cpu
        );
    }
    text
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::against::second::Second;

    fn outcome(cpu_us: f64, payload: f64, cpu_share: f64, messages: f64) -> Outcome {
        Outcome {
            cpu_us,
            cpu_share,
            payload,
            wire: payload + 60.0,
            messages,
            second: Second { on_time: 0.99, interval_p99_ms: 40.0 },
            memory: 10_000_000,
            view: Some(30.0),
            load_share: 0.2,
            disturbed: 0.0,
            lost: 0.0,
        }
    }

    #[test]
    fn medians_are_compared_with_the_best_who_can_carry_it() {
        let outcomes = [
            (Contender::Ours, [9.0, 1.0, 2.0].map(|x| outcome(100.0 * x, 50.0, 0.1, 30.0)).into()),
            (Contender::Obvious, vec![outcome(800.0, 500.0, 0.5, 30.0)]),
            (Contender::Colyseus, vec![outcome(300.0, 60.0, 0.99, 4.0)]),
            (Contender::NodeWs, vec![outcome(900.0, 400.0, 0.6, 29.9)]),
            (Contender::Floor, vec![outcome(50.0, 50.0, 0.05, 30.0)]),
        ];
        let text = table(Scene::World1000, &outcomes);
        assert!(text.contains("| this server | 200.0 | 1.00 | 50 | 1.00 | 110 |"), "{text}");
        assert!(text.contains("**cannot carry it**: 99 % of its core, 4.0 of 30 ticks/s"));
        assert!(text.ends_with("8.0 times fewer bytes, 4.0 times less CPU.\n"), "{text}");
    }
}
