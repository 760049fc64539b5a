//! Notes about settings that were changed or not converted.

use std::fmt;

use portpulse_core::text::excerpt;
use serde::Serialize;

use crate::mark::unmarked;

/// The kind of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// Not converted: Portpulse does not support the monitor or setting, or does not know it.
    Lost,
    /// Converted with a different meaning.
    Changed,
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

impl Note {
    /// A note with safe text: names and fields come from the source.
    pub(crate) fn new(kind: NoteKind, item: &str, field: &str, reason: impl Into<String>) -> Self {
        Self {
            kind,
            item: sanitize(item),
            field: sanitize(field),
            reason: reason.into(),
        }
    }

    pub(crate) fn lost(item: &str, field: &str, reason: impl Into<String>) -> Self {
        Self::new(NoteKind::Lost, item, field, reason)
    }

    pub(crate) fn changed(item: &str, field: &str, reason: impl Into<String>) -> Self {
        Self::new(NoteKind::Changed, item, field, reason)
    }

    pub(crate) fn not_needed(item: &str, field: &str, reason: impl Into<String>) -> Self {
        Self::new(NoteKind::NotNeeded, item, field, reason)
    }
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

/// Foreign text on one line, safe in terminals and comments. A text longer than any name is truncated.
pub(crate) fn sanitize(text: &str) -> String {
    excerpt(&unmarked(text), 500)
}

#[cfg(test)]
mod tests {
    use super::sanitize;

    #[test]
    fn foreign_text_is_one_line_without_control_characters() {
        assert_eq!(sanitize(" a\nb\u{1b}[31m\u{2028}c\u{202e} "), "a b [31m c");
        assert!(sanitize(&"x".repeat(900)).len() <= 503);
    }
}
