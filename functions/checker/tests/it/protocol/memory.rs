//! What the model has met so far: items, tables, messages, and the histories of checkers.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_core::group_state::{Entry, Health};
use portpulse_store::table::{Condition, Item, Put, Table as _};
use portpulse_testkit::memory_table::{MemoryTable, poll};

use super::interner::{Interner, item_text};
use super::replay::{Next, Request, Response, Who, next_of};
use super::world::{MONITORS, World};
use crate::rig::{TestTime, group_state, location};

/// The partition key and the sort key of an item.
pub(super) type Key = (String, String);

/// The number of the item at each numbered key.
pub(super) type Items = BTreeMap<u32, u32>;

/// An answer to a checker's request, in numbers of items.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Answer {
    Items(Vec<u32>),
    Put {
        is_done: bool,
        current: Option<u32>,
    },
    Published,
    /// The request took effect, and its response was lost.
    Lost,
}

/// What a checker does next, in numbers.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Read,
    Put {
        key: u32,
        item: u32,
        condition: Condition,
    },
    Publish {
        ids: Vec<String>,
    },
    Finished {
        errors: Vec<String>,
    },
}

/// What a checker has received, each with its tick, and what it does next.
#[derive(Debug)]
struct History {
    log: Vec<(i64, Answer)>,
    step: Step,
}

/// What distinguishes histories: the checker, the number of its world, and the last answer after an earlier history.
type HistoryKey = (Who, usize, Option<(u32, i64, Answer)>);

/// The state of a location, as written.
#[derive(Debug, Clone, Copy)]
pub(super) struct CountedTick {
    pub(super) location: usize,
    pub(super) tick: i64,
    /// The counted failures of each monitor.
    pub(super) failures: [u32; MONITORS],
}

#[derive(Debug, Default)]
pub(super) struct Memory {
    keys: Interner<Key, Key>,
    items: Interner<String, Item>,
    /// The location states among the items, by the item's number.
    counted: BTreeMap<u32, CountedTick>,
    pub(super) tables: Interner<Items, Items>,
    pub(super) sent: Interner<Vec<String>, Vec<String>>,
    histories: Interner<HistoryKey, History>,
    /// Whether a write succeeds, by the numbers of the history and of the item in place.
    conditions: BTreeMap<(u32, Option<u32>), bool>,
}

impl Memory {
    /// The number of distinct histories.
    pub(super) fn histories(&self) -> usize {
        self.histories.len()
    }

    pub(super) fn key(&self, number: u32) -> Arc<Key> {
        self.keys.value(number)
    }

    pub(super) fn item(&self, number: u32) -> Item {
        Item::clone(&self.items.value(number))
    }

    /// The location state that an item is, if it is one.
    pub(super) fn counted(&self, item: u32) -> Option<CountedTick> {
        self.counted.get(&item).copied()
    }

    /// The numbers of an item and of its key.
    pub(super) fn number(&mut self, item: &Item) -> (u32, u32) {
        let key = key_of(item);
        let known = ["group#", "results#", "incidents#"];
        assert!(
            known.iter().any(|begin| key.0.starts_with(begin)),
            "the model has no item {key:?}"
        );
        let number = self.items.number(item_text(item), item.clone());
        if let Some(counted) = counted_tick(&key, item) {
            self.counted.insert(number, counted);
        }
        (self.keys.number(key.clone(), key), number)
    }

    /// What a checker does after its history.
    pub(super) fn step(&self, history: u32) -> Step {
        self.histories.value(history).step.clone()
    }

    /// The number of a checker's history that continues `before` with an answer. Runs the checker unless the history is known.
    pub(super) fn history(
        &mut self,
        key: HistoryKey,
        world: &World,
        locations: usize,
        fixed: &MemoryTable,
    ) -> u32 {
        if let Some(known) = self.histories.known(&key) {
            return known;
        }
        let (who, _, last) = &key;
        let mut log = Vec::new();
        if let Some((before, tick, answer)) = last {
            log.clone_from(&self.histories.value(*before).log);
            log.push((*tick, answer.clone()));
        }
        let received = log.iter().map(|(tick, answer)| (*tick, self.response(answer)));
        let step = match next_of(*who, received.collect(), world, locations, fixed) {
            Next::Request(Request::ReadGroupState) => Step::Read,
            Next::Request(Request::Publish { ids }) => Step::Publish { ids },
            Next::Request(Request::Put { item, condition }) => {
                let (key, item) = self.number(&item);
                Step::Put { key, item, condition }
            }
            Next::Finished { errors } => Step::Finished { errors },
        };
        self.histories.number(key, History { log, step })
    }

    fn response(&self, answer: &Answer) -> Response {
        match answer {
            Answer::Items(items) => Response::Items(items.iter().map(|number| self.item(*number)).collect()),
            Answer::Put { is_done: true, .. } => Response::Put(Put::Done),
            Answer::Put { current, .. } => Response::Put(Put::Refused {
                current: current.map(|number| self.item(number)),
            }),
            Answer::Published => Response::Published,
            Answer::Lost => Response::Lost,
        }
    }

    /// Whether the next write after a history succeeds where `current` is in place, on its real condition.
    pub(super) fn succeeds(&mut self, history: u32, current: Option<u32>) -> bool {
        if let Some(known) = self.conditions.get(&(history, current)) {
            return *known;
        }
        let Step::Put { item, condition, .. } = self.step(history) else {
            panic!("not a write")
        };
        let item = self.item(item);
        let in_place = current.map(|number| (key_of(&item), self.item(number)));
        let table = MemoryTable::from_items(in_place.into_iter().collect());
        let put = poll(table.put(item, condition), usize::MAX).unwrap().unwrap();
        let succeeds = put == Put::Done;
        self.conditions.insert((history, current), succeeds);
        succeeds
    }
}

fn counted_tick(key: &Key, item: &Item) -> Option<CountedTick> {
    let name = key
        .1
        .strip_prefix("location#")
        .filter(|_| key.0.starts_with("group#"))?;
    let at = (0..).find(|at| location(*at).as_str() == name)?;
    let read = group_state(&MemoryTable::from_items([(key.clone(), item.clone())].into())).group_state;
    let row = &read.locations[&location(at)];
    let failures = |monitor: usize| match row.entries.get(&format!("m{monitor}").parse().unwrap()) {
        Some(Entry::Seen(streaks)) if streaks.health.state == Health::Failing => streaks.health.ticks,
        Some(Entry::Seen(_) | Entry::NoData { .. }) | None => 0,
    };
    Some(CountedTick {
        location: at,
        tick: TestTime::number(row.tick),
        failures: std::array::from_fn(failures),
    })
}

fn key_of(item: &Item) -> Key {
    let text = |name| match item.get(name) {
        Some(AttributeValue::S(text)) => text.clone(),
        other => panic!("{other:?}"),
    };
    (text("pk"), text("sk"))
}
