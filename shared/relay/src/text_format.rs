//! Foreign text for one field of a destination: escaped for its markup and cut to its limit.

use portpulse_core::text::one_line;

/// The unit in which a destination counts the length of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Bytes of UTF-8.
    Bytes,
    /// UTF-16 code units: an upper bound of whatever a service calls characters.
    Characters,
}

/// The markup and the unit of length of a field.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextFormat {
    /// Appends a character, escaped so that it has no meaning in the markup.
    pub(crate) escape: fn(char, &mut String),
    /// The unit of the limits.
    pub(crate) unit: Unit,
}

/// Marks text that was cut.
const ELLIPSIS: char = '…';

impl TextFormat {
    /// The text on one line, escaped, cut to `max` units; cut text ends in `…`.
    pub(crate) fn fit(self, text: &str, max: usize) -> String {
        let text = one_line(text);
        let whole = self.escaped(&text);
        if self.length(&whole) <= max {
            return whole;
        }
        let room = max.saturating_sub(self.length(&ELLIPSIS.to_string()));
        let (mut fitted, mut used) = (String::new(), 0);
        for c in text.chars() {
            let end = fitted.len();
            (self.escape)(c, &mut fitted);
            used += self.length(fitted.get(end..).unwrap_or_default());
            if used > room {
                fitted.truncate(end);
                break;
            }
        }
        fitted.push(ELLIPSIS);
        fitted
    }

    /// The lines, escaped, each cut to `max_line` units, together within `max`; a last line counts the omitted ones.
    pub(crate) fn lines(self, lines: &[String], max_line: usize, max: usize) -> String {
        let lines: Vec<_> = lines.iter().map(|line| self.fit(line, max_line)).collect();
        let whole = lines.join("\n");
        if self.length(&whole) <= max {
            return whole;
        }
        let mut text = String::new();
        for (index, line) in lines.iter().enumerate() {
            let omitted = format!("{ELLIPSIS} {} more", lines.len() - index);
            if self.length(&text) + self.length(line) + 1 + self.length(&omitted) > max {
                return text + &omitted;
            }
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// The length of a text as the destination counts it.
    pub(crate) fn length(self, text: &str) -> usize {
        match self.unit {
            Unit::Bytes => text.len(),
            Unit::Characters => text.encode_utf16().count(),
        }
    }

    fn escaped(self, text: &str) -> String {
        let mut escaped = String::with_capacity(text.len());
        for c in text.chars() {
            (self.escape)(c, &mut escaped);
        }
        escaped
    }
}

/// For fields without markup.
pub(crate) fn unescaped(c: char, to: &mut String) {
    to.push(c);
}

/// For fields in HTML. Source: <https://html.spec.whatwg.org/multipage/syntax.html#character-references>
pub(crate) fn html(c: char, to: &mut String) {
    match c {
        '&' => to.push_str("&amp;"),
        '<' => to.push_str("&lt;"),
        '>' => to.push_str("&gt;"),
        '"' => to.push_str("&quot;"),
        other => to.push(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HTML: TextFormat = TextFormat {
        escape: html,
        unit: Unit::Characters,
    };

    #[test]
    fn cut_keeps_escapes_and_characters_whole() {
        assert_eq!(HTML.fit("a<b", 99), "a&lt;b");
        assert_eq!(HTML.fit("a<b", 4), "a…");
        assert_eq!(HTML.fit("a<bc", 6), "a&lt;…");
        assert_eq!(HTML.fit("🔥🔥🔥", 6), "🔥🔥🔥");
        assert_eq!(HTML.fit("🔥🔥🔥", 5), "🔥🔥…");
        assert_eq!(HTML.fit("a\r\nb\u{202e}c", 99), "a b c");
    }

    #[test]
    fn omitted_lines_are_counted() {
        let lines = ["one", "two", "three"].map(str::to_owned);
        assert_eq!(HTML.lines(&lines, 9, 99), "one\ntwo\nthree");
        assert_eq!(HTML.lines(&lines, 9, 13), "one\ntwo\nthree");
        assert_eq!(HTML.lines(&lines, 9, 12), "one\n… 2 more");
        assert_eq!(HTML.lines(&lines, 9, 11), "… 3 more");
        assert_eq!(HTML.lines(&lines, 2, 99), "o…\nt…\nt…");
        assert_eq!(HTML.lines(&[], 9, 99), "");
    }
}
