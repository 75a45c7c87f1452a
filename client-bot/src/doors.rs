//! The ways into the game: quick play at the address itself, or sessions by their codes. Comes in: the flags. Goes out: a
//! line for a bot.

use crate::config::Config;
use crate::http;
use crate::line::{Entrance, OpenError, Target};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// For how long a bot asks again for a ticket while the server says that there were too many; then it has failed. A
/// server gives one address a hundred at once and two per second from then on.
const TICKET_WAIT: Duration = Duration::from_secs(120);
/// The pause before the next try where the server does not say how long.
const TICKET_PAUSE_S: u64 = 1;
/// How the sessions are called that a run opens.
const SESSION_NAME: &str = "Load test";

/// Where the bots of a run go in.
#[derive(Debug)]
pub(crate) struct Doors {
    target: Target,
    /// Codes among which bots are spread evenly; none is quick play.
    codes: Vec<String>,
}

impl Doors {
    /// As the flags say: opens the sessions that they want. Errors with a sentence.
    pub(crate) async fn new(target: Target, config: &Config) -> Result<Self, String> {
        let mut codes = config.code.clone();
        for number in 1..=config.sessions.unwrap_or_default() {
            let players = config.players_per_session().min(u32::from(u16::MAX));
            let wish = json!({ "name": SESSION_NAME, "public": false, "max_players": players,
                               "max_spectators": players, "round_s": 0,
                               "pilots": { "fill_up_to": 0 } });
            let path = target.address().beside("/api/sessions").path;
            let answer = http::ask(&target, &path, Some(&wish.to_string())).await;
            let answer =
                answer.map_err(|error| format!("session {number} did not open: {error}"))?;
            let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
            match body["code"].as_str() {
                Some(code) if answer.status == 201 => codes.push(code.to_owned()),
                _ => return Err(format!("session {number} did not open: {}", said(&answer))),
            }
        }
        Ok(Self { target, codes })
    }

    /// Whether bots go in at the address itself.
    pub(crate) fn are_plain(&self) -> bool {
        self.codes.is_empty()
    }

    /// The sessions' codes.
    pub(crate) fn codes(&self) -> &[String] {
        &self.codes
    }

    /// The server's address.
    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// How many sessions the bots are spread over, where that is known.
    pub(crate) fn sessions(&self) -> usize {
        self.codes.len()
    }

    /// A line for bot `number`, from 0; to the session of that code where it comes back to one.
    pub(crate) async fn open(
        &self,
        number: u32,
        watch: bool,
        back_to: Option<&str>,
    ) -> Result<Entrance, OpenError> {
        if self.codes.is_empty() {
            if let Some(code) = back_to {
                let path = self.target.address().beside(&format!("/play/{code}")).path;
                match self.target.open_at(&path).await {
                    // It is gone: what is left is to play elsewhere, as the page does.
                    Err(OpenError::Http { status: 404, .. }) => {}
                    opened => return opened,
                }
            }
            return self.target.open().await;
        }
        let code = &self.codes[number as usize % self.codes.len()];
        let (path, wish) = (
            self.target.address().beside("/api/tickets").path,
            json!({ "code": code, "watch": watch }),
        );
        let refused = |said: String| OpenError::NoTicket { code: code.clone(), said };
        let until = Instant::now() + TICKET_WAIT;
        loop {
            let answer = http::ask(&self.target, &path, Some(&wish.to_string())).await;
            let answer = answer.map_err(|error| refused(error.to_string()))?;
            let wait = Duration::from_secs(answer.retry_after.unwrap_or(TICKET_PAUSE_S));
            if answer.status == 429 && Instant::now() + wait < until {
                sleep(wait).await;
                continue;
            }
            let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
            return match body["play"].as_str() {
                Some(play) if answer.status == 201 => self.target.open_at(play).await,
                _ => Err(refused(said(&answer))),
            };
        }
    }
}

/// What the server said was wrong, for people.
fn said(answer: &http::Answer) -> String {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let detail = body["detail"].as_str().and_then(shared::wire::message::clean_chat);
    detail.unwrap_or_else(|| format!("it answers with HTTP status {}", answer.status))
}
