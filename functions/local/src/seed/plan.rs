//! What is to be written so that a table says what a definitions file says: pure, from both to a plan.

use std::collections::{BTreeMap, BTreeSet};

use portpulse_core::definition::{Defined, DefinitionFile};
use portpulse_core::group::GroupId;
use portpulse_store::definitions::{Owner, Standing, WriteMode};
use serde_json::{Map, Value};

/// All definitions of a table.
pub(crate) type Definitions = BTreeMap<GroupId, BTreeMap<String, Standing>>;

/// What may be touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) ours: Ours,
    /// What is ours and not in the file is removed.
    pub(crate) prune: bool,
}

/// Which of the definitions that stand in a table are ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ours {
    /// Those that say so.
    Marked,
    /// And those that the file names.
    Named,
    /// All of them: nobody else writes there.
    Everything,
}

/// The way from a table to a file.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Plan {
    /// What differs, by monitor.
    pub(crate) differences: BTreeMap<String, Difference>,
    /// How many monitors are as the file says.
    pub(crate) unchanged: u64,
    /// How many others there are that the file does not name and that are not ours.
    pub(crate) others: u64,
    /// In their order, and before any deletion: so that a monitor that moves is always watched.
    pub(crate) puts: Vec<Put>,
    pub(crate) deletions: Vec<Deletion>,
}

/// How a monitor differs, and what is done about it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Difference {
    pub(crate) what: What,
    /// The group in the file, or where it is not in the file, in the table.
    pub(crate) group: GroupId,
    /// Why it is left as it is, if it is.
    pub(crate) left: Option<Left>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum What {
    Added,
    /// None of its fields may have changed, where it is only taken over.
    Changed(Vec<FieldChange>),
    /// From these other groups.
    Moved(BTreeSet<GroupId>, Vec<FieldChange>),
    Removed,
}

/// Why a difference is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    NotOurs,
    NotPruned,
}

/// A field before and after; absent where it is not written.
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
    pub(crate) may: WriteMode,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Deletion {
    pub(crate) group: GroupId,
    pub(crate) id: String,
    pub(crate) may: WriteMode,
}

impl Plan {
    pub(crate) fn between(file: &DefinitionFile, there: &Definitions, rules: Rules) -> Self {
        let mut standing: BTreeMap<&str, BTreeMap<GroupId, &Standing>> = BTreeMap::new();
        for (group, definitions) in there {
            for (id, definition) in definitions {
                standing.entry(id).or_default().insert(*group, definition);
            }
        }
        let mut plan = Self::default();
        for defined in file.monitors() {
            let found = standing.remove(defined.monitor.id().as_str()).unwrap_or_default();
            plan.keep(defined, found, rules.ours);
        }
        for (id, found) in standing {
            for (group, definition) in found {
                plan.drop(id, group, definition, rules);
            }
        }
        // From the last shard down: readers take the first empty shard for the end.
        plan.deletions
            .sort_by_key(|deletion| std::cmp::Reverse(deletion.group));
        plan
    }

    /// Whether anything is to be written.
    pub(crate) fn is_idle(&self) -> bool {
        self.puts.is_empty() && self.deletions.is_empty()
    }

    /// Whether something differs that may not be touched.
    pub(crate) fn is_held_up(&self) -> bool {
        let mut differences = self.differences.values();
        differences.any(|difference| difference.left == Some(Left::NotOurs))
    }

    fn keep(&mut self, defined: &Defined, mut found: BTreeMap<GroupId, &Standing>, ours: Ours) {
        let (id, group) = (defined.monitor.id().as_str(), defined.group);
        let here = found.remove(&group);
        let is_ours = |definition: &Standing| definition.owner == Owner::Seed || ours != Ours::Marked;
        let may = |definition: &Standing| match definition.owner {
            Owner::Seed => WriteMode::Keep,
            Owner::Other => WriteMode::TakeOver,
        };
        let marked = |definition: &Standing| definition.owner == Owner::Seed || ours != Ours::Named;
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
        let left = (!touched.into_iter().all(is_ours)).then_some(Left::NotOurs);
        if left.is_none() {
            if !as_it_is {
                self.puts.push(Put {
                    group,
                    id: id.to_owned(),
                    attributes: defined.attributes.clone(),
                    may: here.map_or(WriteMode::Add, may),
                });
            }
            self.deletions
                .extend(found.iter().map(|(group, definition)| Deletion {
                    group: *group,
                    id: id.to_owned(),
                    may: may(definition),
                }));
        }
        let what = match fields {
            None => What::Added,
            Some(fields) if found.is_empty() => What::Changed(fields),
            Some(fields) => What::Moved(found.into_keys().collect(), fields),
        };
        self.differences
            .insert(id.to_owned(), Difference { what, group, left });
    }

    fn drop(&mut self, id: &str, group: GroupId, definition: &Standing, rules: Rules) {
        let may = match (definition.owner, rules.ours) {
            (Owner::Seed, _) => WriteMode::Keep,
            (Owner::Other, Ours::Everything) => WriteMode::TakeOver,
            (Owner::Other, Ours::Marked | Ours::Named) => {
                self.others += 1;
                return;
            }
        };
        let left = (!rules.prune).then_some(Left::NotPruned);
        if left.is_none() {
            let id = id.to_owned();
            self.deletions.push(Deletion { group, id, may });
        }
        let what = What::Removed;
        self.differences
            .insert(id.to_owned(), Difference { what, group, left });
    }
}

/// What changes field by field; a definition that cannot be read says nothing.
fn changes(before: &Standing, after: &Map<String, Value>) -> Vec<FieldChange> {
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
