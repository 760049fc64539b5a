//! A table that counts the read units that a request consumes.

use std::sync::atomic::{AtomicU64, Ordering};

use portpulse_store::keys::{Key, KeyRange};
use portpulse_store::size;
use portpulse_store::table::{Condition, Item, Page, PagedQuery, Put, Read, Table, TableError};

/// The bytes that half a read unit covers in an eventually consistent read; DynamoDB rounds up to this size.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>
const BLOCK: usize = 4_096;

/// A table that counts the cost of its reads.
#[derive(Debug)]
pub(crate) struct MeteredTable<'a, T> {
    table: &'a T,
    halves: AtomicU64,
}

impl<'a, T> MeteredTable<'a, T> {
    pub(crate) fn new(table: &'a T) -> Self {
        Self {
            table,
            halves: AtomicU64::new(0),
        }
    }

    /// The half read units consumed so far.
    pub(crate) fn halves(&self) -> u64 {
        self.halves.load(Ordering::Relaxed)
    }

    fn spend(&self, bytes: usize, read: Read) {
        let blocks = u64::try_from(bytes.div_ceil(BLOCK).max(1)).unwrap_or(u64::MAX);
        let halves = match read {
            Read::Strong => blocks.saturating_mul(2),
            Read::Eventual => blocks,
        };
        self.halves.fetch_add(halves, Ordering::Relaxed);
    }
}

fn bytes(items: &[Item]) -> usize {
    items.iter().map(size::item).sum()
}

impl<T: Table> Table for MeteredTable<'_, T> {
    async fn query(&self, pk: &str, read: Read) -> Result<Vec<Item>, TableError> {
        let items = self.table.query(pk, read).await?;
        self.spend(bytes(&items), read);
        Ok(items)
    }

    async fn get(&self, pk: &str, sk: &str, read: Read) -> Result<Option<Item>, TableError> {
        let item = self.table.get(pk, sk, read).await?;
        self.spend(item.as_ref().map_or(0, size::item), read);
        Ok(item)
    }

    async fn get_many(&self, keys: &[Key], read: Read) -> Result<Vec<Item>, TableError> {
        let items = self.table.get_many(keys, read).await?;
        // Each key is billed separately, including keys without an item.
        items.iter().for_each(|item| self.spend(size::item(item), read));
        (items.len()..keys.len()).for_each(|_| self.spend(0, read));
        Ok(items)
    }

    async fn put(&self, item: Item, condition: Condition) -> Result<Put, TableError> {
        self.table.put(item, condition).await
    }
}

impl<T: PagedQuery> PagedQuery for MeteredTable<'_, T> {
    async fn page(&self, key_range: &KeyRange, limit: u32) -> Result<Page, TableError> {
        let page = self.table.page(key_range, limit).await?;
        self.spend(bytes(&page.items), Read::Eventual);
        Ok(page)
    }
}
