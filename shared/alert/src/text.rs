//! Foreign text made fit for its place: one line, one alphabet, a most length.

use std::borrow::Cow;

use portpulse_core::text::{escaped, one_line};

/// On one line, without what moves the cursor or the eye, in at most `most` bytes.
pub fn plain(text: &str, most: usize) -> String {
    cut(one_line(text), most, "…")
}

/// The same in ASCII; other characters become question marks.
pub(crate) fn ascii(text: &str, most: usize) -> String {
    let plain = plain(text, usize::MAX);
    let ascii = plain.chars().map(|c| if c.is_ascii() { c } else { '?' });
    cut(ascii.collect(), most, "...")
}

/// The same in those ASCII characters that an SMS carries in seven bits each.
///
/// Source: 3GPP TS 23.038, section 6.2.1 (the extension table's characters take two places, and are replaced).
pub(crate) fn gsm(text: &str, most: usize) -> String {
    let fits = |c: char| c.is_ascii() && !matches!(c, '[' | ']' | '{' | '}' | '\\' | '^' | '~' | '|' | '`');
    let plain = plain(text, usize::MAX);
    let gsm = plain.chars().map(|c| if fits(c) { c } else { '?' });
    cut(gsm.collect(), most, "...")
}

/// Without the characters that SNS refuses in a message, where line breaks stay; JSON means the same as before.
pub(crate) fn accepted(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c == '\n')
}

fn cut(text: String, most: usize, mark: &str) -> String {
    if text.len() <= most {
        return text;
    }
    let room = most.saturating_sub(mark.len());
    let kept = text.char_indices().map(|(at, c)| at + c.len_utf8());
    let end = kept.take_while(|end| *end <= room).last().unwrap_or(0);
    text.get(..end).unwrap_or_default().to_owned() + mark
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_stays_in_its_place() {
        assert_eq!(
            plain(" a\r\nSubject: b\u{1b}[2J\u{202e}c ", 99),
            "a Subject: b [2J c"
        );
        assert_eq!(plain("üüü", 5), "ü…");
        assert_eq!(plain("üüü", 6), "üüü");
        assert_eq!(ascii("grün\n", 99), "gr?n");
        assert_eq!(ascii("abcdef", 5), "ab...");
        assert_eq!(gsm("a{b}~ü_@", 99), "a?b???_@");
        assert_eq!(accepted("a\nb\u{0}\u{fffe}\u{202e}"), "a\nb\\u0000\\ufffe\\u202e");
    }
}
