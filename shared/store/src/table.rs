//! The seam between what is stored and where: items, read and put on conditions.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt;

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_core::time::Tick;

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
    /// It is a definition that `portpulse seed` looks after.
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

    /// Puts an item in the place that its keys name, on a condition.
    ///
    /// # Errors
    /// When it is not known whether the item is in place.
    async fn put(&self, item: Item, condition: Condition) -> Result<Put, TableError>;
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
