//! Maintenance windows during their conversion: their times and the monitors that they cover.

use std::collections::BTreeMap;

use portpulse_core::definition::{DefinitionFile, MAX_WINDOWS, NetworkAccess};
use serde_json::{Map, Value, json};

use crate::note::{Note, sanitize};

/// A maintenance window during its conversion.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    /// The monitor or the file that defines the window.
    pub(crate) item: String,
    /// The field that defines the window.
    pub(crate) field: String,
    pub(crate) window_scope: WindowScope,
    /// `from` and `until`, or `every`, `for` and `zone`; and `reason`.
    pub(crate) when: Map<String, Value>,
}

/// The monitors that a window covers.
#[derive(Debug, Clone)]
pub(crate) enum WindowScope {
    All,
    /// Monitors by the keys of their drafts.
    Keys(Vec<String>),
}

/// The windows of a definitions file; `ids` maps keys of drafts to ids. Invalid windows, and windows of monitors that
/// were not converted, become notes, because each of them would make the whole file invalid.
pub(crate) fn finish(
    windows: Vec<Window>,
    ids: &BTreeMap<String, Vec<String>>,
    notes: &mut Vec<Note>,
) -> Vec<Value> {
    let mut finished: Vec<Map<String, Value>> = Vec::new();
    for window in windows {
        let mut add_note = |reason: &str| {
            notes.push(Note::lost(&window.item, &window.field, reason));
        };
        if let Err(reason) = validate(&window.when) {
            add_note(&reason);
            continue;
        }
        let mut made = window.when.clone();
        if let WindowScope::Keys(keys) = &window.window_scope {
            if keys.is_empty() {
                add_note("The window names no monitor, so it has no effect.");
            }
            let mut monitors = Vec::new();
            for key in keys {
                match ids.get(key).map(Vec::as_slice) {
                    Some([id]) => monitors.push(id),
                    // The name is ambiguous, and a window must not suppress notifications of another monitor.
                    Some(_) => add_note("The window names a monitor, but several have this name."),
                    None => add_note("The window names a monitor that was not imported."),
                }
            }
            if monitors.is_empty() {
                continue;
            }
            if let Some(same) = finished
                .iter_mut()
                .find_map(|other| monitors_at(other, &window.when))
            {
                for id in monitors {
                    if !same.contains(&json!(id)) {
                        same.push(json!(id));
                    }
                }
                continue;
            }
            made.insert("monitors".to_owned(), json!(monitors));
        }
        if finished.len() == MAX_WINDOWS {
            add_note(&format!("A definitions file has at most {MAX_WINDOWS} windows."));
        } else {
            finished.push(made);
        }
    }
    finished.into_iter().map(Value::Object).collect()
}

/// The monitors of a window, if it names monitors and has the same times.
fn monitors_at<'a>(
    window: &'a mut Map<String, Value>,
    when: &Map<String, Value>,
) -> Option<&'a mut Vec<Value>> {
    let is_same =
        window.len() == when.len() + 1 && when.iter().all(|(name, value)| window.get(name) == Some(value));
    let monitors = window.get_mut("monitors").filter(|_| is_same)?;
    monitors.as_array_mut()
}

/// Validates a window as part of a definitions file. The error is for a note.
fn validate(when: &Map<String, Value>) -> Result<(), String> {
    let file = json!({ "monitors": { "a": { "host": "a.example.com", "port": 1 } }, "maintenance": [when] });
    let checked = DefinitionFile::validate(&file, NetworkAccess::OwnNetwork);
    checked.map(drop).map_err(|diagnostics| {
        let notes = diagnostics
            .iter()
            .map(|diagnostic| format!("The window {}: {}", diagnostic.what, diagnostic.help));
        sanitize(&notes.collect::<Vec<_>>().join("; "))
    })
}
