//! Brings what is kept in line with the definitions file, and finds how far time has come there.

use std::collections::BTreeSet;

use jiff::Timestamp;
use portpulse_core::definition::DefinitionFile;
use portpulse_core::group::GroupId;
use portpulse_core::id::Location;
use portpulse_core::time::Interval;
use portpulse_store::table::{Delete, Table};
use portpulse_store::{Error, Store};

use crate::seed::lists::{self, Lists};
use crate::seed::{Definitions, Ours, Plan, Rules, apply};

/// What was found in the table.
pub(crate) struct Found {
    definitions: Definitions,
    /// The latest tick that any location has counted.
    pub(crate) latest: Option<Timestamp>,
}

/// Looks through every group that has definitions or a board.
pub(crate) async fn look<T: Table>(store: &Store<T>) -> Result<Found, Error> {
    let mut found = Found {
        definitions: Definitions::new(),
        latest: None,
    };
    for interval in Interval::ALL {
        // Shards fill evenly, so that the first empty one is the end.
        for shard in 0.. {
            let group = GroupId {
                interval: *interval,
                shard,
            };
            let definitions = store.standing_definitions(group).await?;
            let rows = store.group_state(group).await?.group_state.rows;
            if definitions.is_empty() && rows.is_empty() {
                break;
            }
            found.latest = found
                .latest
                .max(rows.values().map(|row| row.tick.timestamp()).max());
            found.definitions.insert(group, definitions);
        }
    }
    Ok(found)
}

/// Writes the definitions of the file that are not there as they should be, and removes those it no longer has; and
/// lists the locations that check.
pub(crate) async fn seed<T: Table + Delete>(
    store: &Store<T>,
    file: &DefinitionFile,
    locations: &BTreeSet<Location>,
    found: &Found,
) -> Result<(), Error> {
    // Nobody else writes here while the folder is ours. Most starts change nothing, and a write takes its time.
    let rules = Rules {
        ours: Ours::Everything,
        prune: true,
    };
    let groups: BTreeSet<GroupId> = file.monitors().iter().map(|defined| defined.group).collect();
    let all: BTreeSet<GroupId> = groups.iter().chain(found.definitions.keys()).copied().collect();
    let standing = lists::standing(store, all).await?;
    let lists = Lists::between(&groups, locations, &standing, rules);
    lists::apply(store, &lists).await?;
    let plan = Plan::between(file, &found.definitions, rules);
    apply(store, &plan).await.map(drop)
}
