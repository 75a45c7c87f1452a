//! Who is compared.

use super::load::Talk;
use clap::ValueEnum;

/// One way to do the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Contender {
    /// This server, with its own bots.
    Ours,
    /// tokio-tungstenite, the whole state to everybody.
    Obvious,
    /// Colyseus with its own state, views and transport.
    Colyseus,
    /// Node.js with `ws`, packed bytes.
    NodeWs,
    /// Raw sockets, as many bytes as this server sends.
    Floor,
}

impl Contender {
    /// In the order of a round: the floor has to know what this server sent.
    pub(crate) const ALL: [Self; 5] =
        [Self::Ours, Self::Obvious, Self::Colyseus, Self::NodeWs, Self::Floor];

    /// What the table calls it.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Ours => "this server",
            Self::Obvious => "tokio-tungstenite, full bincode",
            Self::Colyseus => "Colyseus",
            Self::NodeWs => "Node.js ws, packed bytes",
            Self::Floor => "floor: raw sockets, our bytes",
        }
    }

    /// How the load talks to it.
    pub(crate) const fn talk(self) -> Talk {
        match self {
            Self::Ours | Self::Obvious | Self::NodeWs => Talk::WebSocket,
            Self::Colyseus => Talk::Colyseus,
            Self::Floor => Talk::Raw,
        }
    }

    /// Whether it does what this server does, so that figures can be compared.
    pub(crate) const fn is_rival(self) -> bool {
        matches!(self, Self::Obvious | Self::Colyseus | Self::NodeWs)
    }
}
