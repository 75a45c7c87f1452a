//! The most players in one world, at equal density, before ticks need too long.

use super::Wanted;
use super::measured::{Measured, measure_world};
use super::stand::Stand;
use super::table::{Table, ms};
use anyhow::Result;

/// Players of the first try.
const FIRST: u32 = 800;
/// By how many they grow until something breaks.
const STEP: u32 = 400;
/// The search is over when what held and what broke are no farther apart than this share of what held.
const PRECISION: f64 = 0.05;
/// Work of a tick at the 99th percentile that is still fine, in seconds.
const WORK_P99_MAX: f64 = 0.025;

pub(super) fn run(wanted: &Wanted) -> Result<Table> {
    let sentence = format!(
        "One world made for as many as play in it, {} s each. It holds while work of a tick is at most {:.0} ms at the \
         99th percentile and no tick is dropped.",
        wanted.seconds,
        1e3 * WORK_P99_MAX
    );
    let columns = [
        "players",
        "",
        "work of a tick, p50 / p99, ms",
        "dropped",
        "server / bots, of their cores",
    ];
    let mut table = Table::new("The most players", &sentence, &columns);
    let (mut held, mut broke): (Option<u32>, Option<u32>) = (None, None);
    while let Some(players) = next(held, broke, wanted.players) {
        let stand = Stand::with_world(false, players)?;
        // A server that cannot even let them all in has broken too.
        let (cells, why) =
            match measure_world(&stand, players, wanted.window(), &wanted.load_flags()) {
                Ok(run) => (cells(&run), breaks(&run)),
                Err(error) => (vec!["–".to_owned(); 3], Some(format!("{error:#}"))),
            };
        let verdict = why.map_or("held".to_owned(), |why| format!("**broke**: {why}"));
        if verdict == "held" {
            held = Some(players)
        } else {
            broke = Some(players)
        }
        table.row(&[vec![players.to_string(), verdict], cells].concat());
    }
    let most = held.map_or("none".to_owned(), |held| held.to_string());
    let end = match broke {
        Some(broke) => format!("The most that held: **{most}**; {broke} did not."),
        None => format!("The most that held: **{most}**; more were not tried (`--players`)."),
    };
    Ok(table.note(&end))
}

/// How many to try next; `None` when that is known well enough.
fn next(held: Option<u32>, broke: Option<u32>, most: u32) -> Option<u32> {
    match (held, broke) {
        (None, None) => Some(FIRST.min(most)),
        (Some(held), None) => (held < most).then(|| (held + STEP).min(most)),
        (held, Some(broke)) => {
            let held = held.unwrap_or(0);
            let near = f64::from(broke - held) <= (f64::from(held) * PRECISION).max(8.0);
            (!near).then(|| held + (broke - held) / 2)
        }
    }
}

fn breaks(run: &Measured) -> Option<String> {
    // Whoever fell out is no load: what is left would be held.
    if !run.faults().is_empty() {
        return Some(run.faults());
    }
    let work = run.work(0.99).unwrap_or(f64::INFINITY);
    if run.dropped() > 0.0 {
        return Some(format!("{} ticks were dropped", run.dropped()));
    }
    (work > WORK_P99_MAX).then(|| format!("a tick's work took {} ms", ms(Some(work))))
}

fn cells(run: &Measured) -> Vec<String> {
    let late = if run.bottleneck().is_some() { " (the bots were at their limit)" } else { "" };
    vec![
        format!("{} / {}", ms(run.work(0.5)), ms(run.work(0.99))),
        run.dropped().to_string(),
        format!("{:.0} % / {:.0} %{late}", 100.0 * run.server_share, 100.0 * run.load_share),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_ends_near_the_knee_wherever_it_is() {
        for knee in [1, 50, 799, 800, 1_900, 2_345, 3_999, 5_000] {
            let (mut held, mut broke) = (None, None);
            let mut tries = 0;
            while let Some(players) = next(held, broke, 4_000) {
                if players <= knee {
                    held = Some(players)
                } else {
                    broke = Some(players)
                }
                tries += 1;
                assert!(tries < 20, "{knee}");
            }
            let held = held.unwrap_or(0);
            assert!(
                held <= knee && f64::from(knee.min(4_000) - held) <= f64::from(knee) * 0.05 + 8.0,
                "{knee}: {held}"
            );
        }
    }
}
