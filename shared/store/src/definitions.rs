//! Definitions as tools read and write them: the stored attributes, their owner, and writes that respect the owner.

use std::collections::BTreeMap;

use portpulse_core::definition::Diagnostic;
use portpulse_core::group::GroupId;
use portpulse_core::time::Interval;
use serde_json::{Map, Value};

use crate::codec;
use crate::error::Error;
use crate::keys;
use crate::store::{Store, sort_key};
use crate::table::{Condition, Delete, Deleted, Put, Read, Table};

/// The attribute that names the tool which owns a definition.
pub const MANAGED_BY: &str = "managed_by";
/// The value of [`MANAGED_BY`] for items of `portpulse seed`.
pub const SEED: &str = "seed";

/// The tool that owns an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// `portpulse seed`, as [`MANAGED_BY`] says.
    Seed,
    /// Another tool, usually Terraform: [`MANAGED_BY`] is missing or unknown.
    Other,
}

/// A definition as stored, valid or not, enabled or not.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredDefinition {
    /// The tool that owns the item.
    pub owner: Owner,
    /// The attributes without keys and owner, or why they cannot be read.
    pub attributes: Result<Map<String, Value>, Vec<Diagnostic>>,
}

/// The condition under which an item may be written or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteMode {
    /// Only if there is no item.
    Create,
    /// Only if `portpulse seed` owns the item in place.
    UpdateOwn,
    /// Always.
    TakeOver,
}

impl WriteMode {
    pub(crate) fn condition(self) -> Condition {
        match self {
            Self::Create => Condition::Absent,
            Self::UpdateOwn => Condition::Seeded,
            Self::TakeOver => Condition::Always,
        }
    }
}

/// The outcome of a write or deletion under a [`WriteMode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteResult {
    /// The item was written or deleted.
    Done,
    /// The condition did not hold. Nothing changed.
    Refused,
}

impl From<Put> for WriteResult {
    fn from(put: Put) -> Self {
        match put {
            Put::Done => Self::Done,
            Put::Refused { .. } => Self::Refused,
        }
    }
}

impl From<Deleted> for WriteResult {
    fn from(deleted: Deleted) -> Self {
        match deleted {
            Deleted::Done => Self::Done,
            Deleted::Refused => Self::Refused,
        }
    }
}

impl<T: Table> Store<T> {
    /// The stored definitions of a group, by id.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn stored_definitions(
        &self,
        group: GroupId,
    ) -> Result<BTreeMap<String, StoredDefinition>, Error> {
        let items = self.table.query(&keys::definitions(group), Read::Strong).await?;
        let stored = |item| (sort_key(item).to_owned(), codec::definition::stored(item));
        Ok(items.iter().map(stored).collect())
    }

    /// All stored definitions by group. Reads the first `shards` shards of each interval, and further shards until one
    /// is empty.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn all_stored_definitions(
        &self,
        shards: &BTreeMap<Interval, u32>,
    ) -> Result<BTreeMap<GroupId, BTreeMap<String, StoredDefinition>>, Error> {
        let mut all = BTreeMap::new();
        for interval in Interval::ALL {
            let expected = shards.get(interval).copied().unwrap_or_default();
            for shard in 0.. {
                let group = GroupId {
                    interval: *interval,
                    shard,
                };
                let definitions = self.stored_definitions(group).await?;
                if !definitions.is_empty() {
                    all.insert(group, definitions);
                } else if shard >= expected {
                    break;
                }
            }
        }
        Ok(all)
    }

    /// Writes a definition unconditionally and without [`MANAGED_BY`], as Terraform does. The attributes are not
    /// validated; checkers report invalid ones.
    ///
    /// # Errors
    /// As for [`Store::write_definition`].
    pub async fn put_definition(
        &self,
        group: GroupId,
        id: &str,
        attributes: &Map<String, Value>,
    ) -> Result<(), Error> {
        let key = keys::definition(group, id);
        let item = codec::definition::encode(&key, attributes);
        self.put(key, item, Condition::Always).await?;
        Ok(())
    }

    /// Writes a definition owned by `portpulse seed` if `mode` allows.
    ///
    /// # Errors
    /// If the item is too large, or the outcome of the write is unknown.
    pub async fn write_definition(
        &self,
        group: GroupId,
        id: &str,
        attributes: &Map<String, Value>,
        mode: WriteMode,
    ) -> Result<WriteResult, Error> {
        let key = keys::definition(group, id);
        let item = codec::definition::encode_seeded(&key, attributes);
        Ok(self.put(key, item, mode.condition()).await?.into())
    }
}

impl<T: Delete> Store<T> {
    /// Deletes a definition if `mode` allows. [`WriteMode::UpdateOwn`] refuses if there is none.
    ///
    /// # Errors
    /// If the outcome of the deletion is unknown.
    pub async fn delete_definition(
        &self,
        group: GroupId,
        id: &str,
        mode: WriteMode,
    ) -> Result<WriteResult, Error> {
        let key = keys::definition(group, id);
        let deleted = self.table.delete(&key.pk, &key.sk, mode.condition()).await?;
        Ok(deleted.into())
    }
}
