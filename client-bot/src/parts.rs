//! Bots spread over several processes. Comes in at the parent: that there is to be a bot more or less. Goes out: what
//! each bot and each second of all processes was like, as if the bots had been its own.
//!
//! A part is this program again, told by the flag `--part` which of how many it is. It reads a [`Command`] a line from
//! its standard input, and writes one line of JSON for each bot that is back and for each second. When its input ends,
//! because the run is over or the parent is gone, it calls its bots back and ends. Who is called back is the parent's
//! to say alone: a part has other news of who fell out.

use crate::config::{Config, Part};
use crate::generator;
use crate::progress::{Board, Standing};
use crate::tally::{Life, Sort};
use crate::window::{Counts, Times};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{self, Child, Stdio};
use std::str::FromStr;
use std::thread;
use tokio::sync::mpsc;

/// Lines of all parts that wait to be read; then parts wait. Each writes one a second, and one for each bot in the end.
pub(crate) const LINES_MAX: usize = 1024;

/// A line that a part reads: what becomes of the bot of that number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// It sets out.
    SetOut(u32),
    /// It says goodbye.
    ComeBack(u32),
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetOut(number) => write!(f, "+{number}"),
            Self::ComeBack(number) => write!(f, "-{number}"),
        }
    }
}

impl FromStr for Command {
    type Err = ();

    fn from_str(line: &str) -> Result<Self, ()> {
        let (command, number): (fn(u32) -> Self, _) = match line.split_at_checked(1).ok_or(())? {
            ("+", number) => (Self::SetOut, number),
            ("-", number) => (Self::ComeBack, number),
            _ => return Err(()),
        };
        number.parse().map(command).map_err(|_| ())
    }
}

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
    /// Bots that were sent out and are not back.
    pub(crate) away: u32,
}

impl Parts {
    /// Starts `count` of them; bots go into the sessions `codes`, or where quick play leads.
    pub(crate) fn start(config: &Config, count: u32, codes: &[String]) -> io::Result<Self> {
        let (tell, lines) = mpsc::channel(LINES_MAX);
        let mut children = Vec::new();
        for at in 0..count {
            let mut command = process::Command::new(std::env::current_exe()?);
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
        Self { children, lines, standings: BTreeMap::new(), away: 0 }
    }

    /// Bot `number` sets out.
    pub(crate) fn send_out(&mut self, number: u32) {
        self.tell(number, Command::SetOut(number));
        self.away += 1;
    }

    /// Bot `number` says goodbye.
    pub(crate) fn come_back(&mut self, number: u32) {
        self.tell(number, Command::ComeBack(number));
    }

    /// What is heard of a part next; the board is as parts say. `None` when none is left.
    pub(crate) async fn next(&mut self, board: &Board) -> Option<Heard> {
        let (part, said) = self.lines.recv().await?;
        Some(match said {
            Some(Said::Life(life)) => {
                self.away = self.away.saturating_sub(1);
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

    /// Tells the part that has bot `number`.
    fn tell(&mut self, number: u32, what: Command) {
        let part = number as usize % self.children.len();
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

    #[test]
    fn a_part_reads_what_it_is_told() {
        for (command, line) in [(Command::SetOut(0), "+0"), (Command::ComeBack(27_999), "-27999")] {
            assert_eq!((command.to_string(), line.parse()), (line.to_owned(), Ok(command)));
        }
        for bad in ["", "+", "-", "7", "+x", "ü"] {
            assert_eq!(bad.parse::<Command>(), Err(()), "{bad}");
        }
    }

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
