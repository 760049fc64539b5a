//! A table that notes what each checker read before it wrote a status.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_core::time::Tick;
use portpulse_store::keys::Key;
use portpulse_store::table::{Condition, Item, Put, Read, Table, TableError};
use portpulse_testkit::memory_table::MemoryTable;

use super::oracle::ReadBoard;
use crate::rig::{GROUP, Skewed, Time};

/// What the checkers did, as far as it can be seen from outside.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// Each decision row that was sent, with the read that its decision rests on, oldest first.
    pub(super) sent: Vec<(Item, ReadBoard)>,
    /// The board that each checker read last.
    read: BTreeMap<usize, ReadBoard>,
    /// The board that each checker decided on last: its first, and each that it read the controls after.
    pub(super) decided_on: BTreeMap<usize, ReadBoard>,
}

/// One checker's handle to the table.
pub(super) struct Watched {
    pub(super) table: MemoryTable,
    pub(super) who: usize,
    pub(super) clock: Skewed,
    pub(super) notes: Rc<RefCell<Notes>>,
}

impl Table for Watched {
    async fn query(&self, pk: &str, read: Read) -> Result<Vec<Item>, TableError> {
        if pk == "controls" {
            let mut notes = self.notes.borrow_mut();
            let group_state = notes.read.get(&self.who).cloned().unwrap_or_default();
            notes.decided_on.insert(self.who, group_state);
        }
        let items = self.table.query(pk, read).await?;
        if pk == format!("group#{GROUP}") {
            let number = |name: &str| usize::from(name.as_bytes()[0] - b'a');
            let behind = |item, prefix| text(item, "sk")?.strip_prefix(prefix).map(number);
            let listed: BTreeSet<_> = items.iter().filter_map(|item| behind(item, "expects#")).collect();
            let ticks = items.iter().filter_map(|item| {
                let location = behind(item, "location#")?;
                let tick: Tick = text(item, "tick")?.parse().ok()?;
                let counts = listed.is_empty() || listed.contains(&location);
                counts.then(|| (location, Time::number(tick)))
            });
            let group_state = ReadBoard {
                ticks: ticks.collect(),
                at_ms: self.clock.ms(),
            };
            let mut notes = self.notes.borrow_mut();
            notes
                .decided_on
                .entry(self.who)
                .or_insert_with(|| group_state.clone());
            notes.read.insert(self.who, group_state);
        }
        Ok(items)
    }

    async fn get(&self, pk: &str, sk: &str, read: Read) -> Result<Option<Item>, TableError> {
        self.table.get(pk, sk, read).await
    }

    async fn get_many(&self, keys: &[Key], read: Read) -> Result<Vec<Item>, TableError> {
        self.table.get_many(keys, read).await
    }

    async fn put(&self, item: Item, condition: Condition) -> Result<Put, TableError> {
        if text(&item, "sk") == Some("decision") && text(&item, "pk") == Some(&format!("group#{GROUP}")) {
            let mut notes = self.notes.borrow_mut();
            let mut group_state = notes.decided_on.get(&self.who).cloned().unwrap_or_default();
            // Nothing is awaited between a decision and its write.
            group_state.at_ms = self.clock.ms();
            notes.sent.push((item.clone(), group_state));
        }
        self.table.put(item, condition).await
    }
}

pub(super) fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    match item.get(name) {
        Some(AttributeValue::S(text)) => Some(text),
        _ => None,
    }
}
