//! Whoever runs a session, with each game, over a network in memory.

use server::session::acts::{ActError, HostAction, OperatorAction, Order};
use server::session::settings::{PilotCount, SessionSettings};
use server::session::{Provided, SEAT_GRACE_SECONDS, SessionConfig};
use shared::game::{Game, Setup};
use shared::netcode::conditions::Conditions;
use shared::wire::close::CloseCode;
use shared::wire::message::{Hello, ServerMessage};
use shared::wire::{HostSecret, Visitor};
use tests::story::{SECRET, assert_honest, host_config, hosted, number};
use tests::with_every_game;
use tests::world::World;

with_every_game! {
    only_who_shows_the_secret_is_the_host,
    when_the_host_is_gone_the_longest_present_takes_over,
    a_host_who_loses_the_line_with_everybody_else_is_the_host_again,
    when_the_host_leaves_those_who_are_away_the_first_to_come_back_takes_over,
    who_comes_back_before_the_host_ever_came_does_not_take_over,
    who_came_after_the_host_had_left_does_not_take_over,
    a_host_hands_over_and_has_no_power_left,
    a_host_who_loads_the_page_again_is_the_host_again,
    a_host_who_comes_back_late_is_one_no_more,
    who_gave_the_session_away_does_not_take_it_back,
    a_second_window_of_the_host_takes_what_there_is_room_for,
    a_host_who_closes_one_window_is_the_host_in_the_other,
    settings_change_with_the_next_round,
    a_session_ends_when_the_host_says_so_or_when_nobody_comes,
    a_late_joiner_reads_what_was_said,
    a_team_is_heard_by_itself,
}

const LINE: Conditions = Conditions::round_trip(60.0, 10.0);
fn only_who_shows_the_secret_is_the_host<G: Game>() {
    let mut world = hosted::<G>(50);
    let hosts = |world: &World<G>| -> Vec<String> {
        let roster = world.guests[1].roster();
        roster.values().filter(|entry| entry.host).map(|entry| entry.name.clone()).collect()
    };
    assert_eq!(hosts(&world), ["host"]);
    assert_eq!(world.guests[0].host_secret(), Some(SECRET));
    assert_eq!((world.guests[1].host_secret(), world.guests[2].host_secret()), (None, None));
    let wrong = HostSecret([0x12; 16]);
    let rename = |name: &str| HostAction::Rename { name: name.into() };
    assert_eq!(world.act(wrong, rename("Mine")), Err(ActError::NotHost));
    assert_eq!(world.act(SECRET, rename("Ours")), Ok(()));
    assert!(matches!(world.act(SECRET, rename(" ")), Err(ActError::Refused(_))));
    assert_eq!(world.act(SECRET, HostAction::Kick { player: 999 }), Err(ActError::NobodyThere));
    world.run(500.0);
    let named = world.guests[2].said_to().filter_map(|said| match said {
        ServerMessage::About { name, .. } => Some(name.as_str()),
        _ => None,
    });
    assert_eq!(named.collect::<Vec<_>>(), ["Arena", "Ours"]);
    assert_eq!(world.session.status().name, "Ours");
    assert_eq!(world.session.status().host.as_deref(), Some("host"));
}

fn when_the_host_is_gone_the_longest_present_takes_over<G: Game>() {
    let mut world = hosted::<G>(55);
    // A lost line is no farewell.
    world.drop_line(0);
    world.run(1000.0);
    assert_eq!(world.guests[1].host_secret(), None);
    world.return_to_seat(0, LINE);
    world.run(1000.0);
    world.leave(0);
    world.run(500.0);
    let heir = world.guests[1].host_secret().expect("the longest present is the host");
    assert!(world.guests[1].entry().host && !world.guests[2].entry().host);
    assert_ne!(heir, SECRET);
    assert_eq!(world.act(SECRET, HostAction::Lock { locked: true }), Err(ActError::NotHost));
    assert_eq!(world.act(heir, HostAction::Lock { locked: true }), Ok(()));
}

fn a_host_who_loses_the_line_with_everybody_else_is_the_host_again<G: Game>() {
    let mut world = hosted::<G>(64);
    assert_eq!(world.act(SECRET, HostAction::Lock { locked: true }), Ok(()));
    // After a visit of this length everybody's seat is kept equally long, so the host's is freed first.
    world.run(4000.0);
    (0..3).for_each(|n| world.drop_line(n));
    world.run(f64::from(SEAT_GRACE_SECONDS + 1) * 1000.0);
    assert_eq!((world.session.players(), world.session.host()), (0, Some(SECRET)));
    world.return_to_seat(0, LINE);
    world.run(500.0);
    assert_eq!(world.guests[0].outbox.closed(), None);
    assert!(world.guests[0].entry().host);
    assert_eq!(world.act(SECRET, HostAction::Lock { locked: false }), Ok(()));
    world.return_to_seat(1, LINE);
    world.run(500.0);
    assert!(world.session.players() == 2 && !world.guests[1].entry().host);
    assert_honest(&world);
}

fn when_the_host_leaves_those_who_are_away_the_first_to_come_back_takes_over<G: Game>() {
    let mut world = hosted::<G>(65);
    (1..3).for_each(|n| world.drop_line(n));
    world.leave(0);
    world.run(1000.0);
    // Nobody is there who could be told another one.
    assert_eq!((world.session.host(), world.session.status().host), (Some(SECRET), None));
    for n in [2, 1] {
        world.return_to_seat(n, LINE);
        world.run(500.0);
    }
    let heir = world.guests[2].host_secret().expect("the first to come back is the host");
    assert!(world.guests[2].entry().host && !world.guests[1].entry().host);
    assert_eq!(world.guests[1].host_secret(), None);
    assert_eq!(world.act(SECRET, HostAction::Lock { locked: true }), Err(ActError::NotHost));
    assert_eq!(world.act(heir, HostAction::Lock { locked: true }), Ok(()));
    assert_honest(&world);
}

fn who_comes_back_before_the_host_ever_came_does_not_take_over<G: Game>() {
    let mut world = World::<G>::open(host_config::<G>(66));
    let early = world.join("early", LINE);
    world.run(1000.0);
    world.drop_line(early);
    world.return_to_seat(early, LINE);
    world.run(500.0);
    assert_eq!((world.guests[early].host_secret(), world.session.host()), (None, Some(SECRET)));
    world.join_as("host", LINE, |hello| hello.host = Some(SECRET));
    world.run(500.0);
    assert_eq!(world.session.status().host.as_deref(), Some("host"));
}

fn who_came_after_the_host_had_left_does_not_take_over<G: Game>() {
    let mut world = hosted::<G>(67);
    world.leave(1);
    world.leave(2);
    world.leave(0);
    world.run(500.0);
    let stranger = world.join("stranger", LINE);
    world.run(1000.0);
    world.drop_line(stranger);
    world.return_to_seat(stranger, LINE);
    world.run(500.0);
    assert_eq!(world.guests[stranger].host_secret(), None);
    world.return_to_seat(0, LINE);
    world.run(500.0);
    assert!(world.guests[0].entry().host);
}

fn a_host_hands_over_and_has_no_power_left<G: Game>() {
    let mut world = hosted::<G>(56);
    let player = number(&world, 2);
    assert_eq!(world.act(SECRET, HostAction::HandOver { player }), Ok(()));
    world.run(500.0);
    let secret = world.guests[2].host_secret().expect("the new host has a secret");
    assert!(world.guests[2].entry().host && !world.guests[0].entry().host);
    assert_eq!(world.act(SECRET, HostAction::NextRound), Err(ActError::NotHost));
    assert_eq!(world.act(secret, HostAction::NextRound), Ok(()));
    world.run(1000.0);
    assert_honest(&world);
}

/// A page that is loaded again says goodbye, and comes as somebody new with the secret that the browser keeps.
fn come_as_host<G: Game>(world: &mut World<G>) -> usize {
    let index = world.join_as("host again", LINE, |hello| hello.host = Some(SECRET));
    world.run(500.0);
    index
}

fn a_host_who_loads_the_page_again_is_the_host_again<G: Game>() {
    let mut world = hosted::<G>(68);
    assert_eq!(world.act(SECRET, HostAction::Lock { locked: true }), Ok(()));
    world.leave(0);
    world.run(1000.0);
    let heir = world.guests[1].host_secret().expect("somebody is the host meanwhile");
    assert_eq!(world.act(SECRET, HostAction::NextRound), Err(ActError::NotHost));
    // Who has only kept the place does not decide who comes after them, nor does their own leaving.
    let player = number(&world, 2);
    assert_eq!(world.act(heir, HostAction::HandOver { player }), Ok(()));
    world.run(500.0);
    let heir = world.guests[2].host_secret().expect("the heir's heir");
    world.leave(2);
    world.run(500.0);
    let host = come_as_host(&mut world);
    assert_eq!(world.guests[host].outbox.closed(), None, "though it is locked");
    assert_eq!(world.guests[host].host_secret(), Some(SECRET));
    assert!(world.guests[host].entry().host && !world.guests[1].entry().host);
    assert_eq!(world.act(heir, HostAction::Lock { locked: false }), Err(ActError::NotHost));
    assert_eq!(world.act(SECRET, HostAction::Lock { locked: false }), Ok(()));
    assert_honest(&world);
}

fn a_host_who_comes_back_late_is_one_no_more<G: Game>() {
    let mut world = hosted::<G>(69);
    assert_eq!(world.act(SECRET, HostAction::Lock { locked: true }), Ok(()));
    world.leave(0);
    world.run(f64::from(SEAT_GRACE_SECONDS + 1) * 1000.0);
    let late = come_as_host(&mut world);
    assert_eq!(world.guests[late].outbox.closed().map(|c| c.0), Some(CloseCode::Locked));
    let heir = world.guests[1].host_secret().expect("somebody is the host");
    assert_eq!(world.act(heir, HostAction::Lock { locked: false }), Ok(()));
    let late = come_as_host(&mut world);
    assert!(!world.guests[late].entry().host && world.guests[1].entry().host);
}

fn who_gave_the_session_away_does_not_take_it_back<G: Game>() {
    let mut world = hosted::<G>(70);
    let player = number(&world, 2);
    assert_eq!(world.act(SECRET, HostAction::HandOver { player }), Ok(()));
    world.leave(0);
    world.run(500.0);
    let again = come_as_host(&mut world);
    assert!(!world.guests[again].entry().host && world.guests[2].entry().host);
    // Nor does a host whom the operator has shown out.
    let mut world = hosted::<G>(71);
    let (player, reason) = (number(&world, 0), "Enough.".to_owned());
    let kick = OperatorAction::Kick { player, reason };
    assert_eq!(world.order(Order::Operator(kick)), Ok(()));
    world.run(500.0);
    let again = come_as_host(&mut world);
    assert!(!world.guests[again].entry().host && world.guests[1].entry().host);
}

fn a_second_window_of_the_host_takes_what_there_is_room_for<G: Game>() {
    let config = SessionConfig { players_max: 2, ..host_config::<G>(72) };
    let mut world = World::<G>::open(config);
    let show = |hello: &mut Hello| hello.host = Some(SECRET);
    let host = world.join_as("host", LINE, show);
    world.run(500.0);
    assert_eq!(world.act(SECRET, HostAction::Lock { locked: true }), Ok(()));
    // The lock is no door for a host, but a seat is one that nobody else has.
    let second = world.join_as("host too", LINE, show);
    world.run(500.0);
    assert!(world.guests[second].entry().host);
    let third = world.join_as("friend", LINE, show);
    world.run(500.0);
    assert_eq!(world.guests[third].outbox.closed().map(|c| c.0), Some(CloseCode::SessionFull));
    // Whose host is away has room for them.
    world.drop_line(second);
    world.run(500.0);
    let back = come_as_host(&mut world);
    assert!(world.guests[back].entry().host && !world.guests[host].entry().host);
}

fn a_host_who_closes_one_window_is_the_host_in_the_other<G: Game>() {
    let mut world = World::<G>::open(host_config::<G>(73));
    let show = |hello: &mut Hello| {
        (hello.host, hello.visitor) = (Some(SECRET), Visitor([7; 16]));
    };
    let friend = world.join("friend", LINE);
    world.run(500.0);
    let one = world.join_as("host", LINE, show);
    world.run(500.0);
    let other = world.join_as("host too", LINE, show);
    world.run(500.0);
    assert!(world.guests[other].entry().host);
    world.leave(other);
    world.run(500.0);
    assert!(world.guests[one].entry().host && !world.guests[friend].entry().host);
}

fn settings_change_with_the_next_round<G: Game>() {
    let settings =
        SessionSettings { round_s: 20, pilots: PilotCount::Always(3), ..Default::default() };
    let opened = settings.config::<G>(57).expect("sensible");
    let provided = Provided { host: Some(SECRET), ..opened.provided };
    let mut world = World::<G>::open(SessionConfig { provided, ..opened });
    world.join_as("host", LINE, |hello| hello.host = Some(SECRET));
    world.run(10_000.0);
    let mode = server::session::settings::Mode::Teams;
    let change = |settings: SessionSettings| HostAction::Change { settings: Box::new(settings) };
    let wanted = SessionSettings { mode, name: "Sides".into(), ..settings.clone() };
    assert_eq!(world.act(SECRET, change(wanted.clone())), Ok(()));
    let refused = |world: &mut World<G>, settings| match world.act(SECRET, change(settings)) {
        Err(ActError::Refused(sentence)) => sentence,
        other => panic!("{other:?}"),
    };
    // A world takes time to make, even to be refused: not as fast as a host can ask.
    assert!(refused(&mut world, wanted.clone()).contains("One moment"));
    for (bad, word) in [
        (SessionSettings { tick_rate: 60, ..wanted.clone() }, "tick_rate"),
        (SessionSettings { teams: 9, ..wanted }, "teams"),
    ] {
        world.run(1100.0);
        assert!(refused(&mut world, bad).contains(word));
    }
    world.run(1000.0);
    assert_eq!(
        (world.session.status().mode, world.guests[0].entry().team),
        (Default::default(), 0)
    );
    assert_eq!(world.act(SECRET, HostAction::NextRound), Ok(()));
    world.run(1000.0);
    assert_eq!(world.session.status().mode, mode);
    let teams: Vec<_> = world.guests[0].roster().values().map(|entry| entry.team).collect();
    let of = |team| teams.iter().filter(|&&t| t == team).count();
    assert_eq!((of(1), of(2)), (2, 2));
    let player = number(&world, 0);
    let team = 3 - world.guests[0].entry().team;
    assert_eq!(world.act(SECRET, HostAction::Move { player, team }), Ok(()));
    assert!(matches!(
        world.act(SECRET, HostAction::Move { player, team: 3 }),
        Err(ActError::Refused(_))
    ));
    world.run(1000.0);
    assert_eq!(world.guests[0].entry().team, team);
    assert_honest(&world);
}

fn a_session_ends_when_the_host_says_so_or_when_nobody_comes<G: Game>() {
    let mut world = hosted::<G>(58);
    assert_eq!(world.session.over(), None);
    assert_eq!(world.act(SECRET, HostAction::End), Ok(()));
    assert!(world.session.over().is_some_and(|(_, why)| why.contains("host")));

    let config = host_config::<G>(59);
    let provided = Provided { idle_s: 5, ..config.provided };
    let mut world = World::<G>::open(SessionConfig { provided, ..config });
    world.run(3000.0);
    let guest = world.join("guest", LINE);
    world.run(10_000.0);
    assert_eq!(world.session.over(), None);
    world.leave(guest);
    world.run(4000.0);
    assert_eq!(world.session.over(), None);
    world.run(2000.0);
    assert!(world.session.over().is_some_and(|(_, why)| why.contains("Nobody")));
}

fn a_late_joiner_reads_what_was_said<G: Game>() {
    let mut world = hosted::<G>(60);
    world.guests[1].client.chat("<b>hello</b>", false);
    world.run(300.0);
    world.leave(1);
    let late = world.join("late", LINE);
    world.run(500.0);
    let history = world.guests[late].said_to().find_map(|said| match said {
        ServerMessage::History { lines } => Some(lines.clone()),
        _ => None,
    });
    assert_eq!(history, Some(vec![("guest 1".to_owned(), "<b>hello</b>".to_owned())]));
}

fn a_team_is_heard_by_itself<G: Game>() {
    let mut setup = Setup::new(G::Settings::default(), 61, 30);
    setup.teams = 2;
    let mut world = World::<G>::open(SessionConfig::new(setup));
    for n in 0..4 {
        world.join(&format!("guest {n}"), LINE);
    }
    world.join_as("watcher", LINE, |hello| hello.watch = true);
    world.run(1000.0);
    let team = world.guests[0].entry().team;
    world.guests[0].client.chat("psst", true);
    world.run(500.0);
    for guest in &world.guests {
        let heard = guest.lines().iter().any(|(_, text)| text == "psst");
        assert_eq!(heard, guest.entry().team == team, "{:?}", guest.entry());
    }
}
