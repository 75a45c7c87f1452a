//! What the host of a session and the operator of the server may do to it, and why not.

use super::settings::SessionSettings;
use serde::{Deserialize, Serialize};
use shared::wire::HostSecret;
use std::net::IpAddr;
use utoipa::ToSchema;

/// What a host may do. Players are named by their numbers in the session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum HostAction {
    /// Calls the session something else, at once.
    Rename {
        /// 1 to 24 letters.
        name: String,
    },
    /// Changes everything else from the next round on; without rounds the world begins anew. The tick rate stays.
    Change {
        /// The new settings; what is left out stays as it is.
        settings: Box<SessionSettings>,
    },
    /// Lets nobody new in, or lets people in again.
    Lock {
        /// Whether nobody is let in.
        locked: bool,
    },
    /// Shows somebody out, who may come back.
    Kick {
        /// Who.
        #[schema(maximum = 65535)]
        player: u16,
    },
    /// Shows somebody out for as long as the session lasts, and whoever else sits at the same browser.
    Ban {
        /// Who.
        #[schema(maximum = 65535)]
        player: u16,
    },
    /// Lets nobody hear somebody, or lets them be heard again; whatever seat their browser has.
    Mute {
        /// Who.
        #[schema(maximum = 65535)]
        player: u16,
        /// Whether nobody hears them.
        muted: bool,
    },
    /// Puts somebody into another team.
    Move {
        /// Who.
        #[schema(maximum = 65535)]
        player: u16,
        /// From 1.
        #[schema(maximum = 255)]
        team: u8,
    },
    /// Begins the next round now.
    NextRound,
    /// Makes somebody else the host.
    HandOver {
        /// Who.
        #[schema(maximum = 65535)]
        player: u16,
    },
    /// Ends the session for everybody.
    End,
}

impl HostAction {
    /// What it is called, as the API calls it, and whom it is about.
    pub(crate) fn summary(&self) -> (&'static str, Option<u16>) {
        match *self {
            Self::Rename { .. } => ("rename", None),
            Self::Change { .. } => ("change", None),
            Self::Lock { locked: true } => ("lock", None),
            Self::Lock { locked: false } => ("unlock", None),
            Self::Kick { player } => ("kick", Some(player)),
            Self::Ban { player } => ("ban", Some(player)),
            Self::Mute { player, muted: true } => ("mute", Some(player)),
            Self::Mute { player, muted: false } => ("unmute", Some(player)),
            Self::Move { player, .. } => ("move", Some(player)),
            Self::NextRound => ("next_round", None),
            Self::HandOver { player } => ("hand_over", Some(player)),
            Self::End => ("end", None),
        }
    }
}

/// Why an action was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActError {
    /// The secret is not, or no longer, the host's.
    NotHost,
    /// There is nobody with that number.
    NobodyThere,
    /// A sentence about what makes no sense.
    Refused(String),
}

/// What the operator of the server may do to a session beside everything that its host may.
#[derive(Clone, Debug, PartialEq)]
pub enum OperatorAction {
    /// Shows somebody out, who may come back.
    Kick {
        /// Who.
        player: u16,
        /// What they are told.
        reason: String,
    },
    /// Shows everybody out who comes from an address, which is banned by then.
    ShowOut {
        /// The address, or of IPv6 the /64 network.
        address: IpAddr,
        /// What they are told.
        reason: String,
    },
    /// Ends the session for everybody.
    End,
    /// What a host may do.
    AsHost(HostAction),
}

/// What somebody wants done to a session, and on whose authority.
#[derive(Debug)]
pub enum Order {
    /// As its host, who shows the secret.
    Host(HostSecret, HostAction),
    /// As the operator of the server, who was recognised before it came here.
    Operator(OperatorAction),
}

/// Something that is wanted done, and whom to tell what came of it.
pub struct Act {
    /// What to do.
    pub order: Order,
    /// Called once, from the tick loop: it must not wait.
    pub answer: Box<dyn FnOnce(Result<(), ActError>) + Send>,
}

impl core::fmt::Debug for Act {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Act({:?})", self.order)
    }
}
