//! Brings what is kept in line with the definitions file, and finds how far time has come there.

use std::collections::BTreeSet;

use jiff::Timestamp;
use portpulse_core::definition::DefinitionFile;
use portpulse_core::group::GroupId;
use portpulse_core::time::Interval;
use portpulse_store::table::{Delete, Table};
use portpulse_store::{Error, Store};

/// What was found in the table.
pub(crate) struct Found {
    /// Every definition there.
    definitions: BTreeSet<(GroupId, String)>,
    /// The latest tick that any region has counted.
    pub(crate) latest: Option<Timestamp>,
}

/// Looks through every group that has definitions or a board.
pub(crate) async fn look<T: Table>(store: &Store<T>) -> Result<Found, Error> {
    let mut found = Found {
        definitions: BTreeSet::new(),
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
            found.definitions.extend(ids.into_iter().map(|id| (group, id)));
        }
    }
    Ok(found)
}

/// Writes the definitions of the file, and removes those that are no longer there.
pub(crate) async fn seed<T: Table + Delete>(
    store: &Store<T>,
    file: &DefinitionFile,
    found: &Found,
) -> Result<(), Error> {
    let mut gone = found.definitions.clone();
    for defined in file.monitors() {
        let id = defined.monitor.id().as_str();
        store
            .put_definition(defined.group, id, &defined.attributes)
            .await?;
        gone.remove(&(defined.group, id.to_owned()));
    }
    for (group, id) in gone {
        store.delete_definition(group, &id).await?;
    }
    Ok(())
}
