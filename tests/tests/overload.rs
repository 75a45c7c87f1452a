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
/// With two dozen people half of a tick, nearly all of it for what they are sent.
const PRICE: Price = Price { person: 0.05, message: 0.3, byte: 0.006 };

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
fn figures() {
    let mut world = world(1);
    for guest in 0..24 {
        world.join(&format!("guest {guest}"), LINE);
    }
    world.run(10_000.0);
    for place in 0..Restraint::PLACES {
        stopwatch(&mut world).tells = false;
        let told = server::session::door::ToSession::Restrain(Restraint::at(place));
        let at = f64::from(world.session.tick_now());
        world.session.handle(told, at);
        let before = world.session.counts();
        let age = oldest(&mut world, 5_000.0);
        let after = world.session.counts();
        println!(
            "{place}: {} messages, {} bytes per tick; {:.1} ms; age {age:.0}",
            (after.frames - before.frames) as f64 / 150.0,
            (after.frame_bytes - before.frame_bytes) as f64 / 150.0,
            stopwatch(&mut world).newest_ms
        );
    }
    assert_eq!(restraint(&world), Restraint::MOST);
    assert_exact(&world);
    let _ = CloseCode::TryLater;
}
