//! The notes of operators about incidents, one item for each note.

use portpulse_core::definition::Visibility;
use portpulse_core::group_state::IncidentId;
use portpulse_core::operator_note::OperatorNote;
use portpulse_core::text::plain;

use super::{HISTORY_DAYS, begin_expiring, open};
use crate::error::Malformed;
use crate::keys::Key;
use crate::table::Item;

pub(crate) fn encode(key: &Key, note: &OperatorNote) -> Item {
    begin_expiring(key, note.at.as_second(), HISTORY_DAYS)
        .text("incident", &note.incident)
        .text("at", note.at)
        .text("by", note.by())
        .text("text", note.text())
        .text("visibility", visibility_code(note.visibility))
        .into_item()
}

pub(crate) fn decode(item: &Item) -> Result<OperatorNote, Malformed> {
    let fields = open(item)?;
    let incident: IncidentId = fields.text("incident")?;
    let visibility = fields.one_of(
        "visibility",
        &[Visibility::Public, Visibility::Internal],
        visibility_code,
    )?;
    // Other tools may write notes, with control characters in their texts.
    let (by, text) = (plain(fields.str("by")?), plain(fields.str("text")?));
    OperatorNote::new(incident, &by, fields.time("at")?, &text, visibility)
        .map_err(|error| fields.invalid("text", error))
}

const fn visibility_code(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::Public => "public",
        Visibility::Internal => "internal",
    }
}
