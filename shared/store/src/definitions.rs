//! Definitions as tools see them: whatever stands there, who looks after it, and writes that respect that.

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

/// The attribute of a definition that names the tool which looks after it.
pub const MANAGED_BY: &str = "managed_by";
/// Its value where that tool is `portpulse seed`.
pub const SEED: &str = "seed";

/// Who looks after a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// `portpulse seed`: the item says so.
    Seed,
    /// Somebody else, most likely Terraform: the item says nothing that we know.
    Other,
}

/// A definition as it stands in the table, readable or not, disabled or not.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Who looks after it.
    pub owner: Owner,
    /// What it says, keys and keeper apart; or why that cannot be said.
    pub attributes: Result<Map<String, Value>, Vec<Diagnostic>>,
}

/// Whether a definition may be written or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteMode {
    /// Only if none stands there.
    Add,
    /// Only if `portpulse seed` looks after the one that stands there.
    Keep,
    /// Whatever stands there.
    TakeOver,
}

impl WriteMode {
    pub(crate) fn condition(self) -> Condition {
        match self {
            Self::Add => Condition::Absent,
            Self::Keep => Condition::Seeded,
            Self::TakeOver => Condition::Always,
        }
    }
}

/// What became of a definition that was to be written or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteResult {
    /// It is done.
    Done,
    /// Somebody else has changed what stands there: nothing was done.
    NotOurs,
}

impl<T: Table> Store<T> {
    /// A group's definitions as they stand, by their ids.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn standing_definitions(&self, group: GroupId) -> Result<BTreeMap<String, Standing>, Error> {
        let items = self.table.query(&keys::definitions(group), Read::Strong).await?;
        let standing = |item| (sort_key(item).to_owned(), codec::definition::standing(item));
        Ok(items.iter().map(standing).collect())
    }

    /// All definitions as they stand. Of each interval, the shards below `shards` are looked at, and those above as far
    /// as there are definitions.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn all_standing_definitions(
        &self,
        shards: &BTreeMap<Interval, u32>,
    ) -> Result<BTreeMap<GroupId, BTreeMap<String, Standing>>, Error> {
        let mut all = BTreeMap::new();
        for interval in Interval::ALL {
            let expected = shards.get(interval).copied().unwrap_or_default();
            for shard in 0.. {
                let group = GroupId {
                    interval: *interval,
                    shard,
                };
                let definitions = self.standing_definitions(group).await?;
                if !definitions.is_empty() {
                    all.insert(group, definitions);
                } else if shard >= expected {
                    break;
                }
            }
        }
        Ok(all)
    }

    /// Writes a definition over whatever stands there, as Terraform does: without a keeper's mark. Nothing is checked:
    /// checkers name what is wrong.
    ///
    /// # Errors
    /// As with [`Store::write_definition`].
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

    /// Writes a definition, and that `portpulse seed` looks after it, if it may.
    ///
    /// # Errors
    /// When the item is too large, or it is not known whether it is in place.
    pub async fn write_definition(
        &self,
        group: GroupId,
        id: &str,
        attributes: &Map<String, Value>,
        may: WriteMode,
    ) -> Result<WriteResult, Error> {
        let key = keys::definition(group, id);
        let item = codec::definition::encode_seeded(&key, attributes);
        Ok(match self.put(key, item, may.condition()).await? {
            Put::Done => WriteResult::Done,
            Put::Refused { .. } => WriteResult::NotOurs,
        })
    }
}

impl<T: Delete> Store<T> {
    /// Deletes a definition; where none stands, [`WriteMode::Keep`] refuses.
    ///
    /// # Errors
    /// When it is not known whether it is gone.
    pub async fn delete_definition(
        &self,
        group: GroupId,
        id: &str,
        may: WriteMode,
    ) -> Result<WriteResult, Error> {
        let key = keys::definition(group, id);
        Ok(
            match self.table.delete(&key.pk, &key.sk, may.condition()).await? {
                Deleted::Done => WriteResult::Done,
                Deleted::Refused => WriteResult::NotOurs,
            },
        )
    }
}
