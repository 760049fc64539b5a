//! Brings what is kept in line with the definitions file, and finds how far time has come there.

use std::collections::BTreeMap;

use jiff::Timestamp;
use portpulse_core::definition::{DefinitionFile, Monitor};
use portpulse_core::group::GroupId;
use portpulse_core::id::MonitorId;
use portpulse_core::time::Interval;
use portpulse_store::table::{Delete, Table};
use portpulse_store::{Error, Store};

/// What was found in the table.
pub(crate) struct Found {
    /// Every definition there, with the monitor that it defines if it can be read and is enabled.
    definitions: BTreeMap<(GroupId, String), Option<Monitor>>,
    /// The latest tick that any region has counted.
    pub(crate) latest: Option<Timestamp>,
}

/// Looks through every group that has definitions or a board.
pub(crate) async fn look<T: Table>(store: &Store<T>) -> Result<Found, Error> {
    let mut found = Found {
        definitions: BTreeMap::new(),
        latest: None,
    };
    for interval in Interval::ALL {
        // Shards fill evenly, so that the first empty one is the end.
        for shard in 0.. {
            let group = GroupId {
                interval: *interval,
                shard,
            };
            let ids = store.list_definitions(group).await?;
            let rows = store.board(group).await?.board.rows;
            if ids.is_empty() && rows.is_empty() {
                break;
            }
            found.latest = found
                .latest
                .max(rows.values().map(|row| row.tick.timestamp()).max());
            let mut monitors = store.definitions(group).await?.monitors;
            found.definitions.extend(ids.into_iter().map(|id| {
                let monitor = id.parse().ok().and_then(|id: MonitorId| monitors.remove(&id));
                ((group, id), monitor)
            }));
        }
    }
    Ok(found)
}

/// Writes the definitions of the file that are not there as they should be, and removes those it no longer has.
pub(crate) async fn seed<T: Table + Delete>(
    store: &Store<T>,
    file: &DefinitionFile,
    found: Found,
) -> Result<(), Error> {
    let mut there = found.definitions;
    for defined in file.monitors() {
        let id = defined.monitor.id().as_str();
        let known = there.remove(&(defined.group, id.to_owned())).flatten();
        // Most starts change nothing, and a write takes its time.
        if known.as_ref() != Some(&defined.monitor) {
            store
                .put_definition(defined.group, id, &defined.attributes)
                .await?;
        }
    }
    for (group, id) in there.into_keys() {
        store.delete_definition(group, &id).await?;
    }
    Ok(())
}
