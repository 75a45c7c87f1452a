//! What two ends have to agree on before they exchange a frame, as one number.

use super::field::{
    BITS_MAX, FIELDS_MAX, Field, INPUT_FIELDS_MAX, KINDS_MAX, Kind, Role, Treatment,
};
use super::row::Row;
use crate::game::Game;

/// The WebSocket sub-protocol; its number counts up whenever the layout of messages changes.
pub const SUBPROTOCOL: &str = "gamekeeper.7";
/// What the sub-protocols of all versions begin with; behind it is a number.
pub const SUBPROTOCOL_FAMILY: &str = "gamekeeper.";
/// The header of the server's handshake with the code of the session, for those who come back without a page.
pub const SESSION_HEADER: &str = "gamekeeper-session";

/// A game's tables, without the game: all that the network side has to know of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Protocol {
    /// The game's name.
    pub name: &'static str,
    /// Kinds of entity, in the order that frames use.
    pub kinds: &'static [Kind],
    /// The table of an input.
    pub input: &'static [Field],
    /// 64-bit FNV-1a over everything above, the sub-protocol's name and the rules' version.
    pub hash: u64,
}

impl Protocol {
    /// The protocol of `G`. Panics when its tables break the limits that frames rely on.
    pub fn of<G: Game>() -> Self {
        let (kinds, input) = (G::KINDS, G::Input::FIELDS);
        check(kinds, input);
        let mut hash = Fnv::new();
        hash.text(SUBPROTOCOL);
        hash.text(G::NAME);
        hash.number(u64::from(G::RULES_VERSION));
        for kind in kinds {
            hash.text(kind.name);
            hash.number(u64::from(kind.private));
            hash.number(match kind.treatment {
                Treatment::Static => 0,
                Treatment::Ballistic => 1,
                Treatment::Plain => 2,
                Treatment::Steered { leads } => 3 + u64::from(leads),
            });
            kind.fields.iter().for_each(|f| hash.field(f));
        }
        hash.text("input");
        input.iter().for_each(|f| hash.field(f));
        Self { name: G::NAME, kinds, input, hash: hash.0 }
    }
}

fn check(kinds: &[Kind], input: &[Field]) {
    assert!(kinds.len() <= KINDS_MAX, "at most {KINDS_MAX} kinds");
    assert!(
        !input.is_empty() && input.len() <= INPUT_FIELDS_MAX,
        "an input has 1 to {INPUT_FIELDS_MAX} fields"
    );
    for kind in kinds {
        let fields = kind.fields.len();
        assert!((1..=FIELDS_MAX).contains(&fields), "{}: 1 to {FIELDS_MAX} fields", kind.name);
        check_leads(kind, input);
        assert!(
            !kind.private || kind.field_with(Role::Owner).is_some(),
            "{}: a private kind needs an owner",
            kind.name
        );
        for role in [Role::Owner, Role::X, Role::Y, Role::Lag] {
            let fields = kind.fields.iter().filter(|field| field.role == role).count();
            assert!(
                fields <= 1,
                "{}: more than one {role:?}; another player's number is a count",
                kind.name
            );
        }
        assert_eq!(
            kind.field_with(Role::X).is_some(),
            kind.field_with(Role::Y).is_some(),
            "{}: a place has two axes",
            kind.name
        );
    }
    for field in kinds.iter().flat_map(|k| k.fields).chain(input) {
        assert!((1..=BITS_MAX).contains(&field.bits), "{}: 1 to {BITS_MAX} bits", field.name);
    }
}

fn check_leads(kind: &Kind, input: &[Field]) {
    let leads = kind.leads();
    let steered = matches!(kind.treatment, Treatment::Steered { .. });
    assert!(!steered || leads > 0, "{}: what is steered has at least 1 lead", kind.name);
    assert!(leads <= kind.fields.len(), "{}: more leads than fields", kind.name);
    if kind.field_with(Role::Owner).is_none() {
        return;
    }
    assert!(leads <= input.len(), "{}: more leads than an input has fields", kind.name);
    for (lead, said) in kind.fields[..leads].iter().zip(input) {
        let same = (lead.bits, lead.signed, lead.role) == (said.bits, said.signed, said.role);
        assert!(same, "{}: the lead {} is no input's {}", kind.name, lead.name, said.name);
    }
}

struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn byte(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }

    fn number(&mut self, number: u64) {
        number.to_le_bytes().into_iter().for_each(|b| self.byte(b));
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        text.bytes().for_each(|b| self.byte(b));
    }

    fn field(&mut self, field: &Field) {
        self.text(field.name);
        self.number(
            field.usual.map_or(0, |bits| u64::from(bits) + 1) << 16
                | u64::from(field.bits) << 8
                | u64::from(field.signed),
        );
        self.number(u64::from(field.step.to_bits()));
        self.number(field.role as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INPUT: &[Field] = &[Field::angle("aim", 8), Field::count("keys", 4)];

    fn steered(leads: u8, fields: &'static [Field]) -> Kind {
        Kind { name: "boat", fields, treatment: Treatment::Steered { leads }, private: false }
    }

    #[test]
    fn what_a_player_steers_goes_on_by_what_inputs_say() {
        const BOAT: &[Field] = &[
            Field::angle("aim", 8),
            Field::count("keys", 4),
            Field::owner("owner"),
            Field::x("x", 14, 1.0),
            Field::y("y", 14, 1.0),
        ];
        check(&[steered(1, BOAT)], INPUT);
        check(&[steered(2, BOAT)], INPUT);
    }

    #[test]
    #[should_panic(expected = "boat: more than one Owner")]
    fn a_row_has_one_owner() {
        const BOAT: &[Field] = &[INPUT[0], Field::owner("tagged_by"), Field::owner("player")];
        check(&[steered(1, BOAT)], INPUT);
    }

    #[test]
    #[should_panic(expected = "at least 1 lead")]
    fn what_is_steered_has_leads() {
        const BOAT: &[Field] = &[Field::count("a", 4)];
        check(&[steered(0, BOAT)], INPUT);
    }

    #[test]
    #[should_panic(expected = "more leads than an input has fields")]
    fn leads_are_no_more_than_an_input_has() {
        const BOAT: &[Field] = &[INPUT[0], INPUT[1], Field::count("more", 2), Field::owner("o")];
        check(&[steered(3, BOAT)], INPUT);
    }

    #[test]
    #[should_panic(expected = "the lead keys is no input's keys")]
    fn a_lead_is_as_wide_as_what_the_input_says() {
        const BOAT: &[Field] = &[INPUT[0], Field::count("keys", 3), Field::owner("o")];
        check(&[steered(2, BOAT)], INPUT);
    }
}
