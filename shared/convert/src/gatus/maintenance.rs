//! Gatus's maintenance: every day, or on some days of the week, from a time for a while.
//!
//! Source: <https://github.com/TwiN/gatus/blob/master/config/maintenance/maintenance.go>

use std::time::Duration;

use portpulse_core::time::format_duration;
use serde_json::{Map, Value};

use crate::fields::Fields;
use crate::left::{Kind, Left};
use crate::maintenance::{Window, WindowScope};

const DAYS: [(&str, &str); 7] = [
    ("Monday", "mon"),
    ("Tuesday", "tue"),
    ("Wednesday", "wed"),
    ("Thursday", "thu"),
    ("Friday", "fri"),
    ("Saturday", "sat"),
    ("Sunday", "sun"),
];

/// The window that stands in `field` of a monitor or of the file.
pub(super) fn window(
    mut fields: Fields,
    of: &str,
    field: &str,
    window_scope: WindowScope,
    left: &mut Vec<Left>,
) -> Option<Window> {
    let mut leave = |kind, why: &str| {
        left.push(Left {
            kind,
            of: of.to_owned(),
            field: field.to_owned(),
            why: why.to_owned(),
        });
    };
    if fields.switch("enabled") == Some(false) {
        leave(Kind::NotNeeded, "is not enabled");
        return None;
    }
    let days = fields.texts("every");
    // What is still there could not be read: it is not every day.
    let days = (!fields.has("every")).then_some(days);
    let start = fields.text("start");
    // A number alone is a duration of Go: nanoseconds.
    let length = fields.duration("duration", Duration::from_nanos(1));
    let (Some(days), Some(start), Some(length)) = (days.as_deref().and_then(days_of), start, length) else {
        leave(
            Kind::Lost,
            "has no `start`, no `duration`, or a day in `every` that is none",
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
    fields.rest(of, &format!("{field}."), &[], left);
    Some(Window {
        of: of.to_owned(),
        field: field.to_owned(),
        window_scope,
        when,
    })
}

/// `daily`, or such as `mon,wed`; nothing for a day that is none.
fn days_of(names: &[String]) -> Option<String> {
    if names.is_empty() {
        return Some("daily".to_owned());
    }
    let short = |name: &String| DAYS.iter().find(|(day, _)| day == name).map(|(_, short)| *short);
    let days: Option<Vec<_>> = names.iter().map(short).collect();
    Some(days?.join(","))
}
