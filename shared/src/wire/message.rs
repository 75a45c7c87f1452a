//! Control messages: rare, so plain serde through bincode 2, behind one byte of type. Beside this
//! module only checkpoints know bincode.
//!
//! ```text
//! u8 0             the message's type
//! ..               the message, bincode 2 "standard" (little end first, varint integers)
//! ```
//!
//! bincode believes the lengths it reads: without a limit ten bytes ask for 2^62 and abort the
//! process. Every decode here has one, and refuses bytes left over; what a client says has a
//! smaller one than what a server says, as a server has thousands of clients.

pub use super::text::{CHAT_BYTES_MAX, NAME_CHARS_MAX, clean_chat, clean_name};
use super::{HostSecret, SeatToken, Visitor, WireError};
use crate::game::{PlayerId, Tick};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// First byte of a control message, both ways.
pub const TYPE: u8 = 0;
/// The largest message that a server takes, in bytes. A larger one ends the connection with 1009.
pub const CLIENT_MESSAGE_BYTES_MAX: usize = 1024;
/// The most that a client's message may claim to occupy once decoded, in bytes; past it the decode
/// fails. Twice the largest message: numbers are shorter on the way than they are in memory.
pub const CLIENT_CLAIM_BYTES_MAX: usize = 2 * CLIENT_MESSAGE_BYTES_MAX;
/// The most that any other control message may claim to occupy once decoded, in bytes; past it the
/// decode fails. The largest legal one is a roster of everybody.
pub const CONTROL_BYTES_MAX: usize = 1 << 20;

/// A field that was not what it should have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Index among the game's kinds.
    pub kind: u8,
    /// Of the entity.
    pub id: u32,
    /// Index among the kind's fields.
    pub field: u8,
    /// What the client would have had.
    pub had: i32,
    /// What it is.
    pub is: i32,
}

/// The first message on every connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`super::Protocol::hash`] of the client's build.
    pub protocol: u64,
    /// How the player wants to be called; the server cleans it.
    pub name: String,
    /// The token of the last [`ServerMessage::Welcome`], to have that seat again; `None` for a new
    /// one. With a token that is good the name stays as it was.
    pub seat: Option<SeatToken>,
    /// By what this client is known again, over sessions and years; all zeros tells nothing.
    pub visitor: Visitor,
    /// Shown by whoever opened the session: makes the player its host.
    pub host: Option<HostSecret>,
    /// Whether to watch rather than to play.
    pub watch: bool,
}

impl Hello {
    /// Of a new player who tells no more than has to be told.
    pub fn new(protocol: u64, name: &str) -> Self {
        let name = name.to_owned();
        Self { protocol, name, seat: None, visitor: Visitor::default(), host: None, watch: false }
    }
}

/// Where a spectator looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Look {
    /// At whoever leads.
    #[default]
    Leader,
    /// At a player.
    Player(PlayerId),
    /// At a place, in whole units of the game.
    Place {
        /// To the east of the middle, at most [`LOOK_UNITS_MAX`] either way.
        x: i32,
        /// To the south of it.
        y: i32,
    },
}

/// The farthest that a spectator may look from the middle, in the game's units.
pub const LOOK_UNITS_MAX: i32 = 1 << 20;

/// What a client says, beside inputs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClientMessage {
    /// The first message on every connection.
    Hello(Hello),
    /// A line to everybody in the session, or to the own team.
    Chat {
        /// Whether only the own team is to hear it.
        team: bool,
        /// What to say.
        text: String,
    },
    /// The client's rows are not what the server thinks: send a keyframe.
    Resync {
        /// The newest tick it decoded.
        tick: Tick,
        /// Whether a checksum differed (else a frame did not fit).
        mismatch: bool,
    },
    /// Asks for [`ServerMessage::Pong`] within a tick, to measure the round trip.
    Ping {
        /// Comes back unchanged.
        nonce: u32,
    },
    /// After a keyframe that was asked for because a checksum differed: a field that was wrong, for a
    /// developer to find the cause. At most [`crate::netcode::suspect::DIFFERENCES_MAX`] of them.
    Mismatch {
        /// The keyframe's.
        tick: u32,
        /// Which field.
        difference: Difference,
    },
    /// Where to look from now on, while watching.
    Look(Look),
    /// Wants to watch, or to play: granted where there is room.
    Watch(bool),
    /// Wants to be in this team, from 1: granted where teams stay even.
    Team(u8),
    /// Shows everybody a sign, below [`EMOTES`].
    Emote(u8),
}

/// How many signs there are; what each looks like is the page's.
pub const EMOTES: u8 = 8;

/// Where a session is in its rounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// There are no rounds.
    #[default]
    Endless,
    /// Nothing counts yet.
    WarmUp,
    /// The round is on.
    Play,
    /// The round is over and its result is shown. Everybody's input is that of doing nothing.
    Results,
}

/// A player's line in the result of a round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultLine {
    /// From 1; equal points share a place.
    pub place: u16,
    /// Who.
    pub player: PlayerId,
    /// Points.
    pub score: i32,
    /// [`crate::game::Game::FIGURES`], in their order.
    pub figures: Vec<i32>,
}

/// What a server says, beside frames.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ServerMessage {
    /// The answer to a hello that was let in; a keyframe follows.
    Welcome {
        /// Who the client is.
        player: PlayerId,
        /// The name as cleaned.
        name: String,
        /// The session's tick as this was written.
        tick: Tick,
        /// The session's [`crate::game::Setup`], encoded with [`encode`].
        setup: Vec<u8>,
        /// What gets this seat again when the connection is lost; the one before it is worth nothing
        /// from now on.
        seat: SeatToken,
    },
    /// Players who joined, became something else or left since the last roster.
    Roster {
        /// Whether `joined` is everybody there is: forget who was known before.
        everybody: bool,
        /// Came, or are not what they were before: the newest entry of a player counts.
        joined: Vec<RosterEntry>,
        /// Went.
        left: Vec<PlayerId>,
    },
    /// How the receiver and the best stand.
    Standings {
        /// Highest first, at most [`STANDINGS_MAX`]: who, and how many points.
        best: Vec<(PlayerId, i32)>,
        /// The receiver's own place, from 1; 0 for who watches.
        rank: u16,
        /// The receiver's own points.
        score: i32,
        /// How many players there are in all.
        players: u16,
        /// Points of the teams, the first team's first; empty where there are none.
        teams: Vec<i32>,
    },
    /// A line of chat.
    Chat {
        /// Who said it; `None` is the server.
        from: Option<PlayerId>,
        /// Whether only the team hears it.
        team: bool,
        /// What.
        text: String,
    },
    /// Something that the game tells everybody: one of its events, encoded with [`encode`].
    Event {
        /// When.
        tick: Tick,
        /// What.
        event: Vec<u8>,
    },
    /// The answer to a ping.
    Pong {
        /// As in the ping.
        nonce: u32,
        /// For how long the ping waited at the server, in µs: it looks at its sockets when a tick is due.
        waited_us: u32,
    },
    /// What was said before the receiver came, oldest first: who, who may have left since, and what.
    History {
        /// At most [`HISTORY_MAX`].
        lines: Vec<(String, String)>,
    },
    /// What the session is called and whether it is open.
    About {
        /// Its name.
        name: String,
        /// Whether it is in the list.
        public: bool,
        /// Whether nobody new is let in.
        locked: bool,
        /// Whether players may change teams.
        switch_teams: bool,
        /// By how many seconds what spectators see is delayed.
        delay_s: u8,
    },
    /// A phase of the session's rounds begins, or is on as the receiver comes.
    Phase {
        /// Which.
        phase: Phase,
        /// The round's number, from 1; 0 before the first.
        round: u32,
        /// The tick at which it ends; `None` where nobody knows yet.
        ends: Option<Tick>,
    },
    /// The world begins anew: rules follow from this setup, and the next frame is a keyframe.
    Begin {
        /// The new [`crate::game::Setup`], encoded with [`encode`].
        setup: Vec<u8>,
    },
    /// How the round ended.
    Results {
        /// The round's number.
        round: u32,
        /// Points of the teams, the first team's first; empty where there are none.
        teams: Vec<i32>,
        /// The best, at most [`RESULTS_MAX`], and the receiver's own line, if it has one.
        lines: Vec<ResultLine>,
        /// Whether the server records rounds, so that this one can be looked at again.
        recorded: bool,
    },
    /// Somebody shows a sign.
    Emote {
        /// Who.
        from: PlayerId,
        /// Which, below [`EMOTES`].
        emote: u8,
    },
    /// The receiver is the session's host from now on, and shows this to the HTTP API.
    Host {
        /// Worth nothing once somebody else is the host.
        secret: HostSecret,
    },
    /// The server fell behind by more than it makes up for: the world stood still, and all ticks from the next one on are
    /// so many ticks later than they were to be.
    Dropped {
        /// How many.
        ticks: u32,
    },
    /// Where those are of whom the receiver may know, seen or not; see [`crate::game::Circle`]. Whoever was in the last
    /// one and is not in this one is nowhere now; the receiver may be among them.
    Whereabouts {
        /// Who, and where, in whole units of the game. Good for [`WHEREABOUTS_SECONDS`].
        places: Vec<(PlayerId, i32, i32)>,
    },
}

/// Seconds after which a place is forgotten of which nothing new was told: the receiver may no longer know of it.
pub const WHEREABOUTS_SECONDS: u32 = 9;

/// Rows of the standings that are sent to everybody, beside each one's own place.
pub const STANDINGS_MAX: usize = 10;
/// Lines of a round's result that are sent to everybody, beside each one's own.
pub const RESULTS_MAX: usize = 24;
/// Lines of chat that are kept for who comes later.
pub const HISTORY_MAX: usize = 20;

/// A player's line in the roster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterEntry {
    /// Who.
    pub player: PlayerId,
    /// How they are called.
    pub name: String,
    /// Whether the server's own pilot flies.
    pub computer: bool,
    /// The team, from 1; 0 where there are none.
    pub team: u8,
    /// Whether they watch rather than play.
    pub watching: bool,
    /// Whether they are the session's host.
    pub host: bool,
    /// Whether the host lets nobody hear them.
    pub muted: bool,
}

fn config<const BYTES_MAX: usize>() -> impl bincode::config::Config {
    bincode::config::standard().with_limit::<BYTES_MAX>()
}

/// Appends what is written.
struct Appending<'a>(&'a mut Vec<u8>);

impl bincode::enc::write::Writer for Appending<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), bincode::error::EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// Appends `value` in bincode.
pub fn put<T: Serialize>(out: &mut Vec<u8>, value: &T) {
    let config = config::<CONTROL_BYTES_MAX>();
    let put = bincode::serde::encode_into_writer(value, Appending(out), config);
    put.expect("our own types encode");
}

/// `value` in bincode.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, value);
    out
}

/// A whole control message, type byte and all.
pub fn encode_control<T: Serialize>(message: &T) -> Vec<u8> {
    let mut out = Vec::new();
    put_control(&mut out, message);
    out
}

/// Appends a whole control message.
pub fn put_control<T: Serialize>(out: &mut Vec<u8>, message: &T) {
    out.push(TYPE);
    put(out, message);
}

/// Reads a value that fills `bytes` to the last one.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, WireError> {
    decode_claiming::<T, CONTROL_BYTES_MAX>(bytes)
}

/// Reads what a client says, that fills `bytes` to the last one.
pub fn decode_client_message(bytes: &[u8]) -> Result<ClientMessage, WireError> {
    decode_claiming::<_, CLIENT_CLAIM_BYTES_MAX>(bytes)
}

fn decode_claiming<T: DeserializeOwned, const BYTES_MAX: usize>(
    bytes: &[u8],
) -> Result<T, WireError> {
    let decoded = bincode::serde::decode_from_slice(bytes, config::<BYTES_MAX>());
    let (value, used) = decoded.map_err(|_| WireError::BadControl)?;
    if used == bytes.len() { Ok(value) } else { Err(WireError::Trailing) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_length_of_two_to_the_sixty_two_is_refused() {
        let hello = [0, 0, 2, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0x40];
        assert_eq!(decode_client_message(&hello[1..]), Err(WireError::BadControl));
    }

    #[test]
    fn a_message_may_be_as_long_as_the_longest_one() {
        let mut hello = Hello { seat: Some(SeatToken([1; 16])), ..Hello::new(u64::MAX, "") };
        let mut said = ClientMessage::Hello(hello.clone());
        hello.name = "n".repeat(CLIENT_MESSAGE_BYTES_MAX - encode_control(&said).len() - 2);
        said = ClientMessage::Hello(hello);
        let bytes = encode_control(&said);
        assert_eq!(bytes.len(), CLIENT_MESSAGE_BYTES_MAX);
        assert_eq!(decode_client_message(&bytes[1..]), Ok(said));
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(bytes: Vec<u8>) {
            let _ = decode_client_message(&bytes);
            let _ = decode::<ServerMessage>(&bytes);
        }

        #[test]
        fn a_message_comes_back(protocol: u64, name: String, seat: Option<[u8; 16]>) {
            let sent = ClientMessage::Hello(Hello { seat: seat.map(SeatToken), ..Hello::new(protocol, &name) });
            prop_assert_eq!(decode_client_message(&encode(&sent)), Ok(sent));
        }
    }
}
