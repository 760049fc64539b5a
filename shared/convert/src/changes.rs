//! Compares an import with an earlier definitions file: which monitors are new, changed and gone.

use std::collections::BTreeMap;

use portpulse_core::definition::{DefinitionFile, NetworkAccess};
use serde::Serialize;
use serde_json::{Map, Value};

/// The differences between two definitions files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// The ids that only the import has.
    pub new: Vec<String>,
    /// The monitors whose fields differ.
    pub changed: Vec<ChangedMonitor>,
    /// The ids that only the earlier file has: removed from the source, or added by hand.
    pub gone: Vec<String>,
}

/// A monitor whose fields differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangedMonitor {
    /// The id.
    pub id: String,
    /// The names of the fields that differ.
    pub fields: Vec<String>,
}

impl Changes {
    /// Whether the files define the same monitors.
    pub fn is_empty(&self) -> bool {
        self.new.is_empty() && self.changed.is_empty() && self.gone.is_empty()
    }
}

/// The differences between an earlier definitions file and a new one; `None` if one of them is not valid.
pub fn changes(earlier: &str, new: &str) -> Option<Changes> {
    let read = |text: &str| portpulse_monitors_file::read(text, NetworkAccess::OwnNetwork).ok();
    let (earlier, new) = (read(earlier)?, read(new)?);
    let (earlier, new) = (by_id(&earlier), by_id(&new));
    let mut changes = Changes::default();
    for (id, fields) in &new {
        match earlier.get(id) {
            None => changes.new.push((*id).to_owned()),
            Some(known) if known != fields => changes.changed.push(ChangedMonitor {
                id: (*id).to_owned(),
                fields: different(known, fields),
            }),
            Some(_) => {}
        }
    }
    let gone = earlier.keys().filter(|id| !new.contains_key(*id));
    changes.gone.extend(gone.map(|id| (*id).to_owned()));
    Some(changes)
}

fn by_id(file: &DefinitionFile) -> BTreeMap<&str, &Map<String, Value>> {
    let monitors = file.monitors().iter();
    monitors
        .map(|defined| (defined.monitor.id().as_str(), &defined.attributes))
        .collect()
}

/// The names of the fields with different values.
fn different(earlier: &Map<String, Value>, new: &Map<String, Value>) -> Vec<String> {
    let mut names: Vec<&String> = earlier.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    names.retain(|name| earlier.get(*name) != new.get(*name));
    names.into_iter().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_name_new_changed_and_gone_monitors() {
        let earlier =
            "monitors:\n  a: { host: a.example.com, port: 1 }\n  b: { host: b.example.com, port: 1 }\n";
        let new = "monitors:\n  b: { host: b.example.com, port: 2, ip: v4 }\n  c: { host: c.example.com, port: 1 }\n";
        let found = changes(earlier, new).unwrap();
        let expected = Changes {
            new: vec!["c".to_owned()],
            changed: vec![ChangedMonitor {
                id: "b".to_owned(),
                fields: vec!["ip".to_owned(), "port".to_owned()],
            }],
            gone: vec!["a".to_owned()],
        };
        assert_eq!(found, expected);
        assert!(changes(new, new).is_some_and(|changes| changes.is_empty()));
        assert_eq!(changes("mine", new), None);
    }
}
