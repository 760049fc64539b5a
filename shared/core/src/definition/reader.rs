//! Reads the fields of a monitor from their layers and collects diagnostics.

use std::collections::BTreeSet;

use serde_json::Value;

use super::context::Source;
use super::declaration::{FieldDeclaration, Merge, Place};
use super::diagnostic::{Diagnostic, FieldPath};
use super::field::{Field, ReadField};
use super::help::Help;
use super::layers::{Layer, Layers, Origin};
use super::nearest::nearest;
use super::read::{self, Read};
use crate::id::MonitorId;
use crate::preset::Fields;

/// The file's `defaults:`.
#[derive(Debug)]
pub(super) struct Defaults<'a> {
    pub(super) fields: &'a Fields,
    pub(super) layer: Layer<'a>,
    /// The size in bytes of JSON.
    pub(super) bytes: usize,
}

/// Reads fields and collects diagnostics.
pub(super) struct Reader<'a> {
    pub(super) at: FieldPath,
    pub(super) own: &'a Fields,
    pub(super) defaults: &'a Defaults<'a>,
    pub(super) layers: Layers<'a>,
    pub(super) source: Source,
    /// The fields whose value is the entry of a list that makes several monitors, with the index of the entry.
    pub(super) expanded: &'a [(Field, usize)],
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        at: FieldPath,
        own: &'a Fields,
        defaults: &'a Defaults<'a>,
        source: Source,
        expanded: &'a [(Field, usize)],
    ) -> Self {
        let mut layers = Layers {
            own: Layer::of(own),
            defaults: &defaults.layer,
            tier: None,
            service: None,
        };
        // An invalid one gets its diagnostic when all fields are read.
        let tier = layers.value(Field::Tier);
        layers.tier = tier.and_then(|(value, _)| read::parsed(Field::Tier.declaration(), &value).ok());
        let service = layers.value(Field::Service);
        layers.service =
            service.and_then(|(value, _)| read::parsed(Field::Service.declaration(), &value).ok());
        Self {
            at,
            own,
            defaults,
            layers,
            source,
            expanded,
            diagnostics: Vec::new(),
        }
    }

    /// The place of a field: in the monitor, or in `defaults:` if only written there.
    pub(super) fn place(&self, field: Field) -> FieldPath {
        if let Some((_, index)) = self.expanded.iter().find(|(of, _)| *of == field) {
            let list = Field::of_monitors().find(|list| list.of_entries() == Some(field));
            return self.at.field(list.unwrap_or(field).name()).index(*index);
        }
        if self.layers.own.written(field).is_none() && self.layers.defaults.written(field).is_some() {
            FieldPath::root().field("defaults").field(field.name())
        } else {
            self.at.field(field.name())
        }
    }

    /// Whether the field is written in the monitor or in `defaults:`, and does not come from a preset.
    pub(super) fn wrote(&self, field: Field) -> bool {
        self.layers.own.written(field).is_some() || self.layers.defaults.written(field).is_some()
    }

    /// Whether the field is written in the monitor itself.
    ///
    /// Always false for an item, which holds the values from `defaults:` among its own fields.
    pub(super) fn wrote_here(&self, field: Field) -> bool {
        self.source == Source::File
            && self
                .layers
                .own
                .written(field)
                .is_some_and(|value| !value.is_null())
    }

    pub(super) fn diagnostic(&mut self, field: Field, what: impl Into<String>, help: impl Into<Help>) {
        let at = self.place(field);
        self.diagnostics.push(Diagnostic::new(at, what, help));
    }

    pub(super) fn id(&mut self, id: &str) -> Option<MonitorId> {
        match id.parse::<MonitorId>() {
            Ok(id) => Some(id),
            Err(invalid) => {
                self.diagnostics
                    .push(Diagnostic::of(self.at.clone(), invalid.into()));
                None
            }
        }
    }

    /// The place of a part of a value, which may be combined from the monitor and `defaults:`.
    fn place_within(&self, field: Field, origin: Origin, value: &Value, part: &FieldPath) -> FieldPath {
        let own = self.layers.own.written(field);
        let (Origin::Both, Some(first), Some(own)) = (origin, part.parts().first(), own) else {
            return self.place(field).join(part);
        };
        let default = FieldPath::root().field("defaults").field(field.name());
        match field.declaration().merge {
            Merge::Union => {
                let entry = first.parse().ok().and_then(|index: usize| value.get(index));
                let mut entries = own.as_array().into_iter().flatten();
                match entries.position(|one| Some(one) == entry) {
                    Some(index) => self.at.field(field.name()).index(index),
                    None => default.join(part),
                }
            }
            Merge::Keys => {
                let in_default = self.defaults.fields.get(field.name());
                let only_default =
                    own.get(first).is_none() && in_default.is_some_and(|map| map.get(first).is_some());
                if only_default {
                    default.join(part)
                } else {
                    self.at.field(field.name()).join(part)
                }
            }
            Merge::Replace => self.place(field).join(part),
        }
    }

    /// Adds a diagnostic for a required field that no layer sets.
    pub(super) fn required(&mut self, field: Field, help: impl Into<Help>) {
        // An empty field already has a diagnostic.
        if self.layers.value(field).is_none() && !self.wrote(field) {
            self.diagnostic(field, "is missing", help);
        }
    }

    /// Adds a diagnostic for each field of the monitor that is empty or not allowed.
    pub(super) fn names(&mut self) {
        for (name, value) in self.own {
            if let Some(diagnostic) = refused_name(name, self.source, &self.at) {
                self.diagnostics.push(diagnostic);
            } else if value.is_null() {
                let at = self.at.field(name);
                self.diagnostics.extend(empty(name, at));
            }
        }
    }
}

impl ReadField for Reader<'_> {
    fn read_field<T>(
        &mut self,
        field: Field,
        read: impl FnOnce(&FieldDeclaration, &Value) -> Read<T>,
    ) -> Option<T> {
        let (value, origin) = self.layers.value(field)?;
        match read(field.declaration(), &value) {
            Ok(read) => Some(read),
            Err(diagnostics) => {
                for diagnostic in diagnostics {
                    let at = self.place_within(field, origin, &value, &diagnostic.at);
                    let diagnostic = unsubstituted(&value, &diagnostic.at).unwrap_or(diagnostic);
                    self.diagnostics.push(Diagnostic { at, ..diagnostic });
                }
                None
            }
        }
    }
}

impl<'a> Defaults<'a> {
    pub(super) fn new(fields: &'a Fields) -> Self {
        Self {
            fields,
            layer: Layer::of(fields)
                .without(|field| matches!(field.declaration().place, Place::Expansion(_))),
            bytes: json_bytes(fields),
        }
    }

    /// A diagnostic for each field that is empty or not allowed.
    pub(super) fn diagnostics(&self) -> BTreeSet<Diagnostic> {
        let at = FieldPath::root().field("defaults");
        let mut diagnostics = BTreeSet::new();
        for (name, value) in self.fields {
            let monitor_only = Field::named(name).is_some_and(|field| {
                matches!(
                    field.declaration().place,
                    Place::Monitor | Place::Expansion(_) | Place::Item
                )
            });
            if monitor_only && name != Field::DependsOnGroups.name() && name != Field::Maintenance.name() {
                let what = "cannot have a default";
                diagnostics.insert(Diagnostic::new(at.field(name), what, "set it on each monitor"));
            } else if let Some(diagnostic) = refused_name(name, Source::File, &at) {
                diagnostics.insert(diagnostic);
            } else if value.is_null() {
                diagnostics.extend(empty(name, at.field(name)));
            }
        }
        diagnostics
    }
}

/// The size of fields in bytes of JSON, without the outer braces.
fn json_bytes(fields: &Fields) -> usize {
    serde_json::to_string(fields).map_or(0, |json| json.len() - "{}".len())
}

/// The size of a monitor's own fields and the defaults together in bytes of JSON, if it is above `max`.
pub(super) fn json_bytes_above(max: usize, own: &Fields, defaults: &Defaults<'_>) -> Option<usize> {
    // Most monitors are so small that the exact size is not needed.
    let is_small = max_json_bytes(own) + defaults.bytes <= max;
    let bytes = || json_bytes(own) + defaults.bytes;
    (!is_small).then(bytes).filter(|bytes| *bytes > max)
}

/// An upper bound of the size of fields in bytes of JSON, without looking at each character.
fn max_json_bytes(fields: &Fields) -> usize {
    let fields = fields.iter();
    let size = |(name, value): (&String, &Value)| 2 + max_text_bytes(name) + max_value_bytes(value);
    fields.map(size).sum()
}

fn max_value_bytes(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => "false".len(),
        Value::Number(_) => "-2.2250738585072014e-308".len(),
        Value::String(text) => max_text_bytes(text),
        Value::Array(values) => {
            2 + values
                .iter()
                .map(|value| 1 + max_value_bytes(value))
                .sum::<usize>()
        }
        Value::Object(fields) => 2 + max_json_bytes(fields),
    }
}

/// JSON writes a control character in six bytes.
const fn max_text_bytes(text: &str) -> usize {
    2 + 6 * text.len()
}

/// The diagnostic of an empty field. The usual cause is a nested list or map without indentation.
fn empty(name: &str, at: FieldPath) -> Option<Diagnostic> {
    let field = Field::named(name)?;
    let instead = if field == Field::Host {
        ""
    } else {
        ", or remove the field"
    };
    let help = format!("write {}{instead}", field.declaration().wanted());
    Some(Diagnostic::new(at, "is empty", help))
}

/// The diagnostic of a name that is not a field here.
fn refused_name(name: &str, source: Source, at: &FieldPath) -> Option<Diagnostic> {
    let place = Field::named(name).map(|field| field.declaration().place);
    match (place, source) {
        (Some(Place::Everywhere | Place::Monitor | Place::Expansion(_)), _)
        | (Some(Place::Item), Source::Item) => return None,
        (Some(Place::Item), Source::File) if name == Field::Maintenance.name() => {
            let what = "is not allowed in a monitor";
            let help = "write it at the top of the file, with `monitors: [id]`";
            return Some(Diagnostic::new(at.field(name), what, help));
        }
        (Some(Place::Item), Source::File) | (None, _) => {}
    }
    let known = || Field::of_monitors().map(Field::name);
    let help = match nearest(name, known()) {
        Some(field) => format!("did you mean `{field}`?"),
        None => format!("known fields: {}", known().collect::<Vec<_>>().join(", ")),
    };
    Some(Diagnostic::new(at.field(name), "unknown field", help))
}

/// The diagnostic of a text with a variable such as `${HOST}`, which is why it is invalid.
fn unsubstituted(value: &Value, part: &FieldPath) -> Option<Diagnostic> {
    let text = part.within(value)?.as_str()?;
    let (_, rest) = text.split_once("${")?;
    let (name, _) = rest.split_once('}')?;
    let what = format!(
        "contains `${{{}}}`, and variables are not substituted",
        crate::text::quoted(name)
    );
    let help = "write the value, or define the monitor in Terraform with `var.monitors`, where it can be an expression";
    Some(Diagnostic::new(part.clone(), what, help))
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
                "maintenance.1: is not a maintenance window (write `{ from: …, until: … }` or \
                 `{ every: sun 02:00, for: 2h }`)",
                "depends_on_groups.C: `C` is not a monitor id (use 1 to 64 of a-z, 0-9, `-`, `_` and `.`, \
                 starting with a letter or digit)",
                "depends_on_groups.b: `5m` is not a group (write an interval and a shard, such as 1m#0)",
                "depends_on_groups.d: is a number, which is the wrong type (write a group such as 1m#0)",
            ],
        );
        check(
            item(json!([]), json!("daily")),
            &[
                "maintenance: is a string, which is the wrong type (write a list such as [{ every: sun 02:00, for: 2h }])",
                "depends_on_groups: is a list, which is the wrong type (write a map such as { gateway: 1m#0 })",
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
