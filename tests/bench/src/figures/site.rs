//! What it costs that a server of a site passes on what is for a session of another one.

use super::Wanted;
use super::measured::{Measured, measure_world, remarks};
use super::stand::Stand;
use super::table::{Table, spread};
use anyhow::Result;

const PLAYERS: u32 = 300;

pub(super) fn run(wanted: &Wanted) -> Result<Table> {
    let players = wanted.at_most(PLAYERS);
    let (mut straight, mut passed_on) = (Vec::new(), Vec::new());
    for _ in 0..wanted.runs {
        for (through, runs) in [(false, &mut straight), (true, &mut passed_on)] {
            let stand = Stand::of_site(through, players)?;
            runs.push(measure_world(&stand, players, wanted.window(), &wanted.load_flags())?);
        }
    }
    let sentence = format!(
        "{players} bots in one world, {} runs of {} s each, taken in turns: straight to the server that has it, and through \
         another one of its site, which shares that server's core.",
        wanted.runs, wanted.seconds
    );
    let mut table = Table::new("Passed on", &sentence, &["", "median", "lowest to highest"]);
    let mut row = |name: &str, runs: &[Measured], of: &dyn Fn(&Measured) -> f64| {
        table.row(&spread(name, runs.iter().map(of).collect()));
    };
    let game = |run: &Measured| run.us_per_player_second();
    let passing = |run: &Measured| run.through_share * 1e6 / f64::from(run.players);
    let age = |run: &Measured| run.over_time("/frame_age_ms/p50");
    let confirmed = |run: &Measured| run.over_time("/input_to_frame_ms/p50");
    row("the game, straight, µs per player and second", &straight, &game);
    row("the game, passed on", &passed_on, &game);
    row("passing on", &passed_on, &passing);
    row("age of frames, straight, p50, ms", &straight, &age);
    row("age of frames, passed on", &passed_on, &age);
    row("input to the frame that confirms it, straight, p50, ms", &straight, &confirmed);
    row("input to the frame that confirms it, passed on", &passed_on, &confirmed);
    Ok(table.note(&remarks(straight.iter().chain(&passed_on))))
}
