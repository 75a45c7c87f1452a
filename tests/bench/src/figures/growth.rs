//! What a player costs as they become more, at equal density: the arena grows with them.

use super::Wanted;
use super::measured::{Measured, measure_world};
use super::stand::Stand;
use super::table::{Table, ms};
use crate::process::median;
use anyhow::Result;

const PLAYERS: [u32; 7] = [100, 200, 400, 800, 1_200, 1_600, 2_000];
/// What the others are compared with.
const COMPARED_WITH: u32 = 200;

pub(super) fn run(wanted: &Wanted) -> Result<Table> {
    let players: Vec<_> =
        PLAYERS.into_iter().filter(|&players| players <= wanted.players).collect();
    let mut runs: Vec<Vec<Measured>> = players.iter().map(|_| Vec::new()).collect();
    // In turns, so that whatever else the machine does for a while meets all of them.
    for _ in 0..wanted.runs {
        for (&players, runs) in players.iter().zip(&mut runs) {
            let stand = Stand::with_world(false, players)?;
            runs.push(measure_world(&stand, players, wanted.window(), &wanted.load_flags())?);
        }
    }
    let sentence = format!(
        "One world made for as many as play in it, medians of {} runs of {} s, taken in turns. To reach: 2,000 players \
         cost within 1.3 times of what {COMPARED_WITH} do, each.",
        wanted.runs, wanted.seconds
    );
    let columns = [
        "players",
        "server's processor time per player and second, µs",
        "of that at 200",
        "work of a tick, p50 / p99, ms",
        "received per player and second, B",
        "server / bots, of their cores",
    ];
    let mut table = Table::new("Growth", &sentence, &columns);
    let middle =
        |runs: &[Measured], of: &dyn Fn(&Measured) -> f64| median(runs.iter().map(of).collect());
    let cost = |runs: &[Measured]| middle(runs, &Measured::us_per_player_second);
    let base =
        players.iter().position(|&players| players == COMPARED_WITH).map(|at| cost(&runs[at]));
    for (players, runs) in players.iter().zip(&runs) {
        let ratio = base.map_or("–".to_owned(), |base| format!("{:.2}", cost(runs) / base));
        let work = |q| ms(Some(middle(runs, &|run| run.work(q).unwrap_or(f64::NAN))));
        let share = |of: &dyn Fn(&Measured) -> f64| 100.0 * middle(runs, of);
        table.row(&[
            players.to_string(),
            format!("{:.0}", cost(runs)),
            ratio,
            format!("{} / {}", work(0.5), work(0.99)),
            format!(
                "{:.0}",
                middle(runs, &|run| run.of_bots("/per_player/received_bytes_per_second"))
            ),
            format!(
                "{:.0} % / {:.0} %",
                share(&|run| run.server_share),
                share(&|run| run.load_share)
            ),
        ]);
    }
    Ok(table.note(&super::measured::remarks(runs.iter().flatten())))
}
