//! Sanitizes foreign text for messages: one line, a limited character set, a maximum length in bytes.

use std::borrow::Cow;

use portpulse_core::text::{escaped, one_line};

/// The text on one line, without control and bidirectional characters, cut to `max` bytes.
pub fn plain(text: &str, max: usize) -> String {
    cut(one_line(text), max, "…")
}

/// Like [`plain`], in ASCII: other characters become question marks.
pub(crate) fn ascii(text: &str, max: usize) -> String {
    let plain = plain(text, usize::MAX);
    let ascii = plain.chars().map(|c| if c.is_ascii() { c } else { '?' });
    cut(ascii.collect(), max, "...")
}

/// Like [`plain`], in the ASCII characters that an SMS encodes in seven bits each; others become question marks.
///
/// Source: 3GPP TS 23.038, section 6.2.1 (characters of the extension table need 14 bits, so they are replaced).
pub(crate) fn gsm(text: &str, max: usize) -> String {
    let fits = |c: char| c.is_ascii() && !matches!(c, '[' | ']' | '{' | '}' | '\\' | '^' | '~' | '|' | '`');
    let plain = plain(text, usize::MAX);
    let gsm = plain.chars().map(|c| if fits(c) { c } else { '?' });
    cut(gsm.collect(), max, "...")
}

/// The text with the characters escaped that SNS refuses in a message, except line breaks. JSON keeps its meaning.
pub(crate) fn accepted(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c == '\n')
}

/// Cuts the text to `max` bytes at a character boundary; `mark` stands for the rest.
fn cut(text: String, max: usize, mark: &str) -> String {
    if text.len() <= max {
        return text;
    }
    let room = max.saturating_sub(mark.len());
    let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
    let end = ends.take_while(|end| *end <= room).last().unwrap_or(0);
    text.get(..end).unwrap_or_default().to_owned() + mark
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_one_line_within_its_limit() {
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
