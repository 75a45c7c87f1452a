//! A client that is told anything. The input is a list of acts: the next message of the recorded session
//! as it was, a forged one, time that passes, or a new connection.

use super::{Targets, check_rows};
use crate::fuzzing::ROWS_PER_ROW_MAX;
use shared::game::Game;
use shared::netcode::client::Client;

/// Recorded messages that the client has taken before the acts begin: it is let in and sees.
pub(super) const KNOWN_MESSAGES: usize = 12;
/// Between two messages of the recorded session, in ms.
const TICK_MS: f64 = 1000.0 / 30.0;
/// What one unit of passing time is, in ms: up to 25 s in one act.
const PASSING_MS: f64 = 100.0;
/// Messages that a client may have to say after one act: some inputs, a ping, a wish for a keyframe.
const OUTGOING_MAX: usize = 8;
/// Acts of one input; the rest is not looked at. libFuzzer would find ever longer ones else.
const ACTS_MAX: usize = 80;

/// What an act's first byte says, by its low two bits.
pub(super) mod act {
    /// The next recorded message comes.
    pub(in crate::fuzzing) const REAL: u8 = 0;
    /// Time passes, as much as the next byte says.
    pub(in crate::fuzzing) const TIME: u8 = 1;
    /// A message comes: two bytes of length, little end first, and its bytes.
    pub(in crate::fuzzing) const FORGED: u8 = 2;
    /// The connection is a new one.
    pub(in crate::fuzzing) const HELLO: u8 = 3;
}

/// A forged message as an act.
pub(super) fn forge(message: &[u8]) -> Vec<u8> {
    let length = (message.len() as u16).to_le_bytes();
    [&[act::FORGED], &length[..], message].concat()
}

impl<G: Game> Targets<G> {
    /// What a client reads: whatever it is told, it goes on, holds rows in their ranges, says little and
    /// draws what can be drawn.
    pub fn server_message(&self, mut bytes: &[u8]) -> bool {
        let mut told = Received::<G>::new(&self.heard);
        (0..KNOWN_MESSAGES).for_each(|_| assert!(told.real(), "as it was sent"));
        let (mut acts, mut all_taken) = (0, true);
        while let Some((&head, rest)) = bytes.split_first()
            && acts < ACTS_MAX
        {
            bytes = rest;
            acts += 1;
            match head & 0b11 {
                act::REAL => all_taken &= told.real(),
                act::TIME => {
                    let Some((&time, rest)) = bytes.split_first() else { break };
                    bytes = rest;
                    told.now += f64::from(time) * PASSING_MS;
                }
                act::FORGED => {
                    let Some((length, rest)) = bytes.split_first_chunk() else { break };
                    let length = usize::from(u16::from_le_bytes(*length)).min(rest.len());
                    let (message, rest) = rest.split_at(length);
                    bytes = rest;
                    all_taken &= told.hear(message);
                }
                _ => drop(told.client.hello(told.now)),
            }
            told.look();
        }
        all_taken
    }
}

/// A client and what it is told.
struct Received<'a, G: Game> {
    client: Client<G>,
    now: f64,
    /// What is left of the recorded session.
    left: core::slice::Iter<'a, Vec<u8>>,
}

impl<'a, G: Game> Received<'a, G> {
    fn new(heard: &'a [Vec<u8>]) -> Self {
        let mut client = Client::new("guest");
        client.hello(0.0);
        Self { client, now: 0.0, left: heard.iter() }
    }

    /// The next message of the recorded session.
    fn real(&mut self) -> bool {
        let Some(message) = self.left.next() else { return false };
        self.now += TICK_MS;
        self.hear(message)
    }

    fn hear(&mut self, message: &[u8]) -> bool {
        let before = self.client.view().map_or(0, |view| view.rows.len());
        let counted = self.client.stats();
        let taken = self.client.receive(message, self.now).is_ok();
        let stats = self.client.stats();
        if !message.is_empty() {
            assert_eq!(stats.refused, counted.refused + u64::from(!taken), "refused in secret");
        }
        if let Some(view) = self.client.view() {
            check_rows::<G>(view.rows, ROWS_PER_ROW_MAX * before + message.len());
        }
        taken
    }

    /// A picture is drawn, what there is to say is said, and all of it is in bounds.
    fn look(&mut self) {
        self.client.advance(self.now);
        if let Some(scene) = self.client.draw(self.now) {
            for kind in 0..G::KINDS.len() {
                let finite = |units: &[f32]| units.iter().all(|unit| unit.is_finite());
                assert!(scene.table(kind).iter().all(|(_, units, _)| finite(units)));
            }
        }
        let stats = self.client.stats();
        let times = [stats.ping_ms, stats.jitter_ms, stats.frame_age_ms, stats.playback_delay_ms];
        assert!(times.iter().all(|time| time.is_finite()), "{stats:?}");
        let said = core::iter::from_fn(|| self.client.outgoing()).count();
        assert!(said <= OUTGOING_MAX, "{said} messages at once");
        while self.client.news().is_some() || self.client.confirmation().is_some() {}
    }
}
