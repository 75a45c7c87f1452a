//! What a client does with messages that are late, unreadable, or come between two pictures.

use super::super::smoothing::OWN_KEPT;
use super::*;
use crate::arena::{Arena, Settings};
use crate::wire::{Row, SeatToken};

type Input = <Arena as Game>::Input;

fn setup() -> Vec<u8> {
    message::encode(&Setup::new(Settings::default(), 7, 30))
}

fn welcome(setup: Vec<u8>) -> Vec<u8> {
    message::encode_control(&ServerMessage::Welcome {
        player: PlayerId(1),
        name: String::from("one"),
        tick: 100,
        setup,
        seat: SeatToken([0; 16]),
    })
}

/// One who was let in at 0 ms.
fn client() -> Client<Arena> {
    let mut client = Client::new("one");
    client.hello(0.0);
    client.receive(&welcome(setup()), 0.0).expect("a welcome");
    client
}

fn joined(client: &mut Client<Arena>) -> &mut Joined<Arena> {
    client.joined.as_mut().expect("let in")
}

#[test]
fn errors_fade_by_the_time_that_passes_whatever_comes_meanwhile() {
    let fades = |messages_at: &[f64]| {
        let mut client = client();
        joined(&mut client).prediction.shift(8.0, 0.0);
        for at in messages_at {
            assert_eq!(client.receive(&[], *at), Err(WireError::Truncated));
        }
        client.advance(1000.0 / 30.0);
        joined(&mut client).prediction.offset().x
    };
    assert_eq!(fades(&[]), 8.0 * OWN_KEPT);
    assert_eq!(fades(&[1.0, 33.0]), 8.0 * OWN_KEPT);
}

#[test]
fn what_was_done_before_a_new_world_counts_in_it() {
    let mut client = client();
    let mut cells = [0; Input::FIELDS.len()];
    cells[0] = 1;
    let input = Input::read(&cells);
    let protocol = Protocol::of::<Arena>();
    let one = joined(&mut client);
    one.make_input(&protocol, 120, input, 0.0).expect("a message");
    assert_ne!(one.prediction.inputs().at(120), Input::default());
    let begin = message::encode_control(&ServerMessage::Begin { setup: setup() });
    client.receive(&begin, 5.0).expect("a world");
    let one = joined(&mut client);
    assert_eq!(one.prediction.newest(), None);
    assert_eq!(one.prediction.inputs().at(121), one.prediction.inputs().at(120));
    assert_ne!(one.prediction.inputs().at(121), Input::default());
}

#[test]
fn clocks_that_differ_make_no_frame_old_and_a_worse_line_does() {
    let mut client = client();
    let one = joined(&mut client);
    // Ours is faster by 50 ppm, and frames take as long as ever, for two hours.
    let mut late: f64 = 0.0;
    for at in (0..7200).map(|second| f64::from(second) * 1000.0) {
        let start = 500.0 + at * 50e-6;
        one.saw_start(start, at);
        late = late.max(start - one.server_start);
    }
    assert!(late < 1e-6, "{late} ms");
    // Then they take 80 ms more, for a minute.
    let start = 500.0 + 7200.0 * 0.05 + 80.0;
    one.saw_start(start, 7_260_000.0);
    assert!((70.0..80.0).contains(&(start - one.server_start)), "{}", start - one.server_start);
}

#[test]
fn a_world_of_another_build_is_told_from_one_that_can_be_made() {
    let mut client = client();
    assert!(!client.is_outdated());
    let longer = [setup(), vec![1]].concat();
    assert!(client.receive(&welcome(longer), 1.0).is_err());
    assert!(client.is_outdated());
    client.hello(2.0);
    client.receive(&welcome(setup()), 3.0).expect("a welcome");
    assert!(!client.is_outdated());
}
