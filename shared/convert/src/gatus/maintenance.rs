//! Converts maintenance of Gatus: daily or on days of the week, with a start time and a duration.
//!
//! Source: <https://github.com/TwiN/gatus/blob/master/config/maintenance/maintenance.go>

use std::time::Duration;

use portpulse_core::time::format_duration;
use serde_json::{Map, Value};

use crate::maintenance::{Window, WindowScope};
use crate::note::{Note, NoteKind};
use crate::source_fields::SourceFields;

const DAYS: [(&str, &str); 7] = [
    ("Monday", "mon"),
    ("Tuesday", "tue"),
    ("Wednesday", "wed"),
    ("Thursday", "thu"),
    ("Friday", "fri"),
    ("Saturday", "sat"),
    ("Sunday", "sun"),
];

/// The window in `field` of a monitor or of the file.
pub(super) fn window(
    mut fields: SourceFields,
    item: &str,
    field: &str,
    window_scope: WindowScope,
    notes: &mut Vec<Note>,
) -> Option<Window> {
    let mut add_note = |kind, reason: &str| {
        notes.push(Note::new(kind, item, field, reason));
    };
    if fields.switch("enabled") == Some(false) {
        add_note(NoteKind::NotNeeded, "The window is disabled.");
        return None;
    }
    let days = fields.texts("every");
    // An invalid `every` is still there, and must not become daily.
    let days = (!fields.has("every")).then_some(days);
    let start = fields.text("start");
    // A number is a duration of Go, in nanoseconds.
    let length = fields.duration("duration", Duration::from_nanos(1));
    let (Some(days), Some(start), Some(length)) = (days.as_deref().and_then(days_of), start, length) else {
        add_note(
            NoteKind::Lost,
            "A window requires `start`, `duration` and valid days in `every`.",
        );
        return None;
    };
    let mut when = Map::new();
    let mut set = |name: &str, text: String| when.insert(name.to_owned(), Value::String(text));
    set("every", format!("{days} {start}"));
    set("for", format_duration(length));
    if let Some(zone) = fields.text("timezone").filter(|zone| zone != "UTC") {
        set("zone", zone);
    }
    fields.note_unused(item, &format!("{field}."), &[], notes);
    Some(Window {
        item: item.to_owned(),
        field: field.to_owned(),
        window_scope,
        when,
    })
}

/// `daily`, or days such as `mon,wed`; `None` for an invalid day.
fn days_of(names: &[String]) -> Option<String> {
    if names.is_empty() {
        return Some("daily".to_owned());
    }
    let short = |name: &String| DAYS.iter().find(|(day, _)| day == name).map(|(_, short)| *short);
    let days: Option<Vec<_>> = names.iter().map(short).collect();
    Some(days?.join(","))
}
