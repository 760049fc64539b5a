//! A table in memory with fault injection: every operation can be interrupted, or fail before or after its effect.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_store::VERSION;
use portpulse_store::definitions::{MANAGED_BY, SEED};
use portpulse_store::keys::{Key, KeyRange, Order, PK, SK};
use portpulse_store::table::{
    Condition, Delete, Deleted, Item, LAYOUT, Operation, Page, PagedQuery, Put, REVISION, Read, TICK, Table,
    TableError,
};

/// Items by partition and sort key, in DynamoDB's order.
pub type Items = BTreeMap<(String, String), Item>;

/// A table in memory. Clones share the items.
///
/// Each operation yields once before and once after its effect, so that a dropped future may or may not have taken
/// effect. The table is deterministic: it uses no clock and no threads.
#[derive(Clone, Default)]
pub struct MemoryTable {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    items: Items,
    /// Each item before its last write, for stale reads.
    before: BTreeMap<(String, String), Option<Item>>,
    calls: u64,
    writes: u64,
    plan: Option<FaultPlan>,
}

type FaultPlan = Box<dyn FnMut(&Call<'_>) -> Fault + Send>;

/// An operation, as passed to the fault plan.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The number of previous operations on the table.
    pub number: u64,
    /// The kind of operation.
    pub operation: Operation,
    /// The partition key.
    pub pk: &'a str,
    /// The sort key, of the first item if there are several; `None` for a query.
    pub sk: Option<&'a str>,
    /// The consistency of a read; `None` for a write.
    pub read: Option<Read>,
    /// The item to put; `None` for other operations.
    pub item: Option<&'a Item>,
}

/// A fault to inject into an operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fault {
    /// No fault.
    #[default]
    None,
    /// The operation fails without an effect, as if throttled.
    Before,
    /// The operation takes effect and the response is lost, as in a timeout.
    After,
    /// An eventually consistent read misses the last write of each item.
    Stale,
}

/// An injected failure.
#[derive(Debug, thiserror::Error)]
pub enum InjectedFailure {
    /// [`Fault::Before`].
    #[error("throttled (injected by the test)")]
    Throttled,
    /// [`Fault::After`].
    #[error("timed out after the operation took effect (injected by the test)")]
    AnswerLost,
}

impl<'a> Call<'a> {
    fn new(operation: Operation, (pk, sk): (&'a str, Option<&'a str>), read: Option<Read>) -> Self {
        Self {
            number: 0,
            operation,
            pk,
            sk,
            read,
            item: None,
        }
    }
}

impl MemoryTable {
    /// An empty table without faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// A table with these items.
    pub fn from_items(items: Items) -> Self {
        let table = Self::default();
        table.state().items = items;
        table
    }

    /// A copy of every item.
    pub fn snapshot(&self) -> Items {
        self.state().items.clone()
    }

    /// The current item, without faults.
    pub fn peek(&self, pk: &str, sk: &str) -> Option<Item> {
        let key = (pk.to_owned(), sk.to_owned());
        self.state().items.get(&key).cloned()
    }

    /// Sets the fault plan, which is called at the start of each operation.
    pub fn set_faults(&self, plan: impl FnMut(&Call<'_>) -> Fault + Send + 'static) {
        self.state().plan = Some(Box::new(plan));
    }

    /// Removes the fault plan.
    pub fn clear_faults(&self) {
        self.state().plan = None;
    }

    /// The number of operations started.
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// The number of writes that took effect. Items change only if this number does.
    pub fn writes(&self) -> u64 {
        self.state().writes
    }

    /// Puts an item unconditionally, without faults.
    pub fn overwrite(&self, item: Item) {
        let key = key_of(&item);
        self.state().write(key, Some(item));
    }

    /// Removes an item, without faults.
    pub fn remove(&self, pk: &str, sk: &str) {
        self.state().write((pk.to_owned(), sk.to_owned()), None);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one operation with its two interruption points and its fault.
    async fn run<R>(
        &self,
        mut call: Call<'_>,
        effect: impl FnOnce(&mut State, bool) -> R,
    ) -> Result<R, TableError> {
        let fault = {
            let mut state = self.state();
            call.number = state.calls;
            state.calls += 1;
            state.plan.as_mut().map_or(Fault::None, |plan| plan(&call))
        };
        let Call {
            operation,
            pk,
            sk,
            read,
            ..
        } = call;
        let failed = |injected| TableError {
            operation,
            key: sk.map_or_else(|| pk.to_owned(), |sk| key(pk, sk)),
            source: Box::<InjectedFailure>::new(injected),
        };
        yield_once().await;
        if fault == Fault::Before {
            return Err(failed(InjectedFailure::Throttled));
        }
        let stale = fault == Fault::Stale && read == Some(Read::Eventual);
        let answer = effect(&mut self.state(), stale);
        yield_once().await;
        if fault == Fault::After {
            return Err(failed(InjectedFailure::AnswerLost));
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
        let call = Call::new(Operation::Query, (pk, None), Some(read));
        self.run(call, |state, stale| {
            let first = (pk.to_owned(), String::new());
            let of_partition = |key: &&(String, String)| key.0 == pk;
            // A stale read may return deleted items.
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
        let call = Call::new(Operation::Get, (pk, Some(sk)), Some(read));
        self.run(call, |state, stale| {
            state.read(&(pk.to_owned(), sk.to_owned()), stale).cloned()
        })
        .await
    }

    async fn get_many(&self, keys: &[Key], read: Read) -> Result<Vec<Item>, TableError> {
        let Some(first) = keys.first() else {
            return Ok(Vec::new());
        };
        let at = (first.pk.as_str(), Some(first.sk.as_str()));
        self.run(Call::new(Operation::GetMany, at, Some(read)), |state, stale| {
            let keys = keys.iter().map(|key| (key.pk.clone(), key.sk.clone()));
            keys.filter_map(|key| state.read(&key, stale).cloned()).collect()
        })
        .await
    }

    async fn put(&self, item: Item, condition: Condition) -> Result<Put, TableError> {
        let (pk, sk) = key_of(&item);
        let at = (pk.as_str(), Some(sk.as_str()));
        let key = (pk.clone(), sk.clone());
        let call = Call {
            item: Some(&item),
            ..Call::new(Operation::Put, at, None)
        };
        self.run(call, |state, _| {
            let current = state.items.get(&key);
            if holds(condition, current) {
                state.write(key, Some(item.clone()));
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
        self.run(
            Call::new(Operation::Query, at, Some(Read::Eventual)),
            |state, stale| {
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
                // As in DynamoDB, a full page has a remaining range even if there are no more items.
                let last = page.last().filter(|_| page.len() == limit);
                Page {
                    rest: last.map(|(sk, _)| KeyRange {
                        after: Some((*sk).clone()),
                        ..key_range.clone()
                    }),
                    items: page.iter().map(|(_, item)| (*item).clone()).collect(),
                }
            },
        )
        .await
    }
}

impl Delete for MemoryTable {
    async fn delete(&self, pk: &str, sk: &str, condition: Condition) -> Result<Deleted, TableError> {
        let key = (pk.to_owned(), sk.to_owned());
        self.run(Call::new(Operation::Delete, (pk, Some(sk)), None), |state, _| {
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

/// Whether an item satisfies a condition. As in DynamoDB, a missing attribute or one of another type equals nothing.
fn holds(condition: Condition, current: Option<&Item>) -> bool {
    let number = |item: &Item, name| match item.get(name) {
        Some(AttributeValue::N(digits)) => digits.parse::<u64>().ok(),
        Some(_) | None => None,
    };
    let of_our_layout = |item: &Item| number(item, LAYOUT) == Some(u64::from(VERSION));
    match (condition, current) {
        (Condition::Always, _)
        | (Condition::Absent | Condition::Revision(0) | Condition::Before(_), None) => true,
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
        (Condition::Before(revision), Some(item)) => {
            of_our_layout(item) && number(item, REVISION).is_some_and(|current| current < revision)
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

/// Polls a future at most `polls` times, then drops it. Returns its output if it completed.
pub fn poll<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let (mut future, mut context) = (pin!(future), Context::from_waker(Waker::noop()));
    (0..polls).find_map(|_| match future.as_mut().poll(&mut context) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    })
}

/// Yields to other tasks once.
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
