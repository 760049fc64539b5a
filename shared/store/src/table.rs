//! The seam between what is stored and where: items, read and put on conditions.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt;

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_core::time::Tick;

use crate::keys::Key;

/// One item of the table, keys included.
pub type Item = HashMap<String, AttributeValue>;

/// The attribute that [`Condition::Tick`] compares: RFC 3339 text in UTC with whole seconds, so that the console shows
/// a time that people can read.
pub const TICK: &str = "tick";
/// The attribute that [`Condition::Revision`] compares: a number.
pub const REVISION: &str = "revision";
/// The attribute that tells the version of an item's layout: a number.
pub const LAYOUT: &str = "v";

/// How current a read must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// It sees every write that was acknowledged before it began. Costs twice as much.
    Strong,
    /// It may miss the last second or so.
    Eventual,
}

/// What must hold of the item in place for a put to replace it.
///
/// An item of another layout version satisfies neither `Tick` nor `Revision`: what this version cannot
/// read it does not overwrite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// There is none.
    Absent,
    /// It is of our layout and has this tick.
    Tick(Tick),
    /// It is of our layout and has this revision; 0 means that there is none.
    Revision(u64),
    /// It is an item that `portpulse seed` looks after.
    Seeded,
    /// Nothing.
    Always,
}

/// What became of a put.
#[derive(Debug, Clone, PartialEq)]
pub enum Put {
    /// The item is in place.
    Done,
    /// Its condition did not hold, and nothing changed.
    Refused {
        /// The item in place, if there is one.
        current: Option<Item>,
    },
}

/// What became of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// The item is gone, or never was there.
    Done,
    /// Its condition did not hold, and nothing changed.
    Refused,
}

/// A table of items with a partition and a sort key, in DynamoDB or like it.
///
/// Dropping one of its futures leaves open whether the operation took effect.
#[expect(
    async_fn_in_trait,
    reason = "used through generics, where the concrete type tells whether its futures are Send"
)]
pub trait Table {
    /// Every item of a partition, in the order of their sort keys.
    ///
    /// # Errors
    /// When the table cannot be read.
    async fn query(&self, pk: &str, read: Read) -> Result<Vec<Item>, TableError>;

    /// One item.
    ///
    /// # Errors
    /// When the table cannot be read.
    async fn get(&self, pk: &str, sk: &str, read: Read) -> Result<Option<Item>, TableError>;

    /// Those of these items that are there, in no order. Each key may be named once.
    ///
    /// # Errors
    /// When the table cannot be read, or not all of it.
    async fn get_many(&self, keys: &[Key], read: Read) -> Result<Vec<Item>, TableError>;

    /// Puts an item in the place that its keys name, on a condition.
    ///
    /// # Errors
    /// When it is not known whether the item is in place.
    async fn put(&self, item: Item, condition: Condition) -> Result<Put, TableError>;
}

/// A table that can be read piece by piece: for those who look back, who may read only so much.
#[expect(
    async_fn_in_trait,
    reason = "used through generics, where the concrete type tells whether its futures are Send"
)]
pub trait PagedQuery {
    /// The next items of a stretch, eventually consistent: at most `limit` of them, and at most a megabyte.
    ///
    /// # Errors
    /// When the table cannot be read.
    async fn page(&self, key_range: &KeyRange, limit: u32) -> Result<Page, TableError>;
}

/// Part of a partition, in one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    /// The partition.
    pub pk: String,
    /// The least sort key that belongs to it.
    pub from: String,
    /// The greatest sort key that belongs to it.
    pub to: String,
    /// The sort key after which it goes on, once a page was read.
    pub after: Option<String>,
    /// Which way it is read.
    pub order: Order,
}

/// Which way a stretch is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// From the least sort key on.
    Ascending,
    /// From the greatest sort key back.
    Descending,
}

/// Some items of a stretch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// The items, in the stretch's order.
    pub items: Vec<Item>,
    /// What is left of the stretch; `None` where that is nothing. It may turn out to hold no more items.
    pub rest: Option<KeyRange>,
}

/// A table whose items can be deleted: for tools, not for checkers.
#[expect(
    async_fn_in_trait,
    reason = "used through generics, where the concrete type tells whether its futures are Send"
)]
pub trait Delete {
    /// Deletes an item on a condition; one that is not there is no error.
    ///
    /// # Errors
    /// When it is not known whether the item is gone.
    async fn delete(&self, pk: &str, sk: &str, condition: Condition) -> Result<Deleted, TableError>;
}

/// What was asked of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Reading a partition.
    Query,
    /// Reading an item.
    Get,
    /// Reading several items.
    GetMany,
    /// Putting an item.
    Put,
    /// Deleting an item.
    Delete,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Query => "query",
            Self::Get => "get",
            Self::GetMany => "get items such as",
            Self::Put => "put",
            Self::Delete => "delete",
        })
    }
}

/// An operation that did not come to an end that is known.
#[derive(Debug, thiserror::Error)]
#[error("could not {operation} `{key}`")]
pub struct TableError {
    /// What was asked.
    pub operation: Operation,
    /// Of which partition or item.
    pub key: String,
    /// Why it failed.
    pub source: Box<dyn StdError + Send + Sync>,
}
