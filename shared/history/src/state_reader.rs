//! Reads the current state of groups.

use std::collections::BTreeSet;

use portpulse_core::group::GroupId;
use portpulse_core::group_state::GroupState;
use portpulse_core::id::Location;
use portpulse_store::table::{Read, Table};
use portpulse_store::{Error, Store, chain};

use crate::snapshot::{GroupSnapshot, Snapshot};

/// Reads definitions, group states, controls and locations.
pub(crate) async fn read_present<T: Table>(
    store: &Store<T>,
    expected: &BTreeSet<Location>,
    groups: &BTreeSet<GroupId>,
    read: Read,
) -> Result<Snapshot, Error> {
    let mut snapshot = Snapshot::default();
    for group in groups {
        let group_state = store.group_state_as_of(*group, read).await?;
        let mut definitions = store.definitions(*group).await?;
        definitions.exclude_agents(&group_state.group_state.agents);
        let known = GroupSnapshot {
            definitions,
            group_state: group_state.group_state,
            ..GroupSnapshot::default()
        };
        snapshot.groups.insert(*group, known);
        snapshot
            .unreadable
            .extend(group_state.unreadable.values().map(|error| chain(error)));
    }
    let group_states = snapshot.groups.values().map(|known| &known.group_state);
    let reporting = |group_state: &GroupState| -> Vec<Location> {
        let awaited = group_state.decision.locations.keys();
        group_state.locations.keys().chain(awaited).cloned().collect()
    };
    let reporting: BTreeSet<Location> = group_states.flat_map(reporting).collect();
    for known in snapshot.groups.values_mut() {
        let configured = [&known.group_state.listed, expected];
        let configured = configured.into_iter().find(|locations| !locations.is_empty());
        known.expected = configured.unwrap_or(&reporting).clone();
    }
    let (controls, unreadable) = store.controls().await?;
    snapshot.controls = controls;
    snapshot
        .unreadable
        .extend(unreadable.iter().map(|error| chain(error)));
    match store.fleet().await {
        Ok(fleet) => snapshot.fleet = fleet,
        Err(error @ Error::Unreadable { .. }) => snapshot.unreadable.push(chain(&error)),
        Err(error) => return Err(error),
    }
    Ok(snapshot)
}

/// Adds the last banners of the services in these groups.
pub(crate) async fn read_banners<T: Table>(store: &Store<T>, snapshot: &mut Snapshot) -> Result<(), Error> {
    for (group, known) in &mut snapshot.groups {
        let (banners, unreadable) = store.banners(*group).await?;
        known.banners = banners;
        snapshot
            .unreadable
            .extend(unreadable.iter().map(|error| chain(error)));
    }
    Ok(())
}
