//! Which of the expected locations are regions, and which are agents.

use std::collections::BTreeMap;

use portpulse_core::group_state::{AGENT_REACH, LocationKind};
use portpulse_core::id::Location;

use crate::snapshot::Snapshot;

/// The kinds of the expected locations; `None` for those that are neither, such as the locations of
/// `portpulse local`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocationKinds(BTreeMap<Location, Option<LocationKind>>);

impl LocationKinds {
    /// The kinds of the expected locations of all groups.
    pub fn of(snapshot: &Snapshot) -> Self {
        let mut kinds = BTreeMap::new();
        for known in snapshot.groups.values() {
            for location in &known.expected {
                let kind = kinds.entry(location.clone()).or_insert(None);
                *kind = kind.or(known.group_state.kind(location));
            }
        }
        Self(kinds)
    }

    /// The expected locations.
    pub fn locations(&self) -> impl Iterator<Item = &Location> {
        self.0.keys()
    }

    /// The kind of one location.
    pub fn get(&self, location: &Location) -> Option<LocationKind> {
        self.0.get(location).copied().flatten()
    }

    /// The locations by kind, and what an agent can check; `None` if no kind is known.
    pub fn sentence(&self) -> Option<String> {
        let named = |wanted: Option<LocationKind>, title: &str| {
            let names = self.0.iter().filter(|(_, kind)| **kind == wanted);
            let names: Vec<_> = names.map(|(location, _)| location.as_str()).collect();
            (!names.is_empty()).then(|| format!("{title}: {}.", names.join(", ")))
        };
        let regions = named(Some(LocationKind::Region), "Regions");
        let agents = named(Some(LocationKind::Agent), "Agents");
        let reach = agents.is_some().then(|| AGENT_REACH.to_owned());
        let others = named(None, "Other locations");
        let is_known = regions.is_some() || agents.is_some();
        let parts: Vec<_> = [regions, others, agents, reach].into_iter().flatten().collect();
        is_known.then(|| parts.join(" "))
    }
}

impl FromIterator<(Location, Option<LocationKind>)> for LocationKinds {
    fn from_iter<I: IntoIterator<Item = (Location, Option<LocationKind>)>>(kinds: I) -> Self {
        Self(kinds.into_iter().collect())
    }
}

/// ` (region)` or ` (agent)`, to follow the name of a location; empty if the kind is unknown.
pub fn kind_suffix(kind: Option<LocationKind>) -> String {
    kind.map(|kind| format!(" ({})", kind.as_str()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::GroupSnapshot;

    #[test]
    fn sentence_names_regions_and_agents_if_a_kind_is_known() {
        for (locations, agents, expected) in [
            (
                &["eu-west-1", "office", "us-east-1"][..],
                &["office"][..],
                Some(
                    "Regions: eu-west-1, us-east-1. Agents: office. An agent can also check private addresses, port 25, \
                     IPv6 and pings, as far as its network allows.",
                ),
            ),
            (&["eu-west-1"], &[], Some("Regions: eu-west-1.")),
            (
                &["eu-west-1", "lab"],
                &[],
                Some("Regions: eu-west-1. Other locations: lab."),
            ),
            (&["local"], &[], None),
            (&[], &[], None),
        ] {
            let set = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
            let mut known = GroupSnapshot {
                expected: set(locations),
                ..GroupSnapshot::default()
            };
            known.group_state.listed = set(locations);
            known.group_state.agents = set(agents);
            let snapshot = Snapshot {
                groups: [("1m#0".parse().unwrap(), known)].into(),
                ..Snapshot::default()
            };
            let kinds = LocationKinds::of(&snapshot);
            assert_eq!(kinds.sentence().as_deref(), expected, "{locations:?}");
        }
    }
}
