//! Text from strangers: what of it may be shown. Comes in: what somebody typed. Goes out: the same without
//! anything that hides, overlaps or turns round what stands beside it, or nothing.

/// Letters (Unicode scalar values) of a name; longer ones are refused.
pub const NAME_CHARS_MAX: usize = 24;
/// Bytes of a chat line; longer ones are refused.
pub const CHAT_BYTES_MAX: usize = 200;

/// What a player may be called: trimmed, single-spaced, without control, format and other invisible
/// characters and without stacks of combining marks. `None` when nothing is left or when it is longer
/// than [`NAME_CHARS_MAX`].
pub fn clean_name(raw: &str) -> Option<String> {
    if raw.len() > NAME_CHARS_MAX * 4 {
        return None;
    }
    let shown: String = raw.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    let shown: String = shown.chars().filter(|&c| is_shown(c)).collect();
    let name = shown.split(' ').filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ");
    (!name.is_empty() && name.chars().count() <= NAME_CHARS_MAX).then_some(name)
}

/// What a line of chat becomes: like a name, but as long as [`CHAT_BYTES_MAX`] bytes.
pub fn clean_chat(raw: &str) -> Option<String> {
    if raw.len() > CHAT_BYTES_MAX {
        return None;
    }
    let shown: String = raw.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    let line = shown.chars().filter(|&c| is_shown(c)).collect::<String>().trim().to_owned();
    (!line.is_empty()).then_some(line)
}

/// Whether a character may stand in a name or a line: no controls (Cc), no format characters (Cf:
/// direction overrides, zero-width ones, tags), no private use, no combining marks beyond the
/// accents that composed letters cover.
fn is_shown(c: char) -> bool {
    !(c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{ffa0}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}'
            | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}' | '\u{600}'..='\u{605}' | '\u{6dd}' | '\u{70f}'
            | '\u{8e2}' | '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}'
            | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{1bca0}'..='\u{1bca3}'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_cleaned() {
        assert_eq!(clean_name("  Ada \t Lovelace "), Some("Ada Lovelace".into()));
        assert_eq!(clean_name("\u{202e}evil\u{200b}\u{7}"), Some("evil".into()));
        assert_eq!(clean_name("z\u{300}\u{301}\u{302}"), Some("z".into()));
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
