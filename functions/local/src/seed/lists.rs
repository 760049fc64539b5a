//! What is to be written so that each group's board lists the locations that should report: pure, and then carried out.

use std::collections::{BTreeMap, BTreeSet};

use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_store::definitions::{Owner, WriteMode, WriteResult};
use portpulse_store::table::{Delete, Table};
use portpulse_store::{Error, Store};

use super::plan::{Left, Ours, Rules};

/// The locations that are listed, by group, with who looks after each.
pub(crate) type Standing = BTreeMap<GroupId, BTreeMap<Location, Owner>>;

/// The way from the lists of a table to those that are wanted.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Lists {
    /// What differs.
    pub(crate) differences: BTreeMap<(GroupId, Location), Listing>,
    /// How many are as they should be.
    pub(crate) unchanged: u64,
}

/// How a location's place on a list differs, and what is done about it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Listing {
    pub(crate) what: Listed,
    may: WriteMode,
    /// Why it is left as it is, if it is.
    pub(crate) left: Option<Left>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Listed {
    Added,
    Removed,
}

impl Lists {
    /// From what stands to `wanted` on the list of each of `groups`, and to none on any other that is ours.
    pub(crate) fn between(
        groups: &BTreeSet<GroupId>,
        wanted: &BTreeSet<Location>,
        standing: &Standing,
        rules: Rules,
    ) -> Self {
        let mut lists = Self::default();
        for group in groups {
            let there = standing.get(group);
            for location in wanted {
                if there.is_some_and(|there| there.contains_key(location)) {
                    lists.unchanged += 1;
                } else {
                    lists.note(*group, location, Listed::Added, WriteMode::Add, None);
                }
            }
        }
        for (group, there) in standing {
            let is_wanted = |location| groups.contains(group) && wanted.contains(location);
            for (location, owner) in there.iter().filter(|(location, _)| !is_wanted(location)) {
                let not_pruned = (!rules.prune).then_some(Left::NotPruned);
                let (may, left) = match (owner, rules.ours) {
                    (Owner::Seed, _) => (WriteMode::Keep, not_pruned),
                    (Owner::Other, Ours::Everything) => (WriteMode::TakeOver, not_pruned),
                    // Those of a group that the file does not name are not looked at.
                    (Owner::Other, Ours::Marked | Ours::Named) if !groups.contains(group) => continue,
                    (Owner::Other, Ours::Named) => (WriteMode::TakeOver, not_pruned),
                    (Owner::Other, Ours::Marked) => (WriteMode::Keep, Some(Left::NotOurs)),
                };
                lists.note(*group, location, Listed::Removed, may, left);
            }
        }
        lists
    }

    fn note(
        &mut self,
        group: GroupId,
        location: &Location,
        what: Listed,
        may: WriteMode,
        left: Option<Left>,
    ) {
        let listing = Listing { what, may, left };
        self.differences.insert((group, location.clone()), listing);
    }

    /// Whether anything is to be written.
    pub(crate) fn is_idle(&self) -> bool {
        self.differences.values().all(|listing| listing.left.is_some())
    }

    /// Whether something differs that may not be touched.
    pub(crate) fn is_held_up(&self) -> bool {
        let mut differences = self.differences.values();
        differences.any(|listing| listing.left == Some(Left::NotOurs))
    }
}

/// The lists of these groups as they stand.
pub(crate) async fn standing<T: Table>(
    store: &Store<T>,
    groups: impl IntoIterator<Item = GroupId>,
) -> Result<Standing, Error> {
    let mut standing = Standing::new();
    for group in groups {
        standing.insert(group, store.standing_locations(group).await?);
    }
    Ok(standing)
}

/// Carries out what is to be done; names what somebody else has changed since it was planned, which stays as it is.
pub(crate) async fn apply<T: Table + Delete>(store: &Store<T>, lists: &Lists) -> Result<Vec<String>, Error> {
    let mut conflicts = Vec::new();
    for ((group, location), listing) in &lists.differences {
        let tended = match listing {
            Listing { left: Some(_), .. } => continue,
            Listing {
                what: Listed::Added,
                may,
                ..
            } => store.write_location(*group, location, *may).await?,
            Listing {
                what: Listed::Removed,
                may,
                ..
            } => store.unlist_location(*group, location, *may).await?,
        };
        if tended == WriteResult::NotOurs {
            conflicts.push(format!("{location} of {group}"));
        }
    }
    Ok(conflicts)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of `a` (seed's) and `b` (somebody else's), listed for `1m#0` and `5m#0`, where `1m#0` is to list
    /// `a` and `c`: `+` or `-`, group, location and, in brackets, why it is left.
    #[track_caller]
    fn check(ours: Ours, prune: bool, expected: &[&str]) {
        let group = |name: &str| -> GroupId { name.parse().unwrap() };
        let location = |name: &str| -> Location { name.parse().unwrap() };
        let there = BTreeMap::from([(location("a"), Owner::Seed), (location("b"), Owner::Other)]);
        let standing = [group("1m#0"), group("5m#0")].map(|group| (group, there.clone()));
        let lists = Lists::between(
            &[group("1m#0")].into(),
            &[location("a"), location("c")].into(),
            &standing.into(),
            Rules { ours, prune },
        );
        let shown = lists.differences.iter().map(|((group, location), listing)| {
            let sign = match listing.what {
                Listed::Added => "+",
                Listed::Removed => "-",
            };
            let left = listing.left.map(|left| format!(" ({left:?})"));
            format!("{sign} {group} {location}{}", left.unwrap_or_default())
        });
        let mut shown: Vec<_> = shown.collect();
        shown.sort();
        assert_eq!(
            (shown, lists.unchanged),
            (expected.iter().map(ToString::to_string).collect(), 1)
        );
    }

    #[test]
    fn what_is_not_ours_is_left_alone() {
        check(
            Ours::Marked,
            false,
            &["+ 1m#0 c", "- 1m#0 b (NotOurs)", "- 5m#0 a (NotPruned)"],
        );
        check(
            Ours::Marked,
            true,
            &["+ 1m#0 c", "- 1m#0 b (NotOurs)", "- 5m#0 a"],
        );
        check(Ours::Named, true, &["+ 1m#0 c", "- 1m#0 b", "- 5m#0 a"]);
        check(
            Ours::Everything,
            true,
            &["+ 1m#0 c", "- 1m#0 b", "- 5m#0 a", "- 5m#0 b"],
        );
    }
}
