//! Maintenance windows on their way into a definitions file: when they are, and whom they cover as their source calls it.

use std::collections::BTreeMap;

use portpulse_core::definition::{DefinitionFile, MAX_WINDOWS, NetworkAccess};
use serde_json::{Map, Value, json};

use crate::left::{Kind, Left, tame};

/// A window on its way.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    /// The monitor, or the file, that has it.
    pub(crate) of: String,
    /// Where it is there.
    pub(crate) field: String,
    pub(crate) window_scope: WindowScope,
    /// `from` and `until`, or `every`, `for` and `zone`; and `why`.
    pub(crate) when: Map<String, Value>,
}

/// Whom a window covers.
#[derive(Debug, Clone)]
pub(crate) enum WindowScope {
    Everybody,
    /// By the names that their drafts have.
    Named(Vec<String>),
}

/// The windows as a file has them, where `ids` has what became of each name. What cannot be used is added to `left`: a
/// window that is none, or that names what is not watched, would spoil the whole file.
pub(crate) fn finish(
    windows: Vec<Window>,
    ids: &BTreeMap<String, Vec<String>>,
    left: &mut Vec<Left>,
) -> Vec<Value> {
    let mut finished: Vec<Map<String, Value>> = Vec::new();
    for window in windows {
        let mut leave = |why: &str| {
            left.push(Left {
                kind: Kind::Lost,
                of: tame(&window.of),
                field: tame(&window.field),
                why: why.to_owned(),
            });
        };
        if let Err(why) = validate(&window.when) {
            leave(&why);
            continue;
        }
        let mut made = window.when.clone();
        if let WindowScope::Named(names) = &window.window_scope {
            if names.is_empty() {
                leave("names no monitor, and holds no alert back");
            }
            let mut monitors = Vec::new();
            for name in names {
                match ids.get(name).map(Vec::as_slice) {
                    Some([id]) => monitors.push(id),
                    // Which of them is meant is not known, and an alert must not wait for another's window.
                    Some(_) => leave("covers a name that more than one monitor has"),
                    None => leave("covers a monitor that is not carried over"),
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
            leave(&format!("a file has at most {MAX_WINDOWS} windows"));
        } else {
            finished.push(made);
        }
    }
    finished.into_iter().map(Value::Object).collect()
}

/// The monitors of a window, if it names some and is at the same time.
fn monitors_at<'a>(
    window: &'a mut Map<String, Value>,
    when: &Map<String, Value>,
) -> Option<&'a mut Vec<Value>> {
    let is_same =
        window.len() == when.len() + 1 && when.iter().all(|(name, value)| window.get(name) == Some(value));
    let monitors = window.get_mut("monitors").filter(|_| is_same)?;
    monitors.as_array_mut()
}

/// What is wrong with a window, by the rules of the file.
fn validate(when: &Map<String, Value>) -> Result<(), String> {
    let alone = json!({ "monitors": { "a": { "host": "a.example.com", "port": 1 } }, "maintenance": [when] });
    let checked = DefinitionFile::validate(&alone, NetworkAccess::OwnNetwork);
    checked.map(drop).map_err(|diagnostics| {
        let told = diagnostics
            .iter()
            .map(|diagnostic| format!("{} ({})", diagnostic.what, diagnostic.help));
        tame(&told.collect::<Vec<_>>().join("; "))
    })
}
