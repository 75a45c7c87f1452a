//! A server that has more to do than it can, in virtual time: what it gives up, that everybody in it plays on with young
//! frames, and how soon all is given again. With `--nocapture` they tell their figures.

use server::session::restraint::Restraint;
use shared::arena::{Arena, Settings};
use shared::netcode::conditions::Conditions;
use shared::wire::close::CloseCode;
use tests::stopwatch::{Price, Stopwatch};
use tests::world::World;

const LINE: Conditions = Conditions::round_trip(60.0, 5.0);
const TICK_MS: f64 = 1000.0 / 30.0;
/// So many fit well.
const PEOPLE: usize = 20;
/// With so many people half of a tick, most of it for what they are sent.
const PRICE: Price = Price { person: 0.1, message: 0.4, byte: 0.02 };
/// No frame is older while everything is given up: the line, several ticks in a message, and a little.
const OLD_MS: f64 = 400.0;

fn world(seed: u64) -> World<Arena> {
    let settings = Settings { size: 2500, ..Settings::default() };
    let mut world = World::<Arena>::with_settings(seed, 0, 1000, settings);
    world.stopwatch = Some(Stopwatch::new(PRICE));
    world
}

fn restraint(world: &World<Arena>) -> Restraint {
    world.session.measure().restraint
}

fn stopwatch(world: &mut World<Arena>) -> &mut Stopwatch {
    world.stopwatch.as_mut().expect("it has one")
}

/// How old the newest tick is that each guest has who is in, in ms, at worst, sampled for so long.
fn oldest(world: &mut World<Arena>, ms: f64) -> f64 {
    let end = world.now + ms;
    let mut oldest = 0.0_f64;
    while world.now < end {
        world.run(TICK_MS / 2.0);
        let newest = world.session.tick_now();
        let lag = world.now / TICK_MS - stopwatch(world).dropped as f64 - f64::from(newest);
        for guest in world.guests.iter().filter(|guest| guest.outbox.closed().is_none()) {
            let Some(view) = guest.client.view() else { continue };
            oldest = oldest.max((f64::from(newest.wrapping_sub(view.tick)) + lag) * TICK_MS);
        }
    }
    oldest
}

fn assert_exact(world: &World<Arena>) {
    for guest in world.guests.iter().filter(|guest| guest.outbox.closed().is_none()) {
        assert_eq!((&guest.wrong, &guest.leaked), (&Vec::new(), &Vec::new()));
        assert_eq!(guest.client.stats().mismatches, 0);
        assert!(guest.verified > 0);
    }
}

#[test]
fn three_times_as_many_as_fit_cost_detail_first_and_then_the_door_shuts() {
    let mut world = world(1);
    for guest in 0..2 {
        world.join_as(&format!("spectator {guest}"), LINE, |hello| hello.watch = true);
    }
    let (mut foretold, mut begins, mut closes) = (None, None, None);
    let mut worst = 0.0_f64;
    for guest in 2..90 {
        world.join(&format!("guest {guest}"), LINE);
        worst = worst.max(oldest(&mut world, 1_000.0));
        let people = world.session.players() as u32;
        if guest == 11 {
            foretold = stopwatch(&mut world).room.map(|room| people + room);
        }
        let now = restraint(&world);
        begins = begins.or((now > Restraint::default()).then_some(people));
        closes = closes.or(now.is_closed().then_some(people));
    }
    let (foretold, begins, closes) =
        (foretold.expect("known"), begins.expect("it is"), closes.expect("it does"));
    let refused = world.guests.iter().filter(|guest| guest.outbox.closed().is_some()).count();
    println!(
        "with 12 it says that {foretold} fit; detail goes with {begins}, the door shuts with {closes}, {refused} \
         are refused; frames are {worst:.0} ms old at most"
    );
    assert!(foretold.abs_diff(begins) * 3 <= begins, "{foretold} were foretold, and {begins} fit");
    assert!(closes > begins && closes < 80);
    // Who is refused is told why and that it is worth another try, and nobody else lost anything but detail.
    assert_eq!(world.session.counts().turned_away, refused as u64);
    assert_eq!(world.session.players() + refused, 90);
    for (code, reason) in world.guests.iter().filter_map(|guest| guest.outbox.closed()) {
        assert_eq!(code, CloseCode::TryLater);
        assert!(reason.contains("try again"), "{reason}");
    }
    assert_eq!(stopwatch(&mut world).dropped, 0, "detail goes before ticks do");
    assert!(worst < OLD_MS, "{worst}");
    assert_exact(&world);

    // Who lost the line comes back to the seat although the door is shut.
    assert!(restraint(&world).is_closed());
    let before = world.session.players();
    world.drop_line(5);
    world.run(500.0);
    world.return_to_seat(5, LINE);
    world.run(2_000.0);
    assert_eq!((world.session.players(), world.session.away()), (before, 0));

    // Two thirds leave.
    let here: Vec<_> = (2..90).filter(|&i| world.guests[i].outbox.closed().is_none()).collect();
    here[16..].iter().for_each(|&index| world.leave(index));
    let left = world.now;
    while restraint(&world).is_closed() {
        world.run(100.0);
        assert!(world.now - left < 5_000.0, "the door opens within seconds");
    }
    let opened = world.now - left;
    world.join("late", LINE);
    while restraint(&world) > Restraint::default() {
        world.run(100.0);
        assert!(world.now - left < 40_000.0, "all is given again");
    }
    println!("the door opens after {opened:.0} ms, all is given after {:.0}", world.now - left);
    assert!(world.guests.last().is_some_and(|late| late.client.view().is_some()));
    assert_exact(&world);
}

#[test]
fn a_machine_that_is_three_times_as_slow_at_once_costs_nobody_the_match() {
    let mut world = world(2);
    for guest in 0..PEOPLE {
        world.join_as(&format!("guest {guest}"), LINE, |hello| hello.watch = guest % 8 == 0);
    }
    world.run(10_000.0);
    assert_eq!((restraint(&world), stopwatch(&mut world).dropped), (Restraint::default(), 0));
    let Price { person, message, byte } = PRICE;
    let slow = Price { person: 3.0 * person, message: 3.0 * message, byte: 3.0 * byte };
    stopwatch(&mut world).price = slow;
    let first = oldest(&mut world, 2_000.0);
    let dropped = stopwatch(&mut world).dropped;
    assert!(restraint(&world).is_closed());
    let later = oldest(&mut world, 20_000.0);
    println!(
        "frames are {first:.0} ms old at most in the first two seconds, then {later:.0}; {dropped} ticks dropped"
    );
    assert!(first < 2.0 * OLD_MS && later < OLD_MS, "{first} {later}");
    assert_eq!(stopwatch(&mut world).dropped, dropped, "the rules keep their rate");
    assert_eq!(world.session.players(), PEOPLE);
    assert!(world.guests.iter().all(|guest| guest.outbox.closed().is_none()));

    stopwatch(&mut world).price = PRICE;
    let better = world.now;
    while restraint(&world) > Restraint::default() {
        world.run(100.0);
        assert!(world.now - better < 60_000.0, "all is given again");
    }
    println!("all is given again after {:.0} ms", world.now - better);
    let last = oldest(&mut world, 5_000.0);
    assert!(last < 120.0, "{last}");
    assert_exact(&world);
}

#[test]
fn without_it_ticks_would_be_dropped() {
    let mut world = world(2);
    for guest in 0..PEOPLE {
        world.join(&format!("guest {guest}"), LINE);
    }
    world.run(10_000.0);
    let Price { person, message, byte } = PRICE;
    stopwatch(&mut world).price =
        Price { person: 3.0 * person, message: 3.0 * message, byte: 3.0 * byte };
    stopwatch(&mut world).tells = false;
    world.run(20_000.0);
    assert!(stopwatch(&mut world).dropped > 30, "{}", stopwatch(&mut world).dropped);
}
