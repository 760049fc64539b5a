//! The list of locations that are expected to report for a group: one item for each, written by Terraform or
//! `portpulse seed`.

use std::collections::BTreeMap;

use portpulse_core::group::GroupId;
use portpulse_core::group_state::LocationKind;
use portpulse_core::id::Location;

use crate::codec;
use crate::definitions::{Owner, WriteMode, WriteResult};
use crate::error::Error;
use crate::keys::{self, GroupStateKey};
use crate::store::{Store, sort_key};
use crate::table::{Condition, Delete, Read, Table};

impl<T: Table> Store<T> {
    /// The locations listed for a group, each with the owner of its item.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn listed_locations(&self, group: GroupId) -> Result<BTreeMap<Location, Owner>, Error> {
        let items = self.table.query(&keys::group_state(group), Read::Strong).await?;
        let listed = items
            .iter()
            .filter_map(|item| match GroupStateKey::of(sort_key(item)) {
                GroupStateKey::Expectation(location) => Some((location, codec::expectation::owner(item))),
                GroupStateKey::Location(_) | GroupStateKey::Decision | GroupStateKey::Unknown(_) => None,
            });
        Ok(listed.collect())
    }

    /// Lists a region unconditionally and without an owner, as Terraform does.
    ///
    /// # Errors
    /// As for [`Store::write_location`].
    pub async fn list_location(&self, group: GroupId, location: &Location) -> Result<(), Error> {
        self.list(group, location, LocationKind::Region).await
    }

    /// Lists an agent like [`Store::list_location`].
    ///
    /// # Errors
    /// As for [`Store::write_location`].
    pub async fn list_agent(&self, group: GroupId, location: &Location) -> Result<(), Error> {
        self.list(group, location, LocationKind::Agent).await
    }

    async fn list(&self, group: GroupId, location: &Location, kind: LocationKind) -> Result<(), Error> {
        let key = keys::expectation(group, location);
        let item = codec::expectation::encode(&key, kind);
        self.put(key, item, Condition::Always).await?;
        Ok(())
    }

    /// Lists a location with `portpulse seed` as the owner if `mode` allows.
    ///
    /// # Errors
    /// If the outcome of the write is unknown.
    pub async fn write_location(
        &self,
        group: GroupId,
        location: &Location,
        kind: LocationKind,
        mode: WriteMode,
    ) -> Result<WriteResult, Error> {
        let key = keys::expectation(group, location);
        let item = codec::expectation::encode_seeded(&key, kind);
        Ok(self.put(key, item, mode.condition()).await?.into())
    }
}

impl<T: Delete> Store<T> {
    /// Removes a location from a group's list if `mode` allows. [`WriteMode::UpdateOwn`] refuses if the location is not
    /// listed.
    ///
    /// # Errors
    /// If the outcome of the deletion is unknown.
    pub async fn unlist_location(
        &self,
        group: GroupId,
        location: &Location,
        mode: WriteMode,
    ) -> Result<WriteResult, Error> {
        let key = keys::expectation(group, location);
        let deleted = self.table.delete(&key.pk, &key.sk, mode.condition()).await?;
        Ok(deleted.into())
    }
}
