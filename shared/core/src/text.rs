//! Text from outside, made safe to show: nothing in it moves the cursor, reorders its line, or hides.
//!
//! Tables, services and files are written by others. What they say is shown in terminals, pages, messages and logs,
//! each of which would take some characters for an order.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character shows as itself, on its line, and moves nothing beside it: neither a control character nor a
/// format character that reorders, hides or annotates text, nor a noncharacter.
/// Source: Unicode Standard Annex 9, section 2, and the Unicode Standard, chapter 23.
pub fn is_plain(c: char) -> bool {
    let is_format = matches!(
        c,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    );
    !c.is_control() && !is_format && !matches!(c, '\u{fffe}' | '\u{ffff}')
}

/// The text with a space in place of each character that is not plain.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if is_plain(c) { c } else { ' ' }).collect()
}

/// The same, with one space in place of several.
pub fn one_line(text: &str) -> String {
    plain(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Every character that is not plain as JSON writes it, such as `\u202e`; but for those that `may_stay`. Within JSON
/// the text means the same as before.
pub fn escaped(text: &str, may_stay: impl Fn(char) -> bool) -> Cow<'_, str> {
    let stays = |c: char| is_plain(c) || may_stay(c);
    let Some(first) = text.find(|c| !stays(c)) else {
        return Cow::Borrowed(text);
    };
    let (head, tail) = text.split_at(first);
    let mut escaped = head.to_owned();
    for c in tail.chars() {
        match c {
            c if stays(c) => escaped.push(c),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a String cannot fail.
                    let _ = write!(escaped, "\\u{unit:04x}");
                }
            }
        }
    }
    Cow::Owned(escaped)
}

/// A name or value as a message quotes it: escaped, and cut after 80 characters.
pub fn quoted(text: &str) -> String {
    const MAX_CHARACTERS: usize = 80;
    match text.char_indices().nth(MAX_CHARACTERS) {
        Some((end, _)) => escaped(text.get(..end).unwrap_or_default(), |_| false).into_owned() + "…",
        None => escaped(text, |_| false).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_would_move_reorder_or_hide_is_not_plain() {
        for c in "aü€語🔥\u{301}\"\\<\u{a0}\u{fffd}".chars() {
            assert!(is_plain(c), "{c:?}");
        }
        for c in "\0\n\t\u{7}\u{1b}\u{7f}\u{85}\u{9b}\u{61c}\u{200b}\u{200f}\u{2028}\u{202a}\u{202e}\u{2066}\u{2069}\
                  \u{feff}\u{fff9}\u{ffff}\u{e0041}"
            .chars()
        {
            assert!(!is_plain(c), "{c:?}");
        }
    }

    #[test]
    fn foreign_text_stays_on_its_line_and_is_quoted_as_it_was() {
        assert_eq!(one_line(" a\r\nb\u{1b}[31m \u{202e}c\u{2028}"), "a b [31m c");
        assert_eq!(escaped("grün\n", |_| false), "grün\\n");
        assert_eq!(
            escaped("a\u{1b}[31m\u{202e}\n", |c| c == '\n'),
            "a\\u001b[31m\\u202e\n"
        );
        assert!(matches!(escaped("grün", |_| false), Cow::Borrowed("grün")));
        assert_eq!(quoted(&"ü".repeat(90)), format!("{}…", "ü".repeat(80)));
        assert_eq!(quoted("\u{9b}"), "\\u009b");
    }

    proptest! {
        #[test]
        fn escaped_text_is_plain_and_means_the_same_in_json(text in "\\PC{0,40}|.{0,40}|[\\x00-\\xff\u{202e}\u{e0041}]{0,40}") {
            let json = serde_json::to_string(&text).unwrap();
            let shown = escaped(&json, |_| false);
            prop_assert!(shown.chars().all(is_plain), "{shown:?}");
            prop_assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text.clone());
            prop_assert!(one_line(&text).chars().all(is_plain));
            prop_assert!(quoted(&text).chars().all(is_plain));
        }
    }
}
