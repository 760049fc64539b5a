//! Makes text from external sources safe to show: nothing moves the cursor, reorders a line, or is hidden.
//!
//! Tables, services and files come from others. Their text is shown in terminals, pages, messages and logs, some of
//! which interpret certain characters as commands.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character is printable and does not affect other characters: not a control character, not a format
/// character that reorders, hides or annotates text, and not a noncharacter.
/// Source: Unicode Standard Annex 9, section 2, and the Unicode Standard, chapter 23.
pub fn is_plain(c: char) -> bool {
    let is_format = matches!(
        c,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    );
    !c.is_control() && !is_format && !matches!(c, '\u{fffe}' | '\u{ffff}')
}

/// Whether a byte may be in a URL: printable ASCII that ends no URL in text, Markdown or HTML.
pub fn is_url_byte(b: u8) -> bool {
    b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b'"' | b'`')
}

/// Replaces each character that is not plain with a space.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if is_plain(c) { c } else { ' ' }).collect()
}

/// Replaces each sequence of whitespace and characters that are not plain with one space.
pub fn one_line(text: &str) -> String {
    plain(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text on one line, without characters that are not plain, at most `max` bytes; `…` stands for the rest.
pub fn excerpt(text: &str, max: usize) -> String {
    cut(one_line(text), max, "…")
}

/// Cuts the text to `max` bytes at a character boundary; `mark` stands for the rest.
pub fn cut(text: String, max: usize, mark: &str) -> String {
    if text.len() <= max {
        return text;
    }
    let room = max.saturating_sub(mark.len());
    let end = text.floor_char_boundary(room);
    text.get(..end).unwrap_or_default().to_owned() + mark
}

/// Escapes characters that are not plain as in JSON, such as `\u202e`, except those that `may_stay`. Within JSON, the
/// meaning of the text does not change.
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

/// A name or value as quoted in a message: escaped, and truncated after 80 characters.
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
    fn control_format_and_nonchars_are_not_plain() {
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
    fn external_text_is_escaped_and_truncated() {
        assert_eq!(excerpt("üüü", 5), "ü…");
        assert_eq!(excerpt(" üü\nü ", 7), "üü ü");
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
        fn escaped_json_is_plain_and_equivalent(text in "\\PC{0,40}|.{0,40}|[\\x00-\\xff\u{202e}\u{e0041}]{0,40}") {
            let json = serde_json::to_string(&text).unwrap();
            let shown = escaped(&json, |_| false);
            prop_assert!(shown.chars().all(is_plain), "{shown:?}");
            prop_assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text.clone());
            prop_assert!(one_line(&text).chars().all(is_plain));
            prop_assert!(quoted(&text).chars().all(is_plain));
        }
    }
}
