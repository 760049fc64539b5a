//! Sanitizes foreign text for subjects, text messages and SNS: a limited character set.

use std::borrow::Cow;

use portpulse_core::text::{cut, escaped, one_line};

/// The text on one line, in ASCII, at most `max` bytes: other characters become question marks.
pub(crate) fn ascii(text: &str, max: usize) -> String {
    let plain = one_line(text);
    let ascii = plain.chars().map(|c| if c.is_ascii() { c } else { '?' });
    cut(ascii.collect(), max, "...")
}

/// Like [`ascii`], in the characters that an SMS encodes in seven bits each; others become question marks.
///
/// Source: 3GPP TS 23.038, section 6.2.1 (characters of the extension table need 14 bits, so they are replaced).
pub(crate) fn gsm(text: &str, max: usize) -> String {
    let fits = |c: char| c.is_ascii() && !matches!(c, '[' | ']' | '{' | '}' | '\\' | '^' | '~' | '|' | '`');
    let plain = one_line(text);
    let gsm = plain.chars().map(|c| if fits(c) { c } else { '?' });
    cut(gsm.collect(), max, "...")
}

/// The text with the characters escaped that SNS refuses in a message, except line breaks. JSON keeps its meaning.
pub(crate) fn accepted(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c == '\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_one_line_within_its_limit() {
        assert_eq!(
            ascii(" a\r\nSubject: b\u{1b}[2J\u{202e}c ", 99),
            "a Subject: b [2J c"
        );
        assert_eq!(ascii("grün\n", 99), "gr?n");
        assert_eq!(ascii("abcdef", 5), "ab...");
        assert_eq!(gsm("a{b}~ü_@", 99), "a?b???_@");
        assert_eq!(accepted("a\nb\u{0}\u{fffe}\u{202e}"), "a\nb\\u0000\\ufffe\\u202e");
    }
}
