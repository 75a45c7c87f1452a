//! Whom players are told of who do not see them: the own team, and everybody in an arena of few; and nobody else.

use server::session::SessionConfig;
use server::session::settings::PilotCount;
use shared::arena::rows::SHIP;
use shared::arena::{Arena, Controls, Settings, Ship};
use shared::game::{PlayerId, Setup};
use shared::netcode::conditions::Conditions;
use shared::wire::message::ServerMessage;
use tests::world::World;

const LINE: Conditions = Conditions::round_trip(40.0, 5.0);

/// An arena with so many computer pilots, and with `people` who do nothing.
fn arena(teams: u8, pilots: usize, people: usize) -> World<Arena> {
    let settings =
        Settings { size: 20_000, rock_density: 0.0, pickup_density: 0.0, friendly_fire: false };
    let setup = Setup { teams, ..Setup::new(settings, 4, 30) };
    let pilots = PilotCount::FillUpTo((pilots + people) as u16);
    let mut world = World::open(SessionConfig { pilots, ..SessionConfig::new(setup) });
    for n in 0..people {
        world.join(&format!("guest {n}"), LINE);
        world.guests[n].plays = false;
        world.guests[n].client.set_input(Controls::default());
    }
    world.run(5000.0);
    world
}

/// Everything that a guest was told of where others are.
fn told(world: &World<Arena>, guest: usize) -> Vec<&Vec<(PlayerId, i32, i32)>> {
    let said = world.guests[guest].said_to();
    said.filter_map(|said| match said {
        ServerMessage::Whereabouts { places } => Some(places),
        _ => None,
    })
    .collect()
}

fn me(world: &World<Arena>, guest: usize) -> PlayerId {
    world.guests[guest].client.me().expect("let in")
}

/// Where the ships are, in whole units.
fn ships(world: &World<Arena>) -> Vec<(PlayerId, i32, i32)> {
    let ships = world.session.world().now().table(SHIP).rows::<Ship>();
    let place = |ship: Ship| (ship.place().x.round() as i32, ship.place().y.round() as i32);
    let mut places: Vec<_> = ships
        .map(|(_, ship)| (PlayerId(ship.player as u16), place(ship).0, place(ship).1))
        .collect();
    places.sort_unstable();
    places
}

#[test]
fn where_there_are_few_everybody_knows_where_the_others_are() {
    let world = arena(0, 0, 2);
    for guest in 0..2 {
        let told = told(&world, guest);
        assert!((4..=5).contains(&told.len()), "once a second: {told:?}");
        let mut newest = told[told.len() - 1].clone();
        newest.sort_unstable();
        // They lie still, and out of each other's sight.
        assert_eq!(newest, ships(&world));
        let focus = world.session.focus(me(&world, guest));
        let reach = (focus.half_width + focus.margin, focus.half_height + focus.margin);
        let seen = |&&(_, x, y): &&(PlayerId, i32, i32)| {
            (x as f32 - focus.x).abs() < reach.0 && (y as f32 - focus.y).abs() < reach.1
        };
        assert_eq!(newest.iter().filter(seen).count(), 1);
    }
}

#[test]
fn among_more_nobody_knows_without_teams() {
    let world = arena(0, 3, 2);
    assert_eq!(ships(&world).len(), 5);
    assert!((0..2).all(|guest| told(&world, guest).is_empty()));
}

#[test]
fn who_is_in_a_team_knows_where_the_team_is_and_nobody_else() {
    let world = arena(2, 4, 4);
    for guest in 0..4 {
        let told = told(&world, guest);
        let newest = told.last().expect("once a second");
        let roster = world.guests[guest].roster();
        let team = |player| roster[&player].team;
        let own = team(me(&world, guest));
        assert!(told.iter().flat_map(|places| places.iter()).all(|&(id, ..)| team(id) == own));
        // Pilots fly about and may have lost a ship; who lies still has one.
        let still: Vec<_> = (0..4).map(|n| me(&world, n)).filter(|&id| team(id) == own).collect();
        let lying = |&&(id, ..): &&(PlayerId, i32, i32)| still.contains(&id);
        let places: Vec<_> = newest.iter().filter(lying).copied().collect();
        let truth = ships(&world);
        assert_eq!(places.len(), 2);
        assert!(places.iter().all(|place| truth.contains(place)), "{places:?} of {truth:?}");
        assert!(newest.len() > 2, "pilots of the own team too");
    }
}

#[test]
fn who_watches_is_told_nothing() {
    let mut world = arena(2, 2, 2);
    let eye = world.join_as("eye", LINE, |hello| hello.watch = true);
    world.run(3000.0);
    assert!(world.session.is_watching(me(&world, eye)));
    assert!(told(&world, eye).is_empty());
}
