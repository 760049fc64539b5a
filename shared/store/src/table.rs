//! The interface to a table: reads, conditional puts and deletions of items.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt;

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_core::time::Tick;

use crate::keys::{Key, KeyRange};

/// An item of the table with its keys.
pub type Item = HashMap<String, AttributeValue>;

/// The attribute that [`Condition::Tick`] compares: RFC 3339 text in UTC with whole seconds, readable in the AWS
/// console.
pub const TICK: &str = "tick";
/// The attribute that [`Condition::Revision`] and [`Condition::Before`] compare: a number.
pub const REVISION: &str = "revision";
/// The attribute with the version of an item's layout: a number.
pub const LAYOUT: &str = "v";

/// The consistency of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// Strongly consistent: sees every write that was acknowledged before the read. Costs twice as much.
    Strong,
    /// Eventually consistent: may miss writes of about the last second.
    Eventual,
}

/// The condition on the item in place under which a put replaces it or a deletion removes it.
///
/// An item of another layout version satisfies neither `Tick` nor `Revision`, so that unreadable items are never
/// overwritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// There is no item.
    Absent,
    /// The item has the current layout version and this tick.
    Tick(Tick),
    /// The item has the current layout version and this revision; 0: there is no item.
    Revision(u64),
    /// There is no item, or it has the current layout version and an earlier revision.
    Before(u64),
    /// `portpulse seed` owns the item.
    Seeded,
    /// No condition.
    Always,
}

/// The outcome of a put.
#[derive(Debug, Clone, PartialEq)]
pub enum Put {
    /// The item was written.
    Done,
    /// Its condition did not hold, and nothing changed.
    Refused {
        /// The item in place, if any.
        current: Option<Item>,
    },
}

/// The outcome of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// There is no item any more.
    Done,
    /// Its condition did not hold, and nothing changed.
    Refused,
}

/// A table of items with a partition key and a sort key: DynamoDB or a stand-in.
///
/// If a future is dropped, the operation may or may not have taken effect.
#[expect(
    async_fn_in_trait,
    reason = "used through generics, where the concrete type decides whether the futures are Send"
)]
pub trait Table {
    /// All items of a partition, ordered by sort key.
    ///
    /// # Errors
    /// If the table cannot be read.
    async fn query(&self, pk: &str, read: Read) -> Result<Vec<Item>, TableError>;

    /// The item with this key, if any.
    ///
    /// # Errors
    /// If the table cannot be read.
    async fn get(&self, pk: &str, sk: &str, read: Read) -> Result<Option<Item>, TableError>;

    /// The items that exist among `keys`, in no particular order. Keys must be distinct.
    ///
    /// # Errors
    /// If the table cannot be read, or not all items can.
    async fn get_many(&self, keys: &[Key], read: Read) -> Result<Vec<Item>, TableError>;

    /// Puts an item if `condition` holds.
    ///
    /// # Errors
    /// If the outcome of the write is unknown.
    async fn put(&self, item: Item, condition: Condition) -> Result<Put, TableError>;
}

/// A table that can be read page by page, for readers of history with a read budget.
#[expect(
    async_fn_in_trait,
    reason = "used through generics, where the concrete type decides whether the futures are Send"
)]
pub trait PagedQuery {
    /// The next items of a key range, eventually consistent: at most `limit` items and at most 1 MB.
    ///
    /// # Errors
    /// If the table cannot be read.
    async fn page(&self, key_range: &KeyRange, limit: u32) -> Result<Page, TableError>;
}

/// A page of items of a key range.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// The items, in the order of the key range.
    pub items: Vec<Item>,
    /// The remaining range; `None` if there is none. The remaining range may contain no items.
    pub rest: Option<KeyRange>,
}

/// A table whose items can be deleted. Tools delete; checkers never do.
#[expect(
    async_fn_in_trait,
    reason = "used through generics, where the concrete type decides whether the futures are Send"
)]
pub trait Delete {
    /// Deletes an item if `condition` holds. A missing item is no error.
    ///
    /// # Errors
    /// If the outcome of the deletion is unknown.
    async fn delete(&self, pk: &str, sk: &str, condition: Condition) -> Result<Deleted, TableError>;
}

/// A kind of request to a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Read a partition.
    Query,
    /// Read one item.
    Get,
    /// Read several items.
    GetMany,
    /// Put an item.
    Put,
    /// Delete an item.
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

/// A failed request. A write may have taken effect.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} `{key}`")]
pub struct TableError {
    /// The kind of request.
    pub operation: Operation,
    /// The key of the partition or item.
    pub key: String,
    /// The cause.
    pub source: Box<dyn StdError + Send + Sync>,
}
