//! Notes that operators add to incidents.

use jiff::Timestamp;

use crate::control::{InvalidNote, valid_text};
use crate::definition::Visibility;
use crate::group_state::IncidentId;

/// The maximum number of bytes of a note.
pub const MAX_NOTE_LENGTH: usize = 500;

/// A note of an operator about an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorNote {
    /// The incident.
    pub incident: IncidentId,
    /// When the note was written.
    pub at: Timestamp,
    /// Who may read the note. The author is on no public page.
    pub visibility: Visibility,
    by: String,
    text: String,
}

impl OperatorNote {
    /// Creates a note by the author `by`.
    ///
    /// # Errors
    /// When the name or the text is empty, too long (200 bytes; [`MAX_NOTE_LENGTH`]), or not printable on one line.
    pub fn new(
        incident: IncidentId,
        by: &str,
        at: Timestamp,
        text: &str,
        visibility: Visibility,
    ) -> Result<Self, InvalidNote> {
        Ok(Self {
            incident,
            at,
            visibility,
            by: valid_text("name", by, crate::control::MAX_TEXT_LENGTH)?,
            text: valid_text("note", text, MAX_NOTE_LENGTH)?,
        })
    }

    /// The author.
    pub fn by(&self) -> &str {
        &self.by
    }

    /// The text, on one line.
    pub fn text(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn note_is_short_and_on_one_line() {
        let note = |text: &str| {
            let incident = "orders-db@2026-11-22T05:40:00Z.7".parse().unwrap();
            let note = OperatorNote::new(
                incident,
                " ann ",
                Timestamp::UNIX_EPOCH,
                text,
                Visibility::Internal,
            );
            note.map(|note| format!("{}: {}", note.by(), note.text()))
        };
        assert_eq!(note(" disk full ").as_deref(), Ok("ann: disk full"));
        assert_eq!(note(&"x".repeat(500)).map(|text| text.len()), Ok(505));
        for (text, error) in [
            (" ".to_owned(), "the note is empty"),
            ("x".repeat(501), "the note is longer than 500 bytes"),
            (
                "a\nb".to_owned(),
                "the note contains a line break or another unprintable character",
            ),
        ] {
            assert_eq!(note(&text).unwrap_err().to_string(), error);
        }
    }
}
