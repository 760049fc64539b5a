//! Which locations should report to a group's board: listed on the board itself, an item each, by Terraform or by
//! `portpulse seed`.

use std::collections::BTreeMap;

use portpulse_core::group::GroupId;
use portpulse_core::id::Location;

use crate::codec;
use crate::definitions::{Owner, WriteMode, WriteResult};
use crate::error::Error;
use crate::keys::{self, RowKey};
use crate::store::{Store, sort_key};
use crate::table::{Condition, Delete, Deleted, Put, Read, Table};

impl<T: Table> Store<T> {
    /// The locations that should report to a group's board, with who looks after the item that says so.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn standing_locations(&self, group: GroupId) -> Result<BTreeMap<Location, Owner>, Error> {
        let items = self.table.query(&keys::group_state(group), Read::Strong).await?;
        let standing = items.iter().filter_map(|item| match RowKey::of(sort_key(item)) {
            RowKey::Expects(location) => Some((location, codec::expectation::owner(item))),
            RowKey::Location(_) | RowKey::Status | RowKey::Other(_) => None,
        });
        Ok(standing.collect())
    }

    /// Lists a location as Terraform does: whatever stands there, and without a keeper's mark.
    ///
    /// # Errors
    /// As with [`Store::write_location`].
    pub async fn list_location(&self, group: GroupId, location: &Location) -> Result<(), Error> {
        let key = keys::expectation(group, location);
        let item = codec::expectation::encode(&key);
        self.put(key, item, Condition::Always).await?;
        Ok(())
    }

    /// Lists a location, and that `portpulse seed` looks after that, if it may.
    ///
    /// # Errors
    /// When it is not known whether the item is in place.
    pub async fn write_location(
        &self,
        group: GroupId,
        location: &Location,
        may: WriteMode,
    ) -> Result<WriteResult, Error> {
        let key = keys::expectation(group, location);
        let item = codec::expectation::encode_seeded(&key);
        Ok(match self.put(key, item, may.condition()).await? {
            Put::Done => WriteResult::Done,
            Put::Refused { .. } => WriteResult::NotOurs,
        })
    }
}

impl<T: Delete> Store<T> {
    /// Takes a location off a group's list; where it is not on it, [`WriteMode::Keep`] refuses.
    ///
    /// # Errors
    /// When it is not known whether the item is gone.
    pub async fn unlist_location(
        &self,
        group: GroupId,
        location: &Location,
        may: WriteMode,
    ) -> Result<WriteResult, Error> {
        let key = keys::expectation(group, location);
        let deleted = self.table.delete(&key.pk, &key.sk, may.condition()).await?;
        Ok(match deleted {
            Deleted::Done => WriteResult::Done,
            Deleted::Refused => WriteResult::NotOurs,
        })
    }
}
