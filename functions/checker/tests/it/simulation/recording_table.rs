//! A table that records the state that each checker read before its decision.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_core::time::Tick;
use portpulse_store::keys::Key;
use portpulse_store::table::{Condition, Item, Put, Read, Table, TableError};
use portpulse_testkit::memory_table::MemoryTable;

use super::cadence::Cadence;
use super::oracle::ReadState;
use crate::rig::SkewedClock;

/// The recorded reads and writes of all checkers.
#[derive(Debug, Default)]
pub(super) struct Recording {
    /// Each decision state that was sent, with the state that was read before, oldest first.
    pub(super) sent: Vec<(Item, ReadState)>,
    /// The state that each checker read last.
    read: BTreeMap<usize, ReadState>,
    /// The state of each checker's last decision: the first state read, and each state after which controls were read.
    pub(super) decided_on: BTreeMap<usize, ReadState>,
}

/// The table of one checker.
pub(super) struct RecordingTable {
    pub(super) cadence: Cadence,
    pub(super) table: MemoryTable,
    pub(super) who: usize,
    pub(super) clock: SkewedClock,
    pub(super) recording: Rc<RefCell<Recording>>,
}

impl RecordingTable {
    fn group_key(&self) -> String {
        format!("group#{}", self.cadence.group())
    }
}

impl Table for RecordingTable {
    async fn query(&self, pk: &str, read: Read) -> Result<Vec<Item>, TableError> {
        if pk == "controls" {
            let mut recording = self.recording.borrow_mut();
            let group_state = recording.read.get(&self.who).cloned().unwrap_or_default();
            recording.decided_on.insert(self.who, group_state);
        }
        let items = self.table.query(pk, read).await?;
        if pk == self.group_key() {
            let number = |name: &str| usize::from(name.as_bytes()[0] - b'a');
            let location_after = |item, prefix| text(item, "sk")?.strip_prefix(prefix).map(number);
            let listed: BTreeSet<_> = items
                .iter()
                .filter_map(|item| location_after(item, "expects#"))
                .collect();
            let ticks = items.iter().filter_map(|item| {
                let location = location_after(item, "location#")?;
                let tick: Tick = text(item, "tick")?.parse().ok()?;
                let counts = listed.is_empty() || listed.contains(&location);
                counts.then(|| (location, self.cadence.number(tick)))
            });
            let group_state = ReadState {
                ticks: ticks.collect(),
                at_ms: self.clock.ms(),
            };
            let mut recording = self.recording.borrow_mut();
            recording
                .decided_on
                .entry(self.who)
                .or_insert_with(|| group_state.clone());
            recording.read.insert(self.who, group_state);
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
        if text(&item, "sk") == Some("decision") && text(&item, "pk") == Some(&self.group_key()) {
            let mut recording = self.recording.borrow_mut();
            let mut group_state = recording.decided_on.get(&self.who).cloned().unwrap_or_default();
            // A checker awaits nothing between a decision and its write.
            group_state.at_ms = self.clock.ms();
            recording.sent.push((item.clone(), group_state));
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
