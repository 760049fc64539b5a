//! Expands a monitor with a list of hosts or ports into one monitor for each combination.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::diagnostic::{Diagnostic, FieldPath};
use super::field::Field;
use super::nearest::nearest;
use crate::id::MonitorId;
use crate::preset::Fields;
use crate::text::quoted;

/// One monitor of a file, after expansion.
#[derive(Debug, Clone)]
pub(super) struct Written<'a> {
    /// The id under which the file has the monitor.
    pub(super) source: &'a str,
    /// The fields; a map unless the file has another value.
    pub(super) own: Cow<'a, Value>,
    /// The fields whose value is the entry of a list, with the index of the entry.
    pub(super) expanded: Vec<(Field, usize)>,
}

/// The monitors of a file by id, and the ids that were expanded, with the ids of their monitors.
#[derive(Debug, Default)]
pub(super) struct Monitors<'a> {
    pub(super) by_id: BTreeMap<Cow<'a, str>, Written<'a>>,
    pub(super) expanded: BTreeMap<&'a str, Vec<String>>,
}

/// The lists that a file expands, in the order in which they extend an id, and the field that each replaces.
fn lists() -> impl Iterator<Item = (Field, Field)> {
    Field::of_monitors().filter_map(|list| Some((list, list.of_entries()?)))
}

impl<'a> Monitors<'a> {
    /// Expands the monitors of a file. The ids of the monitors are `ID-HOST`, `ID-PORT` or `ID-HOST-PORT`.
    pub(super) fn expand(written: &'a Map<String, Value>, diagnostics: &mut BTreeSet<Diagnostic>) -> Self {
        let mut all = Self::default();
        for (id, own) in written {
            let is_list = |own: &Fields| lists().any(|(list, _)| own.contains_key(list.name()));
            match own.as_object().filter(|own| is_list(own)) {
                None => {
                    let monitor = Written {
                        source: id,
                        own: Cow::Borrowed(own),
                        expanded: Vec::new(),
                    };
                    all.by_id.insert(Cow::Borrowed(id), monitor);
                }
                Some(own) => all.expand_one(id, own, written, diagnostics),
            }
        }
        all
    }

    fn expand_one(
        &mut self,
        id: &'a str,
        own: &'a Fields,
        written: &Map<String, Value>,
        diagnostics: &mut BTreeSet<Diagnostic>,
    ) {
        let at = FieldPath::root().field("monitors").field(id);
        let mut monitors = vec![(id.to_owned(), own.clone(), Vec::new())];
        for (list, field) in lists().filter(|(list, _)| own.contains_key(list.name())) {
            let at = at.field(list.name());
            let mut refuse = |at: FieldPath, what: String, help: String| {
                diagnostics.insert(Diagnostic::new(at, what, help));
            };
            if own.contains_key(field.name()) {
                let help = format!("remove one of `{}` and `{}`", field.name(), list.name());
                refuse(at, format!("cannot be combined with `{}`", field.name()), help);
                return;
            }
            let entries = match own.get(list.name()).and_then(Value::as_array) {
                Some(entries) if !entries.is_empty() => entries,
                _ => {
                    refuse(
                        at,
                        "is not a list of at least one entry".to_owned(),
                        format!("write {}", list.declaration().wanted()),
                    );
                    return;
                }
            };
            if entries.len().saturating_mul(monitors.len()) > super::shape::MAX_LIST {
                let what = format!("makes more than {} monitors", super::shape::MAX_LIST);
                refuse(
                    at,
                    what,
                    "write several monitors with fewer entries each".to_owned(),
                );
                return;
            }
            let mut next = Vec::new();
            for (id, fields, expanded) in &monitors {
                for (index, entry) in entries.iter().enumerate() {
                    let mut fields = fields.clone();
                    fields.remove(list.name());
                    fields.insert(field.name().to_owned(), entry.clone());
                    let expanded: Vec<_> = expanded.iter().copied().chain([(field, index)]).collect();
                    next.push((format!("{id}-{}", suffix(entry)), fields, expanded));
                }
            }
            monitors = next;
        }
        for (new, fields, expanded) in monitors {
            if new.parse::<MonitorId>().is_err() {
                let what = format!("makes the monitor `{}`, which is not a valid id", quoted(&new));
                let help = "use a shorter id of a-z, 0-9, `-`, `_` and `.`, or write the monitors one by one";
                diagnostics.insert(Diagnostic::new(at.clone(), what, help));
                return;
            }
            if written.contains_key(&new) || self.by_id.contains_key(new.as_str()) {
                let what = format!("makes the monitor `{new}`, which exists already");
                diagnostics.insert(Diagnostic::new(at.clone(), what, "rename one of the two"));
                continue;
            }
            self.expanded.entry(id).or_default().push(new.clone());
            let monitor = Written {
                source: id,
                own: Cow::Owned(Value::Object(fields)),
                expanded,
            };
            self.by_id.insert(Cow::Owned(new), monitor);
        }
    }

    /// What is wrong with a reference to a monitor that is not in the file, and how to fix it.
    pub(super) fn unknown(&self, id: &str) -> (String, String) {
        match self.expanded.get(id) {
            Some(ids) => (
                format!("`{}` makes several monitors", quoted(id)),
                format!("use {}", ids.join(", ")),
            ),
            None => {
                let help = match nearest(id, self.by_id.keys().map(Cow::as_ref)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "use the id of a monitor in this file".to_owned(),
                };
                (format!("`{}` is not a monitor in this file", quoted(id)), help)
            }
        }
    }
}

/// The end of an id: the entry in lower case, with `-` for each character that an id cannot have.
fn suffix(entry: &Value) -> String {
    let text = match entry.as_str() {
        Some(text) => text.trim_end_matches('.').to_ascii_lowercase(),
        None => entry.to_string(),
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let all = text.chars().map(|c| if allowed(c) { c } else { '-' });
    all.collect::<String>().trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::declaration::Place;

    #[test]
    fn each_list_of_several_monitors_sets_a_field() {
        for list in Field::of_monitors() {
            let is_list = matches!(list.declaration().place, Place::Expansion(_));
            assert_eq!(list.of_entries().is_some(), is_list, "{list:?}");
        }
    }
}
