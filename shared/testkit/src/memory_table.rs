//! A table in memory, in which every operation can be interrupted, and can fail before or after it took effect.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_store::VERSION;
use portpulse_store::definitions::{MANAGED_BY, SEED};
use portpulse_store::keys::{Key, PK, SK};
use portpulse_store::table::{
    Condition, Delete, Deleted, Item, KeyRange, LAYOUT, Operation, Order, Page, PagedQuery, Put, REVISION,
    Read, TICK, Table, TableError,
};

/// Every item by its partition and sort key, in the order in which DynamoDB sorts.
pub type Items = BTreeMap<(String, String), Item>;

/// A table in memory; a clone is another handle to the same items.
///
/// Each operation yields once before it takes effect and once after, so that dropping its future leaves either.
/// It has no clock and no threads: the same calls in the same order give the same answers.
#[derive(Clone, Default)]
pub struct MemoryTable {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    items: Items,
    /// What each item was before its last write: what a stale read sees.
    before: BTreeMap<(String, String), Option<Item>>,
    calls: u64,
    writes: u64,
    plan: Option<Plan>,
}

type Plan = Box<dyn FnMut(&Call<'_>) -> Fault + Send>;

/// One operation, as a fault plan sees it.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// How many operations came before it, since the table was made.
    pub number: u64,
    /// What is asked.
    pub operation: Operation,
    /// Of which partition.
    pub pk: &'a str,
    /// Of which item, the first of several; none for a query.
    pub sk: Option<&'a str>,
    /// How current a read must be; none for a write.
    pub read: Option<Read>,
}

/// What happens to an operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: it works.
    #[default]
    None,
    /// It fails without an effect, as when it is throttled.
    Before,
    /// It takes effect, and the answer is lost, as in a timeout.
    After,
    /// A read that need not be strong misses the last write of each item.
    Stale,
}

/// A failure that the test asked for.
#[derive(Debug, thiserror::Error)]
pub enum Injected {
    /// Nothing happened.
    #[error("throttled, as the test asked for")]
    Throttled,
    /// It happened, unseen.
    #[error("timed out after it took effect, as the test asked for")]
    AnswerLost,
}

impl MemoryTable {
    /// An empty table that works.
    pub fn new() -> Self {
        Self::default()
    }

    /// A table of its own with these items.
    pub fn from_items(items: Items) -> Self {
        let table = Self::default();
        table.state().items = items;
        table
    }

    /// A copy of every item.
    pub fn snapshot(&self) -> Items {
        self.state().items.clone()
    }

    /// One item as it is, at once and past all faults.
    pub fn peek(&self, pk: &str, sk: &str) -> Option<Item> {
        let key = (pk.to_owned(), sk.to_owned());
        self.state().items.get(&key).cloned()
    }

    /// From now on, asks `plan` what happens to each operation, in the order in which they begin.
    pub fn set_faults(&self, plan: impl FnMut(&Call<'_>) -> Fault + Send + 'static) {
        self.state().plan = Some(Box::new(plan));
    }

    /// From now on, everything works.
    pub fn heal(&self) {
        self.state().plan = None;
    }

    /// How many operations have begun.
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// How many writes have taken effect: while this stays, so does every item.
    pub fn writes(&self) -> u64 {
        self.state().writes
    }

    /// Puts an item in place, as somebody else would who asks nothing: at once, and without a fault.
    pub fn overwrite(&self, item: Item) {
        let key = key_of(&item);
        self.state().write(key, Some(item));
    }

    /// Takes an item away, past all faults.
    pub fn remove(&self, pk: &str, sk: &str) {
        self.state().write((pk.to_owned(), sk.to_owned()), None);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock, and half a state is still shown.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one operation with its two points of interruption and its fault.
    async fn run<R>(
        &self,
        operation: Operation,
        (pk, sk): (&str, Option<&str>),
        read: Option<Read>,
        effect: impl FnOnce(&mut State, bool) -> R,
    ) -> Result<R, TableError> {
        let fault = {
            let mut state = self.state();
            let number = state.calls;
            state.calls += 1;
            let call = Call {
                number,
                operation,
                pk,
                sk,
                read,
            };
            state.plan.as_mut().map_or(Fault::None, |plan| plan(&call))
        };
        let failed = |injected| TableError {
            operation,
            key: sk.map_or_else(|| pk.to_owned(), |sk| key(pk, sk)),
            source: Box::<Injected>::new(injected),
        };
        yield_once().await;
        if fault == Fault::Before {
            return Err(failed(Injected::Throttled));
        }
        let stale = fault == Fault::Stale && read == Some(Read::Eventual);
        let answer = effect(&mut self.state(), stale);
        yield_once().await;
        if fault == Fault::After {
            return Err(failed(Injected::AnswerLost));
        }
        Ok(answer)
    }
}

impl fmt::Debug for MemoryTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("MemoryTable")
            .field("items", &state.items)
            .field("calls", &state.calls)
            .finish_non_exhaustive()
    }
}

impl Table for MemoryTable {
    async fn query(&self, pk: &str, read: Read) -> Result<Vec<Item>, TableError> {
        self.run(Operation::Query, (pk, None), Some(read), |state, stale| {
            let first = (pk.to_owned(), String::new());
            let of_partition = |key: &&(String, String)| key.0 == pk;
            // A stale read may still see what is deleted.
            let written = state.before.range(&first..).map(|(key, _)| key);
            let placed = state.items.range(&first..).map(|(key, _)| key);
            let mut keys: Vec<_> = written.take_while(of_partition).collect();
            keys.extend(placed.take_while(of_partition));
            keys.sort();
            keys.dedup();
            let items = keys.into_iter().filter_map(|key| state.read(key, stale));
            items.cloned().collect()
        })
        .await
    }

    async fn get(&self, pk: &str, sk: &str, read: Read) -> Result<Option<Item>, TableError> {
        self.run(Operation::Get, (pk, Some(sk)), Some(read), |state, stale| {
            state.read(&(pk.to_owned(), sk.to_owned()), stale).cloned()
        })
        .await
    }

    async fn get_many(&self, keys: &[Key], read: Read) -> Result<Vec<Item>, TableError> {
        let Some(first) = keys.first() else {
            return Ok(Vec::new());
        };
        let at = (first.pk.as_str(), Some(first.sk.as_str()));
        self.run(Operation::GetMany, at, Some(read), |state, stale| {
            let keys = keys.iter().map(|key| (key.pk.clone(), key.sk.clone()));
            keys.filter_map(|key| state.read(&key, stale).cloned()).collect()
        })
        .await
    }

    async fn put(&self, item: Item, condition: Condition) -> Result<Put, TableError> {
        let (pk, sk) = key_of(&item);
        let at = (pk.as_str(), Some(sk.as_str()));
        let key = (pk.clone(), sk.clone());
        self.run(Operation::Put, at, None, |state, _| {
            let current = state.items.get(&key);
            if holds(condition, current) {
                state.write(key, Some(item));
                Put::Done
            } else {
                Put::Refused {
                    current: current.cloned(),
                }
            }
        })
        .await
    }
}

impl PagedQuery for MemoryTable {
    async fn page(&self, key_range: &KeyRange, limit: u32) -> Result<Page, TableError> {
        let at = (key_range.pk.as_str(), None);
        self.run(Operation::Query, at, Some(Read::Eventual), |state, stale| {
            let KeyRange {
                pk,
                from,
                to,
                after,
                order,
            } = key_range;
            let known = state.before.keys().chain(state.items.keys());
            let keys: BTreeSet<_> = known
                .filter(|(of, sk)| of == pk && from <= sk && sk <= to)
                .collect();
            let keys: Vec<_> = match order {
                Order::Ascending => keys.into_iter().collect(),
                Order::Descending => keys.into_iter().rev().collect(),
            };
            let read = keys.iter().filter(|(_, sk)| match (after, order) {
                (None, _) => true,
                (Some(after), Order::Ascending) => sk > after,
                (Some(after), Order::Descending) => sk < after,
            });
            let read = read.filter_map(|key| Some((&key.1, state.read(key, stale)?)));
            let limit = usize::try_from(limit.max(1)).unwrap_or(usize::MAX);
            let page: Vec<_> = read.take(limit).collect();
            // As DynamoDB does, which does not look whether there is more.
            let last = page.last().filter(|_| page.len() == limit);
            Page {
                rest: last.map(|(sk, _)| KeyRange {
                    after: Some((*sk).clone()),
                    ..key_range.clone()
                }),
                items: page.iter().map(|(_, item)| (*item).clone()).collect(),
            }
        })
        .await
    }
}

impl Delete for MemoryTable {
    async fn delete(&self, pk: &str, sk: &str, condition: Condition) -> Result<Deleted, TableError> {
        let key = (pk.to_owned(), sk.to_owned());
        self.run(Operation::Delete, (pk, Some(sk)), None, |state, _| {
            if holds(condition, state.items.get(&key)) {
                state.write(key, None);
                Deleted::Done
            } else {
                Deleted::Refused
            }
        })
        .await
    }
}

impl State {
    fn read(&self, key: &(String, String), stale: bool) -> Option<&Item> {
        match self.before.get(key) {
            Some(before) if stale => before.as_ref(),
            Some(_) | None => self.items.get(key),
        }
    }

    fn write(&mut self, key: (String, String), item: Option<Item>) {
        self.writes += 1;
        let before = match item {
            Some(item) => self.items.insert(key.clone(), item),
            None => self.items.remove(&key),
        };
        self.before.insert(key, before);
    }
}

/// Whether an item in place satisfies a condition, as DynamoDB would find: a missing attribute, or one of
/// another type, compares with nothing.
fn holds(condition: Condition, current: Option<&Item>) -> bool {
    let number = |item: &Item, name| match item.get(name) {
        Some(AttributeValue::N(digits)) => digits.parse::<u64>().ok(),
        Some(_) | None => None,
    };
    let of_our_layout = |item: &Item| number(item, LAYOUT) == Some(u64::from(VERSION));
    match (condition, current) {
        (Condition::Always, _) | (Condition::Absent | Condition::Revision(0), None) => true,
        (Condition::Absent | Condition::Revision(0), Some(_))
        | (Condition::Tick(_) | Condition::Revision(_) | Condition::Seeded, None) => false,
        (Condition::Seeded, Some(item)) => item.get(MANAGED_BY) == Some(&AttributeValue::S(SEED.to_owned())),
        (Condition::Tick(tick), Some(item)) => {
            let same = match item.get(TICK) {
                Some(AttributeValue::S(text)) => *text == tick.to_string(),
                Some(_) | None => false,
            };
            of_our_layout(item) && same
        }
        (Condition::Revision(revision), Some(item)) => {
            of_our_layout(item) && number(item, REVISION) == Some(revision)
        }
    }
}

fn key_of(item: &Item) -> (String, String) {
    let text = |name| match item.get(name) {
        Some(AttributeValue::S(text)) => text.clone(),
        Some(_) | None => String::new(),
    };
    (text(PK), text(SK))
}

fn key(pk: &str, sk: &str) -> String {
    let (pk, sk) = (pk.to_owned(), sk.to_owned());
    Key { pk, sk }.to_string()
}

/// Lets everybody else go first, once.
pub async fn yield_once() {
    let mut yielded = false;
    poll_fn(|context| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests;
