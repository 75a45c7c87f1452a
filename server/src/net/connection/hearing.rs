//! What a peer's messages mean. Comes in: bytes. Goes out: what the session is told, an answer of our own, or a refusal.

use super::Connection;
use crate::net::bans::BANNED;
use crate::net::ear::{Asked, Hearer};
use crate::net::ending::Ending;
use crate::net::outbox::ConnectionOutbox;
use crate::net::plain;
use crate::net::refusal::{Reason, Refusal};
use crate::net::registry::{self, State};
use crate::session::door::{Newcomer, ToSession};
use shared::wire::message::{
    self, CHAT_BYTES_MAX, ClientMessage, EMOTES, Hello, LOOK_UNITS_MAX, Look, NAME_CHARS_MAX,
    ServerMessage,
};
use shared::wire::{HostSecret, Said, SeatToken, WireError};
use std::sync::Arc;
use tokio::time::Instant;

impl Connection {
    /// Does what a message wants, if it may be said now.
    pub(super) async fn understand(
        &mut self,
        said: Result<Said, WireError>,
        bytes: usize,
    ) -> Result<(), Ending> {
        let came = self.came();
        let said = said.map_err(|error| {
            Ending::Refused(Refusal::new(Reason::Decode, format!("Unreadable message: {error}.")))
        })?;
        let [inputs, other] = &self.front.metrics().network.heard;
        let heard = if matches!(said, Said::Input(_)) { inputs } else { other };
        heard.inc_by(bytes as u64);
        let connection = self.id;
        match (self.joined, said) {
            (false, Said::Control(ClientMessage::Hello(hello))) => self.join(hello).await,
            (false, _) => {
                Err(Ending::refused(Reason::BadMessage, "The first message has to be a hello."))
            }
            (true, Said::Input(message)) => {
                self.tell_at(came, ToSession::Input { connection, message }).await
            }
            (true, Said::Control(ClientMessage::Resync { tick, mismatch })) => {
                self.tell_at(came, ToSession::Resync { connection, tick, mismatch }).await
            }
            (true, Said::Control(ClientMessage::Mismatch { tick, difference })) => {
                self.tell_at(came, ToSession::Mismatch { connection, tick, difference }).await
            }
            (true, Said::Control(ClientMessage::Chat { team, text })) => {
                self.chat(team, &text, came).await
            }
            (true, Said::Control(ClientMessage::Emote(emote))) => {
                if emote >= EMOTES {
                    let sentence = "There is no such sign.";
                    return Err(Ending::refused(Reason::BadMessage, sentence));
                }
                self.tell_at(came, ToSession::Emote { connection, emote }).await
            }
            (true, Said::Control(ClientMessage::Look(look))) => {
                let far = |units: i32| units.unsigned_abs() > LOOK_UNITS_MAX.unsigned_abs();
                if matches!(look, Look::Place { x, y } if far(x) || far(y)) {
                    let sentence = "Nobody sees that far.";
                    return Err(Ending::refused(Reason::BadMessage, sentence));
                }
                self.tell_at(came, ToSession::Look { connection, look }).await
            }
            (true, Said::Control(ClientMessage::Watch(watch))) => {
                self.tell_at(came, ToSession::Watch { connection, watch }).await
            }
            (true, Said::Control(ClientMessage::Team(team))) => {
                self.tell_at(came, ToSession::Team { connection, team }).await
            }
            (true, Said::Control(ClientMessage::Ping { nonce })) => {
                self.reply(&Asked { nonce, came }.answer());
                Ok(())
            }
            (true, Said::Control(ClientMessage::Hello(_))) => {
                Err(Ending::refused(Reason::BadMessage, "One hello is enough."))
            }
        }
    }

    async fn join(&mut self, hello: Hello) -> Result<(), Ending> {
        let Hello { protocol, name, seat, visitor, host, watch } = hello;
        let watch = watch || self.watch;
        if protocol != self.session.protocol.hash {
            return Err(Ending::outdated());
        }
        let Some(name) = message::clean_name(&name) else {
            let sentence = format!("A name has 1 to {NAME_CHARS_MAX} letters that can be seen.");
            return Err(Ending::Refused(Refusal::new(Reason::BadName, sentence)));
        };
        // A ban may have come between the handshake and the hello.
        if self.front.common.bans.bars(self.slot.peer.ip()).is_some() {
            return Err(Ending::refused(Reason::Banned, BANNED));
        }
        let outbox = ConnectionOutbox::new(Arc::clone(&self.line));
        let connection = self.id;
        // Drawn here, as a session has nothing of its own that could not be foreseen.
        let fresh = SeatToken(rand::random());
        let fresh_host = HostSecret(rand::random());
        let address = Some(registry::network(self.slot.peer.ip()));
        let network = registry::telling_network(self.slot.peer.ip());
        let newcomer = Newcomer {
            connection,
            network,
            address,
            name,
            seat,
            visitor,
            host,
            watch,
            fresh,
            fresh_host,
            outbox,
        };
        self.tell(ToSession::Join(Box::new(newcomer))).await?;
        self.slot.joined();
        self.slot.is_now(State::Joined);
        self.joined = true;
        self.line.is_for(Hearer { session: Arc::clone(&self.session), id: connection });
        Ok(())
    }

    async fn chat(&mut self, team: bool, text: &str, came: Instant) -> Result<(), Ending> {
        if let Some(text) = message::clean_chat(text) {
            let connection = self.id;
            return self.tell_at(came, ToSession::Chat { connection, team, text }).await;
        }
        if text.len() > CHAT_BYTES_MAX {
            let text = "That line was too long: nobody heard it.".into();
            self.reply(&ServerMessage::Chat { from: None, team: false, text });
        }
        Ok(())
    }

    pub(super) async fn tell(&self, told: ToSession<ConnectionOutbox>) -> Result<(), Ending> {
        self.tell_at(Instant::now(), told).await
    }

    async fn tell_at(&self, at: Instant, told: ToSession<ConnectionOutbox>) -> Result<(), Ending> {
        let sent = self.session.queue.send((at, told)).await;
        sent.map_err(|_| Ending::over(&self.session))
    }

    /// Answers without the session; not at all where a line takes nothing.
    fn reply(&mut self, message: &ServerMessage) {
        if self.line.has_room() {
            let (bytes, mut frame) = (message::encode_control(message), Vec::new());
            plain::write(&bytes, &mut frame);
            self.front.metrics().network.replied.inc_by(bytes.len() as u64);
            self.line.answer(&frame);
        }
    }
}
