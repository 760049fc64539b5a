//! The current state of a table, and the input of a decision on it.

use jiff::Timestamp;
use portpulse_core::decide::{Elsewhere, Input};
use portpulse_core::group::GroupId;
use portpulse_core::outbox::Claimant;
use portpulse_history::snapshot::{GroupSnapshot, Snapshot};
use portpulse_history::{ReadLimit, Reader, Scope};
use portpulse_store::table::{PagedQuery, Read, Table};
use portpulse_store::{Error, Store};

use crate::output::CommandError;
use crate::table_access::OpenTable;

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
        // A faster clock (`--speed`) may have stored checks in the future.
        let now = latest_check(&snapshot).map_or(now, |latest| latest.max(now));
        Ok(Self {
            now,
            snapshot,
            me: Claimant::new("reader"),
        })
    }

    /// Reads the current state of the table of a command.
    pub(crate) async fn of_table(table: &OpenTable) -> Result<Self, CommandError> {
        let overview = Self::read(&table.store, table.now()).await;
        overview.map_err(|error| CommandError::failed(format!("read {table}"), error))
    }

    /// The input of a decision on a group at this time.
    pub(crate) fn input<'a>(&'a self, group: GroupId, snapshot: &'a GroupSnapshot) -> Input<'a> {
        self.snapshot
            .input(group, snapshot, Elsewhere::NOTHING, self.now, &self.me)
    }

    /// The time of the latest check that any location has reported.
    pub(crate) fn latest_check(&self) -> Option<Timestamp> {
        latest_check(&self.snapshot)
    }
}

fn latest_check(snapshot: &Snapshot) -> Option<Timestamp> {
    let rows = snapshot
        .groups
        .values()
        .flat_map(|group| group.group_state.locations.values());
    rows.map(|row| row.tick.timestamp()).max()
}
