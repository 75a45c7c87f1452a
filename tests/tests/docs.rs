//! What `docs/protocol.md` says of tables and codes is what the code has, and so is what the browsers' page knows of
//! codes.

use shared::arena::Arena;
use shared::arena::rows::Controls;
use shared::game::Game;
use shared::wire::close::CloseCode;
use shared::wire::{Field, Protocol, Role, Row, Treatment};
use std::fmt::Write as _;

const PAGE: &str = include_str!("../../docs/protocol.md");
const NET: &str = include_str!("../../client-web/www/net.js");

/// A kind's or an input's fields as the page has them.
fn table(title: &str, fields: &[Field]) -> String {
    let mut text = format!("{title}\n\n| field | bits | step | |\n| --- | --- | --- | --- |\n");
    for field in fields {
        let role = match field.role {
            Role::Plain => "",
            Role::X => "place, east",
            Role::Y => "place, south",
            Role::Angle => "angle, clockwise from east",
            Role::Owner => "owner",
            Role::Lag => "lag",
        };
        let usual = field.usual.map(|bits| format!("usually {bits}"));
        let signed = if field.signed { "signed" } else { "" };
        let notes = [role, signed, usual.as_deref().unwrap_or_default()];
        let notes: Vec<_> = notes.into_iter().filter(|note| !note.is_empty()).collect();
        let step = match field.role {
            Role::Angle => format!("1/{} turn", 1u32 << field.bits),
            _ if field.step < 1.0 => format!("1/{}", (1.0 / field.step).round()),
            _ => "1".to_owned(),
        };
        writeln!(text, "| `{}` | {} | {step} | {} |", field.name, field.bits, notes.join(", "))
            .expect("a string has room");
    }
    text
}

#[test]
fn the_page_has_the_tables_of_the_arena() {
    let mut all = String::new();
    for (index, kind) in Arena::KINDS.iter().enumerate() {
        let treatment = match kind.treatment {
            Treatment::Static => "static".to_owned(),
            Treatment::Ballistic => "ballistic".to_owned(),
            Treatment::Plain => "plain".to_owned(),
            Treatment::Steered { leads } => format!("steered, {leads} leads"),
        };
        let private = if kind.private { ", private" } else { "" };
        let title = format!("**Kind {index}, `{}`**: {treatment}{private}", kind.name);
        all += &table(&title, kind.fields);
        all += "\n";
    }
    all += &table("**The input**", Controls::FIELDS);
    assert!(PAGE.contains(&all), "docs/protocol.md should have:\n\n{all}");
}

#[test]
fn the_page_has_every_close_code() {
    for code in CloseCode::ALL {
        let start = format!("| {} | `{}` |", code.code(), code.label());
        let line = PAGE.lines().find(|line| line.starts_with(&start));
        let line = line.unwrap_or_else(|| panic!("docs/protocol.md should have: {start} …"));
        let again = if code.worth_retrying() { "| yes |" } else { "| no |" };
        assert!(line.ends_with(again), "{line} should end with {again}");
    }
}

/// The close codes for which a table of `net.js` has a sentence.
fn told(table: &str) -> Vec<u16> {
    let start = format!("\nconst {table} = {{\n");
    let (_, rest) = NET.split_once(&start).unwrap_or_else(|| panic!("no {table} in net.js"));
    let (lines, _) = rest.split_once("\n};").expect("it ends");
    let code = |line: &str| line.trim().split_once(": '")?.0.parse().ok();
    lines.lines().map(|line| code(line).unwrap_or_else(|| panic!("{line}"))).collect()
}

#[test]
fn browsers_try_again_after_the_same_codes_as_everybody_and_have_a_sentence_for_each() {
    let codes = |again: bool| -> Vec<u16> {
        let all = CloseCode::ALL.iter().filter(|code| code.worth_retrying() == again);
        let mut codes: Vec<_> = all.map(|code| code.code()).collect();
        codes.sort_unstable();
        codes
    };
    assert_eq!((told("FINAL"), told("PASSING")), (codes(false), codes(true)));
}

#[test]
fn the_page_has_the_hash_of_this_version() {
    let hash = format!("`{:#018x}`", Protocol::of::<Arena>().hash);
    assert!(PAGE.contains(&hash), "docs/protocol.md should have: {hash}");
}
