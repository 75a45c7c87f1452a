//! What a player must not know changes no byte that the player is sent. Two sessions are the same but for
//! what somebody far away does; everything that an honest client is sent in both is compared byte by byte.
//! (That no row out of view or for other eyes is ever held by a client is checked in every story of
//! `engine.rs`.) One message is left out, as it is no secret by the rules: where the others are of whom everybody may know,
//! which these two do as there are but few; who is told of whom stands in `whereabouts.rs`.

use shared::arena::rows::SHIP;
use shared::arena::{Arena, Controls, Settings, Ship};
use shared::game::PlayerId;
use shared::netcode::conditions::Conditions;
use shared::wire::message::{self, ServerMessage};
use tests::world::World;

const LINE: Conditions = Conditions::round_trip(60.0, 10.0);
/// How long they play, in ms.
const PLAY_MS: f64 = 20_000.0;

/// Where a player's ship is.
fn place(world: &World<Arena>, player: PlayerId) -> (f32, f32) {
    let ships = world.session.world().now().table(SHIP);
    let mut own = ships.rows::<Ship>().filter(|(_, ship)| ship.player == i32::from(player.0));
    let (_, ship) = own.next().expect("nobody shoots anybody");
    let at = ship.place();
    (at.x, at.y)
}

/// Plays with two far apart, the second of whom does as `does` says at each time; returns everything that
/// the first was sent. Whether the second was ever in the first one's view is for `seen` to say.
fn play(size: u32, does: impl Fn(f64) -> Controls, seen: bool) -> Vec<Vec<u8>> {
    let settings = Settings { size, rock_density: 0.0, pickup_density: 0.0, friendly_fire: false };
    let mut world = World::<Arena>::with_settings(8, 0, 2, settings);
    for name in ["observer", "stranger"] {
        world.join(name, LINE);
    }
    world.guests.iter_mut().for_each(|guest| guest.plays = false);
    world.guests[0].records = true;
    let mut was_seen = false;
    while world.now < PLAY_MS {
        world.run(100.0);
        let turning = (world.now / 700.0) as i32 * 400;
        world.guests[0].client.set_input(Controls::new(turning, Some(turning / 256), true, false));
        let now = world.now;
        world.guests[1].client.set_input(does(now));
        let ids = [0, 1].map(|n| world.guests[n].client.me());
        if let [Some(observer), Some(stranger)] = ids {
            let focus = world.session.focus(observer);
            let (x, y) = place(&world, stranger);
            let reach = focus.margin + 100.0;
            was_seen |= (x - focus.x).abs() < focus.half_width + reach
                && (y - focus.y).abs() < focus.half_height + reach;
        }
    }
    assert_eq!(was_seen, seen);
    assert!(world.guests[0].verified > 550 && world.guests[0].wrong.is_empty());
    let mut sent = core::mem::take(&mut world.guests[0].recorded);
    sent.retain(|bytes| !is_whereabouts(bytes));
    sent
}

fn is_whereabouts(bytes: &[u8]) -> bool {
    let said = bytes.strip_prefix(&[message::TYPE]).map(message::decode::<ServerMessage>);
    matches!(said, Some(Ok(ServerMessage::Whereabouts { .. })))
}

fn busy(now: f64) -> Controls {
    let way = (now / 900.0) as i32;
    Controls::new(way * 700, Some(way * 5 % 16), true, way % 3 == 0)
}

fn idle(_: f64) -> Controls {
    Controls::default()
}

#[test]
fn what_is_out_of_view_changes_no_byte() {
    let (busy, idle) = (play(30_000, busy, false), play(30_000, idle, false));
    assert!(busy.len() > 590);
    for (n, (one, other)) in busy.iter().zip(&idle).enumerate() {
        assert_eq!(one, other, "message {n}");
    }
    assert_eq!(busy.len(), idle.len());
}

#[test]
fn what_is_in_view_does() {
    // The same comparison tells, so that its silence above means something.
    assert_ne!(play(1800, busy, true), play(1800, idle, true));
}
