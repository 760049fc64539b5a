//! Notes about settings that were changed or not converted.

use std::fmt;

use portpulse_core::text::plain;
use serde::Serialize;

/// The kind of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// Not converted: Portpulse does not support the monitor or setting.
    Lost,
    /// Converted with a different meaning.
    Changed,
    /// Not converted: the setting is unknown.
    Unknown,
    /// Not converted: the setting does not concern monitoring.
    NotNeeded,
}

/// A setting that was changed or not converted. Notes do not contain values, because some are secrets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Note {
    /// The kind.
    pub kind: NoteKind,
    /// The name of the monitor in the source, or of the file.
    pub item: String,
    /// The field; empty for the whole item.
    pub field: String,
    /// The reason, and what to do instead.
    pub reason: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            item, field, reason, ..
        } = self;
        if field.is_empty() {
            write!(f, "{item}: {reason}")
        } else {
            write!(f, "{item}: {field}: {reason}")
        }
    }
}

/// Foreign text on one line, at most 120 characters, safe in terminals and comments.
pub(crate) fn sanitize(text: &str) -> String {
    const MAX: usize = 120;
    let mut sanitized = plain(&text.chars().take(MAX).collect::<String>());
    if text.chars().nth(MAX).is_some() {
        sanitized.push('…');
    }
    sanitized.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::sanitize;

    #[test]
    fn foreign_text_is_one_line_without_control_characters() {
        assert_eq!(sanitize(" a\nb\u{1b}[31m\u{2028}c\u{202e} "), "a b [31m c");
        assert_eq!(sanitize(&"x".repeat(200)).chars().count(), 121);
    }
}
