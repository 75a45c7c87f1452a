//! What two ends have to agree on before they exchange a frame, as one number.

use super::field::{
    BITS_MAX, FIELDS_MAX, Field, INPUT_FIELDS_MAX, KINDS_MAX, Kind, Role, Treatment,
};
use super::row::Row;
use crate::game::Game;

/// The WebSocket sub-protocol; its number counts up whenever the layout of messages changes.
pub const SUBPROTOCOL: &str = "gamekeeper.6";
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
        assert!(kind.leads() <= fields, "{}: more leads than fields", kind.name);
        assert!(
            !kind.private || kind.field_with(Role::Owner).is_some(),
            "{}: a private kind needs an owner",
            kind.name
        );
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
