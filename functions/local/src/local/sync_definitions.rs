//! Updates the stored definitions to those of the file at start, and finds the latest stored tick.

use std::collections::BTreeSet;

use jiff::Timestamp;
use portpulse_core::definition::DefinitionFile;
use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_core::time::Interval;
use portpulse_store::table::{Delete, Table};
use portpulse_store::{Error, Store};

use crate::seed::location_changes::{self, LocationChanges};
use crate::seed::{Definitions, Ownership, Plan, Rules, apply};

/// The stored definitions.
pub(crate) struct Existing {
    definitions: Definitions,
    /// The latest tick that any location has stored.
    pub(crate) latest: Option<Timestamp>,
}

/// Reads every group that has definitions or state.
pub(crate) async fn read_existing<T: Table>(store: &Store<T>) -> Result<Existing, Error> {
    let mut existing = Existing {
        definitions: Definitions::new(),
        latest: None,
    };
    for interval in Interval::ALL {
        // Shards are filled evenly, so that the first empty one ends the search.
        for shard in 0.. {
            let group = GroupId {
                interval: *interval,
                shard,
            };
            let definitions = store.stored_definitions(group).await?;
            let rows = store.group_state(group).await?.group_state.locations;
            if definitions.is_empty() && rows.is_empty() {
                break;
            }
            existing.latest = existing
                .latest
                .max(rows.values().map(|row| row.tick.timestamp()).max());
            existing.definitions.insert(group, definitions);
        }
    }
    Ok(existing)
}

/// Writes definitions that differ from the file, removes those that it does not contain, and stores the expected
/// locations.
pub(crate) async fn write_changes<T: Table + Delete>(
    store: &Store<T>,
    file: &DefinitionFile,
    locations: &BTreeSet<Location>,
    existing: &Existing,
) -> Result<(), Error> {
    // The data directory is locked, so that there are no other writers. Unchanged definitions are not written.
    let rules = Rules {
        ours: Ownership::Everything,
        prune: true,
    };
    let wanted = location_changes::local(file, locations);
    let all: BTreeSet<GroupId> = wanted
        .keys()
        .chain(existing.definitions.keys())
        .copied()
        .collect();
    let standing = location_changes::standing(store, all).await?;
    let changes = LocationChanges::between(&wanted, &standing, rules);
    location_changes::apply(store, &changes).await?;
    let plan = Plan::between(file, &existing.definitions, rules);
    apply(store, &plan).await.map(drop)
}
