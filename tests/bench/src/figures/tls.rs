//! What TLS costs for each frame.

use super::Wanted;
use super::measured::{Measured, measure_world};
use super::stand::Stand;
use super::table::{Table, spread};
use anyhow::Result;

const PLAYERS: u32 = 300;

pub(super) fn run(wanted: &Wanted) -> Result<Table> {
    let players = wanted.at_most(PLAYERS);
    let (mut plain, mut secure) = (Vec::new(), Vec::new());
    for _ in 0..wanted.runs {
        for (tls, runs) in [(false, &mut plain), (true, &mut secure)] {
            let stand = Stand::with_world(tls, players)?;
            runs.push(measure_world(&stand, players, wanted.window(), &wanted.load_flags())?);
        }
    }
    let sentence = format!(
        "{players} bots in one world made for as many, {} runs of {} s each, taken in turns. All of the server's \
         processor time by the frames that it made: game, coding, inputs, everything.",
        wanted.runs, wanted.seconds
    );
    let columns = ["", "median", "lowest to highest"];
    let mut table = Table::new("TLS", &sentence, &columns);
    let cost = |runs: &[Measured]| runs.iter().map(Measured::us_per_frame).collect::<Vec<_>>();
    let (plain_us, secure_us) = (cost(&plain), cost(&secure));
    let ratios: Vec<_> = secure_us.iter().zip(&plain_us).map(|(wss, ws)| wss / ws).collect();
    let extra: Vec<_> = secure_us.iter().zip(&plain_us).map(|(wss, ws)| wss - ws).collect();
    table.row(&spread("ws, µs per frame", plain_us));
    table.row(&spread("wss, µs per frame", secure_us));
    table.row(&spread("more with wss, µs per frame", extra));
    table.row(&spread("wss / ws (to reach: 1.5)", ratios));
    Ok(table.note(&super::measured::remarks(plain.iter().chain(&secure))))
}
