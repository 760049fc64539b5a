//! Everything that is open now, as the pages read it, and what a decision would rest on.

use std::collections::BTreeSet;

use jiff::Timestamp;
use portpulse_core::decide::Input;
use portpulse_core::group::GroupId;
use portpulse_core::id::MonitorId;
use portpulse_core::outbox::Claimant;
use portpulse_history::snapshot::{GroupSnapshot, Snapshot};
use portpulse_history::{Ceiling, Reader, Scope};
use portpulse_store::table::{PagedQuery, Read, Table};
use portpulse_store::{Error, Store};

/// What a table says now.
#[derive(Debug)]
pub(crate) struct Overview {
    pub(crate) now: Timestamp,
    pub(crate) known: Snapshot,
    me: Claimant,
}

/// A reader of all groups that there are.
pub(crate) fn reader<T: Table + PagedQuery + Clone>(store: &Store<T>) -> Reader<T> {
    Reader::new(store.table().clone(), Scope::default(), Ceiling::default())
}

impl Overview {
    /// Reads what is there now, strongly consistent.
    ///
    /// # Errors
    /// When the table cannot be read; an item that is malformed is no error of the whole.
    pub(crate) async fn read<T>(store: &Store<T>, now: Timestamp) -> Result<Self, Error>
    where
        T: Table + PagedQuery + Clone,
    {
        let known = reader(store).present(Read::Strong).await?;
        // A clock that ran faster than ours may have counted ticks that lie ahead.
        let now = latest_tick(&known).map_or(now, |latest| latest.max(now));
        Ok(Self {
            now,
            known,
            me: Claimant::new("reader"),
        })
    }

    /// What a decision on a group would rest on now.
    pub(crate) fn input<'a>(&'a self, group: GroupId, known: &'a GroupSnapshot) -> Input<'a> {
        const NOBODY: &BTreeSet<MonitorId> = &BTreeSet::new();
        Input {
            group,
            definitions: &known.definitions,
            group_state: &known.group_state,
            fleet: Some(&self.known.fleet),
            fallback_locations: &known.expected,
            controls: &self.known.controls,
            down_elsewhere: NOBODY,
            now: self.now,
            me: &self.me,
        }
    }

    /// The last tick that anybody has reported.
    pub(crate) fn latest_tick(&self) -> Option<Timestamp> {
        latest_tick(&self.known)
    }
}

fn latest_tick(known: &Snapshot) -> Option<Timestamp> {
    let rows = known
        .groups
        .values()
        .flat_map(|group| group.group_state.rows.values());
    rows.map(|row| row.tick.timestamp()).max()
}
