//! Reads the maintenance windows of a definitions file.

use std::collections::BTreeSet;

use serde_json::Value;

use super::diagnostic::{Diagnostic, FieldPath};
use super::expand::Monitors;
use super::monitor::Monitor;
use super::read::texts;
use super::reader::Defaults;
use super::subfields::MAX_WINDOWS;
use crate::maintenance::RawWindow;
use crate::text::quoted;

/// A maintenance window with the value that the items of its monitors carry.
pub(super) struct ParsedWindow {
    pub(super) raw: RawWindow,
    pub(super) value: Value,
}

impl ParsedWindow {
    pub(super) fn covers(&self, monitor: &Monitor) -> bool {
        let covers_all = self.raw.monitors.is_empty() && self.raw.tags.is_empty();
        let tags = &monitor.alert_policy().tags;
        covers_all
            || self.raw.monitors.iter().any(|id| id == monitor.id().as_str())
            || self.raw.tags.iter().any(|tag| tags.contains(tag))
    }
}

/// Reads `maintenance:`. Returns each window with the value for the items.
pub(super) fn read(
    section: Option<&Value>,
    defaults: &Defaults<'_>,
    written: &Monitors<'_>,
    diagnostics: &mut BTreeSet<Diagnostic>,
) -> Vec<ParsedWindow> {
    let at = FieldPath::root().field("maintenance");
    let values = match section {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(values)) => values,
        Some(_) => {
            diagnostics.insert(Diagnostic::new(
                at,
                "is not a list of windows",
                "start each window with `- `",
            ));
            return Vec::new();
        }
    };
    if values.len() > MAX_WINDOWS {
        let what = format!("has {} windows", values.len());
        diagnostics.insert(Diagnostic::new(
            at,
            what,
            format!("use at most {MAX_WINDOWS}: remove windows that have ended"),
        ));
        return Vec::new();
    }
    let by_default = defaults.fields.get("tags").and_then(Value::as_array);
    let mut tags: BTreeSet<&str> = by_default
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    tags.extend(
        written
            .by_id
            .values()
            .flat_map(|one| texts(&one.own, "tags"))
            .map(|(_, tag)| tag),
    );

    let mut windows = Vec::new();
    for (index, value) in values.iter().enumerate() {
        let at = at.index(index);
        for (index, id) in texts(value, "monitors").filter(|(_, id)| !written.by_id.contains_key(*id)) {
            let (what, help) = written.unknown(id);
            diagnostics.insert(Diagnostic::new(at.field("monitors").index(index), what, help));
        }
        for (index, tag) in texts(value, "tags").filter(|(_, tag)| !tags.contains(tag)) {
            let what = format!("no monitor has the tag `{}`", quoted(tag));
            diagnostics.insert(Diagnostic::new(
                at.field("tags").index(index),
                what,
                "use the tag of a monitor",
            ));
        }
        match RawWindow::read(value, &at) {
            Err(found) => diagnostics.extend(found),
            Ok(raw) => {
                let mut value = value.clone();
                if let Value::Object(window) = &mut value {
                    window.remove("monitors");
                    window.remove("tags");
                }
                windows.push(ParsedWindow { raw, value });
            }
        }
    }
    windows
}
