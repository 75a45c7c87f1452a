//! Cheating with time gains nothing: whatever order, speed or number of inputs somebody sends, the ship goes
//! where one input a tick takes it, to the bit.

use bytes::Bytes;
use server::session::door::{ConnectionId, Newcomer, ToSession};
use server::session::{Counts, Session, SessionConfig};
use shared::arena::Arena;
use shared::game::{Game, Setup};
use shared::netcode::inputs::{AHEAD_TICKS_MAX, REPEAT_TICKS_MAX};
use shared::wire::input::InputMessage;
use shared::wire::{HostSecret, Rows, SeatToken, Visitor};
use tests::Lonely;
use tests::network::MemoryOutbox;

const RATE: u16 = 30;
/// Less than a silent player is given.
const TICKS: u32 = 280;
const CHEAT: ConnectionId = ConnectionId(1);

/// What somebody wants to do in a tick: aim, keys, lag.
fn wish(tick: u32) -> [i32; 3] {
    let mixed = (tick / 5).wrapping_mul(2_654_435_761);
    [(mixed >> 22) as i32, (mixed >> 12 & 127) as i32, 0]
}

/// Something else, more of everything.
fn greed(tick: u32) -> [i32; 3] {
    [wish(tick + 77)[0], 127, 24]
}

/// Plays a session alone in which `sends(tick)` arrives shortly before the step of each tick: inputs and
/// the ticks that they claim to be for. Returns everything that there is after each tick.
fn play(sends: impl Fn(u32) -> Vec<(u32, [i32; 3])>) -> (Vec<Rows>, Counts) {
    let setup = Setup::new(Arena::lonely(), 5, RATE);
    let config = SessionConfig { players_max: 1, ..SessionConfig::new(setup) };
    let mut session = Session::<Arena, MemoryOutbox>::new(config).expect("sensible settings");
    let outbox = MemoryOutbox::default();
    let (name, fresh) = ("cheat".to_owned(), SeatToken([1; 16]));
    let join = ToSession::Join(Box::new(Newcomer {
        connection: CHEAT,
        network: None,
        address: None,
        name,
        seat: None,
        visitor: Visitor::default(),
        host: None,
        watch: false,
        fresh,
        fresh_host: HostSecret::default(),
        outbox: outbox.clone(),
    }));
    session.handle(join, 0.0);
    let mut worlds = Vec::new();
    let mut decoded = 0;
    for tick in 1..=TICKS {
        for (claimed, fields) in sends(tick) {
            let message = InputMessage::new(claimed, decoded, &fields);
            session.handle(ToSession::Input { connection: CHEAT, message }, f64::from(tick) - 0.5);
        }
        session.tick();
        worlds.push(session.world().now().clone());
        let frames: Vec<Bytes> = outbox.drain();
        decoded = if frames.is_empty() { decoded } else { tick as u8 };
    }
    assert!(outbox.closed().is_none(), "{:?}", outbox.closed());
    (worlds, session.counts())
}

/// One input a tick, in time.
fn honest() -> Vec<Rows> {
    let (worlds, counts) = play(|tick| vec![(tick, wish(tick))]);
    assert_eq!((counts.inputs_used, counts.inputs_replaced), (u64::from(TICKS), 0));
    worlds
}

#[test]
fn more_inputs_than_ticks_are_not_more_moves() {
    let (worlds, counts) =
        play(|tick| vec![(tick, greed(tick)), (tick, greed(tick + 1)), (tick, wish(tick))]);
    assert!(worlds == honest(), "the newest counts, alone");
    assert_eq!(counts.inputs_replaced, 2 * u64::from(TICKS));
}

#[test]
fn sending_ahead_moves_nobody_sooner() {
    // Two new ticks each time, as fast as the ring takes them.
    let (worlds, counts) =
        play(|tick| vec![(2 * tick - 1, wish(2 * tick - 1)), (2 * tick, wish(2 * tick))]);
    let kept = AHEAD_TICKS_MAX as usize;
    assert!(worlds[..kept] == honest()[..kept], "what is for later waits until then");
    assert!(counts.inputs_early > 0, "past {AHEAD_TICKS_MAX} ticks nothing is kept");
}

#[test]
fn out_of_order_is_in_order() {
    // Blocks of eight, backwards, before the first of them is due.
    let (worlds, _) = play(|tick| match (tick - 1) % 8 {
        0 => (tick..tick + 8).rev().map(|t| (t, wish(t))).collect(),
        _ => Vec::new(),
    });
    assert!(worlds == honest());
}

#[test]
fn slower_is_the_last_input_again_and_then_none() {
    let (worlds, counts) = play(|tick| match (tick - 1) % 3 {
        0 => vec![(tick, wish(tick))],
        _ => Vec::new(),
    });
    let (repeated, _) = play(|tick| vec![(tick, wish(tick - (tick - 1) % 3))]);
    assert!(worlds == repeated);
    assert_eq!(counts.inputs_missing, u64::from(TICKS - TICKS.div_ceil(3)));
    let (silent, _) = play(|tick| if tick == 1 { vec![(1, wish(40))] } else { Vec::new() });
    let (stops, _) =
        play(|tick| vec![(tick, if tick <= 1 + REPEAT_TICKS_MAX { wish(40) } else { [0; 3] })]);
    assert!(silent == stops, "somebody who fell silent stops after {REPEAT_TICKS_MAX} ticks");
}

#[test]
fn what_is_late_was_never_said() {
    let (worlds, counts) =
        play(|tick| if tick > 5 { vec![(tick - 5, greed(tick))] } else { vec![] });
    let (idle, _) = play(|_| Vec::new());
    assert!(worlds == idle);
    assert_eq!(counts.inputs_late, u64::from(TICKS) - 5);
}

#[test]
fn what_was_missed_is_not_made_up_for() {
    // Two seconds of silence, then all of it at once and on in time.
    let silence = 100..160;
    let (worlds, counts) = play(|tick| match tick {
        t if silence.contains(&t) => Vec::new(),
        160 => (100..=160).map(|t| (t, greed(t))).collect(),
        t => vec![(t, wish(t))],
    });
    let (stopped, _) = play(|tick| match tick {
        t if !(100..=160).contains(&t) => vec![(t, wish(t))],
        160 => vec![(160, greed(160))],
        t if t < 100 + REPEAT_TICKS_MAX => vec![(t, wish(99))],
        t => vec![(t, [0; 3])],
    });
    assert!(worlds == stopped);
    assert_eq!(counts.inputs_late, 60);
}

#[test]
fn a_claimed_lag_is_held_to_the_bound() {
    let lag =
        Arena::KINDS[0].fields.iter().position(|f| f.name == "lag").expect("ships have a lag");
    let (worlds, _) = play(|tick| vec![(tick, [wish(tick)[0], wish(tick)[1], 511])]);
    let most = (200 * u32::from(RATE) / 1000 * 4) as i32;
    let claimed = worlds[1..].iter().flat_map(|rows| rows.table(0).iter().map(|(_, row)| row[lag]));
    assert_eq!(claimed.max(), Some(most), "it is reached, and not passed");
}
