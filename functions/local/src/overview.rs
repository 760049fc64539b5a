//! The current state of a table, and the input of a decision on it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use portpulse_core::decide::Input;
use portpulse_core::group::GroupId;
use portpulse_core::id::MonitorId;
use portpulse_core::outbox::Claimant;
use portpulse_history::snapshot::{GroupSnapshot, Snapshot};
use portpulse_history::{ReadLimit, Reader, Scope};
use portpulse_store::table::{PagedQuery, Read, Table};
use portpulse_store::{Error, Store};

/// The current state of a table.
#[derive(Debug)]
pub(crate) struct Overview {
    pub(crate) now: Timestamp,
    pub(crate) snapshot: Snapshot,
    me: Claimant,
}

/// A reader of all groups.
pub(crate) fn reader<T: Table + PagedQuery + Clone>(store: &Store<T>) -> Reader<T> {
    Reader::new(store.table().clone(), Scope::default(), ReadLimit::default())
}

impl Overview {
    /// Reads the current state with strong consistency.
    ///
    /// # Errors
    /// If the table cannot be read. Malformed items do not fail the read.
    pub(crate) async fn read<T>(store: &Store<T>, now: Timestamp) -> Result<Self, Error>
    where
        T: Table + PagedQuery + Clone,
    {
        let snapshot = reader(store).present(Read::Strong).await?;
        // A faster clock (`--speed`) may have stored ticks in the future.
        let now = latest_tick(&snapshot).map_or(now, |latest| latest.max(now));
        Ok(Self {
            now,
            snapshot,
            me: Claimant::new("reader"),
        })
    }

    /// The input of a decision on a group at this time.
    pub(crate) fn input<'a>(&'a self, group: GroupId, snapshot: &'a GroupSnapshot) -> Input<'a> {
        const NO_MONITORS: &BTreeSet<MonitorId> = &BTreeSet::new();
        Input {
            group,
            definitions: &snapshot.definitions,
            group_state: &snapshot.group_state,
            fleet: Some(&self.snapshot.fleet),
            fallback_locations: &snapshot.expected,
            controls: &self.snapshot.controls,
            down_elsewhere: NO_MONITORS,
            now: self.now,
            me: &self.me,
        }
    }

    /// The latest tick that any location has reported.
    pub(crate) fn latest_tick(&self) -> Option<Timestamp> {
        latest_tick(&self.snapshot)
    }
}

fn latest_tick(snapshot: &Snapshot) -> Option<Timestamp> {
    let rows = snapshot
        .groups
        .values()
        .flat_map(|group| group.group_state.locations.values());
    rows.map(|row| row.tick.timestamp()).max()
}
