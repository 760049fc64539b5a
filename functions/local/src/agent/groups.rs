//! The groups of an agent: those with monitors that name its location.

use std::collections::{BTreeMap, BTreeSet};

use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_core::time::Interval;
use portpulse_store::table::Table;
use portpulse_store::{Error, Store};

/// The groups with monitors that name a location.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Groups {
    /// The groups that list the location as an agent, with the number of monitors that it checks.
    pub(super) checked: BTreeMap<GroupId, usize>,
    /// The groups that do not list the location as an agent. Its results would not count there.
    pub(super) unlisted: BTreeSet<GroupId>,
}

/// Reads all definitions, and the lists of locations of the groups with monitors that name `location`.
///
/// # Errors
/// If the table cannot be read.
pub(super) async fn find<T: Table>(store: &Store<T>, location: &Location) -> Result<Groups, Error> {
    let mut groups = Groups::default();
    for interval in Interval::ALL {
        for shard in 0.. {
            let group = GroupId {
                interval: *interval,
                shard,
            };
            let definitions = store.definitions(group).await?;
            // Shards are filled evenly, so that the first empty one ends the search. Definitions that are not enabled are not
            // among them, but each group of a deployment has a list of locations.
            if definitions.monitors.is_empty()
                && definitions.broken.is_empty()
                && store.listed_locations(group).await?.is_empty()
            {
                break;
            }
            let monitors = definitions.monitors.values();
            let own = monitors.filter(|monitor| monitor.names(location)).count();
            if own == 0 {
                continue;
            }
            let read = store.group_state(group).await?;
            if read.group_state.agents.contains(location) {
                groups.checked.insert(group, own);
            } else {
                groups.unlisted.insert(group);
            }
        }
    }
    Ok(groups)
}
