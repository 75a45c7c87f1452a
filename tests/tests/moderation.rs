//! Who is shown out of a session, kept out of it, or not heard in it, with each game, over a network in memory.

use server::session::acts::{HostAction, OperatorAction, Order};
use shared::game::{Game, PlayerId};
use shared::netcode::conditions::Conditions;
use shared::wire::close::CloseCode;
use shared::wire::message::{ClientMessage, ServerMessage};
use shared::wire::{HostSecret, Visitor};
use tests::story::{SECRET, assert_honest, host_config, hosted, number};
use tests::with_every_game;
use tests::world::World;

with_every_game! {
    the_host_kicks_and_who_was_kicked_may_come_back,
    who_is_banned_stays_out_and_the_neighbours_do_not,
    a_ban_is_for_the_browser_with_all_its_seats,
    who_is_shown_out_as_host_does_not_come_back_as_one,
    a_locked_session_lets_nobody_new_in,
    who_is_muted_is_heard_by_nobody,
    a_mute_is_for_the_browser_whatever_seat_it_has,
}

const LINE: Conditions = Conditions::round_trip(60.0, 10.0);

fn the_host_kicks_and_who_was_kicked_may_come_back<G: Game>() {
    let mut world = hosted::<G>(51);
    let player = number(&world, 1);
    assert_eq!(world.act(SECRET, HostAction::Kick { player }), Ok(()));
    world.run(500.0);
    let (code, _) = world.guests[1].outbox.closed().expect("shown out");
    assert_eq!((code, world.session.players()), (CloseCode::Kicked, 2));
    world.join_as("guest 1", LINE, |hello| hello.visitor = Visitor([1; 16]));
    world.run(500.0);
    assert_eq!(world.session.players(), 3);
    assert_honest(&world);
}

/// Somebody comes with the key of a browser from a house in which there are several.
fn come<G: Game>(world: &mut World<G>, name: &str, key: u8, host: Option<HostSecret>) -> usize {
    let index = world.join_as(name, LINE, |hello| {
        hello.visitor = Visitor([key; 16]);
        hello.host = host;
    });
    world.guests[index].network = Some("203.0.113.7".parse().expect("an address"));
    world.run(500.0);
    index
}

fn closed<G: Game>(world: &World<G>, guest: usize) -> Option<CloseCode> {
    world.guests[guest].outbox.closed().map(|closed| closed.0)
}

fn who_is_banned_stays_out_and_the_neighbours_do_not<G: Game>() {
    let mut world = World::<G>::open(host_config::<G>(52));
    let other = world.join_as("host", LINE, |hello| hello.host = Some(SECRET));
    let bad = come(&mut world, "bad", 1, None);
    let good = come(&mut world, "good", 2, None);
    let player = number(&world, bad);
    assert_eq!(world.act(SECRET, HostAction::Ban { player }), Ok(()));
    world.run(200.0);
    assert_eq!(closed(&world, bad), Some(CloseCode::Banned));
    // The browser is known again; another one at the same address is let in, as somebody welcome is there.
    let again = come(&mut world, "bad again", 1, None);
    let neighbour = come(&mut world, "neighbour", 3, None);
    assert_eq!((closed(&world, again), closed(&world, neighbour)), (Some(CloseCode::Banned), None));
    // Once nobody else is there from that address, a new key does not help.
    world.leave(good);
    world.leave(neighbour);
    world.run(200.0);
    let fresh = come(&mut world, "fresh", 4, None);
    assert_eq!((closed(&world, fresh), closed(&world, other)), (Some(CloseCode::Banned), None));
}

fn a_ban_is_for_the_browser_with_all_its_seats<G: Game>() {
    let mut world = World::<G>::open(host_config::<G>(72));
    let host = world.join_as("host", LINE, |hello| hello.host = Some(SECRET));
    let [bad, window] = ["bad", "window"].map(|name| come(&mut world, name, 1, None));
    let player = number(&world, bad);
    assert_eq!(world.act(SECRET, HostAction::Ban { player }), Ok(()));
    world.run(200.0);
    let banned = Some(CloseCode::Banned);
    assert_eq!([bad, window, host].map(|n| closed(&world, n)), [banned, banned, None]);
    // Nobody who is welcome is there from that address.
    let fresh = come(&mut world, "fresh", 2, None);
    assert_eq!(closed(&world, fresh), banned);
    // Hosts who ban another window of their own stay, and nobody is kept out by that: they themselves neither.
    let mut world = World::<G>::open(host_config::<G>(73));
    let host = come(&mut world, "host", 1, Some(SECRET));
    let window = come(&mut world, "window", 1, None);
    let player = number(&world, window);
    assert_eq!(world.act(SECRET, HostAction::Ban { player }), Ok(()));
    let fresh = come(&mut world, "fresh", 2, None);
    assert_eq!([window, fresh, host].map(|n| closed(&world, n)), [banned, None, None]);
    world.leave(host);
    world.run(200.0);
    let again = come(&mut world, "host", 1, Some(SECRET));
    assert_eq!(closed(&world, again), None);
    assert_eq!(world.session.status().host.as_deref(), Some("host"));
}

fn who_is_shown_out_as_host_does_not_come_back_as_one<G: Game>() {
    for others in [0, 1] {
        let mut world = World::<G>::open(host_config::<G>(75));
        come(&mut world, "host", 1, Some(SECRET));
        for n in 0..others {
            come(&mut world, "other", 2 + n, None);
        }
        let player = number(&world, 0);
        let kick = OperatorAction::Kick { player, reason: "Go.".into() };
        assert_eq!(world.order(Order::Operator(kick)), Ok(()));
        world.run(200.0);
        assert_eq!(closed(&world, 0), Some(CloseCode::Kicked));
        let again = come(&mut world, "again", 1, Some(SECRET));
        assert_eq!(closed(&world, again), None);
        assert_ne!(world.session.status().host.as_deref(), Some("again"), "{others} others");
    }
}

fn a_locked_session_lets_nobody_new_in<G: Game>() {
    let mut world = hosted::<G>(53);
    assert_eq!(world.act(SECRET, HostAction::Lock { locked: true }), Ok(()));
    let late = world.join("late", LINE);
    world.run(500.0);
    let (code, _) = world.guests[late].outbox.closed().expect("turned away");
    assert_eq!((code, world.session.status().locked), (CloseCode::Locked, true));
    // Who lost the line has a seat, and comes back.
    world.drop_line(1);
    world.run(300.0);
    world.return_to_seat(1, LINE);
    world.run(1000.0);
    assert_eq!((world.session.players(), world.session.away()), (3, 0));
    assert_eq!(world.act(SECRET, HostAction::Lock { locked: false }), Ok(()));
    world.join("later", LINE);
    world.run(500.0);
    assert_eq!(world.session.players(), 4);
}

fn who_is_muted_is_heard_by_nobody<G: Game>() {
    let mut world = hosted::<G>(54);
    let player = number(&world, 1);
    assert_eq!(world.act(SECRET, HostAction::Mute { player, muted: true }), Ok(()));
    world.guests[1].client.chat("buy this", false);
    world.guests[1].client.say(&ClientMessage::Emote(3));
    world.run(500.0);
    let heard = |world: &World<G>| -> Vec<String> {
        let lines = world.guests[2].lines().into_iter();
        lines.filter(|(from, _)| from.is_some()).map(|(_, text)| text).collect()
    };
    assert_eq!(heard(&world), Vec::<String>::new());
    let emotes = |world: &World<G>| {
        let said = world.guests[2].said_to();
        said.filter(|said| matches!(said, ServerMessage::Emote { emote: 3, .. })).count()
    };
    assert_eq!(emotes(&world), 0);
    assert!(world.guests[1].lines().iter().any(|(_, text)| text.contains("muted")));
    assert!(world.guests[2].roster()[&PlayerId(player)].muted);
    assert_eq!(world.act(SECRET, HostAction::Mute { player, muted: false }), Ok(()));
    world.guests[1].client.chat("sorry", false);
    world.guests[1].client.say(&ClientMessage::Emote(3));
    world.run(500.0);
    assert_eq!((heard(&world), emotes(&world)), (vec!["sorry".to_owned()], 1));
}

fn a_mute_is_for_the_browser_whatever_seat_it_has<G: Game>() {
    let mut world = hosted::<G>(74);
    let window = come(&mut world, "window", 1, None);
    let player = number(&world, 1);
    let mutes = |world: &World<G>| -> Vec<String> {
        let roster = world.guests[0].roster().into_values();
        roster.filter(|entry| entry.muted).map(|entry| entry.name).collect()
    };
    assert_eq!(world.act(SECRET, HostAction::Mute { player, muted: true }), Ok(()));
    world.run(200.0);
    assert_eq!(mutes(&world), ["guest 1", "window"]);
    // The page is loaded again.
    world.leave(1);
    world.leave(window);
    world.run(200.0);
    let again = come(&mut world, "again", 1, None);
    let other = come(&mut world, "other", 3, None);
    assert_eq!(mutes(&world), ["again"]);
    world.guests[again].client.chat("buy this", false);
    world.guests[other].client.chat("hello", false);
    world.run(500.0);
    let lines = world.guests[2].lines().into_iter().filter(|(from, _)| from.is_some());
    assert_eq!(lines.map(|(_, text)| text).collect::<Vec<_>>(), ["hello"]);
    // It ends as it began.
    let player = number(&world, again);
    assert_eq!(world.act(SECRET, HostAction::Mute { player, muted: false }), Ok(()));
    world.leave(again);
    world.run(200.0);
    come(&mut world, "once more", 1, None);
    assert_eq!(mutes(&world), Vec::<String>::new());
}
