//! How a bot gets a line: its first, the next after one was lost, and the next of a bot that joins again and again.
//! Comes in: who it is. Goes out: a bot with a line, or how its life ended without.

use super::{Bot, Errand, Surroundings, WAITING_PERIOD};
use crate::behaviour;
use crate::coming_back::Tries;
use crate::ending::Ending;
use crate::held::Held;
use crate::line::{self, Entrance};
use crate::tally::{Life, add_stats};
use shared::game::{Brain, Game};
use shared::netcode::client::{Client, Stats};
use shared::netcode::shelf::Shelf;
use shared::wire::close::CloseCode;
use shared::wire::rows::Rows;
use std::sync::Arc;
use tokio::time::{Instant, sleep_until};

/// What the server is told when a bot leaves that joins again soon.
const SEE_YOU: &str = "The bot comes again.";

/// Lives the life of a bot on such an errand; `opened` when somebody has opened its line already.
pub(crate) async fn live<G: Game>(
    errand: Errand,
    opened: Option<Entrance>,
    mut around: Surroundings,
    shelf: Arc<Shelf<G>>,
) -> Life {
    let entrance = match opened {
        Some(entrance) => Ok(entrance),
        None => tokio::select! {
            entrance = around.doors.open(errand.number, errand.watches(), None) => entrance,
            _ = around.stop.changed() => return Life::without_a_line(errand, Ending::CalledBack),
        },
    };
    match entrance {
        Ok(entrance) => Bot::new(errand, entrance, around, shelf).live().await,
        Err(error) => {
            around.board.fell_out(false);
            Life::without_a_line(errand, Ending::NoLine(error.to_string()))
        }
    }
}

impl<G: Game> Bot<G> {
    fn new(errand: Errand, at: Entrance, around: Surroundings, shelf: Arc<Shelf<G>>) -> Self {
        let next_wake = Instant::now() + WAITING_PERIOD;
        let number = errand.number;
        // Multiples of the golden ratio fall evenly into a circle, however many there are.
        let phase = (f64::from(number) * 0.618_033_988_749_895).fract();
        Self {
            client: Self::client(errand, &shelf),
            shelf,
            brain: G::Brain::new(u64::from(number)),
            own: Rows::new(G::KINDS),
            line: at.line,
            session: at.session,
            seat: None,
            lost_seats: 0,
            held: Held::of_bot(number, phase, errand.preset),
            errand,
            ended: false,
            around,
            timer: Box::pin(sleep_until(next_wake)),
            next_wake,
            period: WAITING_PERIOD,
            phase,
            hello_ms: 0.0,
            joined_ms: None,
            joined: 0,
            stays: 0,
            played_ms: 0.0,
            lost_ms: None,
            present: false,
            tries: Tries::default(),
            heard_ms: 0.0,
            frame_ms: None,
            blocked_ms: None,
            look_ms: 0.0,
            chat_ms: 0.0,
            past: Stats::default(),
            seen: Stats::default(),
            thought: None,
            sent_bytes: 0,
        }
    }

    fn client(errand: Errand, shelf: &Arc<Shelf<G>>) -> Client<G> {
        let mut client = Client::new(&format!("Bot {}", errand.number + 1))
            .without_pictures()
            .sharing(Arc::clone(shelf));
        client.introduction().watch = errand.watches();
        client
    }

    /// Opens another line after one was lost; else how the bot's life ended.
    pub(super) async fn come_back(&mut self, lost: Ending) -> Result<(), Ending> {
        let session = self.session.clone();
        let entrance = self.keep_trying(lost, session.as_deref()).await?;
        self.take(entrance);
        Ok(())
    }

    /// Another line after one was lost or did not open, however long it takes within reason.
    async fn keep_trying(&mut self, lost: Ending, to: Option<&str>) -> Result<Entrance, Ending> {
        let mut last = lost.clone();
        while let Some(wake) = self.tries.next(&last, Instant::now(), self.phase) {
            match self.open_at(wake, to).await {
                Err(failed @ Ending::NoLine(_)) => last = failed,
                done => return done,
            }
        }
        Err(lost)
    }

    /// Leaves, waits a little, and opens a line as somebody new; else how the bot's life ended.
    pub(super) async fn churn(&mut self) -> Result<(), Ending> {
        line::close(&mut self.line, CloseCode::Normal, SEE_YOU).await;
        let back = Instant::now() + behaviour::away(self.phase, self.stays);
        // It got in and stayed for as long as it wanted, however short that was: whatever it tries next, it begins anew.
        self.tries = Tries::default();
        // Nobody keeps the seat of one who left.
        self.seat = None;
        let entrance = match self.open_at(back, None).await {
            Err(failed @ Ending::NoLine(_)) if self.around.come_back => {
                self.is_away(self.now_ms());
                self.keep_trying(failed, None).await?
            }
            done => done?,
        };
        self.stays += 1;
        add_stats(&mut self.past, &self.seen);
        self.seen = Stats::default();
        self.client = Self::client(self.errand, &self.shelf);
        self.thought = None;
        self.take(entrance);
        Ok(())
    }

    /// Another line, not before `wake`; to the session of that code if it is still there.
    async fn open_at(&mut self, wake: Instant, session: Option<&str>) -> Result<Entrance, Ending> {
        let mut stop = self.around.stop.clone();
        let again = async {
            sleep_until(wake).await;
            self.around.doors.open(self.errand.number, self.errand.watches(), session).await
        };
        tokio::select! {
            entrance = again => entrance.map_err(|error| Ending::NoLine(error.to_string())),
            _ = stop.changed() => Err(Ending::CalledBack),
        }
    }

    /// From now on this is the line.
    fn take(&mut self, at: Entrance) {
        (self.line, self.session) = (at.line, at.session);
        self.held = Held::of_bot(self.errand.number, self.phase, self.errand.preset);
        (self.ended, self.blocked_ms, self.frame_ms) = (false, None, None);
        self.period = WAITING_PERIOD;
        self.wake_at(Instant::now() + WAITING_PERIOD);
    }
}
