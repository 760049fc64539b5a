//! Which regions should report to a group's board: listed on the board itself, an item each, by Terraform or by
//! `portpulse seed`.

use std::collections::BTreeMap;

use portpulse_core::group::GroupId;
use portpulse_core::id::Region;

use crate::codec;
use crate::definitions::{Keeper, May, Tended};
use crate::error::Error;
use crate::keys::{self, RowKey};
use crate::store::{Store, sort_key};
use crate::table::{Condition, Delete, Deleted, Put, Read, Table};

impl<T: Table> Store<T> {
    /// The regions that should report to a group's board, with who looks after the item that says so.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn standing_regions(&self, group: GroupId) -> Result<BTreeMap<Region, Keeper>, Error> {
        let items = self.table.query(&keys::board(group), Read::Strong).await?;
        let standing = items.iter().filter_map(|item| match RowKey::of(sort_key(item)) {
            RowKey::Expects(region) => Some((region, codec::expectation::keeper(item))),
            RowKey::Region(_) | RowKey::Verdict | RowKey::Other(_) => None,
        });
        Ok(standing.collect())
    }

    /// Lists a region as Terraform does: whatever stands there, and without a keeper's mark.
    ///
    /// # Errors
    /// As with [`Store::tend_region`].
    pub async fn list_region(&self, group: GroupId, region: &Region) -> Result<(), Error> {
        let key = keys::expectation(group, region);
        let item = codec::expectation::encode(&key);
        self.put(key, item, Condition::Always).await?;
        Ok(())
    }

    /// Lists a region, and that `portpulse seed` looks after that, if it may.
    ///
    /// # Errors
    /// When it is not known whether the item is in place.
    pub async fn tend_region(&self, group: GroupId, region: &Region, may: May) -> Result<Tended, Error> {
        let key = keys::expectation(group, region);
        let item = codec::expectation::encode_seeded(&key);
        Ok(match self.put(key, item, may.condition()).await? {
            Put::Done => Tended::Done,
            Put::Refused { .. } => Tended::NotOurs,
        })
    }
}

impl<T: Delete> Store<T> {
    /// Takes a region off a group's list; where it is not on it, [`May::Keep`] refuses.
    ///
    /// # Errors
    /// When it is not known whether the item is gone.
    pub async fn unlist_region(&self, group: GroupId, region: &Region, may: May) -> Result<Tended, Error> {
        let key = keys::expectation(group, region);
        let deleted = self.table.delete(&key.pk, &key.sk, may.condition()).await?;
        Ok(match deleted {
            Deleted::Done => Tended::Done,
            Deleted::Refused => Tended::NotOurs,
        })
    }
}
