//! The worked example of `docs/protocol.md` is what really goes over the line: a session with one player is
//! played in memory, and the page has its first messages, byte by byte, and what they mean.

use server::session::SessionConfig;
use shared::arena::rows::Controls;
use shared::arena::{Arena, Settings};
use shared::game::{Game, Setup};
use shared::netcode::conditions::Conditions;
use shared::netcode::history::History;
use shared::wire::input::InputMessage;
use shared::wire::message::ServerMessage;
use shared::wire::{Row, Rows, input, message};
use std::fmt::Write as _;
use tests::world::World;

const PAGE: &str = include_str!("../../docs/protocol.md");
const BYTES_PER_LINE: usize = 24;

fn hex(bytes: &[u8]) -> String {
    let lines = bytes
        .chunks(BYTES_PER_LINE)
        .map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join("\n    ")
}

/// All rows, with the names of their fields.
fn rows(rows: &Rows) -> String {
    let mut text = String::new();
    for (kind, table) in Arena::KINDS.iter().zip(rows.tables()) {
        for (id, row) in table.iter() {
            let fields = kind.fields.iter().zip(row).filter(|(_, value)| **value != 0);
            let fields: Vec<_> =
                fields.map(|(field, value)| format!("{} {value}", field.name)).collect();
            let fields = if fields.is_empty() { "all 0".into() } else { fields.join(", ") };
            writeln!(text, "{} {id}: {fields}", kind.name).expect("room");
        }
    }
    text
}

/// What a welcome and an input say.
fn told(welcome: &[u8], input: &[u8]) -> String {
    let welcome = message::decode(&welcome[1..]).expect("a control message");
    let ServerMessage::Welcome { player, name, tick, setup, .. } = welcome else {
        panic!("a welcome")
    };
    let Setup { settings, seed, tick_rate, rewind_ms, teams } =
        message::decode::<Setup<Settings>>(&setup).expect("a setup");
    let Settings { size, rock_density, pickup_density, friendly_fire } = settings;
    let table = Controls::FIELDS;
    let given = InputMessage::decode(&input[1..], table).expect("an input");
    let fields: String =
        table.iter().zip(given.fields()).map(|(f, v)| format!(", {} {v}", f.name)).collect();
    format!(
        "player {}, name {name}, tick {tick}, size {size}, rock_density {rock_density}, pickup_density \
         {pickup_density}, friendly_fire {friendly_fire}, seed {seed}, tick_rate {tick_rate}, rewind_ms \
         {rewind_ms}, teams {teams}\ntick {}, decoded {}{fields}\n",
        player.0, given.tick, given.decoded
    )
}

#[test]
fn the_page_has_the_first_messages_of_a_session() {
    let settings =
        Settings { size: 1800, rock_density: 0.0, pickup_density: 0.0, friendly_fire: false };
    let setup = Setup::new(settings, 1, 30);
    let rules = Arena::rules(&setup).expect("settings that make sense");
    let mut world = World::<Arena>::open(SessionConfig::new(setup));
    world.run(2000.0);
    let ada = world.join("Ada", Conditions::default());
    world.guests[ada].plays = false;
    world.guests[ada].records = true;
    world.run(2000.0);
    let guest = &world.guests[ada];
    let heard = |wanted: u8| {
        let of_type = |m: &&Vec<u8>| m[0] & 7 == wanted;
        guest.recorded.iter().find(of_type).expect("it came").clone()
    };
    let welcomed = guest.recorded.iter().find(|m| m[0] == message::TYPE).expect("a welcome");
    let control: Vec<_> =
        guest.recorded.iter().filter(|m| m[0] == message::TYPE).take(4).map(|m| hex(m)).collect();
    let [welcome, about, phase, roster] = &control[..] else { panic!("four come first") };
    let said = |wanted: u8| guest.said.iter().find(|m| m[0] == wanted).expect("it was said");
    let keyframe = heard(3);
    let (delta, hello, input) = (heard(2), said(message::TYPE), said(input::TYPE));
    let mut history = History::new(Arena::KINDS);
    let mut after = |frame: &[u8]| {
        history.take::<Arena>(&rules, frame).expect("frames in order");
        let (tick, seen) = history.newest().expect("just taken");
        format!("```text\ntick {tick}\n{}```\n", rows(seen))
    };
    let decoded = [("the keyframe", after(&keyframe)), ("the delta", after(&delta))];
    let block = format!(
        "```text\nHello, to the server:\n    {}\nWelcome:\n    {welcome}\nAbout:\n    {about}\nPhase:\n    \
         {phase}\nRoster:\n    {roster}\nKeyframe:\n    {}\nThe first delta:\n    {}\nAn input, to the server:\n    \
         {}\n```\n",
        hex(hello),
        hex(&keyframe),
        hex(&delta),
        hex(input),
    );
    assert!(PAGE.contains(&block), "docs/protocol.md should have:\n\n{block}");
    let told = format!("```text\n{}```\n", told(welcomed, input));
    assert!(PAGE.contains(&told), "docs/protocol.md should have:\n\n{told}");
    for (what, block) in decoded {
        assert!(PAGE.contains(&block), "docs/protocol.md should have, of {what}:\n\n{block}");
    }
}
