//! Every decoder against bytes that nobody sane would send: random ones, and real ones with a few bits
//! changed. Nothing panics, nothing grows without bound, and what is refused leaves nothing behind.

use proptest::prelude::*;
use shared::arena::Arena;
use shared::game::{Game, Setup};
use shared::netcode::client::Client;
use shared::netcode::conditions::Conditions;
use shared::netcode::frame::{TYPE_DELTA, TYPE_KEYFRAME};
use shared::netcode::history::History;
use shared::wire::input::InputMessage;
use shared::wire::message::{self, ClientMessage, ServerMessage};
use shared::wire::{Protocol, WireError};
use tests::buoys::Buoys;
use tests::world::World;

macro_rules! with_every_game {
    ($($story:ident),* $(,)?) => {
        mod buoys { $(#[test] fn $story() { super::$story::<super::Buoys>(); })* }
        mod arena { $(#[test] fn $story() { super::$story::<super::Arena>(); })* }
    };
}

with_every_game! {
    frames_of_random_bytes,
    frames_with_bits_changed,
    a_refused_frame_changes_nothing,
    clients_survive_anything,
    inputs_are_read_within_their_ranges,
}

/// Of the recorded session; rules follow from it.
const SEED: u64 = 77;

fn rules<G: Game>() -> G::Rules {
    let setup = Setup::new(G::Settings::default(), SEED, 30);
    G::rules(&setup).expect("default settings")
}

/// Everything that one guest of a lively session was sent in some seconds.
fn recording<G: Game>() -> Vec<Vec<u8>> {
    let mut world = World::<G>::new(SEED, 12);
    let guest = world.join("guest", Conditions::default());
    world.guests[guest].records = true;
    world.run(4000.0);
    let recorded = core::mem::take(&mut world.guests[guest].recorded);
    assert!(recorded.len() > 100);
    recorded
}

fn check(cases: u32, test: impl Fn(&mut proptest::test_runner::TestRunner)) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let rng = proptest::test_runner::TestRng::deterministic_rng(
        proptest::test_runner::RngAlgorithm::ChaCha,
    );
    test(&mut proptest::test_runner::TestRunner::new_with_rng(config, rng));
}

fn frames_of_random_bytes<G: Game>() {
    let rules = rules::<G>();
    check(2000, |runner| {
        let bytes = proptest::collection::vec(any::<u8>(), 0..300);
        let strategy = (prop_oneof![Just(TYPE_KEYFRAME), Just(TYPE_KEYFRAME | 1 << 5)], bytes);
        runner
            .run(&strategy, |(head, bytes)| {
                let mut history = History::new(G::KINDS);
                let frame: Vec<u8> = core::iter::once(head).chain(bytes).collect();
                if history.take::<G>(&rules, &frame).is_ok() {
                    let (tick, _) = history.newest().expect("taken");
                    let _ = history.take::<G>(&rules, &[TYPE_DELTA, tick as u8 + 1, 0, 0, 0, 0]);
                }
                Ok(())
            })
            .expect("no panic");
    });
}

fn frames_with_bits_changed<G: Game>() {
    let rules = rules::<G>();
    let frames: Vec<_> = recording::<G>().into_iter().filter(|m| m[0] != message::TYPE).collect();
    check(400, |runner| {
        let flips = proptest::collection::vec((0..100usize, any::<u16>(), 0..8u8), 1..4);
        runner
            .run(&flips, |flips| {
                let mut history = History::new(G::KINDS);
                for (n, frame) in frames.iter().take(100).enumerate() {
                    let mut frame = frame.clone();
                    for &(_, place, bit) in flips.iter().filter(|f| f.0 == n) {
                        let place = usize::from(place) % frame.len();
                        frame[place] ^= 1 << bit;
                    }
                    let _ = history.take::<G>(&rules, &frame);
                    let rows = history.newest().map_or(0, |(_, rows)| rows.len());
                    prop_assert!(rows < 2000, "{rows} rows from a few bytes");
                }
                Ok(())
            })
            .expect("no panic");
    });
}

fn a_refused_frame_changes_nothing<G: Game>() {
    let rules = rules::<G>();
    let frames: Vec<_> = recording::<G>().into_iter().filter(|m| m[0] != message::TYPE).collect();
    let mut history = History::new(G::KINDS);
    for pair in frames.windows(2) {
        history.take::<G>(&rules, &pair[0]).expect("as sent");
        let before = history.newest().map(|(tick, rows)| (tick, rows.clone()));
        let whole = &pair[1];
        for cut in 0..whole.len() {
            assert!(history.take::<G>(&rules, &whole[..cut]).is_err(), "a part is no frame");
        }
        let longer: Vec<u8> = whole.iter().copied().chain([0]).collect();
        assert_eq!(history.take::<G>(&rules, &longer), Err(WireError::Trailing));
        assert_eq!(history.newest().map(|(tick, rows)| (tick, rows.clone())), before);
    }
}

fn clients_survive_anything<G: Game>() {
    let recorded = recording::<G>();
    check(300, |runner| {
        let noise = proptest::collection::vec(
            (0..recorded.len(), proptest::collection::vec(any::<u8>(), 0..64)),
            0..20,
        );
        runner
            .run(&noise, |noise| {
                let mut client = Client::<G>::new("guest");
                client.hello(0.0);
                for (n, message) in recorded.iter().take(60).enumerate() {
                    let now = n as f64 * 33.0;
                    for (_, bytes) in noise.iter().filter(|(at, _)| *at == n) {
                        let _ = client.receive(bytes, now);
                    }
                    let _ = client.receive(message, now);
                    client.advance(now);
                    client.draw(now);
                    while client.outgoing().is_some() {}
                    while client.news().is_some() {}
                }
                Ok(())
            })
            .expect("no panic");
    });
}

fn inputs_are_read_within_their_ranges<G: Game>() {
    let protocol = Protocol::of::<G>();
    check(2000, |runner| {
        let bytes = proptest::collection::vec(any::<u8>(), 0..24);
        runner
            .run(&bytes, |bytes| {
                if let Ok(message) = InputMessage::decode(&bytes, protocol.input) {
                    for (field, &value) in protocol.input.iter().zip(message.fields()) {
                        prop_assert!(field.contains(value));
                    }
                }
                Ok(())
            })
            .expect("no panic");
    });
}

#[test]
fn control_messages_claim_no_memory() {
    // Lengths of 2^62, as bytes, names, lists and nested lists would claim them.
    let length = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0x40];
    for head in 0..8u8 {
        for filler in 0..20 {
            let mut bytes = vec![head];
            bytes.extend(core::iter::repeat_n(1u8, filler));
            bytes.extend(length);
            // More than a seat's token takes: where one is due, the claim is just sixteen legal bytes, and
            // what is refused is what is left over.
            bytes.extend([0; 32]);
            assert!(message::decode::<ClientMessage>(&bytes).is_err());
            assert!(message::decode::<ServerMessage>(&bytes).is_err());
        }
    }
}
