//! Text from strangers: what of it may be shown. Comes in: what somebody typed. Goes out: the same without
//! anything that hides, overlaps or turns round what stands beside it, or nothing.

use unicode_general_category::{GeneralCategory, get_general_category};

/// Letters (Unicode scalar values) of a name; longer ones are refused.
pub const NAME_CHARS_MAX: usize = 24;
/// Bytes of a chat line; longer ones are refused.
pub const CHAT_BYTES_MAX: usize = 200;
/// Combining marks on one letter; further ones are left out. Vowels and tones of living scripts fit, a tower across the
/// lines above does not.
const MARKS_MAX: usize = 3;

/// What a player may be called: trimmed, single-spaced, without control, format and other invisible
/// characters and without stacks of combining marks (more than three on a letter). `None` when nothing is
/// left or when it is longer than [`NAME_CHARS_MAX`].
pub fn clean_name(raw: &str) -> Option<String> {
    if raw.len() > NAME_CHARS_MAX * 4 {
        return None;
    }
    let shown = shown(raw);
    let name = shown.split(' ').filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ");
    (!name.is_empty() && name.chars().count() <= NAME_CHARS_MAX).then_some(name)
}

/// What a line of chat becomes: like a name, but as long as [`CHAT_BYTES_MAX`] bytes.
pub fn clean_chat(raw: &str) -> Option<String> {
    if raw.len() > CHAT_BYTES_MAX {
        return None;
    }
    let line = shown(raw).trim().to_owned();
    (!line.is_empty()).then_some(line)
}

/// What of a text may be shown, any white space as a blank.
fn shown(raw: &str) -> String {
    let mut shown = String::with_capacity(raw.len());
    let mut marks = MARKS_MAX;
    for c in raw.chars() {
        match what_is(c) {
            Shown::Not => {}
            // There is no letter for it to stand on.
            Shown::Blank => {
                marks = MARKS_MAX;
                shown.push(' ');
            }
            Shown::Mark if marks == MARKS_MAX => {}
            Shown::Mark => {
                marks += 1;
                shown.push(c);
            }
            Shown::Letter => {
                marks = 0;
                shown.push(c);
            }
        }
    }
    shown
}

/// What a character does to a text.
enum Shown {
    Letter,
    /// It stands on the letter before it.
    Mark,
    Blank,
    /// It is not seen, or does something to what stands beside it.
    Not,
}

fn what_is(c: char) -> Shown {
    use GeneralCategory as Is;
    // Letters, marks and signs to Unicode that are not seen all the same (mostly what it calls ignorable by default), and
    // what stands for something that is not there.
    if matches!(c,
        '\u{34f}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{fff0}'..='\u{ffff}' | '\u{e0100}'..='\u{e01ef}')
    {
        return Shown::Not;
    }
    if c.is_whitespace() {
        return Shown::Blank;
    }
    match get_general_category(c) {
        // Direction overrides, zero-width characters and tags are of these; enclosing marks reach their neighbours.
        Is::Control | Is::Format | Is::PrivateUse | Is::Surrogate | Is::Unassigned => Shown::Not,
        Is::EnclosingMark => Shown::Not,
        Is::NonspacingMark | Is::SpacingMark => Shown::Mark,
        _ => Shown::Letter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_cleaned() {
        assert_eq!(clean_name("  Ada \t Lovelace "), Some("Ada Lovelace".into()));
        assert_eq!(clean_name("\u{202e}evil\u{200b}\u{7}"), Some("evil".into()));
        assert_eq!(
            clean_name("Ze\u{301} ก\u{e35}\u{e48}"),
            Some("Ze\u{301} ก\u{e35}\u{e48}".into())
        );
        for tower in ["\u{300}\u{301}", "\u{e47}", "\u{64b}\u{200b}", "\u{591}"] {
            let name = clean_name(&format!(" \u{301}z{} x", tower.repeat(9))).expect("letters");
            assert!(name.starts_with('z') && name.ends_with(" x"), "{name:?}");
            assert_eq!(name.chars().count(), 1 + MARKS_MAX + 2, "{name:?}");
        }
        for unseen in
            ["\u{2800}\u{2800}", "\u{180b}", "\u{301}", "\u{fe0f}", "\u{e0101}", "\u{20dd}"]
        {
            assert_eq!(clean_name(unseen), None, "{unseen:?}");
            assert_eq!(
                clean_name(&format!("a{unseen}b{unseen}")).map(|name| name.replace('\u{301}', "")),
                Some("ab".into())
            );
        }
        assert_eq!(clean_name("\u{200b}\n"), None);
        assert_eq!(clean_name(&"x".repeat(NAME_CHARS_MAX + 1)), None);
        assert_eq!(clean_name(&"x".repeat(10_000)), None);
        assert_eq!(clean_name("日本語 👾"), Some("日本語 👾".into()));
        assert_eq!(clean_name("<b>"), Some("<b>".into()));
    }

    proptest! {
        #[test]
        fn a_cleaned_name_stays_as_it_is(raw: String) {
            if let Some(name) = clean_name(&raw) {
                prop_assert_eq!(clean_name(&name), Some(name));
            }
        }
    }
}
