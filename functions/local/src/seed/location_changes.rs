//! Computes and applies changes to the lists of locations that are expected to report to each group.

use std::collections::{BTreeMap, BTreeSet};

use portpulse_core::definition::DefinitionFile;
use portpulse_core::group::GroupId;
use portpulse_core::group_state::LocationKind;
use portpulse_core::id::Location;
use portpulse_store::definitions::{Owner, WriteMode, WriteResult};
use portpulse_store::table::{Delete, Table};
use portpulse_store::{Error, Store};

use super::plan::{Ownership, Rules, SkipReason};

/// The stored lists: the locations of each group, with the owner of each entry.
pub(crate) type Standing = BTreeMap<GroupId, BTreeMap<Location, Owner>>;

/// The wanted lists: the locations of each group that has monitors, with the kind of each.
pub(crate) type Wanted = BTreeMap<GroupId, BTreeMap<Location, LocationKind>>;

/// The lists for a deployment in AWS: each region in each group, and each agent in the groups with monitors that name it.
pub(crate) fn deployed(file: &DefinitionFile, locations: &BTreeSet<Location>) -> Wanted {
    let (agents, regions): (BTreeSet<_>, BTreeSet<_>) = locations
        .iter()
        .partition(|location| file.agents().contains(location));
    let mut wanted = Wanted::new();
    for defined in file.monitors() {
        let listed = wanted.entry(defined.group).or_default();
        listed.extend(
            regions
                .iter()
                .map(|region| ((*region).clone(), LocationKind::Region)),
        );
        let named = agents.iter().filter(|agent| defined.monitor.names(agent));
        listed.extend(named.map(|agent| ((*agent).clone(), LocationKind::Agent)));
    }
    wanted
}

/// The lists for `portpulse local`: each location in each group, where it checks what a region checks.
pub(crate) fn local(file: &DefinitionFile, locations: &BTreeSet<Location>) -> Wanted {
    let listed = |location: &Location| (location.clone(), LocationKind::Region);
    let groups = file.monitors().iter().map(|defined| defined.group);
    groups
        .map(|group| (group, locations.iter().map(listed).collect()))
        .collect()
}

/// The changes that turn the stored lists into the wanted ones.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct LocationChanges {
    /// The differences.
    pub(crate) differences: BTreeMap<(GroupId, Location), LocationChange>,
    /// The number of entries that are up to date.
    pub(crate) unchanged: u64,
}

/// A difference in the list of a group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LocationChange {
    pub(crate) what: LocationChangeKind,
    kind: LocationKind,
    mode: WriteMode,
    /// Why the change is skipped, if it is.
    pub(crate) skipped: Option<SkipReason>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum LocationChangeKind {
    Added,
    Removed,
}

impl LocationChanges {
    /// The changes that list the wanted locations of each group, and remove our other entries.
    pub(crate) fn between(wanted: &Wanted, standing: &Standing, rules: Rules) -> Self {
        let mut location_changes = Self::default();
        for (group, locations) in wanted {
            let listed = standing.get(group);
            for (location, kind) in locations {
                if listed.is_some_and(|listed| listed.contains_key(location)) {
                    location_changes.unchanged += 1;
                } else {
                    let change = LocationChange {
                        what: LocationChangeKind::Added,
                        kind: *kind,
                        mode: WriteMode::Create,
                        skipped: None,
                    };
                    location_changes
                        .differences
                        .insert((*group, location.clone()), change);
                }
            }
        }
        for (group, listed) in standing {
            let is_wanted = |location| wanted.get(group).is_some_and(|list| list.contains_key(location));
            for (location, owner) in listed.iter().filter(|(location, _)| !is_wanted(location)) {
                let not_pruned = (!rules.prune).then_some(SkipReason::NotPruned);
                let (mode, skipped) = match (owner, rules.ours) {
                    (Owner::Seed, _) => (WriteMode::UpdateOwn, not_pruned),
                    (Owner::Other, Ownership::Everything) => (WriteMode::TakeOver, not_pruned),
                    // Entries of other owners in groups that are not in the file are ignored.
                    (Owner::Other, Ownership::Marked | Ownership::Named) if !wanted.contains_key(group) => {
                        continue;
                    }
                    (Owner::Other, Ownership::Named) => (WriteMode::TakeOver, not_pruned),
                    (Owner::Other, Ownership::Marked) => (WriteMode::UpdateOwn, Some(SkipReason::NotOurs)),
                };
                let what = LocationChangeKind::Removed;
                let change = LocationChange {
                    what,
                    kind: LocationKind::default(),
                    mode,
                    skipped,
                };
                location_changes
                    .differences
                    .insert((*group, location.clone()), change);
            }
        }
        location_changes
    }

    /// Whether nothing has to be written.
    pub(crate) fn is_idle(&self) -> bool {
        self.differences.values().all(|change| change.skipped.is_some())
    }

    /// Whether a difference is skipped because it has another owner.
    pub(crate) fn is_blocked(&self) -> bool {
        let mut differences = self.differences.values();
        differences.any(|change| change.skipped == Some(SkipReason::NotOurs))
    }
}

/// Reads the stored lists of these groups.
pub(crate) async fn standing<T: Table>(
    store: &Store<T>,
    groups: impl IntoIterator<Item = GroupId>,
) -> Result<Standing, Error> {
    let mut standing = Standing::new();
    for group in groups {
        standing.insert(group, store.listed_locations(group).await?);
    }
    Ok(standing)
}

/// Applies the changes. Returns the entries that another writer changed meanwhile, which are left unchanged.
pub(crate) async fn apply<T: Table + Delete>(
    store: &Store<T>,
    location_changes: &LocationChanges,
) -> Result<Vec<String>, Error> {
    let mut conflicts = Vec::new();
    for ((group, location), change) in &location_changes.differences {
        let result = match (change.skipped, change.what) {
            (Some(_), _) => continue,
            (None, LocationChangeKind::Added) => {
                store
                    .write_location(*group, location, change.kind, change.mode)
                    .await?
            }
            (None, LocationChangeKind::Removed) => {
                store.unlist_location(*group, location, change.mode).await?
            }
        };
        if result == WriteResult::Refused {
            conflicts.push(format!("{location} of the monitors every {}", group.interval));
        }
    }
    Ok(conflicts)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `1m#0` and `5m#0` list `a` (owned by seed) and `b` (another owner); `1m#0` should list `a` and `c`. `expected` has
    /// the sign, the group, the location and the reason if the change is skipped.
    #[track_caller]
    fn check(ours: Ownership, prune: bool, expected: &[&str]) {
        let group = |name: &str| -> GroupId { name.parse().unwrap() };
        let location = |name: &str| -> Location { name.parse().unwrap() };
        let listed = BTreeMap::from([(location("a"), Owner::Seed), (location("b"), Owner::Other)]);
        let standing = [group("1m#0"), group("5m#0")].map(|group| (group, listed.clone()));
        let location_changes = LocationChanges::between(
            &[(
                group("1m#0"),
                ["a", "c"]
                    .map(|name| (location(name), LocationKind::Region))
                    .into(),
            )]
            .into(),
            &standing.into(),
            Rules { ours, prune },
        );
        let render = location_changes
            .differences
            .iter()
            .map(|((group, location), change)| {
                let sign = match change.what {
                    LocationChangeKind::Added => "+",
                    LocationChangeKind::Removed => "-",
                };
                let skipped = change.skipped.map(|skipped| format!(" ({skipped:?})"));
                format!("{sign} {group} {location}{}", skipped.unwrap_or_default())
            });
        let mut render: Vec<_> = render.collect();
        render.sort();
        assert_eq!(
            (render, location_changes.unchanged),
            (expected.iter().map(ToString::to_string).collect(), 1)
        );
    }

    #[test]
    fn entries_of_other_owners_are_skipped() {
        check(
            Ownership::Marked,
            false,
            &["+ 1m#0 c", "- 1m#0 b (NotOurs)", "- 5m#0 a (NotPruned)"],
        );
        check(
            Ownership::Marked,
            true,
            &["+ 1m#0 c", "- 1m#0 b (NotOurs)", "- 5m#0 a"],
        );
        check(Ownership::Named, true, &["+ 1m#0 c", "- 1m#0 b", "- 5m#0 a"]);
        check(
            Ownership::Everything,
            true,
            &["+ 1m#0 c", "- 1m#0 b", "- 5m#0 a", "- 5m#0 b"],
        );
    }
}
