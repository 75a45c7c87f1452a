//! What the operator does. Comes in: an action as JSON. Goes out: nothing when it is done, a problem when not, and in any
//! case a line of the audit log. Sessions are told through their one door.

use super::Operator;
use crate::directory::{Entry, HAND_OVER_WAIT, Leave};
use crate::http::api::body::JsonBody;
use crate::http::api::problem::Problem;
use crate::http::asking::ANSWER_WAIT;
use crate::net::Caller;
use crate::net::bans::BAN_MINUTES_MAX;
use crate::net::registry::network;
use crate::session::acts::{ActError, HostAction, OperatorAction};
use crate::session::door::ToSession;
use crate::session::inspect::Person;
use crate::store::KeptBan;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use serde::Deserialize;
use shared::wire::message::clean_chat;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::time::timeout;

/// What the operator may do. Sessions are named by their codes, players by their numbers in a session.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Action {
    /// Ends a session.
    EndSession { session: String },
    /// Hands a session over to another server of the site, where its match goes on.
    MoveSession { session: String },
    /// Shows somebody out, who may come back, with a sentence why.
    Kick {
        session: String,
        player: u16,
        #[serde(default)]
        reason: String,
    },
    /// Lets nobody hear somebody in their session, or lets them be heard again.
    Mute { session: String, player: u16, muted: bool },
    /// Bans the address that a player comes from, for so many minutes.
    BanPlayer {
        session: String,
        player: u16,
        minutes: u32,
        #[serde(default)]
        reason: String,
    },
    /// Bans an address, of IPv6 its /64 network, for so many minutes.
    Ban {
        address: IpAddr,
        minutes: u32,
        #[serde(default)]
        reason: String,
    },
    /// Lets an address in again.
    LiftBan { address: IpAddr },
    /// Tells everybody something, in one session or, without one, in all.
    Announce {
        text: String,
        #[serde(default)]
        session: Option<String>,
    },
    /// Changes what gets into the log, until the server starts anew, or reloads settings that have another filter than
    /// before.
    LogFilter { filter: String },
}

impl Action {
    /// What the audit log calls it, and on what; `session` says how a session of this code is named.
    fn in_words(&self, session: impl Fn(&str) -> String) -> (&'static str, String) {
        let who = |player: &u16, code: &String| format!("player {player} in {}", session(code));
        match self {
            Self::EndSession { session: code } => ("end session", session(code)),
            Self::MoveSession { session: code } => ("move session", session(code)),
            Self::Kick { session: code, player, reason } => {
                ("kick", format!("{}{}", who(player, code), because(reason)))
            }
            Self::Mute { session: code, player, muted: true } => ("mute", who(player, code)),
            Self::Mute { session: code, player, muted: false } => ("unmute", who(player, code)),
            Self::BanPlayer { session: code, player, minutes, reason } => {
                ("ban", format!("{} for {minutes} min{}", who(player, code), because(reason)))
            }
            Self::Ban { address, minutes, reason } => {
                ("ban", format!("{address} for {minutes} min{}", because(reason)))
            }
            Self::LiftBan { address } => ("lift ban", address.to_string()),
            Self::Announce { text, session: code } => {
                let those = code.as_deref().map_or_else(|| "all sessions".to_owned(), &session);
                ("announce", format!("{those}: {text}"))
            }
            Self::LogFilter { filter } => ("log filter", filter.clone()),
        }
    }
}

/// Does something as the operator.
pub(super) async fn act(
    State(operator): State<Arc<Operator>>,
    Extension(caller): Extension<Caller>,
    JsonBody(action): JsonBody<Action>,
) -> Result<StatusCode, Problem> {
    // In a task of its own: what is begun is done whole, and noted, also when the operator closes the page meanwhile.
    let doing = tokio::spawn(async move { operator.do_and_note(action, caller.network).await });
    doing.await.expect("it does not panic")
}

impl Operator {
    /// A session's code as logs may have it: that of a private one is a secret.
    fn for_log(&self, code: &str) -> String {
        match self.find(code) {
            Ok(entry) => entry.code.for_log(entry.is_public()),
            Err(_) => "no session".into(),
        }
    }

    /// Does it, and has the audit log say so.
    async fn do_and_note(&self, action: Action, own: IpAddr) -> Result<StatusCode, Problem> {
        let (what, target) = action.in_words(str::to_owned);
        let (_, logged) = action.in_words(|code| self.for_log(code));
        let (outcome, done) = match self.do_it(action, own).await {
            Ok(done) => (done, Ok(StatusCode::NO_CONTENT)),
            Err(problem) => (format!("refused: {}", problem.detail), Err(problem)),
        };
        self.audit.note(own, what, &target, &logged, &outcome);
        done
    }

    /// Does it; what the audit log says came of it.
    async fn do_it(&self, action: Action, own: IpAddr) -> Result<String, Problem> {
        match action {
            Action::EndSession { session } => {
                self.order(&*self.find(&session)?, OperatorAction::End).await?;
            }
            Action::MoveSession { session } => return self.hand_over(self.find(&session)?).await,
            Action::Kick { session, player, reason } => {
                let usual = "The operator of the server has shown you out.";
                let reason = sentence(&reason, usual)?;
                let entry = self.find(&session)?;
                let Person { name, .. } = self.person(&entry, player).await?;
                self.order(&entry, OperatorAction::Kick { player, reason }).await?;
                return Ok(format!("done: {name}"));
            }
            Action::Mute { session, player, muted } => {
                let entry = self.find(&session)?;
                let Person { name, .. } = self.person(&entry, player).await?;
                let action = OperatorAction::AsHost(HostAction::Mute { player, muted });
                self.order(&entry, action).await?;
                return Ok(format!("done: {name}"));
            }
            Action::BanPlayer { session, player, minutes, reason } => {
                let Person { name, address, .. } =
                    self.person(&*self.find(&session)?, player).await?;
                let address = address.ok_or(ActError::NobodyThere)?;
                return Ok(format!("{} ({name})", self.ban(address, minutes, &reason, own).await?));
            }
            Action::Ban { address, minutes, reason } => {
                return self.ban(address, minutes, &reason, own).await;
            }
            Action::LiftBan { address } => {
                if !self.common.bans.lift(address) {
                    let detail = "That address is not banned.";
                    return Err(Problem::new(StatusCode::NOT_FOUND, detail));
                }
            }
            Action::Announce { text, session } => {
                let text = clean_chat(&text).ok_or_else(|| {
                    Problem::refused("text: something that can be read in a line is needed.")
                })?;
                let those = match session {
                    Some(code) => vec![self.find(&code)?],
                    None => self.common.directory.entries(),
                };
                let count = those.len();
                for entry in those {
                    let told = ToSession::Announce { text: text.clone() };
                    // A session that is over or that does not answer hears nothing.
                    let _ = timeout(ANSWER_WAIT, entry.handle.tell(told)).await;
                }
                let sessions = if count == 1 { "session" } else { "sessions" };
                return Ok(format!("done: in {count} {sessions}"));
            }
            Action::LogFilter { filter } => {
                let no_log = || Problem::refused("This process writes no log.");
                let logs = self.logs.get().ok_or_else(no_log)?;
                logs.set_filter(&filter)
                    .map_err(|why| Problem::refused(format!("filter: {why}")))?;
            }
        }
        Ok("done".into())
    }

    async fn hand_over(&self, entry: Arc<Entry>) -> Result<String, Problem> {
        let code = entry.code;
        if self.common.directory.ways_out() == 0 {
            let detail = "No other server of the site could take it; see site_secret.";
            return Err(Problem::refused(detail));
        }
        let _ =
            timeout(HAND_OVER_WAIT, self.common.directory.hand_over(vec![entry], Leave::Operator))
                .await;
        match self.common.directory.taker(code) {
            Some(letter) => Ok(format!("done: to {letter}")),
            None => Err(Problem::busy("No other server took it; it goes on here.", HAND_OVER_WAIT)),
        }
    }

    async fn person(&self, entry: &Entry, player: u16) -> Result<Person, Problem> {
        let mut people = self.inspect(entry, true, false).await?.people.into_iter();
        let found = people.find(|person| person.number == player && !person.computer);
        Ok(found.ok_or(ActError::NobodyThere)?)
    }

    /// Bans an address and shows out whoever comes from there.
    async fn ban(
        &self,
        address: IpAddr,
        minutes: u32,
        reason: &str,
        own: IpAddr,
    ) -> Result<String, Problem> {
        if !(1..=BAN_MINUTES_MAX).contains(&minutes) {
            return Err(Problem::refused(format!("minutes: 1 to {BAN_MINUTES_MAX} are possible.")));
        }
        let address = network(address);
        if address == own {
            let detail =
                "That is the address that you come from yourself: you would lock yourself out.";
            return Err(Problem::refused(detail));
        }
        let reason = sentence(reason, "")?;
        let ban = self.common.bans.add(address, minutes, &reason);
        let ban = ban.map_err(|full| Problem::refused(full.to_string()))?;
        self.show_out(&ban).await;
        Ok(format!("done: {}", ban.address))
    }

    /// Shows everybody out whom a ban is for.
    pub(crate) async fn show_out(&self, ban: &KeptBan) {
        let told = match ban.reason.as_str() {
            "" => "The operator of the server has banned you.".to_owned(),
            reason => format!("The operator of the server has banned you: {reason}"),
        };
        for entry in self.common.directory.entries() {
            let action = OperatorAction::ShowOut { address: ban.address, reason: told.clone() };
            // One that is over has nobody in it, and the ban holds in any case.
            let _ = self.order(&entry, action).await;
        }
    }
}

/// A reason behind what was done for it.
fn because(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {reason}") }
}

/// What somebody is told, cleaned; `usual` where nothing was written.
fn sentence(text: &str, usual: &str) -> Result<String, Problem> {
    if text.trim().is_empty() {
        return Ok(usual.to_owned());
    }
    clean_chat(text).ok_or_else(|| {
        Problem::refused("reason: one line of some 200 letters at most is possible.")
    })
}
