//! Reads the fields of a definition and collects diagnostics.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use serde_json::Value;

use super::context::Source;
use super::diagnostic::{Diagnostic, FieldPath, InvalidValue};
use super::fields::{FieldValue, RawMonitor, nearest};
use super::values::{self, kind_of, parent_group, wanted};
use crate::choice::Tier;
use crate::group::GroupId;
use crate::id::MonitorId;
use crate::maintenance::{RawWindow, Window};
use crate::preset::Fields;
use crate::service::Service;

/// The maximum number of entries in a list, because the size of an item is limited.
const MAX_LIST: usize = 50;

/// Reads fields and collects diagnostics.
pub(super) struct Reader<'a> {
    pub(super) at: FieldPath,
    pub(super) own: &'a Fields,
    pub(super) defaults: &'a Fields,
    pub(super) source: Source,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl Reader<'_> {
    /// The place of a field: in the monitor, or in `defaults:` if only written there.
    pub(super) fn place(&self, field: &str) -> FieldPath {
        if !self.own.contains_key(field) && self.defaults.contains_key(field) {
            FieldPath::root().field("defaults").field(field)
        } else {
            self.at.field(field)
        }
    }

    /// Whether the field is written in the monitor or in `defaults:`, and does not come from a preset.
    pub(super) fn wrote(&self, field: &str) -> bool {
        self.own.contains_key(field) || self.defaults.contains_key(field)
    }

    pub(super) fn diagnostic(&mut self, field: &str, what: impl Into<String>, help: impl Into<String>) {
        let at = self.place(field);
        self.diagnostics.push(Diagnostic::new(at, what, help));
    }

    /// Whether the field is written in the monitor itself.
    ///
    /// Always false for an item, which holds the values from `defaults:` among its own fields.
    pub(super) fn wrote_here(&self, field: &str) -> bool {
        self.source == Source::File && self.own.get(field).is_some_and(|value| !value.is_null())
    }

    /// Adds a diagnostic for one entry of a list.
    pub(super) fn diagnostic_at_index(&mut self, field: &str, index: usize, what: &str, help: &str) {
        let at = self.place(field).index(index);
        self.diagnostics.push(Diagnostic::new(at, what, help));
    }

    /// Returns the value, or adds a diagnostic at `at`.
    fn keep<T>(&mut self, at: FieldPath, read: Result<T, impl Into<InvalidValue>>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(invalid_value) => {
                self.diagnostics.push(Diagnostic::of(at, invalid_value.into()));
                None
            }
        }
    }

    pub(super) fn id(&mut self, id: &str) -> Option<MonitorId> {
        self.keep(self.at.clone(), id.parse::<MonitorId>())
    }

    pub(super) fn optional<T, U>(
        &mut self,
        field: &str,
        value: Option<FieldValue<T>>,
        parse: impl FnOnce(T) -> Result<U, InvalidValue>,
    ) -> Option<U> {
        let at = self.place(field);
        match value? {
            FieldValue::Typed(value) => self.keep(at, parse(value)),
            FieldValue::WrongType(value) => {
                let help = format!("write {}", wanted(field));
                self.diagnostics
                    .push(Diagnostic::new(at, format!("is {}", kind_of(&value)), help));
                None
            }
        }
    }

    pub(super) fn required<T, U>(
        &mut self,
        field: &str,
        value: Option<FieldValue<T>>,
        help: &str,
        parse: impl FnOnce(T) -> Result<U, InvalidValue>,
    ) -> Option<U> {
        // An empty field already has a diagnostic.
        if value.is_none() && !self.wrote(field) {
            self.diagnostic(field, "is missing", help);
        }
        self.optional(field, value, parse)
    }

    pub(super) fn choice<T: FromStr<Err: Into<InvalidValue>>>(
        &mut self,
        field: &str,
        value: Option<FieldValue<String>>,
    ) -> Option<T> {
        self.optional(field, value, |text: String| text.parse::<T>().map_err(Into::into))
    }

    /// Reads each entry of a list. One invalid entry makes the list invalid.
    pub(super) fn list<T, E: Into<InvalidValue>>(
        &mut self,
        field: &str,
        value: Option<FieldValue<Vec<Value>>>,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<T>> {
        let values = self.optional(field, value, Ok::<Vec<Value>, InvalidValue>)?;
        if values.len() > MAX_LIST {
            let what = format!("has {} entries", values.len());
            self.diagnostic(field, what, format!("use at most {MAX_LIST}"));
            return None;
        }
        let place = self.place(field);
        let mut read = Vec::new();
        for (index, value) in values.iter().enumerate() {
            let at = place.index(index);
            match value.as_str() {
                Some(text) => read.extend(self.keep(at, parse(text))),
                None => {
                    let help = "write a string, in quotes if necessary";
                    self.diagnostics
                        .push(Diagnostic::new(at, format!("is {}", kind_of(value)), help));
                }
            }
        }
        (read.len() == values.len()).then_some(read)
    }

    /// Reads the service and the tier, which set the defaults of other fields.
    pub(super) fn chosen_presets(&mut self) -> (Option<Service>, Option<Tier>) {
        let raw = |field: &str| {
            let value = self.own.get(field).or_else(|| self.defaults.get(field))?;
            (!value.is_null()).then(|| match value.as_str() {
                Some(text) => FieldValue::Typed(text.to_owned()),
                None => FieldValue::WrongType(value.clone()),
            })
        };
        let (service, tier) = (raw("service"), raw("tier"));
        let service = self.optional("service", service, values::choice_or_ping_hint);
        (service, self.choice("tier", tier))
    }

    /// Adds a diagnostic for each empty field. The usual cause is a nested list or map without indentation.
    pub(super) fn empty_fields(&mut self) {
        let empty = |fields: &Fields| -> Vec<String> {
            let names = fields.iter().filter(|(_, value)| value.is_null());
            names.map(|(name, _)| name.clone()).collect()
        };
        let (own, defaults) = (empty(self.own), empty(self.defaults));
        for name in own.iter().chain(&defaults) {
            if RawMonitor::FIELDS.contains(&name.as_str()) {
                let instead = if name == "host" {
                    ""
                } else {
                    ", or remove the field"
                };
                self.diagnostic(name, "is empty", format!("write {}{instead}", wanted(name)));
            }
        }
    }

    pub(super) fn unknown_fields(&mut self, source: Source) {
        let written = self.own.keys().chain(self.defaults.keys()).map(String::as_str);
        let of_items =
            |name: &str| name == "maintenance" || source == Source::Item && name == "depends_on_groups";
        let foreign: BTreeSet<String> = written
            .filter(|name| !RawMonitor::FIELDS.contains(name) && !of_items(name))
            .map(str::to_owned)
            .collect();
        for name in &foreign {
            let help = match nearest(name, RawMonitor::FIELDS) {
                Some(field) => format!("did you mean `{field}`?"),
                None => format!("known fields: {}", RawMonitor::FIELDS.join(", ")),
            };
            self.diagnostic(name, "unknown field", help);
        }
        if source == Source::File && self.wrote("maintenance") {
            let help = "write it at the top of the file, with `monitors: [id]`";
            self.diagnostic("maintenance", "is not allowed in a monitor", help);
        }
    }

    pub(super) fn parent_groups(
        &mut self,
        value: Option<FieldValue<BTreeMap<String, Value>>>,
    ) -> BTreeMap<MonitorId, GroupId> {
        let groups = self
            .optional("depends_on_groups", value, Ok::<_, InvalidValue>)
            .unwrap_or_default();
        let at = self.place("depends_on_groups");
        let read = groups
            .iter()
            .filter_map(|(id, group)| self.keep(at.field(id), parent_group(id, group)));
        read.collect()
    }

    pub(super) fn windows(&mut self, value: Option<FieldValue<Vec<Value>>>) -> Vec<Window> {
        let values = self
            .optional("maintenance", value, Ok::<Vec<Value>, InvalidValue>)
            .unwrap_or_default();
        let place = self.place("maintenance");
        let mut windows = Vec::new();
        for (index, value) in values.iter().enumerate() {
            match RawWindow::read(value, &place.index(index)) {
                Ok(raw) => windows.push(raw.window),
                Err(diagnostics) => self.diagnostics.extend(diagnostics),
            }
        }
        windows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::Monitor;
    use serde_json::json;

    fn check(item: Value, expected: &[&str]) {
        let found = match Monitor::from_attributes("a", &item) {
            Ok(_) => Vec::new(),
            Err(diagnostics) => diagnostics.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(found, expected, "{item}");
    }

    #[test]
    fn item_reads_parent_groups_and_maintenance() {
        let item = |groups: Value, maintenance: Value| {
            json!({
                "host": "a.example.com", "port": 1, "depends_on": ["b"],
                "depends_on_groups": groups, "maintenance": maintenance,
            })
        };
        let nightly = || json!({ "every": "daily 02:00", "for": "1h" });
        check(item(json!({ "b": "5m#0" }), json!([nightly()])), &[]);
        check(
            item(json!({ "b": "5m", "C": "1m#0", "d": 7 }), json!([nightly(), 7])),
            &[
                "depends_on_groups.C: `C` is not a monitor id (use 1 to 64 of a-z, 0-9, `-`, `_` and `.`, \
                 starting with a letter or digit)",
                "depends_on_groups.b: `5m` is not a group (write an interval and a shard, such as 1m#0)",
                "depends_on_groups.d: is a number, which is the wrong type (write a group such as 1m#0)",
                "maintenance.1: is not a maintenance window (write `{ from: …, until: … }` or \
                 `{ every: sun 02:00, for: 2h }`)",
            ],
        );
        check(
            item(json!([]), json!("daily")),
            &[
                "depends_on_groups: is a list, which is the wrong type (write a map of monitor ids to groups)",
                "maintenance: is a string, which is the wrong type (write a list of windows)",
            ],
        );
    }

    #[test]
    fn item_that_is_not_a_map_is_rejected() {
        check(
            json!(7),
            &["is not a map of fields (write it as `id: { host: …, port: … }`)"],
        );
    }
}
