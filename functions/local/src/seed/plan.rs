//! Computes the changes that make the stored definitions equal to those of a file. No I/O.

use std::collections::{BTreeMap, BTreeSet};

use portpulse_core::definition::{Defined, DefinitionFile};
use portpulse_core::group::GroupId;
use portpulse_store::definitions::{Owner, StoredDefinition, WriteMode};
use serde_json::{Map, Value};

/// All definitions of a table.
pub(crate) type Definitions = BTreeMap<GroupId, BTreeMap<String, StoredDefinition>>;

/// Which definitions may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) ours: Ownership,
    /// Whether our definitions that are not in the file are deleted.
    pub(crate) prune: bool,
}

/// Which of the stored definitions are ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// Those with the attribute `managed_by: seed`.
    Marked,
    /// Those, and the definitions that the file contains (`--take-over`).
    Named,
    /// All of them: the table has no other writers.
    Everything,
}

/// The changes that make a table equal to a file.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Plan {
    /// The differences, by monitor id.
    pub(crate) differences: BTreeMap<String, Difference>,
    /// The number of monitors that are up to date.
    pub(crate) unchanged: u64,
    /// The number of definitions that are neither in the file nor ours.
    pub(crate) others: u64,
    /// Applied in order and before the deletions, so that a monitor that moves is always checked.
    pub(crate) puts: Vec<Put>,
    pub(crate) deletions: Vec<Deletion>,
}

/// A monitor that differs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Difference {
    pub(crate) what: What,
    /// The group in the file; the group in the table if the file does not contain the monitor.
    pub(crate) group: GroupId,
    /// Why the change is skipped, if it is.
    pub(crate) skipped: Option<SkipReason>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum What {
    Added,
    /// No field has changed if only the owner changes.
    Changed(Vec<FieldChange>),
    /// Moved from these groups.
    Moved(BTreeSet<GroupId>, Vec<FieldChange>),
    Removed,
}

/// Why a difference is not applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SkipReason {
    NotOurs,
    NotPruned,
}

/// The value of a field before and after; `None` if it is not set.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FieldChange {
    pub(crate) name: String,
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Put {
    pub(crate) group: GroupId,
    pub(crate) id: String,
    pub(crate) attributes: Map<String, Value>,
    pub(crate) mode: WriteMode,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Deletion {
    pub(crate) group: GroupId,
    pub(crate) id: String,
    pub(crate) mode: WriteMode,
}

impl Plan {
    pub(crate) fn between(file: &DefinitionFile, existing: &Definitions, rules: Rules) -> Self {
        let mut stored_by_id: BTreeMap<&str, BTreeMap<GroupId, &StoredDefinition>> = BTreeMap::new();
        for (group, definitions) in existing {
            for (id, definition) in definitions {
                stored_by_id.entry(id).or_default().insert(*group, definition);
            }
        }
        let mut plan = Self::default();
        for defined in file.monitors() {
            let found = stored_by_id
                .remove(defined.monitor.id().as_str())
                .unwrap_or_default();
            plan.plan_monitor(defined, found, rules.ours);
        }
        for (id, found) in stored_by_id {
            for (group, definition) in found {
                plan.plan_removal(id, group, definition, rules);
            }
        }
        // From the last shard down, because readers stop at the first empty shard.
        plan.deletions
            .sort_by_key(|deletion| std::cmp::Reverse(deletion.group));
        plan
    }

    /// Whether nothing has to be written.
    pub(crate) fn is_idle(&self) -> bool {
        self.puts.is_empty() && self.deletions.is_empty()
    }

    /// Whether a difference is skipped because it has another owner.
    pub(crate) fn is_blocked(&self) -> bool {
        let mut differences = self.differences.values();
        differences.any(|difference| difference.skipped == Some(SkipReason::NotOurs))
    }

    fn plan_monitor(
        &mut self,
        defined: &Defined,
        mut found: BTreeMap<GroupId, &StoredDefinition>,
        ours: Ownership,
    ) {
        let (id, group) = (defined.monitor.id().as_str(), defined.group);
        let here = found.remove(&group);
        let is_ours =
            |definition: &StoredDefinition| definition.owner == Owner::Seed || ours != Ownership::Marked;
        let mode = |definition: &StoredDefinition| match definition.owner {
            Owner::Seed => WriteMode::UpdateOwn,
            Owner::Other => WriteMode::TakeOver,
        };
        let marked =
            |definition: &StoredDefinition| definition.owner == Owner::Seed || ours != Ownership::Named;
        let as_it_is = here.is_some_and(|definition| {
            definition.attributes.as_ref() == Ok(&defined.attributes) && marked(definition)
        });
        if as_it_is && found.is_empty() {
            self.unchanged += 1;
            return;
        }
        let before = here.or_else(|| found.values().next().copied());
        let fields = before.map(|definition| changes(definition, &defined.attributes));
        let touched = here
            .filter(|_| !as_it_is)
            .into_iter()
            .chain(found.values().copied());
        let skipped = (!touched.into_iter().all(is_ours)).then_some(SkipReason::NotOurs);
        if skipped.is_none() {
            if !as_it_is {
                self.puts.push(Put {
                    group,
                    id: id.to_owned(),
                    attributes: defined.attributes.clone(),
                    mode: here.map_or(WriteMode::Create, mode),
                });
            }
            self.deletions
                .extend(found.iter().map(|(group, definition)| Deletion {
                    group: *group,
                    id: id.to_owned(),
                    mode: mode(definition),
                }));
        }
        let what = match fields {
            None => What::Added,
            Some(fields) if found.is_empty() => What::Changed(fields),
            Some(fields) => What::Moved(found.into_keys().collect(), fields),
        };
        self.differences
            .insert(id.to_owned(), Difference { what, group, skipped });
    }

    fn plan_removal(&mut self, id: &str, group: GroupId, definition: &StoredDefinition, rules: Rules) {
        let mode = match (definition.owner, rules.ours) {
            (Owner::Seed, _) => WriteMode::UpdateOwn,
            (Owner::Other, Ownership::Everything) => WriteMode::TakeOver,
            (Owner::Other, Ownership::Marked | Ownership::Named) => {
                self.others += 1;
                return;
            }
        };
        let skipped = (!rules.prune).then_some(SkipReason::NotPruned);
        if skipped.is_none() {
            let id = id.to_owned();
            self.deletions.push(Deletion { group, id, mode });
        }
        let what = What::Removed;
        self.differences
            .insert(id.to_owned(), Difference { what, group, skipped });
    }
}

/// The changed fields. An unreadable definition counts as empty.
fn changes(before: &StoredDefinition, after: &Map<String, Value>) -> Vec<FieldChange> {
    let nothing = Map::new();
    let before = before.attributes.as_ref().unwrap_or(&nothing);
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let change = |name: &String| {
        let (before, after) = (before.get(name), after.get(name));
        (before != after).then(|| FieldChange {
            name: name.clone(),
            before: before.cloned(),
            after: after.cloned(),
        })
    };
    names.into_iter().filter_map(change).collect()
}

#[cfg(test)]
mod tests;
