//! Foreign text made fit for one place: escaped as that place reads it, and cut to what it holds.

use portpulse_alert::plain;

/// How a destination counts the length of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Bytes of UTF-8.
    Bytes,
    /// Code units of UTF-16: as many as, or more than, anything else that a service may call characters.
    Characters,
}

/// How a place of a destination reads text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// What stands for a character so that it means nothing but itself.
    pub(crate) escape: fn(char, &mut String),
    /// What the limits count.
    pub(crate) unit: Unit,
}

const MORE: char = '…';

impl Place {
    /// Text on one line, escaped, within `most` units; what is cut off ends in `…`.
    pub(crate) fn fit(self, text: &str, most: usize) -> String {
        let text = plain(text, usize::MAX);
        let whole = self.escaped(&text);
        if self.length(&whole) <= most {
            return whole;
        }
        let room = most.saturating_sub(self.length(&MORE.to_string()));
        let (mut kept, mut used) = (String::new(), 0);
        for c in text.chars() {
            let end = kept.len();
            (self.escape)(c, &mut kept);
            used += self.length(kept.get(end..).unwrap_or_default());
            if used > room {
                kept.truncate(end);
                break;
            }
        }
        kept.push(MORE);
        kept
    }

    /// Lines, escaped, each within `widest` units, together within `most`; the rest are counted.
    pub(crate) fn lines(self, lines: &[String], widest: usize, most: usize) -> String {
        let lines: Vec<_> = lines.iter().map(|line| self.fit(line, widest)).collect();
        let whole = lines.join("\n");
        if self.length(&whole) <= most {
            return whole;
        }
        let mut text = String::new();
        for (index, line) in lines.iter().enumerate() {
            let left = format!("{MORE} {} more", lines.len() - index);
            if self.length(&text) + self.length(line) + 1 + self.length(&left) > most {
                return text + &left;
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

/// For places in which every character stands for itself.
pub(crate) fn as_it_is(c: char, to: &mut String) {
    to.push(c);
}

/// For places that read HTML. Source: <https://html.spec.whatwg.org/multipage/syntax.html#character-references>
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

    const HTML: Place = Place {
        escape: html,
        unit: Unit::Characters,
    };

    #[test]
    fn a_cut_never_splits_an_escape_or_a_character() {
        assert_eq!(HTML.fit("a<b", 99), "a&lt;b");
        assert_eq!(HTML.fit("a<b", 4), "a…");
        assert_eq!(HTML.fit("a<bc", 6), "a&lt;…");
        assert_eq!(HTML.fit("🔥🔥🔥", 6), "🔥🔥🔥");
        assert_eq!(HTML.fit("🔥🔥🔥", 5), "🔥🔥…");
        assert_eq!(HTML.fit("a\r\nb\u{202e}c", 99), "a b c");
    }

    #[test]
    fn lines_that_find_no_room_are_counted() {
        let lines = ["one", "two", "three"].map(str::to_owned);
        assert_eq!(HTML.lines(&lines, 9, 99), "one\ntwo\nthree");
        assert_eq!(HTML.lines(&lines, 9, 13), "one\ntwo\nthree");
        assert_eq!(HTML.lines(&lines, 9, 12), "one\n… 2 more");
        assert_eq!(HTML.lines(&lines, 9, 11), "… 3 more");
        assert_eq!(HTML.lines(&lines, 2, 99), "o…\nt…\nt…");
        assert_eq!(HTML.lines(&[], 9, 99), "");
    }
}
