//! Bots spread over several processes. Comes in at the parent: that there is to be a bot more or less. Goes out: what
//! each bot and each second of all processes was like, as if the bots had been its own.
//!
//! A part is this program again, told by the flag `--part` which of how many it is. It reads [`MORE`] and [`FEWER`] from
//! its standard input, a line each, and writes one line of JSON for each bot that is back and for each second. When its
//! input ends, because the run is over or the parent is gone, it calls its bots back and ends.

use crate::config::{Config, Part};
use crate::generator;
use crate::progress::{Board, Standing};
use crate::tally::{Life, Sort};
use crate::window::{Counts, Times};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use tokio::sync::mpsc;

/// There is to be a bot more.
pub(crate) const MORE: &str = "+";
/// There is to be a bot less: the newest says goodbye.
pub(crate) const FEWER: &str = "-";
/// Lines of all parts that wait to be read; then parts wait. Each writes one a second, and one for each bot in the end.
pub(crate) const LINES_MAX: usize = 1024;

/// A line that a part writes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Said {
    /// A bot is back.
    Life(Box<Life>),
    /// A second is over.
    Second {
        /// How things stand.
        standing: Standing,
        /// The times of this second, by sort of bot.
        times: Vec<(Sort, Times<Counts>)>,
    },
}

/// What is heard of a part.
#[derive(Debug)]
pub(crate) enum Heard {
    /// A bot is back.
    Life(Box<Life>),
    /// A second is over: the board is new.
    Second,
    /// It says no more. Before bots were called back that is too early.
    End,
}

/// A line of a part, or that there are no more.
type FromPart = (usize, Option<Said>);

/// The parts of a run, as the parent has them.
#[derive(Debug)]
pub(crate) struct Parts {
    children: Vec<Child>,
    lines: mpsc::Receiver<FromPart>,
    standings: BTreeMap<usize, Standing>,
    /// The part of each bot that was sent out and not called back, the newest last.
    sent: Vec<usize>,
    /// The parts of bots that fell out and are counted above still.
    fallen: Vec<usize>,
    /// Bots that were sent out and are not back.
    pub(crate) away: u32,
    /// The part that gets the next bot.
    next: usize,
}

impl Parts {
    /// Starts `count` of them; bots go into the sessions `codes`, or where quick play leads.
    pub(crate) fn start(config: &Config, count: u32, codes: &[String]) -> io::Result<Self> {
        let (tell, lines) = mpsc::channel(LINES_MAX);
        let mut children = Vec::new();
        for at in 0..count {
            let mut command = Command::new(std::env::current_exe()?);
            command.args(config.flags_of_a_part(Part { at, of: count }));
            command.args(codes.iter().flat_map(|code| ["--code", code]));
            let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
            let output = child.stdout.take().expect("it is piped");
            let tell = tell.clone();
            thread::spawn(move || listen(at as usize, output, &tell));
            children.push(child);
        }
        generator::counts_too(children.iter().map(Child::id));
        Ok(Self::of(children, lines))
    }

    fn of(children: Vec<Child>, lines: mpsc::Receiver<FromPart>) -> Self {
        let (standings, sent, fallen) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self { children, lines, standings, sent, fallen, away: 0, next: 0 }
    }

    /// How many bots there are to be, by what they were told.
    pub(crate) fn there(&self) -> u32 {
        self.sent.len() as u32
    }

    /// A bot more.
    pub(crate) fn more(&mut self) {
        self.tell(self.next, MORE);
        self.sent.push(self.next);
        self.away += 1;
        self.next = (self.next + 1) % self.children.len();
    }

    /// A bot less.
    pub(crate) fn fewer(&mut self) {
        if let Some(part) = self.sent.pop() {
            self.tell(part, FEWER);
        }
    }

    /// Whoever fell out is not counted any longer.
    pub(crate) fn forget_the_fallen(&mut self) {
        for part in self.fallen.drain(..) {
            if let Some(place) = self.sent.iter().rposition(|&other| other == part) {
                self.sent.remove(place);
            }
        }
    }

    /// What is heard of a part next; the board is as parts say. `None` when none is left.
    pub(crate) async fn next(&mut self, board: &Board) -> Option<Heard> {
        let (part, said) = self.lines.recv().await?;
        Some(match said {
            Some(Said::Life(life)) => {
                self.away = self.away.saturating_sub(1);
                if !life.was_called_back() {
                    self.fallen.push(part);
                }
                Heard::Life(life)
            }
            Some(Said::Second { standing, times }) => {
                self.stands(part, standing, board);
                for (sort, times) in times {
                    board.windows(sort).take_in(&times);
                }
                Heard::Second
            }
            None => {
                // What its bots did stays done.
                let last = self.standings.get(&part).copied().unwrap_or_default();
                self.stands(part, Standing { playing: 0, present: 0, ..last }, board);
                Heard::End
            }
        })
    }

    fn stands(&mut self, part: usize, standing: Standing, board: &Board) {
        self.standings.insert(part, standing);
        board.stands(self.standings.values().copied().fold(Standing::default(), Standing::plus));
    }

    /// Every bot is to come back.
    pub(crate) fn call_back(&mut self) {
        self.children.iter_mut().for_each(|child| drop(child.stdin.take()));
    }

    fn tell(&mut self, part: usize, what: &str) {
        // A part that is gone has nobody to tell; what is heard of it ends, and its bots are missing in the report.
        if let Some(input) = &mut self.children[part].stdin {
            let _ = writeln!(input, "{what}");
        }
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        self.call_back();
        for child in &mut self.children {
            // One that does not end by itself could not be waited for by anybody else.
            let _ = child.wait();
        }
    }
}

/// Reads what part `at` writes, to its end.
fn listen(at: usize, output: impl Read, tell: &mpsc::Sender<FromPart>) {
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        // Anything else on its output would be a mistake of ours, and ends what is heard of it.
        let Ok(said) = serde_json::from_str(&line) else { break };
        if tell.blocking_send((at, Some(said))).is_err() {
            return;
        }
    }
    // Nobody listens any more: then nobody misses it.
    let _ = tell.blocking_send((at, None));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A part that dies, or writes nonsense, has no bots that play, and is heard of.
    #[tokio::test]
    async fn a_part_that_ends_is_heard_of() {
        let (tell, lines) = mpsc::channel(LINES_MAX);
        let (mut parts, board) = (Parts::of(Vec::new(), lines), Board::default());
        let standing = Standing { playing: 4, present: 5, frames: 60, ..Standing::default() };
        let second = Said::Second { standing, times: Vec::new() };
        let line = serde_json::to_string(&second).expect("numbers") + "\n";
        let reading = thread::spawn(move || {
            listen(0, line.as_bytes(), &tell);
            listen(1, (line.clone() + "thread panicked\n" + &line).as_bytes(), &tell);
        });
        let mut heard = Vec::new();
        while let Some(next) = parts.next(&board).await {
            let Standing { playing, present, frames, .. } = board.standing();
            heard.push((matches!(next, Heard::End), playing, present, frames));
        }
        reading.join().expect("no panic");
        let expected = [(false, 4, 5, 60), (true, 0, 0, 60), (false, 4, 5, 120), (true, 0, 0, 120)];
        assert_eq!(heard, expected);
    }
}
