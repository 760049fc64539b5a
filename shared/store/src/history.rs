//! History: results, rollups and closed incidents, written once and read page by page.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use portpulse_core::group::{GroupId, part_of};
use portpulse_core::group_state::ClosedIncident;
use portpulse_core::id::{Location, MonitorId};
use portpulse_core::period::Period;
use portpulse_core::rollup::{PhaseRollup, Rollup};
use portpulse_core::round::Observations;
use portpulse_core::time::Tick;

use crate::codec;
use crate::error::{Error, Malformed};
use crate::keys::{self, Key, KeyRange, PK};
use crate::packed::{pack, unpack};
use crate::size;
use crate::store::{Store, sort_key};
use crate::table::{Condition, Item, PagedQuery, Put, Read, Table};

/// The attribute with the number of parts of a summary.
const PARTS: &str = "parts";
/// The maximum number of parts of a summary; more than a full group needs.
const MAX_PARTS: u32 = 100;

/// Records that were read, by key.
#[derive(Debug)]
pub struct FoundRecords<K, R> {
    /// The records that exist and are readable.
    pub records: BTreeMap<K, R>,
    /// Errors of records that exist and are unreadable or incomplete. They must not be overwritten.
    pub unreadable: BTreeMap<K, Error>,
}

impl<K: Ord, R> FoundRecords<K, R> {
    /// Whether no record with this key exists, readable or not.
    pub fn is_missing(&self, key: &K) -> bool {
        !self.records.contains_key(key) && !self.unreadable.contains_key(key)
    }
}

/// A page of records of a key range.
#[derive(Debug)]
pub struct HistoryPage<R> {
    /// The readable records, in the order of the key range.
    pub records: Vec<R>,
    /// Errors of unreadable records.
    pub unreadable: Vec<Error>,
    /// The remaining range, if any.
    pub rest: Option<KeyRange>,
}

/// A summary of one location's checks over an hour or a day: a [`Rollup`] or [`PhaseRollup`].
///
/// A summary that does not fit into one item is split into parts. The part of a monitor depends on the id of the monitor
/// and the number of parts only, so parts that a killed checker has written are valid for the next writer.
pub trait Summary: Sized {
    /// The key of the summary, or of its first part.
    fn key(group: GroupId, period: Period, location: &Location) -> Key;

    /// The summaries of all locations from the period `first` to the period `last`, inclusive; the latest first.
    fn key_range(group: GroupId, first: Period, last: Period) -> KeyRange;

    /// Encodes the summary as one item.
    fn encode(&self, key: &Key, period: Period) -> Item;

    /// Decodes an item.
    ///
    /// # Errors
    /// If the item is malformed.
    fn decode(item: &Item) -> Result<Self, Malformed>;

    /// The monitors that belong to part `number` of `of`.
    #[must_use]
    fn part(&self, number: u32, of: u32) -> Self;

    /// Adds another part.
    fn join(&mut self, other: Self);
}

impl Summary for Rollup {
    fn key(group: GroupId, period: Period, location: &Location) -> Key {
        keys::rollup(group, period, location)
    }

    fn key_range(group: GroupId, first: Period, last: Period) -> KeyRange {
        keys::rollups(group, first, last)
    }

    fn encode(&self, key: &Key, period: Period) -> Item {
        codec::rollup::encode(key, period, self)
    }

    fn decode(item: &Item) -> Result<Self, Malformed> {
        codec::rollup::decode(&*unpack(item)?)
    }

    fn part(&self, number: u32, of: u32) -> Self {
        monitors_of_part(self, number, of)
    }

    fn join(&mut self, other: Self) {
        self.extend(other);
    }
}

impl Summary for PhaseRollup {
    fn key(group: GroupId, period: Period, location: &Location) -> Key {
        keys::phase_rollup(group, period, location)
    }

    fn key_range(group: GroupId, first: Period, last: Period) -> KeyRange {
        keys::phase_rollups(group, first, last)
    }

    fn encode(&self, key: &Key, period: Period) -> Item {
        codec::phase_rollup::encode(key, period, self)
    }

    fn decode(item: &Item) -> Result<Self, Malformed> {
        codec::phase_rollup::decode(&*unpack(item)?)
    }

    fn part(&self, number: u32, of: u32) -> Self {
        monitors_of_part(self, number, of)
    }

    fn join(&mut self, other: Self) {
        self.extend(other);
    }
}

fn monitors_of_part<V: Clone>(
    summary: &BTreeMap<MonitorId, V>,
    number: u32,
    of: u32,
) -> BTreeMap<MonitorId, V> {
    let mine = summary.iter().filter(|(id, _)| part_of(id, of) == number);
    mine.map(|(id, each)| (id.clone(), each.clone())).collect()
}

/// The items of a summary: the lowest number of parts that all fit before they are packed.
fn items<S: Summary>(whole: &Key, period: Period, summary: &S) -> Vec<(Key, Item)> {
    let item = summary.encode(whole, period);
    let bytes = size::item(&item);
    if bytes <= size::MAX_BYTES {
        return vec![(whole.clone(), pack(item))];
    }
    let fewest = u32::try_from(bytes.div_ceil(size::MAX_BYTES)).unwrap_or(u32::MAX);
    let mut parts = Vec::new();
    for of in fewest..=MAX_PARTS {
        parts = (0..of)
            .map(|number| {
                let key = keys::part(whole, number, of);
                let mut item = summary.part(number, of).encode(&key, period);
                item.insert(PARTS.to_owned(), AttributeValue::N(of.to_string()));
                (key, item)
            })
            .collect();
        if parts.iter().all(|(_, item)| size::item(item) <= size::MAX_BYTES) {
            break;
        }
    }
    for (_, item) in &mut parts {
        *item = pack(std::mem::take(item));
    }
    parts
}

/// The number of parts of a summary, as stored in any part.
fn parts(item: &Item) -> u32 {
    let parts = item.get(PARTS).and_then(|value| value.as_n().ok()?.parse().ok());
    parts.unwrap_or(1).min(MAX_PARTS)
}

/// A record that is read page by page.
pub trait HistoryRecord: Sized {
    /// Decodes an item of a key range of such records.
    ///
    /// # Errors
    /// If the item is malformed.
    fn decode(key_range: &KeyRange, item: &Item) -> Result<Self, Malformed>;
}

/// For [`Summary::key_range`]. Each part of a split summary is a record.
impl<S: Summary> HistoryRecord for (Period, Location, S) {
    fn decode(_: &KeyRange, item: &Item) -> Result<Self, Malformed> {
        let (period, location) = keys::parse_rollup(sort_key(item)).ok_or(Malformed::Unknown)?;
        Ok((period, location, S::decode(item)?))
    }
}

/// For [`keys::results_of_day`] and [`keys::results_of_hour`].
impl HistoryRecord for (Tick, Location, Observations) {
    fn decode(key_range: &KeyRange, item: &Item) -> Result<Self, Malformed> {
        let day = key_range.pk.rsplit('#').next().unwrap_or_default();
        let (tick, location) = keys::parse_results(day, sort_key(item)).ok_or(Malformed::Unknown)?;
        Ok((tick, location, codec::results::decode(item)?))
    }
}

/// For [`keys::incidents_of_month`].
impl HistoryRecord for ClosedIncident {
    fn decode(_: &KeyRange, item: &Item) -> Result<Self, Malformed> {
        codec::closed_incident::decode(item)
    }
}

impl<T: Table> Store<T> {
    /// The results of one location for `ticks`, as far as they exist; eventually consistent.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn results_of(
        &self,
        group: GroupId,
        ticks: impl IntoIterator<Item = Tick>,
        location: &Location,
    ) -> Result<FoundRecords<Tick, Observations>, Error> {
        let keys = ticks
            .into_iter()
            .map(|tick| (keys::results(group, tick, location), tick));
        self.get_records(keys.collect(), Read::Eventual, codec::results::decode)
            .await
    }

    /// The summaries of one location for `periods`, as far as they exist.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn summaries_of<S: Summary>(
        &self,
        group: GroupId,
        periods: impl IntoIterator<Item = Period>,
        location: &Location,
        read: Read,
    ) -> Result<FoundRecords<Period, S>, Error> {
        let wholes = periods
            .into_iter()
            .map(|period| (S::key(group, period, location), period));
        let decode = |item: &Item| Ok((parts(item), S::decode(item)?));
        let firsts = self.get_records(wholes.collect(), read, decode).await?;
        let mut found = FoundRecords {
            records: BTreeMap::new(),
            unreadable: firsts.unreadable,
        };
        let mut others = BTreeMap::new();
        for (period, (of, first)) in firsts.records {
            let whole = S::key(group, period, location);
            others.extend((1..of).map(|number| (keys::part(&whole, number, of), (period, number))));
            found.records.insert(period, first);
        }
        if others.is_empty() {
            return Ok(found);
        }
        let others = self.get_records(others, read, S::decode).await?;
        for ((period, _), part) in others.records {
            if let Some(row) = found.records.get_mut(&period) {
                row.join(part);
            }
        }
        let unreadable = others.unreadable.into_iter();
        found
            .unreadable
            .extend(unreadable.map(|((period, _), error)| (period, error)));
        Ok(found)
    }

    /// Stores a summary unless there is one. Returns whether this summary was stored. The first part is written last, so
    /// that all parts exist if the first does.
    ///
    /// # Errors
    /// If a part is too large, or the outcome of a write is unknown.
    pub async fn put_summary<S: Summary>(
        &self,
        group: GroupId,
        period: Period,
        location: &Location,
        summary: &S,
    ) -> Result<bool, Error> {
        let mut stored = false;
        for (key, item) in items(&S::key(group, period, location), period, summary)
            .into_iter()
            .rev()
        {
            stored = self.put(key, item, Condition::Absent).await? == Put::Done;
        }
        Ok(stored)
    }

    async fn get_records<K: Ord + Copy, R>(
        &self,
        wanted: BTreeMap<Key, K>,
        read: Read,
        decode: impl Fn(&Item) -> Result<R, Malformed>,
    ) -> Result<FoundRecords<K, R>, Error> {
        let (mut records, mut unreadable) = (BTreeMap::new(), BTreeMap::new());
        let keys: Vec<_> = wanted.keys().cloned().collect();
        for item in self.table.get_many(&keys, read).await? {
            let key = key_of(&item);
            // DynamoDB returns requested items only.
            let Some(asked) = wanted.get(&key).copied() else {
                continue;
            };
            match decode(&item) {
                Ok(row) => drop(records.insert(asked, row)),
                Err(source) => drop(unreadable.insert(asked, Error::Unreadable { key, source })),
            }
        }
        Ok(FoundRecords { records, unreadable })
    }
}

impl<T: PagedQuery> Store<T> {
    /// The next page of records in a key range, at most `limit`.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn next_page<R: HistoryRecord>(
        &self,
        key_range: &KeyRange,
        limit: u32,
    ) -> Result<HistoryPage<R>, Error> {
        let page = self.table.page(key_range, limit).await?;
        let (mut records, mut unreadable) = (Vec::new(), Vec::new());
        for item in &page.items {
            match R::decode(key_range, item) {
                Ok(row) => records.push(row),
                Err(source) => {
                    let key = key_of(item);
                    unreadable.push(Error::Unreadable { key, source });
                }
            }
        }
        Ok(HistoryPage {
            records,
            unreadable,
            rest: page.rest,
        })
    }
}

/// The key of an item that was read. Both attributes always exist and are text.
fn key_of(item: &Item) -> Key {
    let pk = item.get(PK).and_then(|value| value.as_s().ok());
    Key {
        pk: pk.cloned().unwrap_or_default(),
        sk: sort_key(item).to_owned(),
    }
}
